"""Agents, tools, handoffs and guardrails: who made which call, and as what."""

import asyncio
import sys
from typing import Any

import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    ModelSettings,
    RunConfig,
    Runner,
    SQLiteSession,
    function_tool,
    input_guardrail,
    output_guardrail,
    trace,
)
from agents.tracing import add_trace_processor, custom_span

import agenttrace
from agenttrace.integration import UnderWay
from agenttrace.testing import Failure, Reply, ToolCall
from agenttrace_openai_agents import AgentTraceProcessor, OpenAIAgentsInstrumentor
from agenttrace_openai_agents.runs import RUNS, Run, give_up

BOTH_APIS = pytest.mark.parametrize("api", ["chat", "responses"])
BOTH_WAYS = pytest.mark.parametrize("how", ["run", "stream"])


async def drive(how: str, agent: Agent, text: str, **options: Any) -> Any:
    if how == "run":
        return await Runner.run(agent, text, **options)
    result = Runner.run_streamed(agent, text, **options)
    async for _ in result.stream_events():
        pass
    return result


def calls(name: str, **arguments: Any) -> Reply:
    return Reply(tool_calls=[ToolCall(name, arguments)])


@function_tool
def look_up(question: str) -> str:
    """Look up."""
    return "It is 21 degrees."


@BOTH_APIS
@BOTH_WAYS
async def test_a_run_is_a_task_and_its_calls_are_counted_once(how, api, provider, model, outline):
    provider.script(calls("look_up", question="Lima"), "Warm.")
    weather = Agent("weather", model=model(api=api), tools=[look_up])

    result = await drive(how, weather, "What is it like in Lima?")

    assert result.final_output == "Warm."
    assert outline() == [
        "task Agent workflow",
        "  agent weather",
        "    frame gpt-5: main of weather",
        "      wire gpt-5: main of weather",
        "    tool look_up",
        "    frame gpt-5: main of weather",
        "      wire gpt-5: main of weather",
    ]


@BOTH_APIS
@BOTH_WAYS
async def test_the_frame_repeats_the_tokens_of_the_wire(how, api, provider, model, spooled):
    await drive(how, Agent("talker", model=model(api=api)), "Hello there")

    frame, wire = (
        record["attributes"]
        for record in spooled()
        if record["attributes"]["agenttrace.kind"] == "inference"
    )
    for count in ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"):
        assert wire[count] > 0
        # A stream of the chat API brings no usage unless it is asked to; the wire estimates then.
        if (how, api) != ("stream", "chat"):
            assert frame[count] == wire[count]
    (billed,) = provider.ledger
    assert abs(wire["gen_ai.usage.input_tokens"] - billed.input_tokens) <= 10


@BOTH_WAYS
async def test_after_a_handoff_the_calls_are_the_other_agents(how, provider, model, outline):
    provider.script(calls("transfer_to_refunds"), "Refunded.")
    refunds = Agent("refunds", model=model("gpt-5-mini"))
    triage = Agent("triage", model=model(), handoffs=[refunds])

    result = await drive(how, triage, "I want my money back")

    assert result.last_agent is refunds
    assert outline() == [
        "task Agent workflow",
        "  agent triage",
        "    frame gpt-5: main of triage",
        "      wire gpt-5: main of triage",
        "  agent refunds",
        "    frame gpt-5-mini: main of refunds",
        "      wire gpt-5-mini: main of refunds",
    ]


async def test_the_answer_after_a_handoff_is_what_a_person_reads(provider, model, home):
    provider.script(calls("transfer_to_refunds"), "Refunded.")
    refunds = Agent("refunds", model=model())

    await Runner.run(Agent("triage", model=model(), handoffs=[refunds]), "Money back")

    rows = "SELECT agent, hidden, usage FROM model_call ORDER BY started_at"
    with agenttrace.read(home) as reader:
        found = [tuple(row.values()) for row in reader.query(rows)]
    assert found == [("triage", True, "reported"), ("refunds", False, "reported")]


