"""Settings come from arguments, else from the environment, and what is none is refused."""

from pathlib import Path

import pytest

import agenttrace
from agenttrace import config
from agenttrace.errors import ConfigError


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("4096", 4096),
        ("2GB", 2_000_000_000),
        ("2 gb", 2_000_000_000),
        ("1.5k", 1500),
        ("2GiB", 2 * 1024**3),
        ("3M", 3_000_000),
        ("1TB", 10**12),
        ("7b", 7),
        ("", None),
        ("much", None),
        ("-1", None),
        ("2iB", None),
        ("2 G B", None),
    ],
)
def test_a_size_is_bytes_with_a_prefix_of_1000_or_1024(said: str, expected: int | None) -> None:
    assert config.size_bytes(said) == expected


def test_the_spool_has_no_limit_and_outlives_the_process_by_default(home: Path) -> None:
    settings = config.load()
    assert (settings.max_spool_bytes, settings.durability) == (None, "process")


def test_an_argument_goes_before_the_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTTRACE_MAX_SPOOL", "1GB")
    monkeypatch.setenv("AGENTTRACE_DURABILITY", "Second")
    settings = config.load()
    assert (settings.max_spool_bytes, settings.durability) == (10**9, "second")
    settings = config.load(max_spool=5_000_000, durability="record")
    assert (settings.max_spool_bytes, settings.durability) == (5_000_000, "record")


@pytest.mark.parametrize("said", ["0", "none", "off", " "])
def test_no_limit_can_be_said(home: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("AGENTTRACE_MAX_SPOOL", said)
    assert config.load().max_spool_bytes is None


def test_what_is_no_setting_is_refused_with_the_way_out(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="'much', which is no size"):
        config.load(max_spool="much")
    with pytest.raises(ConfigError, match=r"'always'\. Choose one of process, second, record"):
        config.load(durability="always")


def test_configure_hands_the_settings_to_the_spool(home: Path) -> None:
    from agenttrace.record import setup

    agenttrace.configure(home, max_spool="50MB", durability="second")
    try:
        recording = setup._state.recording
        assert recording is not None
        assert recording.settings.max_spool_bytes == 50_000_000
        agenttrace.start("inference", "gpt").stop()
        assert recording.recorder is not None
        assert recording.recorder.spool._syncing is not None
    finally:
        agenttrace.shutdown()


def test_a_setting_that_is_none_is_said_and_the_program_goes_on(
    home: Path, trouble: list[str]
) -> None:
    agenttrace.configure(home, max_spool="much")
    agenttrace.start("inference", "gpt").stop()
    assert ["no size" in text for text in trouble] == [True]
    agenttrace.shutdown()


def test_nothing_says_a_workload_or_a_project_and_users_are_kept_by_default(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AGENTTRACE_WORKLOAD", "AGENTTRACE_PROJECT", "AGENTTRACE_USERS"):
        monkeypatch.delenv(name, raising=False)
    settings = config.load()
    assert (settings.workload, settings.workload_from) == (None, "default")
    assert (settings.project, settings.project_from) == (None, "default")
    assert (settings.users, settings.users_from) == (True, "default")
    assert settings.told_to_children == {}


def test_a_setting_says_who_said_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTTRACE_WORKLOAD", "User-Facing")
    monkeypatch.setenv("AGENTTRACE_PROJECT", " help desk ")
    monkeypatch.setenv("AGENTTRACE_USERS", "off")
    settings = config.load(project="search")
    assert (settings.workload, settings.workload_from) == ("user-facing", "AGENTTRACE_WORKLOAD")
    assert (settings.project, settings.project_from) == ("search", "argument")
    assert (settings.users, settings.users_from) == (False, "AGENTTRACE_USERS")
    told = settings.told_to_children
    assert told == {
        "AGENTTRACE_WORKLOAD": "user-facing",
        "AGENTTRACE_PROJECT": "search",
        "AGENTTRACE_USERS": "0",
    }
    assert config.load_told(str(home), told).told_to_children == told


def test_what_is_no_workload_is_unsaid_and_a_sentence_says_so(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTTRACE_WORKLOAD", "batch")
    settings = config.load()
    assert (settings.workload, settings.workload_from) == (None, "default")
    assert settings.unsaid == (
        "AGENTTRACE_WORKLOAD is neither agentic nor user-facing, so it counts as unsaid",
    )
    assert config.load(workload="agentic").unsaid == ()
