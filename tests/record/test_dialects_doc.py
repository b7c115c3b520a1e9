"""The example of the guide to dialects runs as it is printed."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

from agenttrace.record.wire import dialects

GUIDE = Path(__file__).parents[2] / "docs" / "dialects.md"
CONFTEST = Path(__file__).parents[1] / "conftest.py"

# Puts the dialect where its file would be, and its routes where ``_MODULES`` would put them.
LOADED = """
import importlib.util, sys
from pathlib import Path
from agenttrace.record.wire import dialects

name = "agenttrace.record.wire.dialects.acme"
spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("acme.py"))
sys.modules[name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules[name])
dialects._ROUTES = (*dialects._ROUTES, *sys.modules[name].ROUTES)
dialects._PATHS = dialects._compiled(dialects._ROUTES)
"""


def test_the_example_of_the_guide_passes(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n# (\S+)\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)
    for path, code in blocks:
        (tmp_path / Path(path).name).write_text(code)
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text() + LOADED)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:asyncio", "-W", "error"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.splitlines()[-1].startswith("7 passed"), result.stdout
    assert len(blocks) == GUIDE.read_text().count("```python")


def test_what_the_guide_names_exists() -> None:
    text = GUIDE.read_text()
    dialect = {name for name, _ in inspect.getmembers(dialects.Dialect)}
    table = text.partition("## What else a dialect may say")[2]
    named = set(re.findall(r"`([a-z_]+)`", table)) - {"reply_of"}
    assert named - dialect == set()
    for path in re.findall(r"`((?:agenttrace|tests)/[\w/.]+)`", text):
        assert (GUIDE.parents[1] / path).exists(), path
