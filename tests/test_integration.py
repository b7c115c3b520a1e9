"""What integrations are built from, and that each says truly what it was tested with."""

import re
import threading
from collections.abc import Callable
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agenttrace
from agenttrace import TokenUsage
from agenttrace.integration import (
    UnderWay,
    available,
    guarded,
    nearest,
    provider_name,
    token_count,
    token_usage,
)

ROOT = Path(__file__).parent.parent


def kept(limit: int) -> tuple[UnderWay[str, str], list[str]]:
    given_up: list[str] = []
    return UnderWay(given_up.append, limit), given_up


def test_what_is_longest_unused_is_given_up() -> None:
    runs, given_up = kept(2)
    runs.add("a", "first")
    runs.add("b", "second")
    assert runs.use("a") == "first"
    assert runs.get("b") == "second"  # to look is no use
    runs.add("c", "third")
    assert given_up == ["second"]
    assert runs.values() == ["first", "third"]
    assert ("a" in runs, "b" in runs, len(runs)) == (True, False, 2)


def test_what_has_ended_is_not_given_up() -> None:
    runs, given_up = kept(2)
    runs.add("a", "first")
    assert runs.pop("a") == "first"
    assert runs.pop("a") is None
    assert (runs.get("a"), runs.use("a"), runs.use(None), runs.get(None)) == (None,) * 4
    runs.clear()
    assert given_up == []


def test_what_begins_again_under_the_same_id_gives_up_the_first() -> None:
    runs, given_up = kept(2)
    runs.add("a", "first")
    runs.add("a", "second")
    assert (given_up, runs.values()) == (["first"], ["second"])


def test_all_is_given_up_the_latest_first() -> None:
    runs, given_up = kept(3)
    for name in ("outer", "inner"):
        runs.add(name, name)
    runs.clear()
    assert (given_up, len(runs)) == (["inner", "outer"], 0)


@given(st.lists(st.tuples(st.sampled_from("aup"), st.integers(0, 9))), st.integers(1, 4))
def test_everything_that_begins_is_kept_ended_or_given_up(
    steps: list[tuple[str, int]], limit: int
) -> None:
    given_up: list[object] = []
    runs: UnderWay[int, object] = UnderWay(given_up.append, limit)
    begun: list[object] = []
    ended: list[object] = []
    for do, key in steps:
        if do == "a":
            begun.append(object())
            runs.add(key, begun[-1])
        elif do == "u":
            runs.use(key)
        elif (found := runs.pop(key)) is not None:
            ended.append(found)
        assert len(runs) <= limit
    assert sorted(map(id, begun)) == sorted(map(id, [*ended, *given_up, *runs.values()]))


def test_runs_of_many_threads_are_kept_apart() -> None:
    runs, given_up = kept(10_000)

    def work(name: str) -> None:
        for number in range(500):
            runs.add(f"{name}{number}", name)
            assert runs.use(f"{name}{number}") == name
            assert runs.pop(f"{name}{number}") == name

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(runs), given_up) == (0, [])


def test_what_a_guarded_function_raises_is_said_without_its_text(trouble: list[str]) -> None:
    @guarded("reading")
    def read(text: str) -> str:
        if text == "secret":
            raise ValueError(text)
        return text

    assert read("plain") == "plain"
    assert read("secret") is None
    assert len(trouble) == 1
    assert "reading (ValueError)" in trouble[0]
    assert "secret" not in trouble[0]


def test_what_begins_inside_begins_in_the_nearest_frame(recording: Path) -> None:
    outer, elsewhere = agenttrace.start("agent", "outer"), agenttrace.start("agent", "elsewhere")
    with agenttrace.task("mine"):
        assert nearest(outer) is outer  # what is current belongs elsewhere
        assert nearest(None) is agenttrace.current()
    outer.attach()
    with agenttrace.tool("inner") as inner:
        assert nearest(outer) is inner
        assert nearest(elsewhere) is elsewhere
    outer.detach()
    for one in (outer, elsewhere):
        one.discard()


