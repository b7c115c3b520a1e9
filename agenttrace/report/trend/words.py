"""What the report on a change says in sentences."""

from collections.abc import Iterator, Sequence
from typing import Final

from agenttrace.compare.rebound import MEANING, Rebound
from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.trend.values import Decomposed, Effect, Side

_UNITS: Final = {"Wh": figures.ENERGY, "g": figures.MASS}
_NAMED: Final = 3
_SMALL: Final = 0.05  # of the largest effect: what a sentence passes over

_MOST: Final = 0.5

# By factor: what it is called when it adds, and when it takes away.
_MORE: Final = {
    "tasks": ("more tasks", "fewer tasks"),
    "calls_per_task": ("more calls per task", "fewer calls per task"),
    "mix": ("a mix of heavier models", "a mix of lighter models"),
    "uncached_per_call": ("more uncached input per call", "less uncached input per call"),
    "cached_per_call": ("more cache reads per call", "fewer cache reads per call"),
    "output_per_call": ("more output per call", "less output per call"),
    "measured_per_call": ("more metered tokens per call", "fewer metered tokens per call"),
    "energy_per_token": ("more energy per token by model", "less energy per token by model"),
    "facility": ("more around the accelerators", "less around the accelerators"),
    "grid": ("more carbon per kWh", "less carbon per kWh"),
}


def headline(energy: Decomposed, before: Side, after: Side, boundary: str) -> str:
    """Say the change of energy, and the largest effects."""
    moved = _moved(energy)
    when = f"from {before.period} to {after.period} ({boundary})"
    told = [effect for effect in _largest(energy.effects) if effect.amount.central]
    if not told:
        return f"Energy {moved}, {when}."
    effects = ", ".join(_effect(effect, energy.unit) for effect in told)
    rest = energy.change.central - sum(effect.amount.central for effect in told)
    is_all = abs(rest) <= _SMALL / 10 * abs(told[0].amount.central)
    others = "" if is_all else f", all else {signed(rest, energy.unit)}"
    return f"Energy {moved}, {when}: {effects}{others}."


def totals_only(why_not: str, before: Side | None, after: Side, boundary: str) -> str:
    """Say what there is where the change cannot be told apart."""
    sides = [side for side in (before, after) if side is not None and side.totals.calls]
    said = "; ".join(
        f"{_amount(side.totals.energy_wh)} of energy in {_in(side)} ({boundary})" for side in sides
    )
    return f"{capital(why_not)}.{f' There was {said}.' if said else ''}"


def signed(value: float, unit: str) -> str:
    """Return an amount with its sign and a fitting unit."""
    fitting = figures.unit_of(abs(value), _UNITS[unit])
    sign = "+" if value > 0 else "-" if value < 0 else "±"
    of = " CO2e" if unit == "g" else ""
    return f"{sign}{figures.significant(abs(value) / fitting.size)} {fitting.symbol}{of}"


def rebound(found: Rebound, ratio: Range | None, before: Side, after: Side, boundary: str) -> str:
    """Say what the rebound means."""
    when = f"from {before.period} to {after.period} ({boundary})"
    if found.ratio is None or found.reading is None:
        return f"There is no rebound to tell {when}: {found.why_not}."
    span = (
        ""
        if ratio is None or ratio.low == ratio.high
        else f" ({figures.significant(ratio.low)} to {figures.significant(ratio.high)})"
    )
    unsure = "" if ratio else " In some draws of the factors it did not fall, so R has no range."
    return (
        f"R = {found.ratio:.2f}{span}, {found.reading}: {MEANING[found.reading]}, {when}. "
        "Over all models energy per token fell, and R tells how much of that saving more use took "
        f"back.{unsure}"
    )


def overlap(after: str, before: str) -> str:
    """Say that two periods have time in common."""
    hint = "; say one with --period and one with --against" if "all" in (after, before) else ""
    return (
        f"the periods {before} and {after} overlap, so what changed from the one to the other "
        f"cannot be told{hint}"
    )


def not_said(period: str) -> str:
    """Say that the energy of a period is not known."""
    return f"no call in {period} says its tokens, so its energy is unknown and so is the change"


