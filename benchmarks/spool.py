"""What a durable record costs: beside a bare SDK span, and beside one that a batch processor takes.

    python benchmarks/spool.py [--rounds 30] [--spans 2000] [--home FOLDER]

Every column makes the same span with 15 attributes; the columns take turns in one process, and a
figure is the median over the rounds in CPU time of the whole process, background threads included.
A record is noted as begun in a slot and appended at its end, as an invocation does; finding its
place in the run is not part of it. Then the time of one record is taken while another thread is
busy in pure Python, and of one with each durability. Read the ratios.
"""

import argparse
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind

from agenttrace import config
from agenttrace.record import files, local
from agenttrace.record.recorder import Recorder
from agenttrace.record.spool import Spool

ATTRIBUTES: Final[dict[str, str | int]] = {
    "agenttrace.role": "main",
    "task.id": "7d4a2f0f5c8e4b54a4d8f1f0c3a1b2c3",
    "agenttrace.task.name": "ticket",
    "gen_ai.agent.name": "researcher",
    "agenttrace.agent.depth": 1,
    "agenttrace.agent.span_id": "0123456789abcdef",
    "agenttrace.kind": "inference",
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "agenttrace.capture": "wire",
    "server.address": "api.openai.com",
    "gen_ai.request.model": "gpt-5",
    "gen_ai.response.model": "gpt-5-2025-08-07",
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 300,
}
BUSY_RECORDS: Final = 20_000
SYNCED_RECORDS: Final = 200

Body = Callable[[], None]


class Null(SpanExporter):
    """Takes spans and does nothing with them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Do nothing."""
        del spans
        return SpanExportResult.SUCCESS


def span_body(provider: TracerProvider, recorder: Recorder | None = None) -> Body:
    """Make an SDK span, and where there is a *recorder*, a record of it."""
    tracer = provider.get_tracer("benchmark")

    def body() -> None:
        start_ns = time.time_ns()
        span = tracer.start_span(
            "chat gpt-5", kind=SpanKind.CLIENT, attributes=ATTRIBUTES, start_time=start_ns
        )
        if recorder is None:
            span.end(end_time=time.time_ns())
            return
        context = span.get_span_context()
        slot = recorder.begin(
            context=context,
            parent_span_id=1,
            name="gpt-5",
            start_ns=start_ns,
            attributes=ATTRIBUTES,
        )
        end_ns = time.time_ns()
        span.end(end_time=end_ns)
        recorder.keep(
            context=context,
            parent_span_id=1,
            name="gpt-5",
            start_ns=start_ns,
            end_ns=end_ns,
            status="ok",
            attributes=ATTRIBUTES,
            slot=slot,
        )

    return body


def direct_body(recorder: Recorder, *, noted: bool = True) -> Body:
    """Record without an SDK; *noted* as begun, or only at the end."""
    here = Context()

    def body() -> None:
        start_ns = time.time_ns()
        context = local.start_span("chat gpt-5", here).get_span_context()
        slot = None
        if noted:
            slot = recorder.begin(
                context=context,
                parent_span_id=1,
                name="gpt-5",
                start_ns=start_ns,
                attributes=ATTRIBUTES,
            )
        recorder.keep(
            context=context,
            parent_span_id=1,
            name="gpt-5",
            start_ns=start_ns,
            end_ns=time.time_ns(),
            status="ok",
            attributes=ATTRIBUTES,
            slot=slot,
        )

    return body


def recorder(
    folder: Path, durability: config.Durability = "process", *, is_written: bool = False
) -> Recorder:
    """Make a recorder with a spool of its own in *folder*."""
    medium = files.Medium("written", "asked for") if is_written else None
    return Recorder(local.start_span, Spool(folder, "bench", durability=durability, medium=medium))


