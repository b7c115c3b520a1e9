"""Keep the roll-ups: what new spans add to the stored queries, without reading the old ones.

The queries named in :data:`STORED` are defined by their files and kept as tables in
``store.duckdb``, so that reports do not look at calls. Most calls count whatever else is recorded
(``plain_call``), and simply add up. Of the others (``judged_call``) the spans around them tell;
they are few, and those of a task that new spans may have changed are worked out anew.
"""

import functools
import hashlib
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import duckdb

from agenttrace import rollup
from agenttrace.store import columns
from agenttrace.store.lake import PLACED, Lake

STORED: Final = ("call_sum", "call_answer", "task_sum", "call_histogram")
"""Queries whose rows are kept; rows of one key add up."""

JUDGED: Final = ("call_sum", "call_answer", "call_histogram")
"""Those with rows that are worked out anew, told by their column ``judged``."""

_FOREVER: Final = 2**63 - 1
_MINUTES_NS: Final = 15 * 60 * 10**9  # how far apart two sources may tell of one response
_DAY_NS: Final = 86_400 * 10**9  # how long a call may last that another one is found beside
_TASK: Final = "coalesce(span.task_id, span.trace_id)"
_IS_JUDGED: Final = "(span.kind = 'inference' AND span.counted IS NULL)"
_FETCHES: Final = "coalesce(operation = 'fetch_response', FALSE)"
_AROUND: Final = "('inference', 'step', 'other', 'agent', 'tool', 'task')"  # tell of calls
_TOLD: Final = (
    "trace_id, span_id, response_id, request_id, session_id, input_tokens, output_tokens, capture, "
    "scope"
)
_SCHEMA: Final = "definition"
_DERIVED_SCHEMA: Final = "derived"
_COMMENT: Final = re.compile(r"--[^\n]*|\s+")
_NONE: Final = "FROM plain_call LIMIT 0"  # judged calls have its columns
_FEW: Final = 20_000  # rows; to keep so many takes less time than to work them out again

DERIVED: Final = ("call_total", "task_total", "model_histogram")
"""Queries over the stored ones whose rows are kept as well: a report then reads few rows, however
many tasks there are."""

RESTS_ON: Final = (*STORED, "counted_call", "judged_call", "plain_call")
"""The stored queries and what they read; only where nobody replaced one are the rows theirs."""

_BETWEEN: Final = ("task_fact", "task_answer", "call_rollup")  # each after those it reads
DERIVED_RESTS_ON: Final = (*RESTS_ON, *_BETWEEN, *DERIVED)
"""The same, for the derived ones."""


@functools.cache
def _definitions() -> dict[str, str]:
    """Return the SQL of each query that the rows rest on; it is read once."""
    queries = rollup.find(rollup.folders(), DERIVED_RESTS_ON)
    return {name: query.sql for name, query in queries.items()}


@functools.cache
def fingerprint() -> str:
    """Return a short hash over the definitions; rows that others made are worked out anew."""
    definitions = _definitions()
    texts = [_COMMENT.sub(" ", definitions[name]) for name in sorted(definitions)]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]


class _Arrived(NamedTuple):
    """What there is among some spans: all, those that are judged, those that others place."""

    spans: int
    judged: int
    placed: int


