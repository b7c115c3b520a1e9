"""What really happened: the provider's ledger, and whose call each of its lines was.

A prompt of the suite holds a mark such as ``[answer/researcher/subagent]``: the task, the agent and
the role of the call that sends it, ``-`` for none. Only the provider reads it. Runs of the same
task are told apart by a number (``answer#2``), and the call whose output a person reads has an
exclamation mark (``[answer/-/main!]``): of several calls with the same mark, the last good one. A
full stop in its place (``[nightly/-/main.]``) says that nobody reads any of them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from agenttrace.testing import Billed, ModelProvider, Request, Tokens

_MARK: Final = re.compile(
    r"\[(?P<task>[^/\[\]#]+)(?:#(?P<run>\d+))?/(?P<agent>[^/\[\]]+)/(?P<role>[a-z_]+)(?P<visible>[!.]?)\]"
)
_GOOD: Final = 200


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose call it is, as the mark in its prompt says.

    Attributes:
        task: Name of the task; None outside of any.
        run: Tells runs of the same task apart.
        agent: Name of the agent; None outside of any.
        role: Role of the call.
        visible: Whether a person reads the output; None where the program does not say.
    """

    task: str | None
    run: str
    agent: str | None
    role: str
    visible: bool | None


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt that reached the provider.

    Attributes:
        model: Model that answered, or was asked for.
        response_id: The provider's id; None where it gave none to anybody.
        status: HTTP status that the client saw.
        billed: Whether the provider worked on it; a refused one costs nothing.
        tokens: What was billed.
        says_input: Whether the client was told the input.
        says_output: Whether the client was told the output.
        owner: Whose call it is; None where its prompt does not say.
    """

    model: str
    response_id: str | None
    status: int
    billed: bool
    tokens: Tokens
    says_input: bool
    says_output: bool
    owner: Owner | None


def calls(provider: ModelProvider) -> tuple[Call, ...]:
    """Return every attempt that reached *provider*, in the order in which they came."""
    ledger = provider.ledger
    owners = _owners(provider.requests, ledger)
    found: list[tuple[int, Call]] = []
    seen: set[int] = set()
    for line in ledger:
        # What a provider asks other models on its own has further lines of the same request.
        call = _billed(line, owners.get(line.number), is_inner=line.number in seen)
        found.append((line.number, call))
        seen.add(line.number)
    found += [
        (request.number, _refused(request, owners[request.number]))
        for request in provider.requests
        if request.number not in seen
    ]
    return tuple(_with_the_visible([call for _, call in sorted(found, key=lambda one: one[0])]))


def _owners(requests: Sequence[Request], ledger: Sequence[Billed]) -> dict[int, Owner | None]:
    """Return whose each request is, by its number."""
    numbers = {line.response_id: line.number for line in ledger if line.response_id}
    owners: dict[int, Owner | None] = {}
    for request in requests:
        before = numbers.get(_continues(request))
        # One that goes on with what the provider keeps need not repeat the prompt.
        owners[request.number] = _owner(request) or owners.get(before or 0)
    return owners


def _continues(request: Request) -> str:
    thread = request.body.get("thread")
    said = cast("Mapping[str, Any]", thread) if isinstance(thread, Mapping) else request.body
    return said.get("previous_message_id") or said.get("previous_response_id") or ""


def _billed(line: Billed, owner: Owner | None, *, is_inner: bool) -> Call:
    if is_inner and owner is not None:
        owner = replace(owner, role="other", visible=None)
    return Call(
        model=line.model,
        response_id=line.response_id,
        status=line.status,
        billed=True,
        tokens=Tokens(**{name: getattr(line, name) for name in Tokens.__dataclass_fields__}),
        says_input=line.usage in {"reported", "partial"},
        says_output=line.usage == "reported",
        owner=owner,
    )


def _refused(request: Request, owner: Owner | None) -> Call:
    # The ledger does not say with what status.
    return Call(
        model=request.model,
        response_id=None,
        status=0,
        billed=False,
        tokens=Tokens(),
        says_input=False,
        says_output=False,
        owner=owner,
    )


def _owner(request: Request) -> Owner | None:
    marks = map(_MARK.search, (request.system, request.user, request.prompt))
    mark = next(filter(None, marks), None)
    if mark is None:
        return None
    # The SDKs of OpenAI and Anthropic count their attempts.
    retried = request.headers.get("x-stainless-retry-count", "0") != "0"
    return Owner(
        task=_named(mark["task"]),
        run=mark["run"] or "",
        agent=_named(mark["agent"]),
        role="retry" if retried else mark["role"],
        visible={"!": True, ".": False}.get(mark["visible"]),
    )


def _named(said: str) -> str | None:
    return None if said == "-" else said


def _with_the_visible(calls: Sequence[Call]) -> Iterable[Call]:
    """Leave ``visible`` on the last good call of each mark."""
    last: dict[tuple[str | None, ...], int] = {}
    for place, call in enumerate(calls):
        if call.owner is not None and call.owner.visible and call.status == _GOOD:
            last[call.owner.task, call.owner.run, call.owner.agent] = place
    for place, call in enumerate(calls):
        if call.owner and call.owner.visible and place not in last.values():
            yield replace(call, owner=replace(call.owner, visible=False))
        else:
            yield call
