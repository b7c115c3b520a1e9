"""Plays a coding agent: sends telemetry with the real exporters, and prints a result.

It goes by variables and arguments, as the agents do; its name is the first argument.
"""

import itertools
import json
import os
import sys
import tomllib

from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource

CLAUDE_RESULT = {
    "type": "result",
    "session_id": "session-1",
    "result": "words that nobody keeps",
    "modelUsage": {
        "claude-opus-4-5": {"inputTokens": 4, "outputTokens": 50, "cacheReadInputTokens": 1000},
        "claude-haiku-4-5": {"inputTokens": 897, "outputTokens": 13, "costUSD": 0.001},
    },
}
CODEX_LINES = (
    {"type": "thread.started", "thread_id": "thread-1"},
    {"type": "turn.completed", "usage": {"input_tokens": 300, "output_tokens": 20}},
)


def send(endpoint: str, service: str, events: list[tuple[str, dict[str, str | int]]]) -> None:
    provider = LoggerProvider(Resource.create({"service.name": service}), shutdown_on_exit=False)
    exporter = OTLPLogExporter(endpoint=endpoint)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    is_claude = service == "claude-code"
    logger = provider.get_logger("com.anthropic.claude_code.events" if is_claude else "codex_otel")
    for name, attributes in events:
        logger.emit(LogRecord(event_name=name, body=name, attributes=attributes))
    provider.shutdown()


def claude() -> None:
    if os.environ.get("CLAUDE_CODE_ENABLE_TELEMETRY") == "1":
        common = {"session.id": "session-1", "prompt.id": "prompt-1"}
        opus = {"model": "claude-opus-4-5", "input_tokens": 4, "cache_read_tokens": 1000}
        haiku = {"model": "claude-haiku-4-5", "input_tokens": 897, "output_tokens": 13}
        send(
            os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/logs",
            "claude-code",
            [
                (
                    "claude_code.api_request",
                    {**common, **haiku, "request_id": "r1", "query_source": "quota"},
                ),
                (
                    "claude_code.api_request",
                    {**common, **opus, "output_tokens": 50, "request_id": "r2"},
                ),
            ],
        )
    print(json.dumps(CLAUDE_RESULT))


def codex(words: list[str]) -> None:
    told = [word for before, word in itertools.pairwise(words) if before == "-c"]
    said = tomllib.loads("\n".join(told)).get("otel", {})
    if "exporter" in said:
        send(
            said["exporter"]["otlp-http"]["endpoint"],
            "codex_exec",
            [
                (
                    "codex.sse_event",
                    {
                        "event.kind": "response.completed",
                        "conversation.id": "thread-1",
                        "model": "gpt-5.1-codex",
                        "input_token_count": "300",
                        "output_token_count": "20",
                    },
                )
            ],
        )
    for line in CODEX_LINES:
        print(json.dumps(line), flush=True)


if sys.argv[1] == "claude":
    claude()
else:
    codex(sys.argv[2:])
