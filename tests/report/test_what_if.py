import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from agenttrace.energy import measured
from agenttrace.energy.grid.importing import import_file
from agenttrace.energy.measured import Window
from agenttrace.energy.pricing import Pricing
from agenttrace.errors import ConfigError, FactorError, QueryError
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report.json import to_json
from agenttrace.report.overview import overview
from agenttrace.report.task import task_report
from agenttrace.report.text import to_text
from agenttrace.report.what_if import Change, Choices, ModelChange, WhatIf, compared, sql
from tests.builders import (
    SECOND_NS,
    START_NS,
    Record,
    add,
    agent,
    chat,
    later,
    spans,
    task,
    write,
)

START = datetime(2025, 10, 9, 8)  # noqa: DTZ001 - times of a report are UTC
ZERO = Range(0, 0, 0)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Two calls of one agent, an embedding and a call of another model; then a later task."""
    home = tmp_path_factory.mktemp("home")
    records = spans(
        task(
            "research",
            agent(
                "lead",
                chat(input=1000, output=100, cache_read=200),
                chat(input=1500, output=50, cache_read=300),
                chat(input=70, operation="embeddings", model="text-embedding-3-small"),
                agent("scout", chat(input=4000, output=10)),
            ),
            chat(input=900, output=90, provider="anthropic", model="claude-haiku-4-5"),
            chat(status="error"),
        )
    )
    add(home, records)
    add(home, later(spans(task("nightly", chat(input=10, output=5)), trace=2), 86_400))
    with Reader(home) as opened:
        yield opened


def by_model(report: WhatIf) -> dict[str | None, ModelChange]:
    return {one.model: one for one in report.models}


def central_wh(change: Change | None) -> tuple[float, float]:
    assert change is not None
    return change.before.central, change.after.central


def test_before_is_what_the_report_says(reader: Reader):
    said = overview(reader)
    for choices in (Choices(cache=0.0), Choices(region="FR")):
        report = compared(reader, choices)
        assert report.energy_wh is not None
        assert report.carbon_g is not None
        assert said.totals.energy_wh is not None
        assert said.totals.carbon_g is not None
        assert report.energy_wh.before.central == pytest.approx(said.totals.energy_wh.central)
        assert report.energy_wh.before.high == pytest.approx(said.totals.energy_wh.high)
        assert report.carbon_g.before.central == pytest.approx(said.totals.carbon_g.central)
        assert report.carbon_g.before.low == pytest.approx(said.totals.carbon_g.low)
        assert (report.calls, report.unpriced_calls) == (7, 1)


def test_of_a_task_as_well(reader: Reader):
    said = task_report(reader, "research").totals
    for choices in (Choices(cache=0.0), Choices(region="FR")):
        report = compared(reader, choices, task="res")
        assert (report.subject, report.id, report.name) == ("task", "research", "research")
        assert report.calls == said.calls
        assert said.energy_wh is not None
        assert central_wh(report.energy_wh)[0] == pytest.approx(said.energy_wh.central)


def test_without_a_cache_every_token_is_read(reader: Reader):
    """200 and 300 tokens were cached, of 7,480."""
    report = compared(reader, Choices(cache=0.0))
    assert (report.input_tokens, report.cached_tokens) == ((7480, 7480), (500, 0))
    before, after = central_wh(report.energy_wh)
    assert after > before
    assert by_model(report)["claude-haiku-4-5"].energy_wh == no_change(report, "claude-haiku-4-5")


def no_change(report: WhatIf, model: str) -> Change:
    change = by_model(report)[model].energy_wh
    assert change is not None
    return Change(change.before, change.before, ZERO, Range(1, 1, 1))


def test_a_rate_is_that_of_every_call_but_of_those_that_have_no_cache(reader: Reader):
    """Half of 1,000, 1,500, 4,000, 900 and 10 tokens, and nothing of the embedding's 70."""
    report = compared(reader, Choices(cache=0.5))
    assert report.cached_tokens == (500, 500 + 750 + 2000 + 450 + 5)
    assert any("embeddings have no cache" in one for one in report.assumed)


