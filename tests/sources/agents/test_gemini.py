"""Chats of Gemini CLI: what counts, once, and where it belongs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sources import logs

CORPUS = logs.CORPORA / "gemini"
TOTALS: dict[str, dict[str, Any]] = json.loads((CORPUS / "totals.json").read_text())


@pytest.mark.parametrize("trap", TOTALS)
def test_the_totals_are_those_worked_out_by_hand(trap: str, tmp_path: Path) -> None:
    logs.imported("gemini", CORPUS / trap, tmp_path)

    assert logs.totals(tmp_path) == tuple(
        TOTALS[trap][key] for key in ("tasks", "calls", "input_tokens", "output_tokens")
    )
