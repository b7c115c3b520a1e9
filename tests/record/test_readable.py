"""Which attributes are kept of those that a program or an integration gives."""

import enum
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import agenttrace
from agenttrace import semconv
from agenttrace.record import readable
from agenttrace.store.spellings import KINDS, OPERATIONS, SPELLINGS

Spooled = Callable[[], list[dict[str, Any]]]

# Only agenttrace writes them, from what it is told: hashed, and cut.
MADE = {semconv.USER_HASH, semconv.OUTCOME_REFERENCE}


def test_every_attribute_that_the_store_reads_is_kept() -> None:
    read = {*(key for keys in SPELLINGS.values() for key in keys), *KINDS, *OPERATIONS}
    assert set(readable.of(dict.fromkeys(read, 1))) == read - MADE


def test_every_attribute_that_has_a_name_here_is_kept() -> None:
    named = {
        value
        for name, value in vars(semconv).items()
        if name.isupper() and isinstance(value, str) and "." in value
    }
    assert {semconv.TASK_ID, semconv.COST_USD} <= named
    assert set(readable.of(dict.fromkeys(named, 1))) == named - MADE


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("note", "what was said"),
        ("gen_ai.prompt", "what was said"),
        ("gen_ai.input.messages", "what was said"),
        ("agenttrace.note", 1),
        ("user.id", "who it was"),
        ("user.hash", "who it was"),
        ("enduser.id", "who it was"),
        ("agenttrace.user.hash", "who it was"),
        ("agenttrace.task.outcome.reference", "what was said"),
        ("gen_ai.request.model", ["what was said"]),
        ("gen_ai.request.model", {"what": "was said"}),
        ("gen_ai.request.model", b"what was said"),
        ("gen_ai.usage.input_tokens", "what was said"),
        ("llm.usage.note", "what was said"),
        ("llm.token_count.note", "what was said"),
        ("anthropic.usage.note", "what was said"),
    ],
)
def test_what_may_hold_what_was_said_is_let_go(
    key: str, value: Any, recording: Path, spooled: Spooled
) -> None:
    agenttrace.start("inference", "at its start", attributes={key: value}).stop()
    call = agenttrace.start("inference", "later")
    call.set({key: value})
    call.stop()
    records = spooled()
    assert [record["name"] for record in records] == ["at its start", "later"]
    assert [set(record["attributes"]) for record in records] == [
        {semconv.KIND, semconv.ROLE},
        {semconv.KIND, semconv.ROLE},
    ]


def test_what_the_conventions_have_a_name_for_is_kept(recording: Path, spooled: Spooled) -> None:
    said = {
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.response.time_to_first_chunk": 0.5,
        "agenttrace.visible": True,
    }
    agenttrace.start("inference", "gpt-5", attributes=said).stop()
    (record,) = spooled()
    assert {key: record["attributes"][key] for key in said} == said


class Model(str, enum.Enum):  # noqa: UP042 - that which prints its class
    LARGE = "gpt-5"


class Tokens(int): ...


class Seconds(float): ...


def test_a_value_of_a_subclass_is_kept_as_what_it_is(recording: Path, spooled: Spooled) -> None:
    said = {
        "gen_ai.request.model": Model.LARGE,
        "gen_ai.usage.input_tokens": Tokens(3),
        "gen_ai.response.time_to_first_chunk": Seconds(0.5),
    }
    agenttrace.start("inference", "gpt-5", attributes=said).stop()
    (record,) = spooled()
    assert [record["attributes"][key] for key in said] == ["gpt-5", 3, 0.5]


def test_attributes_of_no_known_form_are_said_and_the_call_is_kept(
    recording: Path, spooled: Spooled, trouble: list[str]
) -> None:
    odd: Any = ["gen_ai.request.model"]
    call = agenttrace.start("inference", "gpt-5")
    call.set(odd)
    call.stop()
    assert [record["name"] for record in spooled()] == ["gpt-5"]
    assert len(trouble) == 1
