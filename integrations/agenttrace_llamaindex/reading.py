"""Read what LlamaIndex's spans are about: names and counts, never what was said."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from agenttrace import TokenUsage, semconv

Attributes = dict[str, str | bool | int | float]
Sort = Literal["agent", "team", "workflow", "part", "rerank", "model", "other"]

# A base class of LlamaIndex's -> what its subclasses are; the first that fits.
_SORTS: Final[tuple[tuple[str, Sort], ...]] = (
    ("AgentWorkflow", "team"),
    ("BaseWorkflowAgent", "agent"),
    ("Workflow", "workflow"),
    ("BaseQueryEngine", "part"),
    ("BaseChatEngine", "part"),
    ("BaseRetriever", "part"),
    ("BaseNodePostprocessor", "rerank"),
    ("BaseLLM", "model"),
)
# The methods that are recorded. A stream of a model is asked for when its first piece is.
_METHODS: Final[dict[str, frozenset[str]]] = {
    "agent": frozenset({"run"}),
    "team": frozenset({"run"}),
    "workflow": frozenset({"run"}),
    "part": frozenset(
        {"query", "aquery", "retrieve", "aretrieve"}
        | {"chat", "achat", "stream_chat", "astream_chat"}
    ),
    "rerank": frozenset(
        {"postprocess_nodes", "apostprocess_nodes", "_postprocess_nodes", "_apostprocess_nodes"}
    ),
    "model": frozenset({"chat", "achat", "complete", "acomplete"}),
}
_STATES: Final = ("missing", "partial", "reported")  # by how many sides are known


@dataclass(frozen=True, slots=True)
class Said:
    """What LlamaIndex says of a span that begins.

    Attributes:
        id: ``Class.method-uuid``, or for a function its qualified name instead of the former.
        instance: The object whose method it is.
        arguments: Those of the method.
    """

    id: str
    instance: Any
    arguments: Mapping[str, Any]

    @property
    def method(self) -> str:
        """Name of the method or function."""
        return self.id[:-37].rpartition(".")[2]  # a hyphen and 36 characters of a UUID

    @property
    def sort(self) -> Sort:
        """What is recorded, ``other`` if it is not."""
        found = _sort(type(self.instance))
        return found if self.method in _METHODS.get(found, ()) else "other"

    @property
    def name(self) -> str:
        """What people call the instance: an agent's name, else the class's."""
        given = getattr(self.instance, "name", None) if self.sort == "agent" else None
        return given if isinstance(given, str) and given else type(self.instance).__name__

    @property
    def is_reranker(self) -> bool:
        """Whether the calls inside rank what was found."""
        return "rerank" in type(self.instance).__name__.lower()

    @property
    def agent(self) -> str | None:
        """In a step of an agent workflow: the agent that it works for, if it says so."""
        return _text(getattr(self._event, "current_agent_name", None))

    @property
    def tool(self) -> str | None:
        """In a step that calls a tool: its name."""
        if self.method != "call_tool":
            return None
        return _text(getattr(self._event, "tool_name", None))

    @property
    def _event(self) -> Any:
        return self.arguments.get("ev")


def model_of(instance: Any) -> Attributes:
    """Return what a model says of itself."""
    found: Attributes = {semconv.OPERATION_NAME: semconv.CHAT, semconv.CAPTURE: "frame"}
    metadata = getattr(instance, "metadata", None)
    found[semconv.REQUEST_MODEL] = (
        _text(getattr(metadata, "model_name", None)) or _text(type(instance).__name__) or "model"
    )
    return found


def usage_of(response: Any) -> TokenUsage:
    """Read what a ``ChatResponse`` or a ``CompletionResponse`` says of tokens."""
    said = getattr(response, "additional_kwargs", None)
    said = said if isinstance(said, Mapping) else {}
    sent, received = _count(said, "prompt_tokens"), _count(said, "completion_tokens")
    return TokenUsage(
        input_tokens=sent,
        output_tokens=received,
        state=_STATES[(sent is not None) + (received is not None)],
    )


@functools.lru_cache(maxsize=1024)
def _sort(kind: type) -> Sort:
    # By name, for none of the modules need be imported here.
    names = {base.__name__ for base in kind.__mro__}
    for name, sort in _SORTS:
        if name in names:
            return sort
    return "other"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _count(said: Mapping[str, Any], key: str) -> int | None:
    value = said.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return value
