from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

import agenttrace
from agenttrace import rollup
from agenttrace.cli import commands
from agenttrace.energy import measured
from agenttrace.energy.pricing import Pricing
from agenttrace.errors import ConfigError, QueryError, SchemaVersionError
from agenttrace.reader import Reader
from agenttrace.report.sums import held
from tests.builders import SECOND_NS, chat, frame, keep, later, spans, task, write
from tests.factor_files import SOURCE, hall


@pytest.fixture
def recorded(home: Path) -> Path:
    keep(home, spans(task("ask", chat(input=100, output=20), chat(input=7, output=3))))
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
    """Each over the rows of those that it reads: to plan them all to their roots takes long."""
    with Reader(home) as reader:
        definitions = rollup.Definitions(reader.connection, rollup.folders())
        names = sorted(reader.queries, key=lambda name: len(definitions.below(name)))
        with held(reader, *names):
            found = {name: reader.table(name).columns for name in names}
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


def energy_wh(home: Path, **pricing: Any) -> float:
    with Reader(home, pricing=Pricing(**pricing)) as reader:
        (row,) = reader.query("SELECT energy_wh FROM totals")
    return row["energy_wh"]


def test_a_report_covers_the_boundary_that_is_asked_for(recorded: Path):
    """1 at the accelerator is 1 + 0.58 * 0.72 at the server and 1.72 at the facility."""
    accelerator = energy_wh(recorded, boundary="accelerator")
    assert energy_wh(recorded, boundary="server") == pytest.approx(1.4176 * accelerator)
    assert energy_wh(recorded) == pytest.approx(1.72 * accelerator)


def test_people_are_compared_at_the_boundary_of_the_report(recorded: Path):
    with Reader(recorded) as whole, Reader(recorded, pricing=Pricing("accelerator")) as chips:
        days = [
            [row["user_days"] for row in reader.query("human_equivalent")]
            for reader in (whole, chips)
        ]
    assert days[0] == pytest.approx(days[1])


def test_calls_ran_where_the_user_says_if_nothing_else_tells(home: Path):
    write(home, spans(chat(input=9, output=1, region="eu-west-1"), chat(input=9, output=1)))
    with Reader(home, pricing=Pricing(region="FR")) as reader:
        places = reader.query("SELECT region, country FROM place ORDER BY region")
    assert places == [
        {"region": "eu-west-1", "country": "IRL"},
        {"region": None, "country": "FRA"},
    ]


