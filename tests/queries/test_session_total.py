from pathlib import Path

import pytest

from agenttrace.model import Capture, TokenUsage
from agenttrace.record.spool import Spool
from agenttrace.sources.told import Total, line
from tests.builders import START_NS, asked, begin

MINUTE_NS = 60 * 10**9


def total(
    tokens: int, output: int | None, *, minute: int = 0, model: str | None = "m",
    capture: Capture = "otlp", session: str = "s",
) -> bytes:  # fmt: skip
    usage = TokenUsage(input_tokens=tokens, output_tokens=output)
    return line(
        Total(
            source="codex", session=session, at_ns=START_NS + minute * MINUTE_NS, model=model,
            usage=usage, capture=capture, cost_usd=0.5,
        )
    )  # fmt: skip


def totals(home: Path, *lines: bytes, columns: str = "capture, input_tokens, output_tokens"):
    begin(home)
    spool = Spool(home / "spool", "test", is_retold=True)
    spool.append_all(list(lines))
    spool.close()
    with asked(home) as connection:
        return connection.sql(f"SELECT {columns} FROM session_total ORDER BY ALL").fetchall()


def test_session_total(home: Path) -> None:
    """Of model m the later total counts; that of model n adds to it; the result stands alone."""
    rows = totals(
        home,
        total(100, 10),
        total(300, 30, minute=2),
        total(200, 20, minute=1),
        total(1000, None, model="n"),
        total(7, 1, capture="result"),
        columns="session_id, capture, input_tokens, output_tokens, cost_usd, service_name",
    )
    assert rows == [("s", "otlp", 1300, 30, 1.0, "codex"), ("s", "result", 7, 1, 0.5, "codex")]


def test_a_total_of_all_models_together_is_not_added_to_those_of_each(home: Path) -> None:
    assert totals(home, total(100, 10), total(900, 90, model=None)) == [("otlp", 100, 10)]


def test_a_total_of_all_models_counts_where_none_says_its_model(home: Path) -> None:
    assert totals(home, total(900, 90, model=None)) == [("otlp", 900, 90)]


@pytest.mark.parametrize("ids", [("1" * 16, "2" * 16)])
def test_what_was_used_since_the_last_time_adds_up(home: Path, ids: tuple[str, str]) -> None:
    own = total(100, 10).split(b'"span_id":"')[1][:16]
    points = [total(100, 10).replace(own, one.encode()) for one in ids]
    assert totals(home, *points) == [("otlp", 200, 20)]