class Rollups:
    """What some new spans add to the stored rows.

    After :meth:`advance` the connection has, in the schema ``definition``, a table ``new_`` and the
    name of each stored query, and ``affected_task`` (task_id): the tasks whose judged rows the new
    ones replace.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make room for what is worked out.

        Args:
            connection: Of its own: temporary tables stand in for others while this works.
        """
        self._connection = connection
        connection.execute(f"DROP SCHEMA IF EXISTS memory.{_SCHEMA} CASCADE")
        connection.execute(f"CREATE SCHEMA memory.{_SCHEMA}; USE memory.{_SCHEMA}")

    def advance(self, arrived: str, known: str | None, before: Lake) -> None:
        """Work out what the spans in *arrived* add.

        Args:
            arrived: Table or view with the columns of ``span``.
            known: Database with the stored tables, without these spans; None if there are none.
            before: The spans that were there before.
        """
        new = self._look_at(arrived)
        if _is_calm(new, before):
            self._affect_none()
            is_judged = new.judged > 0
            if is_judged:
                self._judge_as_they_are(arrived)
        else:
            self._find_affected(arrived, known, before)
            is_judged = self._is_affected()
            if is_judged:
                self._judge_in_context(arrived, known, before)
        self._add(arrived, "FROM judged" if is_judged else _NONE, is_few=new.spans <= _FEW)
        self._connection.execute("DROP TABLE IF EXISTS judged")

    def _look_at(self, arrived: str) -> _Arrived:
        (found,) = self._ask(
            f"SELECT count(*), count(*) FILTER ({_IS_JUDGED}), count(*) FILTER ({_IS_JUDGED} "
            f"AND ({PLACED} OR {_FETCHES})) FROM {arrived} AS span"
        )
        return _Arrived(*found)

    def withdraw(self, gone: str, known: str, left: Lake) -> None:
        """Work out what it changes for judged calls that other spans are taken away.

        Args:
            gone: Table or view with those spans.
            known: Database with the stored tables.
            left: The spans that stay.
        """
        self._connection.execute(columns.table("nothing"))
        self._add("nothing")
        if _is_calm(self._look_at(gone), left):
            self._affect_none()
            return
        self._find_affected(gone, known, left)
        # A log that is gone may have lent its task to a call that stays.
        self._connection.execute(
            "DELETE FROM affected_task WHERE task_id NOT IN (SELECT coalesce(task_id, trace_id) "
            f"FROM (FROM ({left.judged(0, _FOREVER)}) UNION ALL FROM {gone} "
            "WHERE kind = 'inference' AND capture = 'log'))"
        )
        self._add_judged(known, left)

    def work_out(self, known: str, lake: Lake, pieces: int | None) -> None:
        """Work everything out from all spans, as if nothing were stored.

        Args:
            known: Database with the stored tables, which tell when a task was under way.
            lake: Every span.
            pieces: In how many the tasks with judged calls are worked on, which bounds the memory;
                None for the plain definitions, which take nothing for granted about which spans
                have a say in which.
        """
        everything = f"({lake.spans()})"
        self._connection.execute(columns.table("nothing"))
        if pieces is None:
            self._add(everything, _definitions()["judged_call"])
            return
        self._add(everything)
        for piece in range(pieces):
            self._connection.execute(
                "CREATE OR REPLACE TABLE affected_task AS SELECT task_id FROM new_task_sum "
                f"WHERE hash(task_id) % {pieces} = {piece} "
                "GROUP BY task_id HAVING sum(judged_spans) > 0"
            )
            self._add_judged(known, lake)

    def store(self, into: str) -> None:
        """Write what :meth:`advance` found into the database *into*."""
        for name in JUDGED:
            self._connection.execute(
                f"DELETE FROM {into}.{name} "
                "WHERE judged AND task_id IN (SELECT task_id FROM affected_task)"
            )
        for name in STORED:
            self._connection.execute(f"INSERT INTO {into}.{name} BY NAME FROM new_{name}")

    def _add(self, arrived: str, judged: str = _NONE, *, is_few: bool = False) -> None:
        """Make the rows that spans add, of which those are judged calls that *judged* yields."""
        found = {"span": f"FROM {arrived}", "plain_call": _definitions()["plain_call"]}
        with self._counted(found | {"judged_call": judged}, is_few=is_few):
            for name in STORED:
                self._connection.execute(
                    f"CREATE OR REPLACE TABLE new_{name} AS {_definitions()[name]}"
                )

    def _add_judged(self, known: str, lake: Lake) -> None:
        """Add the rows of judged calls of the affected tasks, which are all in the lake."""
        if not self._is_affected():
            return
        self._judge_in_context("nothing", known, lake)
        with self._counted({"plain_call": "FROM judged LIMIT 0", "judged_call": "FROM judged"}):
            for name in JUDGED:
                self._connection.execute(f"INSERT INTO new_{name} {_definitions()[name]}")
        self._connection.execute("DROP TABLE judged")

    def _affect_none(self) -> None:
        self._connection.execute("CREATE OR REPLACE TABLE affected_task (task_id VARCHAR)")

    def _is_affected(self) -> bool:
        return bool(self._ask("FROM affected_task LIMIT 1"))

    def _find_affected(self, arrived: str, known: str | None, before: Lake) -> None:
        """Find the tasks whose judged calls the new spans may change."""
        self._connection.execute(
            "CREATE OR REPLACE TABLE affected_task AS "
            f"SELECT DISTINCT coalesce(task_id, trace_id) AS task_id FROM {arrived} "
            "WHERE kind = 'inference' AND counted IS NULL"
        )
        if known is None:
            return
        # Structure inside a task that has spans of which it tells.
        self._connection.execute(
            "INSERT INTO affected_task "
            "SELECT DISTINCT coalesce(arrived.task_id, arrived.trace_id) "
            f"FROM {arrived} AS arrived "
            f"SEMI JOIN (FROM {known}.task_sum WHERE placed_spans > 0) AS task "
            "ON coalesce(arrived.task_id, arrived.trace_id) = task.task_id "
            f"WHERE arrived.kind IN {_AROUND} "
            "EXCEPT FROM affected_task"
        )
        if any(part.judged_spans for part in before.parts):
            self._find_related(arrived, before)
            # What may count instead of a call, then the log that may lend its place to that.
            for _ in range(2):
                if not self._find_sharing(arrived, known, before):
                    break

    def _find_related(self, arrived: str, before: Lake) -> None:
        """Find tasks elsewhere that tell of the same calls, or of calls of the same process."""
        ((low, high, fetches),) = self._ask(
            "SELECT min(start_ns), max(start_ns + coalesce(duration_ns, 0)), "
            "bool_or(coalesce(operation = 'fetch_response', FALSE)) "
            f"FROM {arrived} WHERE kind = 'inference'"
        )
        if low is None:
            return
        # A result is fetched whenever it is ready, be it a day later, and spans come in any order.
        judged = before.judged(low - _DAY_NS, high + _MINUTES_NS)
        judged = (
            before.judged(0, _FOREVER) if fetches else f"{judged} UNION ALL {before.fetching()}"
        )
        ours = f"FROM {arrived} WHERE scope = 'agenttrace' AND kind = 'inference'"
        self._connection.execute(f"""
            INSERT INTO affected_task
            SELECT DISTINCT coalesce(old.task_id, old.trace_id)
            FROM ({judged}) AS old
            WHERE
                old.kind = 'inference'
                AND old.counted IS NULL
                AND (
                    {_tells_of("old", f"(FROM {arrived} WHERE kind = 'inference')")}
                    OR (
                        old.scope <> 'agenttrace'
                        AND old.start_ns <= {high}
                        AND old.start_ns + coalesce(old.duration_ns, 0) >= {low}
                        AND (
                            (old.host, old.pid) IN (SELECT (host, pid) FROM ({ours}))
                            OR (
                                old.scope = 'agenttrace.meter'
                                AND old.host IN (SELECT host FROM ({ours}))
                            )
                        )
                    )
                )
            EXCEPT FROM affected_task
        """)

    def _find_sharing(self, arrived: str, known: str, before: Lake) -> bool:
        """Find tasks that tell of the calls of those found; return whether there are any.

        Twice is enough: what a span is follows from its own task, which span of a call counts from
        those that tell of it, and where it was made from those that tell of the one that counts.
        """
        if not self._is_affected():
            return False
        low, high = self._when(arrived, known)
        self._connection.execute(f"""
            CREATE OR REPLACE TABLE told AS
            SELECT {_TOLD}, {_FETCHES} AS is_fetch
            FROM (FROM {arrived} UNION ALL {before.judged(low, high)}) AS span
            WHERE {_IS_JUDGED} AND {_TASK} IN (FROM affected_task)
        """)
        ((fetches,),) = self._ask("SELECT count(*) FROM told WHERE is_fetch AND response_id <> ''")
        others = before.judged(low - _MINUTES_NS, high + _MINUTES_NS)
        others = (
            before.judged(0, _FOREVER) if fetches else f"{others} UNION ALL {before.fetching()}"
        )
        ((found,),) = self._ask(f"""
            INSERT INTO affected_task
            SELECT DISTINCT {_TASK}
            FROM ({others}) AS span
            WHERE {_IS_JUDGED} AND ({_tells_of("span", "told")})
            EXCEPT FROM affected_task
        """)
        self._connection.execute("DROP TABLE told")
        return found > 0

    def _judge_as_they_are(self, arrived: str) -> None:
        """Make ``judged`` of calls that count as they are."""
        seen = f"SELECT * REPLACE (TRUE AS counted) FROM {arrived} AS span WHERE {_IS_JUDGED}"
        with self._standing_in({"span": seen}):
            self._connection.execute(
                f"CREATE OR REPLACE TABLE judged AS {_definitions()['plain_call']}"
            )

    def _judge_in_context(self, arrived: str, known: str | None, before: Lake) -> None:
        """Make ``judged`` of the calls of the affected tasks that the spans around them tell."""
        self._gather(arrived, known, before)
        found = {"span": "FROM context", "plain_call": _definitions()["plain_call"]}
        with self._standing_in(found):
            self._connection.execute(
                "CREATE OR REPLACE TABLE judged AS "
                f"FROM ({_definitions()['judged_call']}) AS call SEMI JOIN affected_task "
                "USING (task_id)"
            )
        self._connection.execute("DROP TABLE context")

    def _gather(self, arrived: str, known: str | None, before: Lake) -> None:
        """Put the spans that have a say into ``context``."""
        low, high = self._when(arrived, known)
        judged = f"FROM {arrived} UNION ALL {before.judged(low, high)}"
        self._connection.execute(f"""
            CREATE OR REPLACE TABLE context AS
            SELECT span.*
            FROM ({judged}) AS span
            WHERE {_IS_JUDGED} AND {_TASK} IN (FROM affected_task)
        """)
        ((fetches, told),) = self._ask(f"""
            SELECT
                count(*) FILTER ({_FETCHES}),
                count(*) FILTER (NOT {_FETCHES} AND {PLACED})
            FROM context
        """)
        if told:
            low, high = low - 2 * _MINUTES_NS, high + 2 * _MINUTES_NS
            self._gather_around(f"FROM {arrived} UNION ALL {before.around(low, high)}")
        if fetches:
            # What is fetched may have been asked for at any time before.
            self._gather_responses(f"FROM {arrived} UNION ALL {before.spans()}")
        elif any(part.fetches for part in before.parts):
            self._gather_responses(before.fetching())

    def _gather_responses(self, everything: str) -> None:
        """Put what tells of the same responses into ``context``."""
        self._connection.execute(f"""
            INSERT INTO context
            SELECT span.*
            FROM ({everything}) AS span
            WHERE
                span.kind = 'inference'
                AND span.response_id IN (SELECT response_id FROM context WHERE response_id <> '')
                AND (span.trace_id, span.span_id, span.start_ns) NOT IN (
                    SELECT (trace_id, span_id, start_ns) FROM context
                )
        """)

    def _gather_around(self, everything: str) -> None:
        """Put the spans around those that were not seen at the wire into ``context``.

        Those of the tasks themselves; of other tasks, those that tell of the same calls, and of
        the calls of these, with what is around them; and the calls that agenttrace saw in the same
        processes.
        """
        self._connection.execute(f"""
            CREATE OR REPLACE TABLE nearby AS
            SELECT DISTINCT {_TOLD}, host, pid FROM context;
            CREATE OR REPLACE TABLE special AS
            FROM nearby
            UNION
            SELECT {_TOLD}, NULL AS host, NULL AS pid
            FROM ({everything}) AS span
            WHERE
                {_IS_JUDGED}
                AND span.capture IS DISTINCT FROM 'log'
                AND ({_tells_of("span", "nearby")});
            CREATE OR REPLACE TABLE concerned AS
            FROM affected_task
            UNION
            SELECT {_TASK}
            FROM ({everything}) AS span
            WHERE {_IS_JUDGED} AND ({_tells_of("span", "special")});
            CREATE OR REPLACE TABLE context AS
            SELECT span.*
            FROM ({everything}) AS span
            WHERE
                span.kind IN {_AROUND}
                AND (
                    {_TASK} IN (FROM concerned)
                    OR (span.kind = 'inference' AND ({_tells_of("span", "special")}))
                    OR (
                        span.scope = 'agenttrace'
                        AND span.kind = 'inference'
                        AND (
                            (span.host, span.pid) IN (
                                SELECT (host, pid) FROM nearby WHERE scope <> 'agenttrace'
                            )
                            OR span.host IN (
                                SELECT host FROM nearby WHERE scope = 'agenttrace.meter'
                            )
                        )
                    )
                );
            DROP TABLE nearby;
            DROP TABLE special;
            DROP TABLE concerned
        """)

    def _when(self, arrived: str, known: str | None) -> tuple[int, int]:
        """Return when the affected tasks were under way, as far as is known."""
        before = (
            f"UNION ALL SELECT start_ns, end_ns FROM {known}.task_sum "
            "WHERE task_id IN (FROM affected_task)"
        )
        ((low, high),) = self._ask(f"""
            SELECT min(start_ns), max(end_ns) FROM (
                SELECT start_ns, start_ns + coalesce(duration_ns, 0) AS end_ns
                FROM {arrived} AS span
                WHERE {_TASK} IN (FROM affected_task)
                {before if known else ""}
            )
        """)
        return (0, _FOREVER) if low is None else (low, high)

    @contextmanager
    def _counted(self, found: Mapping[str, str], *, is_few: bool = False) -> Generator[None]:
        """Let there be counted calls, of what *found* says."""
        counted = {"counted_call": _definitions()["counted_call"]}
        with self._standing_in(found), self._standing_in(counted, "TABLE" if is_few else "VIEW"):
            yield

    @contextmanager
    def _standing_in(self, queries: Mapping[str, str], kind: str = "VIEW") -> Generator[None]:
        """Let there be temporary views, or tables, of these names; each may read those before."""
        made: list[str] = []
        try:
            for name, sql in queries.items():
                self._connection.execute(f"CREATE TEMP {kind} {name} AS {sql}")
                made.append(name)
            yield
        finally:
            for name in reversed(made):
                self._connection.execute(f"DROP {kind} temp.{name}")

    def _ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()


