"""Metrics for Prometheus: what the home holds, by model, role and workload, and how receiving goes.

The sums are of the store, where every call counts once, however often it was told. They are read
at most every few seconds, and a counter never goes down: where a better telling of a call lowers a
sum, its counter waits until the sum has caught up.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from agenttrace import __version__
from agenttrace.server.receiver import Receiver, spool_size

logger: Final = logging.getLogger("agenttrace")

EVERY_SECONDS: Final = 10.0
MODELS_AT_MOST: Final = 200
"""Models told apart, the first that are seen; the others count as ``other``."""

TOKEN_KINDS: Final = (
    "input_uncached",
    "cache_read",
    "cache_write",
    "output_visible",
    "reasoning",
)
_BOUNDS: Final = ("low", "central", "high")

# Energy of a model is shared among its roles and workloads by what each of them would be estimated
# to use, so that the parts of a range add up to the model's own range, whatever was measured of it.
_SUMS: Final = """
WITH of_group AS (
    SELECT
        call_rollup.provider,
        call_rollup.model,
        call_rollup.role,
        coalesce(task_workload.workload, 'agentic') AS workload,
        sum(call_rollup.calls)::BIGINT AS calls,
        CASE WHEN sum(call_rollup.input_tokens_calls) > 0
            THEN sum(call_rollup.input_uncached_tokens) END AS input_uncached,
        CASE WHEN sum(call_rollup.cache_read_tokens_calls) > 0
            THEN sum(call_rollup.cache_read_tokens) END AS cache_read,
        CASE WHEN sum(call_rollup.cache_write_tokens_calls) > 0
            THEN sum(call_rollup.cache_write_tokens) END AS cache_write,
        CASE WHEN sum(call_rollup.output_tokens_calls) > 0
            THEN sum(call_rollup.output_tokens - call_rollup.reasoning_tokens)
            END AS output_visible,
        CASE WHEN sum(call_rollup.reasoning_tokens_calls) > 0
            THEN sum(call_rollup.reasoning_tokens) END AS reasoning,
        sum(
            call_rollup.uncached * model_factor.j_uncached
            + call_rollup.uncached_context_x2 / 2 * model_factor.j_uncached_context
            + call_rollup.cached * model_factor.j_cached
            + call_rollup.output * model_factor.j_output
            + call_rollup.output_context_x2 / 2 * model_factor.j_output_context
        ) AS weight
    FROM call_rollup
    LEFT JOIN task_workload ON call_rollup.task_id = task_workload.task_id
    LEFT JOIN model_factor
        ON
            call_rollup.provider IS NOT DISTINCT FROM model_factor.provider
            AND call_rollup.model IS NOT DISTINCT FROM model_factor.model
            AND model_factor.basis = 'estimated'
    GROUP BY ALL
),

of_model AS (
    SELECT of_group.provider, of_group.model, sum(of_group.weight) AS weight
    FROM of_group
    GROUP BY ALL
)

SELECT
    coalesce(of_group.model, 'unknown') AS model,
    of_group.role,
    of_group.workload,
    sum(of_group.calls)::BIGINT AS calls,
    sum(of_group.input_uncached)::BIGINT AS input_uncached,
    sum(of_group.cache_read)::BIGINT AS cache_read,
    sum(of_group.cache_write)::BIGINT AS cache_write,
    sum(of_group.output_visible)::BIGINT AS output_visible,
    sum(of_group.reasoning)::BIGINT AS reasoning,
    sum(model_energy.energy_low_wh * of_group.weight / nullif(of_model.weight, 0)) AS low,
    sum(model_energy.energy_wh * of_group.weight / nullif(of_model.weight, 0)) AS central,
    sum(model_energy.energy_high_wh * of_group.weight / nullif(of_model.weight, 0)) AS high
FROM of_group
INNER JOIN of_model
    ON
        of_group.provider IS NOT DISTINCT FROM of_model.provider
        AND of_group.model IS NOT DISTINCT FROM of_model.model
LEFT JOIN model_energy
    ON
        of_group.provider IS NOT DISTINCT FROM model_energy.provider
        AND of_group.model IS NOT DISTINCT FROM model_energy.model
