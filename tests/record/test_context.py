"""The task of the moment goes along wherever the work goes inside one process."""

import asyncio
import contextvars
import multiprocessing.dummy
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
from opentelemetry import context

import agenttrace
from agenttrace.record import spool
from agenttrace.testing import ModelProvider

Spooled = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.usefixtures("recording")


def call() -> None:
    agenttrace.start("inference", "chat").stop()


def tasks(records: list[dict[str, Any]]) -> list[str | None]:
    """The task of each call, in the order of the calls."""
    kinds = ((record["attributes"], record) for record in records)
    return [said.get("task.id") for said, _ in kinds if said["agenttrace.kind"] == "inference"]


def test_a_timer_belongs_to_the_task_that_set_it(spooled: Spooled) -> None:
    with agenttrace.task("t", id="A"):
        timer = threading.Timer(0.01, call)
        timer.start()
    timer.join()
    assert tasks(spooled()) == ["A"]


def test_a_worker_thread_belongs_to_the_task_that_started_it_whatever_its_queue_brings(
    spooled: Spooled,
) -> None:
    work: queue.Queue[Callable[[], object] | None] = queue.Queue()

    def serve() -> None:
        for do in iter(work.get, None):
            do()

    with agenttrace.task("t", id="A"):
        worker = threading.Thread(target=serve)
        worker.start()
    with agenttrace.task("t", id="B"):
        work.put(call)
        here = contextvars.copy_context()
        work.put(lambda: here.run(call))
    work.put(None)
    worker.join()
    assert tasks(spooled()) == ["A", "B"]


def test_a_thread_keeps_a_run_that_the_program_gave_it(spooled: Spooled) -> None:
    class Given(threading.Thread):
        pass

    thread = Given()
    thread.run = run = call  # type: ignore[method-assign]
    with agenttrace.task("t", id="A"):
        thread.start()
        thread.join()
    assert vars(thread)["run"] is run
    assert tasks(spooled()) == ["A"]


def test_what_waits_for_a_future_belongs_to_the_task_that_waits(spooled: Spooled) -> None:
    def done(_: Future[None]) -> None:
        call()

    release = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        with agenttrace.task("t", id="A"):
            future = pool.submit(release.wait)
        with agenttrace.task("t", id="B"):
            future.add_done_callback(done)
        release.set()
    assert tasks(spooled()) == ["B"]


@pytest.mark.parametrize("pool_of", [ThreadPool, multiprocessing.dummy.Pool])
def test_work_in_a_thread_pool_of_multiprocessing_belongs_to_the_task_that_gives_it(
    pool_of: Callable[[int], ThreadPool], spooled: Spooled
) -> None:
    def work(_: object = None) -> None:
        call()

    def items() -> Iterator[int]:
        call()
        yield 1

    with agenttrace.task("t", id="A"), agenttrace.tool("makes the pool"):
        pool = pool_of(1)
    with pool:
        with agenttrace.task("t", id="B"):
            pool.apply(work)
            pool.map(func=work, iterable=[1])
            pool.starmap_async(work, [(1,)], callback=work).wait()
            pool.apply_async(work, (), {}, work).wait()
            list(pool.imap(work, items()))
            list(pool.imap_unordered(work, items(), chunksize=2))
            with pytest.raises(TypeError):
                pool.apply_async()  # type: ignore[call-arg]
        pool.apply(work)
    assert tasks(spooled()) == [*["B"] * 10, None]


async def test_work_given_to_threads_by_asyncio_belongs_to_the_task(spooled: Spooled) -> None:
    loop = asyncio.get_running_loop()
    with agenttrace.task("t", id="A"):
        await asyncio.to_thread(call)
        await loop.run_in_executor(None, call)
    with agenttrace.task("t", id="B"):
        await loop.run_in_executor(None, call)
    await loop.run_in_executor(None, call)
    assert tasks(spooled()) == ["A", "A", "B", None]


async def test_what_a_thread_asks_of_the_event_loop_belongs_to_the_task_of_the_thread(
    spooled: Spooled,
) -> None:
    loop = asyncio.get_running_loop()
    called = asyncio.Event()

    async def work() -> None:
        call()

    def ask() -> None:
        with agenttrace.task("t", id="B"):
            asyncio.run_coroutine_threadsafe(work(), loop).result()
            loop.call_soon_threadsafe(lambda: (call(), called.set()))

    with agenttrace.task("t", id="A"):
        await asyncio.to_thread(ask)
        await called.wait()
    assert tasks(spooled()) == ["B", "B"]


