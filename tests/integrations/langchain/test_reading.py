"""Names and counts in the many spellings that LangChain's integrations use."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, Generation, LLMResult

from agenttrace import TokenUsage
from agenttrace_langchain.reading import answer_of, role_of


def result(**usage: Any) -> LLMResult:
    message = AIMessage("")
    message.usage_metadata = usage  # as an integration may set it, whole or not
    return LLMResult(generations=[[ChatGeneration(message=message)]])


@pytest.mark.parametrize(
    ("details", "written"),
    [
        (
            {"cache_creation": 0, "ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 1},
            21,
        ),
        (
            {"cache_creation": 21, "ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 1},
            21,
        ),
        ({"cache_creation": 21}, 21),
        ({"cache_creation": 0}, 0),
        ({}, None),
    ],
)
def test_cache_writes_are_counted_once(details, written):
    said = result(input_tokens=30, output_tokens=2, input_token_details=details)
    assert answer_of(said).usage.cache_write_tokens == written


def test_details_of_a_service_tier_are_read():
    said = result(
        input_tokens=30,
        output_tokens=20,
        input_token_details={"flex": 20, "flex_cache_read": 10},
        output_token_details={"flex": 5, "flex_reasoning": 15},
    )
    assert answer_of(said).usage == TokenUsage(
        input_tokens=30,
        output_tokens=20,
        cache_read_tokens=10,
        reasoning_tokens=15,
        state="reported",
    )


@pytest.mark.parametrize(
    ("said", "usage"),
    [
        (result(input_tokens=3), TokenUsage(input_tokens=3, state="partial")),
        (result(input_tokens=-3, output_tokens="2"), TokenUsage()),
        (result(), TokenUsage()),
        (LLMResult(generations=[]), TokenUsage()),
        (None, TokenUsage()),
        (
            LLMResult(
                generations=[[Generation(text="")]],
                llm_output={"token_usage": {"prompt_tokens": 3, "completion_tokens": 2}},
            ),
            TokenUsage(input_tokens=3, output_tokens=2, state="reported"),
        ),
    ],
)
def test_what_is_not_said_stays_unsaid(said, usage):
    assert answer_of(said).usage == usage


@pytest.mark.parametrize(
    ("metadata", "role"),
    [
        ({"lc_source": "summarization"}, "summary"),
        ({"langgraph_node": "SummarizationMiddleware.before_model"}, "summary"),
        ({"lc_source": "tool_selection"}, "router"),
        ({"lc_source": "tool_emulation"}, "tool"),
        ({"langgraph_node": "model"}, None),
    ],
)
def test_calls_that_langchain_makes_itself_have_their_role(metadata, role):
    assert role_of(metadata) == role
