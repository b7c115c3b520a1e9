"""Read what the SDK says of a model call: names and counts, never what was said."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from agenttrace import TokenUsage, semconv
from agenttrace.integration import token_usage

Attributes = dict[str, str | bool | int | float]

_OPERATION: Final = {
    "generation": semconv.CHAT,
    "response": semconv.CHAT,
    "transcription": semconv.TRANSCRIPTION,
    "speech": semconv.SPEECH,
}
_UNNAMED: Final = "_OTHER"  # the convention's word for an error whose type is not known


@dataclass(frozen=True, slots=True)
class Answer:
    """What the end of a model's span says.

    Attributes:
        model: The model that answered; None where that is not known.
        usage: Tokens, as the SDK reports them.
        attributes: Response id and model.
    """

    model: str | None
    usage: TokenUsage
    attributes: Attributes


def model_of(said: Any) -> Attributes:
    """Return operation and model as attributes, as far as they are known before the call."""
    found: Attributes = {semconv.OPERATION_NAME: _OPERATION[said.type]}
    model = getattr(said, "model", None)
    if isinstance(model, str):
        found[semconv.REQUEST_MODEL] = model
    return found


def answer_of(said: Any) -> Answer:
    """Read the data of a span that has ended."""
    response = getattr(said, "response", None)  # of the responses API, where data are traced
    attributes: Attributes = {}
    model = getattr(response, "model", None)
    for key, value in (
        (semconv.RESPONSE_ID, getattr(response, "id", None)),
        (semconv.RESPONSE_MODEL, model),
    ):
        if isinstance(value, str) and value:
            attributes[key] = value
    usage = getattr(said, "usage", None) or getattr(response, "usage", None)
    return Answer(model if isinstance(model, str) else None, _usage(usage), attributes)


def error_of(span: Any, raised: BaseException | None) -> BaseException | str | None:
    """Return how a span failed: the exception that passes through, else that it failed at all."""
    if raised is not None:
        return raised
    # The SDK keeps a sentence and not the type, and the sentence may quote what was said.
    return _UNNAMED if getattr(span, "error", None) is not None else None


def _usage(said: Any) -> TokenUsage:
    into, out = _get(said, "input_tokens_details"), _get(said, "output_tokens_details")
    return token_usage(
        _get(said, "input_tokens"),
        _get(said, "output_tokens"),
        cache_read_tokens=_get(into, "cached_tokens"),
        cache_write_tokens=_get(into, "cache_write_tokens"),
        reasoning_tokens=_get(out, "reasoning_tokens"),
        zero_is_unsaid=True,
    )


def _get(said: Any, name: str) -> Any:
    if isinstance(said, Mapping):
        return said.get(name)  # pyright: ignore[reportUnknownMemberType] - of any shape
    return getattr(said, name, None)
