-- Roll-ups: rows of the queries of these names, kept so that reports need not look at calls. Rows of one key
-- add up; `agenttrace store compact` makes one row of them. Old spans are looked at once, at the next fold.
ALTER TABLE part ADD COLUMN judged_spans BIGINT;
ALTER TABLE part ADD COLUMN placed_spans BIGINT;
ALTER TABLE part ADD COLUMN fetches BIGINT;
ALTER TABLE part ADD COLUMN bytes BIGINT;
COMMENT ON COLUMN part.file IS 'Path in lake/spans.';
COMMENT ON COLUMN part.judged_spans IS 'Spans in the file that count as a call or not by what else is recorded.';
COMMENT ON COLUMN part.placed_spans IS 'Those of them of which the spans around tell: they were not seen at the wire.';
COMMENT ON COLUMN part.fetches IS 'Those of them that fetch what earlier calls have used.';
COMMENT ON COLUMN part.bytes IS 'Size of the file.';
COMMENT ON COLUMN meta.key IS 'schema_version, written_by (version of agenttrace), definitions (of the roll-ups), compacted_rows, pruned_before (day, UTC).';

CREATE TABLE call_sum (
    task_id VARCHAR,
    hour TIMESTAMP,
    region VARCHAR,
    provider VARCHAR,
    model VARCHAR,
    agent VARCHAR,
    agent_depth INTEGER,
    role VARCHAR,
    visible BOOLEAN,
    status VARCHAR,
    usage VARCHAR,
    capture VARCHAR,
    outcome VARCHAR,
    judged BOOLEAN,
    calls BIGINT,
    retry_calls BIGINT,
    unpriced_calls BIGINT,
    total_tokens BIGINT,
    total_tokens_calls BIGINT,
    input_tokens BIGINT,
    input_tokens_calls BIGINT,
    input_uncached_tokens BIGINT,
    cache_read_tokens BIGINT,
    cache_read_tokens_calls BIGINT,
    cache_write_tokens BIGINT,
    cache_write_tokens_calls BIGINT,
    cache_write_1h_tokens BIGINT,
    cache_write_1h_tokens_calls BIGINT,
    output_tokens BIGINT,
    output_tokens_calls BIGINT,
    reasoning_tokens BIGINT,
    reasoning_tokens_calls BIGINT,
    input_audio_tokens BIGINT,
    input_audio_tokens_calls BIGINT,
    input_image_tokens BIGINT,
    input_image_tokens_calls BIGINT,
    output_audio_tokens BIGINT,
    output_audio_tokens_calls BIGINT,
    output_image_tokens BIGINT,
    output_image_tokens_calls BIGINT,
    uncached BIGINT,
    uncached_context_x2 HUGEINT,
    cached BIGINT,
    output BIGINT,
    output_context_x2 HUGEINT,
    output_calls BIGINT,
    duration_ns HUGEINT,
    duration_ns_calls BIGINT,
    cost_usd DECIMAL(38, 9),
    cost_usd_calls BIGINT,
    first_started_at TIMESTAMP,
    last_started_at TIMESTAMP
);
COMMENT ON TABLE call_sum IS 'One row per task, hour and kind of model call: exact sums over the calls, none of a price or a factor.';
COMMENT ON COLUMN call_sum.task_id IS 'task of the calls; the trace id where no task was recorded.';
COMMENT ON COLUMN call_sum.hour IS 'hour in which they started, UTC.';
COMMENT ON COLUMN call_sum.region IS 'cloud region, where the host tells.';
COMMENT ON COLUMN call_sum.provider IS 'who answered, as gen_ai.provider.name.';
COMMENT ON COLUMN call_sum.model IS 'model that answered, else the one that was asked for.';
COMMENT ON COLUMN call_sum.agent IS 'name of the nearest enclosing agent.';
COMMENT ON COLUMN call_sum.agent_depth IS 'agents around the call: 0 none, 1 inside the root agent.';
COMMENT ON COLUMN call_sum.role IS 'main, subagent, tool, retry, summary, title, router, guard, embedding, ...';
COMMENT ON COLUMN call_sum.visible IS 'marked by the user: a person reads the output or not; NULL where nobody said.';
COMMENT ON COLUMN call_sum.status IS 'ok, error or unset.';
COMMENT ON COLUMN call_sum.usage IS 'who says the tokens: reported, partial, estimated or missing.';
COMMENT ON COLUMN call_sum.capture IS 'what saw the calls: wire, frame, otlp or log.';
COMMENT ON COLUMN call_sum.outcome IS 'complete, incomplete, abandoned or interrupted; NULL where nothing says.';
COMMENT ON COLUMN call_sum.judged IS 'whether they count depends on other spans, so it may change when more arrive.';
COMMENT ON COLUMN call_sum.calls IS 'model calls.';
COMMENT ON COLUMN call_sum.retry_calls IS 'calls that are not the first attempt of their operation.';
COMMENT ON COLUMN call_sum.unpriced_calls IS 'calls whose usage lacks a side.';
COMMENT ON COLUMN call_sum.total_tokens IS 'sum of input and output together.';
COMMENT ON COLUMN call_sum.total_tokens_calls IS 'calls that report a side of it.';
COMMENT ON COLUMN call_sum.input_tokens IS 'sum of the tokens sent, cache reads and writes included.';
COMMENT ON COLUMN call_sum.input_tokens_calls IS 'calls that report input_tokens.';
COMMENT ON COLUMN call_sum.input_uncached_tokens IS 'sum of the part of input_tokens neither read from a cache nor written to one.';
COMMENT ON COLUMN call_sum.cache_read_tokens IS 'sum of the part of input_tokens read from a prompt cache.';
COMMENT ON COLUMN call_sum.cache_read_tokens_calls IS 'calls that report cache_read_tokens.';
COMMENT ON COLUMN call_sum.cache_write_tokens IS 'sum of the part of input_tokens written to a prompt cache.';
COMMENT ON COLUMN call_sum.cache_write_tokens_calls IS 'calls that report cache_write_tokens.';
COMMENT ON COLUMN call_sum.cache_write_1h_tokens IS 'sum of the part of cache_write_tokens kept for an hour.';
COMMENT ON COLUMN call_sum.cache_write_1h_tokens_calls IS 'calls that report cache_write_1h_tokens.';
COMMENT ON COLUMN call_sum.output_tokens IS 'sum of the tokens generated, reasoning included.';
COMMENT ON COLUMN call_sum.output_tokens_calls IS 'calls that report output_tokens.';
COMMENT ON COLUMN call_sum.reasoning_tokens IS 'sum of the part of output_tokens that is reasoning.';
COMMENT ON COLUMN call_sum.reasoning_tokens_calls IS 'calls that report reasoning_tokens.';
COMMENT ON COLUMN call_sum.input_audio_tokens IS 'sum of the part of input_tokens that is audio.';
COMMENT ON COLUMN call_sum.input_audio_tokens_calls IS 'calls that report input_audio_tokens.';
COMMENT ON COLUMN call_sum.input_image_tokens IS 'sum of the part of input_tokens that is images.';
COMMENT ON COLUMN call_sum.input_image_tokens_calls IS 'calls that report input_image_tokens.';
COMMENT ON COLUMN call_sum.output_audio_tokens IS 'sum of the part of output_tokens that is audio.';
COMMENT ON COLUMN call_sum.output_audio_tokens_calls IS 'calls that report output_audio_tokens.';
COMMENT ON COLUMN call_sum.output_image_tokens IS 'sum of the part of output_tokens that is images.';
COMMENT ON COLUMN call_sum.output_image_tokens_calls IS 'calls that report output_image_tokens.';
COMMENT ON COLUMN call_sum.uncached IS 'sum of n_u: input tokens not read from a cache.';
COMMENT ON COLUMN call_sum.uncached_context_x2 IS 'sum of n_u * (2 * n_c + n_u), twice the moment.';
COMMENT ON COLUMN call_sum.cached IS 'sum of n_c: input tokens read from a cache.';
COMMENT ON COLUMN call_sum.output IS 'sum of n_o: output tokens, reasoning included.';
COMMENT ON COLUMN call_sum.output_context_x2 IS 'sum of n_o * (2 * (n_c + n_u) + n_o), twice the moment.';
COMMENT ON COLUMN call_sum.output_calls IS 'calls whose n_o is known: reported, or none by nature.';
COMMENT ON COLUMN call_sum.duration_ns IS 'sum of nanoseconds from the request to the end of the response.';
COMMENT ON COLUMN call_sum.duration_ns_calls IS 'calls whose duration is known.';
COMMENT ON COLUMN call_sum.cost_usd IS 'sum of US dollars that providers say they charged.';
COMMENT ON COLUMN call_sum.cost_usd_calls IS 'calls that say what they cost.';
COMMENT ON COLUMN call_sum.first_started_at IS 'start of the first of them, UTC.';
COMMENT ON COLUMN call_sum.last_started_at IS 'start of the last of them, UTC.';

