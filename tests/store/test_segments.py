import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agenttrace.record.spool import Spool
from agenttrace.store import Store, segments
from tests.builders import Record, chat, header, line, loose, opened, put, segment, spans, write

FIRST, LAST = loose(chat(input=1), chat(input=2))


def inputs(store: Store) -> list[int]:
    rows = store.connection.sql("SELECT input_tokens FROM span ORDER BY input_tokens").fetchall()
    return [row[0] for row in rows]


def refused(store: Store) -> list[tuple[str, int, int, str]]:
    return store.connection.sql(
        "SELECT segment, byte_offset, bytes, reason FROM quarantine ORDER BY ALL"
    ).fetchall()


def test_a_finished_segment_cut_anywhere_in_its_last_record_keeps_the_others(home: Path) -> None:
    begin, end = len(segment([FIRST])), len(segment([FIRST, LAST]))
    whole, cut_short = [], []
    for cut in range(begin, end + 1):
        first, last = loose(chat(input=1), chat(input=2), trace=cut)
        put(home, f"{cut}-1-1", segment([first, last])[:cut])
        whole += [1, 2] if cut >= end - 1 else [1]
        if begin < cut < end - 1:
            cut_short.append((f"{cut}-1-1", begin, cut - begin, "not JSON"))
    with Store.open(home) as store:
        assert inputs(store) == sorted(whole)
        assert refused(store) == sorted(cut_short)


def test_a_record_torn_anywhere_by_the_death_of_its_writer_is_refused_and_the_others_kept(
    home: Path,
) -> None:
    """The first byte of a record is stored last."""
    begin, length = len(segment([FIRST])), len(line(LAST))
    for torn in range(1, length):
        first, last = loose(chat(input=1), chat(input=2), trace=1000 + torn)
        content = segment([first]) + b"\0" + line(last)[1 : torn + 1] + bytes(2 * length - torn)
        put(home, f"{torn}-1-1.open", content)
    with Store.open(home) as store:
        assert inputs(store) == [1] * (length - 1)
        assert [offset for _, offset, _, _ in refused(store)] == [begin] * (length - 1)
    assert list((home / "spool").iterdir()) == []


def test_a_record_behind_a_hole_is_kept_once_its_writer_is_gone(home: Path) -> None:
    put(home, "1-1-1.open", header() + bytes(300) + line(LAST) + bytes(4096))
    with Store.open(home) as store:
        assert (inputs(store), refused(store)) == ([2], [])


def test_a_live_segment_is_read_to_its_first_uncommitted_record(home: Path) -> None:
    path = put(home, "1-1-1.open", segment([FIRST]) + b"\0" + line(LAST)[1:] + bytes(4096))
    with path.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with Store.open(home) as store:
            assert (inputs(store), refused(store)) == ([1], [])
        file.seek(len(segment([FIRST])))
        file.write(b"{")
        file.flush()
        with Store.open(home) as store:
            assert (inputs(store), refused(store)) == ([1, 2], [])
        assert path.exists()


def test_a_live_segment_with_nothing_whole_in_it_waits(home: Path) -> None:
    path = put(home, "1-1-1.open", header() + line(LAST)[:100])
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with Store.open(home) as store:
            assert (inputs(store), refused(store)) == ([], [])
        assert path.exists()


def test_a_writer_that_goes_on_is_read_further_each_time(home: Path) -> None:
    spool = Spool(home / "spool", "test")
    records = loose(*(chat(input=number) for number in range(5)))
    for number, record in enumerate(records):
        spool.append(line(record))
        with Store.open(home) as store:
            assert inputs(store) == list(range(number + 1))
    spool.close()
    with Store.open(home) as store:
        assert inputs(store) == list(range(5))
    assert list((home / "spool").iterdir()) == []


