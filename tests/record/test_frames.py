"""task, agent and tool: bare, called, named; on every kind of function; and as ``with``."""

import asyncio
import contextvars
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import TracerProvider

import agenttrace

Spooled = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.usefixtures("recording")


def shape(records: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(r["attributes"]["agenttrace.kind"], r["name"], r["status"]) for r in records]


def test_a_bare_decorator_names_the_frame_after_the_function(spooled: Spooled) -> None:
    @agenttrace.task
    def triage(ticket: int) -> int:
        return ticket + 1

    assert triage(1) == 2
    assert triage.__name__ == "triage"
    assert shape(spooled()) == [("task", "triage", "ok")]


@pytest.mark.parametrize(
    ("decorator", "name"),
    [
        (agenttrace.agent(), "work"),
        (agenttrace.agent("researcher"), "researcher"),
        (agenttrace.tool("search"), "search"),
    ],
)
def test_a_called_decorator_takes_a_name(decorator: Any, name: str, spooled: Spooled) -> None:
    @decorator
    def work() -> str:
        return "done"

    assert work() == "done"
    assert spooled()[0]["name"] == name


def test_a_method_a_static_method_and_a_class_method_can_be_framed(spooled: Spooled) -> None:
    class Desk:
        @agenttrace.tool
        def method(self) -> "Desk":
            return self

        @agenttrace.tool
        @staticmethod
        def static() -> int:
            return 1

        @agenttrace.tool
        @classmethod
        def of_class(cls) -> type["Desk"]:
            return cls

    desk = Desk()
    assert desk.method() is desk
    assert desk.static() == 1
    assert desk.of_class() is Desk
    assert [record["name"] for record in spooled()] == ["method", "static", "of_class"]


async def test_a_coroutine_is_framed_while_it_runs(spooled: Spooled) -> None:
    @agenttrace.agent
    async def research() -> str | None:
        await asyncio.sleep(0)
        now = agenttrace.current()
        return now.agent if now else None

    assert await research() == "research"
    assert agenttrace.current() is None
    assert shape(spooled()) == [("agent", "research", "ok")]


def test_a_generator_is_current_only_while_it_runs(spooled: Spooled) -> None:
    @agenttrace.agent("counter")
    def count() -> Iterator[str | None]:
        for _ in range(2):
            now = agenttrace.current()
            yield now.agent if now else None

    seen = []
    for inside in count():
        outside = agenttrace.current()
        seen.append((inside, outside))
    assert seen == [("counter", None), ("counter", None)]
    assert shape(spooled()) == [("agent", "counter", "ok")]


def test_a_generator_passes_on_what_is_sent_thrown_and_returned() -> None:
    def talk() -> Any:
        try:
            got = yield "first"
        except KeyError:
            got = "caught"
        yield got
        return "end"

    framed = agenttrace.tool(talk)

    def drive(make: Callable[[], Any], *, throw: bool) -> list[Any]:
        generator = make()
        seen = [next(generator)]
        seen.append(generator.throw(KeyError) if throw else generator.send("sent"))
        try:
            next(generator)
        except StopIteration as end:
            seen.append(end.value)
        return seen

    for throw in (False, True):
        assert drive(framed, throw=throw) == drive(talk, throw=throw)


def test_a_generator_left_early_is_closed_and_not_failed(spooled: Spooled) -> None:
    closed = []

    @agenttrace.tool
    def lines() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)

    generator = lines()
    assert next(iter(generator)) == 1
    generator.close()  # type: ignore[attr-defined]
    assert closed == [True]
    assert shape(spooled()) == [("tool", "lines", "ok")]


async def test_an_async_generator_is_current_only_while_it_runs(spooled: Spooled) -> None:
    @agenttrace.agent("counter")
    async def count() -> AsyncIterator[str | None]:
        for _ in range(2):
            await asyncio.sleep(0)
            now = agenttrace.current()
            yield now.agent if now else None

    seen = [(inside, agenttrace.current()) async for inside in count()]
    assert seen == [("counter", None), ("counter", None)]
    assert shape(spooled()) == [("agent", "counter", "ok")]


