import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from agenttrace.store import compaction, engine, published, rollups, upkeep, verify
from agenttrace.store.lake import Lake
from tests.builders import agent, chat, foreign, frame, spans, task, write
from tests.store.dying import on_day

RECORDS = [
    *spans(task("job", agent("a", chat(input=1, output=1), frame(response_id="r"))), trace=1),
    *on_day(spans(task("job", chat(usage="missing", response_id="r")), trace=2), 1),
]
LAKE = Path("lake") / "spans"


@pytest.fixture(scope="module")
def folded_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("folded") / "home"
    write(home, RECORDS)
    with upkeep.folded(home, []):
        return home


@pytest.fixture
def folded(home: Path, folded_once: Path) -> Path:
    return shutil.copytree(folded_once, home)


def findings(home: Path, *, rollups: bool = False) -> list[str]:
    with engine.connect() as connection, verify.snapshot(connection, home, [], print) as seen:
        found = [str(one) for one in verify.lake_findings(connection, seen)]
        if rollups:
            found += [str(one) for one in verify.rollup_findings(connection, seen)]
    return [one.replace(str(home), "HOME") for one in found]


def change(home: Path, sql: str) -> None:
    with duckdb.connect(str(home / published.NAME)) as connection:
        connection.execute(sql)


def files(home: Path) -> list[Path]:
    return sorted((home / LAKE).rglob("*.parquet"))


def rewrite(path: Path, select: str) -> None:
    """Write a file of the lake anew, as ``select`` makes it from ``old``."""
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE old AS FROM '{path}'")
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")


def relist(home: Path) -> None:
    """Let the store list the files as they are."""
    with upkeep.alone(home), engine.connect() as connection:
        compaction.relist(connection, home)


def test_a_store_as_it_was_folded_has_nothing_wrong(folded: Path) -> None:
    assert findings(folded, rollups=True) == []


def _cut(home: Path) -> None:
    content = files(home)[0].read_bytes()
    files(home)[0].write_bytes(content[:4] + b"\xff" * 1100 + content[1104:])


def _empty(home: Path) -> None:
    rewrite(files(home)[0], "FROM old LIMIT 0")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda home: files(home)[0].unlink(), "is missing. Restore it, or else"),
        (_cut, "cannot be read: "),
        (lambda home: rewrite(files(home)[0], "FROM old LIMIT 1"), "is not as it is listed: 1 s"),
        (_empty, "is not as it is listed: 0 spans of"),
        (lambda home: shutil.copy(files(home)[0], home / LAKE / "1.parquet"), "belongs to no st"),
        (
            lambda home: change(home, "INSERT INTO part FROM part LIMIT 1"),
            "is listed more than once.",
        ),
    ],
    ids=["missing", "cut", "short", "empty", "unlisted", "listed twice"],
)
def test_a_file_that_is_not_as_it_is_listed_is_found(
    folded: Path, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(folded)
    assert any(said in one for one in findings(folded)), findings(folded)


@pytest.mark.parametrize(
    ("select", "said"),
    [
        ("FROM old UNION ALL FROM old", "2025-10-09 has spans more than once: 4 too many."),
        ("SELECT * REPLACE ('x' AS trace_id) FROM old", "has 4 spans whose ids are not 32 and 16"),
        ("SELECT * REPLACE (start_ns + 86400000000000 AS start_ns) FROM old", "has 4 spans of oth"),
    ],
    ids=["repeated", "no ids", "another day"],
)
def test_spans_that_cannot_be_are_found_and_a_rebuild_mends_what_can_be_mended(
    folded: Path, select: str, said: str
) -> None:
    rewrite(files(folded)[0], select)
    relist(folded)
    (found,) = findings(folded)
    assert said in found
    if "whose ids" in said:
        return
    with upkeep.folded(folded, []) as (connection, _):
        compaction.compact(connection, folded, is_rebuilding=True)
    assert findings(folded, rollups=True) == []


def test_a_segment_that_lost_what_was_folded_of_it_is_found(folded: Path) -> None:
    (folded / "spool" / "9-9-9.seg").write_bytes(b"cut")
    change(folded, "INSERT INTO segment (name, byte_offset, finished) VALUES ('9-9-9', 10, FALSE)")
    (found,) = findings(folded)
    assert found.startswith("HOME/spool/9-9-9 holds 3 bytes, of which 10 have been folded: it was")


@pytest.mark.parametrize("name", [*rollups.STORED, *rollups.DERIVED])
def test_rollups_that_are_not_what_the_spans_add_up_to_are_found(folded: Path, name: str) -> None:
    change(folded, f"DELETE FROM {name}")
    found = findings(folded, rollups=True)
    assert any(
        f" rows of {name} are not what the spans in the lake add up to. " in one for one in found
    )


def test_rollups_of_other_definitions_are_not_compared(folded: Path) -> None:
    change(folded, "UPDATE meta SET value = 'other' WHERE key = 'definitions'")
    (found,) = findings(folded, rollups=True)
    assert found.startswith("The roll-ups are rows of other definitions, or of none.")


def test_judging_in_pieces_is_judging_at_once(home: Path) -> None:
    theirs = foreign("theirs", {"gen_ai.operation.name": "chat", "gen_ai.response.id": "r2"})
    for number in range(6):
        call = chat(frame(response_id="r"), usage="missing", response_id=f"r{number % 3}")
        write(home, spans(task(f"t{number}", agent("a", call, theirs)), trace=number + 1))
    with upkeep.folded(home, []), engine.connect() as connection:
        state = published.attach(connection, home)
        work = rollups.Rollups(connection)
        for pieces in (None, 1, 4):
            work.work_out("published", Lake(home, state.parts), pieces)
            assert {name: verify._differing(connection, name, "") for name in rollups.STORED} == (
                dict.fromkeys(rollups.STORED, 0)
            )
