"""Where the handler can be, that it counts once, and that the program does not notice it."""

import re
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import FakeListLLM, GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import tool

import agenttrace
from agenttrace.integration import UnderWay
from agenttrace.testing import Reply, Tokens
from agenttrace_langchain import AgentTraceCallbackHandler, LangChainInstrumentor
from agenttrace_langchain.runs import ModelRun, Run, give_up

ONE_CALL = ["step asker", "  frame gpt-5: main of nobody", "    wire gpt-5: main of nobody"]


def recorded() -> Any:
    return {"callbacks": [AgentTraceCallbackHandler()]}


@pytest.fixture
def instrumented(recording: Any) -> Iterator[None]:
    LangChainInstrumentor().instrument()
    yield
    LangChainInstrumentor().uninstrument()


def chain_of(model: Any) -> Any:
    template = ChatPromptTemplate.from_template("{text}")
    return (template | model).with_config(run_name="asker")


def test_a_handler_in_the_config_records_a_call_once(models, outline):
    chain_of(models.gpt()).invoke({"text": "x"}, recorded())
    assert outline() == ONE_CALL


def test_a_handler_in_the_constructor_records_a_call_once(models, outline):
    model = models.gpt(callbacks=[AgentTraceCallbackHandler()])
    chain_of(model).invoke({"text": "x"})
    assert outline() == [line.removeprefix("  ") for line in ONE_CALL[1:]]


def test_the_instrumentor_records_a_call_once(instrumented, models, outline):
    chain_of(models.gpt()).invoke({"text": "x"})
    assert outline() == ONE_CALL


def test_the_integration_is_found_by_name(recording, models, outline):
    assert agenttrace.instrument("langchain") == ("langchain",)
    chain_of(models.gpt()).invoke({"text": "x"})
    LangChainInstrumentor().uninstrument()
    assert outline() == ONE_CALL


def test_handlers_everywhere_record_a_call_once(instrumented, models, outline):
    model = models.gpt(callbacks=[AgentTraceCallbackHandler()])
    chain_of(model).invoke(
        {"text": "x"}, {"callbacks": [AgentTraceCallbackHandler() for _ in "ab"]}
    )
    assert outline() == ONE_CALL


def test_after_uninstrument_nothing_more_is_recorded_by_it(instrumented, models, outline):
    model = models.gpt()
    LangChainInstrumentor().uninstrument()
    chain_of(model).invoke({"text": "x"})
    assert outline() == ["wire gpt-5: main of nobody"]
    chain_of(model).invoke({"text": "x"}, recorded())
    assert outline()[1:] == ONE_CALL


def test_each_item_of_a_batch_is_a_task_of_its_own(models, outline):
    chain_of(models.gpt()).batch([{"text": "a"}, {"text": "b"}], recorded())
    assert outline() == ONE_CALL * 2


def test_an_async_batch_inside_a_task_is_part_of_it(models, outline):
    async def work() -> None:
        with agenttrace.task("both"):
            await chain_of(models.gpt()).abatch([{"text": "a"}, {"text": "b"}], recorded())

    models.run(work())
    assert outline() == ["task both", *(f"  {line}" for line in ONE_CALL * 2)]


def test_an_answer_from_the_cache_is_no_call(models, outline):
    chain = chain_of(models.gpt(cache=InMemoryCache()))
    answers = [chain.invoke({"text": "x"}, recorded()).text for _ in "ab"]
    assert answers == ["You said: x"] * 2
    assert outline() == [*ONE_CALL, "step asker"]


def test_the_requests_of_one_batch_are_counted_once(models, outline):
    handlers = [AgentTraceCallbackHandler()]
    models.claude().generate([[HumanMessage("a")], [HumanMessage("b")]], callbacks=handlers)
    assert outline() == [
        "frame claude-haiku-4-5: main of nobody",
        "  wire claude-haiku-4-5: main of nobody",
        "  wire claude-haiku-4-5: main of nobody",
    ]


def test_local_models_are_counted_by_their_frames(outline):
    FakeListLLM(responses=["a", "b"]).batch(["x", "y"], recorded())
    assert outline() == ["frame FakeListLLM: main of nobody"] * 2


def test_a_model_inside_a_model_is_counted_once(models, outline):
    class Careful(GenericFakeChatModel):
        def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
            return inner._generate(inner.invoke("Think", recorded()) and messages)

    inner = models.gpt()
    RunnableLambda(Careful(messages=iter([])).invoke).invoke("x", recorded())
    assert outline() == [
        "step invoke",
        "  frame Careful: main of nobody",
        "    frame gpt-5: main of nobody",
        "      wire gpt-5: main of nobody",
        "    wire gpt-5: main of nobody",
    ]


