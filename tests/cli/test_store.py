import json
import shutil
import stat
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from agenttrace.cli import commands
from agenttrace.store import fold, published, upkeep
from tests.builders import chat, header, line, put, segment, spans, task, write

COMMANDS = (
    ("fold",),
    ("verify", "--rollups"),
    ("compact",),
    ("prune", "--older-than", "1d"),
    ("export", "out.parquet"),
    ("migrate",),
)


def store(*words: str) -> Result:
    return CliRunner().invoke(commands, ["store", *words])


@pytest.fixture
def recorded(home: Path) -> Path:
    write(home, spans(task("greet", chat(input=10, output=5))))
    return home


@pytest.fixture(scope="module")
def folded_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("folded") / "home"
    write(home, spans(task("greet", chat(input=10, output=5))))
    with upkeep.folded(home, []):
        return home


@pytest.fixture
def folded(home: Path, folded_once: Path) -> Path:
    return shutil.copytree(folded_once, home)


def told() -> dict[str, str]:
    lines = store("info").stdout.splitlines()
    return {line[:12].strip(): line[13:] for line in lines}


def test_info_says_where_and_how_much(folded: Path):
    found = told()
    assert found["folder"] == f"{folded} (from AGENTTRACE_HOME)"
    assert found["spool"].startswith("0 files, 0 bytes (no limit)")
    assert found["lake"].startswith("1 file, ")
    assert found["spans"].startswith("2, ")
    assert found["first"] == "2025-10-09 08:53:21 UTC"
    assert found["last"] == "2025-10-09 08:53:22 UTC (1 day)"
    assert found["roll-ups"] == "as the queries are now"
    assert (found["interrupted"], found["quarantined"], found["lost"]) == (
        "0 calls",
        "0 records",
        "0 records",
    )


def test_info_folds_nothing(recorded: Path):
    assert "not folded" in told()["spool"]
    assert [path.name for path in recorded.iterdir()] == ["spool"]


def test_info_counts_what_is_refused_and_lost_by_reason(recorded: Path):
    put(recorded, "9-9-9", header() + b"torn\n")
    lost = [{"records": 3, "reason": "disk full"}, {"records": 2}]
    (recorded / "spool" / "lost").write_bytes(b"".join(map(line, lost)))
    store("fold")
    assert told()["quarantined"] == "1 record: 1 not JSON"
    assert told()["lost"] == "5 records: 3 disk full, 2 unknown"


def test_info_counts_calls_in_flight(recorded: Path):
    table = header(slot_bytes=1024).ljust(1024, b"\0")
    table += line({"span_id": "1"}).ljust(1024, b"\0") + bytes(1024)
    (recorded / "spool" / "1_1_1.flight").write_bytes(table)
    assert told()["in flight"] == "1"


def test_info_for_programs_has_the_same_facts(folded: Path):
    found = json.loads(store("info", "--format", "json").stdout)
    assert (found["folder"], found["lake"]["spans"]) == (str(folded), 2)
    assert (found["store"]["schema"], found["store"]["is_up_to_date"]) == (published.newest(), True)
    assert found["spool"]["durability"] == "process"


def test_info_on_nothing_is_nothing(tmp_path: Path):
    nowhere = tmp_path / "nowhere"
    result = CliRunner().invoke(commands, ["--store", str(nowhere), "store", "info"])
    assert f"folder       {nowhere} (from argument)" in result.stdout.splitlines()
    assert "spans        0" in result.stdout.splitlines()
    assert not nowhere.exists()


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_nothing_recorded_is_said_and_nothing_is_made(home: Path, words: tuple[str, ...]):
    home.mkdir()
    done = store(*words)
    assert (done.exit_code, done.output) == (0, f"Nothing is recorded in {home} yet.\n")
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("words", [*COMMANDS, ("info",)], ids=lambda words: words[0])
def test_a_store_of_a_newer_version_is_refused_in_one_line(folded: Path, words: tuple[str, ...]):
    with duckdb.connect(str(folded / published.NAME)) as connection:
        connection.execute("UPDATE meta SET value = '999' WHERE key = 'schema_version'")
    done = store(*words)
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1), done.output
    assert "(schema 999); this is" in done.stderr


def test_fold_says_how_many_spans_it_brings_into_the_lake(recorded: Path):
    assert store("fold").output == "2 spans folded. Everything new is in the lake.\n"
    assert not list((recorded / "spool").glob("*.seg"))
    assert len(list((recorded / "lake" / "spans").rglob("*.parquet"))) == 1
    assert store("fold").output == "0 spans folded. Everything new is in the lake.\n"


