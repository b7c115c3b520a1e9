"""What is told of a task is in the spool at once, wherever in the task it is told."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import agenttrace
from agenttrace import semconv
from agenttrace.reader import Reader

Record = dict[str, Any]
Spooled = Callable[[], list[Record]]

pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)

OUTCOME, REFERENCE = semconv.TASK_OUTCOME, semconv.OUTCOME_REFERENCE


def facts(records: list[Record]) -> list[tuple[str, Any]]:
    """The task of each fact and what is told of it, in the order in which it was."""
    told: list[tuple[str, Any]] = []
    for record in records:
        said = dict(record["attributes"])
        if said.pop(semconv.KIND) == "fact":
            told.append((said.pop(semconv.TASK_ID), said))
    return told


def decided(home: Path, columns: str) -> list[Any]:
    with Reader(home) as reader:
        return reader.table(f"SELECT {columns} FROM task_workload ORDER BY task_id").rows


def test_an_outcome_is_a_record_of_no_duration_inside_of_what_is_current(
    recording: Path, spooled: Spooled
) -> None:
    with agenttrace.task("t", id="T-1") as task, agenttrace.agent("lead") as lead:
        task.outcome("success", reference="PR 1")
        (fact,) = [record for record in spooled() if record["name"] == "fact"]
    assert fact == {
        "trace_id": f"{lead.span_context.trace_id:032x}",
        "span_id": fact["span_id"],
        "parent_span_id": f"{lead.span_context.span_id:016x}",
        "name": "fact",
        "start_ns": fact["start_ns"],
        "end_ns": fact["start_ns"],
        "status": "ok",
        "scope": "agenttrace",
        "attributes": {
            "agenttrace.kind": "fact",
            "task.id": "T-1",
            "agenttrace.task.outcome": "success",
            "agenttrace.task.outcome.reference": "PR 1",
        },
    }


def test_everything_can_be_told_of_the_current_task_without_having_it_in_hand(
    recording: Path, spooled: Spooled
) -> None:
    with agenttrace.task("t", id="T-1"), agenttrace.agent("a"), agenttrace.tool("b"):
        agenttrace.task.outcome("abandoned")
        agenttrace.task.user_turn()
        agenttrace.task.user_turn(3)
        agenttrace.task.user("alice")
    *told, (_, last) = facts(spooled())
    assert told == [
        ("T-1", {OUTCOME: "abandoned"}),
        ("T-1", {semconv.USER_TURNS: 1}),
        ("T-1", {semconv.USER_TURNS: 3}),
    ]
    assert list(last) == [semconv.USER_HASH]


def test_what_is_told_last_counts_also_when_the_task_is_over(
    recording: Path, spooled: Spooled
) -> None:
    with agenttrace.task("t", id="T-1") as task:
        task.outcome("failure", "run 1")
    task.outcome("success", "run 2")
    columns = "task_id, outcome, outcome_reference"
    assert decided(recording, columns) == [("T-1", "success", "run 2")]


def test_what_is_told_inside_of_another_task_is_told_of_the_inner_one(
    recording: Path, spooled: Spooled
) -> None:
    with agenttrace.task("outer", id="outer") as outer, agenttrace.task("inner", id="inner"):
        agenttrace.task.outcome("success")
        outer.outcome("failure")
    assert facts(spooled()) == [
        ("inner", {OUTCOME: "success"}),
        ("outer", {OUTCOME: "failure"}),
    ]


def in_thread() -> None:
    thread = threading.Thread(target=agenttrace.task.outcome, args=("success",))
    thread.start()
    thread.join()


def in_pool() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(agenttrace.task.outcome, "success").result()


def in_coroutines() -> None:
    async def tell() -> None:
        await asyncio.sleep(0)
        agenttrace.task.outcome("success")

    async def both() -> None:
        await asyncio.gather(asyncio.create_task(tell()))

    asyncio.run(both())


def in_program() -> None:
    told = "import agenttrace; agenttrace.task.outcome('success')"
    subprocess.run([sys.executable, "-c", told], check=True)


def in_forked() -> None:
    child = os.fork()
    if child == 0:
        agenttrace.task.outcome("success")
        os._exit(0)
    os.waitpid(child, 0)


def in_spawned() -> None:
    process = get_context("spawn").Process(target=agenttrace.task.outcome, args=("success",))
    process.start()
    process.join()


@pytest.mark.parametrize(
    "tell", [in_thread, in_pool, in_coroutines, in_program, in_forked, in_spawned]
)
def test_it_can_be_told_anywhere_inside(
    tell: Callable[[], None], recording: Path, spooled: Spooled
) -> None:
    with agenttrace.task("t", id="T-1"):
        tell()
    assert facts(spooled()) == [("T-1", {OUTCOME: "success"})]


def test_it_is_there_when_the_process_is_killed_right_after_it(home: Path) -> None:
    program = (
        "import agenttrace, os, signal\n"
        "with agenttrace.task('t', id='T-1') as task:\n"
        "    agenttrace.start('inference', 'gpt-5').stop()\n"
        "    task.outcome('success', 'PR 1')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program])
    assert ended.returncode == -signal.SIGKILL
    columns = "task_id, outcome, outcome_reference"
    assert decided(home, columns) == [("T-1", "success", "PR 1")]


def test_outside_of_any_task_it_is_said_once_and_nothing_is_recorded(
    recording: Path, spooled: Spooled, trouble: list[str]
) -> None:
    for _ in range(2):
        agenttrace.task.outcome("success")
    agenttrace.task.user_turn()
    agenttrace.start("inference", "gpt-5").stop()
    assert facts(spooled()) == []
    assert [said.partition(" (")[0] for said in trouble] == [
        "agenttrace could not finish telling an outcome",
        "agenttrace could not finish telling a user turn",
    ]
    assert "There is no task here" in trouble[0]


@pytest.mark.parametrize("count", [-1, 1.5, "2", True, None, 10_001])
def test_what_is_no_number_of_turns_is_said_and_not_recorded(
    count: Any, recording: Path, spooled: Spooled, trouble: list[str]
) -> None:
    with agenttrace.task("t") as task:
        task.user_turn(count)
    assert (facts(spooled()), len(trouble)) == ([], 1)


@pytest.mark.parametrize("what", ["merged", "", None, 1, ["success"]])
def test_what_is_no_outcome_is_said_and_not_recorded(
    what: Any, recording: Path, spooled: Spooled, trouble: list[str]
) -> None:
    with agenttrace.task("t") as task:
        task.outcome(what)
    assert facts(spooled()) == []
    (said,) = trouble
    assert "An outcome is one of success, failure, abandoned; none was recorded" in said


def test_a_reference_is_cut_and_an_empty_one_is_none(recording: Path, spooled: Spooled) -> None:
    with agenttrace.task("t", id="T-1") as task:
        task.outcome("success", "x" * 201)
        task.outcome("success", " ")
        pull_request: Any = 42
        task.outcome("success", pull_request)
    assert facts(spooled()) == [
        ("T-1", {OUTCOME: "success", REFERENCE: "x" * 200}),
        ("T-1", {OUTCOME: "success"}),
        ("T-1", {OUTCOME: "success", REFERENCE: "42"}),
    ]


def test_nothing_is_told_where_nothing_is_recorded(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    agenttrace.configure(home)
    with agenttrace.task("t", user="alice") as task:
        task.outcome("success")
        agenttrace.task.user("alice")
    agenttrace.shutdown()
    assert not home.exists()


def test_open_telemetry_sees_it_on_the_root_span_and_no_further_span(
    home: Path, spooled: Spooled
) -> None:
    provider, kept = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    agenttrace.configure(home, tracer_provider=provider)
    with agenttrace.task("t", id="T-1", project="help desk") as task, agenttrace.agent("lead"):
        agenttrace.task.user_turn()
        agenttrace.task.user_turn(2)
        task.outcome("failure")
        task.outcome("success", "PR 1")
    task.outcome("abandoned")  # too late for the span
    agenttrace.shutdown()
    root = {span.name: span for span in kept.get_finished_spans()}["invoke_workflow t"]
    told = {key: value for key, value in (root.attributes or {}).items() if "agenttrace." in key}
    assert len(kept.get_finished_spans()) == 2
    assert told == {
        "agenttrace.kind": "task",
        "agenttrace.role": "main",
        "agenttrace.task.name": "t",
        "agenttrace.project": "help desk",
        "agenttrace.user_turns": 3,
        "agenttrace.task.outcome": "success",
        "agenttrace.task.outcome.reference": "PR 1",
    }
    # In the spool each is told once.
    assert decided(home, "outcome, user_turns") == [("abandoned", 3)]


def attributes(records: list[Record], kind: str) -> list[tuple[Any, Any]]:
    """The workload and the project that each span of a kind says."""
    found = [one["attributes"] for one in records if one["attributes"][semconv.KIND] == kind]
    return [(one.get(semconv.WORKLOAD), one.get(semconv.PROJECT)) for one in found]


def test_a_workload_is_written_only_if_somebody_says_one(recording: Path, spooled: Spooled) -> None:
    with agenttrace.task("t"):
        pass
    with agenttrace.task("t", workload="agentic", project=" desk "):
        agenttrace.start("inference", "gpt-5").stop()
    assert attributes(spooled(), "task") == [(None, None), ("agentic", "desk")]
    assert attributes(spooled(), "inference") == [(None, None)]


def test_what_the_process_says_is_on_tasks_and_on_calls_in_none(
    home: Path, spooled: Spooled
) -> None:
    agenttrace.configure(home, workload="user-facing", project="help desk")
    agenttrace.start("inference", "gpt-5").stop()
    with agenttrace.task("t", workload="agentic"):
        agenttrace.start("inference", "gpt-5").stop()
    with agenttrace.task("t", project="search"):
        pass
    agenttrace.shutdown()
    assert attributes(spooled(), "inference") == [("user-facing", "help desk"), (None, None)]
    assert attributes(spooled(), "task") == [("agentic", "help desk"), ("user-facing", "search")]


def test_an_unknown_workload_is_said_once_and_counts_as_unsaid(
    home: Path, spooled: Spooled, trouble: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTTRACE_WORKLOAD", "batch")
    agenttrace.configure(home)
    unknown: Any = "chat"
    for _ in range(2):
        with agenttrace.task("t", workload=unknown):
            pass
    agenttrace.shutdown()
    assert attributes(spooled(), "task") == [(None, None)] * 2
    assert ["neither agentic nor user-facing" in said for said in trouble] == [True, True]


def test_what_the_process_was_told_its_children_are_told(home: Path, spooled: Spooled) -> None:
    """They work for its task, and what tasks they begin themselves are work on its project."""
    agenttrace.configure(home, workload="user-facing", project="help desk", users=False)
    program = "import agenttrace\nwith agenttrace.task('inner', user='alice'): pass"
    with agenttrace.task("outer"):
        subprocess.run([sys.executable, "-c", program], check=True)
        process = get_context("spawn").Process(target=_inner)
        process.start()
        process.join()
    agenttrace.shutdown()
    assert attributes(spooled(), "task") == [("user-facing", "help desk")] * 3
    assert not (home / "user.key").exists()


def _inner() -> None:
    with agenttrace.task("inner", user="alice"):
        pass


def test_a_task_of_another_instrumentation_says_what_the_process_says(
    home: Path, spooled: Spooled
) -> None:
    provider = TracerProvider()
    agenttrace.configure(home, tracer_provider=provider, workload="user-facing", project="desk")
    tracer = provider.get_tracer("theirs")
    with (
        tracer.start_as_current_span("invoke_agent lead"),
        tracer.start_as_current_span("chat gpt-5", attributes={"gen_ai.operation.name": "chat"}),
    ):
        agenttrace.task.outcome("success")
    agenttrace.shutdown()
    assert decided(home, "workload, workload_from, project, outcome") == [
        ("user-facing", "task", "desk", "success")
    ]
