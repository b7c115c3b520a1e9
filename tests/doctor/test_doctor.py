"""What is not as it should be is found and comes with its remedy; nothing secret is said."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from agenttrace import config
from agenttrace.coding_agents import CODING_AGENTS, CodingAgent
from agenttrace.doctor import agents, data, environment, examination, telemetry
from agenttrace.doctor.findings import Check, Finding, Machine
from agenttrace.reader import Reader
from agenttrace.sources.importing import import_logs
from agenttrace.sources.source import User
from tests.builders import chat, spans, task, write
from tests.sources.plain import Plain, call, install

DAY_NS = 24 * 3600 * 10**9


@pytest.fixture(autouse=True)
def user(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder of somebody whose agents can be Claude Code and pi."""
    install(monkeypatch, "claude-code", "pi")
    agent = CodingAgent("claude-code", "Claude Code", ("claude",), "titles are missing", "run it")
    monkeypatch.setitem(CODING_AGENTS, "claude-code", agent)
    return tmp_path


def machine(user: Path, **variables: str) -> Machine:
    """Return a machine on which nothing is installed but what the test puts there."""
    path = {"PATH": str(user / "bin")}
    return Machine(config.load(), User(user, path | variables), now_ns=100 * DAY_NS)


def program(user: Path, name: str) -> None:
    (user / "bin").mkdir(exist_ok=True)
    (user / "bin" / name).write_text("#!/bin/sh\n")
    (user / "bin" / name).chmod(0o755)


def log(user: Path, agent: str, *keys: str, days: int = 1) -> Path:
    """Write a log that is so many days old."""
    path = user / f".{agent}" / "a.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(call(agent, key) for key in keys))
    changed_ns = (100 - days) * DAY_NS
    os.utime(path, ns=(changed_ns, changed_ns))
    return path


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def found(check: Check, where: Machine) -> list[tuple[str, str, str]]:
    return [(one.subject, one.level, one.says) for one in check(where)]


def mends(check: Check, where: Machine) -> list[str | None]:
    return [one.mend for one in check(where)]


def test_agents_are_found_by_their_program_or_by_what_they_left(user: Path) -> None:
    program(user, "claude")
    log(user, "pi")

    claude, pi, others = agents.programs(machine(user))

    assert (claude.subject, claude.says) == ("Claude Code", "~/bin/claude")
    assert (pi.subject, pi.says) == ("pi", "not on the PATH, but has been here: ~/.pi")
    assert "Codex" in others.says
    assert "Claude" not in others.says


def test_logs_that_are_not_imported_come_with_the_line_that_imports_them(user: Path) -> None:
    log(user, "pi", "m1", days=3)

    (one,) = agents.logs(machine(user))

    assert (one.level, one.mend) == ("note", "agenttrace import pi")
    assert one.says == "1 file, 38 bytes, 1970-04-08; none of it is imported"


def test_what_came_after_an_import_is_said(user: Path, home: Path) -> None:
    path = log(user, "pi", "m1", days=3)
    import_logs(home, Plain("pi"), [path])
    assert found(agents.logs, machine(user)) == [
        ("pi", "ok", "1 file, 38 bytes, 1970-04-08; all imported")
    ]
    log(user, "pi", "m1", "m2", days=1)

    assert found(agents.logs, machine(user)) == [
        (
            "pi",
            "note",
            "1 file, 76 bytes, 1970-04-10; imported to 1970-04-08, 38 bytes in 1 file new",
        )
    ]


def test_an_agent_that_logs_nothing_comes_with_the_way_to_see_it(user: Path) -> None:
    program(user, "claude")

    assert found(agents.logs, machine(user)) == [
        ("Claude Code", "note", "no logs to read: titles are missing")
    ]
    assert mends(agents.logs, machine(user)) == ["Run it."]


