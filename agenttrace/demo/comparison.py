"""Compare what agenttrace counted with what the provider billed and what the framework saw."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agenttrace.testing import Billed, Tokens

Row = Mapping[str, Any]  # of the view model_call

_KINDS: Final = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the framework's own counter saw.

    Attributes:
        calls: Answers it was told of.
        tokens: Input and output of these.
    """

    calls: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """One run: recorded, billed, and seen by the framework.

    Attributes:
        attempts: Requests that reached the provider, refused ones too.
        recorded_calls: Model calls that agenttrace recorded.
        reported_calls: Calls whose usage the provider reported.
        reported: Tokens of these calls, as they were billed.
        estimated_calls: Streams that said no usage, or not all of it.
        estimated: What agenttrace made of them.
        unsaid: What they were billed.
        failed_attempts: Attempts that were refused, or that failed after the model had worked.
        lost: What the failed ones were billed; no response says so.
        framework: What the framework's own counter saw.
        differences: What is not the same on both sides, a sentence each.
    """

    attempts: int
    recorded_calls: int
    reported_calls: int
    reported: Tokens
    estimated_calls: int
    estimated: Tokens
    unsaid: Tokens
    failed_attempts: int
    lost: Tokens
    framework: Seen
    differences: tuple[str, ...]

    @property
    def exact(self) -> bool:
        """Every call is there once, with every kind of token as the provider reported it."""
        return not self.differences

    @property
    def billed_tokens(self) -> int:
        """Input and output of all that was billed."""
        return sum(map(_total, (self.reported, self.unsaid, self.lost)))


def compare(
    calls: Sequence[Row], ledger: Sequence[Billed], *, attempts: int, framework: Seen
) -> Comparison:
    """Compare the recorded calls of a run with the provider's ledger.

    Args:
        calls: Rows of ``model_call``.
        ledger: What was billed.
        attempts: Requests that reached the provider.
        framework: What the framework's own counter saw.
    """
    failed = [line for line in ledger if line.outcome == "failed"]
    reported = [line for line in ledger if line.usage == "reported"]
    unsaid = [line for line in ledger if line.usage != "reported" and line not in failed]
    estimated = [call for call in calls if call["usage"] == "estimated"]
    failed_attempts = attempts - len(reported) - len(unsaid)
    return Comparison(
        attempts=attempts,
        recorded_calls=len(calls),
        reported_calls=len(reported),
        reported=sum(reported, Tokens()),
        estimated_calls=len(estimated),
        estimated=sum(map(_tokens, estimated), Tokens()),
        unsaid=sum(unsaid, Tokens()),
        failed_attempts=failed_attempts,
        lost=sum(failed, Tokens()),
        framework=framework,
        differences=(
            *_differences(
                [_told(call) for call in calls if call["usage"] == "reported"],
                [_told(line) for line in reported],
            ),
            *_differences(map(_named, estimated), map(_named, unsaid)),
            *_unequal(
                "failed attempts",
                sum(call["status"] == "error" for call in calls),
                failed_attempts,
            ),
            *_unequal("calls", len(calls), attempts),
        ),
    )


def sentence(one: Comparison) -> str:
    """Say in a few words what agenttrace, the ledger and the framework counted."""
    if not one.exact:
        return (
            f"Not as the provider's ledger has it: {one.recorded_calls} calls recorded, "
            f"{one.attempts} made. {' '.join(one.differences)}"
        )
    tokens = one.reported
    share = one.framework.tokens / max(1, one.billed_tokens)
    return (
        f"Checked against the provider's ledger: {one.recorded_calls} of {one.attempts} calls; "
        f"{one.reported_calls} with reported usage, every kind of token equal "
        f"({tokens.input_tokens:,} input, {tokens.cache_read_tokens:,} cache read, "
        f"{tokens.cache_write_tokens:,} cache write, {tokens.output_tokens:,} output, "
        f"{tokens.reasoning_tokens:,} reasoning); {_many(one.estimated_calls, 'silent stream')} "
        f"estimated at {_total(one.estimated):,} tokens ({_total(one.unsaid):,} billed); "
        f"{_many(one.failed_attempts, 'failed attempt')} ({_total(one.lost):,} tokens billed, "
        "reported to nobody). LangChain's own counter saw "
        f"{_many(one.framework.calls, 'call')} and {share:.0%} of the tokens."
    )


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


_Call = tuple[str, str, Tokens]  # response id, model, tokens


def _told(call: Row | Billed) -> _Call:
    return *_named(call)[:2], _tokens(call)


def _named(call: Row | Billed) -> _Call:
    if isinstance(call, Billed):
        return call.response_id or "", call.model, Tokens()
    return call["response_id"] or "", call["model"], Tokens()


def _tokens(call: Row | Billed) -> Tokens:
    """Read the kinds that both sides name; what was not reported counts as none."""
    if isinstance(call, Billed):
        return Tokens(**{name: getattr(call, name) for name in _KINDS})
    return Tokens(**{name: call[name] or 0 for name in _KINDS})


def _total(tokens: Tokens) -> int:
    return tokens.input_tokens + tokens.output_tokens


def _differences(ours: Iterable[_Call], theirs: Iterable[_Call]) -> Iterable[str]:
    recorded, billed = Counter(ours), Counter(theirs)
    for said, missing in (("recorded", recorded - billed), ("billed", billed - recorded)):
        for response_id, model, tokens in sorted(missing.elements(), key=str):
            yield f"Only {said}: {response_id or 'a call'} of {model}, {tokens}."


def _unequal(what: str, ours: int, theirs: int) -> Iterable[str]:
    if ours != theirs:
        yield f"{ours} {what} were recorded, {theirs} made."
