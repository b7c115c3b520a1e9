"""Agents, workflows and tools: who made which call, and as part of what."""

import asyncio
import inspect
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.llms import MockLLM
from llama_index.core.postprocessor import LLMRerank
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.workflow import Event, StartEvent, StopEvent, Workflow, step
from llama_index_instrumentation import get_dispatcher

import agenttrace
from agenttrace.testing import Failure, Reply, ToolCall
from agenttrace_llamaindex.runs import Run, Runs, give_up


def asks_for(name: str, **arguments: Any) -> Reply:
    return Reply(tool_calls=[ToolCall(name, arguments)])


def call(place: str, depth: int) -> list[str]:
    line = "  " * depth
    return [f"{line}frame gpt-4o: {place}", f"{line}  wire gpt-4o: {place}"]


def agent(name: str, gpt: Any, **options: Any) -> FunctionAgent:
    options.setdefault("streaming", False)
    return FunctionAgent(name=name, description="Helps", llm=gpt, **options)


async def test_each_call_is_in_its_frame(gpt, provider, outline, calls):
    def look_up(question: str) -> str:
        """Look it up."""
        return gpt.complete(question).text

    provider.script(asks_for("look_up", question="why"))

    await agent("writer", gpt, tools=[look_up]).run("Secret words")

    assert outline() == [
        "agent writer",
        *call("main of writer", 1),
        "  tool look_up",
        *call("tool of writer", 2),
        *call("main of writer", 1),
    ]
    assert calls() == [
        "writer: main of writer",
        "writer: tool of writer",
        "writer: main of writer",
    ]


async def test_a_handoff_gives_the_turn_to_another_agent(gpt, provider, outline, calls):
    provider.script(asks_for("handoff", to_agent="editor", reason="Secret words"))
    team = AgentWorkflow(
        agents=[agent("writer", gpt, can_handoff_to=["editor"]), agent("editor", gpt)],
        root_agent="writer",
    )

    await team.run("Secret words")

    assert outline() == [
        "task AgentWorkflow",
        "  agent writer",
        *call("main of writer", 2),
        "    tool handoff",
        "  agent editor",
        *call("main of editor", 2),
    ]
    assert calls() == ["AgentWorkflow: main of writer", "AgentWorkflow: main of editor"]


async def test_an_agent_in_a_tool_is_a_subagent(gpt, provider, outline, calls):
    async def research(question: str) -> str:
        """Ask the researcher."""
        return str(await agent("researcher", gpt).run(question))

    provider.script(asks_for("research", question="why"))

    with agenttrace.task("ticket"):
        await agent("writer", gpt, tools=[research]).run("Secret words")

    assert outline() == [
        "task ticket",
        "  agent writer",
        *call("main of writer", 2),
        "    tool research",
        "      agent researcher",
        *call("subagent of researcher", 4),
        *call("main of writer", 2),
    ]
    assert calls() == [
        "ticket: main of writer",
        "ticket: subagent of researcher",
        "ticket: main of writer",
    ]


async def test_a_streaming_agent_has_its_calls(gpt, calls):
    running = agent("writer", gpt, streaming=True).run("Secret words")

    async for _ in running.stream_events():
        assert agenttrace.current() is None
    await running

    assert calls() == ["writer: main of writer"]


async def test_a_react_agent_has_its_tools(gpt, provider, calls):
    def look_up(question: str) -> str:
        """Look it up."""
        return "42"

    provider.script(
        'Thought: look\nAction: look_up\nAction Input: {"question": "why"}',
        "Thought: I can answer.\nAnswer: 42",
    )
    writer = ReActAgent(name="writer", llm=gpt, tools=[look_up], streaming=False)

    await writer.run("Secret words")

    assert calls() == ["writer: main of writer"] * 2


async def test_agents_that_run_side_by_side_keep_apart(gpt, calls):
    await asyncio.gather(*(agent(f"agent {n}", gpt).run("Secret words") for n in range(3)))

    assert sorted(calls()) == [f"agent {n}: main of agent {n}" for n in range(3)]


class Found(Event):
    text: str


class Desk(Workflow):
    """Runs a step that waits, and one in a thread of its own."""

    def __init__(self, gpt: Any) -> None:
        super().__init__()
        self.gpt = gpt

    @step
    async def find(self, ev: StartEvent) -> Found:
        return Found(text=str(await self.gpt.acomplete("Secret words")))

    @step
    def write(self, ev: Found) -> StopEvent:
        return StopEvent(result=str(self.gpt.complete(ev.text)))


async def test_a_workflow_is_a_task_and_has_its_steps(gpt, outline, calls):
    await Desk(gpt).run()

    assert outline() == [
        "task Desk",
        "  step find",
        *call("main of nobody", 2),
        "  step write",
        *call("main of nobody", 2),
    ]
    assert calls() == ["Desk: main of nobody"] * 2