@BOTH_WAYS
async def test_an_agent_as_a_tool_is_a_sub_agent(how, provider, model, outline):
    provider.script(
        calls("ask_poet", input="tides"), "Done.", when=lambda request: request.model == "gpt-5"
    )
    poet = Agent("poet", model=model("gpt-5-mini"))
    ask_poet = poet.as_tool("ask_poet", "Ask the poet.")

    await drive(how, Agent("editor", model=model(), tools=[ask_poet]), "A poem on tides")

    assert outline() == [
        "task Agent workflow",
        "  agent editor",
        "    frame gpt-5: main of editor",
        "      wire gpt-5: main of editor",
        "    tool ask_poet",
        "      agent poet",
        "        frame gpt-5-mini: subagent of poet",
        "          wire gpt-5-mini: subagent of poet",
        "    frame gpt-5: main of editor",
        "      wire gpt-5: main of editor",
    ]


@pytest.mark.parametrize("in_thread", [True, False])
async def test_a_call_inside_a_tool_is_the_tools(in_thread, provider, model, outline):
    import openai

    provider.script(calls("sum_up", text="a"), "Done.", when=lambda request: bool(request.tools))

    def ask(text: str) -> str:
        with openai.OpenAI(base_url=provider.openai_base_url, api_key="test") as client:
            client.embeddings.create(model="text-embedding-3-small", input=text)
        return "short"

    @function_tool
    async def sum_up(text: str) -> str:
        """Sum up."""
        return await asyncio.to_thread(ask, text) if in_thread else ask(text)

    await Runner.run(Agent("reader", model=model(), tools=[sum_up]), "Read")

    assert outline()[4:6] == [
        "    tool sum_up",
        "      wire text-embedding-3-small: tool of reader",
    ]


