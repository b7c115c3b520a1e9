"""What recording adds to one model call: agenttrace beside a floor and its peers, in one run.

    python benchmarks/recording.py [--rounds 7] [--threads 1] [--paths json stream bytes callback]
                                   [--peer OpenInference=PYTHON ...]

Every column is a process of its own with the real OpenAI client, or LangChain on top of it, over an
in-process transport; the columns take turns, and a figure is the median over the rounds of the
fastest block, in CPU time. "Added" is against the client without any instrumentation, and the floor
is a bare SDK span, or for LangChain a handler that does nothing. Read the ratios: microseconds are
those of the machine. A peer is a class in ``benchmarks/peers``; PYTHON is an interpreter where it
and agenttrace are installed, since peers do not all fit into one environment.
"""

import argparse
import importlib
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

CHUNKS: Final = 500
BLOCKS: Final = 9

USAGE: Final = {
    "prompt_tokens": 1200,
    "completion_tokens": 300,
    "total_tokens": 1500,
    "prompt_tokens_details": {"cached_tokens": 1024},
    "completion_tokens_details": {"reasoning_tokens": 64},
}
BODY: Final[dict[str, Any]] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-5-2025-08-07",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "word " * 100},
        }
    ],
    "usage": USAGE,
}


def chunk(**more: Any) -> bytes:
    """One server-sent event of a chat completion."""
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-5-2025-08-07",
        "choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}],
        "usage": None,
    }
    return b"data: " + json.dumps(body | more).encode() + b"\n\n"


EVENTS: Final = [
    *[chunk()] * CHUNKS,
    chunk(choices=[], usage=USAGE),
    b"data: [DONE]\n\n",
]


def client() -> Any:
    """Make the real client over a transport that answers in this process."""
    import httpx2
    import openai

    whole = json.dumps(BODY).encode()

    def answer(request: httpx2.Request) -> httpx2.Response:
        if b'"stream":true' in request.content:
            headers = {"content-type": "text/event-stream"}
            return httpx2.Response(200, headers=headers, content=iter(EVENTS))
        headers = {"content-type": "application/json"}
        return httpx2.Response(200, headers=headers, content=whole)

    transport = httpx2.MockTransport(answer)
    return openai.OpenAI(api_key="x", http_client=httpx2.Client(transport=transport))


def model(ready: Any, *handlers: Any) -> Any:
    """Make LangChain's model on top of the client."""
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    return ChatOpenAI(
        model="gpt-5",
        api_key=SecretStr("x"),
        client=ready.chat.completions,
        root_client=ready,
        stream_usage=True,
        callbacks=list(handlers),
    )


def caller(path: str, *handlers: Any) -> Callable[[], None]:
    """Make what one call is: a small JSON answer, or a stream of 500 chunks.

    ``bytes`` is the same stream without the SDK that parses each chunk, which takes a hundred times
    as long as recording does and hides it. The callback paths go through LangChain.
    """
    ready = client()
    messages: Any = [{"role": "user", "content": "What is the weather in Paris?"}]
    chat = model(ready, *handlers) if path.startswith("callback") else None

    def whole() -> None:
        ready.chat.completions.create(model="gpt-5", messages=messages)

    def stream() -> None:
        options = {"include_usage": True}
        answer = ready.chat.completions.create(
            model="gpt-5", messages=messages, stream=True, stream_options=options
        )
        for _ in answer:
            pass

    def raw() -> None:
        with ready._client.stream(
            "POST",
            "https://api.openai.com/v1/chat/completions",
            content=b'{"model":"gpt-5","stream":true,"messages":[]}',
        ) as answer:
            for _ in answer.iter_raw():
                pass

    def callback() -> None:
        assert chat is not None
        chat.invoke("What is the weather in Paris?")

    def callback_stream() -> None:
        assert chat is not None
        for _ in chat.stream("What is the weather in Paris?"):
            pass

    return {
        "json": whole,
        "stream": stream,
        "bytes": raw,
        "callback": callback,
        "callback-stream": callback_stream,
    }[path]