@pytest.mark.parametrize(
    ("settings", "days", "level", "says"),
    [
        (None, 1, "note", "deletes its logs after 30 days"),
        (
            None,
            25,
            "warning",
            "deletes its logs after 30 days; the oldest is 25 days old, and not all is imported",
        ),
        ('{"cleanupPeriodDays": 365}', 25, "note", "deletes its logs after 365 days"),
        (
            '{"cleanupPeriodDays": "soon"}',
            1,
            "warning",
            "cleanupPeriodDays in ~/.claude/settings.json is no number of days",
        ),
        ('{"cleanupPeriodDays": 0}', 1, "warning", "writes no logs, for cleanupPeriodDays is 0"),
        ("no JSON", 1, "note", "deletes its logs after 30 days"),
    ],
)
def test_claude_code_deletes_its_logs_after_30_days_if_not_told_otherwise(
    user: Path, settings: str | None, days: int, level: str, says: str
) -> None:
    log(user, "claude-code", "m1", days=days)
    if settings is not None:
        put(user / ".claude" / "settings.json", settings)

    assert found(agents.retention, machine(user)) == [("Claude Code", level, says)]


@pytest.mark.parametrize(
    ("said", "level", "says"),
    [
        ({}, "note", "deletes its logs after 30 days"),
        ({"maxAge": "2w"}, "note", "deletes its logs after 14 days"),
        ({"maxAge": "5h"}, "warning", "deletes its logs after 1 day; the oldest is 1 day old, and"),
        ({"enabled": False}, "ok", "keeps its logs, as ~/.gemini/settings.json says"),
        ({"maxAge": 30}, "warning", "general.sessionRetention.maxAge in ~/.gemini/settings.json"),
    ],
)
def test_gemini_deletes_its_logs_after_30_days_if_not_told_otherwise(
    user: Path, monkeypatch: pytest.MonkeyPatch, said: object, level: str, says: str
) -> None:
    install(monkeypatch, "gemini")
    log(user, "gemini", "m1")
    put(user / ".gemini" / "settings.json", json.dumps({"general": {"sessionRetention": said}}))

    ((subject, found_level, found_says),) = found(agents.retention, machine(user))

    assert (subject, found_level) == ("Gemini CLI", level)
    assert found_says.startswith(says)


def test_logs_that_are_imported_may_be_deleted(user: Path, home: Path) -> None:
    path = log(user, "claude-code", "m1", days=29)
    import_logs(home, Plain("claude-code"), [path])

    assert found(agents.retention, machine(user)) == [
        ("Claude Code", "ok", "deletes its logs after 30 days; what was imported stays")
    ]


def test_who_has_no_claude_code_is_told_nothing_of_it(user: Path) -> None:
    assert found(agents.retention, machine(user)) == []
    assert found(telemetry.claude_code, machine(user)) == []


def test_record_types_that_imports_left_out_are_counted(user: Path, home: Path) -> None:
    path = log(user, "pi", "m1")
    path.write_text(call("codex", "m1") * 2)
    import_logs(home, Plain("pi"), [path])

    assert found(agents.left_out, machine(user)) == [
        ("pi", "note", "left out by imports so far: 2 × a record of another agent")  # noqa: RUF001
    ]


def test_telemetry_that_is_off_comes_with_what_it_would_show(user: Path) -> None:
    log(user, "claude-code")

    (one,) = telemetry.claude_code(machine(user))

    assert (one.says, one.level, one.mend) == ("is off, and titles are missing", "note", "Run it.")


CLAUDE_ENV = {
    "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
    "OTEL_LOGS_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "https://me:secret@example.com:443/secret?key=secret",
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer secret,x-team=secret",
}


def test_a_destination_is_its_host_and_a_header_its_name(user: Path) -> None:
    put(user / ".claude" / "settings.json", json.dumps({"env": CLAUDE_ENV}))

    assert found(telemetry.claude_code, machine(user)) == [
        (
            "Claude Code",
            "note",
            "sends logs and metrics to example.com, port 443, with the headers authorization and "
            "x-team; prompts left out",
        )
    ]


def test_claude_code_is_told_by_variables_as_well_and_its_settings_win(user: Path) -> None:
    put(
        user / ".claude" / "settings.json",
        '{"env": {"OTEL_LOG_USER_PROMPTS": 1, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://[::1]:4318"}}',
    )

    ((_, level, says),) = found(telemetry.claude_code, machine(user, **CLAUDE_ENV))

    assert level == "note"
    assert says.startswith("sends logs and metrics to this machine, port 4318, with")
    assert says.endswith("; prompts included")


def test_metrics_alone_tell_of_no_single_call(user: Path) -> None:
    variables = CLAUDE_ENV | {"OTEL_LOGS_EXPORTER": "console"}
    log(user, "claude-code")

    ((_, level, says),) = found(telemetry.claude_code, machine(user, **variables))

    assert level == "note"
    assert says.startswith("is on, but no single call is sent: sends metrics to example.com")


