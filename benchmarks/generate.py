"""A store of any size, always the same one for a seed: what fold and reports are measured on.

    python benchmarks/generate.py --calls 10000000 --home /tmp/ten-million [--seed 1]
    agenttrace --store /tmp/ten-million store fold

Writes the Parquet files of the lake and no ``store.duckdb``: the first fold takes the files up and
builds the roll-ups. With ``--spool`` the same spans are written as segments of the spool instead.

The calls are those of agents at work for ten days, or ``--days``. Tasks have 10 to 1,000,000 calls,
heavy-tailed (Pareto, alpha 0.5: one in six has over 300 calls, and the largest tasks make most of
them). Runs of 16 calls alternate between the root agent and sub-agents; one call in fifty fails and
is tried again; one in a hundred has its tokens estimated; nearly all of the input is read from the
cache; ids are as random, and times as fine, as those of the providers and the clock. A call in four
is followed by a tool, so that there are 1.3 spans to a call.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb

from agenttrace import semconv
from agenttrace.record.spool import Spool
from agenttrace.store import columns, lake
from agenttrace.store.spellings import SPELLINGS

DAYS: Final = 10
DAY_NS: Final = 86_400_000_000_000
UNIX_DAY: Final = date(1970, 1, 1).toordinal()
START_NS: Final = 1_793_491_200_000_000_000  # 2026-11-01 UTC
CALLS_PER_CHUNK: Final = 1_000_000  # about; they are worked out together
LARGEST: Final = 1_000_000  # calls in a task
SMALLEST: Final = 10
MEAN: Final = 3_162  # calls in a task, for this smallest and largest one

_RUN: Final = 16  # calls of an agent in a row
_RUN_PLACES: Final = _RUN + 5  # with the agent itself and four tools

_OPENAI: Final = "'openai', 'api.openai.com'"
_ANTHROPIC: Final = "'anthropic', 'api.anthropic.com'"
_GEMINI: Final = "'gcp.gemini', 'generativelanguage.googleapis.com'"
_BEDROCK: Final = "'aws.bedrock', 'bedrock-runtime.us-east-1.amazonaws.com'"
_DEEPSEEK: Final = "'deepseek', 'api.deepseek.com'"
_OPENROUTER: Final = "'openrouter', 'openrouter.ai'"
_EMBEDDING_MODEL: Final = 10
_MODELS: Final = f"""
(0, {_OPENAI}, 'gpt-5', 'gpt-5-2025-08-07', 'chatcmpl-', 29, TRUE, 1),
(1, {_OPENAI}, 'gpt-5-mini', 'gpt-5-mini-2025-08-07', 'chatcmpl-', 29, TRUE, 1),
(2, {_ANTHROPIC}, 'claude-sonnet-4-5', 'claude-sonnet-4-5-20250929', 'msg_01', 22, FALSE, 5),
(3, {_ANTHROPIC}, 'claude-opus-4-1', 'claude-opus-4-1-20250805', 'msg_01', 22, FALSE, 5),
(4, {_GEMINI}, 'gemini-2.5-pro', 'gemini-2.5-pro', '', 22, TRUE, 6),
(5, {_ANTHROPIC}, 'claude-haiku-4-5', 'claude-haiku-4-5-20251001', 'msg_01', 22, FALSE, 5),
(6, {_GEMINI}, 'gemini-2.5-flash', 'gemini-2.5-flash', '', 22, TRUE, 6),
(7, {_BEDROCK}, 'us.amazon.nova-pro-v1:0', NULL, NULL, 0, FALSE, 9),
(8, {_DEEPSEEK}, 'deepseek-chat', 'deepseek-chat', '', 36, FALSE, 8),
(9, {_BEDROCK}, 'us.amazon.nova-lite-v1:0', NULL, NULL, 0, FALSE, 9),
(10, {_OPENAI}, 'text-embedding-3-small', 'text-embedding-3-small', NULL, 0, FALSE, 10),
(11, {_OPENROUTER}, 'qwen/qwen3-coder', 'qwen/qwen3-coder', 'gen-', 31, FALSE, 11)
"""
"""Number, provider and host, asked for, answering, how ids begin and how long the rest is, whether
it reasons, and the number of the model for small things."""


class Task(NamedTuple):
    """One task of a generated store."""

    task_id: str
    calls: int


# What is random is a hash of the seed, the task, the place in it and a number for the purpose.
def _uniform(*what: str) -> str:
    """Return SQL for a number in [0, 1)."""
    return f"((hash({', '.join(what)}) >> 11)::DOUBLE / 9007199254740992)"


def _pick(words: Sequence[str], *what: str) -> str:
    """Return SQL for one of *words*."""
    listed = ", ".join(f"'{word}'" for word in words)
    return f"[{listed}][1 + (hash({', '.join(what)}) % {len(words)})::INTEGER]"


def _hex(*what: str) -> str:
    """Return SQL for 16 hex digits."""
    return f"lower(hex((hash({', '.join(what)})::BIT)::BLOB))"


_GOALS: Final = ("fix", "review", "migrate", "summarise", "triage", "draft", "translate")
_MATTERS: Final = ("issue", "pull request", "invoice", "ticket", "report", "page", "schema")
_SUB_AGENTS: Final = ("researcher", "coder", "tester", "reviewer", "planner", "browser")
_TOOLS: Final = ("read_file", "search", "shell", "edit_file", "fetch", "query", "list_files")
_REGIONS: Final = ("us-east-1", "eu-central-1", "eu-west-1", "us-west-2", "ap-south-1")
_SERVICES: Final = ("assistant", "ci-agent", "support", "backoffice", "ingest")


def _task_table(calls: int, seed: int, days: int = DAYS) -> str:
    """Return SQL for the tables ``model`` and ``task``: what the calls of a task have in common.

    The first task has ten calls and the second is the largest there is; the sizes of the others
    follow the golden ratio, so that any number of them has the same distribution.
    """
    largest = min(LARGEST, max(calls // 10, SMALLEST))
    return f"""