def nothing_before(period: str) -> str:
    """Say that there is no earlier period."""
    return f"there is no period before {period} with anything in it"


def assumptions(before: Side, after: Side, *, hours: bool, meters: bool) -> Iterator[str]:
    """Say what is the same on both sides, or what is not."""
    if before.factor_set != after.factor_set:
        yield (
            f"{before.period} is priced with factors {before.factor_set}, {after.period} with "
            f"{after.factor_set}: what they differ by is in energy per token, facility and grid."
        )
        return
    same = "the models and the facility" if hours else "the models, the facility and the grid"
    seen = ", and with what meters saw" if meters else " alone"
    yield (
        f"Both periods are priced with factors {after.factor_set}: {same} are taken to be as "
        f"before, not found to be. Energy per token moves with the length of contexts{seen}. "
        "--against-factors VERSION prices the earlier period with other factors."
    )


def cautions(before: Side, after: Side) -> Iterator[str]:
    """Warn of calls that are in no energy, and of meters that came or went."""
    for side in (before, after):
        number, calls = side.totals.unpriced_calls, side.totals.calls
        if number:
            yield (
                f"{number:,} of {calls:,} calls in {_in(side)} do not say their tokens in full: "
                "they count as calls, and what is missing is in no energy"
            )
    shares = before.measured_share or 0.0, after.measured_share or 0.0
    if abs(shares[0] - shares[1]) > _SMALL:
        yield (
            f"a meter saw {figures.share(shares[0], 1)} of the energy in {before.period} and "
            f"{figures.share(shares[1], 1)} in {after.period}: what moved from estimate to meter "
            "is among the effects of tokens per call"
        )


def other_meters(
    bases: Sequence[str], later_bases: Sequence[str], before: Side, after: Side
) -> str:
    """Warn that meters of the two periods saw other parts of the facility."""
    return (
        f"meters saw energy at the boundary {' and '.join(bases)} in {before.period}, and "
        f"{' and '.join(later_bases)} in {after.period}: what moved from the one to the other is "
        "among the effects of metered tokens per call"
    )


def swapped(energy: Decomposed) -> Iterator[str]:
    """Warn where most of the energy is of models that only one period has."""
    pairs = (energy.left, energy.before), (energy.entered, energy.after)
    # A product of factors is its sum but for rounding, and >99 % would be said of all.
    parts = [round(part / whole, 9) if whole else 0.0 for part, whole in pairs]
    if max(parts) > _MOST:
        yield (
            f"models that only one of the periods has, or not in the same place, took "
            f"{figures.share(parts[0], 1)} of the energy before and {figures.share(parts[1], 1)} "
            "after: all of that is in the mix, and the other effects tell of the rest alone"
        )


def capital(sentence: str) -> str:
    """Begin a sentence."""
    return sentence[:1].upper() + sentence[1:]


def _moved(energy: Decomposed) -> str:
    change = energy.change.central
    if abs(change) <= 1e-9 * max(energy.before, energy.after):
        return "did not change"
    verb = "rose" if change > 0 else "fell"
    amount = signed(abs(change), energy.unit).lstrip("+")
    low, high = energy.change.low, energy.change.high
    said = [] if energy.part is None else [figures.change(energy.part)]
    if low != high:
        ends = signed(low, energy.unit), signed(high, energy.unit)
        said.append(f"{' to '.join(ends)} on the draws of the factors")
    more = f" ({'; '.join(said)})" if said else ""
    return f"{verb} by {amount}{more}"


def _largest(effects: tuple[Effect, ...]) -> list[Effect]:
    ordered = sorted(effects, key=lambda effect: -abs(effect.amount.central))[:_NAMED]
    least = _SMALL * abs(ordered[0].amount.central) if ordered else 0.0
    return [effect for effect in ordered if abs(effect.amount.central) >= least]


def _effect(effect: Effect, unit: str) -> str:
    more, less = _MORE[effect.factor]
    amount = effect.amount.central
    return f"{more if amount > 0 else less} {signed(amount, unit)}"


def _in(side: Side) -> str:
    return "all that was recorded" if side.period == "all" else side.period


def _amount(value: Range | None) -> str:
    return "an unknown amount" if value is None else figures.interval(value, figures.ENERGY)
