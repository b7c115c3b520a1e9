"""Write a past into a home: tasks, agents, tools and model calls, at times that are given.

Recording stamps what happens with the time of the clock. A test of a report, or an example, needs
two months of an agent within a second, and the same ones each time::

    monday = datetime(2026, 11, 9, 8, tzinfo=UTC)
    with History(home, "assistant") as past:
        with past.task("fix the parser", at=monday, project="shop", user="ada") as task:
            with task.agent("coder") as coder:
                coder.call("claude-sonnet-4-5", input_tokens=119_531, output_tokens=214,
                           provider="anthropic", cache_read_tokens=118_656)
                coder.use("shell", seconds=3)
            task.outcome("success", reference="PR 7")

Records go through the spool, as those of a program do, so everything that reads a store reads them.
Inside a task one thing follows another: each takes its ``seconds``, and :meth:`Work.wait` lets more
of them pass. Unlike the provider of this package, this needs agenttrace.
"""

import hashlib
import os
import random
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

import msgspec

from agenttrace import semconv
from agenttrace.errors import SpoolError
from agenttrace.model import Workload
from agenttrace.record.spool import Spool

Outcome = Literal["success", "failure", "abandoned"]

_Attributes = Mapping[str, str | int | bool | None]

_UNIX: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND_NS: Final = 1_000_000_000
_SCOPE: Final = "agenttrace"


class _Clock:
    """The time inside one task, in nanoseconds since 1970-01-01 UTC."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError(f"{at} has no zone, so nobody knows when it was. Say tzinfo=UTC.")
        # By whole microseconds: a float of seconds would be off by some.
        self.now_ns = (at - _UNIX) // _MICROSECOND * 1000

    def pass_by(self, seconds: float) -> None:
        self.now_ns += round(seconds * _SECOND_NS)


@dataclass(frozen=True, slots=True)
class _Place:
    """What a span knows of those around it."""

    trace_id: str
    task_id: str
    task_name: str
    session: str | None
    parent: str | None = None
    agent: str | None = None
    agent_span_id: str | None = None
    depth: int = 0
    role: str = "main"

    def attributes(self) -> dict[str, str | int | bool | None]:
        return {
            semconv.TASK_ID: self.task_id,
            semconv.TASK_NAME: self.task_name,
            semconv.CONVERSATION_ID: self.session,
            semconv.AGENT_NAME: self.agent,
            semconv.AGENT_SPAN_ID: self.agent_span_id,
            semconv.AGENT_DEPTH: self.depth,
            semconv.ROLE: self.role,
        }


class _Writer:
    """Puts records into the spool, with ids that follow from the seed."""

    def __init__(self, spool: Spool, service_name: str, seed: int) -> None:
        self.spool = spool
        self._encode = msgspec.json.Encoder().encode
        self._chance = random.Random(f"{service_name} {seed}")  # noqa: S311 - ids, not secrets
        self._key = str(seed).encode()

    def drawn(self, bits: int) -> str:
        return f"{self._chance.getrandbits(bits):0{bits // 4}x}"

    def hashed(self, user: str) -> str:
        return hashlib.blake2b(user.encode(), digest_size=16, key=self._key).hexdigest()

    @contextmanager
    def span(
        self, clock: _Clock, place: _Place, kind: str, name: str, said: _Attributes
    ) -> Generator[str]:
        """Write a span around a block, after what is inside, as a recorder does."""
        span_id, start_ns, status = self.drawn(64), clock.now_ns, "error"
        if kind == "agent":
            place = replace(place, agent_span_id=span_id)
        try:
            yield span_id
            status = "ok"
        finally:
            times = (start_ns, clock.now_ns)
            self.write(place, kind, name, said, span_id=span_id, times=times, status=status)

    def write(
        self,
        place: _Place,
        kind: str,
        name: str,
        said: _Attributes,
        *,
        span_id: str,
        times: tuple[int, int],
        status: str = "ok",
    ) -> None:
        attributes = {semconv.KIND: kind, **place.attributes(), **said}
        record = {
            "trace_id": place.trace_id,
            "span_id": span_id,
            "parent_span_id": place.parent,
            "name": name,
            "start_ns": times[0],
            "end_ns": times[1],
            "status": status,
            "scope": _SCOPE,
            "attributes": {key: value for key, value in attributes.items() if value is not None},
        }
        self.spool.append(self._encode(record) + b"\n")


class History:
    """A process of the past, which records into the folder *home*.

    One seed gives the same ids, and so the same rows, in every run. Several processes may write
    into one home, each with a name or a seed of its own.
    """

    def __init__(
        self, home: str | os.PathLike[str], service_name: str = "history", *, seed: int = 0
    ) -> None:
        """Nothing is written before the first record.

        Args:
            home: Folder of the data, as ``agenttrace --store`` takes it.
            service_name: What the process is called.
            seed: What ids are drawn with, and users hashed.
        """
        self._writer = _Writer(Spool(Path(home) / "spool", service_name), service_name, seed)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hand what was written over to the store.

        Raises:
            SpoolError: The disk did not take all of it.
        """
        spool = self._writer.spool
        spool.close()
        if spool.lost:
            raise SpoolError(
                f"{spool.lost} records could not be written to {spool.folder}. "
                "Make room on the disk, or name a folder that can be written to."
            )

    @contextmanager
    def task(
        self,
        name: str,
        *,
        at: datetime,
        workload: Workload | None = None,
        project: str | None = None,
        user: str | None = None,
        user_turns: int | None = None,
        session: str | None = None,
        headless: bool | None = None,
    ) -> Generator["Task"]:
        """Write a task, which lasts from *at* until the last thing in it has ended.

        Args:
            name: Its name; its id is drawn.
            at: When it begins, with a zone.
            workload: ``agentic`` or ``user-facing``; if not given, it does not say.
            project: What it is for.
            user: Who prompted; only a hash is written.
            user_turns: Prompts by that person; if not given, it does not say.
            session: The conversation that it belongs to.
            headless: Nobody reads the answer.

        Raises:
            ValueError: *at* has no zone.
        """
        clock = _Clock(at)
        writer = self._writer
        place = _Place(writer.drawn(128), writer.drawn(128), name, session)
        said: _Attributes = {
            semconv.WORKLOAD: workload,
            semconv.PROJECT: project,
            semconv.USER_HASH: None if user is None else writer.hashed(user),
            semconv.HEADLESS: headless,
        }
        with writer.span(clock, place, "task", name, said) as span_id:
            task = Task(writer, clock, replace(place, parent=span_id))
            if user_turns is not None:
                task.user_turn(user_turns)
            yield task