@pytest.mark.parametrize("headers", ["secret", "a b secret=1", "", ",,=secret", "9secret=1"])
def test_what_is_no_name_of_a_header_is_not_said(user: Path, headers: str) -> None:
    log(user, "claude-code")
    variables = CLAUDE_ENV | {"OTEL_EXPORTER_OTLP_HEADERS": headers}

    ((_, _, says),) = found(telemetry.claude_code, machine(user, **variables))

    assert says == "sends logs and metrics to example.com, port 443; prompts left out"


CODEX = """
[otel]
log_user_prompt = true
trace_exporter = "none"
[otel.exporter.otlp-http]
endpoint = "http://localhost:4318/v1/logs"
headers = { x-key = "secret" }
"""


def test_codex_is_told_by_its_own_settings(user: Path) -> None:
    put(user / ".codex" / "config.toml", CODEX)

    assert found(telemetry.codex, machine(user)) == [
        (
            "Codex",
            "note",
            "sends logs to this machine, port 4318, with the headers x-key; prompts included",
        )
    ]


@pytest.mark.parametrize("text", ["", "[otel]\nexporter = 'none'\n", "otel = 3\n"])
def test_codex_without_an_exporter_sends_nothing(user: Path, text: str) -> None:
    put(user / ".codex" / "config.toml", text)

    ((_, _, says),) = found(telemetry.codex, machine(user))

    assert says.startswith("is off")


def test_gemini_sends_prompts_unless_it_is_told_not_to(user: Path) -> None:
    put(
        user / ".gemini" / "settings.json",
        '{"telemetry": {"enabled": true, "target": "local", // here\n"outfile": ""}}',
    )

    ((_, level, says),) = found(telemetry.gemini, machine(user))
    assert says == "sends logs, metrics and traces to this machine, port 4317; prompts included"
    assert level == "note"
    assert mends(telemetry.gemini, machine(user)) == [
        'To leave prompts out, set "logPrompts": false in ~/.gemini/settings.json.'
    ]

    told = machine(user, GEMINI_TELEMETRY_LOG_PROMPTS="false", GEMINI_TELEMETRY_TARGET="gcp")
    ((_, level, says),) = found(telemetry.gemini, told)
    assert says == "sends logs, metrics and traces to Google Cloud; prompts left out"
    assert level == "note"
    assert mends(telemetry.gemini, told) == [
        "To see it here too, send it to `agenttrace serve --forward URL`."
    ]


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, []),
        ({"COPILOT_OTEL_ENABLED": "true"}, ["to this machine; prompts left out"]),
        (
            {"COPILOT_OTEL_EXPORTER_TYPE": "file", "COPILOT_OTEL_FILE_EXPORTER_PATH": "/x"},
            ["to a file; prompts left out"],
        ),
    ],
)
def test_copilot_is_told_by_variables(
    user: Path, variables: dict[str, str], says: list[str]
) -> None:
    sent = [f"sends logs, metrics and traces {one}" for one in says]

    assert [one[2] for one in found(telemetry.copilot, machine(user, **variables))] == sent


@pytest.mark.parametrize(
    ("check", "path"),
    [
        (telemetry.claude_code, ".claude/settings.json"),
        (telemetry.codex, ".codex/config.toml"),
        (telemetry.gemini, ".gemini/settings.json"),
    ],
)
@pytest.mark.parametrize("text", [b"{{{ secret", b"\xff\x00", b"[" * 100_000])
def test_settings_that_cannot_be_read_are_named_and_not_quoted(
    user: Path, check: Check, path: str, text: bytes
) -> None:
    (user / path).parent.mkdir()
    (user / path).write_bytes(text)

    first = next(iter(check(machine(user))))

    assert first.level == "warning"
    assert first.says.startswith(f"~/{path} cannot be read: no ")
    assert "secret" not in first.says


@pytest.mark.parametrize("text", ["3", "[]", '{"env": 3, "telemetry": [1]}', '{"env": {"A": {}}}'])
def test_odd_settings_are_as_good_as_none(user: Path, text: str) -> None:
    for folder in (".claude", ".gemini"):
        put(user / folder / "settings.json", text)

    for check in (telemetry.claude_code, telemetry.gemini):
        assert [one.says.partition(",")[0] for one in check(machine(user))] == ["is off"]


