"""Tell a coding agent to send its telemetry here, without taking it from where it goes already.

What each agent understands is from its own documentation. Content stays off unless the user has
turned it on.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import unquote

_ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_PROTOCOL: Final = "OTEL_EXPORTER_OTLP_PROTOCOL"
_HEADERS: Final = "OTEL_EXPORTER_OTLP_HEADERS"
_SIGNALS: Final = ("TRACES", "LOGS", "METRICS")
_OF_CODEX: Final = {"exporter": "LOGS", "trace_exporter": "TRACES", "metrics_exporter": "METRICS"}
_OF_A_SIGNAL: Final = tuple(
    f"OTEL_EXPORTER_OTLP_{signal}_{what}"
    for signal in _SIGNALS
    for what in ("ENDPOINT", "PROTOCOL", "HEADERS", "COMPRESSION")
)
_YES: Final = frozenset({"1", "true", "yes", "on"})
_GRPC_PORT: Final = ":4317"
_USUAL: Final = "http://localhost:4318"
_ODD_PATH: Final = "goes to a path that is not OTLP's own, and we pass on to that only"

SPEAKING: Final = frozenset(
    {"claude-code", "codex", "gemini", "qwen", "copilot", "opencode", "goose"}
)
"""Agents that can be told to send telemetry."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """How an agent is started so that it tells of its calls.

    Attributes:
        variables: Set in its environment.
        removed: Taken out of its environment.
        arguments: Put right behind the program.
    """

    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    removed: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Own:
    """Where the user has an agent's telemetry sent already.

    Attributes:
        url: Its base, without ``/v1/traces``; None where we cannot stand in between.
        headers: Sent with it; secrets may be among them, so it has no repr.
        why_not: Why we cannot stand in between.
    """

    url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    why_not: str = ""


def own(agent: str, environ: Mapping[str, str], user: Path) -> Own | None:
    """Return where *agent* sends its telemetry as it is set up now; None if nowhere.

    Args:
        agent: Its name, as ``coding_agents`` has it.
        environ: What it would be started with.
        user: The user's home folder.
    """
    match agent:
        case "claude-code":
            if not _is_on(environ, "CLAUDE_CODE_ENABLE_TELEMETRY"):
                return None
            return _by_sdk(environ) or _by_default(environ)
        case "codex":
            return _of_codex(environ, user)
        case "gemini" | "qwen":
            return _of_gemini(agent, environ, user)
        case "copilot" if environ.get("COPILOT_OTEL_EXPORTER_TYPE") == "file":
            return Own(why_not="goes into a file: `agenttrace import copilot` reads it")
        case _:
            return _by_sdk(environ)


def towards(agent: str, url: str, environ: Mapping[str, str], *, is_new: bool = True) -> Telemetry:
    """Return how *agent* is told to send its telemetry to *url*.

    Args:
        agent: One of :data:`SPEAKING`.
        url: Of a receiver of OTLP over HTTP, without ``/v1/traces``.
        environ: What it would be started with.
        is_new: It has sent none so far, so what it may say is ours to choose.
    """
    match agent:
        case "claude-code":
            return _claude(url, environ)
        case "codex":
            return _codex(url, is_new=is_new)
        case "gemini" | "qwen":
            return _gemini(agent, url, is_new=is_new)
        case "copilot":
            return _sdk(url, {"COPILOT_OTEL_ENABLED": "true"})
        case _:
            return _sdk(url, {})


def _claude(url: str, environ: Mapping[str, str]) -> Telemetry:
    exporters = {
        f"OTEL_{signal}_EXPORTER": _with_otlp(environ.get(f"OTEL_{signal}_EXPORTER", ""))
        for signal in _SIGNALS
    }
    return _sdk(
        url,
        {
            "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
            "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",  # spans are a beta
            **exporters,
        },
    )


def _sdk(url: str, more: Mapping[str, str]) -> Telemetry:
    """Return the variables of every OpenTelemetry SDK; headers are for the user's endpoint."""
    ours = {_ENDPOINT: url, _PROTOCOL: "http/protobuf"}
    return Telemetry({**ours, **more}, (_HEADERS, *_OF_A_SIGNAL))


def _codex(url: str, *, is_new: bool) -> Telemetry:
    arguments: list[str] = []
    for key, signal in _OF_CODEX.items():
        target = f'{{endpoint="{url}/v1/{signal.lower()}",protocol="binary"}}'
        arguments += ["-c", f"otel.{key}={{otlp-http={target}}}"]
    if is_new:
        arguments += ["-c", "otel.log_user_prompt=false"]
    return Telemetry(arguments=tuple(arguments))


def _gemini(agent: str, url: str, *, is_new: bool) -> Telemetry:
    said = {"ENABLED": "true", "TARGET": "local", "OTLP_ENDPOINT": url, "OTLP_PROTOCOL": "http"}
    if is_new:
        said["LOG_PROMPTS"] = "false"  # on by default
    prefixes = ("GEMINI",) if agent == "gemini" else ("GEMINI", "QWEN")
    return Telemetry(
        {f"{prefix}_TELEMETRY_{key}": value for prefix in prefixes for key, value in said.items()}
    )


def _with_otlp(said: str) -> str:
    others = [one.strip() for one in said.split(",") if one.strip() not in ("", "none", "otlp")]
    return ",".join(["otlp", *others])


