"""Reports with round figures, to see how they are shown."""

from dataclasses import replace

from agenttrace.model import Range
from agenttrace.report.values import (
    AgentLine,
    Call,
    Coverage,
    Equivalent,
    Method,
    ModelLine,
    ModelsReport,
    ModelUse,
    Node,
    Overview,
    Percentiles,
    Place,
    RoleLine,
    Source,
    TaskLine,
    TaskReport,
    Tokens,
    Totals,
    Unreported,
)

TOTALS = Totals(
    calls=12,
    visible_calls=1,
    hidden_calls=11,
    hidden_tokens=9_000,
    estimated_calls=1,
    tokens=Tokens(
        total=12_000,
        input=10_000,
        input_uncached=4_000,
        cache_read=6_000,
        cache_write=None,
        output=2_000,
        output_visible=1_500,
        reasoning=500,
    ),
    unreported_calls=Unreported(input=1, cache_read=2, cache_write=12, output=1, reasoning=0),
    unpriced_calls=1,
    energy_wh=Range(0.5, 1.25, 4),
    hidden_energy_wh=1.0,
    carbon_g=Range(0.1, 0.6, 2),
    water_l=Range(0.001, 0.004, 0.03),
)

COVERAGE = Coverage(
    reported_calls=10,
    partial_calls=0,
    estimated_calls=1,
    missing_calls=1,
    missing_failed_calls=1,
    calls_by_capture={"wire": 11, "frame": 1},
    incomplete_calls=0,
    abandoned_calls=1,
    interrupted_calls=0,
    cut_off_tasks=0,
    failed_calls=1,
    retried_calls=1,
    quarantined_records=0,
    quarantined_by_reason={},
    lost_records=0,
    lost_by_reason={},
)

METHOD = Method(
    factor_set="0123456789ab",
    boundary="facility",
    draws=256,
    low_quantile=0.05,
    high_quantile=0.95,
    places=(
        Place(
            zone="WOR",
            resolution="world",
            energy_share=1.0,
            g_per_kwh=Range(40, 480, 800),
            l_per_kwh=Range(1.5, 4, 14),
            reason="nothing tells the place",
            title="Annual mixes",
            url="https://grid.example",
        ),
    ),
    measured_share=None,
    sources=(
        Source("A measurement", "Ada", 2025, "https://a.example", ("eps", "rho")),
        Source("Another", "Ada", 2025, "https://b.example", ("h",)),
        Source("A model card", "Grace", 2026, "https://c.example", ("jb",)),
    ),
)

OVERVIEW = Overview(
    store="/data",
    first_started_at="2026-11-22T10:00:00Z",
    last_started_at="2026-11-22T10:04:30Z",
    tasks=2,
    totals=TOTALS,
    equivalents=(
        Equivalent(
            persona="average",
            name="average user",
            prompts_per_day=3.67,
            input_tokens=500,
            output_tokens=300,
            model_class="large",
            model=None,
            user_days=Range(0.9, 2.8, 7.1),
            user_days_by_tokens=4.1,
            days=1.0,
            users=Range(0.9, 2.8, 7.1),
            users_by_tokens=4.1,
            title="A survey",
            year=2025,
            url="https://d.example",
        ),
        Equivalent(
            persona="heavy",
            name="heavy user",
            prompts_per_day=1000,
            input_tokens=500,
            output_tokens=300,
            model_class="large",
            model=None,
            user_days=Range(0.0033, 0.01, 0.026),
            user_days_by_tokens=0.015,
            days=1.0,
            users=Range(0.0033, 0.01, 0.026),
            users_by_tokens=0.015,
            title="Assumption: 1,000 prompts a day",
            year=None,
            url=None,
        ),
    ),
    roles=(
        RoleLine("main", 10, 9, 11_000, 1, 1.2, 0.96),
        RoleLine("tool", 1, 1, 1_000, 0, 0.05, 0.04),
        RoleLine("retry", 1, 1, None, 0, None, None),
    ),
    models=(
        ModelLine("openai", "gpt-5", 10, 11_000, 1, Range(0.4, 1.2, 3.5), "large", True, "by name"),
        ModelLine(
            "acme", "zorg-9", 1, 1_000, 0, Range(0.01, 0.05, 0.9), "unknown", False, "unknown"
        ),
        ModelLine(None, None, 1, None, 0, None, "unknown", False, "unknown"),
    ),
    top_tasks=(
        TaskLine(
            "0af7651916cd43dd8448eb211c80319c",
            "market research",
            False,
            "2026-11-22T10:00:00Z",
            11,
            10,
            11_000,
            1,
            Range(0.4, 1.2, 3.5),
        ),
    ),
    coverage=COVERAGE,
    method=METHOD,
    warnings=("model 'zorg-9' is not in the catalogue",),
)


def node(name: str, kind: str = "step", parent: str | None = None, **said: object) -> Node:
    """Return a node whose id is its name; without calls unless *said* has them."""
    fields: dict[str, object] = {
        "span_id": name,
        "parent_span_id": parent,
        "depth": 0,
        "kind": kind,
        "name": name,
        "agent": None,
        "status": "ok",
        "error_type": None,
        "is_interrupted": False,
        "started_at": "2026-11-22T10:00:00Z",
        "duration_ms": 1_500.0,
        "calls": 0,
        "failed_calls": 0,
        "estimated_calls": 0,
        "unreported_calls": 0,
        "input_tokens": None,
        "output_tokens": None,
        "energy_wh": None,
        "call": None,
    }
    return Node(**{**fields, **said})


