"""Effects are in Wh; a cause goes with a change where both have one sign."""

from dataclasses import replace

import pytest

from agenttrace.model import Range
from agenttrace.report.trend.chain import Amounts, Part
from agenttrace.report.trend.saving import rebound_line
from agenttrace.report.trend.values import Decomposed, Effect, Side
from agenttrace.report.trend.words import headline
from tests.report.samples import TOTALS


def side(period: str, *, tokens: int = 100, factors: str = "f1", measured: float = 0.0) -> Side:
    totals = replace(TOTALS, tokens=replace(TOTALS.tokens, total=tokens))
    return Side(period, None, None, 1, totals, measured, factors)


W45, W46 = side("W45"), side("W46")


def cause(factor: str, *amount: float, sampling: float | None = 0.0) -> Effect:
    """A central amount, or low, central and high; ± *sampling*."""
    low, central, high = amount[0], amount[len(amount) // 2], amount[-1]
    around = None if sampling is None else Range(central - sampling, central, central + sampling)
    return Effect(factor, Range(low, central, high), around, None, is_assumed=False)


def changed(*causes: Effect, span: float = 0.0, sampling: float = 0.0) -> Decomposed:
    """From 100 Wh by the sum of *causes*, ± *span* on the draws and ± *sampling*."""
    change = sum(effect.amount.central for effect in causes)
    return Decomposed(
        what="energy",
        unit="Wh",
        before=100.0,
        after=100.0 + change,
        change=Range(change - span, change, change + span),
        part=change / 100,
        sampling=Range(change - sampling, change, change + sampling),
        effects=causes,
        entered=0.0,
        left=0.0,
        residual=0.0,
    )


def said(energy: Decomposed, before: Side = W45, after: Side = W46) -> str:
    return headline(energy, before, after, "facility")


def test_a_range_that_holds_zero_leaves_open_which_way_it_went() -> None:
    assert said(changed(cause("tasks", 20), span=50)) == (
        "Energy rose by 20 Wh (+20 %; -30 to +70 Wh, so that it rose is not certain), "
        "from W45 to W46 (facility): more tasks +20 Wh."
    )
    fell = said(changed(cause("tasks", -20), span=50))
    assert "fell by 20 Wh (-20 %; -70 to +30 Wh, so that it fell is not certain)" in fell


def test_a_range_of_one_sign_is_said_and_no_more() -> None:
    assert "rose by 20 Wh (+20 %; +15 to +25 Wh), from" in said(changed(cause("tasks", 20), span=5))


def test_no_change_on_the_central_factors_keeps_its_range() -> None:
    energy = changed(cause("tasks", 20), cause("mix", -20), span=5)
    assert said(energy).startswith("Energy did not change (-5.0 to +5.0 Wh), from W45 to W46")


def test_a_change_smaller_than_its_sampling_error_says_so() -> None:
    energy = changed(cause("tasks", 20), sampling=30)
    assert "rose by 20 Wh (+20 %; smaller than its sampling error)" in said(energy)


def test_a_cause_whose_range_holds_zero_has_it() -> None:
    energy = changed(cause("tasks", 20), cause("mix", -66, -7, 20))
    assert said(energy).endswith("more tasks +20 Wh, a mix of lighter models -7.0 Wh (-66 to +20).")


def test_causes_that_go_with_the_change_come_first() -> None:
    rise = changed(cause("mix", -50), cause("tasks", 40), cause("calls_per_task", 30))
    assert said(rise).endswith(
        "more tasks +40 Wh, more calls per task +30 Wh, a mix of lighter models -50 Wh."
    )
    fall = changed(cause("mix", -60), cause("tasks", 50))
    assert said(fall).endswith("a mix of lighter models -60 Wh, more tasks +50 Wh.")


def test_one_cause_at_least_goes_with_the_change_and_nothing_larger_is_hidden() -> None:
    """Three large falls, and four smaller rises: 4 * 8 - 9 - 8.5 - 8.2 = 6.3."""
    energy = changed(
        cause("mix", -9),
        cause("cached_per_call", -8.5),
        cause("output_per_call", -8.2),
        *(cause(name, 8) for name in ("tasks", "calls_per_task", "facility", "uncached_per_call")),
    )
    assert "more tasks +8.0 Wh, a mix of lighter models -9.0 Wh, fewer cache reads" in said(energy)
    assert said(energy).endswith("less output per call -8.2 Wh, all else +24 Wh.")


def test_what_chance_may_have_made_is_no_cause() -> None:
    energy = changed(cause("tasks", 20), cause("mix", 4, sampling=5))
    assert said(energy).endswith("more tasks +20 Wh, all else +4.0 Wh.")


def test_all_else_does_not_hide_what_is_larger_than_a_cause() -> None:
    energy = changed(cause("tasks", 20), cause("mix", 30, sampling=40))
    assert said(energy).endswith(
        "more tasks +20 Wh, all else +30 Wh, of which chance may have made "
        "a mix of heavier models +30 Wh."
    )


def test_nothing_but_chance_is_no_cause_at_all() -> None:
    energy = changed(cause("tasks", 20, sampling=30), cause("mix", 4, sampling=5))
    assert said(energy).endswith("(facility): no single cause stands out from chance.")


def test_an_unknown_sampling_error_hides_no_cause() -> None:
    assert said(changed(cause("tasks", 20, sampling=None))).endswith("more tasks +20 Wh.")


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        (W45, W46, "longer contexts +20 Wh"),
        (side("W45", factors="f0"), W46, "more energy per token of the same model +20 Wh"),
        (W45, side("W46", measured=0.1), "more energy per token of the same model +20 Wh"),
    ],
)
def test_energy_per_token_is_contexts_where_nothing_else_moves_it(
    before: Side, after: Side, named: str
) -> None:
    assert said(changed(cause("energy_per_token", 20)), before, after).endswith(f": {named}.")
    fewer = changed(cause("energy_per_token", -20))
    assert ("shorter contexts -20 Wh" in said(fewer, before, after)) == ("longer" in named)


