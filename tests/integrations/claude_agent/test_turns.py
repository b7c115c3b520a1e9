"""Turns of Claude Code: which calls its child process made, once each, and for whom."""

import asyncio
from itertools import count
from typing import Any

import pytest
from claude_agent_sdk import ClaudeSDKClient, ResultMessage, create_sdk_mcp_server, query, tool

import agenttrace
from agenttrace.testing import Reply, ToolCall
from agenttrace_claude_agent import ClaudeAgentInstrumentor
from agenttrace_claude_agent.turn import Turn

# Versions before 0.2 leave the streams open that their tasks talk through.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <function Memory:pytest.PytestUnraisableExceptionWarning"
    ),
]

_uuid = count()


def init(session: str = "s-1") -> dict[str, Any]:
    return {"type": "system", "subtype": "init", "session_id": session, "uuid": f"u{next(_uuid)}"}


def answer(
    message_id: str,
    *content: dict[str, Any],
    model: str = "claude-sonnet-4-5",
    inside: str | None = None,
    read: int = 0,
    sent: int = 10,
) -> dict[str, Any]:
    """A part of an answer; of the output its usage holds what there was at its start."""
    usage = {"input_tokens": sent, "cache_read_input_tokens": read, "output_tokens": 1}
    message = {"id": message_id, "model": model, "content": list(content), "usage": usage}
    return {
        "type": "assistant",
        "message": message,
        "parent_tool_use_id": inside,
        "session_id": "s-1",
        "uuid": f"u{next(_uuid)}",
    }


def text(said: str = "Hello.") -> dict[str, Any]:
    return {"type": "text", "text": said}


