import json
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.cells import cell_len
from rich.console import Console

from agenttrace.cli import commands
from agenttrace.compare.periods import parse
from agenttrace.model import Capture, TokenUsage
from agenttrace.reader import Reader
from agenttrace.record.spool import Spool
from agenttrace.report.figures import DASH
from agenttrace.report.json import to_json
from agenttrace.report.reconcile import Kinds, Own, ReconcileReport, Said, reconcile_report
from agenttrace.report.selection import Selection
from agenttrace.report.text import to_text
from agenttrace.sources.told import Call, Total, Turn, line
from tests.builders import START_NS, chat, spans, write

PLACE: dict[str, Any] = {"source": "claude-code", "model": "claude-opus-4-5"}


def turn(session: str = "s") -> bytes:
    return line(Turn(source="claude-code", session=session, turn="t", start_ns=START_NS))


def call(
    key: str, capture: Capture, tokens: int, output: int, *, session: str = "s", role: Any = "main"
) -> bytes:
    usage = TokenUsage(input_tokens=tokens, output_tokens=output)
    return line(
        Call(
            session=session, turn="t", key=f"{capture} {key}", start_ns=START_NS, request_id=key,
            usage=usage, capture=capture, role=role, **PLACE,
        )
    )  # fmt: skip


def total(capture: Capture, tokens: int, output: int, *, session: str = "s") -> bytes:
    usage = TokenUsage(input_tokens=tokens, output_tokens=output)
    return line(Total(session=session, at_ns=START_NS, usage=usage, capture=capture, **PLACE))


def told(home: Path, lines: Iterable[bytes]) -> Path:
    spool = Spool(home / "spool", "test", is_retold=True)
    spool.append_all(list(lines))
    spool.close()
    return home


def reported(home: Path, *lines: bytes, **asked: Any) -> ReconcileReport:
    with Reader(told(home, lines)) as reader:
        return reconcile_report(reader, **asked)


def text(report: ReconcileReport) -> str:
    return to_text(report, Console(file=StringIO(), width=80, highlight=False))


def said(calls: int, tokens: int, output: int) -> Said:
    return Said(calls, Kinds(input=tokens, output=output))


# Of two calls the log has one, telemetry both; the agent says that it used ten tokens more.
WHOLE = (
    turn(),
    call("q1", "log", 100, 10),
    call("q1", "otlp", 100, 10),
    call("q2", "otlp", 7, 3, role="title"),
    total("result", 117, 13),
    total("otlp", 1, 1),
)


def test_each_source_says_its_own_and_what_is_counted_is_not_twice(home: Path):
    (one,) = reported(home, *WHOLE).lines
    assert (one.log, one.telemetry, one.meter) == (said(1, 100, 10), said(2, 107, 13), None)
    assert one.counted == said(2, 107, 13)
    assert one.own == Own("result", Kinds(input=117, output=13), None)
    assert one.unexplained == Kinds(input=10, output=0)
    assert [(role.role, role.calls, role.hidden_calls) for role in one.roles] == [
        ("main", 1, 0),
        ("title", 1, 1),
    ]
    assert one.differs


@pytest.mark.parametrize(
    ("tellers", "believed"),
    [(("log", "otlp", "result"), "result"), (("log", "otlp"), "otlp"), (("log",), "log")],
    ids=str,
)
def test_of_totals_the_result_goes_before_the_metrics_and_those_before_the_log(
    home: Path, tellers: tuple[Capture, ...], believed: str
):
    lines = [total(one, 100, 10) for one in tellers]
    (one,) = reported(home, call("q1", "log", 100, 10), *lines).lines
    assert one.own is not None
    assert one.own.teller == believed
    assert not one.differs


def test_a_total_without_any_call_is_unexplained(home: Path):
    (one,) = reported(home, total("result", 50, 5), session="s").lines
    assert (one.counted, one.unexplained) == (Said(0, Kinds()), Kinds(input=50, output=5))


