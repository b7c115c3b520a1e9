"""Every form of a file says the same."""

import csv
import json
import tempfile
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.errors import ConfigError
from agenttrace.sources.outcomes.files import rows

NOW_NS = 1_790_000_000 * 10**9  # 2026-09-21

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SAID = st.fixed_dictionaries(
    {
        "task_id": TEXTS.filter(str.strip),
        "outcome": st.sampled_from(["success", "failure", "abandoned"]),
        "reference": TEXTS,
        "at": st.sampled_from(["", "2026-01-02", "2026-01-02T03:04:05Z"]),
    }
)


def as_csv(said: list[dict[str, str]]) -> str:
    file = StringIO(newline="")
    writer = csv.DictWriter(file, ["task_id", "outcome", "reference", "at"])
    writer.writeheader()
    writer.writerows(said)
    return file.getvalue()


def as_lines(said: list[dict[str, str]]) -> str:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in said)


def read(text: str) -> list[tuple[Any, ...]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "outcomes"
        path.write_bytes(text.encode())
        found = rows(path, NOW_NS)
    return [(row.task_id, row.outcome, row.reference, row.at_ns) for row in found]


@given(st.lists(SAID, min_size=1, max_size=5))
def test_every_form_says_the_same(said: list[dict[str, str]]) -> None:
    expected = [
        (
            one["task_id"].strip(),
            one["outcome"],
            one["reference"].strip() or None,
            {
                "": None,
                "2026-01-02": 1_767_312_000 * 10**9,
                "2026-01-02T03:04:05Z": 1_767_323_045 * 10**9,
            }[one["at"]],
        )
        for one in said
    ]
    for text in (as_csv(said), as_lines(said), json.dumps(said), json.dumps(said, indent=1)):
        assert read(text) == expected


@given(st.text(max_size=60))
def test_whatever_a_file_says_is_read_or_refused(text: str) -> None:
    try:
        read("task_id,outcome\n" + text.encode(errors="replace").decode())
    except ConfigError as error:
        assert str(error).endswith("Nothing was imported.")  # noqa: PT017 - it may be fine as well


def test_what_is_no_csv_is_refused() -> None:
    with pytest.raises(ConfigError, match="line 2: this is no CSV: field larger"):
        read("task_id,outcome\nT-1," + "x" * 200_000)