def test_a_perfect_cache_holds_what_the_agent_sent_and_received_last(reader: Reader):
    """The second call of the lead had 1,000 + 100 tokens before it; all others are the first."""
    report = compared(reader, Choices(cache="perfect"))
    assert report.cached_tokens == (500, 200 + 1100)


def test_a_perfect_cache_never_holds_less_than_was_recorded(home: Path):
    add(home, spans(chat(input=10, output=5), chat(input=900, output=5, cache_read=800)))
    with Reader(home) as reader:
        assert compared(reader, Choices(cache="perfect")).cached_tokens == (800, 800)


def test_an_agent_inside_one_of_its_name_has_a_context_of_its_own(home: Path):
    add(
        home,
        spans(
            agent(
                "coder",
                chat(input=100, output=5),
                agent("coder", chat(input=70, output=5)),
                chat(input=200, output=5),
            )
        ),
    )
    with Reader(home) as reader:
        assert compared(reader, Choices(cache="perfect")).cached_tokens == (0, 105)


def test_a_call_that_failed_is_no_context(home: Path):
    add(
        home,
        spans(chat(input=100, output=5), chat(status="error"), chat(input=200, output=5)),
    )
    with Reader(home) as reader:
        assert compared(reader, Choices(cache="perfect")).cached_tokens == (0, 105)


def test_a_limit_cuts_what_is_not_cached_first(reader: Reader):
    """At most 250: of 1,000 (200 cached) 200 + 50 stay, of 1,500 (300 cached) 250 cached."""
    report = compared(reader, Choices(context_limit=250))
    assert (report.cut_calls, report.cut_tokens) == (4, 750 + 1250 + 3750 + 650)
    assert report.input_tokens == (7480, 250 + 250 + 70 + 250 + 250 + 10)
    assert report.cached_tokens == (500, 200 + 250)
    assert any("quality is not modelled" in one for one in report.assumed)


def test_a_limit_and_a_cache_go_together(reader: Reader):
    """What is left of the first call, and its output, is in the cache of the second."""
    report = compared(reader, Choices(context_limit=800, cache="perfect"))
    assert report.cached_tokens == (500, 200 + 800)


@pytest.mark.parametrize(
    ("choices", "second", "third"),
    [
        (Choices(cache=0.0), (5000, 0), (9000, 0)),
        (Choices(cache=0.5), (5000, 2500), (9000, 4500)),
        (Choices(cache="perfect"), (5000, 4000), (9000, 5100)),
        (Choices(context_limit=6000), (5000, 3000), (6000, 5000)),
        (Choices(context_limit=4500), (4500, 3000), (4500, 4500)),
        (Choices(context_limit=6000, cache="perfect"), (5000, 4000), (6000, 5100)),
    ],
)
def test_the_other_side_is_what_a_store_of_such_calls_would_say(
    home: Path, choices: Choices, second: tuple[int, int], third: tuple[int, int]
):
    """Three calls of one agent; the second had 3,000 and the third 5,000 tokens from a cache.

    The first call is the same on all sides: all of its 3,900 tokens were cached, or half, or none.
    """
    first = (3900, round(3900 * choices.cache) if isinstance(choices.cache, float) else 3900)

    def calls(*sizes: tuple[int, int]) -> list[Record]:
        return spans(*(chat(input=n, cache_read=c, output=100) for n, c in sizes))

    add(home, calls((3900, 3900), (5000, 3000), (9000, 5000)))
    with Reader(home) as reader:
        report = compared(reader, choices)
    write(home / "other", calls(first, second, third))
    with Reader(home / "other") as reader:
        said = overview(reader).totals
    for mine, energy in (
        (report.energy_wh, said.energy_wh),
        (report.carbon_g, said.carbon_g),
        (report.water_l, said.water_l),
    ):
        assert mine is not None
        assert energy is not None
        after = mine.after
        assert (after.low, after.central, after.high) == pytest.approx(
            (energy.low, energy.central, energy.high)
        )


