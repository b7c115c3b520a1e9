"""The import of Claude Code's logs beside ccusage's totals of the same files.

    python benchmarks/import_logs.py --ccusage FOLDER [--megabytes 1000] [--rounds 3]

FOLDER is where ``npm install ccusage`` was run. The logs are made up, always the same for a seed:
sessions with sub-agents in files of their own, 45 in 100 of the rows with usage a repetition of one
that stands elsewhere (a row for each part of a response, its output only in the last one), prompts,
answers, attachments, and what tools gave back, which is most of the bytes. Both read the files from
memory, in processes of their own, in turn; CPU time, medians.

The import is `agenttrace import claude-code` into an empty home; then once more, with nothing new;
then the fold, after which reports can be made. ccusage adds up the days, offline. The totals of
both are held against what was generated. The goals: at most half of ccusage's CPU time, under 500
MB, and under 0.3 seconds when nothing has changed.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from timing import Spent, load, median, python, run

IMPORT: Final = """
import sys
from pathlib import Path
from agenttrace.sources.agents import source
from agenttrace.sources.importing import import_logs
print(import_logs(Path(sys.argv[1]), source("claude-code"), [Path(sys.argv[2])]).calls)
"""
TOTALS: Final = """
import json, sys
from agenttrace.reader import Reader
with Reader(sys.argv[1]) as reader:
    (row,) = reader.query('''
        SELECT count(*) AS calls, sum(input_uncached_tokens) AS input,
            sum(output_tokens) AS output, sum(cache_write_tokens) AS cache_write,
            sum(cache_read_tokens) AS cache_read
        FROM model_call''')
    print(json.dumps({name: int(value) for name, value in dict(row).items()}))
