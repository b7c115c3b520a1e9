"""Send the current invocation along in a message's headers, and hold it while the worker works."""

import contextlib
from collections.abc import Generator
from typing import Any, ClassVar, Final

import agenttrace
from agenttrace.integration import Instrumentor, extract, guarded, inject

_HEADER: Final = "agenttrace"
_HELD: Final = "_agenttrace_held"


class CeleryInstrumentor(Instrumentor):
    """Listens to Celery's signals around the sending and the running of a task."""

    distribution: ClassVar = "celery"
    module: ClassVar = "celery.signals"
    hook: ClassVar = "signals"
    tested: ClassVar = ("5.4", "5.7")

    @contextlib.contextmanager
    def hooked(self) -> Generator[None]:
        """Take part in what is sent and run from now on."""
        from celery import signals

        # The meter has to be in place before the first request.
        agenttrace.configure()
        heard = (
            (signals.before_task_publish, _send),
            (signals.task_prerun, _begin),
            (signals.task_postrun, _end),
            (signals.worker_process_shutdown, _flush),
        )
        for signal, listener in heard:
            signal.connect(listener, weak=False)
        try:
            yield
        finally:
            for signal, listener in heard:
                signal.disconnect(listener)


@guarded("a Celery message")
def _send(headers: dict[str, Any] | None = None, **_: object) -> None:
    fields = inject()
    if headers is not None and fields:
        headers[_HEADER] = fields


@guarded("a Celery task")
def _begin(task: Any = None, **_: object) -> None:
    # Celery keeps the headers of the message as attributes of the request.
    fields = task.request.get(_HEADER)
    around = extract(fields) if isinstance(fields, dict) else None
    if around is not None:
        around.attach()
        setattr(task.request, _HELD, around)


@guarded("a Celery task")
def _end(task: Any = None, **_: object) -> None:
    around = task.request.get(_HELD)
    if around is not None:
        around.detach()


@guarded("the end of a Celery worker")
def _flush(**_: object) -> None:
    # A worker process leaves without its exit handlers.
    agenttrace.flush()
