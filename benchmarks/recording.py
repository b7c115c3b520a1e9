"""What recording adds to one model call: agenttrace beside a bare span and a peer, in one run.

    python benchmarks/recording.py [--rounds 7] [--threads 1]

Every column is a process of its own with the real OpenAI client over an in-process transport; the
columns take turns, and a figure is the median over the rounds of the fastest block, in CPU time.
"Added" is against the client without any instrumentation. Read the ratios: microseconds are those
of the machine.
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


def caller(path: str) -> Callable[[], None]:
    """Make what one call is: a small JSON answer, or a stream of 500 chunks.

    ``bytes`` is the same stream without the SDK that parses each chunk, which takes a hundred times
    as long as recording does and hides it.
    """
    ready = client()
    messages: Any = [{"role": "user", "content": "What is the weather in Paris?"}]

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

    return {"json": whole, "stream": stream, "bytes": raw}[path]


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


def prepared(column: str, path: str) -> Callable[[], None]:
    """Instrument this process as *column* says and return the call to time."""
    if column == "agenttrace":
        import agenttrace

        agenttrace.configure(tempfile.mkdtemp(prefix="agenttrace-benchmark-"))
    if column == "openai-v2":
        from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

        provider = TracerProvider()
        provider.add_span_processor(SpanProcessor())
        # Not a dependency of ours, so its types are not known here.
        peer: Any = importlib.import_module("opentelemetry.instrumentation.openai_v2")
        peer.OpenAIInstrumentor().instrument(tracer_provider=provider)
    call = caller(path)
    return bare_span(call) if column == "bare span" else call


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


def measured(columns: list[str], path: str, rounds: int, threads: int) -> dict[str, float]:
    """Let the columns take turns; returns the median of each in CPU microseconds per call."""
    calls = {"json": 400, "stream": 15, "bytes": 150}[path]
    seen: dict[str, list[float]] = {column: [] for column in columns}
    for number in range(rounds):
        for column in columns[number % len(columns) :] + columns[: number % len(columns)]:
            command = [sys.executable, __file__, "--work", column, path, str(calls), str(threads)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            seen[column].append(float(done.stdout))
    return {column: statistics.median(times) for column, times in seen.items()}


def installed_columns() -> list[str]:
    """The columns that can be measured here."""
    columns = ["none", "bare span", "agenttrace"]
    check = "import opentelemetry.instrumentation.openai_v2"
    if subprocess.run([sys.executable, "-c", check], capture_output=True, check=False).returncode:
        print("openai-v2 is not installed: pip install -r benchmarks/requirements.txt\n")
        return columns
    return [*columns, "openai-v2"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        column, path, calls, threads = options.work
        print(min(work(column, path, int(calls), int(threads))))
        return
    columns = installed_columns()
    for path in ("json", "stream", "bytes"):
        times = measured(columns, path, options.rounds, options.threads)
        floor = times["bare span"] - times["none"]
        print(f"{path}, {options.threads} thread(s)       CPU us/call   added   x bare span")
        for column, spent in times.items():
            added = spent - times["none"]
            print(f"  {column:12} {spent:20.1f} {added:12.1f} {added / floor:9.2f}")


if __name__ == "__main__":
    main()
