"""Settings of coding agents, read for what they say and never changed."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, Final, cast

from agenttrace.sources.source import User

_AT_MOST: Final = 4 * 1024 * 1024  # bytes: no file that people write is larger
# Gemini CLI takes comments; what looks like one inside a string is left alone.
_COMMENT: Final = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_MANAGED: Final = {
    "linux": "/etc/claude-code/managed-settings.json",
    "darwin": "/Library/Application Support/ClaudeCode/managed-settings.json",
}


class UnreadableSettingsError(Exception):
    """A file of settings is there and cannot be understood; the message says why."""


def of_claude_code(user: User) -> list[Path]:
    """Return the files in which Claude Code looks for settings of all projects, strongest first."""
    folders = user.variables.get("CLAUDE_CONFIG_DIR", "").split(",")
    own = [Path(folder.strip()).expanduser() for folder in folders if folder.strip()]
    managed = [Path(_MANAGED[user.platform])] if user.platform in _MANAGED else []
    return [*managed, *(one / "settings.json" for one in own or [user.home / ".claude"])]


def of_codex(user: User) -> Path:
    """Return where Codex has its settings; those of a project say nothing of telemetry."""
    return user.folder("CODEX_HOME", ".codex") / "config.toml"


def of_gemini(user: User) -> Path:
    """Return where Gemini CLI has its settings."""
    return user.home / ".gemini" / "settings.json"


def json_of(path: Path) -> dict[str, Any]:
    """Return what a file of JSON, with comments or without, says; nothing if it is not there.

    Raises:
        UnreadableSettingsError: It is there, and is something else.
    """
    text = _text(path)
    if text is None:
        return {}
    try:
        said = json.loads(_COMMENT.sub(lambda found: found[1] or " ", text) or "{}")
    except (ValueError, RecursionError) as error:
        raise UnreadableSettingsError("no JSON") from error
    return mapping(said)


def toml_of(path: Path) -> dict[str, Any]:
    """Return what a file of TOML says; nothing if it is not there.

    Raises:
        UnreadableSettingsError: It is there, and is something else.
    """
    text = _text(path)
    try:
        return {} if text is None else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableSettingsError("no TOML") from error


def mapping(said: object) -> dict[str, Any]:
    """Return *said* if it is a mapping, else nothing."""
    return cast("dict[str, Any]", said) if isinstance(said, dict) else {}


def _text(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            data = file.read(_AT_MOST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnreadableSettingsError(error.strerror or "cannot be opened") from error
    if len(data) > _AT_MOST:
        raise UnreadableSettingsError("too large")
    return data.decode("utf-8-sig", "replace")