def test_with_is_the_twin_of_the_decorator(spooled: Spooled) -> None:
    with agenttrace.task("ticket", id="T-1", session="S-1") as task:
        assert task.task_id == "T-1"
        with agenttrace.agent("writer"):
            pass
    outer, inner = spooled()
    assert inner["parent_span_id"] == outer["span_id"]
    assert inner["attributes"]["task.id"] == "T-1"
    assert inner["attributes"]["gen_ai.conversation.id"] == "S-1"
    assert outer["attributes"]["agenttrace.task.name"] == "ticket"
    assert inner["attributes"]["agenttrace.task.name"] == "ticket"
    assert "agenttrace.workload" not in inner["attributes"]


async def test_async_with_works_too(spooled: Spooled) -> None:
    async with agenttrace.task("ticket"):
        await asyncio.sleep(0)
    assert shape(spooled()) == [("task", "ticket", "ok")]


def test_an_exception_goes_through_unchanged_and_only_its_type_is_kept(spooled: Spooled) -> None:
    error = ValueError("the secret prompt")

    @agenttrace.task
    def fail() -> None:
        raise error

    with pytest.raises(ValueError, match="secret") as caught:
        fail()
    assert caught.value is error
    (record,) = spooled()
    assert record["status"] == "error"
    assert record["attributes"]["error.type"] == "ValueError"
    assert "secret" not in str(record)


def test_the_first_frame_begins_a_task_whatever_its_kind(spooled: Spooled) -> None:
    with agenttrace.agent("lone"), agenttrace.tool("hammer"):
        pass
    outer, inner = spooled()
    assert outer["attributes"]["agenttrace.task.name"] == "lone"
    assert outer["attributes"]["task.id"] == inner["attributes"]["task.id"]


def test_roles_follow_the_nearest_agent_or_tool() -> None:
    def now() -> str:
        found = agenttrace.current()
        assert found is not None
        return found.role

    with agenttrace.task("t"):
        assert now() == "main"
        with agenttrace.agent("supervisor"):
            assert now() == "main"
            with agenttrace.tool("ask"):
                assert now() == "tool"
                with agenttrace.agent("helper"):
                    assert now() == "subagent"


def test_a_role_that_the_user_names_wins(spooled: Spooled) -> None:
    with agenttrace.agent("a"), agenttrace.role("summary", visible=False):
        agenttrace.start("inference", "chat").stop()
    agenttrace.start("inference", "chat").stop()
    _, inside, after = sorted(spooled(), key=lambda r: r["start_ns"])
    assert inside["attributes"]["agenttrace.role"] == "summary"
    assert inside["attributes"]["agenttrace.visible"] is False
    assert after["attributes"]["agenttrace.role"] == "main"


async def test_work_that_outlives_its_task_still_belongs_to_it(spooled: Spooled) -> None:
    async def later() -> None:
        await asyncio.sleep(0.01)
        agenttrace.start("inference", "chat").stop()

    with agenttrace.task("t", id="T-1"):
        background = asyncio.create_task(later())
    await background
    call = spooled()[-1]
    assert call["attributes"]["task.id"] == "T-1"


async def test_parallel_coroutines_keep_their_own_agents() -> None:
    @agenttrace.task
    async def run(name: str) -> str | None:
        async with agenttrace.agent(name):
            await asyncio.sleep(0.001)
            now = agenttrace.current()
            return now.agent if now else None

    assert await asyncio.gather(*(run(str(n)) for n in range(5))) == list("01234")


def leave(kind: Any, name: str) -> None:
    """Attach as a callback of a framework does, and end without detaching."""
    leftover = agenttrace.start(kind, name)
    leftover.attach(loose=True)
    leftover.stop()


def test_what_a_callback_left_attached_after_its_end_is_skipped(spooled: Spooled) -> None:
    leave("agent", "finished")
    assert agenttrace.current() is None
    agenttrace.start("inference", "chat").stop()
    baggage_on_top = context.attach(baggage.set_baggage("user", "1"))
    agenttrace.start("inference", "chat").stop()
    context.detach(baggage_on_top)
    finished, *after = spooled()
    for record in after:
        assert "task.id" not in record["attributes"]
        assert record["parent_span_id"] is None
        assert record["trace_id"] != finished["trace_id"]