@pytest.mark.parametrize(
    ("error", "said"),
    [(None, None), (GeneratorExit(), None), (ValueError("secret"), "ValueError"), ("kind", "kind")],
)
def test_an_invocation_ends_as_its_error_says(
    error: Any, said: str | None, recording: Path, spooled: Callable[[], list[dict[str, Any]]]
) -> None:
    agenttrace.start("agent", "one").end(error)
    (record,) = spooled()
    assert record["attributes"].get("error.type") == said
    assert record["status"] == ("error" if said else "ok")


def test_what_was_abandoned_is_not_current_any_more(
    recording: Path, spooled: Callable[[], list[dict[str, Any]]]
) -> None:
    def inside() -> None:
        with agenttrace.task("mine") as task:
            agent = agenttrace.start("agent", "lost")
            agent.attach()
            assert agenttrace.current() is agent
            agent.abandon()
            assert agenttrace.current() is task
            agenttrace.start("tool", "next").stop()

    copy_context().run(inside)
    by_name = {record["name"]: record for record in spooled()}
    assert by_name["lost"]["attributes"]["error.type"] == "abandoned"
    assert "gen_ai.agent.name" not in by_name["next"]["attributes"]


def test_work_that_goes_on_after_an_abandoned_frame_keeps_its_place(recording: Path) -> None:
    agent = agenttrace.start("agent", "done")
    agent.attach()
    copied = copy_context()
    agent.detach()
    agent.abandon()
    assert copied.run(agenttrace.current) is agent
    assert agenttrace.current() is None


@pytest.mark.parametrize(
    ("value", "count"), [(3, 3), (0, 0), (-1, None), (True, None), ("3", None), (2.0, None)]
)
def test_a_count_is_whole_and_not_negative(value: object, count: int | None) -> None:
    assert token_count(value) == count


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        (token_usage(3, 2), TokenUsage(3, 2, state="reported")),
        (token_usage(3, None), TokenUsage(3, state="partial")),
        (token_usage("3", -2), TokenUsage(state="missing")),
        (token_usage(0, 2), TokenUsage(0, 2, state="reported")),
        (token_usage(0, 2, zero_is_unsaid=True), TokenUsage(None, 2, state="partial")),
        (
            token_usage(
                9,
                5,
                cache_read_tokens=1,
                cache_write_tokens=3,
                cache_write_1h_tokens=2,
                reasoning_tokens=4,
            ),
            TokenUsage(9, 5, 1, 3, 2, 4, state="reported"),
        ),
    ],
)
def test_a_framework_says_how_much_of_the_usage_it_knows(
    told: TokenUsage, usage: TokenUsage
) -> None:
    assert told == usage


@pytest.mark.parametrize(
    ("said", "name"),
    [("bedrock", "aws.bedrock"), ("Azure", "azure.ai.openai"), ("openai", "openai"), ("Me", "Me")],
)
def test_a_provider_has_the_name_of_the_conventions(said: str, name: str) -> None:
    assert provider_name(said) == name


def test_each_integration_was_tested_with_the_versions_that_it_says() -> None:
    readme = (ROOT / "integrations" / "README.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| `agenttrace_\w+` \| .* \| (.*) \|$", readme, re.M))
    packages = (ROOT / "integrations").glob("agenttrace_*")
    assert list(rows) == sorted(one.name.removeprefix("agenttrace_") for one in packages)
    found = available()
    for name, told in rows.items():
        kind = found[name]
        says = f"{kind.distribution} {' and '.join(kind.tested)}"
        assert told.startswith(says), name
        for pin, version in zip(("oldest", "newest"), kind.tested, strict=True):
            pins = (ROOT / "tests" / "integrations" / name / f"{pin}.txt").read_text()
            distribution = re.escape(kind.distribution)
            assert re.search(rf"^{distribution}(\[.*\])?=={re.escape(version)}(\.|$)", pins, re.M)