async def test_gathered_and_grouped_work_keeps_its_own_agent(spooled: Spooled) -> None:
    async def work(name: str) -> None:
        with agenttrace.agent(name):
            await asyncio.sleep(0)
            call()

    with agenttrace.task("t", id="A"):
        await asyncio.gather(work("a"), work("b"))
        async with asyncio.TaskGroup() as group:
            group.create_task(work("c"))
            group.create_task(work("d"))
        call()
    said = [r["attributes"] for r in spooled() if r["name"] == "chat"]
    assert [(s["task.id"], s.get("gen_ai.agent.name")) for s in said] == [
        *[("A", name) for name in "abcd"],
        ("A", None),
    ]


async def test_work_that_outlives_its_task_belongs_to_it_also_when_another_is_under_way(
    spooled: Spooled,
) -> None:
    release, done = asyncio.Event(), threading.Event()

    async def later() -> None:
        await release.wait()
        call()
        await asyncio.create_task(asyncio.to_thread(call))
        threading.Timer(0, lambda: (call(), done.set())).start()

    with agenttrace.task("t", id="A"):
        under_way = asyncio.create_task(later())
        await asyncio.sleep(0)
    with agenttrace.task("t", id="B"):
        release.set()
        await under_way
        await asyncio.to_thread(done.wait)
    assert tasks(spooled()) == ["A", "A", "A"]


async def test_an_async_generator_that_is_left_is_finished_in_its_own_task(
    spooled: Spooled,
) -> None:
    @agenttrace.task("t", id="A")
    async def numbers() -> AsyncGenerator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            call()

    with agenttrace.task("t", id="B"):
        async for _ in numbers():
            break
        call()
    for _ in range(3):
        await asyncio.sleep(0)
    await asyncio.get_running_loop().shutdown_asyncgens()
    assert sorted(map(str, tasks(spooled()))) == ["A", "B"]


def test_an_event_loop_in_a_thread_works_for_the_task_that_started_it(spooled: Spooled) -> None:
    async def work() -> None:
        with agenttrace.agent("inside"):
            await asyncio.gather(asyncio.to_thread(call), asyncio.to_thread(call))

    async def outer() -> None:
        with agenttrace.task("t", id="A"):
            thread = threading.Thread(target=asyncio.run, args=(work(),))
            thread.start()
            await asyncio.to_thread(thread.join)

    asyncio.run(outer())
    assert tasks(spooled()) == ["A", "A"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_anyio_carries_the_task_into_its_groups_and_threads_and_back(
    backend: str, spooled: Spooled
) -> None:
    pytest.importorskip(backend)

    async def work() -> None:
        call()

    def in_thread() -> None:
        call()
        anyio.from_thread.run(work)

    async def main() -> None:
        for name in ("A", "B"):
            with agenttrace.task("t", id=name):
                async with anyio.create_task_group() as group:
                    group.start_soon(work)
                await anyio.to_thread.run_sync(in_thread)
        await anyio.to_thread.run_sync(in_thread)

    anyio.run(main, backend=backend)
    assert tasks(spooled()) == [*["A"] * 3, *["B"] * 3, None, None]


def test_a_signal_handler_records_and_may_stop_the_recording(spooled: Spooled) -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: (call(), agenttrace.shutdown()))
    try:
        with agenttrace.task("t", id="A"):
            signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert tasks(spooled()) == ["A"]


