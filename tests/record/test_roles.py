"""Which role a call has: the rules as a table, from the place and the shape of the call."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

import agenttrace

CHAT = ("/v1/chat/completions", {"messages": []})
EMBEDDINGS = ("/v1/embeddings", {"input": "x"})
RERANK = ("/v2/rerank", {"query": "x", "documents": ["y"]})
MODERATION = ("/v1/moderations", {"input": "x"})

Frames = tuple[Callable[[], Any], ...]


def task() -> Any:
    return agenttrace.task("job")


def agent() -> Any:
    return agenttrace.agent("a")


def tool() -> Any:
    return agenttrace.tool("t")


def said(role: str) -> Callable[[], Any]:
    return lambda: agenttrace.role(role)


RULES: list[tuple[str, Frames, tuple[str, dict[str, Any]], str]] = [
    ("a call outside of every frame", (), CHAT, "main"),
    ("a call of the task itself", (task,), CHAT, "main"),
    ("a call of the root agent", (agent,), CHAT, "main"),
    ("an agent inside an agent", (agent, agent), CHAT, "subagent"),
    ("a tool of the root agent", (agent, tool), CHAT, "tool"),
    ("an agent inside a tool", (agent, tool, agent), CHAT, "subagent"),
    ("what the user says", (agent, said("summary")), CHAT, "summary"),
    ("what the user says, inside a tool", (agent, tool, said("router")), CHAT, "router"),
    ("the nearest that the user says", (said("title"), agent, said("guard")), CHAT, "guard"),
    ("an embedding of an agent", (agent,), EMBEDDINGS, "embedding"),
    ("an embedding of a sub-agent", (agent, agent), EMBEDDINGS, "embedding"),
    ("an embedding of a tool", (agent, tool), EMBEDDINGS, "tool"),
    ("a reranking", (agent,), RERANK, "rerank"),
    ("a moderation guards", (agent,), MODERATION, "guard"),
    ("a moderation with a role that was said", (said("other"),), MODERATION, "other"),
]


@pytest.mark.parametrize(("frames", "request_", "role"), [rule[1:] for rule in RULES],
                         ids=[rule[0] for rule in RULES])  # fmt: skip
def test_the_role_of_a_call(
    recording: Path, frames: Frames, request_: tuple[str, dict[str, Any]], role: str
) -> None:
    path, body = request_

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"id": "r", "usage": {}})

    with (
        ExitStack() as stack,
        httpx.Client(transport=httpx.MockTransport(answer)) as client,
    ):
        for frame in frames:
            stack.enter_context(frame())
        client.post(f"https://api.example.com{path}", json={"model": "m", **body})
    with agenttrace.read(recording) as reader:
        assert reader.table("SELECT role FROM model_call").rows == [(role,)]


def test_an_attempt_that_repeats_a_failed_one_is_its_retry(recording: Path) -> None:
    statuses = iter([429, 200, 200])

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(next(statuses), json={})

    with httpx.Client(transport=httpx.MockTransport(answer)) as client, agenttrace.task("t"):
        for _ in range(3):
            client.post("https://api.example.com/v1/chat/completions", json={"model": "m"})
    with agenttrace.read(recording) as reader:
        rows = reader.table("SELECT role, attempt FROM model_call ORDER BY started_at").rows
    # The third repeats one that went well, so it is an operation of its own.
    assert rows == [("main", 1), ("retry", 2), ("main", 1)]
