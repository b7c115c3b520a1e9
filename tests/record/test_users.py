"""Who prompted is a keyed hash: the same for the same user, and nothing of the id is written."""

import hashlib
import hmac
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import agenttrace
from agenttrace import semconv
from agenttrace.record import users

Spooled = Callable[[], list[dict[str, Any]]]

ALICE = "alice@example.org"


def hashes(records: list[dict[str, Any]]) -> list[str]:
    return [
        record["attributes"][semconv.USER_HASH]
        for record in records
        if semconv.USER_HASH in record["attributes"]
    ]


def test_a_hash_is_half_of_an_hmac_with_the_key_in_the_home(home: Path) -> None:
    home.mkdir()
    (home / "user.key").write_text("0b" * 32 + "\n")
    expected = hmac.new(b"\x0b" * 32, ALICE.encode(), hashlib.sha256).hexdigest()[:32]
    assert users.hashed(home, ALICE) == expected


def test_the_same_user_has_the_same_hash_however_he_is_told(
    recording: Path, spooled: Spooled
) -> None:
    with agenttrace.task("t", user=ALICE) as task:
        task.user(ALICE)
        agenttrace.task.user("bob")
    root, told, other = sorted(hashes(spooled()), key=hashes(spooled()).count, reverse=True)
    assert root == told != other
    assert {len(found) for found in hashes(spooled())} == {32}


def test_the_id_is_in_no_file(recording: Path) -> None:
    with agenttrace.task("t", user=ALICE) as task:
        task.user(ALICE)
    agenttrace.shutdown()
    kept = [path.read_bytes() for path in recording.rglob("*") if path.is_file()]
    assert len(kept) > 1
    assert [one for one in kept if ALICE.encode() in one] == []


def test_an_id_that_is_a_number_is_one_and_an_empty_one_is_none(
    recording: Path, spooled: Spooled
) -> None:
    number: Any = 42
    with agenttrace.task("t", user=number) as task:
        task.user("42")
        task.user(" ")
    first, second = hashes(spooled())
    assert first == second


def test_the_key_is_its_owners_alone(home: Path) -> None:
    before = os.umask(0)
    try:
        users.hashed(home, ALICE)
    finally:
        os.umask(before)
    assert [path.name for path in home.iterdir()] == ["user.key"]
    assert stat.S_IMODE((home / "user.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_processes_that_make_the_key_at_the_same_time_share_one(home: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from agenttrace.record import users\n"
        "sys.stdin.read()\n"
        f"print(users.hashed(Path({str(home)!r}), 'alice'))"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    assert len({process.communicate()[0] for process in running}) == 1
    assert [path.name for path in home.iterdir()] == ["user.key"]


def test_where_links_cannot_be_made_the_key_is_made_without(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    first = users.hashed(home, ALICE)
    assert [path.name for path in home.iterdir()] == ["user.key"]
    assert users.hashed(home, ALICE) == first


@pytest.mark.parametrize("said", ["0", "no", "off", "False"])
def test_users_can_be_switched_off(
    said: str, home: Path, spooled: Spooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTTRACE_USERS", said)
    agenttrace.configure(home)
    with agenttrace.task("t", user=ALICE) as task:
        task.user(ALICE)
    agenttrace.shutdown()
    assert hashes(spooled()) == []
    assert not (home / "user.key").exists()


def test_what_the_program_says_goes_before_the_environment(
    home: Path, spooled: Spooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTTRACE_USERS", "0")
    agenttrace.configure(home, users=True)
    with agenttrace.task("t", user=ALICE):
        pass
    agenttrace.shutdown()
    assert len(hashes(spooled())) == 1


def test_where_no_key_can_be_made_no_hash_is_kept_and_it_is_said_once(
    home: Path, spooled: Spooled, trouble: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    agenttrace.configure(home)
    agenttrace.start("inference", "gpt-5").stop()

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(users, "_make", refuse)
    for _ in range(2):
        with agenttrace.task("t", user=ALICE) as task:
            task.user(ALICE)
    agenttrace.shutdown()
    assert hashes(spooled()) == []
    (said,) = trouble
    assert "Permission denied" in said
    assert ALICE not in said


def test_what_is_no_key_is_said_with_the_way_out(
    home: Path, spooled: Spooled, trouble: list[str]
) -> None:
    home.mkdir()
    (home / "user.key").write_text("short")
    agenttrace.configure(home)
    with agenttrace.task("t", user=ALICE):
        pass
    agenttrace.shutdown()
    assert hashes(spooled()) == []
    (said,) = trouble
    assert "Remove it" in said
