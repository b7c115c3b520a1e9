-- One row per task and way of counting: the last good calls, one of which is what a person reads.
-- Kept by the fold. A person reads the last good main call of the outermost agent; where that one calls no
-- model itself, the last good call of the agent that it hands the work to. Only a later call changes that.
--   task_id         id of the task
--   judged          whether the calls count depends on other spans, so it may change when more arrive
--   is_marked       the user has marked a call that a person reads
--   has_main        there is a main call, good or not
--   main_call       the last good main call: its place, and what sums are made of
--   subagent_call   the last good call of a sub-agent, likewise
SELECT
    candidate.task_id,
    candidate.judged,
    bool_or(coalesce(candidate.visible, FALSE)) AS is_marked,
    bool_or(coalesce(candidate.answer_role = 'main', FALSE)) AS has_main,
    max(candidate.call) FILTER (WHERE candidate.answer_role = 'main' AND candidate.is_good) AS main_call,
    max(candidate.call) FILTER (
        WHERE candidate.answer_role = 'subagent' AND candidate.is_good
    ) AS subagent_call
FROM (
    SELECT
        counted_call.task_id,
        counted_call.judged,
        counted_call.visible,
        counted_call.answer_role,
        counted_call.status <> 'error'
        AND coalesce(counted_call.outcome, '') <> 'interrupted'
        AND coalesce(counted_call.visible, TRUE) AS is_good,
        {
            -- Calls of the task itself stand beside those of its root agent.
            'height': -greatest(counted_call.agent_depth, 1),
            'start_ns': counted_call.start_ns,
            'span_id': counted_call.span_id,
            'started_at': counted_call.started_at,
            'region': counted_call.region,
            'provider': counted_call.provider,
            'model': counted_call.model,
            'agent': counted_call.agent,
            'agent_depth': counted_call.agent_depth,
            'role': counted_call.role,
            'visible': counted_call.visible,
            'status': counted_call.status,
            'usage': counted_call.usage,
            'capture': counted_call.capture,
            'outcome': counted_call.outcome,
            'judged': counted_call.judged,
            'attempt': counted_call.attempt,
            'total_tokens': counted_call.total_tokens,
            'input_tokens': counted_call.input_tokens,
            'cache_read_tokens': counted_call.cache_read_tokens,
            'cache_write_tokens': counted_call.cache_write_tokens,
            'cache_write_1h_tokens': counted_call.cache_write_1h_tokens,
            'output_tokens': counted_call.output_tokens,
            'reasoning_tokens': counted_call.reasoning_tokens,
            'input_audio_tokens': counted_call.input_audio_tokens,
            'input_image_tokens': counted_call.input_image_tokens,
            'output_audio_tokens': counted_call.output_audio_tokens,
            'output_image_tokens': counted_call.output_image_tokens,
            'n_u': counted_call.n_u,
            'n_c': counted_call.n_c,
            'n_o': counted_call.n_o,
            'duration_ns': counted_call.duration_ns,
            'cost_usd': counted_call.cost_usd
        } AS call
    FROM counted_call
) AS candidate
GROUP BY candidate.task_id, candidate.judged
