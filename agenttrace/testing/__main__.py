"""Serve a model provider on its own: ``python -m agenttrace.testing --port 8080``."""

import argparse
import signal
import sys
from collections.abc import Sequence
from queue import SimpleQueue
from types import FrameType

from agenttrace.testing.provider import ModelProvider
from agenttrace.testing.script import echo


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; prints the variables that send the SDKs to it."""
    parser = argparse.ArgumentParser(
        prog="python -m agenttrace.testing",
        description="A local model provider that speaks the protocols of OpenAI, Anthropic, "
        "Google, Bedrock, Cohere and Ollama. "
        "GET /ledger says what it billed.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (a free one)")
    parser.add_argument("--reply", help="what to answer (what the user said)")
    parser.add_argument("--compress", action="store_true", help="compress responses")
    options = parser.parse_args(arguments)

    over: SimpleQueue[int] = SimpleQueue()  # the lock of an Event may be held by the handler

    def stop(number: int, _frame: FrameType | None) -> None:
        over.put(number)

    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, stop)
    default = echo if options.reply is None else options.reply
    provider = ModelProvider(
        host=options.host, port=options.port, default=default, compress=options.compress
    )
    try:
        provider.start()
    except OSError as error:
        where = f"{options.host}:{options.port}"
        parser.error(f"cannot listen on {where}: {error.strerror or error}")
    for name, value in provider.env().items():
        sys.stdout.write(f"export {name}={value}\n")
    sys.stdout.write(f"# What it billed: {provider.url}/ledger\n")
    sys.stdout.flush()
    over.get()
    provider.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