def test_sessions_that_differ_come_first_and_of_them_what_is_explained_least(home: Path):
    lines = [
        one
        for session, more in (("same", 0), ("little", 5), ("much", -500))
        for one in (
            call(session, "log", 1000, 10, session=session),
            total("result", 1000 + more, 10, session=session),
        )
    ]
    report = reported(home, *lines, call("x", "log", 1, 1, session="once"), limit=2)
    assert [one.session_id for one in report.lines] == ["much", "little"]
    assert (report.sessions, report.differing, report.told_once) == (3, 2, 1)
    assert "3 sessions, 2 of them with differences; 1 more with --limit" in text(report)


def test_one_session_is_shown_though_only_one_source_tells_of_it(home: Path):
    lines = (call("q", "log", 1, 1), call("q", "log", 1, 1, session="other"))
    report = reported(home, *lines, session="s")
    assert [one.session_id for one in report.lines] == ["s"]
    assert "1 session, no differences" in text(report)


def test_the_sessions_of_the_chosen_tasks_are_shown_whole(home: Path):
    hit = reported(home, *WHOLE, selection=Selection(period=parse("2025-10-09")))
    with Reader(home) as reader:
        missed = reconcile_report(reader, Selection(period=parse("2020")))
    assert (hit.sessions, missed.sessions) == (1, 0)


def test_where_nothing_can_be_held_against_anything_that_is_said(home: Path):
    write(home, spans(chat(input=1, output=1)))
    report = reported(home, call("q", "log", 1, 1))
    assert "Nothing to reconcile" in text(report)
    assert "(1 session told of once)" in text(report)


def test_an_empty_store_has_nothing_to_reconcile(home: Path):
    home.mkdir(exist_ok=True)
    done = CliRunner(env={"AGENTTRACE_HOME": str(home)}).invoke(commands, ["report", "reconcile"])
    assert done.exit_code == 0, done.output
    assert "Nothing to reconcile" in done.output


def test_it_fits_eighty_columns(home: Path):
    most = 99_999_999
    lines = (
        call("q", "log", most, most, session="0f8fad5b-d9cb-469f-a165-70867728950e"),
        total("result", most, most, session="0f8fad5b-d9cb-469f-a165-70867728950e"),
    )
    shown = text(reported(home, *lines))
    assert "99,999,999" in shown
    assert max(map(cell_len, shown.splitlines())) <= 80


def test_the_text_names_who_says_what(home: Path):
    shown = [row.split() for row in text(reported(home, *WHOLE)).splitlines()]
    assert ["log", "1", "100", "?", "?", "10"] in shown
    assert ["telemetry", "2", "107", "?", "?", "13"] in shown
    assert ["its", "result", DASH, "117", "?", "?", "13"] in shown
    assert ["counted", "2", "107", "?", "?", "13"] in shown
    assert ["unexplained", DASH, "10", "?", "?", "0"] in shown


def test_as_json_it_has_every_kind_and_nothing_that_is_not_known_is_zero(home: Path):
    (one,) = json.loads(to_json(reported(home, *WHOLE)))["lines"]
    assert one["unexplained"] == {
        "input": 10,
        "cache_read": None,
        "cache_write": None,
        "output": 0,
        "reasoning": None,
    }


def test_what_is_more_is_what_one_says_less_the_other():
    assert Kinds(input=5, output=1).beyond(Kinds(input=7, cache_read=1)) == Kinds(
        input=-2, output=1
    )


def test_a_session_is_asked_for_by_a_beginning_that_no_other_has(home: Path):
    lines = (call("q", "log", 1, 1, session="abc"), call("q", "log", 1, 1, session="xyz"))
    assert [one.session_id for one in reported(home, *lines, session="ab").lines] == ["abc"]


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        (
            "q",
            "no session begins with 'q'. `agenttrace report --task session` lists the largest.",
        ),
        ("ab", "2 sessions begin with 'ab': ab1, ab2. Give more of the id."),
        (
            "",
            "say the id of a session, or its beginning. "
            "`agenttrace report --task session` lists the largest.",
        ),
    ],
)
def test_a_session_that_is_none_or_several_is_refused_by_name(home: Path, asked: str, refusal: str):
    told(home, [call("q", "log", 1, 1, session=name) for name in ("ab1", "ab2")])
    words = ["report", "reconcile", "--session", asked]
    done = CliRunner().invoke(commands, words, env={"AGENTTRACE_HOME": str(home)})
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", f"Error: {refusal}\n")