"""
KINDS: Final = ("input", "output", "cache_write", "cache_read")
MODELS: Final = ("claude-opus-4-5-20251101", "claude-sonnet-4-5-20250929")
WORDS: Final = (
    "the call returns a frame with every column that was asked for and nothing else so it is "
    'read once \n    def value(self) -> int:\n        return self._value  # "quoted" 0x7f '
    "naïve café ✓ import os\tpath == {'key': [1, 2, 3]} "
)


class Logs:
    """Transcripts that are being made."""

    def __init__(self, projects: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.projects = projects
        self.bytes = self.files = self.calls = 0
        self.totals: Counter[str] = Counter()
        self._serial = 0
        self._now = datetime(2026, 9, 1, tzinfo=UTC)
        self._texts = [self._text(2 ** (6 + step % 11)) for step in range(220)]

    def session(self) -> None:
        """Write a session and its sub-agents."""
        session, slug = self._id(), f"-home-somebody-code-project{self.random.randrange(12)}"
        rows = list(self._rows(session, None, self.random.randrange(30, 220)))
        self._write(self.projects / slug / f"{session}.jsonl", rows)
        for number in range(self.random.choice((0, 0, 1, 2, 4))):
            agent = f"a{number:02d}{self.random.randrange(16**14):014x}"
            folder = self.projects / slug / session / "subagents"
            agent_rows = list(self._rows(session, agent, self.random.randrange(10, 80)))
            self._write(folder / f"agent-{agent}.jsonl", agent_rows)
            meta = {"agentType": "Explore", "toolUseId": f"toolu_{agent}", "spawnDepth": 1}
            (folder / f"agent-{agent}.meta.json").write_text(json.dumps(meta))

    def _rows(self, session: str, agent: str | None, calls: int) -> Iterator[str]:
        prompt, model = self._id(), self.random.choice(MODELS)
        if agent is None:
            yield self._row({"type": "mode", "mode": "normal", "sessionId": session})
        for number in range(calls):
            if number == 0 or (agent is None and self.random.random() < 0.08):
                prompt = self._id()
                yield self._user(session, agent, prompt, self._pick(9))
                if agent is None:
                    snapshot = {"messageId": prompt, "isSnapshotUpdate": False}
                    yield self._row({"type": "file-history-snapshot", **snapshot})
            yield from self._answer(session, agent, model)
            yield self._tool_result(session, agent, prompt)
            if self.random.random() < 0.1:
                yield self._row(
                    {
                        **self._head(agent),
                        "attachment": {"type": "file", "content": self._pick(11)},
                        "type": "attachment",
                        **self._tail(session),
                    }
                )
        yield self._row(
            {
                **self._head(agent),
                "type": "system",
                "subtype": "turn_duration",
                **self._tail(session),
            }
        )

    def _answer(self, session: str, agent: str | None, model: str) -> Iterator[str]:
        """Yield the rows of one response: each part has one, and only the last the output."""
        message, request = f"msg_01{self._id()[:22]}", f"req_01{self._id()[:22]}"
        output, parts = self.random.randrange(20, 4000), self.random.choice((1, 1, 1, 2, 2, 3, 3))
        said = {
            "input_tokens": self.random.randrange(1, 40),
            "output_tokens": output,
            "cache_write": self.random.randrange(0, 9000),
            "cache_read": self.random.randrange(9000, 180000),
        }
        for part in range(parts):
            is_last = part == parts - 1
            yield self._row(
                {
                    **self._head(agent),
                    "message": {
                        "model": model,
                        "id": message,
                        "type": "message",
                        "role": "assistant",
                        "content": [self._block(is_last=is_last)],
                        "stop_reason": "tool_use" if is_last else None,
                        "stop_sequence": None,
                        "usage": usage(said, output if is_last else 2),
                    },
                    "requestId": request,
                    "type": "assistant",
                    **self._tail(session),
                }
            )
        self.calls += 1
        self.totals.update(
            input=said["input_tokens"],
            output=output,
            cache_write=said["cache_write"],
            cache_read=said["cache_read"],
        )

    def _block(self, *, is_last: bool) -> dict[str, Any]:
        if is_last:
            given = {"command": self._pick(9), "description": self._pick(6)}
            return {"type": "tool_use", "id": f"toolu_{self._id()}", "name": "Bash", "input": given}
        if self.random.random() < 0.5:
            return {"type": "thinking", "thinking": self._pick(11), "signature": self._pick(10)}
        return {"type": "text", "text": self._pick(10)}

    def _user(self, session: str, agent: str | None, prompt: str, text: str) -> str:
        return self._row(
            {
                **self._head(agent),
                "promptId": prompt,
                "type": "user",
                "message": {"role": "user", "content": text},
                **self._tail(session),
            }
        )

    def _tool_result(self, session: str, agent: str | None, prompt: str) -> str:
        text = self._pick(14)
        tool = {"tool_use_id": f"toolu_{self._id()}", "type": "tool_result", "content": text}
        return self._row(
            {
                **self._head(agent),
                "promptId": prompt,
                "type": "user",
                "message": {"role": "user", "content": [tool]},
                **self._tail(session),
                "toolUseResult": {"stdout": text, "stderr": "", "interrupted": False},
            }
        )

    def _head(self, agent: str | None) -> dict[str, Any]:
        head: dict[str, Any] = {"parentUuid": self._id(), "isSidechain": agent is not None}
        return head if agent is None else {**head, "agentId": agent}

    def _tail(self, session: str) -> dict[str, Any]:
        self._now += timedelta(milliseconds=self.random.randrange(20, 4000))
        return {
            "uuid": self._id(),
            "timestamp": f"{self._now:%Y-%m-%dT%H:%M:%S}.{self._now.microsecond // 1000:03d}Z",
            "userType": "external",
            "entrypoint": "cli",
            "cwd": "/home/somebody/code/project",
            "sessionId": session,
            "version": "2.1.250",
            "gitBranch": "main",
        }

    def _id(self) -> str:
        self._serial += 1
        number = f"{self._serial:08x}{self.random.getrandbits(96):024x}"
        parts = number[:8], number[8:12], number[12:16], number[16:20], number[20:]
        return "-".join(parts)

    def _text(self, size: int) -> str:
        return " ".join(self.random.choices(WORDS.split(" "), k=max(size // 6, 1)))

    def _pick(self, largest: int) -> str:
        """Return a text of up to 2 to the power of *largest* bytes, small ones more often."""
        size = 2 ** self.random.randrange(6, largest + 1)
        text = self.random.choice(self._texts)
        return (text * (size // len(text) + 1))[:size]

    def _row(self, record: dict[str, Any]) -> str:
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"

    def _write(self, path: Path, rows: list[str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        data = "".join(rows).encode()
        path.write_bytes(data)
        self.bytes += len(data)
        self.files += 1


def usage(said: dict[str, int], output: int) -> dict[str, Any]:
    """Return the counts as Claude Code writes them."""
    return {
        "input_tokens": said["input_tokens"],
        "cache_creation_input_tokens": said["cache_write"],
        "cache_read_input_tokens": said["cache_read"],
        "cache_creation": {
            "ephemeral_5m_input_tokens": said["cache_write"] - said["cache_write"] // 3,
            "ephemeral_1h_input_tokens": said["cache_write"] // 3,
        },
        "output_tokens": output,
        "service_tier": "standard",
        "inference_geo": "not_available",
    }


def make(folder: Path, megabytes: float, seed: int) -> Logs:
    """Make so many megabytes of logs in *folder*."""
    logs = Logs(folder / "projects", seed)
    while logs.bytes < megabytes * 1e6:
        logs.session()
    return logs


def ccusage(folder: Path) -> list[str]:
    """Return the command that adds up the days, of what was installed in *folder*."""
    program = folder / "node_modules" / "ccusage" / "src" / "cli.js"
    return ["node", str(program), "claude", "daily", "--json", "--offline"]


def totals_of_ccusage(command: list[str], environ: dict[str, str]) -> dict[str, int]:
    """Return what ccusage says in all."""
    said = json.loads(subprocess.check_output(command, env={**os.environ, **environ}))["totals"]
    return {
        "input": said["inputTokens"],
        "output": said["outputTokens"],
        "cache_write": said["cacheCreationTokens"],
        "cache_read": said["cacheReadTokens"],
    }


def measure(logs: Path, home: Path, peer: list[str] | None, rounds: int) -> dict[str, Spent]:
    """Return what each takes, by turns."""
    seen: dict[str, list[Spent]] = {}
    importing = python(IMPORT, str(home), str(logs / "projects"))
    fold = [sys.executable, "-m", "agenttrace", "--store", str(home), "store", "fold"]
    for _ in range(rounds):
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        seen.setdefault("import", []).append(run(importing))
        seen.setdefault("import, nothing new", []).append(run(importing))
        seen.setdefault("fold", []).append(run(fold))
        if peer is not None:
            seen.setdefault("ccusage", []).append(run(peer, {"CLAUDE_CONFIG_DIR": str(logs)}))
    return {name: median(spent) for name, spent in seen.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ccusage", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="agenttrace-import-") as name:
        logs, home = Path(name, "logs"), Path(name, "home")
        made = make(logs, options.megabytes, options.seed)
        print(f"{made.bytes / 1e6:,.0f} MB, {made.files:,} files, {made.calls:,} calls; {load()}")
        peer = ccusage(options.ccusage) if options.ccusage else None
        spent = measure(logs, home, peer, options.rounds)
        print(f"{'':22} {'CPU s':>8} {'wall s':>8} {'peak MB':>8}")
        for what, one in spent.items():
            cpu, wall = one.cpu_ms / 1000, one.wall_ms / 1000
            print(f"{what:22} {cpu:8.2f} {wall:8.2f} {one.peak_mb:8.0f}")
        said = {"generated": dict(made.totals) | {"calls": made.calls}}
        said["agenttrace"] = json.loads(subprocess.check_output(python(TOTALS, str(home))))
        if peer is not None:
            ratio = spent["import"].cpu_ms / spent["ccusage"].cpu_ms
            print(f"import / ccusage: {ratio:.2f} of its CPU time")
            said["ccusage"] = totals_of_ccusage(peer, {"CLAUDE_CONFIG_DIR": str(logs)})
        print(f"{'':12} {'calls':>10}" + "".join(f"{kind:>16}" for kind in KINDS))
        for who, one in said.items():
            counts = "".join(f"{one[kind]:16,}" for kind in KINDS)
            print(f"{who:12} {one.get('calls', ''):>10}{counts}")


if __name__ == "__main__":
    main()
