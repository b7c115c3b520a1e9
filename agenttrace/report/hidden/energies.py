"""Ranges of the energy of parts of what is selected: draws of a part are added before the 5 %."""

from dataclasses import dataclass
from typing import Final

from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report import sums

_DRAWN: Final = """
WITH
part AS (
    SELECT
        {key} AS part,
        coalesce(task_workload.user_turns > 0, FALSE) AS has_turn,
        agent_moments.region,
        agent_moments.provider,
        agent_moments.model,
        agent_moments.basis,
        sum(agent_moments.uncached) AS uncached,
        sum(agent_moments.uncached_context) AS uncached_context,
        sum(agent_moments.cached) AS cached,
        sum(agent_moments.output) AS output,
        sum(agent_moments.output_context) AS output_context,
        sum(agent_moments.energy_wh) AS energy_wh
    FROM agent_moments
    INNER JOIN task_workload ON agent_moments.task_id = task_workload.task_id
    GROUP BY ALL
    HAVING {which}
),

central AS (
    SELECT
        part.part,
        sum(part.energy_wh) AS energy_wh,
        sum(part.energy_wh) FILTER (WHERE part.has_turn) AS turn_wh
    FROM part
    GROUP BY part.part
),

priced AS (
    SELECT
        part.part,
        part.has_turn,
        energy_draw.draw,
        (
            coalesce(part.uncached, 0) * energy_draw.j_uncached
            + coalesce(part.uncached_context, 0) * energy_draw.j_uncached_context
            + coalesce(part.cached, 0) * energy_draw.j_cached
            + coalesce(part.output, 0) * energy_draw.j_output
            + coalesce(part.output_context, 0) * energy_draw.j_output_context
        ) / 3600 AS energy_wh
    FROM part
    INNER JOIN energy_draw
        ON
            part.region IS NOT DISTINCT FROM energy_draw.region
            AND part.provider IS NOT DISTINCT FROM energy_draw.provider
            AND part.model IS NOT DISTINCT FROM energy_draw.model
            AND part.basis = energy_draw.basis
),

drawn AS (
    SELECT
        priced.part,
        priced.draw,
        sum(priced.energy_wh) AS energy_wh,
        sum(priced.energy_wh) FILTER (WHERE priced.has_turn) AS turn_wh
    FROM priced
    GROUP BY priced.part, priced.draw
),

ends AS (
    SELECT
        drawn.part,
        low_of_draws(drawn.energy_wh) AS low_wh,
        high_of_draws(drawn.energy_wh) AS high_wh,
        low_of_draws(drawn.turn_wh) AS turn_low_wh,
        high_of_draws(drawn.turn_wh) AS turn_high_wh
    FROM drawn
    GROUP BY drawn.part
)

SELECT
    central.*,
    ends.* EXCLUDE (part)
FROM central
LEFT JOIN ends ON central.part IS NOT DISTINCT FROM ends.part
"""


@dataclass(frozen=True, slots=True)
class Energies:
    """Energy of a part, and what of it tasks with a user turn used; None where no usage is told."""

    all_wh: Range | None
    turn_wh: Range | None


NONE: Final = Energies(None, None)


def energies(reader: Reader, key: str, which: str = "TRUE") -> dict[object, Energies]:
    """Return the energy of each part.

    Args:
        reader: An open reader, in which ``agent_moments`` and ``task_workload`` are held.
        key: SQL, trusted, for what part a row of these two is of.
        which: SQL, trusted, for which parts, by *key*.
    """
    rows = reader.query(_DRAWN.format(key=key, which=which))
    return {
        row["part"]: Energies(
            sums.spread(row["low_wh"], row["energy_wh"], row["high_wh"]),
            sums.spread(row["turn_low_wh"], row["turn_wh"], row["turn_high_wh"]),
        )
        for row in rows
    }