CREATE TABLE call_answer (
    task_id VARCHAR,
    judged BOOLEAN,
    is_marked BOOLEAN,
    has_main BOOLEAN,
    main_call STRUCT(height INTEGER, start_ns BIGINT, span_id VARCHAR, started_at TIMESTAMP, region VARCHAR, provider VARCHAR, model VARCHAR, agent VARCHAR, agent_depth INTEGER, "role" VARCHAR, visible BOOLEAN, status VARCHAR, usage VARCHAR, capture VARCHAR, outcome VARCHAR, judged BOOLEAN, attempt INTEGER, total_tokens BIGINT, input_tokens BIGINT, cache_read_tokens BIGINT, cache_write_tokens BIGINT, cache_write_1h_tokens BIGINT, output_tokens BIGINT, reasoning_tokens BIGINT, input_audio_tokens BIGINT, input_image_tokens BIGINT, output_audio_tokens BIGINT, output_image_tokens BIGINT, n_u BIGINT, n_c BIGINT, n_o BIGINT, duration_ns BIGINT, cost_usd DOUBLE),
    subagent_call STRUCT(height INTEGER, start_ns BIGINT, span_id VARCHAR, started_at TIMESTAMP, region VARCHAR, provider VARCHAR, model VARCHAR, agent VARCHAR, agent_depth INTEGER, "role" VARCHAR, visible BOOLEAN, status VARCHAR, usage VARCHAR, capture VARCHAR, outcome VARCHAR, judged BOOLEAN, attempt INTEGER, total_tokens BIGINT, input_tokens BIGINT, cache_read_tokens BIGINT, cache_write_tokens BIGINT, cache_write_1h_tokens BIGINT, output_tokens BIGINT, reasoning_tokens BIGINT, input_audio_tokens BIGINT, input_image_tokens BIGINT, output_audio_tokens BIGINT, output_image_tokens BIGINT, n_u BIGINT, n_c BIGINT, n_o BIGINT, duration_ns BIGINT, cost_usd DOUBLE)
);
COMMENT ON TABLE call_answer IS 'One row per task and way of counting: the last good calls, one of which is what a person reads.';
COMMENT ON COLUMN call_answer.task_id IS 'id of the task.';
COMMENT ON COLUMN call_answer.judged IS 'whether the calls count depends on other spans, so it may change when more arrive.';
COMMENT ON COLUMN call_answer.is_marked IS 'the user has marked a call that a person reads.';
COMMENT ON COLUMN call_answer.has_main IS 'there is a main call, good or not.';
COMMENT ON COLUMN call_answer.main_call IS 'the last good main call: its place, and what sums are made of.';
COMMENT ON COLUMN call_answer.subagent_call IS 'the last good call of a sub-agent, likewise.';

