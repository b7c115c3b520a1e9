"""Which factors are priced with: ours, packages', the home's, the environment's, the command's."""

import os
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from agenttrace import config
from agenttrace.energy import archive, shipped
from agenttrace.energy import chosen as module
from agenttrace.energy.chosen import chosen
from agenttrace.energy.pricing import Pricing
from agenttrace.errors import FactorError

NOTHING = Pricing()


def file_with(path: Path, pue: float) -> Path:
    """Write a file that puts the facility multiplier at *pue*."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"""
[[factor]]
id = "facility_multiplier"
name = "our hall"
unit = "1"
low = {pue}
central = {pue}
high = {pue}
boundary = "facility"
mark = "assumption"
retrieved = 2026-11-23
sources = [{{ id = "google-serving", locator = "not there: a test" }}]
""",
        encoding="utf-8",
    )
    return path


def multiplier(pricing: Pricing, home: Path | None) -> float:
    return chosen(pricing, home).factors["facility_multiplier"].central


def brings(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *names: str, module_name: str = "acme_factors"
) -> None:
    """Let an installed package, at *folder*, bring factors under *names*."""
    monkeypatch.syspath_prepend(str(folder))
    points = [EntryPoint(name, module_name, module.ENTRY_POINT_GROUP) for name in names]
    monkeypatch.setattr(module.installed, "entry_points", lambda group: points)


def test_without_files_the_factors_are_ours(home: Path):
    assert chosen(NOTHING, home) is shipped()
    assert chosen(NOTHING, None) is shipped()


def test_a_later_layer_goes_before_an_earlier(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "acme_factors").mkdir()
    (tmp_path / "acme_factors" / "__init__.py").write_text("raise SystemExit('was run')")
    file_with(tmp_path / "acme_factors" / "hall.toml", 1.1)
    brings(monkeypatch, tmp_path, "acme")
    assert multiplier(NOTHING, home) == 1.1

    file_with(home / "factors.toml", 1.2)
    assert multiplier(NOTHING, home) == 1.2

    named = [str(file_with(tmp_path / "a.toml", 1.3)), str(file_with(tmp_path / "b.toml", 1.4))]
    monkeypatch.setenv("AGENTTRACE_FACTORS", os.pathsep.join(named))
    assert multiplier(NOTHING, home) == 1.4

    given = file_with(tmp_path / "c.toml", 1.5), file_with(tmp_path / "d.toml", 1.6)
    assert multiplier(Pricing(factors=given), home) == 1.6
    assert multiplier(Pricing(factors=given[::-1]), home) == 1.5


def test_without_a_home_its_file_is_not_read(home: Path):
    file_with(home / "factors.toml", 1.2)
    assert multiplier(NOTHING, None) == 1.72


def test_a_package_inside_another_is_found_without_running_either(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
):
    for folder in ("acme", "acme/energy"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text("raise SystemExit('was run')")
    file_with(tmp_path / "acme" / "energy" / "hall.toml", 1.1)
    brings(monkeypatch, tmp_path, "acme", module_name="acme.energy")
    assert multiplier(NOTHING, home) == 1.1
    assert "acme" not in sys.modules


def test_two_packages_that_say_the_same_factor_are_refused(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
):
    file_with(tmp_path / "acme_factors" / "a.toml", 1.1)
    file_with(tmp_path / "acme_factors" / "b.toml", 1.2)
    brings(monkeypatch, tmp_path, "acme")
    with pytest.raises(FactorError, match=r"b.toml, line 2: factor 'facility_.*already given in"):
        chosen(NOTHING, home)


@pytest.mark.parametrize("name", ["acme_factors", "no_such_package", "acme_factors.inside"])
def test_a_package_without_factors_is_refused_with_its_name(
    name: str, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "acme_factors").mkdir()
    brings(monkeypatch, tmp_path, "acme", module_name=name)
    with pytest.raises(
        FactorError, match=rf"the factors of 'acme' cannot be found: {name} is no package"
    ):
        chosen(NOTHING, home)


def test_a_file_that_the_environment_names_and_is_not_there_is_an_error(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AGENTTRACE_FACTORS", str(home / "gone.toml"))
    with pytest.raises(FactorError, match=r"gone.toml, which AGENTTRACE_FACTORS names, cannot be"):
        chosen(NOTHING, home)


def test_factors_as_they_were_know_nothing_of_files_of_today(tmp_path: Path, home: Path):
    home.mkdir()
    archive.save(shipped(), home)
    file_with(home / "factors.toml", 1.2)
    assert chosen(Pricing(factors_version=shipped().version), home) == shipped()
    assert multiplier(NOTHING, home) == 1.2


def test_factors_as_they_were_and_a_file_over_them_cannot_both_be_meant(tmp_path: Path, home: Path):
    with pytest.raises(FactorError, match=r"Give one of the two\."):
        chosen(Pricing(factors=(tmp_path / "a.toml",), factors_version="abc"), home)


def test_files_of_the_environment_are_separated_as_in_path(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
):
    assert config.load().factors == ()
    monkeypatch.setenv("AGENTTRACE_FACTORS", os.pathsep.join([" ", "~/a.toml", f"{tmp_path}/b"]))
    assert config.load().factors == (Path.home() / "a.toml", tmp_path / "b")
