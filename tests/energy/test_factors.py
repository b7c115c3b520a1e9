from pathlib import Path

import pytest

from agenttrace.energy import factor_set, load, shipped
from agenttrace.energy import factors as module
from agenttrace.errors import FactorError

DATA = Path(module.__file__).parent / "data"
SHIPPED = sorted(DATA.glob("*.toml"))

# A name that only the class, only the catalogue, only our own data, and nothing at all knows.
MODELS = [
    ("x", "claude-2-sonnet"),
    ("x", "gpt-5"),
    ("x", "deepseek-chat"),
    ("x", "mystery"),
    ("x", "bge-m3"),
]


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


@pytest.mark.parametrize("factor", factor_set(MODELS).factors, ids=lambda factor: factor.id)
def test_every_loaded_factor_has_its_source(factor: module.Factor):
    assert factor.sources
    for citation in factor.sources:
        source = shipped().sources[citation.id]
        assert source.by
        assert source.title
        assert 2000 < source.year < 2100
        assert source.url.startswith("https://")
        assert citation.locator


def test_every_source_is_cited():
    cited = {c.id for factor in factor_set(MODELS).factors for c in factor.sources}
    assert set(shipped().sources) - cited == {"ecologits-mixes"}  # the grid cites it


def test_factors_of_the_formula_are_the_published_ones():
    assert {f.symbol: (f.low, f.central, f.high) for f in shipped().constants()} == {
        "eps": (2.0e-3, 3.5e-3, 5.0e-3),
        "rho": (2e4, 5e4, 3e5),
        "h": (0.003, 0.02, 0.15),
        "jb": (1.0e-10, 1.9e-10, 2.5e-10),
        "M": (1.35, 1.72, 2.4),
    }


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


def test_a_changed_figure_is_another_version(tmp_path: Path):
    changed = load(*edited(tmp_path, "constants.toml", "central = 1.72", "central = 1.73"))
    assert changed.version != shipped().version
    assert factor_set([], factors=changed).version != factor_set([]).version


def test_a_comment_is_not_another_version(tmp_path: Path):
    commented = load(*edited(tmp_path, "constants.toml", "[[factor]]", "# why not\n\n[[factor]]"))
    assert commented.version == shipped().version


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "constants.toml",
            "low = 1.35",
            "low = 13.5",
            r"constants.toml: factor 'facility_multiplier' needs 0 < low <= central <= high, "
            r"and has 13.5, 1.72, 2.4\.",
        ),
        (
            "constants.toml",
            "low = 1.35",
            "low = 0.0",
            r"'facility_multiplier' needs 0 < low <= central <= high, and has 0, 1.72, 2.4\.",
        ),
        (
            "constants.toml",
            "low = 1.35",
            "low = 0.9",
            r"'facility_multiplier' ends at 1 and inf, and its range does not lie within\.",
        ),
        (
            "constants.toml",
            'unit = "J/byte"',
            'unit = "Wh/byte"',
            r"'cache_read_j_per_byte' has unit 'Wh/byte'; give it in 'J/byte'\.",
        ),
        (
            "constants.toml",
            'unit = "J/byte"\n',
            "",
            r"constants.toml: Object missing required field `unit`",
        ),
        (
            "constants.toml",
            "central = 1.72",
            'central = "1.72"',
            r"constants.toml: Expected `float`, got `str` - at `\$.factor\[4\].central`",
        ),
        (
            "constants.toml",
            "central = 1.72",
            "centre = 1.72",
            r"constants.toml: Object contains unknown field `centre` - at `\$.factor\[4\]`",
        ),
        ("constants.toml", "low = 1.35", "low = = 1.35", r"constants.toml: Invalid value"),
        (
            "constants.toml",
            'mark = "second-hand"',
            'mark = "heard"',
            r"constants.toml: Invalid enum value 'heard' - at `\$.factor\[2\].mark`",
        ),
        (
            "constants.toml",
            'id = "google-serving"',
            'id = "google"',
            r"'facility_multiplier' cites source 'google', which is not given\. "
            r"Add a \[source.google\] table\.",
        ),
        (
            "classes.toml",
            'sources = [{ id = "ecologits-models", locator = "entries of the class, all of them '
            'assumptions about closed models" }]',
            "sources = []",
            r"classes.toml: factor 'xlarge.active_parameters_b' has no source\.",
        ),
        (
            "constants.toml",
            'id = "facility_multiplier"',
            'id = "pue"',
            r"factor 'pue' is not used\. Known ids: prefill_j_per_b_token, .*NAME",
        ),
        (
            "constants.toml",
            'id = "facility_multiplier"',
            'id = "cache_hit_share"',
            r"constants.toml: factor 'cache_hit_share' is already given in constants.toml\.",
        ),
        (
            "classes.toml",
            'id = "tiny.decode_j_per_token"',
            'id = "minute.decode_j_per_token"',
            r"factors are missing: tiny.decode_j_per_token\. Add a \[\[factor\]\] for each\.",
        ),
        (
            "models.toml",
            'class = "embedding"',
            'class = "vector"',
            r"models.toml: pattern 'embed.*' names class 'vector'\. Classes: embedding, tiny, ",
        ),
        (
            "models.toml",
            "'claude-.*haiku'",
            "'claude-(haiku'",
            r"models.toml: pattern 'claude-\(haiku' is no regular expression: missing \)",
        ),
        (
            "models.toml",
            'factor = "deepseek-v3.active_parameters_b"',
            'factor = "deepseek.active_parameters_b"',
            r"model 'deepseek-chat' names factor 'deepseek.active_parameters_b', which is not",
        ),
        (
            "models.toml",
            '"deepseek-chat", ',
            '"deepseek-chat", "deepseek-chat", ',
            r"models.toml: model 'deepseek-chat' is already given in models.toml\.",
        ),
    ],
)
def test_a_bad_factor_file_is_one_sentence(
    tmp_path: Path, file: str, old: str, new: str, message: str
):
    with pytest.raises(FactorError, match=message) as caught:
        load(*edited(tmp_path, file, old, new))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(FactorError, match=r"mine.toml cannot be read: No such file"):
        load(*SHIPPED, tmp_path / "mine.toml")


def test_without_a_class_that_decodes_an_unknown_model_has_no_range(tmp_path: Path):
    constants = (tmp_path / "constants.toml", tmp_path / "sources.toml")
    for copy in constants:
        copy.write_text((DATA / copy.name).read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(FactorError, match="no class decodes"):
        load(*constants)