CREATE TABLE task_sum (
    task_id VARCHAR,
    spans BIGINT,
    structure_spans BIGINT,
    agents BIGINT,
    tools BIGINT,
    judged_spans BIGINT,
    placed_spans BIGINT,
    interrupted_spans BIGINT,
    is_cut_off BOOLEAN,
    task_name STRUCT("at" BIGINT, says VARCHAR),
    session_id STRUCT("at" BIGINT, says VARCHAR),
    service_name STRUCT("at" BIGINT, says VARCHAR),
    workload STRUCT("at" BIGINT, says VARCHAR),
    status STRUCT("at" BIGINT, says VARCHAR),
    headless BOOLEAN,
    start_ns BIGINT,
    end_ns BIGINT
);
COMMENT ON TABLE task_sum IS 'One row per task: what its spans say about it.';
COMMENT ON COLUMN task_sum.task_id IS 'id of the task; the trace id where no task was recorded.';
COMMENT ON COLUMN task_sum.spans IS 'its spans, those that say nothing about structure included.';
COMMENT ON COLUMN task_sum.structure_spans IS 'tasks, agents, tools, steps and model calls among them.';
COMMENT ON COLUMN task_sum.agents IS 'agents that ran, repeated runs counted.';
COMMENT ON COLUMN task_sum.tools IS 'tool calls.';
COMMENT ON COLUMN task_sum.judged_spans IS 'spans that count as a call or not by what else is recorded.';
COMMENT ON COLUMN task_sum.placed_spans IS 'those of them of which the spans around tell: they were not seen at the wire.';
COMMENT ON COLUMN task_sum.interrupted_spans IS 'spans that were cut off with their process.';
COMMENT ON COLUMN task_sum.is_cut_off IS 'its root span is one of them; NULL where it has none.';
COMMENT ON COLUMN task_sum.task_name IS 'name of the task.';
COMMENT ON COLUMN task_sum.session_id IS 'conversation of the task.';
COMMENT ON COLUMN task_sum.service_name IS 'service.name of the process that recorded its first span.';
COMMENT ON COLUMN task_sum.workload IS 'agentic or user-facing.';
COMMENT ON COLUMN task_sum.status IS 'ok, error or unset, of its root span.';
COMMENT ON COLUMN task_sum.headless IS 'nobody reads the answer; NULL where nothing says.';
COMMENT ON COLUMN task_sum.start_ns IS 'start of its first span, nanoseconds since 1970-01-01 UTC.';
COMMENT ON COLUMN task_sum.end_ns IS 'end of its last span, nanoseconds since 1970-01-01 UTC.';

