from pathlib import Path

import pytest

from agenttrace.compare.grid_years import GridYear, of_years, read
from agenttrace.errors import ConfigError
from agenttrace.model import Range


def file(folder: Path, text: str, name: str = "grid.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_csv_file_has_years_with_or_without_ends(tmp_path: Path):
    text = "year,g_per_kwh,low,high\n2027,250,,\n2030,100,50,200\n"
    source = "file grid.csv"
    assert read(file(tmp_path, text)) == (
        GridYear(year=2027, g_per_kwh=250, source=source),
        GridYear(year=2030, g_per_kwh=100, low=50, high=200, source=source),
    )


def test_a_toml_file_may_say_its_source(tmp_path: Path):
    text = '[[grid_year]]\nyear = 2027\ng_per_kwh = 250\nsource = "our utility"\n'
    found = read(file(tmp_path, text, "grid.toml"))
    assert found == (GridYear(year=2027, g_per_kwh=250, source="our utility"),)


def test_between_years_it_is_a_straight_line_and_outside_the_nearest():
    known = (
        GridYear(year=2030, g_per_kwh=100, low=50, high=200),
        GridYear(year=2028, g_per_kwh=300),
    )
    assert of_years(known, 2027, 5) == (
        Range(300, 300, 300),
        Range(300, 300, 300),
        Range(175, 200, 250),
        Range(50, 100, 200),
        Range(50, 100, 200),
    )


@pytest.mark.parametrize(
    ("name", "text", "trouble"),
    [
        ("grid.csv", "", "no columns year and g_per_kwh"),
        ("grid.csv", "year,g_per_kwh\n", "has no year"),
        ("grid.csv", "year,g_per_kwh\n2027,much\n", "grid.csv, line 2: .* Write it as 2027,250"),
        ("grid.csv", "year,g_per_kwh\n2027\n", "grid.csv, line 2"),
        ("grid.csv", "year,g_per_kwh\n2027,1\n2027,2\n", "the grid of 2027 is given twice"),
        ("grid.csv", "year,g_per_kwh,low\n2027,5,1\n", "one of low and high"),
        ("grid.csv", "year,g_per_kwh\n2027,-5\n", "0 to 3,000"),
        ("grid.csv", "year,g_per_kwh\n2027,nan\n", "Give numbers"),
        ("grid.toml", "[[grid_year]]\nyear = 2027\n", "Write each year as"),
        ("grid.toml", "grid_year = [", "grid.toml: "),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(tmp_path: Path, name: str, text: str, trouble: str):
    with pytest.raises(ConfigError, match=trouble):
        read(file(tmp_path, text, name))


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read(tmp_path / "none.csv")
    (tmp_path / "no.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="it is no text in UTF-8"):
        read(tmp_path / "no.csv")
