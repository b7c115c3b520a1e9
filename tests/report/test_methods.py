import functools
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from agenttrace.cli import commands
from agenttrace.compare import methods
from agenttrace.compare.ecologits_library import opinion
from agenttrace.energy import shipped
from agenttrace.energy.catalogue import entry
from agenttrace.energy.pricing import Pricing
from agenttrace.errors import QueryError
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report.methods import MethodLine, MethodsReport, methods_report
from agenttrace.report.models import models_report
from agenttrace.report.text import to_text
from tests.builders import add, agent, chat, spans, task

SECOND = 0.5  # how long a call of the builders lasts


@functools.cache  # a report is frozen, and nothing is recorded after it
def reported(home: Path, task_id: str | None = None, pricing: Pricing | None = None):
    with Reader(home, pricing=pricing or Pricing()) as reader:
        return methods_report(reader, task_id)


def lines(report: MethodsReport) -> dict[str, MethodLine]:
    return {line.method: line for line in report.lines}


def ends(value: Range | None) -> tuple[float, float, float]:
    assert value is not None
    return value.low, value.central, value.high


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
                    chat(input=10_000, output=400, cache_read=6_000, cache_write=1_000),
                    chat(status="error"),
                    chat(input=2_000, output=100),
                ),
            ),
            task("greet", chat(input=500, output=300, provider="acme", model="zorg-9")),
        ),
    )
    return home


def test_the_methods_stand_side_by_side_with_ours_first(home_of_two: Path):
    report = reported(home_of_two)
    assert [line.method for line in report.lines] == [
        "agenttrace", "ecologits", "price", "per-prompt", "per-prompt-visible",
    ]  # fmt: skip
    assert (report.calls, report.compared_calls, report.visible_calls) == (4, 3, 2)
    for line in report.lines:
        low, central, high = ends(line.energy_wh)
        assert 0 < low <= central <= high
        assert line.boundary == "facility"
        assert line.ignores
        assert line.times_ours == pytest.approx(central / ends(line.ours_wh)[1])
        assert line.sources or line.method == "agenttrace"


def test_ours_are_those_of_the_report_on_models(home_of_two: Path):
    with Reader(home_of_two) as reader:
        whole, by_model = methods_report(reader), models_report(reader)
    assert ends(lines(whole)["agenttrace"].energy_wh) == pytest.approx(
        ends(by_model.totals.energy_wh)
    )


def test_price_is_worked_by_hand(home_of_two: Path):
    # Uncached 3,000 + 2,000 + 500, written 1,000, read 6,000, out 800:
    # (5,500 * 390 + 1,000 * 490 + 6,000 * 39 + 800 * 1,950) / 1e6 = 4.429 Wh.
    line = lines(reported(home_of_two))["price"]
    assert line.calls == 3
    assert ends(line.energy_wh)[1] == pytest.approx(4.429)


def test_a_prompt_for_each_call_and_for_each_that_a_person_reads(home_of_two: Path):
    found = lines(reported(home_of_two))
    assert ends(found["per-prompt"].energy_wh) == pytest.approx((0.54, 0.72, 2.01))
    assert ends(found["per-prompt-visible"].energy_wh) == pytest.approx((0.36, 0.48, 1.34))


def test_ecologits_answers_for_the_models_it_knows_and_ours_is_of_the_same_calls(
    home_of_two: Path,
):
    line = lines(reported(home_of_two))["ecologits"]
    assert (line.calls, line.unknown_models) == (2, ("zorg-9",))
    research = lines(reported(home_of_two, "research"))
    assert ends(line.ours_wh) == pytest.approx(ends(research["agenttrace"].energy_wh))
    each = [
        opinion(entry("gpt-5", shipped()), output_tokens=n, latency_s=SECOND) for n in (400, 100)
    ]
    assert ends(line.energy_wh)[1] == pytest.approx(
        sum(one.energy_wh.central for one in each if one)
    )


def test_models_that_ecologits_does_not_know_have_no_figure_rather_than_zero(home_of_two: Path):
    report = reported(home_of_two)
    found = {line.model: line for line in report.models}
    assert found["zorg-9"].ecologits_wh is None
    assert found["zorg-9"].price_wh == pytest.approx((500 * 390 + 300 * 1_950) / 1e6)
    only = lines(reported(home_of_two, "greet"))["ecologits"]
    assert (only.calls, only.energy_wh, only.ours_wh, only.times_ours) == (0, None, None, None)


def test_hardware_is_apart_and_says_how_many_calls_it_is_for(home_of_two: Path):
    report = reported(home_of_two)
    assert report.embodied is not None
    assert report.embodied.calls == 2
    assert reported(home_of_two, "greet").embodied is None


def test_the_models_add_up_to_the_whole(home_of_two: Path):
    report = reported(home_of_two)
    found = lines(report)
    assert sum(line.ours_wh for line in report.models) == pytest.approx(
        ends(found["agenttrace"].energy_wh)[1]
    )
    assert sum(line.price_wh for line in report.models) == pytest.approx(
        ends(found["price"].energy_wh)[1]
    )


