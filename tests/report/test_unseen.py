"""What the logs that calls were read from cannot know is said, with the way to get it."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from agenttrace.coding_agents import CODING_AGENTS
from agenttrace.model import Capture, TokenUsage
from agenttrace.reader import Reader
from agenttrace.record.spool import Spool
from agenttrace.report.overview import overview
from agenttrace.report.selection import GROUPINGS, Grouping, Selection, selected
from agenttrace.report.text import to_text
from agenttrace.report.values import Overview, Unseen
from agenttrace.sources.told import Call, line
from tests.builders import START_NS


def call(source: str, capture: Capture, key: str = "q") -> bytes:
    usage = TokenUsage(input_tokens=10, output_tokens=1)
    return line(
        Call(
            source=source, session="s", turn="t", key=f"{capture} {key}", start_ns=START_NS,
            model="gpt-5", request_id=key, usage=usage, capture=capture,
        )
    )  # fmt: skip


def reported(home: Path, *lines: bytes, grouping: Grouping = "turn") -> Overview:
    spool = Spool(home / "spool", "test", is_retold=True)
    spool.append_all(list(lines))
    spool.close()
    chosen = Selection(grouping=grouping)
    with Reader(home) as reader:
        if chosen.is_everything:
            return overview(reader)
        with selected(reader, chosen):
            return overview(reader)


@pytest.mark.parametrize("grouping", GROUPINGS)
def test_of_a_log_that_cannot_know_all_the_report_says_what_and_how_to_get_it(
    home: Path, grouping: Grouping
):
    claude = CODING_AGENTS["claude-code"]
    lines = [call("claude-code", "log", "a"), call("claude-code", "log", "b"), call("amp", "log")]
    assert claude.lacks is not None
    assert reported(home, *lines, grouping=grouping).unseen == (
        Unseen("claude-code", "Claude Code", 2, claude.lacks, claude.way),
    )


def test_a_log_of_which_every_call_was_received_as_well_lacks_nothing(home: Path):
    assert reported(home, call("codex", "log"), call("codex", "otlp")).unseen == ()


def test_the_line_names_the_program_its_calls_and_the_way(home: Path):
    shown = to_text(
        reported(home, call("gemini", "log")), Console(file=StringIO(), width=80, highlight=False)
    )
    said = " ".join(shown.split())
    assert "Unseen Gemini CLI (1 call of its log): 10 of the 12 roles" in said
    assert "To have it: run it with `agenttrace run -- gemini`" in said
