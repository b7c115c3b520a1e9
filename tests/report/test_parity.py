from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from agenttrace import energy
from agenttrace.energy import measured
from agenttrace.energy.measured import Window
from agenttrace.model import TokenUsage
from agenttrace.reader import Reader
from agenttrace.report.parity import ParityReport, parity_report
from agenttrace.report.text import to_text
from tests.builders import SECOND_NS, START_NS, Node, add, chat, spans

LOCAL = {"server.address": "localhost"}


def window(start_s: float, end_s: float, joules: float, **said: Any) -> Window:
    start_ns, end_ns = (START_NS + round(at * SECOND_NS) for at in (start_s, end_s))
    return Window(start_ns, end_ns, joules, meter="zeus", source="energy.csv", **said)


def reported(home: Path, windows: Sequence[Window], *calls: Node) -> ParityReport:
    """Report on calls that start 2, 3, ... seconds after START_NS and last half a second."""
    add(home, spans(*calls))
    measured.add(home, windows)
    with Reader(home) as reader:
        return parity_report(reader)


def text(report: ParityReport, width: int = 120) -> str:
    return to_text(report, Console(width=width))


def test_a_measurement_stands_beside_the_estimate_at_its_boundary(home: Path) -> None:
    usage = TokenUsage(input_tokens=1000, output_tokens=200)
    report = reported(home, [window(2, 3, 720)], chat(input=1000, output=200, **LOCAL))
    (model,) = energy.factor_set([("openai", "gpt-5")], boundary="accelerator").models
    estimate = energy.estimate(usage, model)
    assert estimate is not None
    (line,) = report.models
    (total,) = report.totals
    assert (line.provider, line.model, line.model_class) == ("openai", "gpt-5", "large")
    assert line.parity == total
    assert (total.boundary, total.calls, total.partly_calls, total.covered) == (
        "accelerator", 1, 0, 1.0,
    )  # fmt: skip
    assert total.measured_wh == total.compared_wh == pytest.approx(0.2)
    assert total.estimate_wh is not None
    assert total.estimate_wh.central == pytest.approx(estimate.central)
    assert total.estimate_wh.low == pytest.approx(estimate.low)
    assert total.ratio is not None
    assert total.ratio.low == pytest.approx(0.2 / estimate.high)
    assert total.ratio.central == pytest.approx(0.2 / estimate.central)
    assert total.ratio.high == pytest.approx(0.2 / estimate.low)
    assert total.is_inside is (estimate.low <= 0.2 <= estimate.high)
    assert (report.calls, report.measured_calls, report.warnings) == (1, 1, ())


@pytest.mark.parametrize(("part", "is_inside"), [(0.01, False), (1.0, True), (100.0, False)])
def test_it_is_said_whether_the_range_holds_the_measurement(
    home: Path, part: float, is_inside: bool
) -> None:
    (model,) = energy.factor_set([("openai", "gpt-5")], boundary="accelerator").models
    estimate = energy.estimate(TokenUsage(input_tokens=1000, output_tokens=200), model)
    assert estimate is not None
    joules = part * estimate.central * 3600
    report = reported(home, [window(2, 3, joules)], chat(input=1000, output=200, **LOCAL))
    assert report.totals[0].is_inside is is_inside
    assert ("outside" in text(report)) is not is_inside


def test_the_covered_part_is_compared(home: Path) -> None:
    """Of a call from 2 s to 2.5 s, the windows cover the first half."""
    calls = chat(input=1000, output=200, **LOCAL)
    whole = reported(home, [window(2, 2.5, 10)], calls).totals[0].estimate_wh
    half = reported(home.with_name("half"), [window(2, 2.25, 10)], calls).totals[0]
    assert whole is not None
    assert half.estimate_wh is not None
    assert half.estimate_wh.central == pytest.approx(whole.central / 2)
    assert (half.partly_calls, half.covered) == (1, 0.5)


def test_a_call_of_unknown_tokens_is_measured_but_not_compared(home: Path) -> None:
    calls = chat(input=1000, output=200, **LOCAL), chat(**LOCAL)
    report = reported(home, [window(2, 2.5, 10), window(3, 3.5, 30)], *calls)
    (total,) = report.totals
    assert (total.calls, total.unpriced_calls) == (2, 1)
    assert (total.measured_wh * 3600, total.compared_wh * 3600) == (
        pytest.approx(40),
        pytest.approx(10),
    )
    alone = reported(home.with_name("alone"), [window(3, 3.5, 30)], *calls).totals[0]
    assert (alone.estimate_wh, alone.ratio, alone.is_inside) == (None, None, None)
    assert "1 not compared" in text(report)