GROUP BY ALL
ORDER BY ALL
"""


class Kind(NamedTuple):
    """What calls are told apart by."""

    model: str
    role: str
    workload: str


class Sums(NamedTuple):
    """What the store says.

    Attributes:
        rows: Calls, tokens by kind and Wh by bound, of each kind of call.
        boundary: Of the Wh.
    """

    rows: Mapping[Kind, Mapping[str, float]]
    boundary: str


def read_sums(home: Path) -> Sums:
    """Return what the store of *home* holds, after bringing it up to date.

    Raises:
        AgentTraceError: It cannot be read.
    """
    # DuckDB is loaded only where somebody asks for metrics.
    from agenttrace.reader import Reader

    with Reader(home) as reader:
        found = reader.query(_SUMS)
        boundary = str(reader.pricing.boundary)
    rows: dict[Kind, Mapping[str, float]] = {}
    for row in found:
        kind = Kind(str(row.pop("model")), str(row.pop("role")), str(row.pop("workload")))
        # What nobody knows, be it energy or a kind of tokens, is not the same as none.
        rows[kind] = {name: float(value) for name, value in row.items() if value is not None}
    return Sums(rows, boundary)


class Rising:
    """Counters that never go down, with a bounded number of models."""

    def __init__(self, models: int = MODELS_AT_MOST) -> None:
        self._models_at_most = models
        self._models: set[str] = set()
        self._highest: dict[Kind, dict[str, float]] = {}

    def take(self, rows: Mapping[Kind, Mapping[str, float]]) -> Mapping[Kind, Mapping[str, float]]:
        """Return the highest that each counter has been, *rows* included."""
        summed: dict[Kind, dict[str, float]] = {}
        for kind, values in rows.items():
            into = summed.setdefault(kind._replace(model=self._bounded(kind.model)), {})
            for name, value in values.items():
                into[name] = into.get(name, 0.0) + value
        for kind, values in summed.items():
            highest = self._highest.setdefault(kind, {})
            for name, value in values.items():
                highest[name] = max(highest.get(name, 0.0), value)
        return self._highest

    def _bounded(self, model: str) -> str:
        if model not in self._models and len(self._models) >= self._models_at_most:
            return "other"
        self._models.add(model)
        return model


class Metrics:
    """What is told when somebody asks; calling it returns the text and its content type."""

    def __init__(
        self,
        receiver: Receiver,
        *,
        read: Callable[[Path], Sums] = read_sums,
        every_s: float = EVERY_SECONDS,
    ) -> None:
        self._receiver = receiver
        self._read = read
        self._every_s = every_s
        self._lock = threading.Lock()
        self._rising = Rising()
        self._rows: Mapping[Kind, Mapping[str, float]] = {}
        self._boundary = ""
        self._read_at: float | None = None
        self._failures = 0
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def __call__(self) -> tuple[bytes, str]:
        """Return the text, and its content type."""
        with self._lock:
            self._refresh()
            return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics, as prometheus_client wants them."""
        yield from self._of_store()
        yield from self._of_receiver()
        yield from self._of_forwarding()

    def _refresh(self) -> None:
        now = time.monotonic()
        if self._read_at is not None and now - self._read_at < self._every_s:
            return
        try:
            sums = self._read(self._receiver.home)
        except Exception as error:  # noqa: BLE001 - the receiver's own metrics are still good
            self._failures += 1
            logger.warning("agenttrace could not read the store: %s", type(error).__name__)
        else:
            self._rows, self._boundary = self._rising.take(sums.rows), sums.boundary
        self._read_at = time.monotonic()

    def _of_store(self) -> Iterator[Metric]:
        calls = _counter("agenttrace_calls", "Model calls, each attempt once.", Kind._fields)
        tokens = _counter(
            "agenttrace_tokens",
            "Tokens of model calls; the kinds do not overlap.",
            (*Kind._fields, "kind"),
        )
        energy = {
            bound: _counter(
                "agenttrace_energy_wh" if bound == "central" else f"agenttrace_energy_{bound}_wh",
                f"Estimated energy in Wh, {bound}, at the boundary {self._boundary or 'unknown'}.",
                Kind._fields,
            )
            for bound in _BOUNDS
        }
        for kind, values in self._rows.items():
            calls.add_metric(kind, values["calls"])
            for name in TOKEN_KINDS:
                if name in values:
                    tokens.add_metric((*kind, name), values[name])
            for bound in values.keys() & energy.keys():
                energy[bound].add_metric(kind, values[bound])
        yield from (calls, tokens, *energy.values())
        failures = _counter("agenttrace_store_failures", "Times the store could not be read.")
        failures.add_metric((), self._failures)
        yield failures

    def _of_receiver(self) -> Iterator[Metric]:
        counts, room = self._receiver.counts, self._receiver.room
        told: list[tuple[str, str, tuple[str, ...], Mapping[tuple[str, ...], int]]] = [
            (
                "requests",
                "Requests, by what became of them.",
                ("signal", "transport", "outcome"),
                counts.requests,
            ),
            ("bytes", "Bytes accepted, as sent.", ("signal", "transport"), counts.bytes),
            ("records", "Spans, log records and points accepted.", ("signal",), counts.records),
            ("rejected", "Those rejected.", ("signal", "reason"), counts.rejected),
        ]
        for name, doc, labels, values in told:
            family = _counter(f"agenttrace_receiver_{name}", doc, labels)
            for key, value in values.items():
                family.add_metric(key, value)
            yield family
        spool = spool_size(self._receiver.home / "spool")
        yield _gauge("agenttrace_spool_bytes", "Bytes of the spool's files.", spool["bytes"])
        yield _gauge("agenttrace_waiting_requests", "Requests on their way.", room.requests)
        yield _gauge("agenttrace_waiting_bytes", "Bytes on their way.", room.bytes)
        version = GaugeMetricFamily("agenttrace", "The receiver.", labels=["version"])
        version.name = "agenttrace_info"
        version.add_metric([__version__], 1)
        yield version

    def _of_forwarding(self) -> Iterator[Metric]:
        forwarding = self._receiver.forwarding
        if forwarding is None:
            return
        family = _counter(
            "agenttrace_forward_requests",
            "Requests passed on, by what became of them.",
            ["outcome"],
        )
        family.add_metric(["sent"], forwarding.sent)
        family.add_metric(["refused"], forwarding.refused)
        family.add_metric(["dropped"], forwarding.dropped)
        yield family
        yield _gauge(
            "agenttrace_forward_waiting_bytes", "Bytes to be passed on.", forwarding.waiting_bytes
        )


def _counter(name: str, doc: str, labels: Iterable[str] = ()) -> Any:
    return CounterMetricFamily(name, doc, labels=list(labels))


def _gauge(name: str, doc: str, value: float) -> Metric:
    return GaugeMetricFamily(name, doc, value=value)
