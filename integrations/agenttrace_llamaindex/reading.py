"""Read what LlamaIndex's spans are about: names and counts, never what was said."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from agenttrace import TokenUsage, semconv
from agenttrace.integration import guarded, token_usage

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
    found[semconv.REQUEST_MODEL] = (
        _text(getattr(instance, "model", None)) or _model_in(instance) or type(instance).__name__
    )
    return found


@guarded("the name of a LlamaIndex model")
def _model_in(instance: Any) -> str | None:
    # Some raise where they do not know how much the model can read.
    return _text(getattr(instance.metadata, "model_name", None))


def usage_of(response: Any) -> TokenUsage:
    """Read what a ``ChatResponse`` or a ``CompletionResponse`` says of tokens."""
    said = getattr(response, "additional_kwargs", None)
    said = said if isinstance(said, Mapping) else {}
    return token_usage(said.get("prompt_tokens"), said.get("completion_tokens"))


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
