"""Build the report on the models that were called."""

from typing import Final

from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.sums import Row, held
from agenttrace.report.values import ModelsReport, ModelUse, Percentiles

_NS_PER_MS: Final = 1e6

_MODELS: Final = """
SELECT
    model_tokens.*,
    model_energy.* EXCLUDE (provider, model, calls),
    model_energy.energy_wh / nullif(sum(model_energy.energy_wh) OVER (), 0) AS energy_share,
    duration.p50 AS duration_p50,
    duration.p95 AS duration_p95,
    first_token.p50 AS first_token_p50,
    first_token.p95 AS first_token_p95
FROM model_tokens
INNER JOIN model_energy
    ON
        model_tokens.provider IS NOT DISTINCT FROM model_energy.provider
        AND model_tokens.model IS NOT DISTINCT FROM model_energy.model
LEFT JOIN model_percentile AS duration
    ON
        model_tokens.provider IS NOT DISTINCT FROM duration.provider
        AND model_tokens.model IS NOT DISTINCT FROM duration.model
        AND duration.measure = 'duration_ns'
LEFT JOIN model_percentile AS first_token
    ON
        model_tokens.provider IS NOT DISTINCT FROM first_token.provider
        AND model_tokens.model IS NOT DISTINCT FROM first_token.model
        AND first_token.measure = 'time_to_first_token_ns'
ORDER BY model_energy.energy_wh DESC NULLS LAST, model_tokens.provider, model_tokens.model
"""


def models_report(reader: Reader) -> ModelsReport:
    """Report on every model that was called.

    Args:
        reader: An open reader.
    """
    with held(reader, "call_total", *sums.SHARED):
        (row,) = reader.query("totals")
        return ModelsReport(
            store=str(reader.home),
            first_started_at=sums.moment(row["first_started_at"]),
            last_started_at=sums.moment(row["last_started_at"]),
            totals=sums.totals(reader),
            models=tuple(map(_model, reader.query(_MODELS))),
            coverage=sums.coverage(reader),
            method=sums.method(reader),
            warnings=sums.warnings(reader),
        )


def _model(row: Row) -> ModelUse:
    tokens = sums.tokens(row)
    return ModelUse(
        provider=row["provider"],
        model=row["model"],
        model_class=row["class"],
        known=row["known"],
        match_reason=row["match_reason"],
        calls=row["calls"],
        hidden_calls=row["hidden_calls"],
        hidden_share=row["hidden_calls"] / row["calls"],
        failed_calls=row["failed_calls"],
        retried_calls=row["retry_calls"],
        estimated_calls=row["estimated_calls"],
        unpriced_calls=row["calls_unpriced"],
        tokens=tokens,
        cached_share=_share(tokens.cache_read, tokens.input),
        energy_wh=sums.energy_wh(row),
        energy_share=row["energy_share"],
        carbon_g=sums.carbon_g(row),
        duration_ms=_percentiles(row["duration_p50"], row["duration_p95"]),
        time_to_first_token_ms=_percentiles(row["first_token_p50"], row["first_token_p95"]),
    )


def _share(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else part / whole


def _percentiles(p50_ns: float | None, p95_ns: float | None) -> Percentiles | None:
    if p50_ns is None or p95_ns is None:
        return None
    return Percentiles(p50_ns / _NS_PER_MS, p95_ns / _NS_PER_MS)
