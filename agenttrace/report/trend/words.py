"""What the report on a change says in sentences."""

from collections.abc import Iterator, Sequence
from typing import Final

from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.trend.values import Decomposed, Effect, Side

_UNITS: Final = {"Wh": figures.ENERGY, "g": figures.MASS}
_NAMED: Final = 3
_SMALL: Final = 0.05  # of the largest effect: what a sentence passes over

_MOST: Final = 0.5
_NOTHING: Final = 1e-9  # of what it is part of: rounding

# By factor: what it is called when it adds, and when it takes away.
_MORE: Final = {
    "tasks": ("more tasks", "fewer tasks"),
    "calls_per_task": ("more calls per task", "fewer calls per task"),
    "mix": ("a mix of heavier models", "a mix of lighter models"),
    "uncached_per_call": ("more uncached input per call", "less uncached input per call"),
    "cached_per_call": ("more cache reads per call", "fewer cache reads per call"),
    "output_per_call": ("more output per call", "less output per call"),
    "measured_per_call": ("more metered tokens per call", "fewer metered tokens per call"),
    "energy_per_token": (
        "more energy per token of the same model",
        "less energy per token of the same model",
    ),
    "facility": ("more around the accelerators", "less around the accelerators"),
    "grid": ("more carbon per kWh", "less carbon per kWh"),
}
_CONTEXTS: Final = "longer contexts", "shorter contexts"


def headline(energy: Decomposed, before: Side, after: Side, boundary: str) -> str:
    """Say the change of energy, and the largest causes: those that go with it come first."""
    said = f"Energy {_moved(energy)}, from {before.period} to {after.period} ({boundary})"
    least = _NOTHING * max(energy.before, energy.after)
    causes = [effect for effect in energy.effects if abs(effect.amount.central) > least]
    if not causes:
        return f"{said}."
    named = _named(causes, energy.change.central)
    if not named:
        return f"{said}: no single cause stands out from chance."
    contexts = is_of_contexts(before, after)
    told = ", ".join(_cause(effect, energy.unit, contexts=contexts) for effect in named)
    return f"{said}: {told}{_all_else(energy, causes, named, contexts=contexts)}."


def is_of_contexts(before: Side, after: Side) -> bool:
    """Return whether nothing but contexts moves what a token takes of the same model."""
    is_measured = bool(before.measured_share or after.measured_share)
    return before.factor_set == after.factor_set and not is_measured


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
            f"{after.factor_set}: what they differ by is in energy per token of the same model, "
            "facility and grid."
        )
        return
    same = "the models and the facility" if hours else "the models, the facility and the grid"
    seen = ", and with what meters saw" if meters else " alone"
    yield (
        f"Both periods are priced with factors {after.factor_set}: {same} are taken to be as "
        f"before, not found to be. Energy per token of the same model moves with the length of "
        f"contexts{seen}. "
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


def moved_by(change: float, unit: str) -> str:
    """Say that energy rose or fell, and by how much."""
    if not change:
        return "did not change"
    return f"{'rose' if change > 0 else 'fell'} by {signed(abs(change), unit).lstrip('+')}"


def _moved(energy: Decomposed) -> str:
    scale = max(energy.before, energy.after)
    change = energy.change.central if abs(energy.change.central) > _NOTHING * scale else 0.0
    said = [] if energy.part is None or not change else [figures.change(energy.part)]
    if energy.change.high - energy.change.low > _NOTHING * scale:
        said.append(_range_of(energy.change, energy.unit))
    if change and energy.is_within_sampling:
        said.append("smaller than its sampling error")
    return moved_by(change, energy.unit) + (f" ({'; '.join(said)})" if said else "")


def _range_of(change: Range, unit: str) -> str:
    """Show the range, and say where it leaves open which way the change went."""
    fitting = figures.unit_of(max(abs(change.low), abs(change.high)), _UNITS[unit])
    span = f"{_ends(change, fitting)} {fitting.symbol}"
    if not _holds_zero(change) or not change.central:
        return span
    return f"{span}, so that it {'rose' if change.central > 0 else 'fell'} is not certain"


def _ends(value: Range, unit: figures.Unit) -> str:
    return f"{_number(value.low, unit)} to {_number(value.high, unit)}"


def _number(value: float, unit: figures.Unit) -> str:
    return f"{'+' if value > 0 else ''}{figures.significant(value / unit.size)}"


def _holds_zero(value: Range) -> bool:
    return min(value.high, -value.low) > _NOTHING * (value.high - value.low)


def _named(causes: Sequence[Effect], change: float) -> list[Effect]:
    """Return what a sentence names: the largest, down to one at least that goes with the change.

    What chance may have made is no cause. All that is larger than the last is among them.
    """
    sure = sorted(
        (effect for effect in causes if not effect.is_within_sampling),
        key=lambda effect: -abs(effect.amount.central),
    )
    along = [place for place, effect in enumerate(sure) if effect.amount.central * change > 0][:1]
    needed = 1 + max(along, default=-1)
    large = [one for one in sure[:_NAMED] if _size(one) >= _SMALL * _size(sure[0])]
    named = sure[: max(needed, len(large))]
    return sorted(named, key=lambda effect: effect.amount.central * change < 0)


def _size(effect: Effect) -> float:
    return abs(effect.amount.central)


def _all_else(
    energy: Decomposed, causes: Sequence[Effect], named: Sequence[Effect], *, contexts: bool
) -> str:
    """Say what is left, and what of it is larger than a cause that was named."""
    rest = energy.change.central - sum(effect.amount.central for effect in named)
    least = min(map(_size, named))
    chance = [one for one in causes if one.is_within_sampling and _size(one) > least]
    if not chance and abs(rest) <= _SMALL / 10 * max(map(_size, named)):
        return ""
    shown = " and ".join(_cause(one, energy.unit, contexts=contexts) for one in chance)
    hidden = f", of which chance may have made {shown}" if shown else ""
    return f", all else {signed(rest, energy.unit)}{hidden}"


def _cause(effect: Effect, unit: str, *, contexts: bool) -> str:
    """Name a cause; its range stands there where it leaves open which way it went."""
    is_context = contexts and effect.factor == "energy_per_token"
    more, less = _CONTEXTS if is_context else _MORE[effect.factor]
    amount = effect.amount
    name = more if amount.central > 0 else less
    if not _holds_zero(amount):
        return f"{name} {signed(amount.central, unit)}"
    fitting = figures.unit_of(max(map(abs, (amount.low, amount.high))), _UNITS[unit])
    central = f"{_number(amount.central, fitting)} {fitting.symbol}"
    return f"{name} {central} ({_ends(amount, fitting)})"


def _in(side: Side) -> str:
    return "all that was recorded" if side.period == "all" else side.period


def _amount(value: Range | None) -> str:
    return "an unknown amount" if value is None else figures.interval(value, figures.ENERGY)
