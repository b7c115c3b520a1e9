"""Hold what a tracer recorded against what the provider billed, measure by measure.

A pure function from calls and rows to cells: it runs nothing and reads no file.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from agenttrace.conformance.tracers import Row
from agenttrace.conformance.truth import Call

TOKENS: Final = ("input", "cache_read", "cache_write", "output", "reasoning")
PLACES: Final = ("task", "agent", "role", "visible")
MEASURES: Final = ("calls", "duplicates", *TOKENS, *PLACES)

_OF_THE_OUTPUT: Final = frozenset({"output", "reasoning"})


class State(StrEnum):
    """How a cell compares with the ledger."""

    NONE = "none"  # there is nothing to measure, or the tracer does not say it at all
    EXACT = "exact"
    ESTIMATED = "estimated"  # the provider did not say it; the tracer estimates, and marks it
    UNSAID = "unsaid"  # the provider did not say it, and the tracer does not either
    WRONG = "wrong"


_BY_BADNESS: Final = tuple(State)


@dataclass(frozen=True, slots=True)
class Cell:
    """One measure of one scenario.

    Attributes:
        state: How it compares.
        recorded: What the tracer has: calls, tokens, or calls that have the right place.
        expected: What is true; for duplicates 0.
    """

    state: State
    recorded: int
    expected: int

    @property
    def error(self) -> float:
        """Relative error, such as -0.1 for a tenth too little."""
        return (self.recorded - self.expected) / max(1, self.expected)


Pair = tuple[Call, Row | None]


def judge(calls: Sequence[Call], rows: Sequence[Row]) -> dict[str, Cell]:
    """Return a cell for each of ``MEASURES``.

    Args:
        calls: Every attempt that reached the provider, in their order.
        rows: What was recorded, in the order in which the calls began.
    """
    pairs, more = match(calls, rows)
    billed = [pair for pair in pairs if pair[0].billed]
    recorded = sum(row is not None for _, row in billed)
    return {
        "calls": _count(recorded, len(billed)),
        "duplicates": _count(len(more), 0),
        **{kind: _tokens(kind, billed) for kind in TOKENS},
        **_places(billed),
    }


def match(calls: Sequence[Call], rows: Sequence[Row]) -> tuple[list[Pair], list[Row]]:
    """Find the row of each call, and the rows that are left over.

    By the id of the response where there is one, else by model and tokens, else by model and
    order. A call has one row; a second row with the id of its response is left over.
    """
    found: dict[int, Row] = {}
    ids = {call.response_id for call in calls}
    # An id of the tracer's own, or of a request, tells nothing.
    left = [row if row.response_id in ids else replace(row, response_id=None) for row in rows]
    for fits in (_same_response, _same_tokens, _same_end, _same_model):
        for row in list(left):
            place = _first(calls, found, lambda call, row=row, fits=fits: fits(call, row))
            if place is not None:
                found[place] = row
                left.remove(row)
    return [(call, found.get(place)) for place, call in enumerate(calls)], left


def _first(
    calls: Sequence[Call], found: Mapping[int, Row], fits: Callable[[Call], bool]
) -> int | None:
    return next(
        (place for place, call in enumerate(calls) if place not in found and fits(call)), None
    )


def _same_response(call: Call, row: Row) -> bool:
    return call.response_id is not None and call.response_id == row.response_id


def _same_tokens(call: Call, row: Row) -> bool:
    return (
        _may_be(call, row)
        and call.billed
        and row.input_tokens == call.tokens.input_tokens
        and (row.output_tokens or 0) == call.tokens.output_tokens
    )


def _same_end(call: Call, row: Row) -> bool:
    """Whether both say the same of how the call ended."""
    if not _may_be(call, row):
        return False
    if call.billed:
        return row.http_status == call.status
    return row.failed


def _same_model(call: Call, row: Row) -> bool:
    # An attempt that was refused is in no bill: a row of it is no duplicate of a billed one.
    return _may_be(call, row) and (call.billed or row.failed)


def _may_be(call: Call, row: Row) -> bool:
    # A row that has a response's id is of that response, or of none.
    return row.response_id is None and row.model in {None, call.model}


def _count(recorded: int, expected: int) -> Cell:
    return Cell(State.EXACT if recorded == expected else State.WRONG, recorded, expected)


def _tokens(kind: str, pairs: Sequence[Pair]) -> Cell:
    states: list[State] = []
    recorded = expected = 0
    for call, row in pairs:
        true: int = getattr(call.tokens, f"{kind}_tokens")
        said: int | None = getattr(row, f"{kind}_tokens") if row is not None else None
        states.append(_token_state(kind, call, row, true, said))
        recorded += said or 0
        expected += true
    return Cell(_worst(states), recorded, expected)


def _token_state(kind: str, call: Call, row: Row | None, true: int, said: int | None) -> State:
    if true == 0 and not said:
        return State.NONE
    is_told = call.says_output if kind in _OF_THE_OUTPUT else call.says_input
    if row is not None and not is_told:
        if said is None:
            return State.UNSAID
        if row.estimated:
            return State.ESTIMATED
    return State.EXACT if said == true else State.WRONG


def _places(pairs: Sequence[Pair]) -> dict[str, Cell]:
    """Return the cells of who made the calls: right ones of those that say whose they are."""
    owned = [(call, row) for call, row in pairs if call.owner is not None]
    runs = dict(_runs(owned))
    right: Mapping[str, Callable[[Call, Row], bool]] = {
        "task": lambda call, row: _is_in_its_task(call, row, runs),
        "agent": lambda call, row: call.owner is not None and row.agent == call.owner.agent,
        "role": lambda call, row: call.owner is not None and row.role == call.owner.role,
        "visible": lambda call, row: (
            call.owner is not None and row.visible == bool(call.owner.visible)
        ),
    }
    cells: dict[str, Cell] = {}
    for place, is_right in right.items():
        count = sum(row is not None and is_right(call, row) for call, row in owned)
        cells[place] = _count(count, len(owned))
        if not _is_said(place, owned):
            cells[place] = Cell(State.NONE, 0, 0)
    return cells


def _is_said(place: str, pairs: Sequence[Pair]) -> bool:
    """Whether there is something to judge: a tracer may know no roles, a scenario no answer."""
    said = [call.owner.visible for call, _ in pairs if call.owner is not None]
    if place == "visible" and said.count(None) == len(said):
        return False
    if place in {"role", "visible"}:
        recorded = [row for _, row in pairs if row is not None]
        return any(getattr(row, place) is not None for row in recorded)
    return bool(pairs)


_Run = tuple[str | None, str]


def _runs(pairs: Sequence[Pair]) -> Iterator[tuple[_Run, str | None]]:
    """Yield the recorded task of each run of a task: the one that most of its calls are in."""
    seen: Counter[tuple[_Run, str | None]] = Counter()
    for call, row in pairs:
        if call.owner is not None and row is not None and call.owner.task is not None:
            seen[(call.owner.task, call.owner.run), row.task_id] += 1
    taken: set[str | None] = set()
    given: set[_Run] = set()
    for (run, task_id), _ in seen.most_common():
        if run not in given and task_id not in taken:
            given.add(run)
            taken.add(task_id)
            yield run, task_id


def _is_in_its_task(call: Call, row: Row, runs: Mapping[_Run, str | None]) -> bool:
    owner = call.owner
    if owner is None or row.task != owner.task:
        return False
    return owner.task is None or runs.get((owner.task, owner.run), "") == row.task_id


def _worst(states: Iterable[State]) -> State:
    return max(states, key=_BY_BADNESS.index, default=State.NONE)
