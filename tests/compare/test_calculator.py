import dataclasses
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agenttrace.compare.calculator import Estimate, estimate
from agenttrace.compare.ecologits_library import opinion
from agenttrace.energy import archive, shipped
from agenttrace.energy.catalogue import entry
from agenttrace.errors import AgentTraceError, ConfigError, FactorError
from agenttrace.model import Range
from tests.factor_files import SOURCE, hall

pytestmark = pytest.mark.usefixtures("home")

# The median step of coding agents (arXiv 2606.30560), and a turn of a chat.
STEP = {"input_tokens": 119_531, "cache_read_tokens": 118_656, "output_tokens": 214}
CHAT = {"input_tokens": 500, "output_tokens": 300}

BIG = 10**13

# The home is empty in all examples. Few are enough: tests/energy/test_laws.py has the same laws of
# the arithmetic below, in every draw.
few = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def ends(value: Range) -> tuple[float, float, float]:
    return value.low, value.central, value.high


def test_energy_is_that_of_the_formula_at_the_central_factors():
    # Class tiny of a published 14 B model: 3.5e-3 J * 14 to read a token, 0.14 J to write one, and
    # 1.9e-10 J * 1.31e5 B for each token of context; 1.72 around the accelerator.
    found = estimate(model="ministral-14b-2512", input_tokens=1_000, output_tokens=100)
    read = 3.5e-3 * 14 * 1_000 * (1 + 500 / 5e4)
    written = 100 * (0.14 + 1.9e-10 * 1.31e5 * 1_050)
    assert found.class_name == "tiny"
    assert found.energy_wh.central == pytest.approx(1.72 * (read + written) / 3_600)


def test_carbon_is_the_energy_at_the_intensity_of_the_place():
    found = estimate(model="gpt-5", **CHAT, region="FRA")
    assert (found.place.zone, found.place.country) == ("FR", "FRA")
    assert found.carbon_g.central == pytest.approx(
        found.energy_wh.central / 1_000 * found.place.g_per_kwh.central
    )


def test_water_is_that_of_the_site_and_of_the_electricity():
    found = estimate(model="gpt-5", **CHAT, region="FRA")
    place, kwh = found.place, found.energy_wh.central / 1_000
    it_kwh = kwh / place.pue.central
    assert found.water_l.central == pytest.approx(
        it_kwh
        * (place.wue_l_per_kwh.central + place.pue.central * place.grid_water_l_per_kwh.central)
    )


def test_without_a_region_the_place_is_that_of_the_provider_or_the_world():
    known, unknown = (estimate(model=name, **CHAT).place for name in ("gpt-5", "mystery-9"))
    assert known.country == "USA"
    assert "openai" in known.reason
    assert (unknown.zone, unknown.resolution) == ("WOR", "world")


def test_the_provider_may_be_told():
    found = estimate(model="gpt-5", **CHAT, provider="azure.ai.openai", region="eu-west-1")
    assert found.provider == "azure.ai.openai"
    assert found.place.country == "IRL"


def test_calls_repeat_the_same_call():
    one, forty = (estimate(model="gpt-5", **STEP, calls=n) for n in (1, 40))
    for name in ("energy_wh", "carbon_g", "water_l"):
        for single, all_of_them in zip(
            ends(getattr(one, name)), ends(getattr(forty, name)), strict=True
        ):
            assert all_of_them == pytest.approx(40 * single)


def test_the_same_tokens_in_more_calls_take_less():
    # What a call reads, it reads in its own context.
    one = estimate(model="gpt-5", input_tokens=200_000, output_tokens=2_000)
    ten = estimate(model="gpt-5", input_tokens=20_000, output_tokens=200, calls=10)
    assert 2 * ten.energy_wh.central < one.energy_wh.central


def test_nothing_takes_nothing():
    found = estimate(model="gpt-5", input_tokens=0, output_tokens=0)
    for value in (found.energy_wh, found.carbon_g, found.water_l):
        assert ends(value) == (0, 0, 0)