CREATE OR REPLACE TEMP TABLE model AS FROM (VALUES {_MODELS}) AS model (
    number, provider, host_name, asked_model, answering_model, id_prefix, id_length, reasons, small
);
CREATE OR REPLACE TEMP TABLE task AS
WITH
drawn AS (
    SELECT
        number,
        CASE number
            WHEN 0 THEN {SMALLEST}
            WHEN 1 THEN {largest}
            ELSE least({largest}, floor({SMALLEST} * pow(
                1 - (number * 0.6180339887498949 + {seed} * 0.754877666) % 1
                * (1 - sqrt({SMALLEST} / {LARGEST})),
                -2
            )))
        END::BIGINT AS size
    FROM range(2 * {calls} // {MEAN} + 100) AS numbers (number)
),
placed AS (
    SELECT number, size, sum(size) OVER (ORDER BY number) AS upto FROM drawn
),
cut AS (
    -- The last one takes what is left.
    SELECT
        number,
        upto - size AS before,
        CASE WHEN upto + {SMALLEST} > {calls} THEN {calls} - (upto - size) ELSE size END AS calls
    FROM placed
    WHERE upto - size + {SMALLEST} <= {calls}
),
described AS (
    SELECT
        number,
        calls,
        before // {CALLS_PER_CHUNK} AS chunk,
        hash({seed}, number) AS salt,
        md5('{seed} ' || number) AS task_id,
        md5('{seed} trace ' || number) AS trace_id,
        30e9 * pow(calls, 0.6) AS span_ns
    FROM cut
)
SELECT
    described.*,
    span_ns / calls AS step_ns,
    {START_NS} + (
        {_uniform("salt", "1")} * 3.6e12
        -- None begins before the first day, and those that take long begin in time to end.
        + number / (SELECT count(*) FROM cut)
        * greatest({days * DAY_NS} - span_ns - 3.6e12, 0)
    )::BIGINT AS task_start_ns,
    {_pick(_GOALS, "salt", "2")} || ' a ' || {_pick(_MATTERS, "salt", "3")} AS task_name,
    CASE WHEN {_uniform("salt", "4")} < 0.3
        THEN 'session-' || {_hex("salt // 4", "5")} END AS session_id,
    CASE WHEN {_uniform("salt", "6")} < 0.9 THEN 'agentic' ELSE 'user-facing' END AS workload,
    CASE WHEN {_uniform("salt", "7")} < 0.2 THEN TRUE END AS headless,
    {_pick(_SERVICES, "salt", "8")} AS service_name,
    'node-' || (hash(salt, 9) % 20) AS host,
    (1000 + hash(salt, 10) % 30000)::BIGINT AS pid,
    CASE WHEN {_uniform("salt", "11")} < 0.8 THEN {_pick(_REGIONS, "salt", "12")} END AS region,
    -- Two thirds of the tasks use one of the first three models.
    least(floor(12 * pow({_uniform("salt", "13")}, 2)), 11)::INTEGER AS drawn_model,
    CASE drawn_model WHEN {_EMBEDDING_MODEL} THEN 8 ELSE drawn_model END AS main_model,
    (SELECT small FROM model WHERE number = main_model) AS small_model,
    {_hex("salt", "20")} AS root_span_id,
    ceil(calls / {_RUN})::BIGINT * {_RUN_PLACES} AS places
FROM described
"""


def _places(condition: str) -> str:
    """Return SQL for one row per span of the tasks with *condition*: what it is, what is drawn."""
    run_agent = f"CASE WHEN run % 4 = 0 THEN {_hex('salt', '30', '0')} ELSE agent_of_run END"
    return f"""
WITH
place AS (
    SELECT task.*, unnest(range(-1, places)) AS place
    FROM (SELECT * FROM task WHERE {condition} ORDER BY task_id) AS task
),
in_run AS (
    SELECT
        *,
        greatest(place, 0) // {_RUN_PLACES} AS run,
        greatest(place, 0) % {_RUN_PLACES} AS run_place,
        run * {_RUN} + run_place - 1 - run_place // 5 AS call
    FROM place
),
span_kind AS (
    SELECT
        *,
        CASE
            WHEN place < 0 THEN 'task'
            WHEN run_place = 0 THEN CASE WHEN run = 0 OR run % 4 <> 0 THEN 'agent' END
            WHEN run_place % 5 = 0 THEN CASE WHEN call < calls THEN 'tool' END
            WHEN call < calls THEN 'inference'
        END AS kind
    FROM in_run
),
drawn AS (
    SELECT
        *,
        kind = 'inference' AS is_call,
        {_hex("salt", "30", "run")} AS agent_of_run,
        {run_agent} AS agent_id,
        CASE WHEN run % 4 = 0 THEN 1 WHEN run % 16 = 6 THEN 3 ELSE 2 END AS depth,
        CASE kind
            WHEN 'task' THEN root_span_id
            WHEN 'agent' THEN agent_of_run
            WHEN 'tool' THEN {_hex("salt", "32", "place")}
            ELSE {_hex("salt", "31", "call")}
        END AS id,
        {_uniform("salt", "call", "1")} AS a,
        {_uniform("salt", "call", "2")} AS b,
        {_uniform("salt", "place", "3")} AS c,
        {_uniform("salt", "call", "4")} AS d,
        is_call AND hash(salt, call, 5) % 50 = 0 AS has_failed,
        is_call AND call > 0 AND hash(salt, call - 1, 5) % 50 = 0 AS is_retry,
        is_call AND hash(salt, call, 6) % 100 = 0 AS is_estimated,
        CASE
            WHEN NOT is_call OR is_retry THEN NULL
            WHEN call = 1 THEN 'title'
            WHEN call % 64 = 63 THEN 'summary'
            WHEN a < 0.02 THEN 'guard'
            WHEN a < 0.05 THEN 'embedding'
        END AS special
    FROM span_kind
    WHERE kind IS NOT NULL
),
asked AS (
    SELECT
        drawn.*,
        model.* EXCLUDE (number, small),
        special IS NOT DISTINCT FROM 'embedding' AS is_embedding,
        -- What the conversation has grown to, and what is new in it.
        2000 + (call % {_RUN}) * 1500 + (a * 500)::BIGINT AS known,
        (100 + b * b * 3000)::BIGINT AS fresh,
        CASE WHEN is_embedding THEN 0 ELSE (8 + pow(c, 3) * 1800)::BIGINT END AS written,
        -- A reasoning model thinks for half of what it writes.
        CASE WHEN reasons AND NOT is_embedding THEN (written * d * 0.9)::BIGINT END AS thought,
        (2e8 + pow(a, 4) * 3e9 + b * 1e6)::BIGINT AS first_ns,
        NOT has_failed AND NOT is_embedding AND b < 0.6 AS is_stream
    FROM drawn
    LEFT JOIN model ON is_call AND model.number = CASE
        WHEN special = 'embedding' THEN {_EMBEDDING_MODEL}
        WHEN special IN ('title', 'guard') THEN small_model
        ELSE main_model
    END
)
SELECT
    *,
    CASE kind
        WHEN 'task' THEN task_start_ns
        WHEN 'agent' THEN task_start_ns + 1000000 + (run * {_RUN} * step_ns)::BIGINT
        ELSE task_start_ns + 2000000 + ((call + d * 0.9) * step_ns)::BIGINT
    END AS began_ns,
    CASE
        WHEN kind = 'task' THEN span_ns::BIGINT + 60000000000
        WHEN kind = 'agent' AND run = 0 THEN span_ns::BIGINT + 59000000000
        WHEN kind = 'agent' THEN (2.2 * {_RUN} * step_ns)::BIGINT + 30000000000
        WHEN kind = 'tool' THEN (1e7 + pow(c, 4) * 2e9)::BIGINT
        WHEN has_failed THEN (5e7 + c * 1e8)::BIGINT
        ELSE first_ns + (written * 1.2e7 * (0.5 + d))::BIGINT
    END AS lasted_ns
FROM asked
"""


# 22 letters and digits, and 16 more for ids that are longer.
_LETTERS: Final = (
    "translate(to_base64((md5_number(salt::VARCHAR || call::VARCHAR)::BIT)::BLOB), '+/=', 'xY')"
)
_MORE: Final = f"CASE WHEN id_length > 22 THEN {_hex('salt', '33', 'call')} ELSE '' END"
_SPOKEN: Final = "is_call AND NOT has_failed"  # it has an answer
_TOLD: Final = f"{_SPOKEN} AND NOT is_estimated"  # and the provider's usage

FILLED: Final[Mapping[str, str]] = {
    "trace_id": "trace_id",
    "span_id": "id",
    "parent_span_id": f"""CASE
        WHEN kind = 'task' THEN NULL
        WHEN kind <> 'agent' THEN agent_id
        WHEN run = 0 THEN root_span_id
        WHEN run % 16 = 6 THEN {_hex("salt", "30", "run - 1")}
        ELSE {_hex("salt", "30", "0")}
    END""",
    "kind": "kind",
    "name": f"""CASE kind
        WHEN 'task' THEN task_name
        WHEN 'agent' THEN agent_name
        WHEN 'tool' THEN {_pick(_TOOLS, "salt", "place", "7")}
        ELSE asked_model
    END""",
    "scope": "'agenttrace'",
    "service_name": "service_name",
    "host": "host",
    "pid": "pid",
    "started_at": "make_timestamp(began_ns // 1000)",
    "start_ns": "began_ns",
    "duration_ns": "lasted_ns",
    "status": "CASE WHEN has_failed THEN 'error' ELSE 'ok' END",
    "error_type": "CASE WHEN has_failed THEN CASE WHEN c < 0.7 THEN '429' ELSE '529' END END",
    "task_id": "task_id",
    "task_name": "task_name",
    "session_id": "session_id",
    "workload": "CASE WHEN kind = 'task' THEN workload END",
    "headless": "CASE WHEN kind = 'task' THEN headless END",
    "agent": "CASE WHEN kind <> 'task' THEN agent_name END",
    "agent_span_id": "CASE WHEN kind <> 'task' THEN agent_id END",
    "agent_depth": "CASE WHEN kind <> 'task' THEN depth END",
    "role": """CASE
        WHEN kind = 'tool' THEN 'tool'
        WHEN special IS NOT NULL THEN special
        WHEN depth = 1 OR kind = 'task' THEN 'main'
        ELSE 'subagent'
    END""",
    # The attempts of a call follow one another, and the first is its own operation.
    "operation_id": f"CASE WHEN is_retry THEN {_hex('salt', '31', 'call - 1')} END",
    "attempt": "CASE WHEN is_retry THEN 2 WHEN is_call THEN 1 END",
    "operation": f"""CASE kind
        WHEN 'task' THEN '{semconv.INVOKE_WORKFLOW}'
        WHEN 'agent' THEN '{semconv.INVOKE_AGENT}'
        WHEN 'tool' THEN '{semconv.EXECUTE_TOOL}'
        ELSE CASE WHEN is_embedding THEN '{semconv.EMBEDDINGS}' ELSE '{semconv.CHAT}' END
    END""",
    "capture": "CASE WHEN is_call THEN 'wire' END",
    "usage": """CASE
        WHEN NOT is_call THEN NULL
        WHEN has_failed THEN 'missing'
        WHEN is_estimated THEN 'estimated'
        ELSE 'reported'
    END""",
    "outcome": f"""CASE
        WHEN {_SPOKEN} THEN CASE WHEN d < 0.003 THEN 'abandoned' ELSE 'complete' END
        WHEN is_call THEN 'complete'
    END""",
    # Where the response has no id, nothing can fetch what it has used later.
    "counted": "CASE WHEN NOT is_call THEN FALSE "
    f"WHEN has_failed OR id_prefix IS NULL OR ({_TOLD}) THEN TRUE END",
    "provider": "provider",
    "request_model": "asked_model",
    "response_model": f"CASE WHEN {_SPOKEN} THEN answering_model END",
    "response_id": f"""CASE
        WHEN {_SPOKEN} THEN id_prefix || left({_LETTERS} || {_MORE}, id_length)
    END""",
    "server_address": "host_name",
    "region": "region",
    "http_status": "CASE WHEN has_failed THEN CASE WHEN c < 0.7 THEN 429 ELSE 529 END "
    "WHEN is_call THEN 200 END",
    "time_to_first_token_ns": "CASE WHEN is_stream AND is_call THEN first_ns END",
    "input_tokens": f"CASE WHEN {_SPOKEN} THEN "
    "CASE WHEN is_embedding THEN fresh ELSE known + fresh END END",
    "cache_read_tokens": f"CASE WHEN {_TOLD} AND NOT is_embedding THEN known // 128 * 128 END",
    "cache_write_tokens": f"CASE WHEN {_TOLD} AND provider = 'anthropic' THEN fresh // 2 END",
    "output_tokens": f"CASE WHEN {_SPOKEN} THEN written END",
    "reasoning_tokens": f"CASE WHEN {_TOLD} THEN thought END",
    "upstream_provider": f"CASE WHEN {_SPOKEN} AND provider = 'openrouter' THEN 'DeepInfra' END",
    "cost_usd": f"CASE WHEN {_SPOKEN} AND provider = 'openrouter' "
    "THEN (known * 2 + written * 8) / 1e7 END",
}
"""Column of ``span`` -> SQL over what :func:`_places` yields. The other columns are NULL."""


def _spans(condition: str) -> str:
    """Return SQL for the rows of ``span`` of the tasks with *condition*."""
    unknown = set(FILLED) - {column.name for column in columns.COLUMNS}
    if unknown:
        sys.exit(f"the table span has no {', '.join(sorted(unknown))} any more")
    listed = ",\n".join(
        f"CAST({FILLED.get(column.name, 'NULL')} AS {column.type}) AS {column.name}"
        for column in columns.COLUMNS
    )
    name = f"""CASE WHEN depth = 1 THEN 'orchestrator'
        ELSE {_pick(_SUB_AGENTS, "salt", "run", "8")} END AS agent_name"""
    return f"SELECT {listed} FROM (SELECT *, {name} FROM ({_places(condition)}))"


def tasks(calls: int, seed: int = 1) -> list[Task]:
    """Return the tasks of the store with so many calls, fewest calls first."""
    with _connect() as connection:
        connection.execute(_task_table(calls, seed))
        rows = connection.execute("SELECT task_id, calls FROM task ORDER BY calls, task_id")
        return [Task(*row) for row in rows.fetchall()]


def write_lake(home: Path, calls: int, seed: int = 1, *, days: int = DAYS, threads: int = 1) -> int:
    """Write the lake of a store with so many calls; returns the number of spans.

    Raises:
        FileExistsError: There is one already.
    """
    if (home / lake.FOLDER).exists():
        raise FileExistsError(f"{home} has a lake already; name another folder, or remove it")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    spans = 0
    with _connect(threads) as connection:
        connection.execute(_task_table(calls, seed, days))
        for chunk, day in _parts(connection):
            named = date.fromordinal(UNIX_DAY + day).isoformat()
            part = lake.write(connection, home, named, _begun_on(chunk, day))
            spans += part.rows
            # A long task may rest on the day when another one ends.
            if not part.rows:
                (home / lake.FOLDER / part.file).unlink()
    return spans


def _parts(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, int]]:
    """Return the files to write: chunk and day, in days since 1970."""
    first = f"min(task_start_ns) // {DAY_NS}"
    last = f"max(task_start_ns + span_ns::BIGINT) // {DAY_NS}"
    return connection.execute(
        f"SELECT chunk, unnest(range({first}, {last} + 1)) FROM task GROUP BY chunk ORDER BY ALL"
    ).fetchall()


def _begun_on(chunk: int, day: int) -> str:
    """Return SQL for the spans of a chunk that begin on a day."""
    begin, end = day * DAY_NS, (day + 1) * DAY_NS
    condition = (
        f"chunk = {chunk} AND task_start_ns < {end} "
        f"AND task_start_ns + span_ns::BIGINT + {DAY_NS // 24} >= {begin}"
    )
    return f"FROM ({_spans(condition)}) WHERE start_ns >= {begin} AND start_ns < {end}"


def write_spool(home: Path, calls: int, seed: int = 1, days: int = DAYS) -> int:
    """Write the same spans as segments of the spool, all by this process; returns their number."""
    spool = Spool(home / "spool", "benchmark")
    spans = 0
    for line in lines(calls, seed, days):
        spool.append(line)
        spans += 1
    spool.close()
    if spool.lost:
        raise OSError(f"{home} took {spans - spool.lost} of {spans} spans")
    return spans


def lines(calls: int, seed: int = 1, days: int = DAYS) -> Iterator[bytes]:
    """Yield the spans as a recorder writes them, a JSON object and a newline each."""
    with _connect() as connection:
        connection.execute(_task_table(calls, seed, days))
        for chunk in _chunks(connection):
            result = connection.execute(f"SELECT {_line()} FROM ({_spans(f'chunk = {chunk}')})")
            while rows := result.fetchmany(10_000):
                for (line,) in rows:
                    yield line.encode() + b"\n"


def _line() -> str:
    """Return SQL for the JSON of a row of ``span``; what it does not say is left out."""
    keys = {name: keys[0] for name, keys in SPELLINGS.items() if name in FILLED}
    keys |= {"kind": semconv.KIND, "operation": semconv.OPERATION_NAME}
    of_first = "CASE WHEN kind = 'inference' THEN coalesce(operation_id, span_id) END"
    attributes = ", ".join(
        f"'{key}', {of_first if name == 'operation_id' else name}" for name, key in keys.items()
    )
    seconds = f"'{semconv.TIME_TO_FIRST_CHUNK}', time_to_first_token_ns / 1e9"
    return f"""json_merge_patch('{{}}', json_object(
        'trace_id', trace_id, 'span_id', span_id, 'parent_span_id', parent_span_id, 'name', name,
        'start_ns', start_ns, 'end_ns', start_ns + duration_ns, 'status', status, 'scope', scope,
        'attributes', json_object({attributes}, {seconds})
    ))::VARCHAR"""


def _chunks(connection: duckdb.DuckDBPyConnection) -> list[int]:
    found: list[tuple[Any, ...]] = connection.execute(
        "SELECT DISTINCT chunk FROM task ORDER BY chunk"
    ).fetchall()
    return [chunk for (chunk,) in found]


def _connect(threads: int = 1) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"memory_limit": "1GB", "threads": str(threads)})


def main() -> None:
    """Generate, and say what was made and what it took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--spool", action="store_true", help="segments of the spool, not a lake")
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    start, began = time.process_time(), time.monotonic()
    if options.spool:
        spans = write_spool(options.home, options.calls, options.seed, options.days)
    else:
        spans = write_lake(
            options.home,
            options.calls,
            options.seed,
            days=options.days,
            threads=options.threads,
        )
    cpu = time.process_time() - start
    size = sum(path.stat().st_size for path in options.home.rglob("*") if path.is_file())
    print(
        f"{options.calls:,} calls, {spans:,} spans in {len(tasks(options.calls, options.seed)):,} "
        f"tasks: {cpu:.0f} s CPU, {1e6 * cpu / options.calls:.1f} us and "
        f"{size / options.calls:.1f} bytes a call, {time.monotonic() - began:.0f} s"
    )


if __name__ == "__main__":
    main()