def test_a_runnable_without_a_run_of_its_own_is_inside_the_chain(provider, models, outline):
    class Raw(Runnable[Any, Any]):
        def invoke(self, given: Any, config: Any = None, **_: Any) -> Any:
            with models.anthropic() as client:
                said = [{"role": "user", "content": "x"}]
                client.messages.create(model="claude-haiku-4-5", max_tokens=9, messages=said)
            return given

    (RunnableLambda(str) | Raw()).with_config(run_name="loader").invoke("x", recorded())
    assert outline() == ["step loader", "  wire claude-haiku-4-5: main of nobody"]


def test_a_retriever_is_a_tool(models, outline):
    class Library(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Any]:
            models.gpt().invoke("Rewrite the query", config=recorded())
            return []

    Library().invoke("x", recorded())
    assert outline() == [
        "tool Library",
        "  frame gpt-5: tool of nobody",
        "    wire gpt-5: tool of nobody",
    ]


@pytest.mark.parametrize("make", ["gpt", "claude"])
@pytest.mark.parametrize("how", ["invoke", "stream"])
def test_a_frame_says_of_the_answer_what_the_wire_says(how, make, models, recording, spooled):
    tokens = Tokens(
        input_tokens=9_000,
        cache_read_tokens=4_000,
        cache_write_tokens=3_000,
        cache_write_1h_tokens=1_000,
        output_tokens=700,
        reasoning_tokens=500,
    )
    models.provider.script(Reply("Fine.", tokens=tokens))
    models.drive(how, getattr(models, make)(), "x", recorded())

    frame, wire = (record["attributes"] for record in spooled())
    same = ["gen_ai.provider.name", "gen_ai.request.model", "agenttrace.outcome"]
    same += [key for key in wire if "usage" in key or key.startswith("gen_ai.response.")]
    if how == "stream":
        assert frame["gen_ai.response.time_to_first_chunk"] > 0
        # Measured twice, and LangChain is not told the id.
        same.remove("gen_ai.response.time_to_first_chunk")
        same.remove("gen_ai.response.id")
    # Older versions of the models' packages do not pass on all that the provider says.
    told = [key for key in same if key in frame or key in ALWAYS_TOLD]
    assert {key: frame.get(key) for key in told} == {key: wire[key] for key in told}
    assert frame["gen_ai.usage.cache_read.input_tokens"] == 4_000


ALWAYS_TOLD = {
    "agenttrace.outcome",
    "agenttrace.usage",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
}


class ToolModel(GenericFakeChatModel):
    """A model without a transport, which may be offered tools."""

    def bind_tools(self, tools: Any, **_: Any) -> Any:
        return self


class Breaks(BaseCallbackHandler):
    """A user's handler that raises."""

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("the user's")


def test_a_handler_that_breaks_beside_ours_changes_no_record(models, outline):
    handlers = [Breaks(), AgentTraceCallbackHandler()]
    chain_of(models.gpt()).invoke({"text": "x"}, {"callbacks": handlers})
    assert outline() == ONE_CALL


@pytest.fixture(params=["attach", "detach", "set", "stop"])
def broken(request, recording, monkeypatch) -> None:
    def burst(*_: Any, **__: Any) -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(agenttrace.Invocation, request.param, burst)


@pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream", "astream"])
def test_what_breaks_in_recording_stays_there(how, broken, models, trouble):
    @tool
    def shout(text: str) -> str:
        """Shout."""
        return text.upper()

    def work(config: Any) -> list[str]:
        calling = AIMessage("", tool_calls=[{"name": "shout", "args": {"text": "a"}, "id": "1"}])
        model = ToolModel(messages=iter([calling, "A it is."]))
        agent = create_agent(model, tools=[shout], name="crier")
        found = models.drive(how, agent, {"messages": [("user", "Shout")]}, config)
        return re.findall(r"content='([^']*)'", str(found))

    # What breaks may stay current; not in the context of the next test.
    assert copy_context().run(work, recorded()) == work(None)
    assert trouble
    assert "secret" not in " ".join(trouble)


def test_a_run_that_nobody_ends_is_abandoned_but_a_call_was_perhaps_never_made(recording, spooled):
    runs = UnderWay(give_up, limit=1)
    inference, step, last = (
        agenttrace.start(kind, "a run") for kind in ("inference", "step", "step")
    )
    runs.add(1, ModelRun(inference, recorded=True))
    runs.add(2, Run(step, recorded=True))
    runs.add(3, Run(last))
    runs.clear()
    assert not last.ended  # it is not its own
    (record,) = spooled()
    assert record["attributes"]["agenttrace.kind"] == "step"
    assert record["attributes"]["error.type"] == "abandoned"
    last.discard()