def _tells_of(span: str, told: str) -> str:
    """Return SQL for whether *span* may be the same call as one of the table *told*.

    That is more than ``judged_call`` takes for the same: what is found is only looked at.
    """
    twin = "session_id, input_tokens, output_tokens"
    own = ", ".join(f"{span}.{name}" for name in twin.split(", "))
    twins = f"SELECT ({twin}) FROM {told} WHERE session_id IS NOT NULL"
    return f"""(
        {span}.response_id IN (SELECT response_id FROM {told} WHERE response_id <> '')
        OR ({span}.trace_id, {span}.span_id) IN (SELECT (trace_id, span_id) FROM {told})
        OR {span}.request_id IN (SELECT request_id FROM {told} WHERE request_id <> '')
        OR ({own}) IN ({twins} AND capture = 'log')
        OR ({span}.capture = 'log' AND ({own}) IN ({twins} AND capture IS DISTINCT FROM 'log'))
    )"""


def _is_calm(new: _Arrived, before: Lake) -> bool:
    """Whether whatever is judged was seen at the wire, and nothing fetches what it has used.

    Then all of it counts as it is, and nothing that was there before changes.
    """
    return not new.placed and not any(part.placed_spans or part.fetches for part in before.parts)


_KEYS: Final = {
    "call_sum": (
        "task_id", "hour", "region", "provider", "model", "agent", "agent_depth", "role",
        "visible", "status", "usage", "capture", "outcome", "judged",
    ),
    "call_answer": ("task_id", "judged"),
    "task_sum": ("task_id",),
    "call_histogram": ("task_id", "judged", "day", "provider", "model", "measure", "bucket"),
}  # fmt: skip
_AGGREGATES: Final = {
    "first_started_at": "min",
    "last_started_at": "max",
    "is_marked": "bool_or",
    "has_main": "bool_or",
    "main_call": "max",
    "subagent_call": "max",
    "task_name": "min",
    "session_id": "min",
    "service_name": "min",
    "workload": "min",
    "status": "min",
    "headless": "bool_or",
    "project": "min",
    "branch": "min",
    "user_hash": "min",
    "task_outcome": "max",
    "is_cut_off": "bool_or",
    "start_ns": "min",
    "end_ns": "max",
}
"""How rows of one key become one; what is not named is a sum."""


