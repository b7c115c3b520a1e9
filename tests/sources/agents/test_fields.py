"""What is made of fields that nobody promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.sources.agents import fields
from agenttrace.sources.source import Skipped
from agenttrace.sources.usage import inside

AT_NS = 1_790_000_000_123_000_000


@pytest.mark.parametrize(
    "said",
    [
        "2026-09-21T14:13:20.123Z",
        "2026-09-21T16:13:20.123+02:00",
        "2026-09-21 14:13:20.123",
        "1790000000123",
        1790000000123,
        1790000000.123,
        1790000000123000,
        AT_NS,
    ],
)
def test_a_time_is_known_in_any_unit_and_spelling(said: object) -> None:
    assert fields.moment_ns(said) == AT_NS


@pytest.mark.parametrize(
    "said",
    [
        None,
        True,
        "",
        "yesterday",
        0,
        -1,
        1e300,
        -1.7e308,
        float("nan"),
        "9" * 5000,
        [],
        "0001-01-01",
    ],
)
def test_a_time_that_cannot_be_is_none(said: object) -> None:
    assert fields.moment_ns(said) is None


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("/home/ada/shop/", "shop"),
        ("C:\\work\\shop", "shop"),
        ("shop", "shop"),
        ("/", None),
        (5, None),
    ],
)
def test_a_project_is_the_name_of_its_folder_and_not_where_it_is(
    said: object, name: str | None
) -> None:
    assert fields.folder(said) == name


def test_an_error_is_named_by_its_class_and_never_by_its_text() -> None:
    assert fields.code("APIError") == "APIError"
    for said in ("the prompt was too long", "", None, {"a": 1}):
        assert fields.code(said) is None


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary())
def test_no_field_is_too_odd(said: object) -> None:
    fields.moment_ns(said)
    fields.cost_usd(said)
    fields.provider(said)
    assert list(fields.odd([said]))[1:] == []


@given(st.binary() | st.text())
def test_no_text_is_too_odd(said: bytes | str) -> None:
    assert fields.decode(said) is None or isinstance(fields.decode(said), dict)


@pytest.mark.parametrize(("said", "cost"), [(0, None), (-1.0, None), (True, None), (0.5, 0.5)])
def test_a_cost_of_zero_is_unknown(said: object, cost: float | None) -> None:
    assert fields.cost_usd(said) == cost


def test_a_type_is_named_only_if_it_is_a_name() -> None:
    assert fields.unknown("turn.prompt") == Skipped("record type 'turn.prompt'")
    for said in ("two words", "x" * 41, "", 5, None, {"a": 1}):
        assert fields.unknown(said) == Skipped("a record of no known type")


def test_tokens_of_nothing_are_unknown() -> None:
    assert fields.used(inside(0, 0)).state == "missing"
    assert fields.used(inside(0, 5)).output_tokens == 5


@pytest.mark.parametrize(
    ("said", "name"),
    [("google", "gcp.gemini"), ("OpenAI_Codex", "openai"), ("groq", "groq"), (" ", None)],
)
def test_a_provider_has_the_name_of_the_conventions(said: str, name: str | None) -> None:
    assert fields.provider(said) == name