def test_another_model_answers_the_same_tokens(home: Path):
    add(home, spans(chat(input=1000, output=100)))
    with Reader(home) as reader:
        report = compared(reader, Choices(models=(("gpt-5", "claude-haiku-4-5"),)))
    write(home / "other", spans(chat(input=1000, output=100, model="claude-haiku-4-5")))
    with Reader(home / "other") as reader:
        said = overview(reader).totals.energy_wh
    assert report.energy_wh is not None
    assert said is not None
    assert report.energy_wh.after.central == pytest.approx(said.central)
    assert (report.energy_wh.after.low, report.energy_wh.after.high) == pytest.approx(
        (said.low, said.high)
    )
    (line,) = report.models
    assert (line.model, line.becomes, line.calls) == ("gpt-5", "claude-haiku-4-5", 1)


def test_every_model_is_every_model_that_writes(reader: Reader):
    report = compared(reader, Choices(models=(("*", "gpt-5-nano"),)))
    assert {one.model: one.becomes for one in report.models} == {
        "gpt-5": "gpt-5-nano",
        "claude-haiku-4-5": "gpt-5-nano",
        "text-embedding-3-small": None,
    }


def test_the_first_name_that_fits_decides(reader: Reader):
    models = (("claude-haiku-4-5", "gpt-5"), ("*", "gpt-5-nano"))
    report = compared(reader, Choices(models=models))
    assert by_model(report)["claude-haiku-4-5"].becomes == "gpt-5"
    assert by_model(report)["gpt-5"].becomes == "gpt-5-nano"


def test_any_spelling_of_a_model_will_do(reader: Reader):
    models = (("anthropic/claude-haiku-4-5-20251001", "gpt-5"),)
    assert by_model(compared(reader, Choices(models=models)))["claude-haiku-4-5"].becomes == "gpt-5"


def test_a_model_that_is_unknown_is_priced_widely_and_said(reader: Reader):
    report = compared(reader, Choices(models=(("gpt-5", "zorg-9"),)))
    assert any("'zorg-9'" in one for one in report.warnings)


def test_another_place_changes_carbon_and_water_alone(reader: Reader):
    report = compared(reader, Choices(region="FR"))
    assert report.energy_wh is not None
    assert (report.energy_wh.difference, report.energy_wh.ratio) == (ZERO, Range(1, 1, 1))
    assert report.carbon_g is not None
    assert report.carbon_g.difference.high < 0


def test_another_place_is_that_of_a_store_that_was_there(reader: Reader):
    report = compared(reader, Choices(region="FR"), task="nightly")
    with Reader(reader.home, pricing=Pricing(region="FR")) as there:
        said = task_report(there, "nightly").totals.carbon_g
    assert said is not None
    assert report.carbon_g is not None
    assert report.carbon_g.after.central == pytest.approx(said.central)
    assert report.carbon_g.after.low == pytest.approx(said.low)


def test_shifting_without_hourly_data_says_what_it_needs(reader: Reader):
    report = compared(reader, Choices(shift_hours=6))
    assert report.carbon_g is not None
    assert report.carbon_g.difference == ZERO
    assert any("agenttrace grid import FILE" in one for one in report.assumed)


@pytest.fixture
def by_the_hour(home: Path) -> Path:
    """Two calls at 8 o'clock and one at 20; 100 g/kWh at 8 and 25 at 14, nothing else is known."""
    calls = spans(task("day", chat(input=1000, output=100), chat(input=500, output=50)))
    add(home, calls)
    add(home, later(spans(task("night", chat(input=10, output=5)), trace=2), 12 * 3600))
    hours = home.parent / "hours.csv"
    hours.write_text(
        "timestamp,zone,g_per_kwh\n2025-10-09T08:00Z,US,100\n2025-10-09T14:00Z,US,25\n"
    )
    import_file(home, hours)
    return home