@contextmanager
def batched() -> Generator[TracerProvider]:
    """Yield a provider with a batch processor that hands its spans to nobody."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Null()))
    yield provider
    provider.shutdown()


def cpu_us(bodies: dict[str, Body], rounds: int, spans: int) -> dict[str, float]:
    """Let the bodies take turns; returns the median CPU microseconds of one call of each."""
    seen: dict[str, list[float]] = {name: [] for name in bodies}
    order = list(bodies)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            body = bodies[name]
            start = time.process_time_ns()
            for _ in range(spans):
                body()
            seen[name].append((time.process_time_ns() - start) / 1000 / spans)
    return {name: statistics.median(times) for name, times in seen.items()}


def wall_us(body: Body, times: int) -> list[float]:
    """Return the wall microseconds of each of so many calls, shortest first."""
    found: list[float] = []
    for _ in range(times):
        start = time.perf_counter_ns()
        body()
        found.append((time.perf_counter_ns() - start) / 1000)
    return sorted(found)


@contextmanager
def busy() -> Generator[None]:
    """Keep another thread busy in pure Python."""
    done = threading.Event()

    def work() -> None:
        number = 0
        while not done.is_set():
            for _ in range(1000):
                number += 1

    thread = threading.Thread(target=work)
    thread.start()
    yield
    done.set()
    thread.join()


def report_cpu(times: dict[str, float]) -> None:
    """Print what each column costs beside the bare span and beside the batch processor."""
    bare, batch = times["bare SDK span"], times["+ BatchSpanProcessor(null)"]
    print(f"{'CPU of one span':38} {'us':>8} {'added':>8} {'x batch':>8}")
    for name, spent in times.items():
        print(f"{name:38} {spent:8.2f} {spent - bare:8.2f} {spent / batch:8.2f}")


def report_wall(title: str, times: dict[str, list[float]]) -> None:
    """Print the middle, the slow end and the slowest of each column."""
    print(f"\n{title:38} {'p50 us':>8} {'p99 us':>8} {'max us':>10}")
    for name, found in times.items():
        slow = found[int(len(found) * 0.99)]
        print(f"{name:38} {found[len(found) // 2]:8.1f} {slow:8.1f} {found[-1]:10.1f}")


def measure(home: Path, rounds: int, spans: int) -> None:
    """Measure and print."""
    kept = {
        "process": recorder(home / "process"),
        "second": recorder(home / "second", "second"),
        "record": recorder(home / "record", "record"),
        "written": recorder(home / "written", is_written=True),
    }
    with batched() as provider:
        bare = TracerProvider()
        bodies: dict[str, Body] = {
            "bare SDK span": span_body(bare),
            "+ BatchSpanProcessor(null)": span_body(provider),
            "+ durable record": span_body(bare, kept["process"]),
            "+ durable record, synced each second": span_body(bare, kept["second"]),
            "+ durable record, written": span_body(bare, kept["written"]),
            "record without an SDK": direct_body(kept["process"]),
            "record without an SDK, end only": direct_body(kept["process"], noted=False),
        }
        report_cpu(cpu_us(bodies, rounds, spans))
    wall = {
        "durability process": wall_us(direct_body(kept["process"]), SYNCED_RECORDS),
        "durability second": wall_us(direct_body(kept["second"]), SYNCED_RECORDS),
        "durability record": wall_us(direct_body(kept["record"]), SYNCED_RECORDS),
    }
    report_wall("wall time of one record", wall)
    with busy():
        loaded = {
            name: wall_us(direct_body(kept[name]), BUSY_RECORDS) for name in ("process", "second")
        }
        loaded["written"] = wall_us(direct_body(kept["written"]), BUSY_RECORDS // 10)
    report_wall("the same, beside a busy thread", loaded)
    for one in kept.values():
        one.spool.close()


def main() -> None:
    """Measure in a folder that is removed afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--spans", type=int, default=2000)
    parser.add_argument("--home", type=Path, help="where to put the spool, to measure its disk")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.home) as folder:
        print(f"{folder}: {files.kind_of(Path(folder)).reason}")
        measure(Path(folder), options.rounds, options.spans)


if __name__ == "__main__":
    main()
