"""What is told again is folded once, by whomever, however often and in whatever order."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agenttrace.model import TokenUsage
from agenttrace.record.spool import Spool
from agenttrace.sources.told import Agent, Call, Turn, line
from agenttrace.store import fold
from tests import builders
from tests.builders import START_NS, Record, asked, begin, chat, spans, task, write

Lines = list[bytes]


def call(key: str, *, output: int | None = 1, session: str = "s") -> bytes:
    """A call that a log tells of, with ten tokens sent."""
    usage = TokenUsage(input_tokens=10, output_tokens=output)
    return line(
        Call(
            source="claude-code", session=session, turn="t", key=key, start_ns=START_NS,
            model="claude-opus-4-5", response_id=key, usage=usage,
        )
    )  # fmt: skip


TURN = line(Turn(source="claude-code", session="s", turn="t", start_ns=START_NS, branch="main"))
AGENT = line(
    Agent(source="claude-code", session="s", turn="t", key="a", start_ns=START_NS, name="Explore")
)
ALL = [TURN, AGENT, call("one"), call("two"), call("three", output=None)]


def tell(home: Path, *pieces: Iterable[bytes]) -> None:
    """Have each piece told by a source, and fold it before the next."""
    begin(home)
    for lines in pieces:
        spool = Spool(home / "spool", "import", is_retold=True)
        spool.append_all(list(lines))
        spool.close()
        folded(home)


def folded(home: Path) -> None:
    with duckdb.connect() as connection:
        assert fold.fold(connection, home, [])


def tasks(home: Path) -> list[dict[str, Any]]:
    with asked(home) as connection:
        return connection.rows("task")


def figures(home: Path) -> list[tuple[Any, ...]]:
    """Return calls, input tokens, output tokens, prompts and agents of each task."""
    names = ("calls", "input_tokens", "output_tokens", "user_turns", "agents")
    return [tuple(row[name] for name in names) for row in tasks(home)]


def test_what_is_told_in_a_later_fold_again_counts_once(home: Path) -> None:
    tell(home, ALL, ALL)
    assert figures(home) == [(3, 30, 2, 1, 1)]


def test_what_is_told_twice_in_one_fold_counts_once(home: Path) -> None:
    tell(home, [*ALL, *ALL])
    assert figures(home) == [(3, 30, 2, 1, 1)]


@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    again=st.lists(st.sampled_from(ALL), max_size=6),
    cut=st.integers(0, 11),
    chance=st.randoms(use_true_random=False),
)
def test_in_whatever_order_and_however_often_it_is_told_the_figures_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, again: Lines, cut: int, chance: random.Random
) -> None:
    lines = [*ALL, *again]
    chance.shuffle(lines)
    home = tmp_path_factory.mktemp("home")
    tell(home, *(piece for piece in (lines[:cut], lines[cut:]) if piece))
    assert figures(home) == [(3, 30, 2, 1, 1)]


@pytest.mark.parametrize("outputs", [(2, 50), (50, 2), (None, 50), (50, None)], ids=str)
def test_the_telling_with_more_output_wins_whichever_was_folded_first(
    home: Path, outputs: tuple[int | None, int | None]
) -> None:
    tell(home, *([call("one", output=output)] for output in outputs))
    assert figures(home) == [(1, 10, 50, None, 0)]


def test_how_a_call_ended_may_be_told_after_all_of_its_output(home: Path) -> None:
    """A log that is read while the agent writes: its last line adds the end, and no token."""
    going = Call(
        source="claude-code", session="s", turn="t", key="k", start_ns=START_NS,
        usage=TokenUsage(input_tokens=10, output_tokens=5), outcome="incomplete",
    )  # fmt: skip
    over = replace(going, outcome="complete", response_id="r")
    found: list[Any] = []
    for one in (going, over, going, over):
        tell(home, [line(one)])
        with asked(home) as connection:
            found += connection.sql("SELECT outcome, calls, output_tokens FROM call_sum").fetchall()
            found += connection.sql("SELECT count(*) FROM span").fetchall()
    over_now = ("complete", 1, 5)
    assert found == [("incomplete", 1, 5), (1,), over_now, (2,), over_now, (2,), over_now, (2,)]


def test_records_say_themselves_whose_they_are(home: Path) -> None:
    tell(home, [TURN, call("one")])
    with asked(home) as connection:
        rows = connection.sql("SELECT DISTINCT service_name, host, pid FROM span").fetchall()
    assert rows == [("claude-code", None, None)]
    assert [row["project"] for row in tasks(home)] == ["claude-code"]


def test_calls_of_two_sessions_with_one_key_are_two(home: Path) -> None:
    tell(home, [call("one"), call("one", session="another")])
    assert [row["calls"] for row in tasks(home)] == [1, 1]


def received(home: Path, records: Iterable[Record]) -> None:
    """Have the same records arrive from elsewhere."""
    tell(home, map(builders.line, records))


def test_what_a_process_recorded_and_sent_as_well_counts_once(home: Path) -> None:
    records = spans(task("week", chat(input=10, output=1), user_turns=2))
    begin(home)
    write(home, records)
    folded(home)
    received(home, records)
    assert figures(home) == [(1, 10, 1, 2, 0)]


def test_what_a_process_recorded_and_sent_in_one_fold_counts_once(home: Path) -> None:
    records = spans(task("week", chat(input=10, output=1), user_turns=2))
    begin(home)
    write(home, records)
    received(home, records)
    assert figures(home) == [(1, 10, 1, 2, 0)]


@pytest.mark.parametrize("is_later", [False, True])
@pytest.mark.parametrize("is_turned", [False, True])
def test_two_sources_that_date_a_turn_and_an_agent_apart_tell_of_one_task(
    home: Path, *, is_later: bool, is_turned: bool
) -> None:
    at_ns = START_NS + 5_000_000
    telemetry = [
        line(Turn(source="claude-code", session="s", turn="t", start_ns=at_ns, prompts=None)),
        line(Agent(source="claude-code", session="s", turn="t", key="a", start_ns=at_ns, name="x")),
    ]
    told = [[TURN, AGENT], telemetry]
    told = told[::-1] if is_turned else told
    tell(home, *(told if is_later else [told[0] + told[1]]))
    assert [(row["branch"], row["user_turns"], row["agents"]) for row in tasks(home)] == [
        ("main", 1, 1)
    ]


def test_what_is_told_with_an_outcome_and_more_output_counts_over_what_has_neither(
    home: Path,
) -> None:
    def told(output: int, outcome: str | None) -> bytes:
        usage = TokenUsage(input_tokens=10, output_tokens=output)
        return line(
            Call(
                source="claude-code", session="s", turn="t", key="one", start_ns=START_NS,
                usage=usage, outcome=outcome, response_id="one",
            )
        )  # fmt: skip

    tell(home, [TURN, told(1, None), told(40, "complete")])
    with asked(home) as connection:
        assert [row["output_tokens"] for row in connection.rows("model_call")] == [40]


def test_a_call_of_which_a_log_knows_neither_tokens_nor_id_is_a_call(home: Path) -> None:
    aborted = Call(source="amp", session="s", turn="t", key="one", start_ns=START_NS)
    tell(home, [line(aborted)])
    with asked(home) as connection:
        assert [row["usage"] for row in connection.rows("model_call")] == ["missing"]