def test_shifting_takes_the_intensity_of_the_other_hour(by_the_hour: Path):
    with Reader(by_the_hour) as reader:
        for choices in (Choices(shift_hours=6), Choices(shift_hours=6, context_limit=10**6)):
            report = compared(reader, choices, task="day")
            assert report.energy_wh is not None
            assert report.carbon_g is not None
            wh = report.energy_wh.before
            assert report.energy_wh.difference == ZERO
            assert report.carbon_g.before.central == pytest.approx(wh.central * 0.1)
            assert report.carbon_g.after.central == pytest.approx(wh.central * 0.025)
            assert report.carbon_g.difference.high == pytest.approx(wh.low * -0.075)
            assert not any("agenttrace grid import" in one for one in report.assumed)


@pytest.mark.parametrize(("hours", "why"), [(1, "9"), (-1, "7"), (-6, "2, and for the night 14")])
def test_no_hour_is_compared_with_the_average_of_a_year(by_the_hour: Path, hours: int, why: str):
    """Known are 8 and 14 o'clock: a call at 8 or 20, shifted so, has one known hour at most."""
    with Reader(by_the_hour) as reader:
        report = compared(reader, Choices(shift_hours=hours))
    assert report.carbon_g is not None, why
    assert (report.carbon_g.difference, report.carbon_g.before) == (ZERO, report.carbon_g.after)
    (said, _) = report.assumed
    assert said.startswith("Shifting needs the intensity of the grid both in the hour of a call")


def test_calls_that_cannot_be_shifted_keep_what_they_have(by_the_hour: Path):
    """The two calls of the day are at 25 instead of 100 g/kWh; that of the night stays."""
    with Reader(by_the_hour) as reader:
        day = compared(reader, Choices(shift_hours=6), task="day").carbon_g
        both = compared(reader, Choices(shift_hours=6))
    assert day is not None
    assert both.carbon_g is not None
    assert both.carbon_g.difference.central == pytest.approx(day.difference.central)
    assert both.assumed == (
        "Both hours are known for 2 of 3 calls, which are shifted; the others stay as they were.",
        "Hourly intensities are known for 2 of 3 calls; the others are reckoned with the average "
        "of the year.",
    )


def test_another_place_of_which_no_hour_is_known_is_said(by_the_hour: Path):
    with Reader(by_the_hour) as reader:
        report = compared(reader, Choices(region="FR", shift_hours=6))
    assert any("hours are known for 2 of 3 calls, and there for 0" in one for one in report.assumed)


def test_before_is_what_the_report_says_where_hours_are_known(by_the_hour: Path):
    """Shifted by six hours the day is known, the night is not: before it was the same."""
    with Reader(by_the_hour) as reader:
        said = overview(reader).totals.carbon_g
        report = compared(reader, Choices(shift_hours=6))
    assert said is not None
    assert report.carbon_g is not None
    assert report.carbon_g.before.central == pytest.approx(said.central)
    assert any("known for 2 of 3 calls" in one for one in report.assumed)


