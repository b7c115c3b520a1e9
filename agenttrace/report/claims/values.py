"""What the report on claims says, as plain values.

Units are in the names or beside the values. ``None`` is what is not known, never zero.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from agenttrace.compare.claims import Unit, Verdict
from agenttrace.model import Range
from agenttrace.report.intensity import Intensity
from agenttrace.report.values import Coverage, Method


@dataclass(frozen=True, slots=True)
class Finding:
    """A figure that a claim is tested with.

    Attributes:
        of: What it is.
        unit: ``times``, ``share``, ``users``, ``prompts``, ``change`` (0.5 is +50 %) or
            ``opposite`` (1 where a figure moved against the total, -1 where with it).
        value: The figure; low, central and high are one where it is counted. None where there is
            none.
        bound: What it must be, in words.
        at_least: Lowest value that is within; None where there is none.
        at_most: Highest value that is within; None where there is none.
        above: Highest value that is still outside; None where there is none.
        verdict: Of this figure alone.
        side: Of one that is not supported: ``more than claimed`` or ``less than claimed``; None
            of a change, whose sign tells it.
        said: What the data say, a sentence with period and boundary.
    """

    of: str
    unit: Unit
    value: Range | None
    bound: str
    at_least: float | None
    at_most: float | None
    above: float | None
    verdict: Verdict
    side: Literal["more than claimed", "less than claimed"] | None
    said: str


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """A claim, what the data say, and the verdict.

    Attributes:
        id: Stable name.
        claim: What is claimed, in our words.
        answered_by: What is looked at.
        verdict: ``supported``, ``not supported`` or ``not enough data``.
        findings: The figures that decide, in the order of the bounds.
        also: What is worth knowing beside them, a sentence each.
        intensities: Figures for each of something that the claim is about, with total and volume.
        missing: What would bring a verdict; None where there is one.
        period: When.
        against: The earlier period; None where the claim needs none, or there is none.
        persona: Whose use it is compared with, and where that is from; None where with nobody's.
    """

    id: str
    claim: str
    answered_by: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    also: tuple[str, ...]
    intensities: tuple[Intensity, ...]
    missing: str | None
    period: str
    against: str | None
    persona: str | None


@dataclass(frozen=True, slots=True)
class SideLine:
    """Calls of one workload, or all, in absolute figures.

    Attributes:
        name: ``all``, ``agentic`` or ``user-facing``.
        tasks: Tasks that made a call in the period, or began in it.
        calls: Model calls.
        hidden_calls: Those that no person reads.
        tokens: Input and output; None where no call reports any.
        energy_wh: Range over the draws of the factors; None where no call reports its usage.
    """

    name: str
    tasks: int
    calls: int
    hidden_calls: int
    tokens: int | None
    energy_wh: Range | None


@dataclass(frozen=True, slots=True)
class ClaimsReport:
    """Claims, each held against what was recorded.

    Attributes:
        store: The folder.
        selection: What is looked at, in words.
        first_started_at: Start of the first call; None without calls.
        last_started_at: Start of the last call; None without calls.
        calls: Model calls of the period.
        boundary: What the energy covers.
        sides: All calls of the period, then the agentic and the user-facing ones.
        claims: In the order of the file.
        coverage: What the figures rest on.
        method: How energy was estimated.
        warnings: What to know before believing a figure, a sentence each.
    """

    kind: ClassVar[str] = "claims"

    store: str
    selection: str
    first_started_at: str | None
    last_started_at: str | None
    calls: int
    boundary: str
    sides: tuple[SideLine, ...]
    claims: tuple[ClaimLine, ...]
    coverage: Coverage
    method: Method
    warnings: tuple[str, ...]
