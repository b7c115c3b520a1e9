"""The attributes that are kept: they say who, when and how much, and none of them what was said.

A list of what may be kept, and not of what may not: nobody can list all that may hold a prompt.
"""

from collections.abc import Mapping
from typing import Final

from agenttrace import semconv

AttributeValue = str | bool | int | float

# What other instrumentations say, in their own spelling. The fold knows the spellings.
THEIRS: Final = frozenset(
    {
        "task.id",
        "session.id",
        "agent.name",
        "cache_read_tokens",
        "input_cached_tokens",
        "cloud.region",
        "embedding.model_name",
        "error.type",
        "gen_ai.agent.id",
        "gen_ai.agent.name",
        "gen_ai.conversation.id",
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.request.model",
        "gen_ai.request.stream",
        "gen_ai.response.id",
        "gen_ai.response.model",
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.system",
        "gen_ai.tool.name",
        "gen_ai.workflow.name",
        "host.name",
        "http.request.resend_count",
        "http.response.status_code",
        "llm.model_name",
        "llm.provider",
        "llm.request.type",
        "llm.system",
        "openinference.span.kind",
        "process.pid",
        "reranker.model_name",
        "server.address",
        "service.name",
        "tool.name",
        "traceloop.entity.name",
        "traceloop.span.kind",
        "traceloop.workflow.name",
        "vcs.ref.head.name",
    }
)
# What a program or an integration may say as well.
OURS: Final = THEIRS | {
    semconv.AGENT_DEPTH,
    semconv.AGENT_SPAN_ID,
    semconv.ATTEMPT,
    semconv.CACHE_WRITE_1H_TOKENS,
    semconv.CAPTURE,
    semconv.COST_USD,
    semconv.HEADLESS,
    semconv.MEASURED_BOUNDARY,
    semconv.MEASURED_J,
    semconv.KIND,
    semconv.OPERATION_ID,
    semconv.OUTCOME,
    semconv.PROJECT,
    semconv.REQUEST_ID,
    semconv.ROLE,
    semconv.TASK_NAME,
    semconv.TASK_OUTCOME,
    semconv.UPSTREAM_PROVIDER,
    semconv.USAGE,
    semconv.USER_TURNS,
    semconv.VISIBLE,
    semconv.WIRE_CALLS,
    semconv.WORKLOAD,
    "agenttrace.aggregated",  # of the integration with the Claude Agent SDK: a sum of calls
}
# Whatever begins like this is a count, so only numbers are.
_COUNTS: Final = (
    "gen_ai.usage.",
    "llm.token_count.",
    "llm.usage.",
    "anthropic.usage.",
)
_PLAIN: Final = frozenset({str, bool, int, float})


def of(attributes: Mapping[str, object], keys: frozenset[str] = OURS) -> dict[str, AttributeValue]:
    """Return those of *attributes* that are kept: *keys* and counts, no lists and no mappings."""
    return {
        key: value if type(value) in _PLAIN else _plain(value)
        for key, value in attributes.items()
        if isinstance(value, str | int | float)
        and (key in keys or (key.startswith(_COUNTS) and not isinstance(value, str)))
    }


def _plain(value: str | float) -> AttributeValue:
    """Return what the encoder of the spool can write, of a member of an enumeration or NumPy's."""
    if isinstance(value, str):
        return str.__str__(value)
    return int(value) if isinstance(value, int) else float(value)