def test_an_unknown_model_has_a_wide_range_and_a_warning_with_the_line_that_mends_it():
    known, unknown = (estimate(model=name, **CHAT) for name in ("gpt-5", "mystery-9"))
    assert unknown.class_name == "unknown"
    (warning,) = unknown.warnings
    assert 'deployment."mystery-9" = "' in warning
    assert not known.warnings

    def width(found: Estimate) -> float:
        return found.energy_wh.high / found.energy_wh.low

    assert width(unknown) > width(known)


def test_hardware_is_apart_from_energy_and_carbon():
    found = estimate(model="gpt-5", **CHAT)
    assert found.embodied is not None
    assert found.embodied.calls == 1
    assert 0 < found.embodied.gwp_kgco2e.central * 1_000 < found.carbon_g.central
    assert estimate(model="mystery-9", **CHAT).embodied is None


def test_an_estimate_says_what_it_rests_on():
    found = estimate(model="gpt-5", **CHAT)
    assert found.sources
    assert all(work.url.startswith("https://") and work.mark for work in found.sources)
    assert len(set(found.sources)) == len(found.sources)
    assert found.boundary == "facility"
    assert len(found.factors_version) >= 12


def test_it_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        estimate(model="gpt-5", **CHAT).calls = 2  # type: ignore[misc]


def test_plain_values_have_the_names_of_the_json():
    told = json.loads(json.dumps(estimate(model="gpt-5", **STEP).as_dict(), allow_nan=False))
    assert list(told)[:7] == [
        "energy_wh", "carbon_g", "water_l", "class", "boundary", "factors_version", "warnings",
    ]  # fmt: skip
    for name in ("energy_wh", "carbon_g", "water_l"):
        assert list(told[name]) == ["low", "central", "high"]
    assert "class_name" not in told


def test_factors_of_the_user_go_before_ours(tmp_path: Path):
    ours = estimate(model="gpt-5", **CHAT)
    file = tmp_path / "mine.toml"
    file.write_text(SOURCE + hall(3.44, 3.44, 3.44), encoding="utf-8")
    mine = estimate(model="gpt-5", **CHAT, factors=file)
    assert mine.energy_wh.central == pytest.approx(2 * ours.energy_wh.central)
    assert mine.factors_version != ours.factors_version
    assert "Ops" in {work.authors for work in mine.sources}
    assert estimate(model="gpt-5", **CHAT, factors=[str(file)]) == mine


def test_factors_are_kept_so_that_their_version_gives_the_same_again(home: Path):
    home.mkdir()
    first = estimate(model="gpt-5", **CHAT)
    assert [one.version for one in archive.versions(home)] == [first.factors_version]
    (home / "factors.toml").write_text(SOURCE + hall(3.44, 3.44, 3.44), encoding="utf-8")
    now = estimate(model="gpt-5", **CHAT)
    again = estimate(model="gpt-5", **CHAT, factors_version=first.factors_version)
    assert now.energy_wh.central == pytest.approx(2 * first.energy_wh.central)
    assert again == first


def test_factors_that_cannot_be_kept_are_a_warning(home: Path):
    home.mkdir()
    (home / "factors").touch()
    (warning,) = estimate(model="gpt-5", **CHAT).warnings
    assert "the factors of this report cannot be kept" in warning


def test_without_a_folder_of_data_none_is_made(home: Path):
    estimate(model="gpt-5", **CHAT)
    assert not home.exists()


# Second opinions


@pytest.mark.parametrize("method", ["agenttrace", "ecologits"])
def test_a_deployment_has_the_energy_and_the_hardware_of_its_model(method: Any, tmp_path: Path):
    file = tmp_path / "mine.toml"
    file.write_text('deployment."my-azure" = "gpt-4o"', encoding="utf-8")
    mine, known = (
        estimate(model=name, **CHAT, method=method, factors=file) for name in ("my-azure", "gpt-4o")
    )
    assert known.embodied is not None
    assert known.embodied.calls_by_parameters == 0
    assert (mine.energy_wh, mine.embodied) == (known.energy_wh, known.embodied)


def test_a_version_without_its_dot_is_the_same_model_to_ecologits():
    dashed, dotted = (
        estimate(model=name, **CHAT, method="ecologits") for name in ("gpt-4-1", "gpt-4.1")
    )
    assert (dashed.energy_wh, dashed.embodied) == (dotted.energy_wh, dotted.embodied)