def test_what_was_measured_is_compared_by_its_estimate(home: Path):
    add(home, spans(chat(input=1000, output=200, provider="vllm", model="claude-haiku-4-5")))
    with Reader(home) as reader:
        said = overview(reader).totals.energy_wh
    start_ns = START_NS + 2 * SECOND_NS
    measured.add(home, [Window(start_ns, start_ns + SECOND_NS // 2, 36_000.0, boundary="server")])
    with Reader(home) as reader:
        report = compared(reader, Choices(batch=724))
    assert said is not None
    assert central_wh(report.energy_wh)[0] == pytest.approx(said.central)
    assert any("were measured" in one for one in report.assumed)


def test_other_hardware_and_batches_bring_their_sources(reader: Reader):
    report = compared(reader, Choices(hardware="b200", batch=724), task="nightly")
    before, after = central_wh(report.energy_wh)
    assert after < before
    assert [one.id for one in report.factors] == [
        "b200.large.decode_ratio",
        "b200.prefill_ratio",
        "b200.cache_read_ratio",
        "batch_exponent",
    ]
    assert all(one.sources for one in report.factors)
    assert any("H100" in one for one in report.assumed)


def test_hardware_of_the_users_own_comes_from_a_factor_file(home: Path):
    """Class large writes with 90 % of the energy; nothing is said of reading."""
    add(home, spans(chat(output=1000, input=0)))
    mine = home.parent / "mine.toml"
    mine.write_text(
        """
        [source.mine]
        by = "Ada"
        title = "Notes"
        year = 2026
        url = "https://notes.example"
        mark = "read"

        [[factor]]
        id = "abacus.large.decode_ratio"
        name = "writing on an abacus"
        unit = "1"
        low = 0.9
        central = 0.9
        high = 0.9
        boundary = "accelerator"
        mark = "read"
        retrieved = 2026-11-23
        sources = [{ id = "mine" }]
        """
    )
    with Reader(home, pricing=Pricing(factors=(mine,))) as reader:
        report = compared(reader, Choices(hardware="abacus"))
    before, after = central_wh(report.energy_wh)
    # One output token attends to half of itself: that is the cache, and stays.
    assert after == pytest.approx(before * 0.9, rel=0.01)
    assert [one.id for one in report.factors] == ["abacus.large.decode_ratio"]
    assert any("Nothing is known of reading on abacus" in one for one in report.assumed)


def test_a_batch_beyond_what_was_measured_is_said(reader: Reader):
    assert any("extrapolated" in one for one in compared(reader, Choices(batch=4)).assumed)
    assert not any("extrapolated" in one for one in compared(reader, Choices(batch=64)).assumed)


def test_only_calls_since_then_count(reader: Reader):
    day = datetime(2025, 10, 10)  # noqa: DTZ001 - UTC
    for choices in (Choices(region="FR"), Choices(cache=0.0)):
        report = compared(reader, choices, since=day)
        assert (report.calls, report.since) == (1, "2025-10-10T00:00:00Z")
        assert report.input_tokens == (10, 10)


@pytest.mark.parametrize("choices", [Choices(region="FR"), Choices(cache=0.0)])
def test_the_hour_of_a_moment_counts_as_a_whole(reader: Reader, choices: Choices):
    """The call of the next day starts at 8:53, and sums are kept by the hour."""
    moment = datetime(2025, 10, 10, 8, 59, 30)  # noqa: DTZ001 - UTC
    report = compared(reader, choices, since=moment)
    assert (report.calls, report.since) == (1, "2025-10-10T08:00:00Z")


def test_what_reads_may_be_read_by_another(reader: Reader):
    report = compared(
        reader, Choices(models=(("text-embedding-3-small", "text-embedding-3-large"),))
    )
    assert by_model(report)["text-embedding-3-small"].becomes == "text-embedding-3-large"


def test_calls_of_estimated_tokens_are_counted(home: Path):
    add(home, spans(chat(input=10, output=5, usage="estimated"), chat(input=10, output=5)))
    with Reader(home) as reader:
        for choices in (Choices(region="FR"), Choices(cache=0.0)):
            report = compared(reader, choices)
            assert report.estimated_calls == 1
            assert "Calls     2  1 of estimated tokens" in shown(report)


def test_choices_are_said_in_words(reader: Reader):
    every = Choices(
        models=(("*", "gpt-5"),),
        cache=0.9,
        context_limit=1000,
        region="FR",
        shift_hours=-1,
        hardware="b200",
        batch=64,
    )
    assert compared(reader, every).choices == (
        "every model that writes is gpt-5",
        "90% of the input is cached",
        "at most 1,000 input tokens a call",
        "in FR",
        "1 hour earlier",
        "on b200",
        "in batches of 64",
    )


@pytest.mark.parametrize(
    ("choices", "kind", "said"),
    [
        (Choices(), ConfigError, "say what is to be otherwise: --model A=B, --cache,"),
        (Choices(models=(("gpt-6", "gpt-5"),)), QueryError, "no call was answered by 'gpt-6'."),
        (Choices(hardware="abacus"), FactorError, "there are no figures for hardware 'abacus'."),
        (Choices(cache=1.5), ConfigError, "a cache hits 0 to 1 of the input, not 1.5."),
        (Choices(batch=0), ConfigError, "a batch holds 1 request or more, not 0."),
        (Choices(shift_hours=87_661), ConfigError, "calls are shifted by ten years (87,660 hours)"),
        (Choices(shift_hours=-(10**18)), ConfigError, "calls are shifted by ten years"),
        (
            Choices(models=(("gpt-5", "text-embedding-3-small"),)),
            ConfigError,
            "'text-embedding-3-small' only reads (embeddings, rerankers) and 'gpt-5' writes",
        ),
        (
            Choices(models=(("*", "text-embedding-3-small"),)),
            ConfigError,
            "'text-embedding-3-small' only reads",
        ),
        (Choices(context_limit=-1), ConfigError, "a context holds 0 tokens or more, not -1."),
        (Choices(region="Atlantis!"), FactorError, ""),
    ],
)
def test_what_cannot_be_chosen_is_an_error(
    reader: Reader, choices: Choices, kind: type[Exception], said: str
):
    with pytest.raises(kind) as raised:
        compared(reader, choices)
    assert str(raised.value).startswith(said)


def test_a_task_or_a_date_but_not_both(reader: Reader):
    with pytest.raises(ConfigError, match="a task or a date"):
        compared(reader, Choices(cache=0.0), task="research", since=START)


def test_a_model_that_is_not_there_is_told_beside_those_that_are(reader: Reader):
    with pytest.raises(QueryError, match=r"Models here: claude-haiku-4-5, gpt-5, text-embed"):
        compared(reader, Choices(models=(("gpt-6", "gpt-5"),)))


def test_calls_that_were_pruned_are_counted_where_they_are_missing(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Reader, "pruned_before", "2025-10-10")
    without = f"{sql.BY_CALL} WHERE cached.task_id <> 'research'"
    monkeypatch.setattr(sql, "BY_CALL", without)
    (warning,) = compared(reader, Choices(cache=0.0)).warnings
    assert warning.startswith("6 calls are in neither figure: their spans from before 2025-10-10")


def test_an_empty_store_has_nothing_that_could_be_otherwise(home: Path):
    with Reader(home) as reader:
        report = compared(reader, Choices(cache=0.0))
    assert (report.calls, report.energy_wh, report.models) == (0, None, ())
    assert json.loads(to_json(report))["kind"] == "what_if"


@pytest.mark.parametrize(
    ("choices", "kind", "said"),
    [
        (
            Choices(models=(("gpt-6", "gpt-5"),)),
            QueryError,
            "no call was answered by 'gpt-6': nothing is recorded yet. `agenttrace demo` records",
        ),
        (Choices(hardware="zz"), FactorError, "there are no figures for hardware 'zz'. Known:"),
        (Choices(region="atlantis"), FactorError, "there is no place 'atlantis'"),
    ],
)
def test_what_cannot_be_chosen_is_an_error_without_calls_too(
    home: Path, choices: Choices, kind: type[Exception], said: str
):
    with Reader(home) as reader, pytest.raises(kind) as raised:
        compared(reader, choices)
    assert str(raised.value).startswith(said)


def test_calls_that_name_no_model_are_all_there_are(home: Path):
    add(home, spans(chat(input=10, output=5, model=None)))
    with Reader(home) as reader, pytest.raises(QueryError) as raised:
        compared(reader, Choices(models=(("gpt-6", "gpt-5"),)))
    assert str(raised.value) == (
        "no call was answered by 'gpt-6': no call names its model. * is all that write."
    )


def shown(report: WhatIf, width: int = 80) -> str:
    return to_text(report, Console(file=io.StringIO(), width=width, highlight=False))


@pytest.mark.parametrize("width", [70, 80, 120])
def test_no_line_is_wider_than_the_terminal(reader: Reader, width: int):
    for choices in (Choices(cache=0.0), Choices(models=(("*", "gpt-5-nano"),), hardware="b200")):
        text = shown(compared(reader, choices), width)
        assert max(map(cell_len, text.splitlines())) <= width


def test_the_text_has_both_sides_the_difference_and_what_was_cut(reader: Reader):
    text = shown(compared(reader, Choices(models=(("gpt-5", "gpt-5-nano"),), context_limit=250)))
    assert text.startswith("agenttrace what-if  gpt-5 is gpt-5-nano; at most 250 input tokens")
    assert "before" in text.splitlines()[2]
    assert "cut     4 calls, by 6,400 tokens" in text
    assert "gpt-5 → gpt-5-nano" in text


def test_no_change_is_shown_as_none(home: Path):
    add(home, spans(chat(input=1000, output=100)))
    with Reader(home) as reader:
        text = shown(compared(reader, Choices(models=(("gpt-5", "gpt-5"),))))
    lines = [line.split() for line in text.splitlines()]
    (energy,) = (line for line in lines if line[:1] == ["Energy"])
    assert energy[2] == energy[3]
    assert energy[4:] == ["0", "0", "%"]
    assert "→" not in text


def test_without_calls_the_text_says_so(home: Path):
    with Reader(home) as reader:
        assert "No model call is in it" in shown(compared(reader, Choices(cache=0.0)))


def energy_of(reader: Reader, choices: Choices) -> Change:
    change = compared(reader, choices).energy_wh
    assert change is not None
    return change


def slack(change: Change) -> float:
    """Return by how much sums in another order may differ."""
    return 1e-12 * change.before.high


@pytest.mark.parametrize(
    "choices",
    [
        Choices(models=(("*", "gpt-5"),)),
        Choices(context_limit=4000),
        Choices(batch=181),
        Choices(shift_hours=3),
    ],
)
def test_what_changes_nothing_differs_by_exactly_nothing(home: Path, choices: Choices):
    add(home, spans(chat(input=4000, cache_read=7, output=9), chat(input=3, output=70)))
    with Reader(home) as reader:
        report = compared(reader, choices)
    for change in (report.energy_wh, report.carbon_g, report.water_l):
        assert change is not None
        assert (change.before, change.difference) == (change.after, ZERO)


few = settings(deadline=None, max_examples=5)


@few
@given(least=st.integers(0, 5000), more=st.integers(0, 5000))
def test_more_context_never_saves(reader: Reader, least: int, more: int):
    low, high = (energy_of(reader, Choices(context_limit=n)) for n in (least, least + more))
    assert low.after.central <= high.after.central + slack(high)
    assert low.after.high <= high.after.high + slack(high)
    assert high.difference.high <= slack(high)


@few
@given(rate=st.floats(0, 1), more=st.floats(0, 1))
def test_more_cache_never_costs(reader: Reader, rate: float, more: float):
    low, high = (energy_of(reader, Choices(cache=n)) for n in (rate, max(rate, more)))
    assert high.after.central <= low.after.central + slack(low)
    assert high.after.high <= low.after.high + slack(low)


sizes = st.tuples(st.integers(0, 50_000), st.integers(0, 50_000), st.integers(0, 5_000))


@settings(few, max_examples=3)
@given(of=st.lists(sizes, min_size=2, max_size=3))
def test_a_perfect_cache_never_costs(
    tmp_path_factory: pytest.TempPathFactory, of: list[tuple[int, int, int]]
):
    """Calls of one agent, by input, the most of it that is cached, and output."""
    home = tmp_path_factory.mktemp("home")
    add(home, spans(*(chat(input=i, cache_read=min(c, i), output=o) for i, c, o in of)))
    with Reader(home) as reader:
        perfect = energy_of(reader, Choices(cache="perfect"))
    assert perfect.difference.high <= slack(perfect)
