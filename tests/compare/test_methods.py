import logging
import math
import re
from pathlib import Path

import msgspec
import pytest

from agenttrace.compare import ecologits_library, methods
from agenttrace.compare.ecologits_library import opinion
from agenttrace.compare.methods import Usage, load, per_prompt_wh, price_wh, shipped
from agenttrace.energy import catalogue
from agenttrace.energy import shipped as shipped_factors
from agenttrace.energy.library import Entry
from agenttrace.errors import FactorError
from agenttrace.model import Range

SHIPPED = Path(methods.__file__).with_name("methods.toml").read_text(encoding="utf-8")


def ends(value: Range) -> tuple[float, float, float]:
    return value.low, value.central, value.high


def known(model: str | None) -> Entry | None:
    return catalogue.entry(model, shipped_factors())


def test_every_constant_has_a_source_that_says_how_it_is_known():
    for constant in shipped().constants.values():
        assert constant.sources
        for citation in constant.sources:
            source = shipped().sources[citation.id]
            assert source.url.startswith("https://")
            assert source.mark in ("read", "excerpt", "second-hand")


def test_price_is_the_sum_over_the_kinds_worked_by_hand():
    # 1,000 * 390 + 2,000 * 490 + 100,000 * 39 + 400 * 1,950 = 6.05e6, over a million: 6.05 Wh;
    # 130, 163, 13 and 650 give 2.016 Wh, and 1,170, 1,470, 117 and 5,850 give 18.15 Wh.
    step = Usage(calls=1, uncached=1_000, cache_write=2_000, cache_read=100_000, output=400)
    assert ends(price_wh(step, shipped())) == pytest.approx((2.016, 6.05, 18.15))


def test_a_prompt_for_each_call_worked_by_hand():
    assert ends(per_prompt_wh(10, shipped())) == pytest.approx((1.8, 2.4, 6.7))


def test_nothing_is_nothing_by_any_method():
    assert ends(price_wh(Usage(0, 0, 0, 0, 0), shipped())) == (0, 0, 0)
    assert ends(per_prompt_wh(0, shipped())) == (0, 0, 0)


@pytest.mark.parametrize(
    ("changed", "into", "said"),
    [
        ('id = "price.output"', 'id = "price.thinking"', "'price.thinking' is not used"),
        ("low = 650.0", "low = 6500.0", "'price.output' needs 0 < low <= central <= high"),
        ("high = 0.67", "high = inf", "'per-prompt.prompt' needs 0 < low <= central <= high"),
        ('unit = "Wh/prompt"', 'unit = "J/prompt"', "has unit 'J/prompt'; give it in 'Wh/prompt'"),
        ('id = "price.cache_read"', 'id = "price.output"', "'price.output' is given twice"),
        ('{ id = "inference-oviedo"', '{ id = "nobody"', "cites source 'nobody'"),
        ('method = "per-prompt"', 'method = "magic"', "names method 'magic'"),
        ("central = 490.0", 'central = "many"', "Expected `float`, got `str`"),
    ],
)
def test_a_file_that_does_not_hold_is_one_line(tmp_path: Path, changed: str, into: str, said: str):
    assert changed in SHIPPED
    file = tmp_path / "mine.toml"
    file.write_text(SHIPPED.replace(changed, into, 1), encoding="utf-8")
    with pytest.raises(FactorError, match=re.escape(said)) as told:
        load(file)
    assert "mine.toml" in str(told.value)
    assert "\n" not in str(told.value)


def test_a_constant_without_a_source_is_refused(tmp_path: Path):
    file = tmp_path / "mine.toml"
    file.write_text(re.sub(r"sources = \[\{.*\}\]", "sources = []", SHIPPED), encoding="utf-8")
    with pytest.raises(FactorError, match="has no source"):
        load(file)


def test_a_missing_constant_is_named(tmp_path: Path):
    file = tmp_path / "mine.toml"
    file.write_text(SHIPPED[: SHIPPED.index("[[constant]]")], encoding="utf-8")
    with pytest.raises(FactorError, match=r"missing: price\.uncached, price\.cache_write"):
        load(file)


def test_a_file_that_is_not_there_is_said(tmp_path: Path):
    with pytest.raises(FactorError, match=r"cannot be read: No such file.* Name a TOML file"):
        load(tmp_path / "none.toml")


# EcoLogits, called as a library


def test_ecologits_is_its_own_formula_worked_by_hand():
    # ministral-14b: 14 B dense, published, 77 tokens/s, 0.38 s to the first. 1.2 * 14 * 2 GB = 33.6
    # GB: one GPU of 80 GB. GPU: 1,000 tokens * (1.1665e-6 * exp(-0.011206 * 64) * 14 + 4.0529e-5)
    # Wh = 48.50 mWh. Server: (1,000 / 77 + 0.38) s / 3,600 * 1,200 W / 8 GPUs / 64 = 8.70 mWh.
    # PUE 1.16 at its provider: (48.50 + 8.70) * 1.16 = 66.35 mWh.
    said = opinion(known("ministral-14b-2512"), output_tokens=1_000)
    assert said is not None
    assert (said.provider, said.model) == ("mistralai", "ministral-14b-2512")
    assert ends(said.energy_wh) == pytest.approx((0.06635,) * 3, rel=1e-3)
    # Making it: (5,700 / 8 + 273) kg for a GPU and its share of a server, 13.367 s of three years,
    # 64 at once.
    assert said.hardware.gwp_kgco2e.central == pytest.approx(
        (5_700 / 8 + 273) * 13.367 / (3 * 365 * 86_400 * 64), rel=1e-3
    )
    assert said.hardware.adpe_kgsbeq.central == pytest.approx(
        (0.37 / 8 + 0.00895) * 13.367 / (3 * 365 * 86_400 * 64), rel=1e-3
    )


