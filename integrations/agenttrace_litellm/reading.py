"""Read what LiteLLM says of a call and its answer: names and counts, never what was said."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import litellm

from agenttrace import Invocation, TokenUsage, semconv
from agenttrace.integration import provider_name, token_usage

Attributes = dict[str, str | bool | int | float]

_METADATA: Final = ("litellm_metadata", "metadata")
_EMBEDDINGS: Final = "list"  # what an answer that has no output calls itself


@dataclass(frozen=True, slots=True)
class Answer:
    """What LiteLLM returned.

    Attributes:
        usage: Tokens; LiteLLM counts them itself where a stream did not say.
        attributes: Provider, response id and model.
        cached: It came out of LiteLLM's cache.
    """

    usage: TokenUsage
    attributes: Attributes
    cached: bool

    def tell(self, invocation: Invocation) -> None:
        """Add it to the frame of the call."""
        invocation.usage(self.usage)
        invocation.set({semconv.OUTCOME: "complete", **self.attributes})


def model_of(asked: object, options: Mapping[str, Any]) -> Attributes:
    """Return provider and model as attributes, as far as they are known before the call."""
    found: Attributes = {}
    provider = options.get("custom_llm_provider")
    model = asked if isinstance(asked, str) else None
    if model is not None and "/" in model:
        prefix, _, rest = model.partition("/")
        if prefix in litellm.provider_list or prefix in _providers_of_the_users():
            provider, model = provider or prefix, rest
    if isinstance(provider, str):
        found[semconv.PROVIDER_NAME] = provider_name(provider)
    if model is not None:
        found[semconv.REQUEST_MODEL] = model
    if options.get("stream"):
        found[semconv.REQUEST_STREAM] = True
    return found


def _providers_of_the_users() -> set[str]:
    return {str(one.get("provider")) for one in litellm.custom_provider_map}


def metadata_of(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the router and the user say of a call."""
    found: dict[str, Any] = {}
    for key in _METADATA:
        value = options.get(key)
        if isinstance(value, Mapping):
            found.update(value)  # pyright: ignore[reportUnknownArgumentType] - of any shape
    return found


def session_of(options: Mapping[str, Any]) -> str | None:
    """Return the conversation that a call belongs to, if it names one."""
    metadata = metadata_of(options)
    for value in (options.get("litellm_session_id"), metadata.get("session_id")):
        if isinstance(value, str) and value:
            return value
    return None


def call_id_of(options: Mapping[str, Any]) -> str | None:
    """Return the id that LiteLLM's callback will say; a call around may log for this one too."""
    logging = options.get("litellm_logging_obj")
    found = getattr(logging, "litellm_call_id", None) or options.get("litellm_call_id")
    return found if isinstance(found, str) else None


def is_stream(result: object) -> bool:
    """Whether *result* is still to come, piece by piece."""
    return hasattr(result, "__next__") or hasattr(result, "__anext__")


def answer_of(result: Any, *, streamed: bool = False) -> Answer:
    """Read what a function of LiteLLM returned, or what it made of the pieces of a stream."""
    hidden = getattr(result, "_hidden_params", None)
    hidden = hidden if isinstance(hidden, Mapping) else {}
    provider = hidden.get("custom_llm_provider")
    attributes: Attributes = {}
    for key, value in (
        (semconv.RESPONSE_ID, getattr(result, "id", None)),
        (semconv.RESPONSE_MODEL, getattr(result, "model", None)),
        (semconv.PROVIDER_NAME, provider and provider_name(str(provider))),
    ):
        if isinstance(value, str) and value:
            attributes[key] = value
    usage = _usage(getattr(result, "usage", None))
    if usage.state == "reported" and streamed:
        usage = replace(usage, state="estimated")
    elif usage.input_tokens is not None and getattr(result, "object", None) == _EMBEDDINGS:
        usage = replace(usage, state="reported")
    return Answer(usage, attributes, cached=hidden.get("cache_hit") is True)


def _usage(said: Any) -> TokenUsage:
    into = _get(said, "prompt_tokens_details") or _get(said, "input_tokens_details")
    out = _get(said, "completion_tokens_details") or _get(said, "output_tokens_details")
    return token_usage(
        _get(said, "prompt_tokens") or _get(said, "input_tokens"),
        _get(said, "completion_tokens") or _get(said, "output_tokens"),
        cache_read_tokens=_get(into, "cached_tokens"),
        cache_write_tokens=_get(said, "cache_creation_input_tokens"),
        reasoning_tokens=_get(out, "reasoning_tokens"),
        zero_is_unsaid=True,
    )


def _get(said: Any, name: str) -> Any:
    if isinstance(said, Mapping):
        return said.get(name)  # pyright: ignore[reportUnknownMemberType] - of any shape
    return getattr(said, name, None)
