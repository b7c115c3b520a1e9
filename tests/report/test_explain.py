import io
import json
import shlex
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.cells import cell_len
from rich.console import Console

from agenttrace.cli import commands
from agenttrace.energy import measured
from agenttrace.energy.grid.importing import import_file
from agenttrace.energy.measured import Window
from agenttrace.energy.pricing import Pricing
from agenttrace.errors import QueryError
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report.explain import Explanation, explanation
from agenttrace.report.json import to_json
from agenttrace.report.models import models_report
from agenttrace.report.overview import overview
from agenttrace.report.task import task_report
from agenttrace.report.text import to_text
from tests.builders import SECOND_NS, START_NS, add, agent, chat, spans, task

FACILITY = Pricing()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    add(
        home,
        spans(
            task(
                "research",
                agent(
                    "lead",
                    chat(input=40_000, output=400, cache_read=30_000),
                    chat(input=50_000, output=70, cache_read=40_000, usage="estimated"),
                    chat(status="error", operation_id="o"),
                    chat(input=900, output=90, provider="anthropic", model="claude-haiku-4-5"),
                ),
            ),
            task("greet", chat(input=10, output=5, provider="acme", model="zorg-9")),
            task("resume", chat(input=10, output=5), chat(input=3, operation="embeddings")),
        ),
    )
    return home


@cache
def explained(home: Path, subject: str = "total", pricing: Pricing = FACILITY) -> Explanation:
    with Reader(home, pricing=pricing) as reader:
        return explanation(reader, subject)


def added(report: Explanation) -> float:
    return sum(term.energy_wh for model in report.models for term in model.terms)


def test_a_call_is_worked_out_by_hand(home: Path):
    """n_u = 40, n_c = 60, n_o = 20 on a model of class large with P = 37: see the lines below."""
    add(
        home,
        spans(
            chat(input=100, cache_read=60, output=20, provider="deepseek", model="deepseek-chat")
        ),
    )
    report = explained(home, "job-0000000100000002")
    assert (report.subject, report.id, report.calls) == ("call", "job-0000000100000002", 1)
    (model,) = report.models
    assert (model.model_class, model.energy_share) == ("large", 1.0)
    assert [term.units for term in model.terms] == [40, 3200, 60, 20, 2200]
    assert [term.energy_j for term in model.terms] == pytest.approx(
        [
            40 * 1.72 * 0.0035 * 37,
            3200 * 1.72 * 0.0035 * 37 / 50_000,
            60 * 1.72 * 0.0035 * 37 * 0.02,
            20 * 1.72 * model_decode(report),
            2200 * 1.72 * 1.9e-10 * model_cache(report),
        ]
    )
    assert report.energy_wh is not None
    assert added(report) == pytest.approx(report.energy_wh.central, rel=1e-12)


def model_decode(report: Explanation) -> float:
    return next(one.central for one in report.factors if one.symbol == "e_d")


def model_cache(report: Explanation) -> float:
    return next(one.central for one in report.factors if one.symbol == "KV")


def test_the_arithmetic_ends_at_what_the_report_says(recorded: Path):
    with Reader(recorded) as reader:
        whole, models = overview(reader), models_report(reader)
        report = explanation(reader)
    assert report.energy_wh == whole.totals.energy_wh
    assert report.carbon_g == whole.totals.carbon_g
    assert report.energy_wh is not None
    assert added(report) == pytest.approx(report.energy_wh.central, rel=1e-12)
    assert {
        (one.model, one.estimated_wh and one.estimated_wh.central) for one in report.models
    } == {(one.model, one.energy_wh and one.energy_wh.central) for one in models.models}
    assert (report.calls, report.unpriced_calls, report.estimated_calls) == (7, 1, 1)
    assert report.tokens == whole.totals.tokens


