"""The real SDK and its program against a local provider, or one that says what it is told."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agenttrace.testing import ModelProvider

pytest.importorskip("claude_agent_sdk", reason="claude-agent-sdk is not installed")

from claude_agent_sdk import ClaudeAgentOptions

from agenttrace_claude_agent import ClaudeAgentInstrumentor

FAKE = Path(__file__).with_name("fake_claude.py")


@pytest.fixture(autouse=True)
def instrumented(recording: Any) -> Iterator[None]:
    ClaudeAgentInstrumentor().instrument()
    yield
    ClaudeAgentInstrumentor().uninstrument()


@pytest.fixture
def real(provider: ModelProvider, tmp_path: Path) -> Callable[..., ClaudeAgentOptions]:
    """Options for the program that comes with the SDK, in a home of its own."""
    home = tmp_path / "claude"
    home.mkdir()
    quiet = ("DISABLE_TELEMETRY", "DISABLE_AUTOUPDATER", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC")
    env = {
        **provider.env(),
        **dict.fromkeys(quiet, "1"),
        "HOME": str(home),
        "CLAUDE_CONFIG_DIR": str(home),
    }
    return lambda **options: ClaudeAgentOptions(
        env=env, cwd=str(home), model="claude-sonnet-4-5", **options
    )


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., ClaudeAgentOptions]:
    """Options for a program that answers each prompt with the next of some lists of messages."""

    def options(*turns: list[dict[str, Any]], **more: Any) -> ClaudeAgentOptions:
        script = tmp_path / "script.json"
        script.write_text(json.dumps(turns))
        program = tmp_path / "claude"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE} {script} "$@"\n')
        program.chmod(0o755)
        return ClaudeAgentOptions(cli_path=str(program), **more)

    return options