def test_models_of_a_boundary_add_up_and_boundaries_stay_apart(home: Path) -> None:
    report = reported(
        home,
        [window(2, 2.5, 36), window(3, 3.5, 72), window(4, 4.5, 108, boundary="server")],
        chat(input=1000, output=200, **LOCAL),
        chat(input=1000, output=200, model="llama-3.1-8b", **LOCAL),
        chat(input=1000, output=200, **LOCAL),
    )
    assert [(one.boundary, one.calls, one.measured_wh) for one in report.totals] == [
        ("accelerator", 2, pytest.approx(0.03)),
        ("server", 1, pytest.approx(0.03)),
    ]
    assert [(one.model, one.parity.boundary) for one in report.models] == [
        ("llama-3.1-8b", "accelerator"),
        ("gpt-5", "accelerator"),
        ("gpt-5", "server"),
    ]
    chips, server = (line.parity.estimate_wh for line in report.models if line.model == "gpt-5")
    assert chips is not None
    assert server is not None
    assert chips.central < server.central
    assert text(report).count("\nall ") == 1


def test_what_no_call_took_is_idle(home: Path) -> None:
    report = reported(
        home,
        [window(0, 1, 36, host="here"), window(2, 3, 72)],
        chat(input=1000, output=200, **LOCAL),
    )
    (file,) = report.files
    assert (file.source, file.meter, file.boundary, file.mark, file.hosts) == (
        "energy.csv", "zeus", "accelerator", "measured", "here",
    )  # fmt: skip
    assert (file.windows, file.idle_windows, file.seconds, file.busy_share) == (2, 1, 2.0, 0.25)
    assert (file.measured_wh, file.idle_wh) == (pytest.approx(0.03), pytest.approx(0.01))
    assert (file.first_at, file.last_at) == ("2025-10-09T08:53:20Z", "2025-10-09T08:53:23Z")


def test_windows_that_no_call_ran_in_say_what_may_be_wrong(home: Path) -> None:
    report = reported(home, [window(2, 3, 36)], chat(input=1000, output=200))
    assert (report.measured_calls, report.totals, report.models) == (0, (), ())
    assert "No recorded call ran in any of these windows" in text(report)
    assert "energy.csv" in text(report)


def test_commands_to_copy_are_whole_at_80_columns(home: Path) -> None:
    nothing = text(reported(home, []), 80).splitlines()
    assert max(map(len, nothing)) <= 80
    assert "    agenttrace measure run -- vllm serve MODEL   meters it while it runs" in nothing
    assert "    agenttrace measure import emissions.csv      reads what a meter wrote" in nothing
    unmatched = text(reported(home, [window(2, 3, 36)], chat(input=1000, output=200)), 80)
    asked = """\
    agenttrace query "SELECT DISTINCT host, server_address, response_model
        FROM span WHERE kind = 'inference'"
"""
    assert asked in unmatched


def test_a_long_window_that_mostly_waits_is_warned_of(home: Path) -> None:
    report = reported(home, [window(0, 100, 36)], chat(input=1000, output=200, **LOCAL))
    assert report.warnings == (
        "energy.csv: windows with calls last 100 s on average, and calls ran in 0% of that. What "
        "the machine used meanwhile is given to the calls: shorter windows would tell it apart.",
    )


def test_what_is_modelled_in_part_is_warned_of(home: Path) -> None:
    windows = [window(2, 3, 36, boundary="server", mark="modelled in part")]
    report = reported(home, windows, chat(input=1000, output=200, **LOCAL))
    assert report.totals[0].modelled_calls == 1
    assert "measured in part only" in report.warnings[0]
    assert "server, in part modelled" in text(report)


def test_what_calls_say_themselves_needs_no_windows(home: Path) -> None:
    said = {"agenttrace.energy.measured_j": 36.0, "agenttrace.energy.boundary": "server"}
    report = reported(home, [], chat(input=1000, output=200, **said), chat(input=9, output=9))
    (line,) = report.models
    assert (line.parity.boundary, line.parity.calls) == ("server", 1)
    assert line.parity.measured_wh == pytest.approx(0.01)
    assert report.files == ()
    assert "Measured  1 of 2 calls" in text(report)
    assert "Windows from" not in text(report)


def test_nothing_measured_is_said_with_what_to_do(home: Path) -> None:
    report = reported(home, [], chat(input=1000, output=200))
    assert (report.calls, report.measured_calls, report.files) == (1, 0, ())
    assert "agenttrace measure import emissions.csv" in text(report)


def test_the_text_of_a_report(home: Path) -> None:
    report = reported(
        home, [window(2, 3, 36), window(5, 6, 18)], chat(input=1000, output=200, **LOCAL)
    )
    first, _, measured_, _, head, line, *_ = text(report).splitlines()
    assert first == "agenttrace report parity  2025-10-09 08:53 UTC"
    assert measured_ == "Measured  1 of 1 call"
    assert head.split() == ["Accelerator", "calls", "measured", "low", "central", "high", "ratio"]
    assert line.split()[:3] == ["gpt-5", "1", "10"]