def test_a_model_has_the_range_of_the_report(recorded: Path):
    with Reader(recorded) as reader:
        said = {one.model: one.energy_wh for one in models_report(reader).models}
        found = {one.model: one.estimated_wh for one in explanation(reader).models}
    for model, energy_wh in said.items():
        assert energy_wh is not None
        mine = found[model]
        assert mine is not None
        assert (mine.low, mine.high) == pytest.approx((energy_wh.low, energy_wh.high), rel=1e-9)


def test_a_task_ends_at_what_its_report_says(recorded: Path):
    with Reader(recorded) as reader:
        said, report = task_report(reader, "research"), explanation(reader, "research")
    assert (report.subject, report.id, report.name) == ("task", "research", "research")
    assert report.energy_wh == said.totals.energy_wh
    assert report.energy_wh is not None
    assert added(report) == pytest.approx(report.energy_wh.central, rel=1e-12)
    assert report.tokens == said.totals.tokens


def test_calls_end_at_what_the_tree_says_and_add_up_to_their_task(recorded: Path):
    with Reader(recorded) as reader:
        said = task_report(reader, "research")
        calls = [node for node in said.nodes if node.call]
        found = [explanation(reader, node.call.call_id) for node in calls if node.call]
    energies = [one.energy_wh and one.energy_wh.central for one in found]
    assert energies == [node.energy_wh for node in calls]
    assert said.totals.energy_wh is not None
    assert sum(filter(None, energies)) == pytest.approx(said.totals.energy_wh.central, rel=1e-12)
    carbons = [one.carbon_g.central for one in found if one.carbon_g]
    assert said.totals.carbon_g is not None
    assert sum(carbons) == pytest.approx(said.totals.carbon_g.central, rel=1e-12)


def test_a_call_whose_usage_nobody_reports_is_not_priced(recorded: Path):
    with Reader(recorded) as reader:
        (row,) = reader.query("SELECT call_id FROM model_call WHERE status = 'error'")
        report = explanation(reader, row["call_id"])
    assert (report.energy_wh, report.carbon_g, report.water_l) == (None, None, None)
    assert (report.unpriced_calls, report.drivers) == (1, ())
    assert json.loads(to_json(report))["energy_wh"] is None


def test_the_beginning_of_an_id_is_enough(recorded: Path):
    assert explained(recorded, "gr").id == "greet"
    call = explained(recorded, "greet-").id
    assert call is not None
    span_id = call.removeprefix("greet-")
    assert explained(recorded, span_id).id == call
    assert explained(recorded, call[:-1]).id == call


@pytest.mark.parametrize("subject", ["TOTAL", "Total"])
def test_the_total_is_meant_in_capitals_as_well(recorded: Path, subject: str):
    assert explained(recorded, subject) == explained(recorded, "total")


def test_the_total_is_offered_where_nothing_begins_so(recorded: Path):
    with pytest.raises(QueryError, match="`total` is all of them"):
        explained(recorded, "nobody")


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("res", "2 tasks begin with 'res': research, resume. Give more of the id."),
        ("resume-", "2 calls begin with 'resume-': "),
        ("00000001", "7 calls begin with '00000001': "),
        ("nobody", "no task and no call begins with 'nobody'."),
        ("greet-x", "no call begins with 'greet-x', or what does is counted elsewhere."),
        ("", "say the id of a task or of a call, or `total`."),
    ],
)
def test_what_begins_nothing_or_too_much_is_an_error(recorded: Path, subject: str, said: str):
    with pytest.raises(QueryError) as raised:
        explained(recorded, subject)
    assert str(raised.value).startswith(said)


def test_every_factor_in_it_has_a_source_with_an_address(recorded: Path):
    report = explained(recorded)
    letters = {one.symbol for one in report.factors}
    assert letters == {"eps", "rho", "h", "jb", "M", "P", "e_d", "KV"}
    for factor in report.factors:
        assert factor.low <= factor.central <= factor.high
        assert factor.sources
        assert all(one.title and one.year and one.url and one.mark for one in factor.sources)
    used = {one.id: one.models for one in report.factors if one.symbol == "P"}
    assert ("zorg-9",) in used.values()