def amounts(wh: float) -> Amounts:
    place = ("p", "m", None)
    return Amounts(1, {place: 1}, {(place, "output_per_call", "estimated"): Part(1, wh)})


def rebound_of(
    before: Side, after: Side, wh: tuple[float, float], *draws: tuple[float, float]
) -> str:
    pairs = [(amounts(one), amounts(other)) for one, other in (wh, *draws)]
    return rebound_line(pairs[0], pairs[1:], before, after, "facility").sentence


def test_a_rebound_says_what_could_have_been_saved_and_what_happened() -> None:
    """From 1 to 0.6 Wh a token would save 40 of 100; 120 is 20 more, so R is 1 + 20 / 40."""
    told = rebound_of(W45, side("W46", tokens=200), (100, 120), (100, 120))
    assert told == (
        "R = 1.50, backfire: more use took more than efficiency saves (the Jevons paradox), from "
        "W45 to W46 (facility). Over all models together energy per token fell by 40 %: with the "
        "tokens of W45 that alone would have saved 40 Wh, and energy rose by 20 Wh instead. With "
        "the same factors on both sides, it fell by another choice of models, kinds of token and "
        "contexts, not by better machines."
    )


def test_a_rebound_without_a_range_says_why() -> None:
    told = rebound_of(W45, side("W46", tokens=200), (100, 120), (100, 120), (100, 210))
    assert told.startswith("R = 1.50 (no range), backfire on the central factors: more use took")
    assert (
        "R has no range: in 1 of 2 draws of the factors energy per token did not fall, and there "
        "is no saving to take back."
    ) in told


def test_a_range_over_two_readings_names_both() -> None:
    """80 of 200 tokens at 0.4 Wh: 60 could be saved and 20 are, R 0.67; at 0.6 Wh R is 1.5."""
    told = rebound_of(W45, side("W46", tokens=200), (100, 80), (100, 80), (100, 120))
    assert "), partial rebound on the central factors, and backfire on others: more use" in told
    assert "would have saved 60 Wh, and energy fell by 20 Wh. With" in told


@pytest.mark.parametrize(
    ("before", "after", "whose"),
    [
        (side("W45", factors="f0"), side("W46", tokens=200), "factors of both sides differ"),
        (W45, side("W46", tokens=200, measured=0.1), "and contexts, or by what meters saw."),
    ],
)
def test_other_factors_or_meters_may_be_other_machines(
    before: Side, after: Side, whose: str
) -> None:
    told = rebound_of(before, after, (100, 120), (100, 120))
    assert whose in told
    assert "not by better machines" not in told


def test_no_fall_of_energy_per_token_is_no_rebound() -> None:
    assert rebound_of(W45, W46, (100, 120)) == (
        "There is no rebound over all models together to tell from W45 to W46 (facility): the "
        "energy per token did not fall, so there is no saving to take back."
    )
