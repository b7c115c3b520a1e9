"""What the answers to all claims have in common: figures, bounds and verdicts, in words."""

from collections.abc import Sequence
from typing import Final

from agenttrace.compare import claims
from agenttrace.compare.claims import Bound, Claim, Verdict
from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.claims.facts import Facts
from agenttrace.report.claims.values import ClaimLine, Finding
from agenttrace.report.intensity import Intensity

_FINE: Final = 100  # per cent, from which on a decimal tells nothing
_WHOLE: Final = 0.05  # what a decimal shows as a whole per cent

REACHES_OVER: Final = (
    "a narrower range: it reaches over what is claimed. `agenttrace explain` says what it is due "
    "to, and a meter (`agenttrace measure`) or factors of yours (--factors) narrow it"
)


def exactly(value: float) -> Range:
    """Return what is counted, and so has no range."""
    return Range(value, value, value)


def finding(bound: Bound, value: Range | None, said: str) -> Finding:
    """Return a figure with its verdict; *said* is a sentence with period and boundary."""
    verdict = claims.judge(value, bound)
    side = None
    # Of a fall, more and less are told by its sign.
    has_side = bound.unit not in ("change", "opposite")
    if value is not None and verdict == claims.NOT_SUPPORTED and has_side:
        is_more = bound.at_most is not None and value.low > bound.at_most
        side = "more than claimed" if is_more else "less than claimed"
    return Finding(
        of=bound.of,
        unit=bound.unit,
        value=value,
        bound=in_words(bound),
        at_least=bound.at_least,
        at_most=bound.at_most,
        above=bound.above,
        verdict=verdict,
        side=side,
        said=said,
    )


def nothing(bound: Bound, said: str) -> Finding:
    """Return that there is no figure, and why."""
    return finding(bound, None, said)


def line(
    claim: Claim,
    facts: Facts,
    findings: Sequence[Finding],
    *,
    also: Sequence[str] = (),
    intensities: Sequence[Intensity] = (),
    missing: str | None = None,
    period: str | None = None,
    against: str | None = None,
    persona: str | None = None,
) -> ClaimLine:
    """Return the answer to a claim.

    Args:
        claim: The claim.
        facts: For its period.
        findings: One per bound.
        also: What is worth knowing beside them.
        intensities: What it is about, for each of something.
        missing: What is missing beside what the claim says brings it.
        period: The later period, where it is not that of the facts.
        against: The earlier period, where it is about a change.
        persona: Whose use it is compared with.
    """
    verdict = claims.together((one.verdict for one in findings), claim.holds_if)
    return ClaimLine(
        id=claim.id,
        claim=claim.text,
        answered_by=claim.answered_by,
        verdict=verdict,
        findings=tuple(findings),
        also=tuple(also),
        intensities=tuple(intensities),
        missing=_missing(claim, verdict, findings, missing),
        period=period or facts.period,
        against=against,
        persona=persona,
    )


def _missing(
    claim: Claim, verdict: Verdict, findings: Sequence[Finding], said: str | None
) -> str | None:
    if verdict != claims.NOT_ENOUGH:
        return None
    if said is not None:
        return said
    undecided = [one for one in findings if one.verdict == claims.NOT_ENOUGH]
    return claim.brings if any(one.value is None for one in undecided) else REACHES_OVER


def in_words(bound: Bound) -> str:
    """Return what a figure must be."""
    if bound.unit == "opposite":
        return "moves against the total"
    if bound.above is not None:
        return f"more than {amount(bound.above, bound)}"
    if bound.at_least is None:
        assert bound.at_most is not None
        return f"{amount(bound.at_most, bound)} or less"
    if bound.at_most is None:
        return f"{amount(bound.at_least, bound)} or more"
    least, most = amount(bound.at_least, bound), amount(bound.at_most, bound)
    return f"{least.removesuffix(' times')} to {most}"


def amount(value: float, bound: Bound) -> str:
    """Return a figure in the unit of *bound*."""
    match bound.unit:
        case "share":
            return figures.share(value, 1) if value else "0 %"
        case "change":
            return figures.change(value) if value else "0 %"
        case "times":
            return f"{value:,g} times"
        case unit:
            return f"{value:,.0f} {unit}"


def ranged(value: Range, of: str = "") -> str:
    """Return a range with its ends, or the one figure that all are, two significant digits."""
    ends = (value.low, value.central, value.high)
    shown = tuple(map(figures.significant, ends))
    return f"{shown[1] if len(set(shown)) == 1 else figures.dashed(shown)}{of}"


def changed(value: Range) -> str:
    """Return a range of changes in per cent, with a decimal where a bound may be near."""
    shown = tuple(map(_moved, (value.low, value.central, value.high)))
    return shown[1] if len(set(shown)) == 1 else f"{shown[1]} ({shown[0]} to {shown[2]})"


def _moved(part: float) -> str:
    percent = 100 * part
    if abs(percent) >= _FINE or abs(percent - round(percent)) < _WHOLE:
        return figures.change(round(percent) / 100)
    return f"{percent:+.1f} %"


def energy(value: Range | None) -> str:
    """Return an amount of energy with its range."""
    return "unknown energy" if value is None else figures.interval(value, figures.ENERGY)


def within(facts: Facts) -> str:
    """Return period and boundary, as every sentence on energy has them."""
    return f"{facts.period}, boundary {facts.boundary}"
