import re
from pathlib import Path

import pytest

from agenttrace.compare import toml_file
from agenttrace.errors import FactorError

SHIPPED = Path("shipped.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = ", "mine.toml: "),
        ('a = "many"', "mine.toml: Expected `int`, got `str` - at `$[...]`. shipped.toml is an ex"),
    ],
)
def test_a_file_that_does_not_hold_names_one_that_does(tmp_path: Path, text: str, said: str):
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FactorError, match=re.escape(said)) as told:
        toml_file.read(file, dict[str, int], SHIPPED)
    assert str(told.value).endswith("shipped.toml is an example.")


def test_a_file_that_is_not_there_has_a_way_out(tmp_path: Path):
    with pytest.raises(FactorError, match=r"cannot be read: No such.* Name a TOML file that is th"):
        toml_file.read(tmp_path / "none.toml", dict[str, int], SHIPPED)


def test_what_is_given_twice_is_named():
    toml_file.check_once("mine.toml", "prompt", ["a", "b"])
    with pytest.raises(FactorError, match=r"mine.toml: prompt 'a' is given twice. Remove one"):
        toml_file.check_once("mine.toml", "prompt", ["a", "b", "a"])


def test_a_record_needs_a_source_that_the_file_gives():
    toml_file.check_cited("prompt 'a'", ["paper"], {"paper"})
    with pytest.raises(FactorError, match=r"prompt 'a' has no source\. Add one"):
        toml_file.check_cited("prompt 'a'", [], {"paper"})
    with pytest.raises(FactorError, match=r"cites source 'blog', which is not given. Add a \[sou"):
        toml_file.check_cited("prompt 'a'", ["blog"], {"paper"})
