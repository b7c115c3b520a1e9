import pytest

from agenttrace.compare.ecologits_library import opinion
from agenttrace.compare.embodied import IGNORES, Usage, embodied, of_model
from agenttrace.energy import match, shipped
from agenttrace.energy.catalogue import entry
from agenttrace.energy.library import Entry
from agenttrace.model import Range


def known(model: str) -> Entry | None:
    return entry(model, shipped())


def test_hardware_is_that_of_ecologits_added_over_the_models_it_knows():
    first = opinion(known("gpt-5"), output_tokens=300, calls=2)
    other = opinion(known("claude-haiku-4-5"), output_tokens=50)
    found = embodied(
        [
            Usage(known("gpt-5"), 2, 300),
            Usage(known("zorg-9"), 7, 9_000),
            Usage(known("claude-haiku-4-5"), 1, 50),
        ]
    )
    assert first
    assert other
    assert found
    assert found.calls == 3
    assert found.gwp_kgco2e.central == pytest.approx(
        first.hardware.gwp_kgco2e.central + other.hardware.gwp_kgco2e.central
    )
    assert found.adpe_kgsbeq.low == pytest.approx(
        first.hardware.adpe_kgsbeq.low + other.hardware.adpe_kgsbeq.low
    )
    assert found.gwp_kgco2e.low <= found.gwp_kgco2e.central <= found.gwp_kgco2e.high


def test_hardware_of_unknown_models_is_unknown_rather_than_zero():
    assert embodied([Usage(known("zorg-9"), 7, 9_000)]) is None
    assert embodied([]) is None


def test_what_it_ignores_is_said_with_its_source():
    found = embodied([Usage(known("gpt-5"), 1, 300)])
    assert found is not None
    assert found.ignores == IGNORES
    assert "input tokens" in IGNORES
    assert (found.source.authors, found.source.mark) == ("GenAI Impact", "read")


def test_more_calls_of_the_same_take_more_hardware():
    one, many = (embodied([Usage(known("gpt-5"), n, n * 300)]) for n in (1, 40))
    assert one
    assert many
    assert many.gwp_kgco2e.central == pytest.approx(40 * one.gwp_kgco2e.central)


def test_a_model_with_published_parameters_has_hardware_though_ecologits_does_not_know_it():
    # 671 B take 1.2 * 671 * 2 = 1,611 GB: 21 GPUs of 80 GB, so 32. A token takes 6.785e-4 * 37 +
    # 3.119e-4 * 64 + 0.019474 = 0.06454 s; 300 of them 19.36 s of three years, 64 calls at once.
    found = embodied([of_model(match("deepseek-v3", shipped()), known("deepseek-v3"), 1, 300)])
    assert opinion(known("deepseek-v3"), output_tokens=300) is None
    assert found is not None
    assert (found.calls, found.calls_by_parameters) == (1, 1)
    assert found.gwp_kgco2e.central == pytest.approx(
        32 * (5_700 / 8 + 273) * 19.36 / (3 * 365 * 86_400 * 64), rel=1e-3
    )


def test_hardware_has_the_range_of_the_parameters():
    found = embodied(
        [Usage(known("zorg-9"), 1, 300, None, Range(10, 20, 40), Range(100, 200, 400))]
    )
    assert found is not None
    assert found.gwp_kgco2e.low < found.gwp_kgco2e.central < found.gwp_kgco2e.high


def test_hardware_of_calls_that_only_read_is_unknown_rather_than_zero():
    assert embodied([Usage(known("gpt-5"), 1, 0)]) is None
    assert embodied([Usage(known("zorg-9"), 1, 0, None, Range(9, 9, 9), Range(9, 9, 9))]) is None
