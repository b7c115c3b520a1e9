"""An agent is told where to send its telemetry, and what the user has set up is found."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from agenttrace.launch import telemetry
from agenttrace.launch.telemetry import Own, applied, own, towards

URL = "http://127.0.0.1:4318"
THEIRS = "https://otel.example:4318"


def _own(agent: str, user: Path, environ: Mapping[str, str]) -> tuple[str | None, bool] | None:
    """Return the URL, and whether there is a reason not to stand in between."""
    found = own(agent, environ, user)
    return None if found is None else (found.url, bool(found.why_not))


def test_claude_code_sends_all_signals_and_keeps_the_exporters_of_the_user():
    environ = {
        "OTEL_LOGS_EXPORTER": "console",
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=secret",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": THEIRS,
        "PATH": "/bin",
    }
    assert applied(towards("claude-code", URL, environ), environ) == {
        "PATH": "/bin",
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": URL,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_LOGS_EXPORTER": "otlp,console",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_TRACES_EXPORTER": "otlp",
    }


def test_codex_is_told_by_arguments_for_it_ignores_settings_of_a_project():
    arguments = towards("codex", URL, {}).arguments
    assert arguments[:2] == (
        "-c",
        f'otel.exporter={{otlp-http={{endpoint="{URL}/v1/logs",protocol="binary"}}}}',
    )
    assert arguments[-1] == "otel.log_user_prompt=false"


def test_gemini_logs_prompts_by_default_so_they_are_turned_off_where_nobody_asked_for_them():
    new = towards("gemini", URL, {}).variables
    assert new["GEMINI_TELEMETRY_LOG_PROMPTS"] == "false"
    assert new["GEMINI_TELEMETRY_OTLP_ENDPOINT"] == URL
    assert "GEMINI_TELEMETRY_LOG_PROMPTS" not in towards("gemini", URL, {}, is_new=False).variables


def test_qwen_has_names_of_its_own():
    assert towards("qwen", URL, {}).variables["QWEN_TELEMETRY_ENABLED"] == "true"


def test_copilot_and_others_go_by_the_variables_of_opentelemetry():
    assert towards("copilot", URL, {}).variables["COPILOT_OTEL_ENABLED"] == "true"
    assert towards("goose", URL, {}).variables["OTEL_EXPORTER_OTLP_ENDPOINT"] == URL


@pytest.mark.parametrize("agent", sorted(telemetry.SPEAKING))
def test_nobody_who_set_nothing_up_has_telemetry_of_his_own(agent: str, tmp_path: Path):
    assert own(agent, {}, tmp_path) is None


_ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": THEIRS + "/"}
_DEFAULT = {"CLAUDE_CODE_ENABLE_TELEMETRY": "1", "OTEL_METRICS_EXPORTER": "console,otlp"}


@pytest.mark.parametrize(
    ("agent", "environ", "found"),
    [
        ("claude-code", _ENDPOINT, None),
        ("claude-code", {**_ENDPOINT, "CLAUDE_CODE_ENABLE_TELEMETRY": "1"}, (THEIRS, False)),
        ("copilot", _ENDPOINT, (THEIRS, False)),
        ("copilot", {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{THEIRS}/v1/traces"}, (THEIRS, False)),
        ("copilot", {**_ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, (None, True)),
        (
            "copilot",
            {**_ENDPOINT, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://b/v1/logs"},
            (None, True),
        ),
        ("copilot", {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": f"{THEIRS}/ingest"}, (None, True)),
        ("copilot", {**_ENDPOINT, "OTEL_EXPORTER_OTLP_CERTIFICATE": "ca.pem"}, (None, True)),
        ("claude-code", _DEFAULT, ("http://localhost:4318", False)),
        ("claude-code", {**_DEFAULT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, (None, True)),
        ("copilot", {"COPILOT_OTEL_EXPORTER_TYPE": "file"}, (None, True)),
        ("opencode", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4317"}, (None, True)),
    ],
)
def test_variables_say_where_telemetry_goes(
    agent: str, environ: dict[str, str], found: object, tmp_path: Path
):
    assert _own(agent, tmp_path, environ) == found


def test_headers_go_along_and_are_never_shown(tmp_path: Path):
    environ = {**_ENDPOINT, "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20x=, a=1"}
    found = own("goose", environ, tmp_path)
    assert isinstance(found, Own)
    assert found.headers == {"authorization": "Bearer x=", "a": "1"}
    assert "Bearer" not in repr(found)


@pytest.mark.parametrize(
    ("toml", "found"),
    [
        ('[otel]\nexporter = "none"\n', None),
        ("no toml [", None),
        (
            f'[otel]\nexporter = {{ otlp-http = {{ endpoint = "{THEIRS}/v1/logs" }} }}\n'
            f'trace_exporter = {{ otlp-http = {{ endpoint = "{THEIRS}/v1/traces" }} }}\n',
            (THEIRS, False),
        ),
        ('[otel]\nexporter = { otlp-grpc = { endpoint = "http://a:4317" } }\n', (None, True)),
        (
            '[otel]\nexporter = { otlp-http = { endpoint = "http://a/v1/logs" } }\n'
            'trace_exporter = { otlp-http = { endpoint = "http://b/v1/traces" } }\n',
            (None, True),
        ),
        ('[otel]\nexporter = { otlp-http = { endpoint = "http://a/mine" } }\n', (None, True)),
    ],
)
def test_codex_has_it_in_its_file(toml: str, found: object, tmp_path: Path):
    (tmp_path / "config.toml").write_text(toml)
    assert _own("codex", tmp_path, {"CODEX_HOME": str(tmp_path)}) == found


@pytest.mark.parametrize(
    ("telemetry_", "found"),
    [
        ('{"enabled": false, "otlpEndpoint": "http://a"}', None),
        (
            '{"enabled": true, "otlpEndpoint": "http://a", "otlpProtocol": "http"}',
            ("http://a", False),
        ),
        ('{"enabled": true, "otlpEndpoint": "http://a"}', (None, True)),
        ('{"enabled": true, "outfile": "t.log"}', (None, True)),
        ('{"enabled": true, "target": "gcp"}', (None, True)),
        ('{"enabled": true}', None),
        ("[]", None),
    ],
)
def test_gemini_has_it_in_its_settings(telemetry_: str, found: object, tmp_path: Path):
    (tmp_path / ".gemini").mkdir()
    (tmp_path / ".gemini" / "settings.json").write_text(f'{{"telemetry": {telemetry_}}}')
    assert _own("gemini", tmp_path, {}) == found