class Work:
    """A task, an agent or a tool while it is written: what happens in it comes one by one."""

    def __init__(self, writer: _Writer, clock: _Clock, place: _Place) -> None:
        """Made by :class:`History` and by the methods below."""
        self._writer = writer
        self._clock = clock
        self._place = place

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._clock.pass_by(seconds)

    @contextmanager
    def agent(self, name: str) -> Generator["Work"]:
        """Write an agent around a block; one inside another is a sub-agent."""
        depth = self._place.depth + 1
        role = "main" if depth == 1 else "subagent"
        place = replace(self._place, agent=name, depth=depth, role=role)
        with self._span(place, "agent", name) as span_id:
            inside = replace(place, parent=span_id, agent_span_id=span_id)
            yield Work(self._writer, self._clock, inside)

    @contextmanager
    def tool(self, name: str) -> Generator["Work"]:
        """Write a tool around a block: what it calls has the role ``tool``."""
        place = replace(self._place, role="tool")
        with self._span(place, "tool", name) as span_id:
            yield Work(self._writer, self._clock, replace(place, parent=span_id))

    def use(self, name: str, *, seconds: float = 1.0) -> None:
        """Write a tool that calls no model."""
        with self.tool(name):
            self.wait(seconds)

    def call(
        self,
        model: str,
        *,
        provider: str = "openai",
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cache_read_tokens: int | None = None,
        cache_write_tokens: int | None = None,
        reasoning_tokens: int | None = None,
        role: str | None = None,
        operation: str = semconv.CHAT,
        region: str | None = None,
        visible: bool | None = None,
        attempts: int = 1,
        seconds: float = 1.0,
    ) -> None:
        """Write a model call as it is seen on the wire; None is what the provider does not report.

        Args:
            model: Model that was asked and answered.
            provider: As ``gen_ai.provider.name`` spells it.
            input_tokens: Everything sent, cache reads and writes included.
            output_tokens: Everything generated, reasoning included.
            cache_read_tokens: Part of the input.
            cache_write_tokens: Part of the input.
            reasoning_tokens: Part of the output.
            role: Why it is made; if not given, ``main``, ``subagent`` or ``tool`` by its place.
            operation: ``chat``, ``embeddings``, ...
            region: Cloud region, where it is known.
            visible: A person reads the output, or not; if not given, it does not say.
            attempts: Requests until it went well: all but the last are refused at once (429) and
                are calls of their own.
            seconds: From the last request until the end of its response.
        """
        said: _Attributes = {
            semconv.OPERATION_NAME: operation,
            semconv.PROVIDER_NAME: provider,
            semconv.REQUEST_MODEL: model,
            semconv.CLOUD_REGION: region,
            semconv.VISIBLE: visible,
            semconv.CAPTURE: "wire",
            semconv.OPERATION_ID: self._writer.drawn(64),
            **({} if role is None else {semconv.ROLE: role}),
        }
        for attempt in range(1, attempts):
            self._refused({**said, semconv.ATTEMPT: attempt}, model)
        tokens: _Attributes = {
            semconv.INPUT_TOKENS: input_tokens,
            semconv.OUTPUT_TOKENS: output_tokens,
            semconv.CACHE_READ_TOKENS: cache_read_tokens,
            semconv.CACHE_WRITE_TOKENS: cache_write_tokens,
            semconv.REASONING_TOKENS: reasoning_tokens,
        }
        answered: _Attributes = {
            semconv.ATTEMPT: attempts,
            semconv.RESPONSE_MODEL: model,
            semconv.HTTP_STATUS: 200,
            semconv.OUTCOME: "complete",
            semconv.USAGE: _usage(input_tokens, output_tokens, operation),
        }
        with self._span(self._place, "inference", model, {**said, **answered, **tokens}):
            self.wait(seconds)

    def _refused(self, said: _Attributes, model: str) -> None:
        more: _Attributes = {
            semconv.HTTP_STATUS: 429,
            semconv.ERROR_TYPE: "429",
            semconv.USAGE: "missing",
        }
        start_ns = self._clock.now_ns
        self.wait(0.1)
        self._note("inference", model, {**said, **more}, start_ns, "error")

    def _note(
        self, kind: str, name: str, said: _Attributes, start_ns: int, status: str = "ok"
    ) -> None:
        times, span_id = (start_ns, self._clock.now_ns), self._writer.drawn(64)
        self._writer.write(
            self._place, kind, name, said, span_id=span_id, times=times, status=status
        )

    def _span(
        self, place: _Place, kind: str, name: str, said: _Attributes | None = None
    ) -> AbstractContextManager[str]:
        return self._writer.span(self._clock, place, kind, name, said or {})


class Task(Work):
    """A task while it is written."""

    def outcome(self, outcome: Outcome, *, reference: str | None = None) -> None:
        """Write what became of it, and what that can be looked up by, such as a pull request."""
        self._tell({semconv.TASK_OUTCOME: outcome, semconv.OUTCOME_REFERENCE: reference})

    def user_turn(self, count: int = 1) -> None:
        """Write *count* prompts by a person."""
        self._tell({semconv.USER_TURNS: count})

    def user(self, id: str) -> None:  # noqa: A002 - the word that users know
        """Write who prompted, as a hash."""
        self._tell({semconv.USER_HASH: self._writer.hashed(id)})

    def _tell(self, said: _Attributes) -> None:
        self._note("fact", "fact", said, self._clock.now_ns)


def _usage(input_tokens: int | None, output_tokens: int | None, operation: str) -> str:
    if operation in {semconv.EMBEDDINGS, semconv.RERANK} and output_tokens is None:
        output_tokens = 0  # They write nothing.
    missing = (input_tokens is None) + (output_tokens is None)
    return ("reported", "partial", "missing")[missing]