def test_a_signal_that_arrives_while_a_record_is_written_hangs_nobody(
    spooled: Spooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = spool.Segment.append

    def interrupted(self: spool.Segment, line: bytes) -> None:
        if b"chat" in line:
            monkeypatch.setattr(spool.Segment, "append", append)
            signal.raise_signal(signal.SIGUSR1)
        append(self, line)

    monkeypatch.setattr(spool.Segment, "append", interrupted)
    monkeypatch.setattr(spool, "CLOSE_SECONDS", 0.01)
    before = signal.signal(signal.SIGUSR1, lambda *_: (call(), agenttrace.shutdown()))
    try:
        call()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert [record["name"] for record in spooled()] == ["chat", "chat"]


IN_MID_STREAM = """
import httpx, os, sys, agenttrace
agenttrace.configure()
body = {"model": "gpt-5", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
with agenttrace.task("t"):
    opened = httpx.Client(trust_env=False).stream("POST", url, json=body)
    lines = opened.__enter__().iter_lines()
    next(lines)
sys.exit(3)
"""


def test_a_stream_that_is_open_when_the_interpreter_ends_is_a_call(home: Path) -> None:
    with ModelProvider() as provider:
        environ = os.environ | provider.env()
        command = [sys.executable, "-c", IN_MID_STREAM]
        done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (3, "")
    with agenttrace.read(home) as reader:
        (row,) = reader.query("FROM model_call")
    assert (row["task_name"], row["outcome"]) == ("t", "abandoned")


AT_EXIT = """
import atexit, sys, threading, time
import agenttrace.record  # loads nothing yet
atexit.register(lambda: call("an exit handler that was there before"))
import agenttrace
agenttrace.configure()

def call(name):
    agenttrace.start("inference", name).stop()

class Held:
    def __del__(self, call=call):
        call("a finalizer")

def forever():
    while True:
        call("a thread")
        time.sleep(0.001)

def numbers():
    with agenttrace.tool("a generator"):
        yield 1

atexit.register(lambda: call("an exit handler"))
held = Held()
generator = numbers()
with agenttrace.task("t", id="A"):
    next(generator)
    if sys.argv[1:]:
        threading.Thread(target=forever, daemon=True).start()
        time.sleep(0.02)
sys.exit(0)
"""


@pytest.mark.parametrize(
    ("argument", "more"),
    [
        # Python finalizes no globals while a daemon thread runs.
        (["a thread goes on"], {"a thread"}),
        ([], {"a finalizer", "a generator"}),
    ],
)
def test_what_happens_while_the_interpreter_ends_is_recorded_and_disturbs_nothing(
    argument: list[str], more: set[str], spooled: Spooled
) -> None:
    command = [sys.executable, "-c", AT_EXIT, *argument]
    done = subprocess.run(command, capture_output=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, b"")
    names = {record["name"] for record in spooled()}
    assert names == {"an exit handler", "an exit handler that was there before", "t", *more}


def test_the_hooks_are_gone_after_the_end_and_said_nothing_different_before(home: Path) -> None:
    agenttrace.shutdown()
    before = [getattr(owner, name) for owner, name in HOOKED]
    agenttrace.configure(home)
    during = [getattr(owner, name) for owner, name in HOOKED]
    agenttrace.shutdown()
    assert [getattr(owner, name) for owner, name in HOOKED] == before
    assert all(new is not old for new, old in zip(during, before, strict=True))
    for new, old in zip(during, before, strict=True):
        assert (new.__name__, new.__doc__, new.__module__) == (
            *(old.__name__, old.__doc__, old.__module__),
        )


HOOKED: list[tuple[Any, str]] = [
    (threading.Thread, "start"),
    (ThreadPoolExecutor, "submit"),
    (Future, "add_done_callback"),
    (multiprocessing.pool.Pool, "__init__"),
    (multiprocessing.pool.Pool, "apply_async"),
    (multiprocessing.pool.Pool, "imap"),
]


def test_nothing_of_a_task_is_left_in_the_workers_of_a_pool(recording: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        with agenttrace.task("t"):
            pool.submit(call).result()
        assert pool.submit(context.get_current).result() == {}


GREENLETS = """
import sys
if sys.argv[2] == "patched":
    from gevent import monkey
    monkey.patch_all()
import threading, gevent, gevent.pool, gevent.threadpool
import agenttrace
agenttrace.configure(sys.argv[1])

def call(name):
    gevent.sleep(0)
    agenttrace.start("inference", name).stop()

class Kept(gevent.Greenlet):
    def _run(self):
        call("subclass")

with agenttrace.task("t", id="made"):
    pool, threads = gevent.pool.Pool(2), gevent.threadpool.ThreadPool(1)
    threads.apply(call, ["first"])
with agenttrace.task("t", id="A"):
    outlives = gevent.spawn_later(0.01, call, "later")
    pool.spawn(call, "pool").join()
    pool.map(call, ["map"])
    list(pool.imap_unordered(call, ["imap"]))
    kept = Kept()
    kept.start()
    kept.join()
    threads.apply(call, ["native"])
    thread = threading.Thread(target=call, args=["thread"])
    thread.start()
    thread.join()
    executor = gevent.threadpool.ThreadPoolExecutor(1)
    executor.submit(call, "executor").result()
with agenttrace.task("t", id="B"):
    outlives.join()
pool.spawn(call, "nobody's").join()
threads.apply(call, ["nobody's"])
executor.shutdown()
"""


@pytest.mark.parametrize("how", ["patched", "not patched"])
def test_greenlets_belong_to_the_task_that_spawned_them(
    how: str, home: Path, tmp_path: Path, spooled: Spooled
) -> None:
    pytest.importorskip("gevent")
    command = [sys.executable, "-c", GREENLETS, home, how]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    calls = [r for r in spooled() if r["attributes"]["agenttrace.kind"] == "inference"]
    assert {(r["name"], r["attributes"].get("task.id")) for r in calls} == {
        ("first", "made"),
        *[(name, "A") for name in ("later", "pool", "map", "imap", "subclass")],
        *[(name, "A") for name in ("native", "thread", "executor")],
        ("nobody's", None),
    }