def test_the_environment_says_where_calls_ran(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AGENTTRACE_REGION", "SE")
    write(home, spans(chat(input=9, output=1)))
    with Reader(home) as reader, Reader(home, pricing=Pricing(region="FR")) as said:
        countries = [one.query("SELECT country FROM place") for one in (reader, said)]
    assert countries == [[{"country": "SWE"}], [{"country": "FRA"}]]
    assert (
        agenttrace.estimate(model="gpt-5", input_tokens=1, output_tokens=1).place.country == "SWE"
    )


def test_factors_of_the_user_go_before_ours_and_change_the_version(recorded: Path, tmp_path: Path):
    mine = tmp_path / "mine.toml"
    mine.write_text(SOURCE + hall(3.44, 3.44, 3.44))
    with Reader(recorded) as ours, Reader(recorded, pricing=Pricing(factors=(mine,))) as theirs:
        assert ours.factors.version != theirs.factors.version
        rows = [reader.query("SELECT energy_wh FROM totals") for reader in (ours, theirs)]
    assert rows[1][0]["energy_wh"] == pytest.approx(2 * rows[0][0]["energy_wh"])


def test_a_report_can_be_priced_as_it_was(recorded: Path):
    """The factors of the first report are kept; then those in use change."""
    with Reader(recorded) as first:
        version = first.factors.version
        before = first.query("SELECT * EXCLUDE (tasks) FROM totals")
    (recorded / "factors.toml").write_text('deployment."gpt-5" = "gpt-5-nano"\n')
    assert energy_wh(recorded) < before[0]["energy_wh"]
    with Reader(recorded, pricing=Pricing(factors_version=version)) as again:
        assert again.query("SELECT * EXCLUDE (tasks) FROM totals") == before


def test_a_meter_goes_before_the_estimate(recorded: Path):
    """A meter saw 7,200 J at the facility while the first of two calls ran."""
    with Reader(recorded) as reader:
        estimates = reader.query("SELECT energy_wh FROM call_energy ORDER BY started_at")
        (first,) = reader.query(
            "SELECT start_ns FROM span WHERE kind = 'inference' ORDER BY start_ns LIMIT 1"
        )
    start_ns = first["start_ns"]
    measured.add(
        recorded,
        [measured.Window(start_ns, start_ns + SECOND_NS, 7200, "facility", provider="openai")],
    )
    with Reader(recorded) as reader:
        assert reader.is_measured
        calls = reader.query("SELECT covered, energy_wh FROM call_energy ORDER BY started_at")
        (totals,) = reader.query("totals")
    assert calls == [
        {"covered": 1.0, "energy_wh": pytest.approx(2.0)},
        {"covered": 0.0, "energy_wh": estimates[1]["energy_wh"]},
    ]
    assert totals["energy_wh"] == pytest.approx(2.0 + estimates[1]["energy_wh"])
    assert totals["calls"] == 2


@pytest.mark.parametrize("name", ["counted_call", "call_sum", "task_answer", "model_call"])
def test_a_replaced_query_changes_nothing_about_what_was_measured(home: Path, name: str):
    """A copy of the query changes no figure, though its rows are worked out from all spans.

    The measured call is hidden by the answer of its task, which runs an hour later.
    """
    first, answer, around = spans(
        task("a", chat(input=1000, output=50), chat(input=20, output=5, model="o"))
    )
    write(home, [first, *later([answer], 3600), around])
    start_ns = int(first["start_ns"])
    window = (start_ns, start_ns + 60 * SECOND_NS, 36000.0, "facility")
    measured.add(home, [measured.Window(*window, provider="openai")])
    with Reader(home) as reader:
        before = reader.query("SELECT energy_wh, hidden_energy_wh FROM totals")
        (home / "queries").mkdir()
        (home / "queries" / f"{name}.sql").write_text(reader.queries[name].sql)
    with Reader(home) as reader:
        after = reader.query("SELECT energy_wh, hidden_energy_wh FROM totals")
    assert after == [pytest.approx(before[0])]
    assert before[0]["hidden_energy_wh"] == pytest.approx(10)


def test_a_span_tells_of_the_call_inside_it_across_midnight(home: Path):
    """The frame that a meter saw 36,000 J for begins at 23:59:59, its call at 00:00:00."""
    write(
        home,
        later(spans(task("a", frame(chat(input=9, output=1), measured_j="36000"))), 54_397),
    )
    with Reader(home) as reader:
        days = reader.query(
            "SELECT measured_j, strftime(started_at, '%d %H:%M:%S') AS at FROM span "
            "ORDER BY start_ns"
        )
        assert days[1:] == [
            {"measured_j": 36000.0, "at": "09 23:59:59"},
            {"measured_j": None, "at": "10 00:00:00"},
        ]
        (totals,) = reader.query("SELECT energy_wh FROM totals")
        factor = reader.query("SELECT multiplier FROM boundary_factor WHERE boundary = 'facility'")
    assert totals["energy_wh"] == pytest.approx(10 * factor[0]["multiplier"])


def test_where_calls_ran_is_told_by_the_query_that_decides_what_counts(home: Path):
    write(home, spans(chat(input=9, output=1)))
    (home / "queries").mkdir()
    with Reader(home) as reader:
        sql = reader.queries["counted_call"].sql
    moved = sql.replace("    call.region,", "    'eu-central-1' AS region,")
    (home / "queries" / "counted_call.sql").write_text(moved)
    with Reader(home) as reader:
        assert reader.query("SELECT country FROM place") == [{"country": "DEU"}]
        (totals,) = reader.query("SELECT carbon_g, energy_wh FROM totals")
    assert totals["carbon_g"] > 0


def test_measured_calls_that_were_pruned_are_said_to_have_estimates_again(home: Path):
    records = spans(task("a", chat(input=9, output=1)))
    write(home, records)
    start_ns = int(records[0]["start_ns"])
    measured.add(
        home, [measured.Window(start_ns, start_ns + SECOND_NS, 9.0, "facility", provider="openai")]
    )
    said = CliRunner().invoke(
        commands,
        [
            "--store",
            str(home),
            "store",
            "prune",
            "--older-than",
            "2026-01-01",
            "--keep-rollups",
            "-y",
        ],
    )
    assert "energy was measured before 2026-01-01" in said.stderr
    with Reader(home) as reader:
        assert [one for one in reader.store_warnings if "they have estimates again" in one]


def test_nothing_is_looked_for_where_nothing_was_imported(recorded: Path):
    with Reader(recorded) as reader:
        assert not reader.is_measured
        assert not reader.has_hours
        assert reader.query("measured_call") == []
        assert reader.query("hourly_moments") == []


def test_a_folder_in_which_nothing_was_recorded_stays_as_it_is(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("")
    with Reader(tmp_path) as reader:
        assert reader.query("model_call") == []
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
