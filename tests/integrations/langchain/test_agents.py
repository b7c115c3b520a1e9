"""Agents, tools and model calls: who made which call, and as what."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypedDict

import openai
import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt

import agenttrace
from agenttrace.testing import Failure, Reply, ToolCall
from agenttrace_langchain import AgentTraceCallbackHandler

FOUR_WAYS = pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream", "astream"])


class State(TypedDict, total=False):
    text: str
    items: list[str]


def asked(text: str) -> dict[str, Any]:
    return {"messages": [("user", text)]}


def recorded(**more: Any) -> Any:
    return {"callbacks": [AgentTraceCallbackHandler()], **more}


def graph(name: str | None = None, **nodes: Any) -> Any:
    """A graph that runs its nodes one after the other."""
    built = StateGraph(State).add_sequence(list(nodes.items()))
    return built.add_edge(START, next(iter(nodes))).compile(name=name)


@FOUR_WAYS
def test_each_call_is_in_its_frame_and_has_its_agent_and_role(how, provider, models, outline):
    def calls(name: str, **arguments: str) -> Reply:
        return Reply(tool_calls=[ToolCall(name, arguments)])

    provider.script(
        calls("research", question="tides"),
        calls("translate", text="tides"),
        "All done.",
        when=lambda request: request.model == "gpt-5",
    )
    researcher = create_agent(models.claude(), tools=[], name="researcher")

    @tool
    def research(question: str) -> str:
        """Ask the researcher."""
        return researcher.invoke(asked(question))["messages"][-1].text

    @tool
    def translate(text: str) -> str:
        """Translate, by the SDK itself."""
        with models.anthropic() as client:
            client.messages.create(
                model="claude-haiku-4-5",
                max_tokens=100,
                messages=[{"role": "user", "content": text}],
            )
        return "Gezeiten"

    supervisor = create_agent(models.gpt(), tools=[research, translate], name="supervisor")

    models.drive(how, supervisor, asked("What are tides?"), recorded())

    assert outline() == [
        "agent supervisor",
        "  step model",
        "    frame gpt-5: main of supervisor",
        "      wire gpt-5: main of supervisor",
        "  step tools",
        "    tool research",
        "      agent researcher",
        "        step model",
        "          frame claude-haiku-4-5: subagent of researcher",
        "            wire claude-haiku-4-5: subagent of researcher",
        "  step model",
        "    frame gpt-5: main of supervisor",
        "      wire gpt-5: main of supervisor",
        "  step tools",
        "    tool translate",
        "      wire claude-haiku-4-5: tool of supervisor",
        "  step model",
        "    frame gpt-5: main of supervisor",
        "      wire gpt-5: main of supervisor",
    ]


@FOUR_WAYS
def test_a_graph_in_a_node_is_an_agent_named_like_the_node(how, models, outline):
    model = models.gpt()
    inner = graph(write=lambda state: {"text": model.invoke("Write").text})

    models.drive(how, graph("outer", draft=inner), {"text": ""}, recorded())

    assert outline() == [
        "agent outer",
        "  step draft",
        "    agent draft",
        "      step write",
        "        frame gpt-5: subagent of draft",
        "          wire gpt-5: subagent of draft",
    ]


def test_parallel_tools_each_have_their_own_calls(provider, models, outline):
    provider.script(
        Reply(tool_calls=[ToolCall("sum_up", {"text": "a"}), ToolCall("sum_up", {"text": "b"})])
    )
    claude = models.claude()

    @tool
    def sum_up(text: str) -> str:
        """Sum up."""
        return claude.invoke(text).text

    create_agent(models.gpt(), tools=[sum_up], name="reader").invoke(asked("Read"), recorded())

    work = [
        "  step tools",
        "    tool sum_up",
        "      frame claude-haiku-4-5: tool of reader",
        "        wire claude-haiku-4-5: tool of reader",
    ]
    assert outline()[4:-3] == work * 2


def test_parallel_nodes_keep_apart(models, outline):
    model = models.gpt()
    built = StateGraph(State)
    built.add_node("split", lambda state: {"text": ""})
    built.add_node("each", lambda state: model.invoke(state["text"]) and {})
    built.add_edge(START, "split")
    built.add_conditional_edges(
        "split", lambda state: [Send("each", {"text": item}) for item in state["items"]]
    )

    built.compile(name="map").invoke({"items": ["a", "b", "c"]}, recorded())

    work = ["  step each", "    frame gpt-5: main of map", "      wire gpt-5: main of map"]
    assert outline() == ["agent map", "  step split", *work * 3]


def test_the_users_own_frames_and_threads_inside_a_node_are_kept(models, outline):
    model = models.gpt()

    def node(state: State) -> State:
        with agenttrace.tool("lookup"):
            model.invoke("Look up")
        with ThreadPoolExecutor(1) as pool:
            pool.submit(model.invoke, "In a thread", recorded()).result()
        return {}

    with agenttrace.task("ticket"), agenttrace.agent("desk"):
        graph("flow", work=node).invoke({"text": ""}, recorded())

    assert outline() == [
        "task ticket",
        "  agent desk",
        "    agent flow",
        "      step work",
        "        tool lookup",
        "          frame gpt-5: tool of flow",
        "            wire gpt-5: tool of flow",
        "        frame gpt-5: subagent of flow",
        "          wire gpt-5: subagent of flow",
    ]


def test_a_middleware_that_sums_up_has_the_role_summary(models, outline):
    agent = create_agent(
        models.gpt(),
        tools=[],
        name="talker",
        middleware=[
            SummarizationMiddleware(models.claude(), trigger=("messages", 3), keep=("messages", 1))
        ],
    )

    agent.invoke({"messages": [HumanMessage("a"), AIMessage("b"), HumanMessage("c")]}, recorded())

    calls = [line.strip() for line in outline() if "wire" in line]
    assert calls == ["wire claude-haiku-4-5: summary of talker", "wire gpt-5: main of talker"]


def test_a_failed_tool_is_recorded_without_its_message(provider, models, outline, spooled):
    provider.script(Reply(tool_calls=[ToolCall("burn", {})]))

    @tool
    def burn() -> str:
        """Fail."""
        raise ValueError("the secret of the house")

    agent = create_agent(models.gpt(), tools=[burn], name="cook")
    with pytest.raises(ValueError, match="secret"):
        agent.invoke(asked("Burn"), recorded())

    assert outline() == [
        "agent cook !ValueError",
        "  step model",
        "    frame gpt-5: main of cook",
        "      wire gpt-5: main of cook",
        "  step tools !ValueError",
        "    tool burn !ValueError",
    ]
    assert "secret" not in str(spooled())


def test_asking_a_person_is_no_failure(provider, models, outline):
    provider.script(Reply(tool_calls=[ToolCall("confirm", {})]), "Thank you.")

    @tool
    def confirm() -> str:
        """Ask."""
        return interrupt("Sure?")

    agent = create_agent(models.gpt(), tools=[confirm], name="clerk", checkpointer=InMemorySaver())
    config = recorded(configurable={"thread_id": "7"})
    agent.invoke(asked("Delete"), config)
    agent.invoke(Command(resume="yes"), config)

    assert outline() == [
        "agent clerk",
        "  step model",
        "    frame gpt-5: main of clerk",
        "      wire gpt-5: main of clerk",
        "  step tools",
        "    tool confirm",
        "agent clerk",
        "  step tools",
        "    tool confirm",
        "  step model",
        "    frame gpt-5: main of clerk",
        "      wire gpt-5: main of clerk",
    ]


def test_a_thread_of_langgraph_is_the_session_of_every_call(models, recording, spooled):
    agent = create_agent(models.gpt(), tools=[], name="talker")
    agent.invoke(asked("Hello"), recorded(configurable={"thread_id": "42"}))
    assert {record["attributes"]["gen_ai.conversation.id"] for record in spooled()} == {"42"}


def test_an_agent_keeps_its_name_when_its_run_has_another(models, outline):
    inner = create_agent(models.gpt(), tools=[], name="writer")
    if "lc_agent_name" not in (inner.config or {}).get("metadata", {}):
        pytest.skip("an agent of this version of LangChain tells its runs no name")
    editor = graph("editor", edit=lambda state: inner.invoke(asked("Write"), run_named("draft")))
    editor.invoke({"text": ""}, recorded())
    assert [line.strip() for line in outline() if "agent" in line.split()] == [
        "agent editor",
        "agent writer",
    ]


def run_named(name: str) -> Any:
    return {"run_name": name}


def test_attempts_and_retries_are_seen_in_their_frames(provider, models, outline):
    provider.script(Failure(429), "Here.", Failure(500), "Here.")
    models.gpt(max_retries=1).invoke("Hello", recorded())
    hasty = models.gpt(max_retries=0)
    with pytest.raises(openai.InternalServerError) as failed:
        hasty.invoke("Hello", recorded())
    hasty.with_retry(wait_exponential_jitter=False).invoke("Hello", recorded())

    assert outline() == [
        "frame gpt-5: main of nobody",
        "  wire gpt-5: main of nobody !429",
        "  wire gpt-5: main of nobody",
        f"frame gpt-5: main of nobody !{type(failed.value).__qualname__}",
        "  wire gpt-5: main of nobody !500",
        "step ChatOpenAI",
        "  frame gpt-5: main of nobody",
        "    wire gpt-5: main of nobody",
    ]