def test_shares_of_the_variance_and_the_rest_are_the_whole(recorded: Path):
    report = explained(recorded)
    alone = sum(one.share for one in report.drivers)
    assert alone + report.other_drivers_share + report.joint_share == pytest.approx(1)
    assert 1 < len(report.drivers) <= 6
    assert all(one.share >= 0.01 for one in report.drivers)
    assert report.other_drivers > 0
    shares = [one.share for one in report.drivers]
    assert shares == sorted(shares, reverse=True)
    for driver in report.drivers:
        assert report.energy_wh is not None
        assert driver.energy_if_known_wh.central == pytest.approx(report.energy_wh.central)
        assert driver.advice


def test_an_unknown_model_is_a_warning_where_it_was_used(recorded: Path):
    (warning,) = explained(recorded, "greet").warnings
    assert "'zorg-9'" in warning
    assert explained(recorded, "research").warnings == ()


def test_the_boundary_decides_the_formula_and_the_result(recorded: Path):
    chips = explained(recorded, "research", Pricing(boundary="accelerator"))
    all_of_it = explained(recorded, "research")
    assert chips.formula.startswith("E = eps*P*(")
    assert "M" not in {one.symbol for one in chips.factors}
    assert "s" in {
        one.symbol for one in explained(recorded, pricing=Pricing(boundary="server")).factors
    }
    assert chips.energy_wh is not None
    assert all_of_it.energy_wh is not None
    assert all_of_it.energy_wh.central == pytest.approx(1.72 * chips.energy_wh.central)
    assert added(chips) == pytest.approx(chips.energy_wh.central, rel=1e-12)


def test_places_say_where_and_why(recorded: Path):
    here = explained(recorded, "greet", Pricing(region="FR"))
    (place,) = here.places
    assert (place.zone, place.calls, place.energy_share) == ("FR", 1, 1.0)
    assert place.reason
    assert place.sources
    assert here.energy_wh is not None
    assert here.carbon_g is not None
    assert here.carbon_g.central == pytest.approx(
        here.energy_wh.central * place.g_per_kwh.central / 1000
    )
    assert here.water_l is not None
    assert here.water_l.central == pytest.approx(
        here.energy_wh.central * place.l_per_kwh.central / 1000
    )


def test_a_call_of_which_spans_are_pruned_is_explained_by_its_task(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Reader, "pruned_before", "2030-01-01")
    with pytest.raises(QueryError, match=r"were pruned. `agenttrace explain greet` explains"):
        explained(recorded, "greet-f")


def test_an_empty_store_has_nothing_to_explain(home: Path):
    report = explained(home)
    assert (report.calls, report.energy_wh, report.models, report.drivers) == (0, None, (), ())
    assert json.loads(to_json(report))["kind"] == "explain"


def test_ranges_hold_their_centre(recorded: Path):
    report = explained(recorded)
    ranges = [report.energy_wh, report.carbon_g, report.water_l]
    ranges += [one.estimated_wh for one in report.models]
    for value in ranges:
        assert isinstance(value, Range)
        assert value.low <= value.central <= value.high


def shown(report: Explanation, width: int = 80) -> str:
    return to_text(report, Console(file=io.StringIO(), width=width, highlight=False))


