"""The rebound of a change: what efficiency alone would have saved, and what came of it."""

from collections.abc import Sequence
from typing import Final, TypeAlias

from agenttrace.compare import rebound
from agenttrace.energy.estimate import spread
from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.trend import words
from agenttrace.report.trend.chain import Amounts
from agenttrace.report.trend.values import ReboundLine, Side

_NOTHING: Final = 1e-9  # of the energy: rounding

_Pair: TypeAlias = tuple[Amounts, Amounts]


def rebound_line(
    central: _Pair, drawn: Sequence[_Pair], before: Side, after: Side, boundary: str
) -> ReboundLine:
    """Return the rebound of energy per token over all models together.

    Args:
        central: Both periods with the central factors.
        drawn: The same in each draw.
        before: The earlier period.
        after: The later one.
        boundary: What the energy covers.
    """
    tokens = before.totals.tokens.total, after.totals.tokens.total
    found = _rebound_of(central, tokens)
    when = f"from {before.period} to {after.period} ({boundary})"
    if found.ratio is None:
        none = f"There is no rebound over all models together to tell {when}: {found.why_not}."
        return ReboundLine(found, None, none)
    ratios = [_rebound_of(pair, tokens).ratio for pair in drawn]
    known = [ratio for ratio in ratios if ratio is not None]
    ratio = spread(found.ratio, known) if len(known) == len(ratios) > 0 else None
    sentences = (
        f"{_read(found.ratio, ratio)}, {when}.",
        _saved(central, tokens, before),
        *_no_range(len(ratios) - len(known), len(ratios)),
        _whose(before, after),
    )
    return ReboundLine(found, ratio, " ".join(sentences))


def _rebound_of(pair: _Pair, tokens: tuple[int | None, int | None]) -> rebound.Rebound:
    before, after = pair
    return rebound.rebound(before.energy_wh, after.energy_wh, *_each(pair, tokens))


def _each(pair: _Pair, tokens: tuple[int | None, int | None]) -> Sequence[float | None]:
    return [
        one.energy_wh / number if number else None for one, number in zip(pair, tokens, strict=True)
    ]


def _read(central: float, ratio: Range | None) -> str:
    """Say R and what it means, and where its range means something else."""
    reading = rebound.reading(central)
    meaning = rebound.MEANING[reading]
    if ratio is None:
        return f"R = {central:.2f} (no range), {reading} on the central factors: {meaning}"
    if ratio.low == ratio.high:
        return f"R = {central:.2f}, {reading}: {meaning}"
    span = f"{figures.significant(ratio.low)} to {figures.significant(ratio.high)}"
    others = {rebound.reading(end) for end in (ratio.low, ratio.high)} - {reading}
    unsure = f" on the central factors, and {' or '.join(sorted(others))} on others"
    return f"R = {central:.2f} ({span}), {reading}{unsure if others else ''}: {meaning}"


def _saved(pair: _Pair, tokens: tuple[int | None, int | None], before: Side) -> str:
    """Say what efficiency alone would have saved, and what happened."""
    was, now = _each(pair, tokens)
    first, last = (one.energy_wh for one in pair)
    assert was is not None  # there is a ratio
    assert now is not None
    fall = figures.change(now / was - 1).lstrip("-")
    could = words.signed(rebound.saving(first, was, now), "Wh").lstrip("+")
    moved = last - first if abs(last - first) > _NOTHING * first else 0.0
    happened = f"{words.moved_by(moved, 'Wh')}{' instead' if moved >= 0 else ''}"
    return (
        f"Over all models together energy per token fell by {fall}: with the tokens of "
        f"{before.period} that alone would have saved {could}, and energy {happened}."
    )


def _no_range(without: int, draws: int) -> Sequence[str]:
    """Say why R has no range, where it has none."""
    if draws and not without:
        return ()
    if not draws:
        return ("R has no range: the factors are not drawn.",)
    return (
        f"R has no range: in {without:,} of {draws:,} draws of the factors energy per token did "
        "not fall, and there is no saving to take back.",
    )


def _whose(before: Side, after: Side) -> str:
    """Say whose efficiency it is: with the same factors, not that of machines."""
    if before.factor_set != after.factor_set:
        return "The factors of both sides differ, so machines and choices of models are both in it."
    choice = "it fell by another choice of models, kinds of token and contexts"
    if words.is_of_contexts(before, after):
        return f"With the same factors on both sides, {choice}, not by better machines."
    return f"With the same factors on both sides, {choice}, or by what meters saw."
