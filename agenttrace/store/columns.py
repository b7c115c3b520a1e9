"""The columns of the ``span`` table: type, meaning with the unit, and the SQL that reads each."""

import json
from dataclasses import dataclass
from typing import Final

from agenttrace import semconv
from agenttrace.store.spellings import (
    INPUT_WITHOUT_CACHE,
    KINDS,
    OPERATIONS,
    SPELLINGS,
)

TOKENS: Final = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
    "input_audio_tokens",
    "input_image_tokens",
    "output_audio_tokens",
    "output_image_tokens",
)
TOKENS_AT_MOST: Final = 10**12  # far more than any call holds; keeps every sum a BIGINT
_ATTEMPTS_AT_MOST: Final = 1_000_000
_DEPTH_AT_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Column:
    """One column of ``span``.

    Attributes:
        name: As SQL knows it.
        type: SQL type.
        comment: Meaning, with the unit.
        source: SQL over the fields of a record (see ``rows_of``).
    """

    name: str
    type: str
    comment: str
    source: str


def _said(name: str, sql_type: str = "VARCHAR") -> str:
    """Return SQL for what the attributes say about *name*, whatever they call it."""
    keys = [f'attributes."{key}"' for key in SPELLINGS[name]]
    text = keys[0] if len(keys) == 1 else f"coalesce({', '.join(keys)})"
    return text if sql_type == "VARCHAR" else f"TRY_CAST({text} AS {sql_type})"


def _between(name: str, least: int, most: int) -> str:
    """Return SQL for a whole number; NULL beyond bounds that leave room to calculate with it."""
    number = _said(name, "INTEGER")
    return f"CASE WHEN {number} BETWEEN {least} AND {most} THEN {number} END"


def _decoded(table: dict[str, dict[str, str]], otherwise: str) -> str:
    """Return SQL that looks the values of attributes up, one attribute after the other."""
    found = [_looked_up(f'attributes."{key}"', values) for key, values in table.items()]
    return f"coalesce({', '.join([*found, otherwise])})"


def _looked_up(text: str, table: dict[str, str]) -> str:
    """Return SQL for what *table* says to a text, whatever its case; NULL where it says nothing."""
    # Planned in less time than a CASE of as many branches, and as fast.
    keys, values = ([f"'{one}'" for one in side] for side in (table.keys(), table.values()))
    return f"[{', '.join(values)}][list_position([{', '.join(keys)}], lower({text}))]"


def _provider() -> str:
    said = _said("provider")
    return f"coalesce({_looked_up(said, semconv.PROVIDERS)}, lower({said}))"


def _one_of(name: str, *values: str) -> str:
    return f"CASE WHEN {_said(name)} IN ({', '.join(map(repr, values))}) THEN {_said(name)} END"


def _counted() -> str:
    """Return SQL for whether a span counts as a call, where no other span has a say in it.

    What we saw at the wire is a call. Where its tokens are not reported and its response has an id,
    a later request may fetch them; of OpenRouter, what it cost.
    """
    reported = f"{_said('usage')} = 'reported' AND NOT tokens_refused"
    told = f"provider <> 'openrouter' OR {_said('cost_usd')} IS NOT NULL"
    nothing_to_fetch = f"coalesce({_said('response_id')}, '') = ''"
    return f"""CASE
        WHEN kind <> 'inference' THEN FALSE
        WHEN {_said("wire_calls", "BIGINT")} > 0 THEN FALSE
        WHEN scope = 'agenttrace'
            AND {_said("capture")} = 'wire'
            AND attributes."{semconv.OPERATION_NAME}" IS DISTINCT FROM 'fetch_response'
            AND ({nothing_to_fetch} OR (coalesce({reported}, FALSE) AND coalesce({told}, TRUE)))
            THEN TRUE
    END"""