@pytest.mark.parametrize("subject", ["total", "greet", "greet-"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(recorded: Path, subject: str, width: int):
    text = shown(explained(recorded, subject), width)
    assert max(map(cell_len, text.splitlines())) <= width


def test_the_text_has_the_multiplication_and_its_result(home: Path):
    add(home, spans(chat(input=1000, output=200, provider="acme", model="claude-haiku-4-5")))
    text = shown(explained(home, "job"))
    (line,) = (one for one in text.splitlines() if one.strip().startswith("writing"))
    assert line.split() == ["writing", "48.16", "J", "13.38", "mWh", "28", "%"]
    assert "n_o * M*e_d = 200 * 1.72*0.14" in text
    assert "e_d" in text.partition("Factors, low / central / high")[2]
    assert "0.075 / 0.14 / 0.22 J/token; accelerator, derived, tiny.decode_j_per_token" in text


def test_names_cannot_steer_the_terminal(home: Path):
    add(home, spans(task("a\x1b[31mtask", chat(input=1, output=1, model="m\x1b[2J"))))
    assert "\x1b" not in shown(explained(home))


def test_a_part_that_was_measured_stands_beside_the_formula(home: Path):
    """A server window of 36 kJ over the whole of the only call: 10 Wh, and 12.2 at the facility."""
    add(home, spans(chat(input=1000, output=200, provider="vllm", model="claude-haiku-4-5")))
    half = SECOND_NS // 2
    start_ns = START_NS + 2 * SECOND_NS
    measured.add(home, [Window(start_ns, start_ns + half, 36_000.0, boundary="server")])
    report = explained(home)
    (model,) = report.models
    around = 1.72 / (1 + 0.58 * 0.72)
    assert model.measured_wh == pytest.approx(10 * around)
    assert report.energy_wh is not None
    assert report.energy_wh.central == pytest.approx(10 * around)
    assert added(report) == pytest.approx(0, abs=1e-9)
    assert any("was measured" in one for one in report.warnings)
    assert "measured" in shown(report)
    call = explained(home, "job-")
    assert call.energy_wh is not None
    assert call.energy_wh.central == pytest.approx(10 * around)
    assert added(call) == pytest.approx(0, abs=1e-9)


def test_of_a_call_that_was_measured_in_part_the_rest_is_estimated(home: Path):
    """The window covers half of the only call: half of each moment is left to the formula."""
    add(home, spans(chat(input=1000, output=200, provider="vllm", model="claude-haiku-4-5")))
    whole = added(explained(home, "job"))
    start_ns = START_NS + 2 * SECOND_NS
    measured.add(home, [Window(start_ns, start_ns + SECOND_NS // 4, 3600.0, boundary="facility")])
    explained.cache_clear()
    for subject in ("job", "job-"):
        report = explained(home, subject)
        assert added(report) == pytest.approx(whole / 2)
        assert report.energy_wh is not None
        assert report.energy_wh.central == pytest.approx(whole / 2 + 1)
        assert [one.measured_wh for one in report.models] == pytest.approx([1])


def metered(home: Path, joules: float, *, part: float = 1.0) -> None:
    """Record one call, and let a meter of the server see a part of it."""
    add(home, spans(chat(input=1000, output=200, provider="vllm", model="claude-haiku-4-5")))
    start_ns = START_NS + 2 * SECOND_NS
    end_ns = start_ns + round(part * SECOND_NS / 2)
    measured.add(home, [Window(start_ns, end_ns, joules, boundary="server")])
    explained.cache_clear()


@pytest.mark.parametrize("subject", ["job", "job-"])
def test_what_was_measured_elsewhere_is_as_uncertain_as_the_way_from_there(
    home: Path, subject: str
):
    """E = J * M/(1 + s*(M - 1)): nothing else has a part in it."""
    metered(home, 36_000.0)
    report = explained(home, subject)
    assert report.energy_wh is not None
    assert report.energy_wh.low < 0.95 * report.energy_wh.central
    assert {one.symbol for one in report.drivers} == {"M", "s"}
    assert {one.symbol for one in report.factors} == {"M", "s"}
    for one in report.drivers:
        left = one.energy_if_known_wh
        assert left.central == pytest.approx(report.energy_wh.central)
        assert left.high - left.low < report.energy_wh.high - report.energy_wh.low
        assert one.advice == "at --boundary server, where it was measured, nothing hangs on it"
    text = shown(report)
    assert "Nothing in it is uncertain" not in text
    assert "The energy of one call" not in text
    assert report.warnings == (
        "All of this energy was measured; nothing of it is an estimate of the formula.",
        "What meters saw of the server is brought to the facility with M and s.",
    )


@pytest.mark.parametrize("subject", ["job", "job-"])
def test_at_the_boundary_of_the_meter_nothing_is_uncertain(home: Path, subject: str):
    metered(home, 36_000.0)
    report = explained(home, subject, Pricing(boundary="server"))
    assert report.energy_wh == Range(10, 10, 10)
    assert (report.drivers, report.factors) == ((), ())
    text = shown(report)
    assert "Nothing in it is uncertain." in text
    assert "Factors, low" not in text


def test_a_call_and_its_task_have_one_range(home: Path):
    metered(home, 36.0, part=0.5)
    task_wh, call_wh = (explained(home, subject).energy_wh for subject in ("job", "job-"))
    assert task_wh is not None
    assert call_wh is not None
    assert (call_wh.low, call_wh.central, call_wh.high) == pytest.approx(
        (task_wh.low, task_wh.central, task_wh.high)
    )


@pytest.mark.parametrize("subject", ["job", "job-"])
def test_if_it_were_known_is_about_what_was_measured_as_well(home: Path, subject: str):
    """Half of the call was measured, with 40 times as much energy as is estimated for the rest."""
    metered(home, 3600.0, part=0.5)
    report = explained(home, subject)
    assert report.energy_wh is not None
    assert added(report) > 0
    assert {"M", "s"} <= {one.symbol for one in report.drivers}
    for one in report.drivers:
        left = one.energy_if_known_wh
        assert left.central == pytest.approx(report.energy_wh.central)
        assert left.low > report.energy_wh.low * 0.99
        assert left.high < report.energy_wh.high * 1.01


def test_models_come_most_energy_first_however_it_is_known(home: Path):
    """The chat is estimated; the embedding is little by estimate, and much by its meter."""
    add(
        home,
        spans(
            chat(input=1000, output=200),
            chat(input=3, operation="embeddings", provider="vllm", model="bge-m3"),
        ),
    )
    assert [one.model for one in explained(home).models] == ["gpt-5", "bge-m3"]
    measured.add(home, [Window(START_NS, START_NS + 60 * SECOND_NS, 360_000.0, boundary="server")])
    explained.cache_clear()
    report = explained(home)
    assert [one.model for one in report.models] == ["bge-m3", "gpt-5"]
    shares = [one.energy_share for one in report.models]
    assert shares == sorted(filter(None, shares), reverse=True)


@pytest.mark.parametrize(
    ("model", "command"),
    [
        ("gpt-5-mini", "agenttrace factors show gpt-5-mini --format toml"),
        ("anthropic/claude-haiku-4-5", "agenttrace factors show claude-haiku-4-5 --format toml"),
        ("gpt-7-mini", "agenttrace factors match gpt-7-mini"),
        ("zorg-9", "agenttrace factors match zorg-9"),
    ],
)
def test_parameters_that_the_user_knows_have_a_command_that_helps(
    home: Path, model: str, command: str
):
    add(home, spans(chat(input=100_000, output=5, model=model)))
    (advice,) = (one.advice for one in explained(home).drivers if one.symbol == "P")
    assert advice == (f"if you know them, put them in factors.toml: `{command}` has the lines")
    done = CliRunner().invoke(commands, shlex.split(command)[1:])
    assert done.exit_code == 0
    assert "[[family]]" in done.output
    assert "active_b = " in done.output


def test_an_hour_that_is_known_decides_the_carbon(home: Path):
    add(home, spans(chat(input=1000, output=200)))
    hours = home.parent / "hours.csv"
    hours.write_text("timestamp,zone,g_per_kwh\n2025-10-09T08:00Z,US,100\n")
    import_file(home, hours)
    for subject in ("job", "job-"):
        report = explained(home, subject)
        assert report.energy_wh is not None
        assert report.carbon_g is not None
        assert report.carbon_g.central == pytest.approx(report.energy_wh.central * 0.1)
        assert report.carbon_g.high == pytest.approx(report.energy_wh.high * 0.1)
        assert [one.hourly_share for one in report.places] == pytest.approx([1])
        assert "hours are known of 100 % of the energy" in shown(report)
