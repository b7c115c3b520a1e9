"""LangChain's own usage callback, registered for every run of the process."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from importlib.metadata import version
from pathlib import Path
from typing import Any

from agenttrace.conformance.tracers import Row

_TASK: ContextVar[tuple[str, str] | None] = ContextVar("task", default=None)


class LangChainUsage:
    """``UsageMetadataCallbackHandler``; the program itself says in which task it is."""

    def configure(self, folder: Path) -> None:
        """Register the handler."""
        try:
            from langchain_core.callbacks import UsageMetadataCallbackHandler
            from langchain_core.tracers.context import register_configure_hook
        except ImportError:
            return

        class Handler(UsageMetadataCallbackHandler):
            def on_llm_end(self, response: Any, **kwargs: Any) -> None:
                with self._lock:
                    self.usage_metadata = {}
                super().on_llm_end(response, **kwargs)
                for model, usage in self.usage_metadata.items():
                    _write(folder, model, usage)

        # One handler for the whole process, in every context.
        variable: ContextVar[Any] = ContextVar("usage", default=Handler())  # noqa: B039
        register_configure_hook(variable, inheritable=True)

    def frame(self, kind: str, name: str, **_: Any) -> AbstractContextManager[Any]:
        """Remember the task; the handler knows no agents."""
        return _task(name) if kind == "task" else nullcontext()

    def environ(self) -> dict[str, str]:
        """Return the environment as it is."""
        return dict(os.environ)

    def rows(self, folder: Path) -> Sequence[Row]:
        """Return a row for each answer that the handler was told the usage of."""
        lines = [line for path in folder.glob("*.jsonl") for line in path.read_text().splitlines()]
        found: list[dict[str, Any]] = sorted(map(json.loads, lines), key=lambda one: one["at"])
        return [Row(**one["row"]) for one in found]

    def version(self) -> str:
        """Return the version of langchain-core."""
        return f"langchain-core {version('langchain-core')}"


@contextmanager
def _task(name: str) -> Any:
    token = _TASK.set((name, f"{time.monotonic_ns()}"))
    try:
        yield
    finally:
        _TASK.reset(token)


def _write(folder: Path, model: str, usage: Mapping[str, Any]) -> None:
    task, task_id = _TASK.get() or (None, None)
    read: Mapping[str, Any] = usage.get("input_token_details") or {}
    made: Mapping[str, Any] = usage.get("output_token_details") or {}
    said: dict[str, Any] = {
        "model": model,
        "task": task,
        "task_id": task_id,
        "input_tokens": usage.get("input_tokens"),
        "output_tokens": usage.get("output_tokens"),
        "cache_read_tokens": read.get("cache_read"),
        "cache_write_tokens": read.get("cache_creation"),
        "reasoning_tokens": made.get("reasoning"),
    }
    with (folder / f"{os.getpid()}.jsonl").open("a") as file:
        file.write(f"{json.dumps({'at': time.time_ns(), 'row': said})}\n")
