"""Calls with numbers, counted in memory that outlives their process: what the store must hold.

Each thread that records has a *line* of its own in the ledger, and numbers its calls from 0. It
counts a call when it is about to begin it, when that has begun, and when that has ended. Whatever
was killed when, the store must then hold every call that had ended, once, and know which calls were
interrupted.
"""

import mmap
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import agenttrace
from agenttrace import TokenUsage, semconv

MODEL: Final = "gpt-5-2025-08-07"
USAGE: Final = TokenUsage(1200, 300, cache_read_tokens=1024, reasoning_tokens=64, state="reported")
_ASKED: Final = {
    semconv.OPERATION_NAME: semconv.CHAT,
    semconv.PROVIDER_NAME: "openai",
    semconv.REQUEST_MODEL: "gpt-5",
    semconv.CAPTURE: "wire",
    semconv.SERVER_ADDRESS: "api.openai.com",
    semconv.ATTEMPT: 1,
}
_ANSWERED: Final = {
    semconv.RESPONSE_MODEL: MODEL,
    semconv.HTTP_STATUS: 200,
    semconv.OUTCOME: "complete",
}
_COUNTS: Final = 8  # of a line: three are used, and threads do not slow one another


class Count(NamedTuple):
    """How far one thread has come.

    Attributes:
        attempted: Calls that it was about to begin.
        begun: Calls that it had begun.
        ended: Calls that it had ended.
    """

    attempted: int
    begun: int
    ended: int


class Ledger:
    """Counts of many threads, in memory that forked processes share."""

    def __init__(self, lines: int) -> None:
        self.lines = lines
        # As whole numbers, each is stored at once; struct would store zeros first, and then the
        # count, and a kill may come between.
        self._counts = memoryview(mmap.mmap(-1, lines * _COUNTS * 8)).cast("Q")

    def record(self, line: int) -> None:
        """Record the next call of *line*; the response id tells the two numbers."""
        place = line * _COUNTS
        number = self.count(line).ended
        following = number + 1
        self._counts[place] = following
        # Told when it begins, so that the store can name what was interrupted.
        said = {**_ASKED, semconv.RESPONSE_ID: f"{line}-{number}"}
        call = agenttrace.start("inference", MODEL, attributes=said)
        self._counts[place + 1] = following
        call.set(_ANSWERED)
        call.usage(USAGE)
        call.stop()
        self._counts[place + 2] = following

    def count(self, line: int) -> Count:
        """Return how far *line* has come."""
        place = line * _COUNTS
        return Count(*self._counts[place : place + 3])

    def ended(self) -> int:
        """Return how many calls have ended."""
        return sum(self.count(line).ended for line in range(self.lines))


class Audit(NamedTuple):
    """What the store holds, held against a ledger.

    Attributes:
        ended: Calls that had ended, as the ledger says.
        found: Calls that the store has the end of.
        lost: Ended calls that it does not have.
        twice: Rows that it has too many.
        unheard_of: Rows of calls that were never begun.
        in_flight: Calls that had begun and had not ended.
        interrupted: Calls that the store knows to have been interrupted.
        unknown: Calls in flight that the store has no row of.
        counted: Calls with an end, as reports count them.
    """

    ended: int
    found: int
    lost: int
    twice: int
    unheard_of: int
    in_flight: int
    interrupted: int
    unknown: int
    counted: int

    @property
    def is_fine(self) -> bool:
        """Whether all is there once, and what was in flight is known."""
        wrong = self.lost or self.twice or self.unheard_of or self.unknown
        return not wrong and self.counted == self.found


def audit(home: Path, ledger: Ledger) -> Audit:
    """Fold what is left, and compare the store with the ledger."""
    counts = [ledger.count(line) for line in range(ledger.lines)]
    with agenttrace.read(home) as reader:
        (found,) = reader.query(_AUDIT, [list(range(ledger.lines)), *zip(*counts, strict=True)])
    return Audit(**found)


_AUDIT: Final = """
WITH
ledger AS (
    SELECT unnest($1) AS line, unnest($2) AS attempted, unnest($3) AS begun, unnest($4) AS ended
),
stored AS (
    SELECT
        split_part(response_id, '-', 1)::BIGINT AS line,
        split_part(response_id, '-', 2)::BIGINT AS number,
        count(*) AS copies,
        bool_or(outcome = 'complete') AS is_ended
    FROM span
    WHERE kind = 'inference'
    GROUP BY ALL
),
by_line AS (
    SELECT
        line,
        sum(copies - 1) AS twice,
        count(*) FILTER (WHERE stored.is_ended) AS found,
        count(*) FILTER (WHERE NOT stored.is_ended) AS interrupted,
        count(*) FILTER (WHERE stored.is_ended AND number < ledger.ended) AS kept,
        count(*) FILTER (WHERE number >= coalesce(ledger.attempted, 0)) AS unheard_of,
        count(*) FILTER (WHERE number >= ledger.ended AND number < ledger.begun) AS known
    FROM stored
    LEFT JOIN ledger USING (line)
    GROUP BY line
)
SELECT
    sum(ledger.ended)::BIGINT AS ended,
    coalesce(sum(found), 0)::BIGINT AS found,
    sum(ledger.ended - coalesce(kept, 0))::BIGINT AS lost,
    coalesce(sum(twice), 0)::BIGINT AS twice,
    coalesce(sum(unheard_of), 0)::BIGINT AS unheard_of,
    sum(ledger.begun - ledger.ended)::BIGINT AS in_flight,
    coalesce(sum(interrupted), 0)::BIGINT AS interrupted,
    sum(ledger.begun - ledger.ended - coalesce(known, 0))::BIGINT AS unknown,
    (SELECT count(*) FROM model_call WHERE outcome = 'complete') AS counted
FROM ledger
FULL JOIN by_line USING (line)
"""


def verdict(found: Audit) -> int:
    """Print what was found; returns the exit code."""
    for name, number in found._asdict().items():
        print(f"{name.replace('_', ' '):12} {number:>12,}")
    print("every call that ended is there, once" if found.is_fine else "WRONG", flush=True)
    return 0 if found.is_fine else 1


def forked(work: Callable[[], None]) -> int:
    """Do *work* in a forked process; returns its id."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - whatever it is, it is not the parent's
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            # At once, without what the parent would do at its exit.
            os._exit(code)
    return pid