def bare_span(call: Callable[[], None]) -> Callable[[], None]:
    """Wrap the call in an SDK span with 15 attributes and a processor that does nothing."""
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

    provider = TracerProvider()
    provider.add_span_processor(SpanProcessor())
    tracer = provider.get_tracer("bare")
    names = [f"gen_ai.attribute.{number}" for number in range(15)]

    def spanned() -> None:
        with tracer.start_as_current_span("chat gpt-5") as span:
            call()
            span.set_attributes({name: f"value of {name}" for name in names})

    return spanned


def idle_handler() -> Any:
    """Make a LangChain handler that does nothing."""
    from langchain_core.callbacks import BaseCallbackHandler

    return BaseCallbackHandler()


def prepared(column: str, path: str) -> Callable[[], None]:
    """Instrument this process as *column* says and return the call to time."""
    folder = Path(tempfile.mkdtemp(prefix="agenttrace-benchmark-"))
    match column:
        case "none":
            return caller(path)
        case "bare span":
            return bare_span(caller(path))
        case "idle handler":
            return caller(path, idle_handler())
        case "agenttrace" if path.startswith("callback"):
            import agenttrace
            from agenttrace_langchain import AgentTraceCallbackHandler

            agenttrace.configure(folder)
            return caller(path, AgentTraceCallbackHandler())
        case "agenttrace":
            import agenttrace

            agenttrace.configure(folder)
            return caller(path)
        case _:
            # Peers are no dependencies of ours, so their types are not known here.
            sys.path.insert(0, str(Path(__file__).parents[1]))
            peer: Any = getattr(importlib.import_module("benchmarks.peers"), column)
            peer().configure(folder)
            return caller(path)


def work(column: str, path: str, calls: int, threads: int) -> Iterator[float]:
    """Time blocks of calls in this process; yields CPU microseconds per call."""
    call = prepared(column, path)
    for _ in range(max(20, calls // 4)):
        call()

    def block() -> None:
        for _ in range(calls):
            call()

    for _ in range(BLOCKS):
        workers = [threading.Thread(target=block) for _ in range(threads)]
        start = time.process_time_ns()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        yield (time.process_time_ns() - start) / 1000 / (calls * threads)


def measured(columns: dict[str, str], path: str, rounds: int, threads: int) -> dict[str, float]:
    """Let the columns take turns; returns the median of each in CPU microseconds per call."""
    calls = {"json": 400, "bytes": 150, "callback": 200}.get(path, 15)
    seen: dict[str, list[float]] = {column: [] for column in columns}
    for number in range(rounds):
        turn = list(columns)
        for column in turn[number % len(turn) :] + turn[: number % len(turn)]:
            command = [columns[column], __file__, "--work", column, path, str(calls), str(threads)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                # A peer may print things of its own.
                seen[column].append(float(done.stdout.split()[-1]))
            else:
                print(f"{column} failed: {done.stderr.strip().splitlines()[-1]}")
    return {column: statistics.median(times) for column, times in seen.items() if times}


def report(path: str, times: dict[str, float], floor: str, threads: int) -> None:
    """Print one table."""
    least = times[floor] - times["none"]
    title = f"{path}, {threads} thread{'s' if threads > 1 else ''}"
    print(f"{title:26} CPU us/call      added   x {floor}")
    for column, spent in times.items():
        added = spent - times["none"]
        print(f"  {column:24} {spent:11.1f} {added:10.1f} {added / least:9.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--paths", nargs="+", default=["json", "stream", "bytes", "callback"])
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        column, path, calls, threads = options.work
        print(min(work(column, path, int(calls), int(threads))))
        return
    peers = dict(peer.split("=", 1) for peer in options.peer)
    for path in options.paths:
        floor = "idle handler" if path.startswith("callback") else "bare span"
        own: dict[str, str] = dict.fromkeys(("none", floor, "agenttrace"), sys.executable)
        columns = own | peers
        report(
            path, measured(columns, path, options.rounds, options.threads), floor, options.threads
        )


if __name__ == "__main__":
    main()