CREATE TABLE call_histogram (
    task_id VARCHAR,
    judged BOOLEAN,
    day DATE,
    provider VARCHAR,
    model VARCHAR,
    measure VARCHAR,
    bucket SMALLINT,
    calls BIGINT
);
COMMENT ON TABLE call_histogram IS 'One row per day, model, measure and bucket of a logarithmic histogram: how many calls fall into it.';
COMMENT ON COLUMN call_histogram.task_id IS 'task of the calls where they are judged; NULL for all others together.';
COMMENT ON COLUMN call_histogram.judged IS 'whether they count depends on other spans, so it may change when more arrive.';
COMMENT ON COLUMN call_histogram.day IS 'day on which they started, UTC.';
COMMENT ON COLUMN call_histogram.provider IS 'who answered.';
COMMENT ON COLUMN call_histogram.model IS 'model that answered, else the one that was asked for.';
COMMENT ON COLUMN call_histogram.measure IS 'duration_ns, time_to_first_token_ns, or tokens of a kind: uncached, cached, output.';
COMMENT ON COLUMN call_histogram.bucket IS 'round(50 * ln(value)); NULL for a value of zero.';
COMMENT ON COLUMN call_histogram.calls IS 'model calls.';

CREATE TABLE call_total (
    region VARCHAR,
    provider VARCHAR,
    model VARCHAR,
    role VARCHAR,
    hidden BOOLEAN,
    status VARCHAR,
    usage VARCHAR,
    capture VARCHAR,
    outcome VARCHAR,
    calls BIGINT,
    retry_calls BIGINT,
    unpriced_calls BIGINT,
    total_tokens BIGINT,
    total_tokens_calls BIGINT,
    input_tokens BIGINT,
    input_tokens_calls BIGINT,
    input_uncached_tokens BIGINT,
    cache_read_tokens BIGINT,
    cache_read_tokens_calls BIGINT,
    cache_write_tokens BIGINT,
    cache_write_tokens_calls BIGINT,
    cache_write_1h_tokens BIGINT,
    cache_write_1h_tokens_calls BIGINT,
    output_tokens BIGINT,
    output_tokens_calls BIGINT,
    reasoning_tokens BIGINT,
    reasoning_tokens_calls BIGINT,
    input_audio_tokens BIGINT,
    input_audio_tokens_calls BIGINT,
    input_image_tokens BIGINT,
    input_image_tokens_calls BIGINT,
    output_audio_tokens BIGINT,
    output_audio_tokens_calls BIGINT,
    output_image_tokens BIGINT,
    output_image_tokens_calls BIGINT,
    uncached BIGINT,
    uncached_context_x2 HUGEINT,
    cached BIGINT,
    output BIGINT,
    output_context_x2 HUGEINT,
    output_calls BIGINT,
    duration_ns HUGEINT,
    duration_ns_calls BIGINT,
    cost_usd DECIMAL(38, 9),
    cost_usd_calls BIGINT,
    first_started_at TIMESTAMP,
    last_started_at TIMESTAMP
);
COMMENT ON TABLE call_total IS 'One row per kind of model call and whether it is hidden: exact sums over all tasks and hours.';
COMMENT ON COLUMN call_total.region IS 'cloud region, where the host tells.';
COMMENT ON COLUMN call_total.provider IS 'who answered, as gen_ai.provider.name.';
COMMENT ON COLUMN call_total.model IS 'model that answered, else the one that was asked for.';
COMMENT ON COLUMN call_total.role IS 'main, subagent, tool, retry, summary, title, router, guard, embedding, ...';
COMMENT ON COLUMN call_total.hidden IS 'nobody reads the output as the answer of the task.';
COMMENT ON COLUMN call_total.status IS 'ok, error or unset.';
COMMENT ON COLUMN call_total.usage IS 'who says the tokens: reported, partial, estimated or missing.';
COMMENT ON COLUMN call_total.capture IS 'what saw the calls: wire, frame, otlp or log.';
COMMENT ON COLUMN call_total.outcome IS 'complete, incomplete, abandoned or interrupted; NULL where nothing says.';
COMMENT ON COLUMN call_total.calls IS 'model calls.';
COMMENT ON COLUMN call_total.retry_calls IS 'calls that are not the first attempt of their operation.';
COMMENT ON COLUMN call_total.unpriced_calls IS 'calls whose usage lacks a side.';
COMMENT ON COLUMN call_total.total_tokens IS 'sum of input and output together.';
COMMENT ON COLUMN call_total.total_tokens_calls IS 'calls that report a side of it.';
COMMENT ON COLUMN call_total.input_tokens IS 'sum of the tokens sent, cache reads and writes included.';
COMMENT ON COLUMN call_total.input_tokens_calls IS 'calls that report input_tokens.';
COMMENT ON COLUMN call_total.input_uncached_tokens IS 'sum of the part of input_tokens neither read from a prompt cache nor written to one.';
COMMENT ON COLUMN call_total.cache_read_tokens IS 'sum of the part of input_tokens read from a prompt cache.';
COMMENT ON COLUMN call_total.cache_read_tokens_calls IS 'calls that report cache_read_tokens.';
COMMENT ON COLUMN call_total.cache_write_tokens IS 'sum of the part of input_tokens written to a prompt cache.';
COMMENT ON COLUMN call_total.cache_write_tokens_calls IS 'calls that report cache_write_tokens.';
COMMENT ON COLUMN call_total.cache_write_1h_tokens IS 'sum of the part of cache_write_tokens kept for an hour.';
COMMENT ON COLUMN call_total.cache_write_1h_tokens_calls IS 'calls that report cache_write_1h_tokens.';
COMMENT ON COLUMN call_total.output_tokens IS 'sum of the tokens generated, reasoning included.';
COMMENT ON COLUMN call_total.output_tokens_calls IS 'calls that report output_tokens.';
COMMENT ON COLUMN call_total.reasoning_tokens IS 'sum of the part of output_tokens that is reasoning.';
COMMENT ON COLUMN call_total.reasoning_tokens_calls IS 'calls that report reasoning_tokens.';
COMMENT ON COLUMN call_total.input_audio_tokens IS 'sum of the part of input_tokens that is audio.';
COMMENT ON COLUMN call_total.input_audio_tokens_calls IS 'calls that report input_audio_tokens.';
COMMENT ON COLUMN call_total.input_image_tokens IS 'sum of the part of input_tokens that is images.';
COMMENT ON COLUMN call_total.input_image_tokens_calls IS 'calls that report input_image_tokens.';
COMMENT ON COLUMN call_total.output_audio_tokens IS 'sum of the part of output_tokens that is audio.';
COMMENT ON COLUMN call_total.output_audio_tokens_calls IS 'calls that report output_audio_tokens.';
COMMENT ON COLUMN call_total.output_image_tokens IS 'sum of the part of output_tokens that is images.';
COMMENT ON COLUMN call_total.output_image_tokens_calls IS 'calls that report output_image_tokens.';
COMMENT ON COLUMN call_total.uncached IS 'sum of n_u: input tokens not read from a cache.';
COMMENT ON COLUMN call_total.uncached_context_x2 IS 'sum of n_u * (2 * n_c + n_u), twice the moment.';
COMMENT ON COLUMN call_total.cached IS 'sum of n_c: input tokens read from a cache.';
COMMENT ON COLUMN call_total.output IS 'sum of n_o: output tokens, reasoning included.';
COMMENT ON COLUMN call_total.output_context_x2 IS 'sum of n_o * (2 * (n_c + n_u) + n_o), twice the moment.';
COMMENT ON COLUMN call_total.output_calls IS 'calls whose n_o is known: reported, or none by nature.';
COMMENT ON COLUMN call_total.duration_ns IS 'sum of nanoseconds from the request to the end of the response.';
COMMENT ON COLUMN call_total.duration_ns_calls IS 'calls whose duration is known.';
COMMENT ON COLUMN call_total.cost_usd IS 'sum of US dollars that providers say they charged.';
COMMENT ON COLUMN call_total.cost_usd_calls IS 'calls that say what they cost.';
COMMENT ON COLUMN call_total.first_started_at IS 'start of the first of them, UTC.';
COMMENT ON COLUMN call_total.last_started_at IS 'start of the last of them, UTC.';