def test_tasks_add_up_to_the_whole(home_of_two: Path):
    whole, *parts = (lines(reported(home_of_two, name)) for name in (None, "research", "greet"))
    for method in ("agenttrace", "price", "per-prompt", "per-prompt-visible"):
        added = sum(ends(part[method].energy_wh)[1] for part in parts)
        assert ends(whole[method].energy_wh)[1] == pytest.approx(added)


def test_a_task_is_named_by_the_beginning_of_its_id(home_of_two: Path):
    report = reported(home_of_two, "res")
    assert (report.task_id, report.compared_calls) == ("research", 2)
    with pytest.raises(QueryError, match="no task begins with 'nobody'"):
        reported(home_of_two, "nobody")


def test_ours_are_at_the_boundary_asked_for_and_others_say_their_own(home_of_two: Path):
    report = reported(home_of_two, pricing=Pricing(boundary="accelerator"))
    assert "ours cover the accelerator and the others the facility" in report.warnings[-1]
    found = lines(report)
    assert [line.boundary for line in found.values()] == ["accelerator", *["facility"] * 4]
    whole = lines(reported(home_of_two))
    assert ends(found["agenttrace"].energy_wh)[1] < ends(whole["agenttrace"].energy_wh)[1]
    assert found["price"].energy_wh == whole["price"].energy_wh


def test_calls_that_generate_nothing_by_nature_are_compared(home: Path):
    add(
        home,
        spans(
            task(
                "index",
                chat(operation="embeddings", input=900, model="text-embedding-3-small"),
            )
        ),
    )
    report = reported(home)
    assert report.compared_calls == 1
    assert lines(report)["ecologits"].unknown_models == ("text-embedding-3-small",)


def test_calls_of_a_deployment_are_compared_as_those_of_its_model(home: Path):
    home.mkdir()
    (home / "factors.toml").write_text('deployment."my-azure" = "gpt-5"', encoding="utf-8")
    add(home, spans(task("job", chat(input=900, output=300, model="my-azure"))))
    report = reported(home)
    said = opinion(entry("gpt-5", shipped()), output_tokens=300, latency_s=SECOND)
    assert said is not None
    assert lines(report)["ecologits"].unknown_models == ()
    assert ends(lines(report)["ecologits"].energy_wh) == pytest.approx(ends(said.energy_wh))
    assert report.embodied is not None
    assert report.embodied.gwp_kgco2e == said.hardware.gwp_kgco2e


def test_without_calls_there_is_nothing_to_compare(home: Path):
    report = reported(home)
    assert (report.calls, report.compared_calls, report.models) == (0, 0, ())
    assert all(line.energy_wh is None for line in report.lines)


def test_calls_without_usage_are_left_out_and_said(home: Path):
    add(home, spans(task("job", chat(status="error"))))
    report = reported(home)
    assert (report.calls, report.compared_calls) == (1, 0)
    text = to_text(report, Console(width=80))
    assert "None of 1 call reports both input and output." in text


def shown(report: MethodsReport) -> str:
    return " ".join(to_text(report, Console(width=80)).split())


def test_a_task_is_shown_under_its_name_and_unknown_hardware_is_said(home_of_two: Path):
    text = shown(reported(home_of_two, "greet"))
    assert text.startswith("agenttrace report methods greet 2025-10-09 ")
    assert "Hardware not known: EcoLogits has no figure for these calls" in text
    assert "EcoLogits 0 ? ? ? ?" in text


def test_hardware_by_our_parameters_is_said(home: Path):
    add(home, spans(task("job", chat(input=9, output=300, model="deepseek-v3"))))
    text = shown(reported(home))
    assert "1 by the parameters in our catalogue." in text
    assert "EcoLogits does not know deepseek-v3" in text


def test_no_calls_are_shown_as_none(home: Path):
    assert "No model call was recorded." in shown(reported(home))


# The command


def run(*words: str) -> Result:
    return CliRunner().invoke(commands, ["report", "methods", *words])


def test_text_fits_80_columns_and_says_what_each_ignores(
    home_of_two: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AGENTTRACE_HOME", str(home_of_two))
    result = run()
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    text = " ".join(result.stdout.split())
    for said in (
        "3 compared, 2 of them visible; 1 left out, which do not report both sides",
        "EcoLogits does not know zorg-9",
        "agenttrace, the same calls",
        "Making it, apart: in no other figure here.",
        methods.shipped().methods["per-prompt"].ignores.split(",")[0],
        "Couch 2026 (second-hand)",
    ):
        assert said in text


def test_json_is_the_report_field_by_field(home_of_two: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AGENTTRACE_HOME", str(home_of_two))
    told = json.loads(run("research", "--format", "json").stdout)
    assert (told["kind"], told["task_id"], told["compared_calls"]) == ("methods", "research", 2)
    assert list(told["lines"][0]["energy_wh"]) == ["low", "central", "high"]
    assert told["embodied"]["source"]["title"] == "EcoLogits, called as a library"


def test_an_unknown_task_is_one_line(home_of_two: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AGENTTRACE_HOME", str(home_of_two))
    result = run("nobody")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: no task begins with 'nobody'.")
