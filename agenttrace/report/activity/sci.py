"""Software carbon intensity of workflow executions, with the making of the hardware in it.

Source: ISO/IEC 21031:2024 for ``SCI = (E * I + M) / R``; the draft of SCI for AI,
<https://github.com/Green-Software-Foundation/sci-ai>, SPEC.md, section 8.1, for R: agentic AI is
counted per execution.
"""

from collections.abc import Iterator
from typing import Final

from agenttrace.compare import embodied
from agenttrace.compare.embodied import Embodied, Usage
from agenttrace.energy import catalogue
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report.activity.values import Sci
from agenttrace.report.intensity import Intensity, intensity
from agenttrace.report.sums import Row, carbon_g

_NS_PER_S: Final = 1e9
_G_PER_KG: Final = 1e3

# What generates takes hardware of which something is known.
_USAGES: Final = """
SELECT
    strftime(call_rollup.hour, '%Y-%m') AS month,
    coalesce(task_workload.workload, 'agentic') AS workload,
    task_workload.project,
    call_rollup.provider,
    call_rollup.model,
    sum(call_rollup.output_tokens_calls)::BIGINT AS calls,
    sum(call_rollup.output)::BIGINT AS output_tokens,
    sum(call_rollup.duration_ns)::DOUBLE AS duration_ns,
    sum(call_rollup.duration_ns_calls)::BIGINT AS duration_ns_calls
FROM call_rollup
LEFT JOIN task_workload ON call_rollup.task_id = task_workload.task_id
WHERE call_rollup.output_tokens_calls <> 0
GROUP BY ALL
HAVING sum(call_rollup.output_tokens_calls) > 0 AND sum(call_rollup.output) > 0
ORDER BY ALL
"""

Key = tuple[str, str, str | None]
"""Month, workload and project."""


def key(row: Row) -> Key:
    """Return what a row of ``activity_workflow`` is about."""
    return row["month"], row["workload"], row["project"]


def making(reader: Reader) -> dict[Key, Embodied]:
    """Return what making the hardware costs, where something is known of it."""
    usages: dict[Key, list[Usage]] = {}
    for of, usage in _usages(reader):
        usages.setdefault(of, []).append(usage)
    found = {of: embodied.embodied(some) for of, some in usages.items()}
    return {of: one for of, one in found.items() if one is not None}


def _usages(reader: Reader) -> Iterator[tuple[Key, Usage]]:
    factors = {(one.provider, one.model): one for one in reader.factors.models}
    for row in reader.query(_USAGES):
        calls, timed = row["calls"], row["duration_ns_calls"]
        # Calls whose duration nobody knows are taken to last as long as the others.
        latency_s = row["duration_ns"] / _NS_PER_S * calls / timed if timed else None
        yield (
            key(row),
            embodied.of_model(
                factors[row["provider"], row["model"]].match,
                catalogue.entry(row["model"], reader.factors.origin),
                calls,
                row["output_tokens"],
                latency_s,
            ),
        )


def sci(row: Row, made: Embodied | None) -> Sci:
    """Return the score of a row of ``activity_workflow``.

    Ranges are added end to end: nothing tells how the errors of the two go together, and that is
    the widest.
    """
    operational_g = carbon_g(row)
    embodied_g = made.gwp_kgco2e * _G_PER_KG if made else None
    return Sci(
        operational_g=operational_g,
        embodied_g=embodied_g,
        embodied_calls=made.calls if made else 0,
        executions=row["tasks"],
        per_execution=_score(row, operational_g, embodied_g),
    )


def _score(row: Row, operational_g: Range | None, embodied_g: Range | None) -> Intensity | None:
    if operational_g is None or embodied_g is None:
        return None
    return intensity(
        "carbon",
        "g",
        "workflow execution",
        period=row["month"],
        total=operational_g + embodied_g,
        volume=row["tasks"],
    )
