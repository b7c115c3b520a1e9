"""Build the report on claims: facts from the store, then one answer per claim."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from agenttrace.compare import claims
from agenttrace.compare.claims import Claim
from agenttrace.compare.periods import Period
from agenttrace.errors import ConfigError
from agenttrace.reader import Reader
from agenttrace.report.claims import change, machines, people
from agenttrace.report.claims.facts import Facts
from agenttrace.report.claims.gathering import gathered
from agenttrace.report.claims.values import ClaimLine, ClaimsReport, SideLine
from agenttrace.report.selection import Selection

ANSWERS: Final[Mapping[str, Callable[[Claim, Facts], ClaimLine]]] = {
    "agents-over-people": people.agents_over_people,
    "most-calls-hidden": people.most_calls_hidden,
    "one-agent-over-users": people.one_agent_over_users,
    "people-are-bounded": people.people_are_bounded,
    "per-token-fell-totals-rose": change.per_token_fell,
    "per-unit-misleads": change.per_unit_misleads,
    "annual-hides-hours": machines.annual_hides_hours,
    "hardware-differs": machines.hardware_differs,
    "inference-share": machines.inference_share,
}
"""What answers each claim, from facts alone."""

EVERYTHING: Final = Selection()


@dataclass(frozen=True, slots=True)
class Asked:
    """What claims are held against.

    Attributes:
        selection: Which calls; of both workloads, because claims compare them.
        against: An earlier period; the one before where it is not given.
        persona: Id of the persona that decides; the first with a source where it is not given.
        training_share: Share of training in the electricity of models, 0 to 1.
    """

    selection: Selection = EVERYTHING
    against: Period | None = None
    persona: str | None = None
    training_share: float | None = None


def claims_report(reader: Reader, asked: Asked | None = None) -> ClaimsReport:
    """Hold each claim against what was recorded.

    Args:
        reader: An open reader.
        asked: What is held against them; everything if not given.

    Raises:
        ConfigError: There is no such persona, or the share of training is no share.
    """
    asked = asked or Asked()
    share = asked.training_share
    if share is not None and not 0 <= share <= 1:
        raise ConfigError(f"a share of training is 0 to 1, not {share:g}.")
    found = gathered(
        reader,
        asked.selection,
        against=asked.against,
        persona=asked.persona,
        training_share=share,
    )
    return ClaimsReport(
        store=str(reader.home),
        selection=str(asked.selection),
        first_started_at=found.first_started_at,
        last_started_at=found.last_started_at,
        calls=found.facts.both.calls,
        boundary=found.facts.boundary,
        sides=tuple(_sides(found.facts)),
        claims=tuple(ANSWERS[claim.id](claim, found.facts) for claim in claims.shipped()),
        coverage=found.coverage,
        method=found.method,
        warnings=found.warnings,
    )


def _sides(facts: Facts) -> Iterator[SideLine]:
    for name, side in (
        ("all", facts.both),
        ("agentic", facts.agentic),
        ("user-facing", facts.people),
    ):
        yield SideLine(
            name=name,
            tasks=side.tasks,
            calls=side.calls,
            hidden_calls=side.hidden_calls,
            tokens=side.tokens,
            energy_wh=side.energy_wh.range if side.energy_wh is not None else None,
        )
