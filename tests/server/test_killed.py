"""Kill -9 under load: what was acknowledged is there, and nothing is there twice."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import agenttrace
from tests.server.sending import call, message, send

SERVE = """
import sys, time
from pathlib import Path
from agenttrace.server import running
with running(Path(sys.argv[1]), http_port=0, grpc_port=0, is_folding=False) as server:
    print(server.http_url, flush=True)
    time.sleep(60)
"""


class Client:
    """Sends spans one request after the other, and keeps those that were acknowledged."""

    def __init__(self, url: str, first: int) -> None:
        self._url = url
        self._first = first
        self.acknowledged: list[int] = []
        self.unsure: list[int] = []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        for number in range(self._first, self._first + 100_000):
            try:
                status = send(self._url, body=message(call(number))).status
            except OSError:
                self.unsure.append(number)
                return
            assert status == 200
            self.acknowledged.append(number)


def started(home: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(home)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_kill_9_under_load_loses_nothing_acknowledged_and_duplicates_nothing(home: Path) -> None:
    process, url = started(home)
    clients = [Client(url, 1_000_000 * number) for number in range(1, 9)]
    while min(len(client.acknowledged) for client in clients) < 10:
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    for client in clients:
        client.thread.join()
    process.communicate()

    again, url = started(home)
    unsure = [number for client in clients for number in client.unsure]
    told_twice = [client.acknowledged[-1] for client in clients]
    for number in (*unsure, *told_twice):
        assert send(url, body=message(call(number))).status == 200
    again.kill()
    again.communicate()

    sent = {number for client in clients for number in client.acknowledged} | set(unsure)
    with agenttrace.read(home) as reader:
        rows = reader.query("SELECT span_id FROM span WHERE kind = 'inference'")
    assert sorted(row["span_id"] for row in rows) == sorted(f"{number:016x}" for number in sent)