def test_ecologits_is_asked_as_a_library_and_sees_output_only():
    found = estimate(model="gpt-5", **CHAT, calls=3, method="ecologits")
    longer = estimate(
        model="gpt-5", input_tokens=500_000, output_tokens=300, calls=3, method="ecologits"
    )
    said = opinion(entry("gpt-5", shipped()), output_tokens=900, calls=3)
    assert said is not None
    assert ends(found.energy_wh) == pytest.approx(ends(said.energy_wh))
    assert ends(longer.energy_wh) == ends(found.energy_wh)
    assert "input tokens" in found.ignores
    assert "EcoLogits, called as a library" in {work.title for work in found.sources}


def test_price_sees_each_kind_of_token():
    # (100 * 390 + 200 * 490 + 700 * 39 + 50 * 1,950) / 1e6 Wh, twice.
    found = estimate(
        model="claude-opus-4-8",
        input_tokens=1_000,
        cache_read_tokens=700,
        cache_write_tokens=200,
        output_tokens=50,
        calls=2,
        method="price",
    )
    assert found.energy_wh.central == pytest.approx(2 * 0.2618)
    # A third and three times, as its author rounds them; carbon has that range as well.
    assert ends(found.energy_wh) == pytest.approx((2 * 0.0872, 2 * 0.2618, 2 * 0.7854), rel=1e-3)
    grid = found.place.g_per_kwh
    assert found.carbon_g.low < found.energy_wh.central / 1_000 * grid.low
    assert found.carbon_g.high > found.energy_wh.central / 1_000 * grid.high


def test_per_prompt_sees_no_token_at_all():
    short, long = (estimate(model="gpt-5", **t, calls=5, method="per-prompt") for t in (CHAT, STEP))
    assert short.energy_wh == long.energy_wh
    assert short.energy_wh.central == pytest.approx(1.2)


def test_a_model_that_ecologits_does_not_know_is_an_error_with_the_way_out():
    with pytest.raises(FactorError, match=r"does not know model 'mystery-9'. Use method agenttr"):
        estimate(model="mystery-9", **CHAT, method="ecologits")


def test_other_methods_cover_the_facility_only():
    with pytest.raises(ConfigError, match="method price covers the facility only, not the server"):
        estimate(model="gpt-5", **CHAT, method="price", boundary="server")


# What is wrong is said in one line


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model": " "}, "no model is named. Give its name, as the provider spells it."),
        ({"model": None}, "no model is named. Give its name, as the provider spells it."),
        ({"input_tokens": -1}, "input_tokens is -1. Give 0 to 1,000,000,000."),
        ({"output_tokens": 2.5}, "output_tokens is 2.5. Give a whole number."),
        ({"output_tokens": "7"}, "output_tokens is '7'. Give a whole number."),
        ({"output_tokens": True}, "output_tokens is True. Give a whole number."),
        ({"output_tokens": math.nan}, "output_tokens is nan. Give a whole number."),
        ({"calls": 0}, "calls is 0. Give 1 to 1,000,000,000,000."),
        ({"calls": BIG}, f"calls is {BIG}. Give 1 to 1,000,000,000,000."),
        (
            {"cache_read_tokens": 400, "cache_write_tokens": 101},
            "501 tokens are read from or written to a cache, and the input has 500. "
            "The input includes both: give at least 501.",
        ),
        (
            {"boundary": "planet"},
            "there is no boundary 'planet'. Choose accelerator, server, facility.",
        ),
        (
            {"factors": 3},
            "factors is 3. Give the path of a factor file, or several in a list.",
        ),
        (
            {"factors": ""},
            "factors is ''. Give the path of a factor file, or several in a list.",
        ),
        (
            {"factors": ["mine.toml", None]},
            "factors is ['mine.toml', None]. Give the path of a factor file, or several in a list.",
        ),
        ({"region": 5}, "region is 5. Give its name as text, or leave it out."),
        ({"provider": 5}, "provider is 5. Give its name as text, or leave it out."),
        ({"factors_version": 5}, "factors_version is 5. Give its name as text, or leave it out."),
        (
            {"method": "guess"},
            "there is no method 'guess'. Choose agenttrace, ecologits, price, per-prompt.",
        ),
    ],
)
def test_a_wrong_argument_is_one_line(changed: dict[str, Any], said: str):
    with pytest.raises(ConfigError) as told:
        estimate(**({"model": "gpt-5", **CHAT} | changed))
    assert str(told.value) == said


