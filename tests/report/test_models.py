from pathlib import Path

import pytest

from agenttrace.reader import Reader
from agenttrace.report.models import models_report
from agenttrace.report.overview import overview
from agenttrace.report.values import ModelsReport
from tests.builders import add, agent, chat, spans, task


def reported(home: Path) -> ModelsReport:
    with Reader(home) as reader:
        return models_report(reader)


@pytest.fixture(scope="module")
def home_of_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    add(
        home,
        spans(
            task(
                "research",
                agent(
                    "lead",
                    chat(input=4000, output=400, cache_read=3000),
                    chat(input=1000, output=70, usage="estimated"),
                    chat(status="error", operation_id="o"),
                    chat(input=5000, output=500, operation_id="o", attempt=2),
                    chat(input=10, output=5, provider="acme", model="zorg-9"),
                ),
            ),
        ),
    )
    return home


def test_each_model_has_a_line_with_the_sums_worked_out_by_hand(home_of_two: Path):
    first, second = reported(home_of_two).models
    assert (first.provider, first.model, first.model_class) == ("openai", "gpt-5", "large")
    # The last call of the lead is the answer, and that is the one of zorg-9.
    assert (first.calls, first.hidden_calls, first.hidden_share) == (4, 4, 1.0)
    assert (first.failed_calls, first.retried_calls) == (1, 1)
    assert (first.estimated_calls, first.unpriced_calls) == (1, 1)
    assert (first.tokens.input, first.tokens.cache_read, first.tokens.output) == (
        10_000,
        3_000,
        970,
    )
    assert first.cached_share == pytest.approx(0.3)
    assert (second.model, second.known, second.hidden_share) == ("zorg-9", False, 0.0)
    assert second.cached_share is None


def test_the_models_are_those_of_the_overview(home_of_two: Path):
    with Reader(home_of_two) as reader:
        models, whole = models_report(reader), overview(reader)
    assert [(line.model, line.calls, line.energy_wh) for line in models.models] == [
        (line.model, line.calls, line.energy_wh) for line in whole.models
    ]
    assert (models.totals, models.coverage, models.warnings) == (
        whole.totals,
        whole.coverage,
        whole.warnings,
    )
    assert sum(line.energy_share or 0 for line in models.models) == pytest.approx(1)


def test_half_of_the_calls_take_at_most_the_median_and_the_tail_is_told(home: Path):
    calls = spans(
        *(
            chat(input=1, output=1, **{"gen_ai.response.time_to_first_chunk": waited / 1000})
            for waited in (100, 200, 300, 400, 5000)
        )
    )
    for lasted, record in enumerate(calls[:5], start=1):
        record["end_ns"] = record["start_ns"] + lasted * 1_000_000_000
    add(home, calls)
    (line,) = reported(home).models
    assert line.duration_ms is not None
    assert line.time_to_first_token_ms is not None
    assert (line.duration_ms.p50, line.duration_ms.p95) == pytest.approx((3000, 5000), rel=0.011)
    assert (line.time_to_first_token_ms.p50, line.time_to_first_token_ms.p95) == pytest.approx(
        (300, 5000), rel=0.011
    )


def test_without_calls_there_are_no_models(home: Path):
    report = reported(home)
    assert (report.models, report.totals.calls) == ((), 0)


def test_what_no_call_says_is_not_known(home: Path):
    add(home, spans(chat(model=None, provider=None)))
    (line,) = reported(home).models
    assert (line.model, line.tokens.total, line.energy_wh) == (None, None, None)
    assert (line.energy_share, line.time_to_first_token_ms) == (None, None)
