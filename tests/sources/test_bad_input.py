"""Whatever stands in the files of any source: it is named and counted, and the rest is imported."""

import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agenttrace import semconv
from agenttrace.sources import agents, databases, reading
from agenttrace.sources.importing import Imported, import_logs
from agenttrace.sources.ledger import Ledger
from agenttrace.sources.source import Form, form_of
from tests.sources.logs import (
    CORPORA,
    imported,
    records,
    span_ids,
    write_database,
    write_lines,
)

SECRET = "correct-horse battery"  # a text that somebody wrote, and nobody else should read
_LEVELS = 100_000
_JUNK = {
    "truncated": f'{{"type": "message", "text": "{SECRET}'.encode(),
    "invalid UTF-8": b'\xff\xfe\xc3{"text": "' + SECRET.encode() + b'"}\n',
    "binary": bytes(range(256)) * 8 + SECRET.encode() + b"\n\0\n",
    "nested objects": b'{"message":' * _LEVELS + b"1" + b"}" * _LEVELS + b"\n",
    "nested arrays": b"[" * _LEVELS + SECRET.encode() + b"]" * _LEVELS + b"\n",
    "no object": f'"{SECRET}"\n17\nnull\n[]\n'.encode(),
}
_GOOSE = """
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, created_at TIMESTAMP, accumulated_input_tokens, accumulated_output_tokens
)
"""
_HERMES = """
CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, started_at, input_tokens, output_tokens)
"""


# Of sources without a corpus of files: the shortest logs that have a call.
_SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "claude-code": (
        "projects/-code-shop/s1.jsonl",
        {
            "type": "assistant",
            "uuid": "a1",
            "timestamp": "2026-09-21T14:13:20.000Z",
            "sessionId": "s1",
            "requestId": "req_1",
            "message": {
                "id": "msg_1",
                "role": "assistant",
                "model": "claude-sonnet-4-5",
                "stop_reason": "end_turn",
                "usage": {"input_tokens": 100, "output_tokens": 20},
            },
        },
    ),
    "otlp": (
        "traces.jsonl",
        {
            "resourceSpans": [
                {
                    "resource": {},
                    "scopeSpans": [
                        {
                            "scope": {"name": "x"},
                            "spans": [
                                {
                                    "traceId": "5b8efff798038103d269b633813fc60c",
                                    "spanId": "eee19b7ec3c1b174",
                                    "name": "chat",
                                    "startTimeUnixNano": "1790000000000000000",
                                    "endTimeUnixNano": "1790000001000000000",
                                    "attributes": [
                                        {
                                            "key": "gen_ai.operation.name",
                                            "value": {"stringValue": "chat"},
                                        },
                                        {
                                            "key": "gen_ai.usage.input_tokens",
                                            "value": {"intValue": 100},
                                        },
                                    ],
                                }
                            ],
                        }
                    ],
                }
            ]
        },
    ),
    "openinference": (
        "spans.jsonl",
        {
            "name": "chat",
            "context": {
                "trace_id": "5b8efff798038103d269b633813fc60c",
                "span_id": "eee19b7ec3c1b174",
            },
            "span_kind": "LLM",
            "start_time": "2026-01-20T10:00:00.000000+00:00",
            "end_time": "2026-01-20T10:00:01.500000+00:00",
            "attributes": {"llm.model_name": "gpt-5", "llm.token_count.prompt": 100},
        },
    ),
    "langfuse": (
        "observations.jsonl",
        {
            "id": "eee19b7ec3c1b175",
            "traceId": "5b8efff798038103d269b633813fc60c",
            "type": "GENERATION",
            "startTime": "2026-01-20T10:00:00.000Z",
            "model": "gpt-5",
            "usageDetails": {"input": 60, "output": 20},
        },
    ),
}
# Sources whose logs here are databases.
_DATABASES = {"goose": ("sessions.db", _GOOSE), "hermes": ("state.db", _HERMES)}
_TEXTS = [name for name in agents.NAMES if name not in _DATABASES]
# Exports are told as they are: what their attributes mean is for the fold to judge.
_COUNTED = [name for name in _TEXTS if name not in {"otlp", "openinference", "langfuse"}]


