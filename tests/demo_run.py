"""One run of the demo's program, for all tests that look at one; it takes some seconds."""

import functools
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from agenttrace import demo, semconv
from agenttrace.record.spool import SEGMENT_SUFFIX, Spool
from tests.builders import line

# What a user may have set for other programs.
FOREIGN_TRACE = "1" * 32
FOREIGN = {
    "OTEL_SDK_DISABLED": "true",
    "TRACEPARENT": f"00-{FOREIGN_TRACE}-{'2' * 16}-01",
    "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    "ANTHROPIC_API_KEY": "not for the demo",
}


@dataclass(frozen=True)
class Played:
    """A run: the *home* it recorded into, and a copy of its *spool*, which nobody folds."""

    home: Path
    run: demo.Run
    spool: Path


def played(factory: pytest.TempPathFactory) -> Played:
    """Run the demo's program, the first time that this is asked for in a session of tests."""
    return _played(factory.getbasetemp())


@functools.cache
def _played(folder: Path) -> Played:
    home = folder / "the demo"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FOREIGN.items():
            patch.setenv(name, value)
        run = demo.play(home)
    return Played(home, run, shutil.copytree(home / "spool", folder / "the demo's spool"))


def moved(done: Played, home: Path, start: datetime) -> None:
    """Write the run into *home* as if it had begun at *start*, its tasks numbered in their order.

    Nothing else is changed, so what still differs between two runs is how long things took.
    """
    segments = [
        [json.loads(record) for record in path.read_bytes().splitlines()]
        for path in sorted(done.spool.glob(f"*{SEGMENT_SUFFIX}"))
    ]
    records = [record for _, *records in segments for record in records]
    by_ns = int(start.timestamp()) * 10**9 - min(record["start_ns"] for record in records)
    new_ids = dict(_new_ids(records))
    for header, *records in segments:
        spool = Spool(home / "spool", header["service_name"])
        for record in records:
            text = line(
                record
                | {"start_ns": record["start_ns"] + by_ns, "end_ns": record["end_ns"] + by_ns}
            )
            for old, new in new_ids.items():
                text = text.replace(old.encode(), new.encode())
            spool.append(text)
        spool.close()


def _new_ids(records: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the id of each task and of its trace, and what it is to be."""
    tasks = [record for record in records if record["attributes"].get(semconv.KIND) == "task"]
    for number, task in enumerate(sorted(tasks, key=lambda task: task["start_ns"]), start=1):
        yield task["attributes"][semconv.TASK_ID], f"{number}0" * 16
        yield task["trace_id"], f"{number:032x}"