@BOTH_WAYS
async def test_the_calls_of_a_guardrail_have_the_role_guard(how, provider, model, outline):
    checker = Agent("checker", model=model("gpt-5-nano"))

    async def check(context: Any, text: Any) -> GuardrailFunctionOutput:
        await Runner.run(checker, "Is this fine?", context=context.context)
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)

    @input_guardrail
    async def before(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
        return await check(context, text)

    @output_guardrail
    async def after(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
        return await check(context, text)

    agent = Agent("desk", model=model(), input_guardrails=[before], output_guardrails=[after])
    await drive(how, agent, "Hello")

    lines = [line.strip() for line in outline()]
    for name in ("before", "after"):
        first = lines.index(f"step {name}")
        assert lines[first : first + 4] == [
            f"step {name}",
            "agent checker",
            "frame gpt-5-nano: guard of checker",
            "wire gpt-5-nano: guard of checker",
        ]
    assert lines.count("wire gpt-5: main of desk") == 1
    assert len([line for line in lines if line.startswith("wire")]) == len(provider.ledger) == 3


@BOTH_WAYS
async def test_a_tripped_guardrail_is_recorded_without_its_words(how, model, outline, spooled):
    @input_guardrail
    async def no_secrets(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(output_info="the secret word", tripwire_triggered=True)

    agent = Agent("desk", model=model(), input_guardrails=[no_secrets])
    with pytest.raises(InputGuardrailTripwireTriggered):
        await drive(how, agent, "Tell me the secret word")

    assert "  agent desk !" in "\n".join(outline())
    assert "secret word" not in str(spooled())


async def test_a_tool_that_fails_is_recorded_without_its_message(provider, model, outline, spooled):
    provider.script(calls("burn"), "It burnt.")

    @function_tool(failure_error_function=None)
    def burn() -> str:
        """Fail."""
        raise ValueError("the secret of the house")

    with pytest.raises(Exception, match="secret"):
        await Runner.run(Agent("cook", model=model(), tools=[burn]), "Burn")

    (tool,) = (line.strip() for line in outline() if "tool burn" in line)
    assert tool in {"tool burn !ValueError", "tool burn !UserError"}
    assert outline()[1].startswith("  agent cook !")
    assert "secret" not in str(spooled())


async def test_a_tool_error_that_the_model_is_told_is_an_error(provider, model, outline, spooled):
    provider.script(calls("burn"), "It burnt.")

    @function_tool
    def burn() -> str:
        """Fail."""
        raise ValueError("the secret of the house")

    await Runner.run(Agent("cook", model=model(), tools=[burn]), "Burn")

    assert "    tool burn !_OTHER" in outline()
    assert "secret" not in str(spooled())


async def test_a_call_that_fails_and_its_retry_are_in_one_frame(provider, model, outline):
    provider.script(Failure(500), "Here.")
    await Runner.run(Agent("talker", model=model()), "Hello")
    assert outline()[2:] == [
        "    frame gpt-5: main of talker",
        "      wire gpt-5: main of talker !500",
        "      wire gpt-5: main of talker",
    ]


@BOTH_WAYS
async def test_an_exception_ends_what_it_passes_through(how, provider, model, outline):
    provider.script(Failure(401))
    with pytest.raises(Exception) as failed:  # noqa: PT011 - its type is what is looked at
        await drive(how, Agent("talker", model=model()), "Hello")
    kind = type(failed.value).__qualname__
    assert outline()[2:] == [
        f"    frame gpt-5: main of talker !{kind}",
        "      wire gpt-5: main of talker !401",
    ]
    assert "!" in outline()[1]


async def test_too_many_turns_are_a_failure_of_the_agent(provider, model, outline):
    provider.script(calls("look_up", question="x"), times=None)
    with pytest.raises(MaxTurnsExceeded):
        await Runner.run(Agent("looper", model=model(), tools=[look_up]), "Again", max_turns=1)
    assert outline()[0] == "task Agent workflow !MaxTurnsExceeded"
    assert outline()[1].startswith("  agent looper !")


async def test_concurrent_runs_keep_apart(provider, model, spooled):
    provider.script(lambda request: Reply(request.user, delay_s=0.01), times=None)

    async def one(number: int) -> None:
        agent = Agent(f"agent {number}", model=model(f"model-{number}"))
        config = RunConfig(workflow_name=f"work {number}", group_id=f"group {number}")
        await drive("run" if number % 2 else "stream", agent, "Go", run_config=config)

    await asyncio.gather(*(one(number) for number in range(6)))

    found = {
        tuple(
            record["attributes"].get(key)
            for key in ("agenttrace.task.name", "gen_ai.conversation.id", "gen_ai.agent.name")
        )
        for record in spooled()
        if record["attributes"]["agenttrace.kind"] == "inference"
    }
    assert found == {(f"work {n}", f"group {n}", f"agent {n}") for n in range(6)}


async def test_parallel_tools_each_have_their_own_calls(provider, model, outline):
    provider.script(
        Reply(tool_calls=[ToolCall("poet", {"input": "a"}), ToolCall("poet", {"input": "b"})]),
        "Done.",
        when=lambda request: request.model == "gpt-5",
    )
    poet = Agent("poet", model=model("gpt-5-mini")).as_tool("poet", "Ask.")

    await Runner.run(Agent("editor", model=model(), tools=[poet]), "Two poems")

    poem = [
        "    tool poet",
        "      agent poet",
        "        frame gpt-5-mini: subagent of poet",
        "          wire gpt-5-mini: subagent of poet",
    ]
    assert outline()[4:12] == poem * 2


@BOTH_WAYS
@pytest.mark.parametrize("given", ["session", "group_id"])
async def test_a_session_is_the_conversation_of_every_call(how, given, model, spooled):
    session = SQLiteSession("chat 7")
    options: Any = {"session": session}
    if given == "group_id":
        options = {"run_config": RunConfig(group_id="chat 7")}
    await drive(how, Agent("talker", model=model()), "Hello", **options)
    session.close()
    assert {record["attributes"]["gen_ai.conversation.id"] for record in spooled()} == {"chat 7"}


async def test_a_trace_holds_several_runs_in_one_task(model, outline, spooled):
    agent = Agent("talker", model=model())
    with trace("two questions"):
        await Runner.run(agent, "One")
        await Runner.run(agent, "Two")
    assert outline() == ["task two questions", *AGENT, *AGENT]
    assert len({record["attributes"]["task.id"] for record in spooled()}) == 1


AGENT = [
    "  agent talker",
    "    frame gpt-5: main of talker",
    "      wire gpt-5: main of talker",
]


async def test_a_run_inside_a_task_of_the_users_is_a_step_of_it(model, outline):
    with agenttrace.task("ticket"):
        await Runner.run(Agent("talker", model=model()), "Hello")
    assert outline() == [
        "task ticket",
        "  step Agent workflow",
        *(f"  {line}" for line in AGENT),
    ]


async def test_the_users_own_frames_and_spans_are_kept_in_order(model, outline):
    agent = Agent("talker", model=model())
    with trace("work"), agenttrace.agent("desk"), custom_span("private words"):
        await Runner.run(agent, "Hello")
    assert outline() == [
        "task work",
        "  agent desk",
        "    agent talker",
        "      frame gpt-5: subagent of talker",
        "        wire gpt-5: subagent of talker",
    ]


async def test_a_stream_that_is_cancelled_leaves_nothing_behind(provider, model, outline):
    provider.script(Reply("One two three four five.", stall_after=2))
    result = Runner.run_streamed(Agent("talker", model=model()), "Count")
    async for event in result.stream_events():
        if event.type == "raw_response_event":
            result.cancel()
    await asyncio.sleep(0.05)
    assert outline()[0].startswith("task Agent workflow")
    assert agenttrace.current() is None


async def test_the_consumer_of_a_stream_is_not_inside_it(model):
    result = Runner.run_streamed(Agent("talker", model=model()), "Hello")
    async for _ in result.stream_events():
        assert agenttrace.current() is None


def test_a_sync_run_is_recorded_too(provider, outline):
    from agents import OpenAIProvider

    config = RunConfig(
        model_provider=OpenAIProvider(
            base_url=provider.openai_base_url, api_key="test", use_responses=False
        )
    )
    Runner.run_sync(Agent("talker", model="gpt-5"), "Hello", run_config=config)
    assert outline() == ["task Agent workflow", *AGENT]


async def test_two_processors_record_a_run_once(model, outline):
    add_trace_processor(AgentTraceProcessor())
    await Runner.run(Agent("talker", model=model()), "Hello")
    assert outline() == ["task Agent workflow", *AGENT]


async def test_after_uninstrument_only_the_wire_is_left(model, outline):
    OpenAIAgentsInstrumentor().uninstrument()
    await Runner.run(Agent("talker", model=model()), "Hello", session=SQLiteSession("x"))
    assert outline() == ["wire gpt-5: main of nobody"]


async def test_where_tracing_is_off_the_calls_are_still_counted(model, outline):
    config = RunConfig(tracing_disabled=True)
    await Runner.run(Agent("talker", model=model()), "Hello", run_config=config)
    assert outline() == ["wire gpt-5: main of nobody"]


async def test_without_sensitive_data_the_frame_is_the_same(model, outline):
    config = RunConfig(trace_include_sensitive_data=False)
    await Runner.run(Agent("talker", model=model(api="responses")), "Hi", run_config=config)
    assert outline()[-1] == AGENT[-1]


async def test_nothing_that_was_said_is_kept(provider, model, spooled):
    provider.script(calls("look_up", question="the quiet harbour"), "the loud answer")
    agent = Agent(
        "talker",
        instructions="the strict orders",
        model=model(api="responses"),
        tools=[look_up],
        model_settings=ModelSettings(metadata={"note": "the long note"}),
    )
    await Runner.run(agent, "the plain question")
    kept = str(spooled())
    for said in ("harbour", "loud", "strict", "long note", "plain", "21 degrees"):
        assert said not in kept


async def test_a_processor_that_fails_does_not_reach_the_program(model, monkeypatch, trouble):
    def broken(*_: Any) -> None:
        raise RuntimeError("inside of agenttrace")

    monkeypatch.setattr("agenttrace_openai_agents.processor._begin", broken)
    result = await Runner.run(Agent("talker", model=model()), "Hello")
    assert result.final_output == "You said: Hello"
    assert any("RuntimeError" in message for message in trouble)


def test_a_run_that_never_ends_is_given_up(recording, outline):
    runs = UnderWay(give_up, limit=1)
    abandoned, kept = (agenttrace.start("agent", name) for name in ("lost", "kept"))
    runs.add("a", Run.attached(abandoned))
    runs.add("b", Run.attached(kept))
    assert outline() == ["agent lost !abandoned"]
    run = runs.pop("b")
    assert run is not None
    run.detach()
    kept.discard()
    assert "a" not in runs
    assert len(runs) == 0
    assert len(RUNS) == 0
    assert agenttrace.current() is None
    assert "agents" in sys.modules