def test_what_was_current_before_a_leftover_is_current_again() -> None:
    with agenttrace.task("outer") as outer:
        leave("agent", "finished")
        leave("inference", "chat")
        assert agenttrace.current() is outer


def test_a_leftover_does_not_adopt_the_spans_of_other_instrumentations(home: Path) -> None:
    agenttrace.configure(home / "with an SDK", tracer_provider=TracerProvider())
    with agenttrace.task("outer") as outer:
        inside = agenttrace.start("agent", "finished")
        inside.attach(loose=True)
        assert trace.get_current_span().get_span_context() == inside.span_context
        inside.stop()
        assert trace.get_current_span().get_span_context() == outer.span_context


def test_without_an_sdk_no_span_is_current_that_a_client_could_send_along() -> None:
    with agenttrace.task("outer"):
        assert not trace.get_current_span().get_span_context().is_valid


def test_leftovers_of_a_long_loop_are_let_go() -> None:
    with agenttrace.task("outer"):
        leave("inference", "first")
        for _ in range(100):
            leave("inference", "chat")
        gc.collect()
        alive = [o for o in gc.get_objects() if isinstance(o, agenttrace.Invocation)]
    assert len(alive) < 5


@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_what_a_generator_opened_holds_again_after_each_value(
    kind: str, spooled: Spooled
) -> None:
    def calls() -> Any:
        with agenttrace.tool("search"), agenttrace.role("summary"):
            yield 1
            agenttrace.start("inference", "chat").stop()

    async def async_calls() -> AsyncIterator[int]:
        for value in calls():
            yield value

    if kind == "plain":
        assert list(agenttrace.agent("a")(calls)()) == [1]
    else:
        assert [value async for value in agenttrace.agent("a")(async_calls)()] == [1]
    (call,) = [r for r in spooled() if r["attributes"]["agenttrace.kind"] == "inference"]
    assert call["attributes"]["agenttrace.role"] == "summary"
    (tool,) = [r for r in spooled() if r["attributes"]["agenttrace.kind"] == "tool"]
    assert call["parent_span_id"] == tool["span_id"]
    assert agenttrace.current() is None


async def test_a_role_decorates_a_coroutine_and_keeps_what_it_does_not_say(
    spooled: Spooled,
) -> None:
    @agenttrace.role("summary")
    async def sum_up() -> None:
        await asyncio.sleep(0)
        with agenttrace.role(visible=True):
            agenttrace.start("inference", "chat").stop()

    await sum_up()
    agenttrace.start("inference", "chat").stop()
    inside, after = spooled()
    assert inside["attributes"]["agenttrace.role"] == "summary"
    assert inside["attributes"]["agenttrace.visible"] is True
    assert after["attributes"]["agenttrace.role"] == "main"


async def test_one_frame_object_may_be_used_by_many_coroutines_at_once(spooled: Spooled) -> None:
    frame = agenttrace.task("shared")

    async def work(seconds: float) -> str | None:
        async with frame as mine:
            await asyncio.sleep(seconds)
            now = agenttrace.current()
            assert now is mine
        return mine.task_id

    ids = await asyncio.gather(*(work(0.003 - n / 1000) for n in range(3)))
    assert len(set(ids)) == len(spooled()) == 3


def test_a_frame_that_is_left_in_another_context_leaves_that_one_alone() -> None:
    entered = contextvars.Context()
    frame = agenttrace.task("t")
    entered.run(frame.__enter__)
    mine = context.attach(baggage.set_baggage("user", "1"))
    frame.__exit__(None, None, None)
    assert baggage.get_baggage("user") == "1"
    context.detach(mine)


def test_a_task_that_starts_itself_anew_keeps_nothing_of_what_went_before() -> None:
    here = contextvars.copy_context()
    for _ in range(50):
        with agenttrace.task("tick") as tick:
            here = contextvars.copy_context()
        here = here.run(contextvars.copy_context)
    ticks = 0
    found: agenttrace.Invocation | None = tick
    while found is not None:
        ticks += 1
        found = found.parent
    assert ticks == 1


def test_an_id_that_is_no_string_is_made_one(spooled: Spooled) -> None:
    task: Any = agenttrace.task
    with task("t", id=42):
        pass
    assert spooled()[0]["attributes"]["task.id"] == "42"
