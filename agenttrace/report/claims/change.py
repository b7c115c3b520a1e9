"""Claims on what changed between two periods: each, in all, and which way."""

from collections.abc import Iterator
from typing import Final

from agenttrace.compare.claims import Bound, Claim
from agenttrace.compare.rebound import MEANING, Rebound, rebound
from agenttrace.compare.what_if import Drawn
from agenttrace.report.claims import answer
from agenttrace.report.claims.facts import Facts, Moved, Side
from agenttrace.report.claims.values import ClaimLine, Finding
from agenttrace.report.intensity import Intensity, intensity

_THOUSAND: Final = 1000.0
_TOKENS: Final = "1,000 tokens"
_PERS: Final = ("call", "task", _TOKENS)
_UNKNOWN: Final = "the energy or the tokens of one period are not known"
_ONE_FACTOR_SET: Final = (
    "Both periods are priced with the same factors, one for each model: a change for each token "
    "shows other models, other kinds of tokens and other context, not chips or serving that became "
    "better."
)


def per_token_fell(claim: Claim, facts: Facts) -> ClaimLine:
    """Answer from the change for each 1,000 tokens, and the change in all."""
    of_token, of_total = claim.bound
    moved = facts.moved
    if isinstance(moved, str):
        return _unchanged(claim, facts, moved)
    each, total = _change(moved, _TOKENS), _change(moved, None)
    if each is None or total is None:
        return _unchanged(claim, facts, _UNKNOWN, moved.against)
    when = _between(moved, facts)
    findings = (
        answer.finding(
            of_token,
            each.range,
            f"Energy per 1,000 tokens changed by {answer.changed(each.range)} {when}.",
        ),
        answer.finding(
            of_total,
            total.range,
            f"Energy in all changed by {answer.changed(total.range)} {when}.",
        ),
    )
    return answer.line(
        claim,
        facts,
        findings,
        also=(_rebound(moved, facts), _ONE_FACTOR_SET, *_chosen(moved)),
        intensities=_intensities(moved, _TOKENS),
        period=moved.period,
        against=moved.against,
    )


def per_unit_misleads(claim: Claim, facts: Facts) -> ClaimLine:
    """Answer from whether a figure for each of something moved against the total."""
    moved = facts.moved
    if isinstance(moved, str):
        return _unchanged(claim, facts, moved)
    total = _change(moved, None)
    if total is None:
        return _unchanged(claim, facts, _UNKNOWN, moved.against)
    findings = tuple(
        _opposite(bound, per, total, moved, facts)
        for bound, per in zip(claim.bound, _PERS, strict=True)
    )
    return answer.line(
        claim,
        facts,
        findings,
        also=tuple(_chosen(moved)),
        intensities=_intensities(moved, *_PERS),
        period=moved.period,
        against=moved.against,
    )


def _opposite(bound: Bound, per: str, total: Drawn, moved: Moved, facts: Facts) -> Finding:
    """Return 1 where a figure moved against the total, else -1, centrally and over the draws."""
    each = _change(moved, per)
    if each is None:
        said = f"Energy per {per} is not known of both periods {_between(moved, facts)}."
        return answer.nothing(bound, said)
    pairs = zip(each.draws, total.draws, strict=True)
    signs = Drawn(
        _against(each.central, total.central), tuple(_against(one, all_) for one, all_ in pairs)
    )
    said = (
        f"Energy per {per} changed by {answer.changed(each.range)}, and in all by "
        f"{answer.changed(total.range)} {_between(moved, facts)}."
    )
    return answer.finding(bound, signs.range, said)


def _against(each: float, total: float) -> float:
    return 1.0 if each * total < 0 else -1.0


def _unchanged(claim: Claim, facts: Facts, why: str, against: str | None = None) -> ClaimLine:
    said = f"Nothing is said to have changed ({answer.within(facts)}): {why}."
    findings = [answer.nothing(bound, said) for bound in claim.bound]
    return answer.line(claim, facts, findings, against=against)


def _change(moved: Moved, per: str | None) -> Drawn | None:
    """Return the change of the energy, in all or *per* something, inside each draw."""
    now, before = _each(moved.now, per), _each(moved.before, per)
    ratio = now.over(before) if now and before else None
    if ratio is None:
        return None
    return Drawn(ratio.central - 1, tuple(drawn - 1 for drawn in ratio.draws))


def _each(side: Side, per: str | None) -> Drawn | None:
    volume = 1.0 if per is None else _volume(side, per)
    if side.energy_wh is None or not volume:
        return None
    central, draws = side.energy_wh.central, side.energy_wh.draws
    return Drawn(central / volume, tuple(drawn / volume for drawn in draws))


def _volume(side: Side, per: str) -> float | None:
    match per:
        case "call":
            return side.calls
        case "task":
            return side.tasks
        case _:
            return None if side.tokens is None else side.tokens / _THOUSAND


def _intensities(moved: Moved, *pers: str) -> tuple[Intensity, ...]:
    return tuple(
        _energy_per(
            per, moved.now, moved.period, before=_energy_per(per, moved.before, moved.against)
        )
        for per in pers
    )


def _energy_per(per: str, side: Side, period: str, *, before: Intensity | None = None) -> Intensity:
    total = None if side.energy_wh is None else side.energy_wh.range
    volume = _volume(side, per)
    return intensity("energy", "Wh", per, period=period, total=total, volume=volume, before=before)


def _rebound(moved: Moved, facts: Facts) -> str:
    """Return the rebound in words: what more use took back of what efficiency saves."""
    now, before = moved.now.energy_wh, moved.before.energy_wh
    each_now, each_before = _each(moved.now, _TOKENS), _each(moved.before, _TOKENS)
    assert now is not None
    assert before is not None
    assert each_now is not None
    assert each_before is not None
    found = rebound(before.central, now.central, each_before.central, each_now.central)
    if found.ratio is None or found.reading is None:
        return f"There is no rebound {_between(moved, facts)}: {found.why_not}."
    pairs = zip(before.draws, now.draws, each_before.draws, each_now.draws, strict=True)
    ratios = [rebound(*drawn).ratio for drawn in pairs]
    known = [ratio for ratio in ratios if ratio is not None]
    if len(known) == len(ratios):
        value = Drawn(found.ratio, tuple(known)).range
        ends = f" ({value.low:.2f} to {value.high:.2f})"
        range_ = ends if value.low != value.high else ""
    else:
        range_ = ", central; in some draws the energy for a token did not fall, so it has no range,"
    return f"The rebound is {found.ratio:.2f}{range_} {_between(moved, facts)}: {_read(found)}."


def _read(found: Rebound) -> str:
    assert found.reading is not None
    return MEANING[found.reading]


def _chosen(moved: Moved) -> Iterator[str]:
    if moved.how:
        yield f"The periods are {moved.how}; --period and --against choose others."


def _between(moved: Moved, facts: Facts) -> str:
    return f"from {moved.against} to {moved.period} (boundary {facts.boundary})"
