"""Dask has no place for a context, so the task is handed over with the arguments."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import agenttrace
from agenttrace.integration import extract, inject

pytest.importorskip("distributed", reason="Dask's distributed is not installed")

from distributed import Client

Spooled = Callable[[], list[dict[str, Any]]]


def work(fields: Mapping[str, str], name: str) -> str:
    task = extract(fields)
    if task is not None:
        task.attach()
    try:
        agenttrace.start("inference", name).stop()
        return threading.current_thread().name
    finally:
        if task is not None:
            task.detach()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_task_that_is_handed_over_with_the_arguments_holds_in_the_worker(
    recording: Path, spooled: Spooled
) -> None:
    with Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None) as dask:
        for name in ("A", "B"):
            with agenttrace.task("t", id=name), agenttrace.agent("boss"):
                where = dask.submit(work, inject(), name).result()
                assert where != threading.current_thread().name
        dask.submit(work, inject(), "nobody's").result()
    calls = [r for r in spooled() if r["attributes"]["agenttrace.kind"] == "inference"]
    said = [(r["name"], r["attributes"]) for r in calls]
    assert [(name, a.get("task.id"), a.get("gen_ai.agent.name")) for name, a in said] == [
        ("A", "A", "boss"),
        ("B", "B", "boss"),
        ("nobody's", None, None),
    ]