def use(tool_id: str, name: str, **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": tool_id, "name": name, "input": given}


def result_of(tool_id: str, *, inside: str | None = None, failed: bool = False) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": tool_id, "content": "x", "is_error": failed}
    return {
        "type": "user",
        "message": {"role": "user", "content": [block]},
        "parent_tool_use_id": inside,
    }


def done(subtype: str = "success", *, failed: bool = False, **billed: tuple[int, int, int]) -> Any:
    """The end of a turn: of each model the input, what was read from the cache, and the output."""
    names = ("inputTokens", "cacheReadInputTokens", "outputTokens")
    usage = {
        name.replace("_", "-"): dict(zip(names, counts, strict=True))
        for name, counts in billed.items()
    }
    return {
        "type": "result",
        "subtype": subtype,
        "duration_ms": 1,
        "duration_api_ms": 1,
        "is_error": failed,
        "num_turns": 1,
        "session_id": "s-1",
        "usage": {"input_tokens": 1, "output_tokens": 1},
        "modelUsage": usage,
    }


async def ask(options: Any, prompt: str = "Go") -> list[Any]:
    return [message async for message in query(prompt=prompt, options=options)]


async def ask_client(options: Any, *prompts: str) -> None:
    async with ClaudeSDKClient(options) as client:
        for prompt in prompts:
            await client.query(prompt)
            async for _ in client.receive_response():
                pass


def calls(spooled: Any) -> list[tuple[Any, ...]]:
    """Of each call: response id, input, cache read, output, and who says so."""
    keys = (
        "gen_ai.response.id",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.output_tokens",
        "agenttrace.usage",
    )
    said = (record["attributes"] for record in spooled())
    return [
        tuple(one.get(key) for key in keys) for one in said if one["agenttrace.kind"] == "inference"
    ]


BOTH_WAYS = pytest.mark.parametrize("how", [ask, ask_client])


@BOTH_WAYS
async def test_the_real_program_is_recorded_as_it_was_billed(how, real, provider, outline, spooled):
    provider.script(
        Reply("Let me look.", tool_calls=[ToolCall("Bash", {"command": "echo hi"})]),
        "It says hi.",
        when=lambda request: bool(request.tools),
    )
    with agenttrace.task("ticket"):
        if how is ask:
            await ask(real(allowed_tools=["Bash"]), "Look")
        else:
            await ask_client(real(allowed_tools=["Bash"]), "Look")

    assert outline() == [
        "task ticket",
        "  agent claude",
        "    frame claude-sonnet-4-5: main of claude",
        "    tool Bash",
        "    frame claude-sonnet-4-5: main of claude",
    ]
    billed = provider.ledger
    found = calls(spooled)
    assert [(one[0], one[1], one[2]) for one in found] == [
        (one.response_id, one.input_tokens, one.cache_read_tokens) for one in billed
    ]
    # Of two answers the program says the sum of the output only, so that is shared out.
    assert sum(one[3] for one in found) == sum(one.output_tokens for one in billed)
    assert {one[4] for one in found} == {"estimated"}


async def test_one_call_of_the_real_program_is_reported_exactly(real, provider, spooled):
    provider.script("Two words, or more.")
    await ask_client(real(), "First", "Second")
    assert calls(spooled) == [
        (one.response_id, one.input_tokens, one.cache_read_tokens, one.output_tokens, "reported")
        for one in provider.ledger
    ]


async def test_with_the_events_of_the_stream_every_call_is_exact(real, provider, spooled):
    provider.script(
        Reply("Let me look.", tool_calls=[ToolCall("Bash", {"command": "echo hi"})]),
        "It says hi.",
        when=lambda request: bool(request.tools),
    )
    await ask(real(allowed_tools=["Bash"], include_partial_messages=True), "Look")
    assert calls(spooled) == [
        (one.response_id, one.input_tokens, one.cache_read_tokens, one.output_tokens, "reported")
        for one in provider.ledger
    ]


@BOTH_WAYS
async def test_the_parts_of_an_answer_are_one_call(how, told, outline, spooled):
    turn = [
        init(),
        answer("m1", text("Let me see.")),
        answer("m1", use("t1", "Read")),
        answer("m1", use("t2", "Read")),
        result_of("t1"),
        result_of("t2", failed=True),
        answer("m2", text(), read=30),
        done(claude_sonnet_4_5=(20, 30, 50)),
    ]
    await how(told(turn), "Go")
    assert outline() == [
        "agent claude",
        "  frame claude-sonnet-4-5: main of claude",
        "  tool Read",
        "  tool Read !tool_error",
        "  frame claude-sonnet-4-5: main of claude",
    ]
    assert [one[:3] for one in calls(spooled)] == [("m1", 10, 0), ("m2", 40, 30)]
    assert sum(one[3] for one in calls(spooled)) == 50


async def test_a_sub_agent_has_its_calls_and_tools(told, outline):
    turn = [
        init(),
        answer("m1", use("t1", "Task", subagent_type="researcher", prompt="the secret")),
        answer("m2", use("t2", "Grep"), inside="t1"),
        result_of("t2", inside="t1"),
        answer("m3", text(), inside="t1"),
        result_of("t1"),
        answer("m4", text()),
        done(claude_sonnet_4_5=(40, 0, 60)),
    ]
    await ask(told(turn))
    assert outline() == [
        "agent claude",
        "  frame claude-sonnet-4-5: main of claude",
        "  tool Task",
        "    agent researcher",
        "      frame claude-sonnet-4-5: subagent of researcher",
        "      tool Grep",
        "      frame claude-sonnet-4-5: subagent of researcher",
        "  frame claude-sonnet-4-5: main of claude",
    ]


async def test_what_no_message_showed_is_recorded_as_hidden(told, outline, spooled, home):
    turn = [
        init(),
        answer("m1", text("A long answer, in many words.")),
        done(claude_sonnet_4_5=(10, 0, 20), claude_haiku_4_5=(300, 0, 7)),
    ]
    await ask(told(turn))
    assert outline() == [
        "agent claude",
        "  frame claude-sonnet-4-5: main of claude",
        "  frame claude-haiku-4-5: other of claude",
    ]
    assert calls(spooled) == [
        ("m1", 10, 0, 20, "reported"),
        (None, 300, 0, 7, "reported"),
    ]
    rows = "SELECT model, hidden, input_tokens FROM model_call ORDER BY input_tokens"
    with agenttrace.read(home) as reader:
        found = [tuple(row.values()) for row in reader.query(rows)]
    assert found == [("claude-sonnet-4-5", False, 10), ("claude-haiku-4-5", True, 300)]


async def test_hidden_calls_of_a_model_that_also_answered_are_what_is_left(told, spooled):
    turn = [init(), answer("m1", text("x" * 40)), done(claude_sonnet_4_5=(500, 90, 30))]
    await ask(told(turn))
    shown, hidden = calls(spooled)
    assert shown == ("m1", 10, 0, 10, "estimated")
    assert hidden == (None, 580, 90, 20, "estimated")


async def test_what_a_long_turn_is_remembered_by_does_not_grow(told, spooled, monkeypatch):
    remembered: list[int] = []
    end = Turn.end

    def measured(turn: Turn, *args: Any) -> None:
        end(turn, *args)
        remembered.append(sum(map(len, (turn._seen, turn._ended, turn._tools, turn._agents))))

    monkeypatch.setattr(Turn, "end", measured)
    parts = [answer(f"m{number}", text()) for number in range(600)]
    await ask(told([init(), *parts, done(claude_sonnet_4_5=(6000, 0, 3000))]))
    found = calls(spooled)
    assert len(found) == 600
    assert sum(call[3] for call in found) == 3000
    assert remembered[0] < 300


async def test_the_sums_of_earlier_turns_are_not_counted_again(told, spooled):
    options = told(
        [init(), answer("m1", text()), done(claude_sonnet_4_5=(10, 0, 5))],
        [init(), answer("m2", text()), done(claude_sonnet_4_5=(20, 0, 12))],
    )
    await ask_client(options, "One", "Two")
    assert calls(spooled) == [("m1", 10, 0, 5, "reported"), ("m2", 10, 0, 7, "reported")]


async def test_an_answer_of_a_client_that_connects_with_a_question_is_the_tasks(told, spooled):
    async def questions() -> Any:
        yield {"type": "user", "message": {"role": "user", "content": "Go"}}

    turn = [init(), answer("m1", text()), done(claude_sonnet_4_5=(10, 0, 5))]
    client = ClaudeSDKClient(told(turn))
    with agenttrace.task("ticket"):
        await client.connect(questions())
    async for _ in client.receive_response():
        pass
    await client.disconnect()
    named = {record["attributes"].get("agenttrace.task.name") for record in spooled()}
    assert named == {"ticket"}


async def test_a_client_that_cannot_be_told_apart_works_all_the_same(told, outline, trouble):
    class Equal(ClaudeSDKClient):
        __hash__ = None  # type: ignore[assignment]

    async with Equal(told([init(), answer("m1", text()), done()])) as client:
        await client.query("Go")
        names = [type(one).__name__ async for one in client.receive_response()]
    assert names[-1] == "ResultMessage"
    assert outline() == []


async def test_an_answer_that_the_program_made_up_is_no_call(told, outline):
    turn = [init(), answer("m1", text(), model="<synthetic>"), done(failed=True)]
    await ask(told(turn))
    assert outline() == ["agent claude !api_error"]


async def test_a_turn_that_fails_says_how(told, outline):
    turn = [
        init(),
        answer("m1", use("t1", "Read")),
        done("error_max_turns", failed=True, claude_sonnet_4_5=(10, 0, 5)),
    ]
    await ask(told(turn))
    assert outline() == [
        "agent claude !error_max_turns",
        "  frame claude-sonnet-4-5: main of claude",
        "  tool Read !abandoned",
    ]


async def test_a_child_that_dies_leaves_what_it_did(told, outline, spooled):
    turn = [init(), answer("m1", text("x" * 40)), {"type": "exit", "code": 3}]
    with pytest.raises(Exception) as failed:  # noqa: PT011 - its type is what is looked at
        await ask(told(turn))
    assert outline() == [
        f"agent claude !{type(failed.value).__qualname__}",
        "  frame claude-sonnet-4-5: main of claude",
    ]
    assert calls(spooled) == [("m1", 10, 0, 10, "estimated")]


async def test_a_consumer_that_leaves_ends_the_turn(told, outline):
    turn = [init(), answer("m1", text()), answer("m2", text()), done()]
    messages = query(prompt="Go", options=told(turn))
    async for message in messages:
        if type(message).__name__ == "AssistantMessage":
            break
    await messages.aclose()
    for _ in range(500):  # the SDK leaves what is inside to the event loop
        if outline():
            break
        await asyncio.sleep(0.01)
    assert outline() == ["agent claude", "  frame claude-sonnet-4-5: main of claude"]


async def test_the_consumer_is_not_inside_the_agent(told):
    turn = [init(), answer("m1", text()), done()]
    async for _ in query(prompt="Go", options=told(turn)):
        assert agenttrace.current() is None
    async with ClaudeSDKClient(told(turn)) as client:
        await client.query("Go")
        async for _ in client.receive_response():
            assert agenttrace.current() is None


async def test_concurrent_turns_keep_apart(told, spooled):
    async def one(number: int) -> None:
        turn = [answer(f"m{number}", text()), done(claude_sonnet_4_5=(10, 0, 5))]
        options = told(turn)  # the program reads its script when it starts
        with agenttrace.task(f"work {number}"):
            if number % 2:
                await ask(options)
            else:
                await ask_client(options, "Go")

    # One after the other to start, since they share a script; together from there on.
    for number in range(3):
        await one(number)
    await asyncio.gather(one(3), one(3))
    said = (record["attributes"] for record in spooled())
    found = [
        (one["gen_ai.response.id"], one["agenttrace.task.name"])
        for one in said
        if one["agenttrace.kind"] == "inference"
    ]
    assert sorted(found) == [(f"m{n}", f"work {n}") for n in (0, 1, 2, 3, 3)]


@BOTH_WAYS
async def test_the_session_of_the_child_is_the_conversation(how, told, spooled):
    await how(told([init("s-7"), answer("m1", text()), done()]), "Go")
    said = {record["attributes"].get("gen_ai.conversation.id") for record in spooled()}
    assert said == {"s-7"}


async def test_a_session_of_the_users_is_kept(told, spooled):
    with agenttrace.task("ticket", session="chat 7"):
        await ask(told([init("s-7"), answer("m1", text()), done()]))
    said = {record["attributes"].get("gen_ai.conversation.id") for record in spooled()}
    assert said == {"chat 7"}


async def test_a_call_inside_a_tool_of_this_process_is_the_tools(real, provider, outline):
    import httpx

    provider.script(
        Reply(tool_calls=[ToolCall("mcp__mine__sum_up", {"text": "x"})]),
        "Done.",
        when=lambda request: bool(request.tools),
    )

    @tool("sum_up", "Sum up", {"text": str})
    async def sum_up(given: dict[str, Any]) -> dict[str, Any]:
        async with httpx.AsyncClient() as http:
            await http.post(
                f"{provider.openai_base_url}/chat/completions",
                json={"model": "gpt-5", "messages": [{"role": "user", "content": "Say"}]},
            )
        return {"content": [{"type": "text", "text": "short"}]}

    mine = create_sdk_mcp_server("mine", tools=[sum_up])
    await ask(real(mcp_servers={"mine": mine}, allowed_tools=["mcp__mine__sum_up"]))

    lines = outline()
    assert "  wire gpt-5: tool of claude" in lines
    assert "  tool mcp__mine__sum_up" in lines


async def test_after_uninstrument_nothing_is_recorded(told, outline):
    ClaudeAgentInstrumentor().uninstrument()
    found = await ask(told([init(), answer("m1", text()), done()]))
    assert isinstance(found[-1], ResultMessage)
    await ask_client(told([init(), answer("m1", text()), done()]), "Go")
    assert outline() == []
    assert not hasattr(ClaudeSDKClient.receive_messages, "__wrapped__")


async def test_nothing_that_was_said_is_kept(told, spooled):
    turn = [
        init(),
        answer("m1", text("the loud answer"), use("t1", "Bash", command="the quiet harbour")),
        result_of("t1"),
        answer("m2", text("the long note")),
        done(),
    ]
    await ask(told(turn), "the plain question")
    kept = str(spooled())
    for said in ("loud", "harbour", "long note", "plain"):
        assert said not in kept


async def test_a_message_that_cannot_be_read_does_not_reach_the_program(told, monkeypatch, trouble):
    def broken(*_: Any) -> None:
        raise RuntimeError("inside of agenttrace")

    monkeypatch.setattr("agenttrace_claude_agent.turn.size_of", broken)
    found = await ask(told([init(), answer("m1", text()), done()]))
    assert isinstance(found[-1], ResultMessage)
    assert any("RuntimeError" in message for message in trouble)
