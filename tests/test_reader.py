from pathlib import Path

import duckdb
import pytest

import agenttrace
from agenttrace.errors import ConfigError, QueryError, SchemaVersionError
from agenttrace.reader import Reader
from tests.builders import chat, spans, task, write


@pytest.fixture
def recorded(home: Path) -> Path:
    write(home, spans(task("ask", chat(input=100, output=20), chat(input=7, output=3))))
    return home


def test_read_opens_the_folder_of_the_environment(recorded: Path):
    with agenttrace.read() as reader:
        assert reader.home == recorded
        assert reader.query("task_tokens")[0]["input_tokens"] == 107


def test_a_query_is_asked_by_its_name(recorded: Path):
    with Reader(recorded) as reader:
        (row,) = reader.query(" task_tokens ")
    assert (row["task_id"], row["calls"], row["input_tokens"], row["output_tokens"]) == (
        "ask",
        2,
        107,
        23,
    )


def test_sql_may_join_queries_tables_and_parameters(recorded: Path):
    with Reader(recorded) as reader:
        sql = """
            SELECT model_call.output_tokens, span.pid > 0 AS has_pid, $least AS least
            FROM model_call JOIN span USING (span_id)
            WHERE model_call.input_tokens > $least
        """
        assert reader.query(sql, {"least": 50}) == [
            {"output_tokens": 20, "has_pid": True, "least": 50}
        ]
        assert reader.query("SELECT ?::INTEGER + 1 AS next", [41]) == [{"next": 42}]


def test_a_table_is_asked_by_its_name_as_well(recorded: Path):
    with Reader(recorded) as reader:
        assert [row["kind"] for row in reader.query("span")].count("inference") == 2
        assert {row["id"] for row in reader.query("persona")} >= {"average", "heavy"}


@pytest.mark.parametrize("sql", ["", "-- only a comment", "SET threads = 1"])
def test_sql_that_yields_nothing_yields_no_rows(home: Path, sql: str):
    with Reader(home) as reader:
        assert reader.query(sql) == []


def test_a_misspelt_name_is_answered_with_names_like_it(home: Path):
    with Reader(home) as reader, pytest.raises(QueryError) as caught:
        reader.query("task_energies")
    assert str(caught.value).startswith("there is no query named task_energies. Did you mean task_")
    assert str(caught.value).endswith("`agenttrace query --list` names them all.")


def test_sql_that_does_not_run_says_why_in_one_line(home: Path):
    with Reader(home) as reader, pytest.raises(QueryError) as caught:
        reader.query("SELECT nothing FROM span")
    assert "nothing" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_in_the_folder_of_the_store_replaces_a_query_and_what_reads_it(recorded: Path):
    own = recorded / "queries"
    own.mkdir()
    packaged = Reader(recorded)
    text = packaged.queries["task_tokens"].sql
    packaged.close()
    (own / "task_tokens.sql").write_text(text + "HAVING sum(call_rollup.input_tokens) > 1000\n")
    (own / "mine.sql").write_text(
        "-- One row: the number of tasks.\nSELECT count(*) AS n FROM task_tokens\n"
    )
    with Reader(recorded) as reader:
        assert reader.query("task_tokens") == []
        assert reader.query("mine") == [{"n": 0}]
        assert reader.queries["task_tokens"].path == own / "task_tokens.sql"


@pytest.mark.parametrize("files", [["__init__.py", "brought.sql"], ["brought.sql"]])
def test_an_installed_package_brings_queries_by_its_entry_point(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[str]
):
    install(tmp_path, "brought_queries")
    package = tmp_path / "brought_queries"
    package.mkdir()
    for file in files:
        (package / file).touch()
    (package / "brought.sql").write_text("-- One row: one.\nSELECT 1 AS one\n")
    monkeypatch.syspath_prepend(tmp_path)
    with Reader(home) as reader:
        assert reader.query("brought") == [{"one": 1}]
        assert reader.queries["brought"].path.parent == package


@pytest.mark.parametrize("module", ["gone_queries", "gone.queries", "json.decoder"])
def test_an_entry_point_that_leads_to_no_package_is_named(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
):
    install(tmp_path, module)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(QueryError, match=f"the queries of 'extra' cannot be found: .*{module}"):
        Reader(home)


