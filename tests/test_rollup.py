from pathlib import Path

import duckdb
import pytest

from agenttrace import rollup
from agenttrace.errors import QueryError


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    made.execute("CREATE TABLE span AS SELECT 1 AS a UNION ALL SELECT 2")
    return made


def folder(path: Path, **sql: str) -> Path:
    path.mkdir(exist_ok=True)
    for name, text in sql.items():
        (path / f"{name}.sql").write_text(text)
    return path


def test_queries_are_defined_after_those_they_read(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    queries = folder(
        tmp_path,
        a="SELECT sum(b.x) AS x FROM b",
        b="SELECT c.x FROM c JOIN span ON true",
        c="SELECT span.a AS x FROM span",
    )
    rollup.define(connection, [queries])
    assert connection.sql("FROM a").fetchall() == [(6,)]


def test_a_later_folder_replaces_a_query_and_adds_others(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ours = folder(tmp_path / "ours", a="SELECT 1 AS x", b="SELECT a.x FROM a")
    users = folder(tmp_path / "users", a="SELECT 2 AS x", c="SELECT b.x FROM b")
    defined = rollup.define(connection, [ours, users, tmp_path / "missing"])
    assert {query.name: query.path.parent.name for query in defined} == {
        "a": "users",
        "b": "ours",
        "c": "users",
    }
    assert connection.sql("FROM c").fetchall() == [(2,)]


def test_a_query_that_replaces_another_needs_its_columns(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    header = "--   x  one\n--   y  two\n--   z  three\n"
    ours = folder(
        tmp_path / "ours", a=f"{header}SELECT 1 AS x, 2 AS y, 3 AS z", b="SELECT a.x FROM a"
    )
    users = folder(tmp_path / "users", a="SELECT 1 AS y")
    with pytest.raises(QueryError) as raised:
        rollup.define(connection, [ours, users])
    assert str(raised.value) == (
        f"{users / 'a.sql'} replaces {ours / 'a.sql'} and lacks its columns x, z. "
        "Add them, or move it away to get ours back."
    )


def test_a_query_that_replaces_another_may_have_more_columns_in_any_order(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ours = folder(tmp_path / "ours", a="--   x  one\n--   y  two\nSELECT 1 AS x, 2 AS y")
    users = folder(tmp_path / "users", a="SELECT 4 AS z, 5 AS y, 6 AS X")
    rollup.define(connection, [ours, users])
    assert connection.sql("SELECT x, y, z FROM a").fetchall() == [(6, 5, 4)]


def test_a_query_that_fails_names_the_files_that_it_reads_in_place_of_ours(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ours = folder(
        tmp_path / "ours",
        a="SELECT 1 AS x",
        b="SELECT a.x FROM a",
        c="SELECT list_sum(b.x) AS x FROM b",
        d="SELECT 1 AS x",
    )
    users = folder(tmp_path / "users", a="SELECT DATE '2026-11-22' AS x", d="SELECT 2 AS x")
    with pytest.raises(QueryError) as raised:
        rollup.define(connection, [ours, users])
    said = str(raised.value)
    assert said.startswith(f"{ours / 'c.sql'} does not work: ")
    assert said.endswith(f" (it reads {users / 'a.sql'} in place of ours)")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            'Referenced column "x\ny" not found!\nCandidates: "a"',
            'Referenced column "x\\ny" not found!',
        ),
        ('syntax error at or near ""x"\n\nLINE 1: SELECT "x', 'syntax error at or near ""x"'),
        ("", ""),
    ],
)
def test_a_reason_is_one_line_and_cuts_no_name(error: str, said: str) -> None:
    assert rollup.reason(error) == said


def test_a_with_clause_hides_the_query_of_its_name(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    queries = folder(
        tmp_path,
        task="WITH part AS (SELECT span.a FROM span) SELECT part.a FROM part",
        part="WITH task AS (SELECT task.a FROM task) SELECT Task.a FROM TASK",
        walk="WITH RECURSIVE part AS (SELECT 1 AS a UNION SELECT part.a FROM part) FROM part",
    )
    rollup.define(connection, [tmp_path / "ours", queries])
    assert connection.sql("FROM part ORDER BY a").fetchall() == [(1,), (2,)]


def test_nothing_but_views_is_left_behind(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    sql = "SELECT span.a AS \"a b\", [{'x': span.a}] AS list FROM span"
    rollup.define(connection, [folder(tmp_path, a=sql, b="SELECT a.list FROM a")])
    assert connection.sql("FROM b ORDER BY ALL").fetchall() == [([{"x": 1}],), ([{"x": 2}],)]
    tables = connection.sql("SELECT table_name FROM duckdb_tables()").fetchall()
    assert tables == [("span",)]


def test_the_header_says_what_a_row_is_and_what_the_columns_are(tmp_path: Path) -> None:
    text = (
        "-- Energy per task, in Wh.\n"
        "-- Only model calls count.\n"
        "--   task_id    id of the task\n"
        "--   energy_wh  central estimate\n"
        "SELECT 1 AS task_id, 2 AS energy_wh -- not the header\n"
    )
    path = folder(tmp_path, energy=text) / "energy.sql"
    assert rollup.find([tmp_path]) == {
        "energy": rollup.Query(
            name="energy",
            path=path,
            sql=text,
            doc="Energy per task, in Wh. Only model calls count.",
            columns=(
                rollup.Column("task_id", "id of the task"),
                rollup.Column("energy_wh", "central estimate"),
            ),
        )
    }


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT FROM span", "is not a SELECT that DuckDB reads: "),
        ("CREATE TABLE x (a INT)", "is not a SELECT that DuckDB reads: Only SELECT statements"),
        ("SELECT 1; SELECT 2", "holds 2 statements. A query is one SELECT in one file."),
        ("-- nothing\n", "holds 0 statements. A query is one SELECT in one file."),
        ("FROM nowhere", "does not work: Catalog Error: Table with name nowhere does not exist!"),
        ("SELECT span.b FROM span", 'does not work: Binder Error: Table "span" does not have'),
    ],
)
def test_a_query_that_does_not_work_is_an_error_that_names_its_file(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, sql: str, message: str
) -> None:
    queries = folder(tmp_path / "users", wrong=sql)
    with pytest.raises(QueryError) as raised:
        rollup.define(connection, [tmp_path / "ours", queries])
    assert str(raised.value).startswith(f"{queries / 'wrong.sql'} {message}")


def test_queries_that_read_one_another_in_a_circle_are_an_error(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    queries = folder(tmp_path, a="FROM b", b="FROM c", c="FROM a")
    with pytest.raises(QueryError) as raised:
        rollup.define(connection, [queries])
    assert str(raised.value) == (
        f"these queries read one another in a circle: c -> a -> b -> c. Change {queries / 'c.sql'}."
    )


def test_a_query_cannot_take_the_name_of_a_table(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    with pytest.raises(QueryError, match=r"span\.sql does not work: .* already exists"):
        rollup.define(connection, [folder(tmp_path, span="SELECT 1 AS a")])


@pytest.mark.parametrize("name", ["my query", "Task", "1st"])
def test_a_file_whose_name_is_no_name_of_a_view_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.sql").write_text("SELECT 1 AS x")
    with pytest.raises(QueryError, match="which SQL cannot spell"):
        rollup.find([tmp_path])


def test_a_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_bytes(b"SELECT '\xff'")
    with pytest.raises(QueryError, match=r"a\.sql cannot be read: "):
        rollup.find([tmp_path])


def test_our_own_queries_are_found() -> None:
    assert "model_call" in rollup.find(rollup.folders())


def test_what_our_own_queries_read_is_told_by_their_words(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    definitions = rollup.Definitions(connection, rollup.folders())
    queries = definitions.queries
    assert {name: definitions._reads_of(query) for name, query in queries.items()} == {
        name: rollup.tables_of(connection, query) & queries.keys()
        for name, query in queries.items()
    }


def test_a_query_is_defined_when_it_is_asked_for_with_those_that_it_reads(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    queries = folder(tmp_path, a="FROM b", b="FROM span", c="FROM span", broken="FROM nowhere")
    definitions = rollup.Definitions(connection, [queries])
    definitions.define("a")
    definitions.define("b", "a")
    views = connection.sql("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    assert sorted(views) == [("a",), ("b",)]
    with pytest.raises(QueryError, match=r"broken\.sql does not work"):
        definitions.define("broken")


def test_rows_that_are_there_already_are_taken_for_those_of_the_query(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    queries = folder(tmp_path, a="SELECT sum(b.a) AS a FROM b", b="FROM nowhere")
    connection.execute("CREATE TABLE b AS SELECT 41 AS a UNION ALL SELECT 1")
    definitions = rollup.Definitions(connection, [queries])
    definitions.give("b")
    assert definitions.below("a") == {"a", "b"}
    definitions.define("a")
    assert connection.sql("FROM a").fetchall() == [(42,)]


def test_a_query_that_another_replaces_is_named(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ours = folder(tmp_path / "ours", a="SELECT 1 AS x", b="SELECT a.x FROM a")
    users = folder(tmp_path / "users", a="SELECT 2 AS x", c="SELECT 3 AS x")
    assert rollup.Definitions(connection, [ours, users]).replaced == {"a"}
