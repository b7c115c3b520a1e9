"""What coding agents are told to send, and where to; headers by their names, never their values."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from agenttrace.coding_agents import CODING_AGENTS
from agenttrace.doctor import settings_files
from agenttrace.doctor.findings import Finding, Machine, listed
from agenttrace.doctor.settings_files import UnreadableSettingsError, mapping
from agenttrace.sources import agents, finding

_YES: Final = ("1", "true", "yes", "on")
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_HEADERS: Final = "OTEL_EXPORTER_OTLP_HEADERS"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,39}")
_CONTENT: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_HERE: Final = "this machine"
_FILE: Final = "a file"
_ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"


@dataclass(frozen=True, slots=True)
class Sending:
    """What an agent sends.

    Attributes:
        signals: Of ``logs``, ``metrics`` and ``traces`` those that it sends.
        to: Where to: hosts with their port, or files.
        headers: Names of headers that it sends along.
        prompts: Prompts are among what it sends.
    """

    signals: tuple[str, ...]
    to: tuple[str, ...]
    headers: tuple[str, ...] = ()
    prompts: bool = False

    def __str__(self) -> str:
        headers = f", with the headers {listed(self.headers)}" if self.headers else ""
        prompts = "prompts included" if self.prompts else "prompts left out"
        what = listed(self.signals) if self.signals else "nothing"
        return f"sends {what} to {listed(self.to) or 'nobody'}{headers}; {prompts}"


def claude_code(machine: Machine) -> Iterator[Finding]:
    """Say what Claude Code sends: told by variables, and by ``env`` in its settings."""
    files = settings_files.of_claude_code(machine.user)
    told = dict(machine.user.variables)
    for path in reversed(files):  # the strongest last
        try:
            said = mapping(settings_files.json_of(path).get("env"))
        except UnreadableSettingsError as error:
            yield _unreadable(machine, "claude-code", path, error)
            continue
        told |= {key: str(value) for key, value in said.items()}
    if not _is_here(machine, "claude-code", files[-1]):
        return
    if not _is_yes(told.get("CLAUDE_CODE_ENABLE_TELEMETRY")):
        yield _off("claude-code", _lacks("claude-code"))
        return
    signals = tuple(
        signal
        for signal in ("logs", "metrics", "traces")
        if "otlp" in told.get(f"OTEL_{signal.upper()}_EXPORTER", "")
    )
    sending = Sending(
        signals,
        _endpoints(told, signals),
        _headers(told),
        _is_yes(told.get("OTEL_LOG_USER_PROMPTS")),
    )
    if {"logs", "traces"} & set(signals):
        yield _on("claude-code", sending, "unset OTEL_LOG_USER_PROMPTS")
    else:
        says = f"is on, but no single call is sent: {sending}"
        mend = f'Set OTEL_LOGS_EXPORTER=otlp in "env" of {machine.shown(files[-1])}.'
        yield Finding("Telemetry", "Claude Code", says, "note", mend)


def codex(machine: Machine) -> Iterator[Finding]:
    """Say what Codex sends: told by ``[otel]`` in its own settings, never in a project's."""
    path = settings_files.of_codex(machine.user)
    try:
        said = mapping(settings_files.toml_of(path).get("otel"))
    except UnreadableSettingsError as error:
        yield _unreadable(machine, "codex", path, error)
        return
    if not _is_here(machine, "codex", path):
        return
    exporters = {
        "logs": _exporter(said.get("exporter")),
        "metrics": _exporter(said.get("metrics_exporter")),
        "traces": _exporter(said.get("trace_exporter")),
    }
    signals = tuple(signal for signal, exporter in exporters.items() if exporter is not None)
    told = [exporter for exporter in exporters.values() if exporter is not None]
    if not signals:
        yield _off("codex", _lacks("codex"))
        return
    headers = {name for one in told for name in mapping(one.get("headers"))}
    sending = Sending(
        signals,
        tuple(dict.fromkeys(_place(one.get("endpoint")) for one in told)),
        tuple(sorted(map(str, headers))),
        said.get("log_user_prompt") is True,
    )
    if "logs" in signals:
        yield _on("codex", sending, f"set log_user_prompt = false in {machine.shown(path)}")
    else:
        says = f"no single call is sent, for those are in its logs: {sending}"
        mend = f"Set exporter in [otel] of {machine.shown(path)}."
        yield Finding("Telemetry", "Codex", says, "note", mend)


def gemini(machine: Machine) -> Iterator[Finding]:
    """Say what Gemini CLI sends: told by its settings, and by variables that go before them."""
    path = settings_files.of_gemini(machine.user)
    try:
        said = mapping(settings_files.json_of(path).get("telemetry"))
    except UnreadableSettingsError as error:
        yield _unreadable(machine, "gemini", path, error)
        return
    if not _is_here(machine, "gemini", path):
        return
    told = machine.user.variables
    if not _is_yes(told.get("GEMINI_TELEMETRY_ENABLED", said.get("enabled"))):
        yield _off("gemini", _lacks("gemini"))
        return
    outfile = told.get("GEMINI_TELEMETRY_OUTFILE") or said.get("outfile")
    target = told.get("GEMINI_TELEMETRY_TARGET") or said.get("target")
    endpoint = told.get("GEMINI_TELEMETRY_OTLP_ENDPOINT") or said.get("otlpEndpoint")
    where = _FILE if outfile else "Google Cloud" if target == "gcp" else None
    prompts = told.get("GEMINI_TELEMETRY_LOG_PROMPTS", said.get("logPrompts", True))
    sending = Sending(
        ("logs", "metrics", "traces"),
        (where or _place(endpoint or told.get(_ENDPOINT) or "http://localhost:4317"),),
        prompts=_is_yes(prompts),
    )
    yield _on("gemini", sending, f'set "logPrompts": false in {machine.shown(path)}')