async def test_what_the_caller_does_meanwhile_is_not_the_workflows(gpt, outline):
    with agenttrace.task("mine"):
        running = Desk(gpt).run()
        gpt.complete("Secret words")
        await running

    assert call("main of nobody", 1) in (outline()[1:3], outline()[-2:])
    assert "  step Desk" in outline()


async def test_an_error_keeps_its_type(provider, gpt, outline, recording):
    provider.script(Failure(400), times=None)

    with pytest.raises(Exception, match="400"):
        await agent("writer", gpt).run("Secret words")

    assert outline() == [
        "agent writer !BadRequestError",
        "  frame gpt-4o: main of writer !BadRequestError",
        "    wire gpt-4o: main of writer !400",
    ]
    for segment in (recording / "spool").glob("*-*"):
        assert b"Secret" not in segment.read_bytes()


def test_a_question_to_documents_is_a_step_with_its_embedding(
    gpt, embedding, provider, outline, recording
):
    index = VectorStoreIndex.from_documents([Document(text="Secret words")], embed_model=embedding)

    index.as_query_engine(llm=gpt).query("Secret words")

    assert outline()[1:] == [
        "step RetrieverQueryEngine",
        "  step VectorIndexRetriever",
        "    wire text-embedding-ada-002: embedding of nobody",
        *call("main of nobody", 1),
    ]
    with agenttrace.read(recording) as reader:
        rows = list(reader.query("SELECT * FROM model_call ORDER BY started_at"))
    assert [row["role"] for row in rows] == ["embedding", "embedding", "main"]
    assert [row["input_tokens"] for row in rows] == [
        billed.input_tokens for billed in provider.ledger
    ]


def test_a_model_that_ranks_is_a_reranker(gpt, provider, calls):
    provider.script("Doc: 1, Relevance: 9")
    found = [NodeWithScore(node=TextNode(text="Secret words"), score=1.0)]

    LLMRerank(llm=gpt).postprocess_nodes(found, QueryBundle("Secret words"))

    assert calls() == ["LLMRerank: rerank of nobody"]


def test_threads_keep_apart(gpt, calls):
    def ask(name: str) -> None:
        with agenttrace.task(name):
            gpt.complete("Secret words")

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(ask, "abc"))

    assert sorted(calls()) == [f"{name}: main of nobody" for name in "abc"]


def test_a_model_in_this_process_is_seen_by_its_frame(recording):
    MockLLM().complete("Secret words")

    with agenttrace.read(recording) as reader:
        (row,) = reader.query("model_call")
    assert (row["capture"], row["usage"]) == ("frame", "missing")


def test_a_model_of_unknown_size_is_recorded_by_its_name(recording, spooled):
    class Unknown(MockLLM):
        model: str = "mine-7b"

        @property
        def metadata(self) -> Any:
            raise ValueError("Unknown model: how much can it read?")

    handler = get_dispatcher("root").span_handlers[-1]
    arguments = inspect.signature(lambda: None).bind()
    handler.span_enter(f"Unknown.complete-{uuid.uuid4()}", arguments, instance=Unknown())
    handler.give_up()

    (record,) = spooled()
    assert (record["name"], record["attributes"]["error.type"]) == ("mine-7b", "abandoned")


def test_what_the_hook_leaves_in_the_middle_of_a_run_is_not_current(instrumented):
    handler = get_dispatcher("root").span_handlers[-1]
    arguments = inspect.signature(lambda: None).bind()
    with agenttrace.task("mine") as task:
        handler.span_enter(f"MockLLM.complete-{uuid.uuid4()}", arguments, instance=MockLLM())
        instrumented.uninstrument()
        assert agenttrace.current() is task


def test_an_error_without_a_type_is_not_given_one(recording, spooled):
    handler = get_dispatcher("root").span_handlers[-1]
    span_id = f"MockLLM.complete-{uuid.uuid4()}"
    arguments = inspect.signature(lambda: None).bind()
    handler.span_enter(span_id, arguments, instance=MockLLM())
    handler.span_drop(span_id, arguments)

    (record,) = spooled()
    assert record["attributes"]["error.type"] == "_OTHER"


def test_nothing_is_recorded_after_the_hook_is_out(instrumented, gpt, outline):
    before = get_dispatcher("root").span_handlers
    instrumented.uninstrument()

    with agenttrace.task("mine"):
        gpt.complete("Secret words")

    assert get_dispatcher("root").span_handlers == before[:-1]
    assert outline() == ["task mine", "  wire gpt-4o: main of nobody"]


def test_what_never_ends_is_given_up(recording, outline):
    runs = Runs(give_up, limit=1)
    for name in ("first", "second"):
        runs.add(name, Run(agenttrace.start("agent", name), recorded=True))

    assert outline() == ["agent first !abandoned"]
    runs.clear()
    assert len(runs) == 0
    assert outline() == ["agent first !abandoned", "agent second !abandoned"]