def test_what_keeps_programs_from_recording_is_said(
    user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(data.recording, machine(user)) == []
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    monkeypatch.setenv("AGENTTRACE_WORKLOAD", "odd")

    assert [one[:2] for one in found(data.recording, machine(user))] == [
        ("Recording", "warning"),
        ("Recording", "note"),
    ]


def test_a_home_that_is_not_there_is_no_trouble_and_is_not_made(user: Path, home: Path) -> None:
    ((subject, level, _),) = found(data.store, machine(user))

    assert (subject, level) == ("Folder", "note")
    assert not home.exists()


def test_the_store_and_the_spool_are_told_of(user: Path, home: Path) -> None:
    write(home, spans(task("fix", chat())))
    assert [one[:2] for one in found(data.store, machine(user))] == [
        ("Folder", "ok"),
        ("Store", "ok"),
        ("Spool", "ok"),
    ]
    with Reader(home) as reader:
        reader.query("SELECT 1 AS one")

    said = {subject: says for subject, _, says in found(data.store, machine(user))}

    assert "2 spans" in said["Folder"]
    assert "last fold on " in said["Store"]
    assert said["Spool"] == "nothing waits"


def test_a_store_that_cannot_be_read_is_broken(user: Path, home: Path) -> None:
    home.mkdir()
    (home / "store.duckdb").write_bytes(b"no database")

    broken = [one for one in examination.examine(machine(user)) if one.level == "broken"]

    assert [one.subject for one in broken] == ["store"]
    assert "Move it away" in (broken[0].mend or "") + broken[0].says


def test_a_ledger_that_cannot_be_read_is_broken_and_may_be_moved_away(
    user: Path, home: Path
) -> None:
    home.mkdir()
    (home / "sources.sqlite").write_text("no database")

    ((subject, level, _),) = found(data.ledger, machine(user))

    assert (subject, level) == ("Imports", "broken")


def test_a_check_that_stumbles_spoils_no_other_and_quotes_nothing(
    user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumbling(_: Machine) -> Iterator[Finding]:
        yield Finding("Agents", "a", "was found")
        raise ValueError("secret")

    def steady(_: Machine) -> list[Finding]:
        return [Finding("Agents", "b", "was found")]

    monkeypatch.setattr(examination, "CHECKS", {"Agents": (stumbling, steady)})

    assert [(one.subject, one.says) for one in examination.examine(machine(user))] == [
        ("a", "was found"),
        ("stumbling", "could not be looked at (ValueError)"),
        ("b", "was found"),
    ]


def test_versions_are_told(user: Path) -> None:
    said = {one.subject: one.says for one in environment.versions(machine(user))}

    assert {"agenttrace", "Python", "DuckDB", "OpenTelemetry SDK"} == said.keys()


def test_an_extra_that_is_missing_comes_with_the_line_that_installs_it(
    user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "_SERVING", ("no_such_package",))

    (one,) = environment.extras(machine(user))

    assert one.mend == 'pip install "/path/to/this/checkout[serve]"'
    assert found(environment.receiver, machine(user)) == []


def test_what_is_sent_here_while_nobody_receives_is_lost(
    user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agenttrace.server.find", _nobody)
    assert found(environment.receiver, machine(user)) == [
        ("Receiver", "ok", "none runs for these data")
    ]
    put(user / ".gemini" / "settings.json", '{"telemetry": {"enabled": true}}')

    ((_, level, says),) = found(environment.receiver, machine(user))

    assert level == "warning"
    assert says.endswith("Gemini CLI may be sending to nobody")


def _nobody(_: Path) -> None:
    return None


def test_a_receiver_that_runs_comes_with_its_addresses(
    user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(_: Path) -> object:
        return SimpleNamespace(http_url="http://127.0.0.1:4318", grpc_url="http://127.0.0.1:4317")

    monkeypatch.setattr("agenttrace.server.find", find)

    assert found(environment.receiver, machine(user)) == [
        ("Receiver", "ok", "runs at http://127.0.0.1:4318 and http://127.0.0.1:4317")
    ]


def test_findings_are_values_that_json_can_have(user: Path) -> None:
    log(user, "claude-code", "m1")

    assert json.dumps([asdict(one) for one in examination.examine(machine(user))])