def test_fold_says_how_many_records_were_refused_and_where_they_are(recorded: Path):
    put(recorded, "9-9-9", header() + b"torn\n" * 2)
    done, refused = store("fold").stdout.splitlines()
    assert done.startswith("2 spans folded.")
    assert refused == (
        "2 records could not be read, whole or in part: `agenttrace query quarantine` says why, "
        f"and {recorded / 'quarantine'} keeps them."
    )


@pytest.mark.parametrize(
    "words", [("verify",), ("export", "out.parquet")], ids=["verify", "export"]
)
def test_what_reads_a_folder_that_is_not_there_fails(tmp_path: Path, words: tuple[str, ...]):
    nowhere = tmp_path / "nowhere"
    done = CliRunner().invoke(commands, ["--store", str(nowhere), "store", *words])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: there is no folder {nowhere}.")


def test_a_broken_file_is_named_with_one_way_out_that_works(folded: Path):
    (part,) = (folded / "lake" / "spans").rglob("*.parquet")
    part.write_bytes(part.read_bytes()[:100])
    way_out = (
        ". Restore the file; or move it away, and then `agenttrace store compact --rebuild` "
        "goes on with the files as they are.\n"
    )
    task_report = CliRunner().invoke(commands, ["report", "task", "greet"])
    for done in (task_report, store("compact", "--rebuild"), store("verify")):
        assert done.exit_code == 1
        assert (str(part) in done.output, way_out in done.output) == (True, True), done.output
    part.unlink()
    assert store("compact", "--rebuild").exit_code == 0
    assert store("verify", "--rollups").exit_code == 0


def test_a_rebuild_goes_on_where_the_fold_would_take_in_a_file_that_is_gone(folded: Path):
    (part,) = (folded / "lake" / "spans").rglob("*.parquet")
    part.unlink()
    put(folded, "9-9-9", segment(spans(task("x", chat(input=1, output=1)), trace=9)))
    done = store("compact", "--rebuild")
    assert (done.exit_code, "is gone, and is listed no more" in done.stderr) == (0, True)
    assert store("verify", "--rollups").exit_code == 0
    assert told()["spans"].startswith("2, ")


def test_while_another_process_folds_a_fold_leaves_it_to_that(recorded: Path):
    with fold.alone(recorded):
        done = store("fold")
    assert done.exit_code == 0
    assert done.output.startswith("Another process is folding; ")
    assert done.output.endswith(" of the spool are left to it.\n")


