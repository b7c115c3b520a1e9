"""Factor files: every record has its source, and what is wrong is one line that says where."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agenttrace.energy import checks, factor_file, factor_set, library, load, match, shipped
from agenttrace.energy import factors as module
from agenttrace.energy.records import CONSTANTS, PARTS, Change, Factor, quantity
from agenttrace.errors import FactorError
from agenttrace.model import Range
from tests.factor_files import SOURCE, hall

DATA = Path(module.__file__).parent / "data"
SHIPPED = sorted(DATA.glob("*.toml"))
MARKS = {"read", "excerpt", "second-hand", "derived", "assumption"}

FACTOR = hall(1.1, 1.2, 1.3)
FAMILY = """
[[family]]
name = "acme"
provider = "acme"
mark = "read"
retrieved = 2026-11-23
sources = [{ id = "meter", locator = "card" }]
models = [{ names = ["acme-coder"], active_b = 32.0 }]
"""
PROVIDER = """
[[provider]]
name = "acme"
zone = "FRA"
mark = "read"
retrieved = 2026-11-23
sources = [{ id = "meter" }]
"""
CLASS = """
[[class]]
name = "vast"
holds = "larger ones"
"""


def over(tmp_path: Path, text: str) -> module.Factors:
    """Read *text* as a file of the user, over ours."""
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return module.layered(module.shipped_layer(), module.Layer((path,)))


def edited(tmp_path: Path, file: str, old: str, new: str) -> list[Path]:
    """Copy the shipped files, with one passage of one of them replaced."""
    copies: list[Path] = []
    for path in SHIPPED:
        text = path.read_text(encoding="utf-8")
        if path.name == file:
            assert old in text
            text = text.replace(old, new, 1)
        copies.append(tmp_path / path.name)
        copies[-1].write_text(text, encoding="utf-8")
    return copies


# What is shipped ----------------------------------------------------------------------------------


def loaded() -> list[Factor]:
    """Every factor that can be in use: ours, those of each model, and of an unknown one."""
    factors = shipped()
    # A name of which nothing is known, one that says its size, and all that are known.
    names = [None, "mystery-7b", *factors.families, *shipped().library.models]
    models = [match(name, factors) for name in names]
    own = [
        factor
        for model in models
        for factor in (
            model.parts.active_parameters_b,
            model.parts.decode_j_per_token,
            model.parts.cache_bytes_per_token,
            model.total_parameters_b,
        )
        if factor
    ]
    return list({id(factor): factor for factor in (*factors.factors.values(), *own)}.values())


def test_every_loaded_factor_says_where_it_is_from_how_and_when():
    for factor in loaded():
        assert factor.sources, factor.id
        assert factor.mark in MARKS
        assert factor.retrieved.year >= 2026
        for citation in factor.sources:
            assert citation.id in shipped().sources, factor.id
            assert citation.locator, factor.id


def test_every_loaded_factor_is_in_order_and_in_its_unit():
    for factor in loaded():
        wanted = quantity(factor.id)
        if wanted:  # all parameters of a model are said, not priced
            assert (factor.unit, factor.boundary in wanted.boundaries) == (wanted.unit, True)
        assert 0 <= factor.low <= factor.central <= factor.high < float("inf"), factor.id


def test_every_class_family_and_provider_says_where_it_is_from_how_and_when():
    factors = shipped()
    for name in factors.classes:  # a class is its factors; what it holds is said in words
        assert factors.parts(name).active_parameters_b.sources
    for record in (*factors.records.family, *factors.records.provider):
        assert record.mark in MARKS
        assert record.retrieved.year >= 2026
        assert {citation.id for citation in record.sources} <= set(factors.sources)
        assert record.sources


@pytest.mark.parametrize("source", shipped().sources.values(), ids=list(shipped().sources))
def test_every_source_has_an_author_a_title_a_year_and_an_address(source: module.Source):
    assert source.by
    assert source.title
    assert 2000 < source.year < 2100
    assert source.url.startswith("https://")


def test_every_source_is_cited():
    factors = shipped()
    records = (*loaded(), *factors.records.family, *factors.records.provider)
    cited = {citation.id for record in records for citation in record.sources}
    assert set(factors.sources) - cited <= {"ecologits-mixes"}  # the grid cites it


def test_factors_of_the_formula_are_the_published_ones():
    assert {f.symbol: (f.low, f.central, f.high) for f in shipped().constants()} == {
        "eps": (2.0e-3, 3.5e-3, 5.0e-3),
        "rho": (2e4, 5e4, 3e5),
        "h": (0.003, 0.02, 0.15),
        "jb": (1.0e-10, 1.9e-10, 2.5e-10),
        "M": (1.35, 1.72, 2.4),
        "s": (0.4, 0.58, 0.75),
    }


def test_the_share_of_the_host_is_that_of_the_only_operator_who_says_it():
    host, idle, overhead = 25, 10, 8  # % of 0.24 Wh; the accelerator is the rest but for rounding
    share = shipped().factors["host_share"]
    assert share.central == pytest.approx(host / (host + idle + overhead), abs=0.005)
    assert share.most == 1.0


def test_an_unknown_model_spans_every_class_that_decodes():
    parts = shipped().parts("unknown")
    spans = [
        (part.low, part.high)
        for part in (
            parts.active_parameters_b,
            parts.decode_j_per_token,
            parts.cache_bytes_per_token,
        )
        if part
    ]
    assert spans == [(3, 250), (0.075, 8.0), (2e4, 4e5)]
    assert parts.active_parameters_b.central == pytest.approx((8 * 30 * 45 * 37 * 100) ** 0.2)


def test_a_class_that_does_not_decode_has_no_decoding():
    parts = shipped().parts("embedding")
    assert parts.decode_j_per_token is None
    assert parts.cache_bytes_per_token is None


# The version --------------------------------------------------------------------------------------


def test_a_changed_figure_is_another_version(tmp_path: Path):
    changed = load(*edited(tmp_path, "constants.toml", "central = 1.72", "central = 1.73"))
    assert changed.version != shipped().version
    assert factor_set([], factors=changed).version != factor_set([]).version


def test_a_comment_is_not_another_version(tmp_path: Path):
    commented = load(*edited(tmp_path, "constants.toml", "[[factor]]", "# why not\n\n[[factor]]"))
    assert commented.version == shipped().version


def test_the_file_that_a_record_is_in_is_not_another_version(tmp_path: Path):
    whole = tmp_path / "all.toml"
    whole.write_text("\n".join(path.read_text("utf-8") for path in SHIPPED), encoding="utf-8")
    assert load(whole).version == shipped().version


def test_another_library_is_another_version(monkeypatch: pytest.MonkeyPatch):
    older = library.Library(b'{"models": []}', b'{"electricity_mixes": []}')
    monkeypatch.setattr(library, "installed", lambda: older)
    assert load(*SHIPPED).version != shipped().version


def test_a_library_of_another_day_is_read_from_its_own_bytes():
    older = library.Library(
        b'{"models": [{"provider": "x", "name": "Old", "architecture": '
        b'{"type": "dense", "parameters": 7}}], "aliases": [{"name": "o", "alias": "gone"}]}',
        b'{"electricity_mixes": [{"name": "FRA", "gwp": 0.05, "wue": 3.5}]}',
    )
    assert older.models["old"].active_parameters_b == Range(7, 7, 7)
    assert older.mixes["FRA"].wue == 3.5
    assert list(older.models) == ["old"]  # an alias of nothing is left out


# Layers -------------------------------------------------------------------------------------------


def test_a_factor_of_a_later_layer_replaces_ours_whole(tmp_path: Path):
    factors = over(tmp_path, SOURCE + FACTOR)
    hall = factors.factors["facility_multiplier"]
    assert hall.range == Range(1.1, 1.2, 1.3)
    assert (hall.symbol, hall.note) == ("", "")  # nothing of ours is left
    assert hall.least == 1.0  # no facility takes less than its accelerators
    (change,) = factors.changes
    assert change == Change(
        table="factor",
        key="facility_multiplier",
        file=str(tmp_path / "mine.toml"),
        replaces=True,
        before=shipped().factors["facility_multiplier"],
    )
    assert factors.version != shipped().version


def test_what_says_the_same_as_ours_changes_nothing(tmp_path: Path):
    ours = (DATA / "constants.toml").read_text(encoding="utf-8")
    again = over(tmp_path, ours)
    assert (again.version, again.changes) == (shipped().version, ())


def test_models_deployments_and_patterns_add_up_and_the_later_pattern_is_tried_first(
    tmp_path: Path,
):
    text = SOURCE + FAMILY + "[[pattern]]\nmatches = '^gpt-4o'\nclass = \"small\"\n"
    factors = over(tmp_path, '[deployment]\n"My-GPT" = "gpt-4o"\n' + text)
    family, model = factors.families["acme-coder"]
    assert (family.name, model.active_b) == ("acme", 32.0)
    assert factors.deployments == {"my-gpt": "gpt-4o"}
    assert factors.patterns[0] == (re.compile("^gpt-4o"), "small")
    assert len(factors.patterns) == len(shipped().patterns) + 1


def test_a_model_of_a_later_layer_takes_only_the_names_that_it_has(tmp_path: Path):
    ours, other = "deepseek-v3", "deepseek-r1"
    assert shipped().families[ours][1] is shipped().families[other][1]
    factors = over(tmp_path, SOURCE + FAMILY.replace("acme-coder", ours))
    assert factors.families[ours][1].active_b == 32.0
    assert factors.families[other][1].active_b == shipped().families[other][1].active_b
    assert ours not in factors.families[other][1].names


def test_a_class_of_a_later_layer_is_the_largest(tmp_path: Path):
    parts = {
        "active_parameters_b": ("1e9 parameter", "model"),
        "decode_j_per_token": ("J/token", "accelerator"),
        "cache_bytes_per_token": ("byte/token", "model"),
    }
    text = SOURCE + CLASS
    for part, (unit, boundary) in parts.items():
        text += (
            FACTOR.replace("facility_multiplier", f"vast.{part}")
            .replace('unit = "1"', f'unit = "{unit}"')
            .replace('"facility"', f'"{boundary}"')
        )
    assert list(over(tmp_path, text).classes)[-2:] == ["xlarge", "vast"]


def test_a_provider_can_have_factors_of_its_own(tmp_path: Path):
    pue = FACTOR.replace("facility_multiplier", "acme.pue")
    water = (
        FACTOR.replace("facility_multiplier", "acme.wue_l_per_kwh")
        .replace('unit = "1"', 'unit = "l/kWh"')
        .replace("low = 1.1\ncentral = 1.2\nhigh = 1.3", "low = 0.0\ncentral = 0.0\nhigh = 0.4")
    )
    factors = over(tmp_path, SOURCE + PROVIDER + pue + water)
    assert factors.providers["acme"].factor_owner == "acme"
    assert factors.factors["acme.wue_l_per_kwh"].range == Range(0.0, 0.0, 0.4)


def test_hardware_needs_no_record_besides_its_factors(tmp_path: Path):
    ratio = FACTOR.replace("facility_multiplier", "abacus.decode_ratio").replace(
        'boundary = "facility"', 'boundary = "accelerator"'
    )
    assert over(tmp_path, SOURCE + ratio).factors["abacus.decode_ratio"].range.central == 1.2


def test_a_pattern_can_be_kept_for_names_that_nothing_else_knows(tmp_path: Path):
    text = "[[pattern]]\nmatches = '^acme-'\nclass = \"small\"\nfallback = true\n"
    factors = over(tmp_path, text)
    assert factors.fallbacks[0] == (re.compile("^acme-"), "small")
    assert factors.patterns == shipped().patterns


def test_a_file_read_twice_is_a_file_read_once(tmp_path: Path):
    once = over(tmp_path, SOURCE + FACTOR + FAMILY + PROVIDER)
    mine = module.Layer((tmp_path / "mine.toml",))
    assert module.layered(module.shipped_layer(), mine, mine) == once


def test_a_byte_order_mark_is_no_trouble(tmp_path: Path):
    assert over(tmp_path, "\ufeff" + SOURCE + FACTOR).factors["facility_multiplier"].low == 1.1


# Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # figures
        (
            SOURCE + FACTOR.replace("low = 1.1", "low = 1.25"),
            r"line 13: factor 'facility_multiplier' needs 0 < low <= central <= high, "
            r"and has 1.25, 1.2, 1.3\. Correct the three figures\.",
        ),
        (SOURCE + FACTOR.replace("low = 1.1", "low = -1.1"), r"line 13: .*and has -1.1, 1.2, 1.3"),
        (SOURCE + FACTOR.replace("low = 1.1", "low = 0.0"), r"needs 0 < low .*and has 0, 1.2"),
        (SOURCE + FACTOR.replace("central = 1.2", "central = nan"), r"line 13: .*has 1.1, nan"),
        (SOURCE + FACTOR.replace("high = 1.3", "high = inf"), r"line 13: .*has 1.1, 1.2, inf"),
        (
            SOURCE + FACTOR + "least = 1.15\n",
            r"line 20: factor 'facility_multiplier' ends at 1.15 and inf, and its range does not",
        ),
        (SOURCE + FACTOR + "most = nan\n", r"ends at 0 and nan"),
        (
            SOURCE + FACTOR.replace("low = 1.1", "low = 0.9"),
            r"line 13: factor 'facility_multiplier' cannot be below 1 or above inf, and has 0.9",
        ),
        # kinds of values
        (
            SOURCE + FACTOR.replace("central = 1.2", 'central = "1.2"'),
            r"line 14: factor 'facility_multiplier', central: expected `float`, got `str`\.",
        ),
        (
            SOURCE + FACTOR.replace("central = 1.2", "centre = 1.2"),
            r"line 9: factor 'facility_multiplier': object contains unknown field `centre`\.",
        ),
        (
            SOURCE + FACTOR.replace('unit = "1"\n', ""),
            r"line 9: factor 'facility_multiplier': object missing required field `unit`\.",
        ),
        (
            SOURCE + FACTOR.replace('mark = "read"', 'mark = "heard"'),
            r"line 17: factor 'facility_multiplier', mark: invalid enum value 'heard'\. "
            r"Use one of read, excerpt, second-hand, derived, assumption\.",
        ),
        (
            SOURCE + FACTOR.replace('{ id = "meter",', "{ id = 7,"),
            r"line 19: factor 'facility_multiplier', sources\[0\].id: expected `str`, got `int`",
        ),
        (
            SOURCE + FACTOR.replace("2026-11-23", '"yesterday"'),
            r"line 18: factor 'facility_multiplier', retrieved: ",
        ),
        (SOURCE.replace("year = 2026", "year = 2026.5"), r"line 2: source 'meter', year: expected"),
        ("[[factr]]\nid = 1\n", r"line 1: there is no table 'factr'\. Tables: class, deployment, "),
        ("factor = 7\n", r"\[factor\] holds one record, and there may be many\."),
        ("[factor]\nid = 'x'\n", r"line 1: \[factor\] holds one .*Write it as \[\[factor\]\]\."),
        ("source = 7\n", r"source is no table\. Write it as \[source\]\."),
        ("[deployment]\nx = 7\n", r"line 2: deployment 'x': expected `str`, got `int`"),
        ("[[factor]]\nid = = 7\n", r"mine.toml is no TOML: invalid value \(at line 2, column 6\)"),
        ("[[factor]]\n[[factor]\n", r"mine.toml is no TOML: .*line 2"),
        # ids, units and boundaries
        (
            SOURCE + FACTOR.replace('unit = "1"', 'unit = "Wh"'),
            r"line 12: factor 'facility_multiplier' has unit 'Wh'; give it in '1'\.",
        ),
        (
            SOURCE + FACTOR.replace('"facility_multiplier"', '"overhead"'),
            r"line 10: factor 'overhead' is not used\. Known ids: prefill_j_per_b_token, .*NAME",
        ),
        (
            SOURCE + FACTOR.replace('boundary = "facility"', 'boundary = "accelerator"'),
            r"line 16: factor 'facility_multiplier' covers 'accelerator'; the formula takes it for "
            r"'facility'\.",
        ),
        (
            SOURCE
            + FACTOR.replace("facility_multiplier", "larger.decode_j_per_token")
            .replace('unit = "1"', 'unit = "J/token"')
            .replace('"facility"', '"accelerator"'),
            r"line 10: factor 'larger.decode_j_per_token' belongs to no class, so nothing would "
            r"use it\. Did you mean large.decode_j_per_token\? Figures of a model go into",
        ),
        (
            SOURCE + FACTOR.replace("facility_multiplier", "nobody.pue"),
            r"factor 'nobody.pue' belongs to no provider",
        ),
        # twice
        (
            SOURCE + FACTOR + FACTOR,
            r"mine.toml, line 21: factor 'facility_multiplier' is already given in .*mine.toml, "
            r"line 9\. Remove one of the two\.",
        ),
        (SOURCE + FAMILY + FAMILY, r"line 17: model 'acme-coder' is already given in .*line 9\."),
        (
            SOURCE + FAMILY.replace('"acme-coder"', '"acme-coder", "Acme-Coder "'),
            r"model 'acme-coder' is already given",
        ),
        (SOURCE + PROVIDER + PROVIDER, r"provider 'acme' is already given"),
        ("[deployment]\nX = 'a'\nx = 'b'\n", r"deployment 'x' is already given"),
        (SOURCE + SOURCE, r"mine.toml is no TOML: .*line 9"),
        # sources
        (
            SOURCE + FACTOR.replace('id = "meter"', 'id = "metre"'),
            r"line 9: factor 'facility_multiplier' cites source 'metre', which is not given\. "
            r"Add a \[source.metre\] table\.",
        ),
        (
            SOURCE + re.sub(r"sources = .*", "sources = []", FACTOR),
            r"line 9: factor 'facility_multiplier' has no source\. Add one to its sources\.",
        ),
        (FACTOR, r"cites source 'meter', which is not given"),
        (SOURCE.replace('by = "Ops"', 'by = " "'), r"line 2: source 'meter' has an empty by\."),
        (SOURCE.replace("2026", "26"), r"source 'meter' is of the year 26\. Give the year"),
        (
            SOURCE.replace("[source.meter]", "[source.ml-energy]"),
            r"there is another source 'ml-energy', 'The ML.ENERGY Benchmark.*Give yours another",
        ),
        (SOURCE + re.sub(r"sources = .*", "sources = []", FAMILY), r"family 'acme' has no source"),
        (SOURCE + re.sub(r"sources = .*", "sources = []", PROVIDER), r"'acme' has no source"),
        # models, classes, patterns, deployments
        (SOURCE + FAMILY.replace("32.0", "-1.0"), r"model 'acme-coder' needs 0 < low .*active_b"),
        (SOURCE + FAMILY.replace("32.0", "[3, 2, 1]"), r"for active_b, and has 3, 2, 1\."),
        (
            SOURCE + FAMILY.replace("32.0", "32.0, total_b = 3.0"),
            r"has more active parameters than parameters in total: active_b is 32, 32, 32",
        ),
        (SOURCE + FAMILY.replace("32.0", '1, class = "wee"'), r"'acme-coder' names class 'wee'"),
        (SOURCE + FAMILY + 'class = "wee"\n', r"family 'acme' names class 'wee'\. Classes: emb"),
        (SOURCE + FAMILY.replace('["acme-coder"]', "[]"), r"'acme' has a model without a name"),
        (SOURCE + re.sub(r"models = .*", "models = []", FAMILY), r"family 'acme' has no models"),
        (CLASS, r"line 2: factors are missing: vast.active_parameters_b, vast.decode_j_per_token"),
        (CLASS.replace("vast", "unknown"), r"line 2: a class cannot be named 'unknown'"),
        (CLASS + "moe_up_to_b = nan\n", r"class 'vast' needs dense_up_to_b and moe_up_to_b above"),
        (
            "[[pattern]]\nmatches = 'x'\nclass = 'wee'\n",
            r"line 1: pattern 'x' names class 'wee'\. Classes: embedding, tiny, ",
        ),
        (
            "[[pattern]]\nmatches = '('\nclass = 'tiny'\n",
            r"line 1: pattern '\(' is no regular expression: missing \)",
        ),
        ("[deployment]\nmy-gpt = ' '\n", r"line 2: deployment 'my-gpt' names no model\."),
    ],
)
def test_a_bad_file_is_one_line_with_its_place_and_the_way_out(
    tmp_path: Path, text: str, message: str
):
    with pytest.raises(FactorError, match=message) as caught:
        over(tmp_path, text)
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith(str(tmp_path / "mine.toml"))
    assert said.endswith((".", "?"))


def test_what_is_not_utf8_is_said_with_its_line(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"# one\n# \xe9\n")
    with pytest.raises(FactorError, match=r"mine.toml, line 2 is not UTF-8\. Save the file as"):
        load(*SHIPPED, path)


def test_a_file_that_is_not_there_is_named_with_who_named_it(tmp_path: Path):
    gone = module.Layer((tmp_path / "mine.toml",), "AGENTTRACE_FACTORS")
    with pytest.raises(
        FactorError,
        match=r"mine.toml, which AGENTTRACE_FACTORS names, cannot be read: No such file",
    ):
        module.layered(module.shipped_layer(), gone)


def test_a_factor_that_the_formula_needs_cannot_be_left_out(tmp_path: Path):
    paths = edited(tmp_path, "constants.toml", 'id = "host_share"', 'id = "batch_exponent"')
    exponent = 'unit = "1"\nlow = 0.4'
    text = (tmp_path / "constants.toml").read_text("utf-8")
    assert exponent in text
    (tmp_path / "constants.toml").write_text(
        text.replace('boundary = "server"', 'boundary = "accelerator"'), "utf-8"
    )
    rest = [path for path in paths if path.name != "hardware.toml"]
    with pytest.raises(FactorError, match=r"factors are missing: host_share\. Add a \[\[factor"):
        load(*rest)


def test_without_a_class_that_decodes_an_unknown_model_has_no_range(tmp_path: Path):
    constants = (tmp_path / "constants.toml", tmp_path / "sources.toml")
    for copy in constants:
        copy.write_text((DATA / copy.name).read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(FactorError, match="no class decodes"):
        load(*constants)


@given(
    figures=st.tuples(*[st.floats() | st.just(0.0) | st.floats(1e-12, 1e12)] * 3),
    may_be_zero=st.booleans(),
)
def test_three_figures_are_a_range_only_if_they_are_finite_in_order_and_not_negative(
    figures: tuple[float, float, float], may_be_zero: bool
):
    expected = (
        all(0 <= figure < float("inf") for figure in figures)
        and sorted(figures) == list(figures)
        and (may_be_zero or figures[0] > 0)
    )
    assert checks.is_range(Range(*figures), may_be_zero=may_be_zero) == expected


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    text=st.text(max_size=40)
    | st.sampled_from(
        [SOURCE, FACTOR, FAMILY, PROVIDER, CLASS, "[[factor]]\n", "factor = [[1]]\n", "[a.b]\n"]
    ).flatmap(
        lambda piece: st.integers(0, len(piece)).flatmap(
            lambda at: st.text(max_size=8).map(lambda junk: piece[:at] + junk + piece[at:])
        )
    )
)
def test_whatever_a_file_says_it_is_read_or_refused_in_one_line(text: str):
    said = "mine.toml"
    try:
        factor_file.parse(text, "mine.toml")
    except FactorError as error:
        said = str(error)
    assert said.startswith("mine.toml")
    assert len(said.splitlines()) == 1


def test_every_known_id_has_a_unit_and_a_boundary():
    assert all(one.unit and one.boundaries for one in (*CONSTANTS.values(), *PARTS.values()))
    assert quantity("large.decode_j_per_token") == PARTS["decode_j_per_token"]
    assert quantity("gpt-5.1.active_parameters_b") == PARTS["active_parameters_b"]
    assert quantity("facility_multiplier") == CONSTANTS["facility_multiplier"]
    assert quantity("decode_j_per_token") is None
