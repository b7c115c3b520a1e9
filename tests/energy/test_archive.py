"""A set of factors that was kept comes back as it was, or is refused with the reason."""

import gzip
import json
import math
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttrace.energy import archive, draws, factor_set, library, match, shipped
from agenttrace.energy import factors as factors_module
from agenttrace.energy.factors import Data, Factors, Layer, assembled, layered, shipped_layer
from agenttrace.errors import FactorError
from tests.factor_files import SOURCE, hall

MINE = f"""
deployment."my-gpt" = "gpt-4o"
{SOURCE}{hall(1.1, 1.2, 1.3)}
[[pattern]]
matches = "^acme-"
class = "small"

[[family]]
name = "acme"
provider = "acme"
mark = "read"
retrieved = 2026-11-23
sources = [{{ id = "meter", locator = "card" }}]
models = [{{ names = ["deepseek-v3", "acme-coder"], active_b = 32.0, total_b = [60, 64, 70] }}]
"""


@pytest.fixture
def mine(tmp_path: Path, home: Path) -> Factors:
    """Factors of a user, over ours; the home is there."""
    home.mkdir()
    path = tmp_path / "mine.toml"
    path.write_text(MINE, encoding="utf-8")
    return layered(shipped_layer(), Layer((path,)))


def spoilt(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Change what a kept set says, and leave its name."""
    said = json.loads(gzip.decompress(path.read_bytes()))
    change(said)
    path.write_bytes(gzip.compress(json.dumps(said).encode()))
    return path


def kept(home: Path, factors: Factors) -> Path:
    assert archive.save(factors, home) is None
    return home / "factors" / f"{factors.version}.json.gz"


def test_a_set_that_was_kept_comes_back_equal_in_every_value(mine: Factors, home: Path):
    kept(home, mine)
    assert archive.restore(mine.version, home) == mine


def test_a_set_says_which_file_changed_what_and_not_in_which_folder(mine: Factors, home: Path):
    kept(home, mine)
    assert {change.file for change in archive.restore(mine.version, home).changes} == {"mine.toml"}
    assert str(home.parent).encode() not in gzip.decompress(kept(home, mine).read_bytes())


def test_a_set_that_was_kept_prices_as_it_did(mine: Factors, home: Path):
    kept(home, mine)
    again = archive.restore(mine.version, home)
    models = [("x", "my-gpt"), ("x", "acme-coder"), ("x", "gpt-5"), (None, None)]
    before, after = (factor_set(models, factors=factors) for factors in (mine, again))
    assert before.version == after.version
    assert before.models == after.models


def test_a_set_brings_the_library_that_it_was_made_with(
    mine: Factors, home: Path, monkeypatch: pytest.MonkeyPatch
):
    kept(home, mine)
    smaller = library.installed().models_json.replace(b'"gpt-4o"', b'"gpt-4o-gone"')
    newer = library.Library(smaller, library.installed().mixes_json)
    monkeypatch.setattr(library, "installed", lambda: newer)
    factors_module.shipped.cache_clear()
    try:
        again = archive.restore(mine.version, home)
        assert shipped().version != mine.version
        assert again.library != shipped().library
        assert match("gpt-4o", again) == match("gpt-4o", mine)
    finally:
        factors_module.shipped.cache_clear()


@settings(max_examples=25, deadline=None)
@given(
    figures=st.lists(st.floats(1e-300, 1e300), min_size=3, max_size=3).map(sorted),
    most=st.just(math.inf) | st.floats(1e300, 1e308),
    words=st.text(),
)
def test_whatever_a_figure_is_it_comes_back_to_the_last_digit(
    tmp_path_factory: pytest.TempPathFactory, figures: list[float], most: float, words: str
):
    low, central, high = figures
    hall = msgspec.structs.replace(
        shipped().factors["attention_parity_tokens"],
        low=low, central=central, high=high, least=0.0, most=most, note=words,
    )  # fmt: skip
    factors = tuple(one for one in shipped().records.factor if one.id != hall.id)
    records = msgspec.structs.replace(shipped().records, factor=(*factors, hall))
    data = Data(shipped().library, shipped().places)
    made = assembled(records, data, (), "made")
    path = tmp_path_factory.mktemp("set") / "set.json"
    archive.export(made, path)
    again = archive.restore(str(path), None)
    assert (again.factors[hall.id], again.version) == (hall, made.version)


def test_a_set_is_kept_once_and_only_its_owner_reads_it(mine: Factors, home: Path):
    path = kept(home, mine)
    written = path.stat()
    assert stat.S_IMODE(written.st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert kept(home, mine).stat().st_ino == written.st_ino
    assert list(path.parent.iterdir()) == [path]


def test_the_same_factors_make_the_same_file(mine: Factors, home: Path, tmp_path: Path):
    (tmp_path / "other").mkdir()
    assert kept(home, mine).read_bytes() == kept(tmp_path / "other", mine).read_bytes()


def test_nothing_is_kept_where_nothing_was_recorded(tmp_path: Path):
    assert archive.save(shipped(), tmp_path / "none") is None
    assert not (tmp_path / "none").exists()


def test_a_report_is_worth_more_than_its_archive(mine: Factors, home: Path):
    (home / "factors").write_text("a file where the folder should be")
    warning = archive.save(mine, home)
    assert warning is not None
    assert warning.startswith(f"the factors of this report cannot be kept in {home / 'factors'}: ")
    assert "`agenttrace factors export FILE` keeps them elsewhere" in warning


@pytest.mark.parametrize("name", ["set.json", "set.json.gz"])
def test_an_exported_file_is_taken_in_place_of_a_version(mine: Factors, tmp_path: Path, name: str):
    archive.export(mine, tmp_path / name)
    assert archive.restore(str(tmp_path / name), None) == mine
    assert (tmp_path / name).read_bytes().startswith(b"{") == (name == "set.json")


def test_an_export_replaces_no_file(mine: Factors, tmp_path: Path):
    with pytest.raises(FactorError, match=r"mine.toml is there already\. Name another file"):
        archive.export(mine, tmp_path / "mine.toml")
    with pytest.raises(FactorError, match=r"set.json cannot be written: No such file"):
        archive.export(mine, tmp_path / "none" / "set.json")


def test_factors_of_today_need_not_have_been_kept(home: Path):
    assert archive.restore(shipped().version, home) is shipped()


def test_an_unknown_version_names_those_that_are_known(mine: Factors, home: Path):
    kept(home, mine)
    with pytest.raises(
        FactorError,
        match=rf"no factors of version '0123456789ab' here\. Known: {mine.version}, "
        rf"{shipped().version}\. For another one, run `agenttrace factors export FILE` where",
    ):
        archive.restore("0123456789ab", home)


def test_a_version_is_no_way_to_another_folder(mine: Factors, home: Path):
    kept(home, mine)
    with pytest.raises(FactorError, match="there are no factors of version"):
        archive.restore(f"../factors/{mine.version}", home)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"scheme": draws.SCHEME + 1},
            rf"made {draws.DRAWS} draws by scheme {draws.SCHEME + 1}; this one makes "
            rf"{draws.DRAWS} by scheme {draws.SCHEME}, so the ranges would be others\. Install",
        ),
        ({"draws": 7}, r"agenttrace .* made 7 draws by scheme"),
        ({"format": 99}, r"agenttrace .* wrote these factors in another form\. Install that"),
        ({"records": {}}, r"factors are missing: "),
        ({"library": {}}, r"is no whole set of factors: 'models.json'\."),
        ({"version": "0123456789ab"}, r"it says version 0123456789ab and holds [0-9a-f]{12}"),
        ({"places": {"x.toml": ""}}, r"is no whole set of factors: it says version"),
        ({"records": {"factor": 7}}, r"is no whole set of factors: Expected `array`"),
        ({"format": "one"}, r"is no whole set of factors: Expected `int`"),
    ],
)
def test_a_set_that_would_price_otherwise_is_refused(
    mine: Factors, home: Path, change: dict[str, Any], reason: str
):
    spoilt(kept(home, mine), lambda said: said.update(change))
    with pytest.raises(FactorError, match=reason) as caught:
        archive.restore(mine.version, home)
    assert "\n" not in str(caught.value)


def test_a_set_under_another_name_is_refused(mine: Factors, home: Path):
    kept(home, mine).rename(home / "factors" / "0123456789ab.json.gz")
    with pytest.raises(FactorError, match=rf"it holds version {mine.version}"):
        archive.restore("0123456789ab", home)


@pytest.mark.parametrize("junk", [b"", b"\x1f\x8b", b"\x1f\x8bjunk", b"{", b"[]", b"\xff\xfe"])
def test_a_damaged_file_is_refused_with_the_way_out(mine: Factors, home: Path, junk: bytes):
    path = kept(home, mine)
    path.write_bytes(junk)
    with pytest.raises(FactorError, match=r"is no whole set of factors: .*Run `agenttrace factor"):
        archive.restore(mine.version, home)
    path.write_bytes(gzip.compress(b"{}")[:-4])
    with pytest.raises(FactorError, match=r"is no whole set of factors"):
        archive.restore(mine.version, home)


def test_versions_are_listed_with_what_keeps_them_from_being_used(mine: Factors, home: Path):
    older = kept(home, shipped())
    os.utime(older, (0, 0))
    spoilt(kept(home, mine), lambda said: said.update(draws=7))
    (home / "factors" / "notes.txt").write_text("not a set")
    newest, oldest = archive.versions(home)
    assert (newest.version, oldest.version) == (mine.version, shipped().version)
    assert (oldest.kept.isoformat(), oldest.trouble) == ("1970-01-01T00:00:00+00:00", "")
    assert "made 7 draws" in newest.trouble
    assert archive.versions(home / "none") == []
