"""OTLP over gRPC: the three collector services, for the bytes of their messages."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, cast

import grpc
from opentelemetry.proto.collector.logs.v1 import (  # pyright: ignore[reportMissingTypeStubs]
    logs_service_pb2,
)
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from agenttrace.errors import ConfigError
from agenttrace.server import answers, bodies
from agenttrace.server.guard import Guard
from agenttrace.server.keeping import Message
from agenttrace.server.limits import Limits
from agenttrace.server.receiver import Receiver
from agenttrace.server.refusals import FAILED, RefusedError, Why
from agenttrace.sources.otlp import Signal

logger: Final = logging.getLogger("agenttrace")

_DETAILS: Final = "grpc-status-details-bin"  # where clients look for a google.rpc.Status
_SERVICES: Final[dict[Signal, tuple[Any, str]]] = {
    "traces": (trace_service_pb2, "TraceService"),
    "logs": (logs_service_pb2, "LogsService"),
    "metrics": (metrics_service_pb2, "MetricsService"),
}
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


def server(limits: Limits) -> grpc.Server:
    """Return a server that listens nowhere yet and has no services."""
    return grpc.server(
        ThreadPoolExecutor(limits.calls_at_once, thread_name_prefix="agenttrace-grpc"),
        options=[
            ("grpc.max_receive_message_length", limits.body_bytes),
            ("grpc.so_reuseport", 0),  # Two receivers on one port would each get a part.
        ],
    )


def listen(rpc: grpc.Server, addresses: Sequence[str], port: int) -> int:
    """Listen on *addresses*, with one port for all.

    Returns:
        The port, which was chosen if *port* is 0.

    Raises:
        ConfigError: The port is taken.
    """
    for address in addresses:
        where = f"[{address}]" if ":" in address else address
        try:
            port = rpc.add_insecure_port(f"{where}:{port}")
        except RuntimeError as error:
            raise ConfigError(
                f"port {port} of {address} cannot be listened on. Choose another with --grpc-port."
            ) from error
    return port


def serve(rpc: grpc.Server, receiver: Receiver, guard: Guard) -> None:
    """Give *rpc* the services; it serves once it is started."""
    for signal, (module, name) in _SERVICES.items():
        service = module.DESCRIPTOR.services_by_name[name]
        # Without a deserializer the bytes come as they are, to be passed on as they are.
        export: Any = _exporting(receiver, guard, signal)
        methods = {"Export": cast("Any", grpc).unary_unary_rpc_method_handler(export)}
        handler = grpc.method_handlers_generic_handler(service.full_name, methods)
        rpc.add_generic_rpc_handlers((handler,))


def _exporting(
    receiver: Receiver, guard: Guard, signal: Signal
) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    def export(body: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            why = guard.refusal(None, _authorization(context))
            if why is not None:
                raise RefusedError(why)
            return _received(receiver, signal, body)
        except RefusedError as error:
            why = error.why
        except Exception as error:  # noqa: BLE001 - an error's text may cite what was sent
            logger.warning("agenttrace failed at a request: %s", type(error).__name__)
            why = FAILED
        receiver.counts.refused(signal, "grpc", why.reason)
        return _refuse(context, why)

    return export


def _received(receiver: Receiver, signal: Signal, body: bytes) -> bytes:
    message = Message(signal, bodies.PROTOBUF, "", body)
    with receiver.room.taken() as taken:
        taken.grow(len(body))
        taking = receiver.take(signal, message, taken)
        taking.kept.result()
    receiver.acknowledged(signal, "grpc", message, taking.read)
    return answers.accepted(signal, taking.read).SerializeToString()


def _refuse(context: grpc.ServicerContext, why: Why) -> bytes:
    details = answers.refused(why).SerializeToString()
    context.set_trailing_metadata(((_DETAILS, details),))
    context.set_code(_CODES[why.code])
    context.set_details(why.message)
    return b""


def _authorization(context: grpc.ServicerContext) -> str | None:
    for key, value in context.invocation_metadata() or ():
        if key == "authorization":
            return value if isinstance(value, str) else None
    return None
