"""What a store that was lost knew of the spool is found out again."""

import fcntl
import os
from pathlib import Path

import duckdb

from agenttrace.record.spool import OPEN_SUFFIX
from agenttrace.store import Store, fold
from tests.builders import chat, loose, put, segment

RECORDS = loose(*(chat(input=number) for number in range(4)))


def counted(home: Path) -> tuple[int, int]:
    with Store.open(home) as store:
        ((spans,),) = store.connection.sql("SELECT count(*) FROM span").fetchall()
        store.define_rollups()
        ((calls,),) = store.connection.sql("SELECT sum(calls) FROM call_sum").fetchall()
    return spans, calls


def test_a_live_segment_does_not_count_again_when_the_store_is_lost(home: Path) -> None:
    path = put(home, "1-1-1" + OPEN_SUFFIX, segment(RECORDS[:2]) + bytes(64))
    writer = os.open(path, os.O_RDWR)
    fcntl.flock(writer, fcntl.LOCK_EX)
    assert counted(home) == (2, 2)
    (home / "store.duckdb").unlink()
    assert counted(home) == (2, 2)
    with path.open("r+b") as file:
        file.write(segment(RECORDS))
    assert counted(home) == (4, 4)
    os.close(writer)
    assert counted(home) == (4, 4)


def test_nor_while_the_fold_that_finds_it_out_is_at_work(home: Path) -> None:
    path = put(home, "1-1-1" + OPEN_SUFFIX, segment(RECORDS[:2]) + bytes(64))
    writer = os.open(path, os.O_RDWR)
    fcntl.flock(writer, fcntl.LOCK_EX)
    assert counted(home) == (2, 2)
    (home / "store.duckdb").unlink()
    with fold.alone(home), duckdb.connect() as connection:
        state = fold._tidy(connection, home, [])
        fold._rolled_up(connection, home, state, lambda _done, _total: None)
        assert counted(home) == (2, 2)
    os.close(writer)
    assert counted(home) == (2, 2)