# A table reads best as one.
# fmt: off
COLUMNS: Final = tuple(Column(*row) for row in (
    ("trace_id", "VARCHAR", "trace of the span, 32 hex digits", "trace_id"),
    ("span_id", "VARCHAR", "the span, 16 hex digits", "span_id"),
    ("parent_span_id", "VARCHAR",
     "enclosing span, 16 hex digits; NULL for a root; it may be late or never arrive",
     "CASE WHEN parent_span_id NOT IN ('', '0000000000000000') THEN parent_span_id END"),
    ("kind", "VARCHAR",
     "task, agent, tool, step, inference, fact or other; only inference can be a model call",
     "kind"),
    ("name", "VARCHAR", "name of the span", "coalesce(name, '')"),
    ("scope", "VARCHAR", "instrumentation that made it; agenttrace for our own",
     "coalesce(scope, '')"),
    ("service_name", "VARCHAR", "service.name of the process",
     f"coalesce({_said('service_name')}, service_name)"),
    ("host", "VARCHAR", "machine of the process", f"coalesce({_said('host')}, host)"),
    ("pid", "BIGINT", "the process", f"coalesce({_said('pid', 'BIGINT')}, pid)"),
    ("started_at", "TIMESTAMP", "start, UTC", "make_timestamp(start_ns // 1000)"),
    ("start_ns", "BIGINT", "start, nanoseconds since 1970-01-01 UTC", "start_ns"),
    ("duration_ns", "BIGINT",
     "nanoseconds from start to end; NULL where the end is missing or before the start",
     "CASE WHEN start_ns >= 0 AND end_ns >= start_ns THEN end_ns - start_ns END"),
    ("status", "VARCHAR", "ok, error or unset",
     "CASE WHEN status IN ('ok', 'error') THEN status ELSE 'unset' END"),
    ("error_type", "VARCHAR", "class or code of an error, never its text", _said("error_type")),
    ("task_id", "VARCHAR", "task of the span, as recorded", _said("task_id")),
    ("task_name", "VARCHAR", "name of the task", _said("task_name")),
    ("session_id", "VARCHAR", "conversation of the span", _said("session_id")),
    ("workload", "VARCHAR", "agentic or user-facing; on the task's root span only",
     _said("workload")),
    ("headless", "BOOLEAN", "nobody reads the task's answer; on the task's root span only",
     _said("headless", "BOOLEAN")),
    ("project", "VARCHAR", "project of the task; on the task's root span only", _said("project")),
    ("branch", "VARCHAR", "branch of the repository that the task works in", _said("branch")),
    ("user_turns", "BIGINT", "number of prompts by a person that this record tells of",
     f"CASE WHEN {_said('user_turns', 'BIGINT')} BETWEEN 0 AND {_ATTEMPTS_AT_MOST} "
     f"THEN {_said('user_turns', 'BIGINT')} END"),
    ("user_hash", "VARCHAR", "who prompted, as a keyed hash", _said("user_hash")),
    ("task_outcome", "VARCHAR", "what became of the task: success, failure or abandoned",
     _one_of("task_outcome", "success", "failure", "abandoned")),
    ("outcome_reference", "VARCHAR", "what the outcome can be looked up by, such as a ticket",
     _said("outcome_reference")),
    ("agent", "VARCHAR", "name of the nearest enclosing agent", _said("agent")),
    ("agent_span_id", "VARCHAR", "span of the nearest enclosing agent, 16 hex digits",
     _said("agent_span_id")),
    ("agent_depth", "INTEGER", "agents around the span: 0 none, 1 inside the root agent",
     _between("agent_depth", 0, _DEPTH_AT_MOST)),
    ("role", "VARCHAR", "role of a call, as recorded", _said("role")),
    ("visible", "BOOLEAN", "marked by the user: a person reads the output, or does not",
     _said("visible", "BOOLEAN")),
    ("operation_id", "VARCHAR",
     "attempts of one operation share it; NULL for an operation that begins with this span",
     f"nullif({_said('operation_id')}, span_id)"),
    ("attempt", "INTEGER", "1 for the first attempt of an operation",
     f"coalesce({_between('attempt', 1, _ATTEMPTS_AT_MOST)}, "
     f"{_between('resend_count', 0, _ATTEMPTS_AT_MOST - 1)} + 1)"),
    ("operation", "VARCHAR", "gen_ai.operation.name: chat, embeddings, invoke_agent, ...",
     f'coalesce(attributes."{semconv.OPERATION_NAME}", {_decoded(OPERATIONS, "NULL")})'),
    ("capture", "VARCHAR",
     "what saw a model call: wire, frame, otlp or log; result for what an agent says it used in "
     "all; NULL for other instrumentations",
     _one_of("capture", "wire", "frame", "otlp", "log", "result")),
    ("usage", "VARCHAR",
     "who says the tokens: reported, partial, estimated or missing; NULL where nothing does",
     f"CASE WHEN NOT tokens_refused THEN "
     f"{_one_of('usage', 'reported', 'partial', 'estimated', 'missing')} END"),
    ("outcome", "VARCHAR",
     "how the response ended: complete, incomplete, abandoned, or interrupted with its process",
     f"CASE WHEN interrupted THEN 'interrupted' ELSE {_said('outcome')} END"),
    ("counted", "BOOLEAN",
     "it is a model call, or is none, whatever else is recorded; NULL where other spans tell",
     _counted()),
    ("provider", "VARCHAR", "gen_ai.provider.name, in lower case", "provider"),
    ("request_model", "VARCHAR", "model that was asked for", _said("request_model")),
    ("response_model", "VARCHAR", "model that answered", _said("response_model")),
    ("response_id", "VARCHAR", "the provider's id of the response", _said("response_id")),
    ("request_id", "VARCHAR", "the provider's id of the request, where the source says it",
     _said("request_id")),
    ("server_address", "VARCHAR", "host name of the provider", _said("server_address")),
    ("region", "VARCHAR", "cloud region, where the host tells", _said("region")),
    ("http_status", "INTEGER", "HTTP status of the response", _said("http_status", "INTEGER")),
    ("time_to_first_token_ns", "BIGINT", "nanoseconds from the request to the first chunk",
     f"CASE WHEN {_said('time_to_first_token_s', 'DOUBLE')} BETWEEN 0 AND 1e6 "
     f"THEN CAST({_said('time_to_first_token_s', 'DOUBLE')} * 1e9 AS BIGINT) END"),
    ("input_tokens", "BIGINT",
     "tokens sent, cache reads and writes included; NULL where not reported", "input_tokens"),
    ("cache_read_tokens", "BIGINT",
     "part of input_tokens read from a prompt cache; NULL where not reported",
     "cache_read_tokens"),
    ("cache_write_tokens", "BIGINT",
     "part of input_tokens written to a prompt cache; NULL where not reported",
     "cache_write_tokens"),
    ("cache_write_1h_tokens", "BIGINT",
     "part of cache_write_tokens kept for an hour; NULL where not reported",
     "cache_write_1h_tokens"),
    ("output_tokens", "BIGINT",
     "tokens generated, reasoning included; NULL where not reported", "output_tokens"),
    ("reasoning_tokens", "BIGINT",
     "part of output_tokens that is reasoning; NULL where not reported", "reasoning_tokens"),
    ("input_audio_tokens", "BIGINT",
     "part of input_tokens that is audio; NULL where not reported", "input_audio_tokens"),
    ("input_image_tokens", "BIGINT",
     "part of input_tokens that is images; NULL where not reported", "input_image_tokens"),
    ("output_audio_tokens", "BIGINT",
     "part of output_tokens that is audio; NULL where not reported", "output_audio_tokens"),
    ("output_image_tokens", "BIGINT",
     "part of output_tokens that is images; NULL where not reported", "output_image_tokens"),
    ("upstream_provider", "VARCHAR", "who served the call, where the provider is a router",
     _said("upstream_provider")),
    ("cost_usd", "DOUBLE", "US dollars that the provider says it charged",
     f"CASE WHEN {_said('cost_usd', 'DOUBLE')} BETWEEN 0 AND 1e9 "
     f"THEN {_said('cost_usd', 'DOUBLE')} END"),
    ("measured_j", "DOUBLE", "joules that a meter saw for this call alone; NULL where none did",
     f"CASE WHEN {_said('measured_j', 'DOUBLE')} BETWEEN 0 AND 1e10 "
     f"THEN {_said('measured_j', 'DOUBLE')} END"),
    ("measured_boundary", "VARCHAR", "what measured_j covers: accelerator, server or facility",
     _one_of("measured_boundary", "accelerator", "server", "facility")),
))
# fmt: on

