import stat
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttrace.energy import measured
from agenttrace.energy.measured import Window
from agenttrace.energy.measured.windows import within_itself
from agenttrace.errors import FactorError

S = 1_000_000_000


def window(start_s: float, end_s: float, joules: float = 1.0, **said: object) -> Window:
    return Window(round(start_s * S), round(end_s * S), joules, **said)  # type: ignore[arg-type]


def kept(home: Path) -> list[tuple[float, float, float]]:
    with duckdb.connect() as connection:
        measured.define(connection, home)
        return connection.execute(
            "SELECT start_ns / 1e9, end_ns / 1e9, joules FROM measured_window ORDER BY ALL"
        ).fetchall()


def test_windows_are_kept_for_nobody_else(tmp_path: Path) -> None:
    home = tmp_path / "home"
    added = measured.add(home, [window(0, 1, 5), window(1, 2, 7)])
    assert (added.windows, added.known, added.joules) == (2, 0, 12)
    assert kept(home) == [(0, 1, 5), (1, 2, 7)]
    (file,) = measured.files(home)
    assert file == added.path
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_no_windows_are_no_rows_and_no_folder(tmp_path: Path) -> None:
    assert measured.add(tmp_path / "home", []) == (0, 0, 0, None)
    assert not (tmp_path / "home").exists()
    with duckdb.connect() as connection:
        assert not measured.define(connection, tmp_path / "home")
        assert not measured.define(connection, None)
        assert connection.execute("FROM measured_window").fetchall() == []


def test_every_column_comes_back(tmp_path: Path) -> None:
    one = Window(
        1, 2, 3.5, "server", "gpu0", "host", "vllm", "llama", "web", "modelled in part", "zeus", "x"
    )
    measured.add(tmp_path, [one])
    with duckdb.connect() as connection:
        assert measured.define(connection, tmp_path)
        (row,) = connection.execute(
            "SELECT * EXCLUDE (file, number) FROM measured_window"
        ).fetchall()
    assert Window(*row) == one


def test_every_column_is_described(tmp_path: Path) -> None:
    measured.add(tmp_path, [window(1, 2)])
    with duckdb.connect() as connection:
        measured.define(connection, tmp_path)
        described = connection.execute(
            "SELECT bool_and(comment IS NOT NULL) FROM duckdb_columns() "
            "WHERE table_name = 'measured_window'"
        ).fetchall()
    assert described == [(True,)]


def test_the_same_windows_again_change_nothing(tmp_path: Path) -> None:
    windows = [window(0, 1), window(1, 2)]
    measured.add(tmp_path, windows)
    again = measured.add(tmp_path, [replace(one, source="a copy") for one in reversed(windows)])
    assert again == (0, 2, 0, None)
    assert len(measured.files(tmp_path)) == 1


def test_of_a_later_export_only_what_is_new_is_kept(tmp_path: Path) -> None:
    measured.add(tmp_path, [window(0, 1, 5), window(1, 2, 5)])
    added = measured.add(tmp_path, [window(0.5, 1.5, 9), window(2, 3, 9)])
    assert (added.windows, added.known) == (1, 1)
    assert kept(tmp_path) == [(0, 1, 5), (1, 2, 5), (2, 3, 9)]


BESIDE = {
    "another device": ({"device": "a"}, {"device": "b"}, 2),
    "the same device": ({"device": "a"}, {"device": "a"}, 1),
    "all devices, then one": ({}, {"device": "a"}, 1),
    "one device, then all": ({"device": "a"}, {}, 1),
    "another host": ({"host": "a"}, {"host": "b"}, 2),
    "another boundary": ({"boundary": "server"}, {"boundary": "accelerator"}, 2),
    "another meter": ({"meter": "zeus"}, {"meter": "codecarbon"}, 1),
}


@pytest.mark.parametrize("name", BESIDE)
def test_joules_that_two_sources_tell_of_count_once(tmp_path: Path, name: str) -> None:
    first, second, windows = BESIDE[name]
    measured.add(tmp_path, [window(0, 1, **first)])
    measured.add(tmp_path, [window(0, 1, **second)])
    assert len(kept(tmp_path)) == windows


def test_clocks_that_differ_by_a_hundredth_do_not_overlap(tmp_path: Path) -> None:
    measured.add(tmp_path, [window(0, 1)])
    assert measured.add(tmp_path, [window(0.995, 1.995)]).windows == 1


def test_a_folder_that_cannot_be_written_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "measured").write_text("a file where the folder goes")
    with pytest.raises(FactorError, match=r"measured cannot be written: .*--store or AGENTTRACE_H"):
        measured.add(tmp_path, [window(0, 1)])


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "measured").mkdir()
    (tmp_path / "measured" / "x.parquet").write_bytes(b"PAR1")
    with duckdb.connect() as connection, pytest.raises(FactorError, match=r"x\.parquet holds no"):
        measured.define(connection, tmp_path)
    with pytest.raises(FactorError, match=r"x\.parquet holds no"):
        measured.add(tmp_path, [window(0, 1)])


def test_a_file_of_another_version_may_have_other_columns(tmp_path: Path) -> None:
    measured.add(tmp_path, [window(1, 2)])
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT 0 AS start_ns, 1000000000 AS end_ns, 3.0 AS joules, 'new' AS colour) "
            f"TO '{tmp_path}/measured/other.parquet' (FORMAT parquet)"
        )
    assert kept(tmp_path) == [(0, 1, 3), (1, 2, 1)]


times = st.tuples(st.integers(0, 50), st.integers(1, 20), st.sampled_from(["a", "b", None]))


@given(st.lists(times, max_size=12))
def test_no_two_windows_that_are_left_tell_of_the_same_joules(
    drawn: list[tuple[int, int, str | None]],
) -> None:
    windows = [Window(start, start + length, 1.0, device=name) for start, length, name in drawn]
    left, gone = within_itself(windows)
    assert len(left) + gone == len(windows)
    for place, one in enumerate(left):
        for other in left[place + 1 :]:
            same = one.device == other.device or None in (one.device, other.device)
            assert not same or one.end_ns <= other.start_ns or other.end_ns <= one.start_ns


# Each writes a file and waits until it is on the disk; what overlaps is tested above, in memory.
@settings(deadline=None, max_examples=5)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5)), max_size=8))
def test_to_add_twice_is_to_add_once(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[int, int]]
) -> None:
    home = tmp_path_factory.mktemp("home")
    windows = [window(start, start + length) for start, length in drawn]
    measured.add(home, windows)
    before = kept(home)
    assert measured.add(home, windows).windows == 0
    assert kept(home) == before
