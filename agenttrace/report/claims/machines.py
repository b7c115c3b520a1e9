"""Claims on what is below the calls: certificates, hardware, training."""

from collections.abc import Sequence
from math import fsum

from agenttrace.compare.claims import Claim
from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.carbon.values import MatchLine
from agenttrace.report.claims import answer
from agenttrace.report.claims.facts import Facts
from agenttrace.report.claims.hardware import Variant
from agenttrace.report.claims.values import ClaimLine


def annual_hides_hours(claim: Claim, facts: Facts) -> ClaimLine:
    """Answer from the match by the year less that by the hour, over all calls of the year.

    Certificates whose hour nobody knows may or may not match it: they make the range.
    """
    (bound,) = claim.bound
    gap = _gap(facts.matching)
    if gap is None:
        said = f"No certificate is known of a zone and year with calls ({answer.within(facts)})."
        return answer.line(claim, facts, [answer.nothing(bound, said)])
    annual, hourly = _matches(facts.matching)
    energy_wh = fsum(one.energy_wh for one in facts.matching)
    said = (
        f"By the year {figures.share(annual, 1)} of {_central(energy_wh)} are matched, and by the "
        f"hour {_shares(hourly)} (all calls of {_years(facts.matching)}, boundary "
        f"{facts.boundary})."
    )
    missing = None
    if gap.low != gap.high:
        missing = (
            "the hour in which certificates were made, where it is not known: "
            "`agenttrace grid certificates FILE` reads it from a column hour"
        )
    return answer.line(
        claim,
        facts,
        [answer.finding(bound, gap, said)],
        missing=missing,
        period=_years(facts.matching),
    )


def _years(lines: Sequence[MatchLine]) -> str:
    zones: dict[str, list[str]] = {}
    for one in lines:
        zones.setdefault(one.zone, []).append(str(one.year))
    return "; ".join(f"{zone} in {', '.join(years)}" for zone, years in zones.items())


def _matches(lines: Sequence[MatchLine]) -> tuple[float, Range]:
    """Return the match by the year, and that by the hour, over all zones and years."""
    energy_wh = fsum(one.energy_wh for one in lines)
    annual = fsum(one.annual_match * one.energy_wh for one in lines) / energy_wh
    sure = fsum(one.hourly_match * one.energy_wh for one in lines) / energy_wh
    # What has no hour matches at best as much load as there is of it, and no more than the year.
    at_best = (
        min(
            one.annual_match * one.energy_wh,
            one.hourly_match * one.energy_wh + one.carbon_free_wh - one.carbon_free_hourly_wh,
        )
        for one in lines
    )
    return annual, Range(sure, sure, max(sure, fsum(at_best) / energy_wh))


def _gap(lines: Sequence[MatchLine]) -> Range | None:
    known = [one for one in lines if one.energy_wh]
    if not known:
        return None
    annual, hourly = _matches(known)
    least, most = max(0.0, annual - hourly.high), max(0.0, annual - hourly.low)
    return Range(least, most, most)


def _shares(value: Range) -> str:
    low, high = figures.share(value.low, 1), figures.share(value.high, 1)
    return low if low == high else f"{low} to {high}"


def _central(energy_wh: float) -> str:
    unit = figures.unit_of(energy_wh, figures.ENERGY)
    return f"{figures.significant(energy_wh / unit.size)} {unit.symbol} (central)"


def hardware_differs(claim: Claim, facts: Facts) -> ClaimLine:
    """Answer from the same calls on the hardware that needs most, and that needs least."""
    (bound,) = claim.bound
    ordered = sorted(facts.variants, key=lambda one: one.energy_wh.central)
    ratio = ordered[-1].energy_wh.over(ordered[0].energy_wh) if ordered else None
    if ratio is None:
        said = f"No call reports tokens that could be priced elsewhere ({answer.within(facts)})."
        return answer.line(claim, facts, [answer.nothing(bound, said)])
    best, worst = ordered[0], ordered[-1]
    said = (
        f"The same {facts.both.calls:,} calls take {answer.energy(worst.energy_wh.range)} on "
        f"{_named(worst)} and {answer.energy(best.energy_wh.range)} on {_named(best)}, "
        f"{answer.ranged(ratio.range)} times as much on the same draws ({answer.within(facts)})."
    )
    also = (
        "What the calls really ran on is not known; there are figures for "
        f"{' and '.join(dict.fromkeys(one.hardware for one in facts.variants))}, and the batch "
        "changes writing only, so calls that mostly read differ less.",
    )
    return answer.line(claim, facts, [answer.finding(bound, ratio.range, said)], also=also)


def _named(one: Variant) -> str:
    return f"{one.hardware} in batches of {one.batch:,}"


def inference_share(claim: Claim, facts: Facts) -> ClaimLine:
    """Answer from the share of training that the user says; nothing is assumed."""
    (bound,) = claim.bound
    share = facts.training_share
    if share is None:
        said = (
            "What is recorded is inference alone; training is in none of its energy "
            f"({answer.within(facts)})."
        )
        return answer.line(claim, facts, [answer.nothing(bound, said)])
    taken = facts.both.energy_wh
    training = None if taken is None or share == 1 else taken.range * (share / (1 - share))
    said = (
        f"With {_percent(share)} for training as you say, inference is {_percent(1 - share)}: "
        f"{answer.energy(None if taken is None else taken.range)} of inference, beside "
        f"{answer.energy(training)} of training ({answer.within(facts)})."
    )
    also = ("The share is yours, and nothing that was recorded confirms it.",)
    found = answer.finding(bound, answer.exactly(1 - share), said)
    return answer.line(claim, facts, [found], also=also)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