def install(site: Path, module: str) -> None:
    info = site / "extra-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: extra\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[agenttrace.queries]\nextra = {module}\n")


def test_the_catalogue_says_what_a_row_is_and_where_a_query_is_from(home: Path):
    with Reader(home) as reader:
        catalogue = reader.catalogue()
        assert catalogue.columns == ("name", "rows", "file")
        rows = {name: (doc, Path(file)) for name, doc, file in catalogue.rows}
        assert list(rows) == sorted(reader.queries)
        assert rows["totals"][0] == "One row: everything together"
        assert all(file.read_text("utf-8").startswith("-- One row") for _, file in rows.values())


def test_every_query_runs_on_nothing(home: Path):
    with Reader(home) as reader:
        found = {name: reader.table(name).columns for name in reader.queries}
        assert {name for name, columns in found.items() if not columns} == set()


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path):
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(ConfigError, match="is a file"):
        Reader(path)


def test_a_store_from_a_newer_version_is_refused(recorded: Path):
    Reader(recorded).close()
    with duckdb.connect(recorded / "store.duckdb") as store:
        store.execute("UPDATE meta SET value = '999' WHERE key = 'schema_version'")
    with pytest.raises(SchemaVersionError):
        Reader(recorded)


def test_a_query_that_does_not_work_fails_when_it_is_asked_for_and_no_other(recorded: Path):
    (recorded / "queries").mkdir()
    (recorded / "queries" / "broken.sql").write_text("SELECT * FROM missing_table\n")
    (recorded / "queries" / "reads_broken.sql").write_text("SELECT * FROM broken\n")
    with Reader(recorded) as reader:
        assert reader.query("SELECT count(*) AS tasks FROM task") == [{"tasks": 1}]
        for name in ("broken", "reads_broken", "SELECT 1 FROM broken"):
            with pytest.raises(QueryError, match=r"broken\.sql does not work: .*missing_table"):
                reader.query(name)
        assert reader.query("SELECT calls FROM task_tokens") == [{"calls": 2}]


def test_a_reader_that_cannot_be_made_lets_go_of_the_store(home: Path):
    (home / "queries").mkdir(parents=True)
    (home / "queries" / "Not A View.sql").write_text("SELECT 1 AS one\n")
    with pytest.raises(QueryError, match=r"Not A View\.sql"):
        Reader(home)
    (home / "queries" / "Not A View.sql").unlink()
    Reader(home).close()


def test_a_report_on_what_is_rolled_up_reads_no_spans(recorded: Path):
    Reader(recorded).close()
    (part,) = (recorded / "lake").rglob("*.parquet")
    part.unlink()
    with Reader(recorded) as reader:
        assert reader.query("SELECT task_id, calls, input_tokens FROM task") == [
            {"task_id": "ask", "calls": 2, "input_tokens": 107}
        ]
        assert reader.query("SELECT calls FROM totals") == [{"calls": 2}]


@pytest.mark.parametrize("name", ["plain_call", "counted_call", "call_rollup"])
def test_rows_rest_on_the_query_of_the_user_where_there_is_one(recorded: Path, name: str):
    Reader(recorded).close()
    ours = Reader(recorded)
    text = ours.queries[name].sql
    ours.close()
    (recorded / "queries").mkdir()
    (recorded / "queries" / f"{name}.sql").write_text(f"SELECT * FROM ({text}) LIMIT 0\n")
    with Reader(recorded) as reader:
        assert reader.query("SELECT calls FROM totals") == [{"calls": 0}]
        assert reader.query("task_tokens") == []


def test_a_replaced_model_call_is_read_by_what_reads_it(recorded: Path):
    (recorded / "queries").mkdir()
    ours = Reader(recorded)
    text = ours.queries["model_call"].sql
    ours.close()
    (recorded / "queries" / "model_call.sql").write_text(
        f"SELECT * FROM ({text}) WHERE input_tokens > 50\n"
    )
    with Reader(recorded) as reader:
        assert reader.query("SELECT input_tokens FROM call_energy") == [{"input_tokens": 100}]
        assert reader.query("SELECT calls FROM task_tokens") == [{"calls": 2}]