def call(name: str, parent: str | None = None, **said: object) -> Node:
    """Return a hidden main call of gpt-5: 100 tokens in, 20 out, 0.01 Wh."""
    about: dict[str, object] = {
        "call_id": name,
        "operation_id": name,
        "operation": "chat",
        "role": "main",
        "hidden": True,
        "attempt": 1,
        "provider": "openai",
        "model": "gpt-5",
        "tokens": Tokens(120, 100, 100, None, None, 20, 20, None),
        "usage": "reported",
        "capture": "wire",
        "outcome": "complete",
        "http_status": 200,
        "time_to_first_token_ms": None,
        "measured_share": 0.0,
    }
    of_call = {key: value for key, value in said.items() if key in about}
    of_node = {key: value for key, value in said.items() if key not in about}
    sums = {"calls": 1, "input_tokens": 100, "output_tokens": 20, "energy_wh": 0.01}
    return node(
        name,
        "inference",
        parent,
        **{**sums, **of_node},
        call=Call(**{**about, **of_call}),
    )


TASK = TaskReport(
    store="/data",
    task_id="0af7651916cd43dd8448eb211c80319c",
    name="market research",
    workload="agentic",
    session_id=None,
    is_cut_off=False,
    started_at="2026-11-22T10:00:00Z",
    duration_ms=65_000,
    totals=TOTALS,
    coverage=COVERAGE,
    spans=6,
    pruned_before=None,
    nodes=(
        node(
            "market research",
            "task",
            duration_ms=65_000.0,
            calls=3,
            estimated_calls=1,
            input_tokens=300,
            output_tokens=20,
            energy_wh=0.03,
        ),
        node(
            "researcher",
            "agent",
            "market research",
            calls=3,
            estimated_calls=1,
            input_tokens=300,
            output_tokens=20,
            energy_wh=0.03,
        ),
        call(
            "first",
            "researcher",
            status="error",
            error_type="RateLimitError",
            http_status=429,
            usage="missing",
            outcome=None,
            input_tokens=None,
            output_tokens=None,
            energy_wh=None,
            failed_calls=1,
        ),
        call(
            "second",
            "researcher",
            attempt=2,
            role="retry",
            usage="estimated",
            estimated_calls=1,
            outcome="abandoned",
        ),
        node("search", "tool", "researcher", duration_ms=None),
        call("answer", "researcher", hidden=False, time_to_first_token_ms=420.0),
    ),
    agents=(),
    method=METHOD,
    warnings=(),
)


def agent_line(agent: str | None, depth: int, role: str, **said: object) -> AgentLine:
    """Return ten hidden calls of gpt-5: 1,000 tokens in, 200 out, 0.1 Wh."""
    fields: dict[str, object] = {
        "provider": "openai",
        "model": "gpt-5",
        "calls": 10,
        "hidden_calls": 10,
        "failed_calls": 0,
        "estimated_calls": 0,
        "input_tokens": 1_000,
        "output_tokens": 200,
        "energy_wh": 0.1,
    }
    return AgentLine(agent=agent, depth=depth, role=role, **{**fields, **said})


SUMMED_UP = replace(
    TASK,
    spans=30_000,
    nodes=(),
    agents=(
        agent_line(None, 0, "title", model="gpt-5-nano", calls=1, hidden_calls=1, energy_wh=0.001),
        agent_line("supervisor", 1, "main", hidden_calls=9, estimated_calls=1),
        agent_line("supervisor", 1, "router", model="gpt-5-mini", energy_wh=0.05),
        agent_line("researcher", 2, "subagent", energy_wh=0.2),
    ),
)

MODELS = ModelsReport(
    store="/data",
    first_started_at="2026-11-22T10:00:00Z",
    last_started_at="2026-11-22T10:04:30Z",
    totals=TOTALS,
    models=(
        ModelUse(
            provider="openai",
            model="gpt-5",
            model_class="large",
            known=True,
            match_reason="by name",
            calls=10,
            hidden_calls=9,
            hidden_share=0.9,
            failed_calls=0,
            retried_calls=1,
            estimated_calls=1,
            unpriced_calls=0,
            tokens=Tokens(11_000, 9_500, 3_500, 6_000, None, 1_500, 1_000, 500),
            cached_share=6_000 / 9_500,
            energy_wh=Range(0.4, 1.2, 3.5),
            energy_share=0.96,
            carbon_g=Range(0.1, 0.5, 1.8),
            duration_ms=Percentiles(1_900.0, 65_000.0),
            time_to_first_token_ms=Percentiles(420.0, 1_300.0),
        ),
        ModelUse(
            provider="acme",
            model="zorg-9",
            model_class="unknown",
            known=False,
            match_reason="unknown",
            calls=1,
            hidden_calls=1,
            hidden_share=1.0,
            failed_calls=0,
            retried_calls=0,
            estimated_calls=0,
            unpriced_calls=0,
            tokens=Tokens(1_000, 500, 500, None, None, 500, 500, None),
            cached_share=None,
            energy_wh=Range(0.01, 0.05, 0.9),
            energy_share=0.04,
            carbon_g=Range(0.01, 0.02, 0.4),
            duration_ms=Percentiles(2_500.0, 2_500.0),
            time_to_first_token_ms=None,
        ),
        ModelUse(
            provider=None,
            model=None,
            model_class="unknown",
            known=False,
            match_reason="unknown",
            calls=1,
            hidden_calls=1,
            hidden_share=1.0,
            failed_calls=1,
            retried_calls=0,
            estimated_calls=0,
            unpriced_calls=1,
            tokens=Tokens(None, None, None, None, None, None, None, None),
            cached_share=None,
            energy_wh=None,
            energy_share=None,
            carbon_g=None,
            duration_ms=None,
            time_to_first_token_ms=None,
        ),
    ),
    coverage=COVERAGE,
    method=METHOD,
    warnings=("model 'zorg-9' is not in the catalogue",),
)