NAMES: Final = ", ".join(column.name for column in COLUMNS)

# A file keeps what cannot be told from the rest.
FILED: Final = tuple(column for column in COLUMNS if column.name != "started_at")


def shape() -> str:
    """Return the part of a record that is read, as ``json_transform`` wants it."""
    fields: dict[str, object] = {
        "trace_id": "VARCHAR",
        "span_id": "VARCHAR",
        "parent_span_id": "VARCHAR",
        "name": "VARCHAR",
        "start_ns": "BIGINT",
        "end_ns": "BIGINT",
        "status": "VARCHAR",
        "scope": "VARCHAR",
        "interrupted": "BOOLEAN",
    }
    keys = {key for keys in SPELLINGS.values() for key in keys}
    keys.update(KINDS, OPERATIONS)
    return json.dumps({**fields, "attributes": dict.fromkeys(sorted(keys), "VARCHAR")})


def none() -> str:
    """Return a SELECT with these columns and no rows."""
    nothing = ", ".join(f"NULL::{column.type} AS {column.name}" for column in COLUMNS)
    return f"SELECT {nothing} WHERE FALSE"


def table(name: str) -> str:
    """Return SQL that creates an empty table with these columns."""
    return (
        f"CREATE OR REPLACE TABLE {name} ({', '.join(f'{one.name} {one.type}' for one in COLUMNS)})"
    )