def merged(connection: duckdb.DuckDBPyConnection, name: str, source: str) -> str:
    """Return SQL for the rows of a stored query with one row for each key.

    Args:
        connection: Where *source* is.
        name: One of :data:`STORED`.
        source: Table or view with its rows.
    """
    keys = _KEYS[name]
    types = connection.execute(f"DESCRIBE {source}").fetchall()
    values = [
        f"{_AGGREGATES.get(column, 'sum')}({column})::{kind} AS {column}"
        for column, kind, *_ in types
        if column not in keys
    ]
    selected = ", ".join([*keys, *values])
    return f"SELECT {selected} FROM {source} GROUP BY {', '.join(keys)}"


def compact(connection: duckdb.DuckDBPyConnection, source: str, into: str) -> None:
    """Put the rows of the database *source*, one for each key, in place of those of *into*."""
    for name in STORED:
        rows = merged(connection, name, f"{source}.{name}")
        order = "ORDER BY task_id NULLS FIRST" + (", hour" if name == "call_sum" else "")
        connection.execute(f"CREATE OR REPLACE TEMP TABLE merged AS {rows} {order}")
        connection.execute(f"DELETE FROM {into}.{name}")
        connection.execute(f"INSERT INTO {into}.{name} FROM merged")
        connection.execute("DROP TABLE merged")


