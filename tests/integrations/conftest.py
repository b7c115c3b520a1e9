"""Real frameworks against a local provider, and what was recorded of them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import agenttrace
from agenttrace.testing import ModelProvider


@pytest.fixture
def provider() -> Iterator[ModelProvider]:
    with ModelProvider() as running:
        yield running


@pytest.fixture
def calls(recording: Path, provider: ModelProvider) -> Callable[[], list[str]]:
    """The counted calls, as ``task: role of agent``; they are those that the provider billed."""

    def read() -> list[str]:
        with agenttrace.read(recording) as reader:
            rows = reader.query("SELECT * FROM model_call ORDER BY started_at, span_id")
        billed = [
            (bill.response_id, bill.input_tokens, bill.output_tokens) for bill in provider.ledger
        ]
        counted = [(row["response_id"], row["input_tokens"], row["output_tokens"]) for row in rows]
        # Embeddings have no id.
        assert sorted(counted, key=str) == sorted(billed, key=str)
        assert {row["capture"] for row in rows} <= {"wire"}
        return [f"{row['task_name']}: {row['role']} of {row['agent'] or 'nobody'}" for row in rows]

    return read


@pytest.fixture
def outline(spooled: Callable[[], list[dict[str, Any]]]) -> Callable[[], list[str]]:
    """What was recorded, as a tree: kind and name; of a counted call its role and agent."""
    # An answer from a cache is kept, to tell it from a call, and is none.
    return lambda: _outline(
        [one for one in spooled() if one["attributes"].get("agenttrace.outcome") != "cached"]
    )


def _outline(records: list[dict[str, Any]]) -> list[str]:
    known = {record["span_id"] for record in records}
    lines: list[str] = []

    def below(parent: str | None, depth: int) -> None:
        for record in records:
            above = record["parent_span_id"]
            if above == parent if parent else above not in known:
                stray = "" if parent or above is None else "stray "
                lines.append("  " * depth + stray + _line(record))
                below(record["span_id"], depth + 1)

    below(None, 0)
    return lines


def _line(record: dict[str, Any]) -> str:
    said = record["attributes"]
    kind = said.get("agenttrace.kind")
    line = f"{kind} {record['name']}" if kind else record["name"]
    if kind == "inference":
        place = f"{said['agenttrace.role']} of {said.get('gen_ai.agent.name', 'nobody')}"
        line = f"{said['agenttrace.capture']} {record['name']}: {place}"
    failed = said.get("error.type")
    return f"{line} !{failed}" if failed else line