def _by_sdk(environ: Mapping[str, str]) -> Own | None:
    """Return what the variables of OpenTelemetry say."""
    is_grpc = "grpc" in _said(environ, "PROTOCOL")
    urls = {one.rstrip("/") for one in (environ.get(_ENDPOINT, ""),) if one}
    for signal in _SIGNALS:
        if said := environ.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"):
            # The name of a signal is put behind the base alone; this one stands for itself.
            base = said.rstrip("/") if is_grpc else _base(said, signal)
            if base is None:
                return Own(why_not=_ODD_PATH)
            urls.add(base)
    if not urls:
        return None
    headers = _said(environ, "HEADERS")
    if len(urls) > 1 or len(headers) > 1:
        return Own(why_not="goes to several endpoints")
    if _said(environ, "CERTIFICATE") or _said(environ, "CLIENT_KEY"):
        return Own(why_not="needs certificates of its own")
    return _reachable(urls.pop(), _pairs("".join(headers)), is_grpc=is_grpc)


def _by_default(environ: Mapping[str, str]) -> Own | None:
    """Return where OpenTelemetry sends to if no endpoint is named: to this machine."""
    exporters = [environ.get(f"OTEL_{signal}_EXPORTER", "") for signal in _SIGNALS]
    if not any("otlp" in one.split(",") for one in exporters):
        return None
    headers = _pairs(environ.get(_HEADERS, ""))
    return _reachable(_USUAL, headers, is_grpc="grpc" in _said(environ, "PROTOCOL"))


def _said(environ: Mapping[str, str], what: str) -> set[str]:
    """Return what the variables for all signals, and for each, say; what is empty says nothing."""
    names = (f"OTEL_EXPORTER_OTLP_{what}", *(f"OTEL_EXPORTER_OTLP_{s}_{what}" for s in _SIGNALS))
    return {said for name in names if (said := environ.get(name, ""))}


def _base(url: str, signal: str) -> str | None:
    """Return *url* without the path of *signal*; None if it has another, which we do not keep."""
    whole, path = url.rstrip("/"), f"/v1/{signal.lower()}"
    return whole.removesuffix(path) if whole.endswith(path) else None


def _of_codex(environ: Mapping[str, str], user: Path) -> Own | None:
    home = Path(environ.get("CODEX_HOME") or user / ".codex")
    said = _mapping(_toml(home / "config.toml").get("otel"))
    targets: set[tuple[str, bool]] = set()
    headers: dict[str, str] = {}
    for key, signal in _OF_CODEX.items():
        for kind, told in _mapping(said.get(key)).items():
            told_ = _mapping(told)
            url, is_grpc = str(told_.get("endpoint", "")), kind == "otlp-grpc"
            base = url if is_grpc else _base(url, signal)
            if base is None:
                return Own(why_not=_ODD_PATH)
            targets.add((base, is_grpc))
            headers |= {
                str(name): str(value) for name, value in _mapping(told_.get("headers")).items()
            }
    if not targets:
        return None
    if len(targets) > 1:
        return Own(why_not="goes to several endpoints")
    (url, is_grpc), *_ = targets
    return _reachable(url, headers, is_grpc=is_grpc)


def _of_gemini(agent: str, environ: Mapping[str, str], user: Path) -> Own | None:
    said = _mapping(_json(user / f".{agent}" / "settings.json").get("telemetry"))

    def setting(variable: str, key: str) -> str:
        return environ.get(f"{agent.upper()}_TELEMETRY_{variable}") or str(said.get(key) or "")

    if setting("ENABLED", "enabled").lower() not in _YES:
        return None
    if setting("OUTFILE", "outfile"):
        return Own(why_not="goes into a file: `agenttrace import otlp FILE` reads it")
    if setting("TARGET", "target") == "gcp":
        return Own(why_not="goes to Google Cloud")
    url = setting("OTLP_ENDPOINT", "otlpEndpoint")
    is_grpc = setting("OTLP_PROTOCOL", "otlpProtocol") != "http"
    return _reachable(url.rstrip("/"), {}, is_grpc=is_grpc) if url else None


def _reachable(url: str, headers: Mapping[str, str], *, is_grpc: bool) -> Own:
    if is_grpc or url.endswith(_GRPC_PORT):
        return Own(why_not="goes to its endpoint over gRPC, and we pass on over HTTP only")
    return Own(url, headers)


def _pairs(said: str) -> dict[str, str]:
    """Return the pairs of OTEL_EXPORTER_OTLP_HEADERS, whose values are percent-encoded."""
    pairs = (one.partition("=") for one in said.split(",") if "=" in one)
    return {name.strip().lower(): unquote(value.strip()) for name, _, value in pairs}


def _is_on(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").strip().lower() in _YES


def _toml(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _json(path: Path) -> Mapping[str, Any]:
    try:
        return _mapping(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return {}


def _mapping(said: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", said) if isinstance(said, Mapping) else {}


def applied(telemetry: Telemetry, environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ* as *telemetry* has it."""
    kept = {name: said for name, said in environ.items() if name not in telemetry.removed}
    return {**kept, **telemetry.variables}


def user_home(environ: Mapping[str, str]) -> Path:
    """Return the user's home folder."""
    return Path(environ.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - never raises