CREATE TABLE task_total (
    task_id VARCHAR,
    provider VARCHAR,
    model VARCHAR,
    hidden_calls BIGINT,
    estimated_calls BIGINT,
    calls BIGINT,
    unpriced_calls BIGINT,
    total_tokens BIGINT,
    total_tokens_calls BIGINT,
    input_tokens_calls BIGINT,
    uncached BIGINT,
    uncached_context_x2 HUGEINT,
    cached BIGINT,
    output BIGINT,
    output_context_x2 HUGEINT,
    output_calls BIGINT,
    first_started_at TIMESTAMP
);
COMMENT ON TABLE task_total IS 'One row per task and model: the exact sums that its line in a report and its energy are made of.';
COMMENT ON COLUMN task_total.task_id IS 'task of the calls; the trace id where no task was recorded.';
COMMENT ON COLUMN task_total.provider IS 'who answered, as gen_ai.provider.name.';
COMMENT ON COLUMN task_total.model IS 'model that answered, else the one that was asked for.';
COMMENT ON COLUMN task_total.hidden_calls IS 'calls whose output nobody reads as the answer of the task.';
COMMENT ON COLUMN task_total.estimated_calls IS 'calls whose tokens agenttrace estimated.';
COMMENT ON COLUMN task_total.calls IS 'model calls.';
COMMENT ON COLUMN task_total.unpriced_calls IS 'calls whose usage lacks a side.';
COMMENT ON COLUMN task_total.total_tokens IS 'sum of input and output together.';
COMMENT ON COLUMN task_total.total_tokens_calls IS 'calls that report a side of it.';
COMMENT ON COLUMN task_total.input_tokens_calls IS 'calls that report input_tokens.';
COMMENT ON COLUMN task_total.uncached IS 'sum of n_u: input tokens not read from a cache.';
COMMENT ON COLUMN task_total.uncached_context_x2 IS 'sum of n_u * (2 * n_c + n_u), twice the moment.';
COMMENT ON COLUMN task_total.cached IS 'sum of n_c: input tokens read from a cache.';
COMMENT ON COLUMN task_total.output IS 'sum of n_o: output tokens, reasoning included.';
COMMENT ON COLUMN task_total.output_context_x2 IS 'sum of n_o * (2 * (n_c + n_u) + n_o), twice the moment.';
COMMENT ON COLUMN task_total.output_calls IS 'calls whose n_o is known: reported, or none by nature.';
COMMENT ON COLUMN task_total.first_started_at IS 'start of the first of them, UTC.';

CREATE TABLE model_histogram (
    provider VARCHAR,
    model VARCHAR,
    measure VARCHAR,
    bucket SMALLINT,
    calls BIGINT
);
COMMENT ON TABLE model_histogram IS 'One row per model, measure and bucket of a logarithmic histogram: how many calls fall into it, on all days.';
COMMENT ON COLUMN model_histogram.provider IS 'who answered.';
COMMENT ON COLUMN model_histogram.model IS 'model that answered, else the one that was asked for.';
COMMENT ON COLUMN model_histogram.measure IS 'duration_ns, time_to_first_token_ns, or tokens of a kind: uncached, cached, output.';
COMMENT ON COLUMN model_histogram.bucket IS 'round(50 * ln(value)); NULL for a value of zero.';
COMMENT ON COLUMN model_histogram.calls IS 'model calls.';
