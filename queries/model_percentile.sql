-- One row per model and measure: its median and its tail, within 1 %.
--   provider   who answered
--   model      model that answered, else the one that was asked for
--   measure    duration_ns, time_to_first_token_ns, or tokens of a kind in a call: uncached, cached, output
--   calls      model calls that report it
--   p50        half of them have at most this, nanoseconds or tokens
--   p95        19 in 20 have at most this
--   p99        99 in 100 have at most this
WITH
bucket AS (
    SELECT
        model_histogram.provider,
        model_histogram.model,
        model_histogram.measure,
        coalesce(exp(model_histogram.bucket / 50), 0) AS value,
        model_histogram.calls
    FROM model_histogram
),

ranked AS (
    SELECT
        bucket.*,
        sum(bucket.calls) OVER (PARTITION BY bucket.provider, bucket.model, bucket.measure) AS all_calls,
        sum(bucket.calls) OVER (
            PARTITION BY bucket.provider, bucket.model, bucket.measure
            ORDER BY bucket.value
        ) AS calls_so_far
    FROM bucket
)

SELECT
    ranked.provider,
    ranked.model,
    ranked.measure,
    max(ranked.all_calls)::BIGINT AS calls,
    min(ranked.value) FILTER (WHERE ranked.calls_so_far >= 0.50 * ranked.all_calls) AS p50,
    min(ranked.value) FILTER (WHERE ranked.calls_so_far >= 0.95 * ranked.all_calls) AS p95,
    min(ranked.value) FILTER (WHERE ranked.calls_so_far >= 0.99 * ranked.all_calls) AS p99
FROM ranked
GROUP BY ranked.provider, ranked.model, ranked.measure
