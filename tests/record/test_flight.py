"""What was under way when a process died is known, and nothing that had ended is among it."""

import errno
import gc
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import agenttrace
from agenttrace.record import flight
from agenttrace.record import spool as spools
from agenttrace.record.files import Medium
from agenttrace.record.flight import Slot
from agenttrace.record.spool import Spool
from agenttrace.store import segments

WRITTEN = Medium("written", "for a test")


def line(number: int, padding: int = 0) -> bytes:
    return json.dumps({"n": number, "pad": "x" * padding}).encode() + b"\n"


def tables(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.flight"))


def in_slots(folder: Path) -> list[int]:
    """The numbers of the start records that stand in the tables, their writers alive or not."""
    found: list[int] = []
    for path in tables(folder):
        data = path.read_bytes()
        header = json.loads(data.partition(b"\n")[0])
        size = header["slot_bytes"]
        slots = [data[at : at + size] for at in range(size, len(data), size)]
        found += [json.loads(slot.partition(b"\n")[0])["n"] for slot in slots if slot[:1] == b"{"]
    return sorted(found)


def read(folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What ended, and what was under way and is not known to have ended, as the fold is to see."""
    warnings: list[str] = []
    ended: list[dict[str, Any]] = []
    noted: list[dict[str, Any]] = []
    for one in segments.new(folder, {}, warnings):
        found = [text.strip() for _, text in one.lines()]
        # A record that was being appended has no first byte, and the fold refuses it.
        whole = [json.loads(text) for text in found if text.startswith("{")]
        (noted if one.in_flight else ended).extend(whole)
    assert warnings == []
    known = {record["span_id"] for record in ended if "span_id" in record}
    new = [record for record in noted if record.get("span_id") not in known]
    ended += [record for record in new if "interrupted" not in record and "span_id" in record]
    known = {record["span_id"] for record in ended if "span_id" in record}
    return ended, [
        record for record in new if "span_id" not in record or record["span_id"] not in known
    ]


@pytest.fixture(params=["mapped", "written"])
def spool(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Spool]:
    medium = WRITTEN if request.param == "written" else None
    made = Spool(tmp_path, "test", segment_bytes=4096, medium=medium)
    yield made
    made.close()


def begun(spool: Spool, number: int, padding: int = 0) -> Slot:
    slot = spool.begin(line(number, padding))
    assert slot is not None
    return slot


def test_what_begins_stands_in_a_slot_until_its_end_is_in_a_segment(spool: Spool) -> None:
    first, second = begun(spool, 1), begun(spool, 2)
    assert in_slots(spool.folder) == [1, 2]
    spool.append(line(1), first)
    assert in_slots(spool.folder) == [2]
    spool.append(line(2), second)
    assert in_slots(spool.folder) == []


def test_a_slot_is_used_again_so_that_nothing_grows(spool: Spool) -> None:
    for number in range(1000):
        spool.append(line(number), begun(spool, number))
    (table,) = tables(spool.folder)
    assert table.stat().st_size <= flight.FIRST_SLOTS * flight.SLOT_BYTES


def test_rotation_of_segments_leaves_the_slots_alone(spool: Spool) -> None:
    waiting = begun(spool, -1)
    for number in range(200):
        spool.append(line(number, padding=100), begun(spool, number))
    assert len(list(spool.folder.glob("*.seg"))) > 1
    assert in_slots(spool.folder) == [-1]
    spool.append(line(-1), waiting)


def test_ten_thousand_in_flight_are_all_there(spool: Spool) -> None:
    slots = [begun(spool, number) for number in range(10_000)]
    assert in_slots(spool.folder) == list(range(10_000))
    assert spool.left_out == 0
    assert len(tables(spool.folder)) < 10
    for slot in slots:
        slot.clear()


def test_a_large_start_record_gets_a_slot_of_its_size(spool: Spool) -> None:
    small, large = begun(spool, 1), begun(spool, 2, padding=5000)
    assert in_slots(spool.folder) == [1, 2]
    small.clear()
    large.clear()


def test_what_has_no_place_is_left_out_and_counted(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert spool.begin(line(1, padding=flight.SLOT_BYTES_AT_MOST)) is None
    monkeypatch.setattr(flight, "BYTES_AT_MOST", flight.FIRST_SLOTS * flight.SLOT_BYTES)
    slots = [spool.begin(line(number)) for number in range(flight.FIRST_SLOTS + 10)]
    placed = [slot for slot in slots if slot is not None]
    assert spool.left_out == 1 + len(slots) - len(placed)
    assert len(placed) == flight.FIRST_SLOTS - 1  # the header has the first
    for slot in placed:
        slot.clear()


def test_a_disk_that_refuses_a_table_leaves_out_and_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: list[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    spool = Spool(tmp_path, "test")
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", refuse)
        assert [spool.begin(line(number)) for number in range(3)] == [None] * 3
    assert spool.left_out == 3
    assert len(trouble) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_clean_close_removes_the_table(spool: Spool) -> None:
    begun(spool, 1).clear()
    spool.close()
    assert tables(spool.folder) == []


def test_a_close_keeps_what_is_still_under_way(spool: Spool) -> None:
    slot = begun(spool, 1)
    spool.close()
    assert in_slots(spool.folder) == [1]
    spool.append(line(1), slot)
    assert in_slots(spool.folder) == []


def test_a_table_of_a_live_process_is_not_read(spool: Spool) -> None:
    slot = begun(spool, 1)
    assert read(spool.folder) == ([], [])
    slot.clear()


def test_a_slot_is_kept_while_its_end_waits_for_a_full_disk(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, trouble: list[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    slot = begun(spool, 1)
    with monkeypatch.context() as patch:
        patch.setattr(spools.SpoolFolder, "new_file", refuse)
        patch.setattr(spools, "RETRY_SECONDS", 0.0)
        spool.append(line(1), slot)
        assert in_slots(spool.folder) == [1]
    spool.append(line(2))
    assert in_slots(spool.folder) == []
    assert trouble


def test_a_deleted_table_is_made_anew(spool: Spool, trouble: list[str]) -> None:
    slot = begun(spool, 1)
    spool.append(line(1))
    for path in spool.folder.iterdir():
        path.unlink()
    spool.append(line(2))
    other = begun(spool, 3)
    spool.append(line(1), slot)
    assert in_slots(spool.folder) == [3]
    other.clear()
    assert trouble


def test_threads_share_the_slots_without_mixing_records(spool: Spool) -> None:
    def work(start: int) -> None:
        for number in range(start, start + 200):
            spool.append(line(number), begun(spool, number))

    threads = [threading.Thread(target=work, args=(n * 200,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert in_slots(spool.folder) == []
    assert spool.left_out == 0
    spool.close()
    assert tables(spool.folder) == []


def test_a_signal_handler_may_record_while_its_thread_is_recording(spool: Spool) -> None:
    def handle(*_: object) -> None:
        spool.append(line(-1), begun(spool, -1))

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        for number in range(5_000):
            spool.append(line(number), begun(spool, number))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert in_slots(spool.folder) == []


def _die(spool: Spool, slot: Slot) -> None:
    spool.append(line(1), slot)  # the parent's slot, which is not ours to clear
    spool.begin(line(2))
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_forked_child_has_a_table_of_its_own_and_leaves_the_parents_alone(spool: Spool) -> None:
    slot = begun(spool, 1)
    child = multiprocessing.get_context("fork").Process(target=_die, args=(spool, slot))
    child.start()
    child.join()
    assert in_slots(spool.folder) == [1, 2]
    assert [record["n"] for record in read(spool.folder)[1]] == [2]
    slot.clear()


def test_a_spool_that_is_collected_lets_go_of_its_table(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "test")
    spool.begin(line(1))
    del spool
    gc.collect()
    assert [record["n"] for record in read(tmp_path)[1]] == [1]


DIES = """
import agenttrace, os, sys
agenttrace.configure(sys.argv[1])
with agenttrace.task("ticket", id="T-1", workload="user-facing", headless=True):
    with agenttrace.agent("writer"):
        agenttrace.start("inference", "ended").stop()
        agenttrace.start("inference", "discarded").discard()
        said = {"gen_ai.request.model": "gpt-5", "gen_ai.provider.name": "openai"}
        agenttrace.start("inference", "gpt-5", attributes=said)
        os.kill(os.getpid(), 9)
"""


def test_a_process_killed_in_mid_call_leaves_the_call_and_all_around_it(home: Path) -> None:
    assert subprocess.run([sys.executable, "-c", DIES, home]).returncode == -9
    ended, interrupted = read(home / "spool")
    assert [record["name"] for record in ended] == ["ended"]
    by_name = {record["name"]: record for record in interrupted}
    assert list(by_name) == ["ticket", "writer", "gpt-5"]
    call = by_name["gpt-5"]
    attributes = call.pop("attributes")
    task, agent = by_name["ticket"], by_name["writer"]
    assert task["attributes"]["agenttrace.workload"] == "user-facing"
    assert task["attributes"]["agenttrace.headless"] is True
    assert attributes == {
        "agenttrace.kind": "inference",
        "agenttrace.role": "main",
        "task.id": "T-1",
        "agenttrace.task.name": "ticket",
        "gen_ai.agent.name": "writer",
        "agenttrace.agent.depth": 1,
        "agenttrace.agent.span_id": agent["span_id"],
        "gen_ai.request.model": "gpt-5",
        "gen_ai.provider.name": "openai",
    }
    assert {key: call[key] for key in call if not key.endswith(("_id", "start_ns"))} == {
        "name": "gpt-5",
        "end_ns": None,
        "interrupted": True,
        "status": "unset",
        "scope": "agenttrace",
    }
    assert call["trace_id"] == task["trace_id"]
    assert call["parent_span_id"] == agent["span_id"]


DIES_ASKING = """
import agenttrace, os, sys
def die(*_): os.kill(os.getpid(), 9)
agenttrace.configure(sys.argv[1])
{}
"""
# What a program does -> what is known of the call that it is killed in.
ASKING = {
    "chat": (
        "import httpx\n"
        "with httpx.Client(transport=httpx.MockTransport(die)) as client:\n"
        "    asked = {'model': 'gpt-5', 'stream': True, 'messages': [{'role': 'user'}]}\n"
        "    client.post('https://api.openai.com/v1/chat/completions', json=asked)\n",
        ("gpt-5", "chat", "openai", "gpt-5", "main", True),
    ),
    "embeddings": (
        "import httpx\n"
        "with httpx.Client(transport=httpx.MockTransport(die)) as client:\n"
        "    asked = {'model': 'e-3', 'input': 'x'}\n"
        "    client.post('https://api.mistral.ai/v1/embeddings', json=asked)\n",
        ("e-3", "embeddings", "mistral_ai", "e-3", "embedding", None),
    ),
    "realtime": (
        "from agenttrace.record.wire import conversation\n"
        "said = conversation.open('api.openai.com', '/v1/realtime', 'model=gpt-realtime')\n"
        """said.sent('{"type": "response.create"}')\n"""
        "die()\n",
        ("gpt-realtime", "chat", "openai", "gpt-realtime", "main", True),
    ),
    "grpc": (
        "import grpc\n"
        "from types import SimpleNamespace\n"
        "service = 'google.ai.generativelanguage.v1beta.GenerativeService'\n"
        "with grpc.insecure_channel('generativelanguage.googleapis.com:443') as channel:\n"
        "    ask = channel.unary_unary(f'/{service}/GenerateContent', request_serializer=die)\n"
        "    ask(SimpleNamespace(model='models/gemini-2.5-flash'))\n",
        (
            "gemini-2.5-flash",
            "generate_content",
            "gcp.gemini",
            "gemini-2.5-flash",
            "main",
            None,
        ),
    ),
}


@pytest.mark.parametrize("asking", ASKING)
def test_of_a_call_that_is_killed_the_model_and_the_provider_are_known(
    asking: str, home: Path
) -> None:
    program, known = ASKING[asking]
    if asking == "grpc":
        pytest.importorskip("grpc")
    command = [sys.executable, "-c", DIES_ASKING.format(program), home]
    assert subprocess.run(command).returncode == -9
    _, (call,) = read(home / "spool")
    keys = (
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.request.model",
        "agenttrace.role",
        "gen_ai.request.stream",
    )
    assert (call["name"], *map(call["attributes"].get, keys)) == known


def test_a_process_that_ends_by_itself_leaves_no_table(home: Path) -> None:
    program = "import agenttrace, sys\nagenttrace.configure(sys.argv[1])\n"
    program += "with agenttrace.task('t'): pass\n"
    assert subprocess.run([sys.executable, "-c", program, home]).returncode == 0
    assert tables(home / "spool") == []


def _record_until_killed(home: Path, ended: Any) -> None:
    agenttrace.configure(home)

    def work(thread: int) -> None:
        while True:
            with agenttrace.agent("worker"):
                agenttrace.start("inference", "gpt").stop()
                ended[thread] += 1

    for thread in range(1, 4):
        threading.Thread(target=work, args=(thread,), daemon=True).start()
    work(0)


def test_of_processes_killed_at_random_nothing_that_ended_is_missing_or_under_way(
    home: Path,
) -> None:
    fork = multiprocessing.get_context("fork")
    for seed in range(6):
        folder = home / str(seed)
        counted = fork.RawArray("Q", 4)
        child = fork.Process(target=_record_until_killed, args=(folder, counted))
        child.start()
        while not sum(counted):
            time.sleep(0.001)
        time.sleep(random.Random(seed).uniform(0.0, 0.2))
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        ended, interrupted = read(folder / "spool")
        ids = [record["span_id"] for record in ended + interrupted]
        assert len(set(ids)) == len(ids)
        calls = [record["name"] for record in ended].count("gpt")
        assert sum(counted) <= calls <= sum(counted) + 4
        under_way = [record["name"] for record in interrupted]
        assert under_way.count("worker") <= 4
        assert under_way.count("gpt") <= 4


def test_a_discarded_invocation_leaves_its_slot(recording: Path) -> None:
    agenttrace.start("inference", "never made").discard()
    data = tables(recording / "spool")[0].read_bytes()
    assert b'\n\0"' not in data
    assert data[flight.SLOT_BYTES] == 0


def _table(folder: Path, slots: list[bytes]) -> Path:
    header = {"agenttrace_spool": 1, "pid": 7, "slot_bytes": flight.SLOT_BYTES}
    content = json.dumps(header).encode() + b"\n"
    content = content.ljust(flight.SLOT_BYTES, b"\0")
    content += b"".join(slot.ljust(flight.SLOT_BYTES, b"\0") for slot in slots)
    path = folder / "1_7_1.flight"
    path.write_bytes(content)
    return path


def lines_of(folder: Path) -> list[tuple[int, str]]:
    (only,) = segments.new(folder, {}, [])
    return [(at, text.strip()) for at, text in only.lines() if text.strip()]


def test_a_slot_torn_at_any_byte_is_not_under_way_and_the_others_are(tmp_path: Path) -> None:
    """The first byte is stored last, over what an earlier record has left."""
    whole, old = line(1).strip(), line(12345, padding=80)
    new = line(22222, padding=40)
    for torn in range(1, len(new) + 1):
        slot = b"\0" + new[1:torn] + old[torn:]
        _table(tmp_path, [line(1), slot, line(1)])
        found = lines_of(tmp_path)
        assert [text for _, text in found] == [whole.decode()] * 2
        assert found[0][0] == flight.SLOT_BYTES
    _table(tmp_path, [line(1), new + old[len(new) :]])
    assert [text for _, text in lines_of(tmp_path)] == [whole.decode(), new.strip().decode()]


def test_a_slot_cut_by_a_power_failure_is_a_line_to_be_refused(tmp_path: Path) -> None:
    for cut in range(1, len(line(1)) - 1):
        _table(tmp_path, [line(1)[:cut], line(2)])
        first, second = lines_of(tmp_path)
        assert (first[1], second[1]) == (line(1)[:cut].decode().strip(), line(2).decode().strip())


@pytest.mark.parametrize("slot_bytes", [None, 0, -1, 10**9, "x"])
def test_a_table_of_no_known_form_is_said_to_be_no_use(tmp_path: Path, slot_bytes: object) -> None:
    header = {"agenttrace_spool": 1, "slot_bytes": slot_bytes}
    (tmp_path / "1_7_1.flight").write_bytes(json.dumps(header).encode() + b"\n" + bytes(2048))
    (found,) = segments.new(tmp_path, {}, [])
    assert (found.finished, found.text, found.trouble) == (True, "", "no table of calls in flight")


def test_a_table_that_was_read_is_only_to_be_removed(tmp_path: Path) -> None:
    path = _table(tmp_path, [line(1)])
    (first,) = segments.new(tmp_path, {}, [])
    (second,) = segments.new(tmp_path, {path.stem: first.end}, [])
    assert (second.finished, second.text, second.end) == (True, "", first.end)


def test_what_was_under_way_comes_after_every_segment(tmp_path: Path) -> None:
    _table(tmp_path, [line(1)])
    spool = Spool(tmp_path, "test")
    spool.append(line(2))
    spool.close()
    assert [one.in_flight for one in segments.new(tmp_path, {}, [])] == [False, True]


def test_a_start_that_cannot_be_encoded_is_said_and_the_call_goes_on(
    recording: Path, trouble: list[str]
) -> None:
    not_text = "\ud800"
    said = {"gen_ai.request.model": not_text}
    agenttrace.start("inference", "gpt", attributes=said).stop()
    assert len(trouble) == 2
    agenttrace.shutdown()
    said = json.loads((recording / "spool" / "lost").read_text())
    assert (said["records"], said["reason"]) == (1, "failed")


def test_a_frame_around_metered_calls_says_how_many(recording: Path) -> None:
    with agenttrace.task("t") as task:
        frame = agenttrace.start("inference", "ChatOpenAI")
        frame.wire_calls = 2
        frame.stop()
        agenttrace.start("inference", "gpt").stop()
        task.wire_calls = 2
    ended, _ = read_live(recording / "spool")
    assert [record["attributes"].get("agenttrace.wire_calls") for record in ended] == [
        2,
        None,
        None,
    ]


def read_live(folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    warnings: list[str] = []
    texts = [text for one in segments.new(folder, {}, warnings) for _, text in one.lines()]
    return [json.loads(text) for text in texts], warnings
