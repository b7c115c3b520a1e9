-- One row per model, measure and bucket of a logarithmic histogram: how many calls fall into it, on all days.
-- Kept by the fold, for percentiles. A bucket is 2 % wide: the values around exp(bucket / 50).
--   provider   who answered
--   model      model that answered, else the one that was asked for
--   measure    duration_ns, time_to_first_token_ns, or tokens of a kind: uncached, cached, output
--   bucket     round(50 * ln(value)); NULL for a value of zero
--   calls      model calls
SELECT
    call_histogram.provider,
    call_histogram.model,
    call_histogram.measure,
    call_histogram.bucket,
    sum(call_histogram.calls)::BIGINT AS calls
FROM call_histogram
GROUP BY call_histogram.provider, call_histogram.model, call_histogram.measure, call_histogram.bucket
