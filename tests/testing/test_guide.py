"""The guide's examples run as they are printed."""

import re
import subprocess
import sys
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "testing.md"


def test_the_examples_of_the_guide_pass(tmp_path: Path):
    blocks = re.findall(r"^```python\n# (\S+)\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)
    for name, code in blocks:
        (tmp_path / name).write_text(code)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:asyncio", "-W", "error"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.splitlines()[-1].startswith("5 passed"), result.stdout
    assert len(blocks) == GUIDE.read_text().count("```python")


def test_the_guide_shows_what_the_standalone_provider_prints(provider):
    names = re.findall(r"^export (\w+)=", GUIDE.read_text(), re.M)
    assert names == list(provider.env())
