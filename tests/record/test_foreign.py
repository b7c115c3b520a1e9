"""Spans of other instrumentations: what they are taken for, and what is kept of them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import propagate, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Status, StatusCode, Tracer

import agenttrace
from agenttrace.integration import tracer_provider

Spooled = Callable[[], list[dict[str, Any]]]

ADK = "gcp.vertex.agent"


@pytest.fixture
def provider(home: Path) -> Iterator[TracerProvider]:
    made = TracerProvider()
    agenttrace.configure(home, tracer_provider=made)
    yield made
    agenttrace.shutdown()
    made.shutdown()


@pytest.fixture
def tracer(provider: TracerProvider) -> Tracer:
    return provider.get_tracer("somebody")


def call() -> None:
    inference = agenttrace.start("inference", "gpt-5")
    inference.stop()


def said(spooled: Spooled, key: str) -> list[Any]:
    """What the calls say of *key*, in the order of their start."""
    return [record["attributes"].get(key) for record in spooled() if record["name"] == "gpt-5"]


@pytest.mark.parametrize(
    ("span", "task"),
    [
        ("invoke_workflow report", "report"),
        ("invoke_node plan", "plan"),
        ("invoke_graph", "graph"),
        ("invoke_swarm", "swarm"),
    ],
)
def test_the_agents_of_a_workflow_share_its_task(
    span: str, task: str, tracer: Tracer, spooled: Spooled
) -> None:
    with tracer.start_as_current_span(span):
        for agent in ("first", "second"):
            with tracer.start_as_current_span(f"invoke_agent {agent}"):
                call()

    workflow, *_ = spooled()
    assert (workflow["attributes"]["agenttrace.kind"], workflow["name"]) == ("step", task)
    assert said(spooled, "agenttrace.task.name") == [task, task]
    assert said(spooled, "gen_ai.agent.name") == ["first", "second"]
    assert said(spooled, "agenttrace.role") == ["main", "main"]


@pytest.mark.parametrize("span", ["agent asked for the secret", "tool", "invocation of a tool"])
def test_a_span_of_the_programs_own_is_no_frame(
    span: str, tracer: Tracer, spooled: Spooled
) -> None:
    with tracer.start_as_current_span(span):
        call()

    assert [record["name"] for record in spooled()] == ["gpt-5"]
    assert said(spooled, "agenttrace.role") == ["main"]


def test_a_workflow_says_its_name_in_an_attribute(tracer: Tracer, spooled: Spooled) -> None:
    named = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "report"}
    with tracer.start_as_current_span("anything", attributes=named):
        call()
    assert said(spooled, "agenttrace.task.name") == ["report"]


@pytest.mark.parametrize("operation", ["invoke_agent", "invoke_workflow"])
def test_a_run_without_a_name_is_called_after_what_is_first_in_it(
    operation: str, provider: TracerProvider, spooled: Spooled
) -> None:
    tracer = provider.get_tracer(ADK)
    with tracer.start_as_current_span("invocation"):
        for name in ("writer", "reader"):
            with tracer.start_as_current_span(f"{operation} {name}"):
                call()
    assert spooled()[0]["name"] == "writer"
    assert said(spooled, "agenttrace.task.name") == ["writer", "writer"]


def test_a_run_in_which_nothing_has_a_name_is_a_run(
    provider: TracerProvider, spooled: Spooled
) -> None:
    with provider.get_tracer(ADK).start_as_current_span("invocation"):
        pass
    (run,) = spooled()
    assert (run["name"], run["attributes"]["agenttrace.task.name"]) == ("run", "run")


def test_a_run_without_a_name_leaves_the_name_of_the_task_around(
    provider: TracerProvider, spooled: Spooled
) -> None:
    tracer = provider.get_tracer(ADK)
    with (
        agenttrace.task("mine"),
        tracer.start_as_current_span("invocation"),
        tracer.start_as_current_span("invoke_agent writer"),
    ):
        call()
    assert said(spooled, "agenttrace.task.name") == ["mine"]


def test_what_others_call_an_invocation_is_none(tracer: Tracer, spooled: Spooled) -> None:
    with tracer.start_as_current_span("invocation"):
        call()
    assert said(spooled, "agenttrace.task.name") == [None]


def test_a_compaction_gives_its_calls_the_role(provider: TracerProvider, spooled: Spooled) -> None:
    tracer = provider.get_tracer(ADK)
    with tracer.start_as_current_span("invocation"):
        with tracer.start_as_current_span("invoke_agent writer"):
            call()
        with tracer.start_as_current_span("compact_events sliding_window"):
            call()
    assert said(spooled, "agenttrace.role") == ["main", "compaction"]
    assert said(spooled, "gen_ai.agent.name") == ["writer", None]


def test_putting_results_together_is_no_tool(provider: TracerProvider, spooled: Spooled) -> None:
    tracer = provider.get_tracer(ADK)
    with tracer.start_as_current_span("invoke_agent writer"):
        tracer.start_span("execute_tool (merged)").end()
    *_, merged = spooled()
    assert merged["attributes"]["agenttrace.kind"] == "step"


@pytest.mark.parametrize("key", ["gen_ai.conversation.id", "session.id"])
def test_a_conversation_is_the_session_of_the_calls_inside(
    key: str, tracer: Tracer, spooled: Spooled
) -> None:
    with tracer.start_as_current_span("invoke_agent writer", attributes={key: "C-1"}):
        call()
    assert said(spooled, "gen_ai.conversation.id") == ["C-1"]


def test_a_conversation_may_be_named_after_the_start(tracer: Tracer, spooled: Spooled) -> None:
    with tracer.start_as_current_span("invoke_agent writer") as agent:
        agent.set_attribute("session.id", "C-1")
        with tracer.start_as_current_span("chat gpt-5"):
            call()
    assert said(spooled, "gen_ai.conversation.id") == ["C-1"]


def test_the_outermost_conversation_is_that_of_all_inside(tracer: Tracer, spooled: Spooled) -> None:
    def named(session: str) -> dict[str, str]:
        return {"gen_ai.conversation.id": session}

    with (
        agenttrace.task("t", session="mine"),
        tracer.start_as_current_span("invoke_agent writer", attributes=named("made-up")),
        tracer.start_as_current_span("chat gpt-5", attributes=named("made-up")),
    ):
        call()
    assert {record["attributes"]["gen_ai.conversation.id"] for record in spooled()} == {"mine"}


def test_a_conversation_named_by_a_call_is_not_that_of_the_task(
    tracer: Tracer, spooled: Spooled
) -> None:
    with agenttrace.task("t"):
        for session in ("C-1", "C-2"):
            named = {"gen_ai.conversation.id": session}
            with tracer.start_as_current_span("invoke_agent writer", attributes=named):
                call()
    assert said(spooled, "gen_ai.conversation.id") == ["C-1", "C-2"]


def test_an_exception_keeps_its_type_and_not_its_text(tracer: Tracer, spooled: Spooled) -> None:
    with (
        pytest.raises(KeyError),
        tracer.start_as_current_span("invoke_agent writer"),
    ):
        raise KeyError("Secret words")
    (agent,) = spooled()
    assert agent["attributes"]["error.type"] == "KeyError"
    assert agent["status"] == "error"
    assert "Secret" not in str(agent)


def test_an_error_type_that_is_said_is_kept(tracer: Tracer, spooled: Spooled) -> None:
    with tracer.start_as_current_span("invoke_agent writer") as span:
        span.record_exception(ValueError("x"))
        span.set_attribute("error.type", "rate_limit")
        span.set_status(Status(StatusCode.ERROR, "Secret words"))
    assert spooled()[0]["attributes"]["error.type"] == "rate_limit"


def test_a_tracer_that_was_asked_for_early_follows_the_recording(
    recording: Path, tmp_path: Path, spooled: Spooled
) -> None:
    tracer = tracer_provider().get_tracer("framework")
    agenttrace.configure(tmp_path / "elsewhere")
    with tracer.start_as_current_span("invoke_agent writer"):
        call()
    tracer.start_span("invoke_agent reader").end()
    assert spooled() == []
    with agenttrace.read(tmp_path / "elsewhere") as reader:
        assert reader.query("SELECT agent FROM span WHERE kind = 'agent' ORDER BY start_ns") == [
            {"agent": "writer"},
            {"agent": "reader"},
        ]


def test_a_tracer_that_was_asked_for_early_makes_nothing_after_the_end(recording: Path) -> None:
    tracer = tracer_provider().get_tracer("framework")
    agenttrace.shutdown()
    with tracer.start_as_current_span("invoke_agent writer"):
        assert not trace.get_current_span().is_recording()


def test_the_span_of_a_server_stands_in_the_task_that_came_with_its_request(
    tracer: Tracer, spooled: Spooled
) -> None:
    carrier: dict[str, str] = {}
    with agenttrace.task("t", id="T-1"):
        carrier.update({name.lower(): value for name, value in agenttrace.environ().items()})
    came_with_it = propagate.extract(carrier)
    with tracer.start_as_current_span("tools/call add", context=came_with_it):
        call()
    *_, server, inner = spooled()
    assert inner["attributes"]["task.id"] == server["attributes"]["task.id"] == "T-1"
    assert inner["parent_span_id"] == server["span_id"]