@pytest.fixture(params=agents.NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def logs(name: str, tmp_path: Path) -> Path:
    """Good logs of a source: the first of its corpus that has a call, or a sample."""
    folder = tmp_path / "logs"
    if name in _DATABASES:
        file, schema = _DATABASES[name]
        row = ("s1", 1790000000, 100, 20)
        return write_database(folder / file, schema, [("sessions", row)]).parent
    if name in _SAMPLES:
        place, said = _SAMPLES[name]
        write_lines(folder / place, said)
        return folder
    corpus = CORPORA / name.replace("-", "_")
    case = next(
        path for path in sorted(corpus.iterdir()) if path.is_dir() and _has_file(name, path)
    )
    return Path(shutil.copytree(case, folder))


def _has_file(name: str, root: Path) -> bool:
    return any(_files(name, root))


def _files(name: str, root: Path) -> Iterator[Path]:
    yield from agents.source(name).find(root, lambda _path, _why: None)


def _form(name: str, path: Path) -> Form:
    return form_of(agents.source(name), path)


def _first(name: str, logs: Path) -> Path:
    return next(_files(name, logs))


def _import(name: str, home: Path, *roots: Path) -> Imported:
    return import_logs(home, agents.source(name), roots)


def _said(done: Imported) -> int:
    return sum(done.skipped.values()) + done.unfinished + len(done.unreadable)


def _no_secret(done: Imported, home: Path) -> None:
    said = [*done.skipped, *done.unreadable.values()]
    assert not [one for one in said if SECRET in one or "correct" in one]
    with closing(Ledger(home)) as ledger:
        assert "correct" not in str(ledger.skipped())
    for path in (*(home / "spool").iterdir(), home / "sources.sqlite"):
        assert SECRET.encode() not in path.read_bytes()


@pytest.mark.parametrize("kind", _JUNK)
def test_junk_is_named_and_the_rest_is_imported_once(
    name: str, kind: str, logs: Path, home: Path, tmp_path: Path
) -> None:
    good = _import(name, tmp_path / "other", logs)
    path = _first(name, logs)
    bad = tmp_path / "bad" / path.relative_to(logs)  # whose folders may name its session
    bad.parent.mkdir(parents=True)
    is_lines = _form(name, path) == "lines"
    bad.write_bytes((path.read_bytes().rstrip(b"\n") + b"\n" if is_lines else b"") + _JUNK[kind])

    done = _import(name, home, bad, logs)

    assert done.calls + done.improved == good.calls
    assert done.spans == good.spans or is_lines
    assert span_ids(home) == span_ids(tmp_path / "other")
    assert _said(done) > _said(good)
    _no_secret(done, home)
    again = _import(name, home, bad, logs)
    assert (again.calls, again.improved) == (0, 0)


def test_an_empty_file_holds_nothing(name: str, logs: Path, home: Path, tmp_path: Path) -> None:
    good = _import(name, tmp_path / "other", logs)
    empty = tmp_path / "bad" / _first(name, logs).name
    empty.parent.mkdir()
    empty.touch()

    done = _import(name, home, empty, logs)

    assert (done.calls, done.files) == (good.calls, good.files + 1)


@pytest.mark.parametrize("name", _TEXTS)
def test_what_is_too_long_is_named(
    name: str, logs: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = _import(name, tmp_path / "other", logs)
    path = _first(name, logs)
    monkeypatch.setattr(reading, "CHUNK", 1 << 15)
    monkeypatch.setattr(reading, "LINE_AT_MOST", 1 << 16)
    monkeypatch.setattr(reading, "DOCUMENT_AT_MOST", 1 << 16)
    bad = tmp_path / "bad" / path.name
    write_lines(bad, {"type": "message", "text": SECRET * (1 << 13)})

    done = _import(name, home, bad, logs)

    assert done.calls == good.calls
    assert _said(done) == _said(good) + 1
    _no_secret(done, home)


def test_a_folder_without_permission_is_named(
    name: str, logs: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = _import(name, tmp_path / "other", logs)
    locked = tmp_path / "locked"
    locked.mkdir()
    for look in ("scandir", "listdir"):
        monkeypatch.setattr(os, look, _refusing(getattr(os, look), locked))

    done = _import(name, home, locked, logs)

    assert done.calls == good.calls
    assert done.unreadable == {**good.unreadable, locked: "Permission denied"}


def _refusing(look: Any, locked: Path) -> Any:
    def refuse(path: Any = ".") -> Any:
        if str(path) == str(locked):
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    return refuse


@pytest.mark.parametrize("name", _DATABASES)
def test_a_database_that_its_owner_has_locked_is_read_the_next_time(
    name: str, logs: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _first(name, logs)
    monkeypatch.setattr(databases, "_WAIT_SECONDS", 0.0)
    with closing(sqlite3.connect(path, isolation_level=None)) as owner:
        owner.execute("BEGIN EXCLUSIVE")
        done = _import(name, home, logs)
        assert done.unreadable == {path: "locked by the program that owns it"}
        owner.execute("ROLLBACK")

    assert _import(name, home, logs).calls == 1
    assert _import(name, home, logs).calls == 0


def test_a_file_that_shrinks_while_it_is_read_is_read_the_next_time(
    name: str, logs: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = _import(name, tmp_path / "other", logs)
    texts = {path: path.read_bytes() for path in _files(name, logs)}
    look = reading.look

    def cut(path: Path, form: Form) -> reading.Seen:
        seen = look(path, form)
        path.write_bytes(texts[path][: len(texts[path]) // 2])
        return seen

    with monkeypatch.context() as during:
        during.setattr(reading, "look", cut)
        first = _import(name, home, logs)
    for path, text in texts.items():
        path.write_bytes(text)
        os.utime(path, ns=(0, 1_790_000_000 * 10**9))

    _import(name, home, logs)

    assert first.calls <= good.calls
    assert span_ids(home) == span_ids(tmp_path / "other")
    assert _import(name, home, logs).calls == 0


def test_a_file_that_is_replaced_by_another_and_back_counts_once(
    name: str, logs: Path, home: Path
) -> None:
    good = _import(name, home, logs)
    path = _first(name, logs)
    text = path.read_bytes()
    for content in (b"", text):
        other = path.with_name("replacing")
        other.write_bytes(content)
        other.replace(path)
        done = _import(name, home, logs)

        assert (done.calls, done.improved) == (0, 0)
    assert good.calls + good.spans > 0


@pytest.mark.parametrize("at_s", [0, 4_000_000_000])
def test_a_clock_that_jumps_changes_nothing(
    name: str, at_s: int, logs: Path, home: Path, tmp_path: Path
) -> None:
    good = _import(name, tmp_path / "other", logs)
    _import(name, home, logs)
    for path in _files(name, logs):
        os.utime(path, (at_s, at_s))

    done = _import(name, home, logs)

    assert (done.files, done.calls, done.improved) == (good.files, 0, 0)


@pytest.mark.parametrize("name", _COUNTED)
@pytest.mark.parametrize("count", ["-5", "1e300", "99999999999999999", '"many"', "1.5"])
def test_counts_that_are_none_are_unknown_and_never_zero(
    name: str, count: str, logs: Path, home: Path
) -> None:
    for one in _files(name, logs):
        one.write_text(_spoilt(one.read_text(), count))

    done = _import(name, home, logs)

    keys = (semconv.INPUT_TOKENS, semconv.OUTPUT_TOKENS, semconv.CACHE_READ_TOKENS)
    told = [call.get(key) for call in records(home, "inference") for key in keys]
    assert not [one for one in told if one]
    assert _said(done) > 0


_COUNT = re.compile(
    r'("(?:[\w.]*[tT]okens?\w*|\w*TokenCount|(?:input|output|cache)\w*|thoughts|cached|tool|total|read|write'
    r'|reasoning|input_other)":\s*)\d+'
)


def _spoilt(text: str, count: str) -> str:
    return _COUNT.sub(rf"\g<1>{count}", text)


def test_negative_counts_in_a_database_are_unknown_and_said(home: Path, tmp_path: Path) -> None:
    for database, schema, name in (
        ("sessions.db", _GOOSE, "goose"),
        ("state.db", _HERMES, "hermes"),
    ):
        write_database(tmp_path / database, schema, [("sessions", ("s1", 1790000000, -5, 20))])

        done = imported(name, tmp_path, home)

        assert (done.calls, sum(done.skipped.values())) == (1, 1)
        assert records(home, "inference")[-1][semconv.USAGE] == "partial"


def test_a_call_of_a_time_that_cannot_be_is_named(home: Path, tmp_path: Path) -> None:
    usage = {"input": 5, "output": 7}
    answers = [
        {"type": "message", "message": {"role": "assistant", "usage": usage, "timestamp": at}}
        for at in (-1, 86_400_000, "yesterday", 1790000000000, 9 * 10**30)
    ]
    write_lines(tmp_path / "logs" / "s.jsonl", *answers)

    done = imported("pi", tmp_path / "logs", home)

    assert (done.calls, done.skipped) == (1, {"a call without time": 4})


def test_a_line_of_200_mb_is_passed_over(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "logs" / "s.jsonl"
    path.parent.mkdir()
    with path.open("wb") as file:
        file.truncate(200 * 1024 * 1024)  # takes no room on the disk
        file.seek(0, os.SEEK_END)
        file.write(b'\n{"type": "novelty"}\n')

    done = imported("pi", path.parent, home)

    assert done.skipped == {"a line of over 32 MB": 1, "record type 'novelty'": 1}