@pytest.mark.parametrize("latency_s", [None, 2.0])
def test_every_entry_gives_what_ecologits_says_of_that_model(latency_s: float | None):
    llm_impacts = pytest.importorskip("ecologits.tracers.utils").llm_impacts
    for entry in {one.name: one for one in shipped_factors().library.models.values()}.values():
        latency = math.inf if latency_s is None else latency_s / 2
        theirs = llm_impacts(entry.provider, entry.name, 300, latency)
        ours = opinion(entry, output_tokens=600, calls=2, latency_s=latency_s)
        assert ours is not None
        for said, value, unit in (
            (theirs.energy, ours.energy_wh, 1_000),
            (theirs.embodied.gwp, ours.hardware.gwp_kgco2e, 1),
            (theirs.embodied.adpe, ours.hardware.adpe_kgsbeq, 1),
        ):
            low, high = (getattr(said.value, end, said.value) for end in ("min", "max"))
            assert (value.low, value.high) == pytest.approx((2 * unit * low, 2 * unit * high))


def test_a_provider_that_the_installed_version_does_not_know_has_no_opinion():
    entry = known("gpt-5")
    assert entry is not None
    of_another = msgspec.structs.replace(entry, provider="acme")
    assert opinion(of_another, output_tokens=300) is None


def test_the_parameters_and_the_speed_are_those_of_the_entry():
    entry = known("ministral-14b-2512")
    assert entry is not None
    as_it_was = msgspec.structs.replace(entry, deployment=None)
    now, then = (opinion(one, output_tokens=300) for one in (entry, as_it_was))
    assert now is not None
    assert then is not None
    assert then.energy_wh != now.energy_wh


def test_ecologits_gives_a_range_where_it_assumes_the_parameters():
    said = opinion(known("claude-sonnet-4-5"), output_tokens=300)
    assert said is not None
    assert said.energy_wh.low < said.energy_wh.central < said.energy_wh.high
    assert said.energy_wh.central == pytest.approx((said.energy_wh.low + said.energy_wh.high) / 2)


def test_spellings_of_one_model_have_one_opinion():
    first, *others = (
        opinion(known(name), output_tokens=300)
        for name in (
            "claude-sonnet-4-5-20250929",
            "anthropic/claude-sonnet-4-5",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "claude-sonnet-4.5",
        )
    )
    assert first is not None
    assert others == [first] * 3


def test_a_model_that_ecologits_does_not_know_has_no_opinion_rather_than_zero():
    assert opinion(known("zorg-9"), output_tokens=300) is None
    assert opinion(known(None), output_tokens=300) is None


def test_ecologits_prices_nothing_where_nothing_is_generated():
    said = opinion(known("gpt-5"), output_tokens=0, calls=3)
    assert said is not None
    assert ends(said.energy_wh) == (0, 0, 0)


def test_sums_without_latency_are_those_over_the_calls():
    # command-a says how long its first token takes, so the number of calls counts as well.
    each = [opinion(known("command-a-03-2025"), output_tokens=n) for n in (10, 500, 90)]
    at_once = opinion(known("command-a-03-2025"), output_tokens=600, calls=3)
    assert at_once is not None
    assert at_once.energy_wh.central == pytest.approx(
        sum(one.energy_wh.central for one in each if one)
    )


def test_sums_with_latency_are_those_over_the_calls_or_a_little_more():
    fast, slow = (300, 1.0), (20, 60.0)  # the measured time is the shorter in the first call alone
    each = [opinion(known("gpt-5"), output_tokens=n, latency_s=s) for n, s in (fast, slow)]
    at_once = opinion(known("gpt-5"), output_tokens=320, calls=2, latency_s=61.0)
    assert at_once is not None
    exact = sum(one.energy_wh.central for one in each if one)
    assert exact < at_once.energy_wh.central < 2 * exact
    alike = opinion(known("gpt-5"), output_tokens=600, calls=2, latency_s=2.0)
    assert alike is not None
    assert each[0] is not None
    assert alike.energy_wh.central == pytest.approx(2 * each[0].energy_wh.central)


def test_asking_ecologits_changes_no_logger_and_logs_nothing(caplog: pytest.LogCaptureFixture):
    ecologits_library._code.cache_clear()
    opinion.cache_clear()
    with caplog.at_level(logging.DEBUG):
        opinion(known("gpt-5"), output_tokens=1)
    assert logging.getLoggerClass() is logging.Logger
    assert not caplog.records