def test_an_unknown_region_is_an_error_with_the_way_out():
    with pytest.raises(FactorError, match=r"there is no place 'atlantis'. Give a cloud region"):
        estimate(model="gpt-5", **CHAT, region="atlantis")


def test_a_factor_file_that_is_not_there_is_an_error():
    with pytest.raises(AgentTraceError, match=r"nowhere\.toml"):
        estimate(model="gpt-5", **CHAT, factors="nowhere.toml")


# Laws

names = st.sampled_from(["gpt-5", "claude-opus-4-8", "claude-haiku-4-5", "mystery-9"])
regions = st.sampled_from([None, "FRA", "us-east-1", "WOR"])
boundaries = st.sampled_from(["accelerator", "server", "facility"])
counts = st.integers(0, 1_000_000)


@few
@given(names, counts, counts, counts, counts, st.integers(1, 1_000), regions, boundaries)
def test_every_figure_is_a_range_around_its_central(  # noqa: PLR0917
    name: str,
    uncached: int,
    read: int,
    written: int,
    output: int,
    calls: int,
    region: str | None,
    boundary: Any,
):
    found = estimate(
        model=name,
        input_tokens=uncached + read + written,
        cache_read_tokens=read,
        cache_write_tokens=written,
        output_tokens=output,
        calls=calls,
        region=region,
        boundary=boundary,
    )
    for value in (found.energy_wh, found.carbon_g, found.water_l):
        assert 0 <= value.low <= value.central <= value.high < math.inf


@few
@given(names, st.integers(1, 500), st.integers(1, 500))
def test_calls_add_up(name: str, some: int, others: int):
    first, rest, whole = (
        estimate(model=name, **STEP, calls=n) for n in (some, others, some + others)
    )
    for part in ("energy_wh", "carbon_g", "water_l"):
        added = zip(ends(getattr(first, part)), ends(getattr(rest, part)), strict=True)
        # Calls of one model lean the same way, so their ends add up as well.
        assert ends(getattr(whole, part)) == pytest.approx([sum(pair) for pair in added])


@few
@given(names, counts, counts, counts, counts, boundaries)
def test_more_from_the_cache_never_raises_and_more_tokens_never_lower(  # noqa: PLR0917
    name: str, uncached: int, read: int, moved: int, output: int, boundary: Any
):
    moved = min(moved, uncached)

    def wh(uncached: int, read: int, output: int) -> tuple[float, float, float]:
        return ends(
            estimate(
                model=name,
                input_tokens=uncached + read,
                cache_read_tokens=read,
                output_tokens=output,
                boundary=boundary,
            ).energy_wh
        )

    before = wh(uncached, read, output)
    rounding = 1 + 1e-12
    for cached, value in zip(wh(uncached - moved, read + moved, output), before, strict=True):
        assert cached <= value * rounding
    for larger in (
        wh(uncached + 9, read, output),
        wh(uncached, read + 9, output),
        wh(uncached, read, output + 9),
    ):
        assert all(value <= more for value, more in zip(before, larger, strict=True))


@few
@given(names, counts, counts)
def test_energy_grows_with_the_boundary(name: str, uncached: int, output: int):
    chip, host, site = (
        ends(
            estimate(
                model=name, input_tokens=uncached, output_tokens=output, boundary=boundary
            ).energy_wh
        )
        for boundary in ("accelerator", "server", "facility")
    )
    for inner, outer in ((chip, host), (host, site)):
        assert all(less <= more for less, more in zip(inner, outer, strict=True))


def test_importing_agenttrace_loads_no_factor():
    program = (
        "import sys, agenttrace\n"
        "loaded = [name for name in sys.modules if name.startswith(('agenttrace.energy', "
        "'agenttrace.compare', 'ecologits'))]\n"
        "sys.exit(repr(loaded) if loaded else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