def test_a_writer_killed_with_sigkill_loses_nothing_it_has_appended(home: Path) -> None:
    script = (
        "import os, sys\nfrom pathlib import Path\n"
        "from agenttrace.record.spool import Spool\n"
        "spool = Spool(Path(sys.argv[1]), 'killed')\n"
        "for line in sys.stdin.buffer.readlines(): spool.append(line)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    given = b"".join(map(line, [FIRST, LAST]))
    ended = subprocess.run([sys.executable, "-c", script, home / "spool"], input=given, check=False)
    assert ended.returncode == -9
    with Store.open(home) as store:
        assert (inputs(store), refused(store)) == ([1, 2], [])
        assert store.connection.sql("SELECT DISTINCT service_name FROM span").fetchall() == [
            ("killed",)
        ]
    assert list((home / "spool").iterdir()) == []


BAD = [
    (b"{not json", "not JSON"),
    (b"{\xff\xfe}", "not JSON"),
    (b'{"a":1}', "no trace id"),
    (line({**LAST, "trace_id": None}).strip(), "no trace id"),
    (line({**LAST, "trace_id": "0" * 32}).strip(), "no trace id"),
    (line({**LAST, "trace_id": 7}).strip(), "no trace id"),
    (line({key: LAST[key] for key in LAST if key != "span_id"}).strip(), "no span id"),
    (line({**LAST, "span_id": ["x"]}).strip(), "no span id"),
    (line({**LAST, "start_ns": "early"}).strip(), "no start"),
    (line({**LAST, "start_ns": -1}).strip(), "no start"),
    (line({**LAST, "start_ns": 2**64}).strip(), "no start"),
    (line({**LAST, "attributes": None}).strip(), "no attributes"),
    (b'{"a":' * 3000, "not JSON"),
]


def test_bad_records_are_refused_where_they_are_and_everything_else_is_kept(home: Path) -> None:
    content, expected = segment([FIRST]), []
    for number, (bad, reason) in enumerate(BAD):
        good: Record = {**FIRST, "span_id": f"{number + 1:016x}"}
        expected.append(("1-1-1", len(content), len(bad), reason))
        content += bad + b"\n" + line(good)
    put(home, "1-1-1", content)
    with Store.open(home) as store:
        assert len(inputs(store)) == len(BAD) + 1
        assert refused(store) == expected
        assert store.warnings == [
            f"{len(BAD)} records could not be read, whole or in part. The table quarantine says "
            f"why, and {home / 'quarantine'} keeps them."
        ]
    # What is not UTF-8 is kept as question marks.
    kept = [bad if bad.isascii() else b"?" * len(bad) for bad, _ in BAD]
    (path,) = (home / "quarantine").iterdir()
    assert path.read_bytes().splitlines() == kept


@pytest.mark.parametrize("content", [b"", bytes(4096)], ids=["zero-length", "zeros"])
def test_an_empty_segment_is_said_and_removed(home: Path, content: bytes) -> None:
    path = put(home, "1-1-1", content)
    with Store.open(home) as store:
        assert refused(store) == [("1-1-1", 0, len(content), "empty segment")]
    assert not path.exists()


def test_garbage_is_refused_line_by_line(home: Path) -> None:
    put(home, "1-1-1", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\nend")
    with Store.open(home) as store:
        assert refused(store) == [
            ("1-1-1", 0, 5, "not JSON"),
            ("1-1-1", 6, 1, "not JSON"),
            ("1-1-1", 8, 8, "not JSON"),
            ("1-1-1", 17, 3, "not JSON"),
        ]
        assert store.rows == 0


def test_a_segment_without_its_header_gives_its_records(home: Path) -> None:
    put(home, "1-1-1", line(FIRST) + line(LAST))
    with Store.open(home) as store:
        assert inputs(store) == [1, 2]
        assert store.connection.sql("SELECT DISTINCT host FROM span").fetchall() == [(None,)]


def test_a_segment_of_a_newer_format_is_left_alone_and_said(home: Path) -> None:
    path = put(home, "1-1-1", segment([FIRST], agenttrace_spool=2))
    put(home, "2-1-1", segment([LAST]))
    with Store.open(home) as store:
        assert inputs(store) == [2]
        assert store.warnings == [
            f"{path} is left alone: a newer agenttrace wrote it (spool format 2; this one reads "
            "1). Upgrade agenttrace."
        ]
    assert path.exists()


def test_things_in_the_spool_that_are_no_files_are_left_alone_and_said(home: Path) -> None:
    write(home, [FIRST])
    (home / "spool" / "folder.seg").mkdir()
    os.mkfifo(home / "spool" / "pipe.seg")
    (home / "spool" / "loop.seg").symlink_to("loop.seg")
    (home / "spool" / "notes.txt").write_text("mine")
    with Store.open(home) as store:
        assert inputs(store) == [1]
        assert [warning.rpartition(": ")[2] for warning in store.warnings] == [
            "it is no file",
            "Too many levels of symbolic links",
            "it is no file",
        ]


def test_a_segment_that_vanishes_while_it_is_looked_for_is_not_missed_but_left_out(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home, [FIRST])
    put(home, "0-1-1", segment([LAST]))
    from agenttrace.store import segments

    real = segments.find

    def find_and_lose(spool: Path) -> list[Path]:
        found = real(spool)
        (spool / "0-1-1.seg").unlink(missing_ok=True)
        return found

    monkeypatch.setattr(segments, "find", find_and_lose)
    with Store.open(home) as store:
        assert (inputs(store), store.warnings) == ([1], [])


def test_a_segment_that_its_writer_finishes_while_it_is_looked_for_is_read(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agenttrace.store import segments

    path = put(home, "1-1-1.open", segment([FIRST]))
    real = segments.find

    def find_and_finish(spool: Path) -> list[Path]:
        if path.exists():
            path.rename(path.with_suffix(".seg"))
        # The folder may be listed with both names.
        return [path, *real(spool)]

    monkeypatch.setattr(segments, "find", find_and_finish)
    with Store.open(home) as store:
        assert inputs(store) == [1]


def test_a_writer_that_died_before_it_began_leaves_nothing(home: Path) -> None:
    write(home, [FIRST])
    path = put(home, "1-1-1.new", bytes(4096))
    os.utime(path, (0, 0))
    fresh = put(home, "2-1-1.new", bytes(4096))
    with Store.open(home):
        assert [path.exists(), fresh.exists()] == [False, True]


def test_lost_records_are_counted_and_said(home: Path) -> None:
    (home / "spool").mkdir(parents=True)
    (home / "spool" / "lost").write_text(
        '{"at_ns": 1760000000000000000, "pid": 7, "records": 3}\n'
        'torn {"records": 5}\n{"records": -1}\n[]\n{"records": 4}\n'
    )
    with opened(home, spans(chat())) as store:
        found = store.connection.sql("SELECT lost_at::VARCHAR, pid, records FROM lost").fetchall()
        assert found == [("2025-10-09 08:53:20", 7, 3), (None, None, 4)]
        assert store.warnings == ["7 records were lost; the table lost says why."]


def test_losses_are_read_with_their_reason_and_those_of_an_older_version_without(
    tmp_path: Path,
) -> None:
    (tmp_path / "lost").write_text(
        '{"at_ns":7,"pid":8,"records":9,"reason":"disk full"}\n{"at_ns":7,"pid":8,"records":1}\n'
    )
    assert segments.lost_records(tmp_path) == [
        segments.Lost(7, 8, 9, "disk full"),
        segments.Lost(7, 8, 1, None),
    ]