@pytest.mark.parametrize("words", [("compact",), ("prune", "--older-than", "1d"), ("migrate",)])
def test_while_another_process_folds_others_wait_and_say_so(
    folded: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
):
    # The waiting time is bound where the functions are made.
    monkeypatch.setattr(upkeep.alone.__wrapped__, "__defaults__", (lambda _: None, 0.1))
    monkeypatch.setitem(upkeep.folded.__wrapped__.__kwdefaults__, "wait_seconds", 0.1)
    with fold.alone(folded):
        done = store(*words)
    assert done.exit_code == 1
    assert done.stderr == (
        "Waiting for another process that is folding ...\n"
        f"Error: another process has been at work on {folded} for 0 seconds. "
        "Try again when it is done.\n"
    )


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_a_folder_that_cannot_be_written_is_one_line(
    folded: Path, words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (folded / fold.LOCK_NAME).unlink()
    (folded / fold.LOCK_NAME).mkdir()
    done = store(*words)
    if words[0] in ("verify", "export"):  # they need not write there
        assert done.exit_code == 0
    else:
        assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
        assert str(folded) in done.stderr


def test_verify_says_what_is_wrong_with_the_way_out_and_exit_code_1(folded: Path):
    assert store("verify", "--rollups").output.splitlines() == [
        "1 file with 2 spans: each can be read to the last value, and each span is there once.",
        "The roll-ups are what the spans add up to.",
    ]
    (part,) = (folded / "lake" / "spans").rglob("*.parquet")
    part.unlink()
    done = store("verify")
    assert (done.exit_code, done.stdout) == (
        1,
        f"{part} is missing. Restore it, or else `agenttrace store compact --rebuild` goes on with "
        "the files as they are.\n",
    )
    assert store("compact", "--rebuild").exit_code == 0
    assert store("verify", "--rollups").exit_code == 0


def test_compact_says_what_became_smaller(folded: Path):
    first, second = store("compact").stdout.splitlines()
    assert first == "1 file of spans became 1."
    assert second.startswith("store.duckdb had ")


def test_prune_removes_what_is_older_and_a_dry_run_nothing(folded: Path):
    said = "2 spans of 1 day before 2025-10-10 and 1 row of sums"
    words = ("prune", "--older-than", "2025-10-10")
    assert store(*words, "--dry-run").stdout.startswith(f"{said} would be removed: ")
    assert told()["spans"].startswith("2, ")
    assert store(*words).stdout.startswith(f"{said} are removed: ")
    assert (told()["spans"], told()["pruned"]) == ("0", "spans before 2025-10-10")
    assert store(*words).stdout == "There is nothing from before 2025-10-10 (UTC).\n"


def test_prune_asks_on_a_terminal(folded: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("agenttrace.cli.store._is_terminal", lambda: True)
    words = ["store", "prune", "--older-than", "1d"]
    done = CliRunner().invoke(commands, words, input="n\n")
    assert "cannot be had back" in done.stdout
    assert (done.exit_code, told()["spans"][:2]) == (1, "2,")
    assert CliRunner().invoke(commands, [*words, "--yes"]).exit_code == 0
    assert told()["spans"] == "0"


@pytest.mark.parametrize(
    "words", [("prune", "--older-than", "soon"), ("prune", "--older-than", "3")]
)
def test_an_age_that_is_none_is_one_line_and_exit_code_2(home: Path, words: tuple[str, ...]):
    done = store(*words)
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
    assert "say it as 90d, 12h, 4w, or as a day" in done.stderr


def test_an_age_that_is_too_long_ago_is_said_so(folded: Path):
    done = store("prune", "--older-than", "99999999d")
    assert (done.exit_code, "too long ago" in done.stderr) == (2, True)


def test_the_task_of_pruned_spans_is_shown_by_its_sums(folded: Path):
    store("prune", "--older-than", "2025-10-10", "--keep-rollups")
    done = CliRunner().invoke(commands, ["report", "task", "greet"])
    assert done.exit_code == 0
    assert "Its spans from before 2025-10-10 (UTC) were pruned. 2 spans, of which" in done.stdout
    assert "--full" not in done.stdout
    assert "(no agent)" in done.stdout


def test_merge_takes_in_other_stores(folded: Path, tmp_path: Path):
    put(tmp_path / "other", "1-1-1", segment(spans(task("x", chat(input=1, output=1)), trace=9)))
    other = str(tmp_path / "other")
    assert store("merge", other).stdout == f"{other}: 2 spans taken in, 0 were here.\n"
    assert store("merge", other).stdout == f"{other}: 0 spans taken in, 2 were here.\n"
    done = store("merge", str(tmp_path / "nowhere"))
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)


def test_merge_makes_a_store_where_there_is_none(home: Path, tmp_path: Path):
    put(tmp_path / "other", "1-1-1", segment(spans(task("x", chat(input=1, output=1)))))
    assert store("merge", str(tmp_path / "other")).exit_code == 0
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert told()["spans"].startswith("2, ")


def test_export_writes_calls_or_spans(folded: Path, tmp_path: Path):
    calls, everything = tmp_path / "calls", tmp_path / "spans.parquet"
    assert store("export", str(calls), "--partition", "date").stdout.startswith(
        "1 model call in 1 file, "
    )
    assert store("export", str(everything), "--spans").stdout.startswith("2 spans in 1 file, ")
    done = store("export", str(calls), "--partition", "date")
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)


def test_migrate_says_that_all_is_well(folded: Path):
    assert store("migrate").stdout == (
        f"The store has schema {published.newest()}, the newest, and is up to date.\n"
    )


def test_everything_that_is_written_is_private(folded: Path, tmp_path: Path):
    put(folded, "9-9-9", header() + b"torn\n")
    put(tmp_path / "other", "1-1-1", segment(spans(task("x", chat(input=1, output=1)), trace=9)))
    for words in (("merge", str(tmp_path / "other")), ("compact", "--rebuild"), ("migrate",)):
        assert store(*words).exit_code == 0
    modes = {
        (path.is_dir(), oct(stat.S_IMODE(path.stat().st_mode)))
        for path in folded.rglob("*")
        if path.suffix != ".seg"
    }
    assert modes == {(True, "0o700"), (False, "0o600")}