def rows_of(lines: str, segments: str) -> str:
    """Return a SELECT that reads records.

    Args:
        lines: Table with ``segment`` (its number), ``number`` (of the line, from 1) and ``line``.
        segments: Table with ``segment``, ``service_name``, ``host`` and ``pid``.

    Returns:
        SQL for one row per line: the columns of ``span``, then ``segment``, ``number``, and
        ``refused`` (why the line is no span, or NULL) and ``tokens_refused`` (a token count of a
        line that is a span is not a number of tokens, so it is NULL).
    """
    counts = (*TOKENS, "total_tokens")
    said = ",\n        ".join(f"{_said(name)} AS {name}_said" for name in counts)
    counted = ",\n        ".join(
        f"CASE WHEN TRY_CAST({name}_said AS BIGINT) BETWEEN 0 AND {TOKENS_AT_MOST} "
        f"THEN TRY_CAST({name}_said AS BIGINT) END AS {name}"
        for name in counts
    )
    refused = " OR ".join(f"({name}_said IS NOT NULL AND {name} IS NULL)" for name in TOKENS)
    columns = ",\n    ".join(f"{column.source} AS {column.name}" for column in COLUMNS)
    return f"""
WITH parsed AS (
    SELECT segment, number, TRY(json_transform(line, '{shape()}')) AS record
    FROM {lines}
),
said AS (
    SELECT
        segment, number, record IS NULL AS torn, unnest(record),
        {said}
    FROM (SELECT segment, number, record, record.attributes AS attributes FROM parsed)
),
counted AS (
    SELECT
        * EXCLUDE ({", ".join(f"{name}_said" for name in counts)}),
        {counted},
        {refused} AS tokens_refused
    FROM said
),
inclusive AS (
    SELECT
        * REPLACE (
            {_input()} AS input_tokens,
            {_output()} AS output_tokens
        ),
        {_decoded(KINDS, "'other'")} AS kind,
        {_provider()} AS provider
    FROM counted
)
SELECT
    {columns},
    segment,
    number,
    {_refusal()} AS refused,
    tokens_refused
FROM inclusive
LEFT JOIN {segments} USING (segment)
"""


def _input() -> str:
    """Input with the cache in it, whether the source counts it so or beside."""
    cache = "coalesce(cache_read_tokens, 0) + coalesce(cache_write_tokens, 0)"
    beside = " OR ".join(
        (
            f"scope IN ({', '.join(map(repr, INPUT_WITHOUT_CACHE))})",
            f"input_tokens < {cache}",
            f"total_tokens = input_tokens + output_tokens + {cache}",
        )
    )
    return f"CASE WHEN {beside} THEN input_tokens + {cache} ELSE input_tokens END"


def _output() -> str:
    """Output with the reasoning in it; Gemini's candidates come without."""
    beside = (
        "output_tokens < reasoning_tokens "
        "OR total_tokens = input_tokens + output_tokens + reasoning_tokens"
    )
    return f"CASE WHEN {beside} THEN output_tokens + reasoning_tokens ELSE output_tokens END"


def _refusal() -> str:
    return """CASE
        WHEN torn THEN 'not JSON'
        WHEN trace_id IS NULL OR length(trace_id) <> 32 OR trace_id = repeat('0', 32)
            THEN 'no trace id'
        WHEN span_id IS NULL OR length(span_id) <> 16 OR span_id = repeat('0', 16)
            THEN 'no span id'
        WHEN start_ns IS NULL OR start_ns < 0 THEN 'no start'
        WHEN attributes IS NULL THEN 'no attributes'
    END"""