def copilot(machine: Machine) -> Iterator[Finding]:
    """Say what GitHub Copilot sends: told by variables."""
    told = machine.user.variables
    is_on = _is_yes(told.get("COPILOT_OTEL_ENABLED"))
    is_file = told.get("COPILOT_OTEL_EXPORTER_TYPE", "").lower() == "file"
    is_sending = is_on or is_file or "COPILOT_OTEL_FILE_EXPORTER_PATH" in told
    if not (is_sending or _is_here(machine, "copilot", machine.user.home / ".copilot")):
        return
    # An endpoint alone turns it on as well, unless it is turned off.
    if not is_sending and (_ENDPOINT not in told or "COPILOT_OTEL_ENABLED" in told):
        yield _off("copilot", _lacks("copilot"))
        return
    signals = ("logs", "metrics", "traces")
    to = (_FILE,) if is_file else _endpoints(told, signals)
    sending = Sending(signals, to, () if is_file else _headers(told), _is_yes(told.get(_CONTENT)))
    yield _on("copilot", sending, f"unset {_CONTENT}")


def sent_here(machine: Machine) -> list[str]:
    """Return the titles of the agents that send something to this machine."""
    checks = (claude_code, codex, gemini, copilot)
    return [one.subject for check in checks for one in check(machine) if _HERE in one.says]


def _on(name: str, sending: Sending, without_prompts: str) -> Finding:
    """Say what an agent sends; *without_prompts* is how to leave prompts out."""
    mends: list[str] = []
    if not any(_HERE in one or one == _FILE for one in sending.to):
        mends.append("To see it here too, send it to `agenttrace serve --forward URL`.")
    if sending.prompts:
        mends.append(f"To leave prompts out, {without_prompts}.")
    level = "note" if mends else "ok"
    title = CODING_AGENTS[name].title
    return Finding("Telemetry", title, str(sending), level, " ".join(mends) or None)


def _off(name: str, lacks: str | None) -> Finding:
    agent = CODING_AGENTS[name]
    mend = f"{agent.way[0].upper()}{agent.way[1:]}." if agent.way and lacks else None
    says = f"is off, and {lacks}" if lacks else "is off"
    return Finding("Telemetry", agent.title, says, "note" if lacks else "ok", mend)


def _lacks(name: str) -> str | None:
    return CODING_AGENTS[name].lacks


def _unreadable(machine: Machine, name: str, path: Path, error: Exception) -> Finding:
    says = f"{machine.shown(path)} cannot be read: {error}"
    mend = "Mend it: the agent cannot read it either."
    return Finding("Telemetry", CODING_AGENTS[name].title, says, "warning", mend)


def _is_here(machine: Machine, name: str, settings: Path) -> bool:
    if finding.existing([settings]) or machine.executable(CODING_AGENTS[name].commands):
        return True
    if name not in agents.NAMES:
        return False
    return bool(finding.existing(agents.source(name).roots(machine.user)))


def _is_yes(said: object) -> bool:
    return said is True or (isinstance(said, str) and said.strip().lower() in _YES)


def _exporter(said: object) -> Mapping[str, Any] | None:
    """Return what an exporter of Codex is told; None if there is none."""
    inner = mapping(said)
    if inner:
        return mapping(next(iter(inner.values())))
    return {} if isinstance(said, str) and said.lower() != "none" else None


def _endpoints(told: Mapping[str, str], signals: Iterable[str]) -> tuple[str, ...]:
    """Return where *signals* go, as the variables of OpenTelemetry say."""
    general = told.get(_ENDPOINT)
    each = (told.get(f"OTEL_EXPORTER_OTLP_{one.upper()}_ENDPOINT", general) for one in signals)
    return tuple(dict.fromkeys(_place(one or "http://localhost") for one in each))


def _headers(told: Mapping[str, str]) -> tuple[str, ...]:
    pairs = (pair.partition("=") for pair in told.get(_HEADERS, "").split(","))
    # What is no name may be a part of a value.
    return tuple(sorted(name.strip() for name, is_pair, _ in pairs if is_pair and _is_name(name)))


def _is_name(said: str) -> bool:
    return _NAME.fullmatch(said.strip()) is not None


def _place(endpoint: object) -> str:
    """Return the host and port of an address; what else is in it may be a secret."""
    if not isinstance(endpoint, str):
        return "an address of its own"
    try:
        parts = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return "an address that is none"
    if not host:
        return "an address that is none"
    where = f", port {port}" if port else ""
    return f"{_HERE}{where}" if host in _LOOPBACK else f"{host}{where}"
