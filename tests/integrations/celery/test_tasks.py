"""Real workers, in a thread and in processes of their own, and whose calls they were."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import agenttrace

pytest.importorskip("celery", reason="Celery is not installed")

from celery import Celery, chain, group, signals
from celery.contrib.testing.worker import start_worker

from agenttrace_celery import CeleryInstrumentor

pytestmark = pytest.mark.filterwarnings(
    # Celery's own, of Python functions that it still uses.
    "ignore::DeprecationWarning",
    "ignore::PendingDeprecationWarning",
)

Spooled = Callable[[], list[dict[str, Any]]]

app = Celery("tests", broker="memory://", backend="cache+memory://")
app.conf.broker_transport_options = {"polling_interval": 0.01}


@app.task
def work(name: str) -> None:
    agenttrace.start("inference", name).stop()


@app.task(bind=True, max_retries=1)
def fail_once(self: Any, name: str) -> None:
    agenttrace.start("inference", name).stop()
    if not self.request.retries:
        raise self.retry(countdown=0)


@app.task
def send_on(name: str) -> None:
    work.delay(name)


def calls(records: list[dict[str, Any]]) -> list[tuple[str, str | None, str | None]]:
    """Name, task and agent of each call."""
    said = [(r["name"], r["attributes"]) for r in records]
    return [
        (name, a.get("task.id"), a.get("gen_ai.agent.name"))
        for name, a in said
        if a["agenttrace.kind"] == "inference"
    ]


@pytest.fixture(autouse=True)
def instrumented(recording: Path) -> Iterator[None]:
    CeleryInstrumentor().instrument()
    yield
    CeleryInstrumentor().uninstrument()


@pytest.fixture
def worker() -> Iterator[None]:
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=20):
        yield


def settled(spooled: Spooled, count: int) -> list[tuple[str, str | None, str | None]]:
    """The calls, once there are *count*."""
    until = time.monotonic() + 20
    while len(calls(spooled())) < count and time.monotonic() < until:
        time.sleep(0.02)
    return calls(spooled())


def test_what_a_worker_does_belongs_to_the_task_and_agent_that_sent_it(
    worker: None, spooled: Spooled
) -> None:
    with agenttrace.task("t", id="A"), agenttrace.agent("boss"):
        work.delay("delayed")
        settled(spooled, 1)
        chain(work.si("first"), work.si("second"))()
        settled(spooled, 3)
        group(work.si("grouped"))()
        settled(spooled, 4)
        send_on.delay("sent on")
        settled(spooled, 5)
    with agenttrace.task("t", id="B"):
        fail_once.delay("retried")
        settled(spooled, 7)
    work.delay("nobody's")
    found = settled(spooled, 8)
    assert found == [
        *[(name, "A", "boss") for name in ("delayed", "first", "second", "grouped", "sent on")],
        *[("retried", "B", None)] * 2,
        ("nobody's", None, None),
    ]


def test_a_task_that_is_run_here_stays_where_it_is(spooled: Spooled) -> None:
    with agenttrace.task("t", id="A"), agenttrace.agent("boss"):
        work.apply(["eager"])
        work("called")
    assert calls(spooled()) == [("eager", "A", "boss"), ("called", "A", "boss")]


def test_nothing_is_left_of_it_when_it_is_taken_out() -> None:
    CeleryInstrumentor().uninstrument()
    with agenttrace.task("t"):
        headers: dict[str, Any] = {}
        signals.before_task_publish.send("work", headers=headers)
    assert headers == {}


PROGRAM = """
import os, celery, agenttrace, agenttrace_celery
agenttrace.configure()
agenttrace_celery.CeleryInstrumentor().instrument()
folder = os.environ["QUEUE"]
app = celery.Celery("program", broker="filesystem://")
app.conf.broker_transport_options = {
    "data_folder_in": folder,
    "data_folder_out": folder,
    "control_folder": folder + "/control",
    "polling_interval": 0.01,
}

@app.task(name="work")
def work(name):
    agenttrace.start("inference", name).stop()

if __name__ == "__main__":
    with agenttrace.task("t", id="A"):
        work.delay("far away")
"""


def test_a_worker_of_its_own_processes_joins_the_task(
    tmp_path: Path, home: Path, spooled: Spooled
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    queue = tmp_path / "queue"
    queue.mkdir()
    environ = os.environ | {"QUEUE": str(queue), "PYTHONPATH": str(tmp_path)}
    program = [sys.executable, tmp_path / "program.py"]
    subprocess.run(program, env=environ, check=True)
    command = [sys.executable, "-m", "celery", "-A", "program", "worker", "-P", "prefork", "-c1"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    running = subprocess.Popen(
        command,
        env=environ,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert settled(spooled, 1) == [("far away", "A", None)]
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait(20)
