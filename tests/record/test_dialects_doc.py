"""The example of the guide to dialects runs as it is printed."""

import inspect
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from agenttrace.record.wire import dialects
from agenttrace.record.wire.dialect import Route

pytest_plugins = ("pytester",)

GUIDE = Path(__file__).parents[2] / "docs" / "dialects.md"
CONFTEST = Path(__file__).parents[1] / "conftest.py"
ACME = "agenttrace.record.wire.dialects.acme"


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The files of the guide by their names, with the dialect in its place."""
    found = dict(re.findall(r"^```python\n# (\S+)\n(.*?)^```$", GUIDE.read_text(), re.M | re.S))
    acme = ModuleType(ACME)
    monkeypatch.setitem(sys.modules, ACME, acme)
    monkeypatch.setattr(dialects, "acme", acme, raising=False)
    exec(found["agenttrace/record/wire/dialects/acme.py"], vars(acme))  # noqa: S102 - our own guide
    routes: tuple[Route, ...] = (*dialects._ROUTES, *vars(acme)["ROUTES"])
    monkeypatch.setattr(dialects, "_ROUTES", routes)
    monkeypatch.setattr(dialects, "_PATHS", dialects._compiled(routes))
    dialects.of.cache_clear()
    return found


def test_the_example_of_the_guide_passes(
    blocks: dict[str, str], pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeconftest(CONFTEST.read_text())
    pytester.makepyfile(test_acme=blocks["tests/record/dialects/test_acme.py"])
    result = pytester.runpytest_inprocess("-q", "-p", "no:asyncio", "-W", "error")
    result.assert_outcomes(passed=7)
    dialects.of.cache_clear()


def test_what_the_guide_names_exists() -> None:
    text = GUIDE.read_text()
    dialect = {name for name, _ in inspect.getmembers(dialects.Dialect)}
    table = text.partition("## What else a dialect may say")[2]
    named = set(re.findall(r"`([a-z_]+)`", table)) - {"reply_of"}
    assert named - dialect == set()
    for path in re.findall(r"`((?:agenttrace|tests)/[\w/.]+)`", text):
        assert (GUIDE.parents[1] / path).exists(), path