def forget(connection: duckdb.DuckDBPyConnection, into: str) -> None:
    """Remove the rows that the lake can tell again."""
    for name in STORED:
        connection.execute(f"DELETE FROM {into}.{name}")


def derive(connection: duckdb.DuckDBPyConnection, into: str) -> None:
    """Work the derived rows of a database out from its stored ones."""
    schema = f"memory.{_DERIVED_SCHEMA}"
    connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}")
    ((before,),) = connection.execute(
        "SELECT current_database() || '.' || current_schema()"
    ).fetchall()
    connection.execute(f"USE {schema}")
    try:
        for name in STORED:
            connection.execute(f"CREATE VIEW {name} AS FROM {into}.{name}")
        ((most,),) = connection.execute(
            "SELECT greatest((SELECT count(*) FROM call_sum), (SELECT count(*) FROM task_sum))"
        ).fetchall()
        for name in _BETWEEN:
            kind = "TABLE" if most <= _FEW else "VIEW"
            connection.execute(f"CREATE {kind} {name} AS {_definitions()[name]}")
        for name in DERIVED:
            connection.execute(f"DELETE FROM {into}.{name}")
            connection.execute(f"INSERT INTO {into}.{name} BY NAME {_definitions()[name]}")
    finally:
        connection.execute(f"USE {before}")


def clear(connection: duckdb.DuckDBPyConnection) -> None:
    """Let go of what :class:`Rollups` and :func:`derive` have left in the memory."""
    connection.execute("USE memory.main")
    for schema in (_SCHEMA, _DERIVED_SCHEMA):
        connection.execute(f"DROP SCHEMA IF EXISTS memory.{schema} CASCADE")


def with_new(name: str, known: str) -> str:
    """Return SQL for the rows of a stored query after :meth:`Rollups.advance`.

    Args:
        name: One of :data:`STORED`.
        known: Database with the rows before.
    """
    new = f"memory.{_SCHEMA}"
    replaced = (
        f"WHERE NOT judged OR task_id NOT IN (FROM {new}.affected_task)" if name in JUDGED else ""
    )
    return f"FROM {known}.{name} {replaced} UNION ALL BY NAME FROM {new}.new_{name}"


def rows(connection: duckdb.DuckDBPyConnection, database: str) -> int:
    """Return how many rows of sums a database has."""
    ((found,),) = connection.execute(f"SELECT count(*) FROM {database}.call_sum").fetchall()
    return found
