"""The calls of a test start at START_NS, 2025-10-09 08:53:20 UTC."""

import dataclasses
import hashlib
import json
import shutil
import string
import subprocess
from math import fsum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttrace.compare import periods
from agenttrace.compare.embodied import Embodied
from agenttrace.compare.methods import ECOLOGITS
from agenttrace.energy import measured
from agenttrace.energy.grid.certificates import import_certificates, import_residual
from agenttrace.energy.grid.importing import import_file
from agenttrace.energy.pricing import Pricing
from agenttrace.errors import ConfigError, MissingDependencyError, QueryError
from agenttrace.model import Range, Table
from agenttrace.reader import Reader
from agenttrace.report.activity import Activity, activity, canonical, check, files, forms, sci, xlsx
from agenttrace.report.activity import annex as annexes
from agenttrace.report.carbon import carbon_report
from agenttrace.report.overview import overview
from agenttrace.report.selection import Selection
from agenttrace.report.sums import held
from tests.builders import (
    SECOND_NS,
    START_NS,
    Record,
    add,
    agent,
    chat,
    later,
    loose,
    spans,
    task,
    write,
)

MONTH_S = 31 * 86_400
SONNET = {"provider": "aws.bedrock", "model": "claude-sonnet-4-5"}
IN_GERMANY = {**SONNET, "cloud.region": "eu-central-1"}
IN_FRANCE = {**SONNET, "cloud.region": "eu-west-3"}


def exported(home: Path, period: str = "all", **said: Any) -> Activity:
    with Reader(home) as reader:
        return activity(reader, Selection(period=periods.parse(period), **said))


def column(table: Table, name: str) -> list[Any]:
    place = table.columns.index(name)
    return [row[place] for row in table.rows]


def total(table: Table, name: str) -> float:
    return fsum(value for value in column(table, name) if value is not None)


def objects(table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def given_file(home: Path, name: str, text: str) -> Path:
    path = home.parent / name
    path.write_text(text)
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def two_months() -> list[Record]:
    """Tasks of both workloads, of three places, of usage of every state, over two months."""
    october = spans(
        task(
            "week",
            agent(
                "lead",
                chat(input=9000, cache_read=6000, cache_write=2000, output=200, reasoning=50),
                chat(status="error"),
                chat(input=70, output=9, usage="estimated", outcome="abandoned", **IN_GERMANY),
                chat(output=30, **IN_FRANCE),
            ),
            project="shop",
        ),
        task("ask", chat(input=500, output=300), workload="user-facing", project="help"),
    )
    november = spans(
        task("night", chat(input=4000, output=100, **IN_GERMANY), project="shop"), trace=2
    )
    outside = loose(chat(operation="embeddings", input=31, model="embed-x"), trace=3)
    return [*october, *later(november, MONTH_S), *outside]


HOURS = "timestamp,zone,g_per_kwh\n2025-10-09T08:00Z,DE,500\n"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that tests only read."""
    home = tmp_path_factory.mktemp("recorded") / "home"
    home.mkdir()
    add(home, two_months())
    import_file(home, given_file(home, "grid.csv", HOURS))
    window = measured.Window(
        START_NS, START_NS + 5 * SECOND_NS, 360.0, "accelerator", provider="openai"
    )
    measured.add(home, [window])
    return home


@pytest.fixture(scope="module")
def export(recorded: Path) -> Activity:
    """All of it."""
    return exported(recorded)


@pytest.fixture
def own(recorded: Path, home: Path) -> Path:
    """The same, for a test that changes it."""
    shutil.copytree(recorded, home, dirs_exist_ok=True)
    return home


@pytest.mark.parametrize("table", ["activity", "workflow"])
def test_rows_add_up_to_the_report_on_the_same_calls(recorded: Path, export: Activity, table: str):
    with Reader(recorded) as reader:
        totals = overview(reader, limit=0).totals
    rows = export.tables[table]
    assert totals.energy_wh is not None
    assert totals.carbon_g is not None
    assert totals.water_l is not None
    assert total(rows, "energy_wh") == pytest.approx(totals.energy_wh.central, rel=1e-9)
    assert total(rows, "carbon_g") == pytest.approx(totals.carbon_g.central, rel=1e-9)
    assert total(rows, "water_l") == pytest.approx(totals.water_l.central, rel=1e-9)
    assert total(rows, "tokens") == totals.tokens.total
    assert export.method.measured_share is not None


def test_kinds_add_up_to_the_kinds_of_the_report(export: Activity):
    by_kind = dict.fromkeys(column(export.activity, "kind"), 0)
    for row in objects(export.activity):
        by_kind[row["kind"]] += row["tokens"] or 0
    tokens = export.totals.tokens
    assert by_kind["cache_read"] == tokens.cache_read
    assert by_kind["input_uncached"] == (tokens.input or 0) - (tokens.cache_read or 0)
    assert by_kind["output"] == tokens.output
    assert total(export.activity, "cache_write_tokens") == tokens.cache_write
    assert total(export.activity, "reasoning_tokens") == tokens.reasoning
    unreported = [row for row in objects(export.activity) if row["kind"] == "unreported"]
    assert sum(row["calls"] for row in unreported) == export.totals.unpriced_calls == 2


def test_the_workflows_have_each_call_once(export: Activity):
    assert total(export.workflow, "calls") == export.totals.calls == 7
    assert total(export.workflow, "tasks") == 4  # of which one is a call outside of any task


@pytest.mark.parametrize(
    "said",
    [
        {"workload": "user-facing"},
        {"workload": "agentic"},
        {"project": "shop"},
        {"task_name": "week"},
        {"agent": "lead"},
    ],
)
def test_a_selection_leaves_its_own_calls_and_they_add_up(
    recorded: Path, export: Activity, said: dict[str, Any]
):
    part = exported(recorded, **said)
    assert part.totals.energy_wh is not None
    assert total(part.activity, "energy_wh") == pytest.approx(part.totals.energy_wh.central)
    assert 0 < part.totals.calls < export.totals.calls


def test_months_add_up_to_all_of_them(recorded: Path, export: Activity):
    both = [exported(recorded, month) for month in ("2025-10", "2025-11")]
    assert [set(column(one.activity, "month")) for one in both] == [{"2025-10"}, {"2025-11"}]
    assert sorted(row for one in both for row in column(one.activity, "row_id")) == sorted(
        column(export.activity, "row_id")
    )
    assert fsum(total(one.activity, "energy_wh") for one in both) == pytest.approx(
        total(export.activity, "energy_wh"), rel=1e-9
    )


def test_low_is_at_most_central_and_that_at_most_high(export: Activity):
    for table in export.tables.values():
        for row in objects(table):
            for name in (one for one in table.columns if "_low_" in one):
                low, high = row[name], row[name.replace("_low_", "_high_")]
                central = row[name.replace("_low_", "_")]
                assert (low is None) == (central is None) == (high is None)
                if central is not None:
                    assert low <= central <= high


def test_what_is_not_known_is_empty_and_not_zero(home: Path):
    add(home, spans(task("a", chat())))
    (row,) = objects(exported(home).activity)
    assert (row["kind"], row["calls"], row["method"]) == ("unreported", 1, "none")
    known = {name for name, value in row.items() if value is not None}
    assert not known & {"tokens", "energy_wh", "carbon_g", "market_g", "water_l", "share_hourly"}
    (row,) = objects(exported(home).workflow)
    assert (row["energy_wh"], row["energy_per_task_wh"], row["sci_g"]) == (None, None, None)


def test_models_that_nobody_knows_have_a_range_and_a_warning(home: Path):
    add(home, spans(task("a", chat(input=100, output=10, provider="acme", model="zorg-9"))))
    export = exported(home)
    assert set(column(export.activity, "model_class")) == {"unknown"}
    assert total(export.activity, "energy_wh") > 0
    assert any("zorg-9" in warning for warning in export.warnings)
    assert "zorg-9" in annexes.annex(export)


def certified(home: Path, text: str) -> None:
    import_certificates(
        home, given_file(home, "bought.csv", "zone,hour,year,mwh,source,g_per_kwh\n" + text)
    )


def test_nothing_is_said_of_a_market_of_which_nothing_is_known(own: Path):
    certified(own, "DE,,2025,1,sun,0")
    rows = objects(exported(own).activity)
    known = {row["zone"] for row in rows if row["market_g"] is not None}
    assert known == {"DE"}
    assert {row["market_based_from"] for row in rows if row["zone"] == "DE"} == {"certificates"}
    assert {row["market_based_from"] for row in rows if row["zone"] == "FR"} == {None}


def test_market_based_carbon_adds_up_to_the_report_on_carbon(home: Path):
    """Of two months of one year each has the same share of the year's certificates."""
    call = chat(input=4000, output=100, **IN_GERMANY)
    first = spans(task("a", call))
    add(home, [*first, *later(spans(task("b", call), trace=2), MONTH_S)])
    certified(home, "DE,,2025,1e-6,sun,0")  # 1 Wh
    import_residual(
        home,
        given_file(home, "mix.csv", "zone,year,g_per_kwh,source\nDE,2025,700,a registry\n"),
    )
    export = exported(home)
    with Reader(home) as reader:
        matched = carbon_report(reader).matched
    assert matched is not None
    assert total(export.activity, "market_g") == pytest.approx(matched.market_g.central, rel=1e-9)
    # What the certificate of 1 Wh leaves has the residual mix.
    left_wh = total(export.activity, "energy_wh") - 1
    assert total(export.activity, "market_g") == pytest.approx(left_wh * 0.7)
    months = [total(exported(home, month).activity, "market_g") for month in ("2025-10", "2025-11")]
    assert months[0] == pytest.approx(months[1])
    assert fsum(months) == pytest.approx(matched.market_g.central, rel=1e-9)
    assert set(column(export.activity, "market_based_from")) == {"certificates, residual mix"}
    assert "a registry" in annexes.annex(export)


def test_the_range_of_a_market_is_that_of_the_energy_of_its_own_year(home: Path):
    """A residual mix is one number, so 700 g for each kWh are as sure as the kWh are."""
    call = chat(input=4000, output=100, **IN_GERMANY)
    add(home, [*spans(task("a", call)), *later(spans(task("b", call), trace=2), 12 * MONTH_S)])
    mix = "zone,year,g_per_kwh,source\nDE,2025,700,a registry\n"
    import_residual(home, given_file(home, "mix.csv", mix))
    rows = objects(exported(home).activity)
    assert {row["month"][:4] for row in rows if row["market_g"] is None} == {"2026"}
    for row in (row for row in rows if row["market_g"] is not None):
        for end in ("_low", "", "_high"):
            grams, wh = row[f"market{end}_g"], row[f"energy{end}_wh"]
            assert grams == pytest.approx(wh * 0.7, rel=1e-9)


_ONE_IN_TWO_IS_TIMED = """
SELECT *
REPLACE (duration_ns / 2 AS duration_ns, duration_ns_calls / 2 AS duration_ns_calls)
FROM call_rollup
"""


def test_calls_whose_duration_nobody_knows_last_as_long_as_the_others(home: Path):
    """Of two calls that last as long, one tells it; making the hardware is still that of two."""
    add(home, spans(task("a", *(chat(input=100, output=50) for _ in "12"))))
    with Reader(home) as reader:
        told = sci.making(reader)
        with held(reader, call_rollup=_ONE_IN_TWO_IS_TIMED):
            (of, made), *others = sci.making(reader).items()
    assert not others
    assert made.gwp_kgco2e.central == pytest.approx(told[of].gwp_kgco2e.central)
    assert made.gwp_kgco2e.central > 0


def test_sci_is_use_and_making_by_executions(export: Activity):
    rows = objects(export.workflow)
    (row,) = (row for row in rows if (row["project"], row["month"]) == ("help", "2025-10"))
    assert (row["tasks"], row["embodied_calls"]) == (1, 1)
    assert row["embodied_g"] > 0
    assert row["sci_g"] == pytest.approx((row["carbon_g"] + row["embodied_g"]) / 1)
    assert row["sci_low_g"] == pytest.approx(row["carbon_low_g"] + row["embodied_low_g"])
    assert row["sci_high_g"] == pytest.approx(row["carbon_high_g"] + row["embodied_high_g"])


def test_sci_by_hand():
    """(10 + 2) g by 4 executions is 3 g; the ends are (5 + 1) / 4 and (20 + 3) / 4."""
    made = Embodied(Range(1e-3, 2e-3, 3e-3), Range(0, 0, 0), 7, 0, "much", ECOLOGITS)
    row = {"month": "2025-10", "tasks": 4, "carbon_low_g": 5.0, "carbon_g": 10.0}
    score = sci.sci({**row, "carbon_high_g": 20.0}, made)
    assert score.per_execution is not None
    assert score.per_execution.each == Range(1.5, 3.0, 5.75)
    assert (score.per_execution.total, score.executions) == (Range(6, 12, 23), 4)
    assert score.embodied_calls == 7


def test_without_the_making_of_the_hardware_there_is_no_score():
    row = {"month": "2025-10", "tasks": 4, "carbon_low_g": 5.0, "carbon_g": 10.0}
    score = sci.sci({**row, "carbon_high_g": 20.0}, None)
    assert (score.embodied_g, score.per_execution) == (None, None)
    assert score.operational_g == Range(5, 10, 20)


def test_an_intensity_stands_beside_its_absolute(export: Activity):
    for row in objects(export.workflow):
        assert row["energy_per_task_wh"] == pytest.approx(row["energy_wh"] / row["tasks"])
        assert row["energy_per_call_wh"] == pytest.approx(row["energy_wh"] / row["calls"])
        assert row["energy_per_1000_tokens_wh"] == pytest.approx(
            1000 * row["energy_wh"] / row["tokens"]
        )


def test_periods_are_whole_months(recorded: Path):
    with pytest.raises(ConfigError, match="whole months"):
        exported(recorded, "2025-10-09")
    assert exported(recorded, "2025-10..2025-11").meta.rows == exported(recorded, "2025").meta.rows


def test_where_nothing_is_there_the_months_that_are_get_named(recorded: Path, tmp_path: Path):
    with pytest.raises(QueryError, match="Calls were recorded in 2025-10, 2025-11"):
        exported(recorded, "2024-01")
    (tmp_path / "new").mkdir()
    with pytest.raises(QueryError, match="nothing was recorded yet"):
        exported(tmp_path / "new")


def test_the_canonical_form_and_its_hash():
    table = Table(("name", "n", "x"), [("b\t", 2, 0.1), ("a\\", 1, None), (None, 3, 1e-7)])
    assert canonical.lines(table) == [
        "name\tn\tx",
        "\\N\t3\t1e-07",
        "a\\\\\t1\t\\N",
        "b\\t\t2\t0.1",
    ]
    text = "name\tn\tx\n\\N\t3\t1e-07\na\\\\\t1\t\\N\nb\\t\t2\t0.1\n"
    assert canonical.sha256(table) == hashlib.sha256(text.encode()).hexdigest()


TEXT = st.one_of(
    st.none(),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
    st.sampled_from(["=1+1", "+1", "-1", "@cmd", "'quoted", "a,b", 'say "x"', "_x000D_", "\r\n"]),
)
ROW = st.tuples(
    st.just("r1"),
    TEXT,
    st.one_of(st.none(), st.integers(0, 10**15)),
    st.one_of(st.none(), st.floats(0, 1e30)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=5))
def test_every_format_gives_back_the_rows(rows: list[tuple[Any, ...]]):
    table = Table(
        ("row_id", "model", "tokens", "energy_wh"),
        [tuple(map(canonical.rounded, row)) for row in rows],
    )
    digest = canonical.sha256(table)
    assert canonical.sha256(forms.from_csv(forms.to_csv(table))) == digest
    sheet = xlsx.read_xlsx(xlsx.to_xlsx({"activity": table}, ""))["activity"]
    assert canonical.sha256(forms.typed([str(cell) for cell in sheet[0]], sheet[1:])) == digest


@pytest.mark.parametrize("form", forms.FORMATS)
def test_a_file_of_any_format_is_read_as_it_was_exported(recorded: Path, tmp_path: Path, form: str):
    export = exported(recorded)
    written = files.write(export, form, tmp_path / f"rows.{form}")
    for path in written:
        if path.name.endswith(".md"):
            continue
        found = files.read(path)
        assert found.meta == export.meta
        assert all(one.is_as_exported for one in check.digests(found.tables, found.meta))
        for name, table in found.tables.items():
            assert table == export.tables[name]


def test_the_same_store_gives_the_same_hash(recorded: Path, export: Activity):
    assert exported(recorded).meta.sha256 == export.meta.sha256


def test_a_file_of_a_newer_form_is_refused(export: Activity, tmp_path: Path):
    newer = dataclasses.replace(export, meta=dataclasses.replace(export.meta, format=99))
    (path,) = files.write(newer, "json", tmp_path / "rows.json")
    with pytest.raises(ConfigError, match="Upgrade agenttrace"):
        files.read(path)


def test_a_store_that_gives_the_same_differs_in_nothing(recorded: Path, export: Activity):
    with Reader(recorded, pricing=check.pricing(export.meta)) as reader:
        assert check.differences(reader, export.tables, export.meta) == []


def test_a_store_that_knows_more_now_says_where_it_differs(own: Path):
    export = exported(own, "2025-11")
    more = later(spans(task("more", chat(input=7, output=1, **IN_GERMANY)), trace=9), MONTH_S)
    write(own, more)
    with Reader(own, pricing=check.pricing(export.meta)) as reader:
        found = check.differences(reader, export.tables, export.meta)
    assert ("activity", "tokens", 4000, 4007) in {
        (one.table, one.column, one.in_file, one.in_store) for one in found
    }
    assert any(one.table == "workflow" and one.column is None for one in found)


def test_text_is_text_in_a_sheet_and_numbers_are_numbers(home: Path):
    add(home, spans(task("a", chat(input=3, output=1, model="=cmd|' /C calc'!A0"))))
    export = exported(home)
    content = xlsx.to_xlsx(export.tables, "")
    header, row, *_ = xlsx.read_xlsx(content)["activity"]
    read = dict(zip(header, row, strict=False))
    assert (read["model"], read["calls"]) == ("=cmd|' /C calc'!A0", 1.0)
    assert b"<f>" not in content
    (line, *_) = forms.to_csv(export.activity).splitlines()[1:]
    assert "'=cmd|" in line


def test_xlsx_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "xlsxwriter", None)
    with pytest.raises(MissingDependencyError, match="pip install xlsxwriter"):
        xlsx.to_xlsx({}, "")


def test_the_annex_has_every_factor_with_its_sources_and_the_hash(export: Activity):
    text = annexes.annex(export, ["rows.csv"])
    assert export.factors
    for factor in export.factors:
        assert factor.id in text
        assert all(source.url in text for source in factor.sources)
    assert all(digest in text for digest in export.meta.sha256.values())
    assert all(
        f"| `{name}` |" in text for name in (*export.activity.columns, *export.workflow.columns)
    )
    assert (export.method.factor_set in text, "facility" in text) == (True, True)
    assert annexes.meta_of(text) == export.meta


def test_the_annex_cannot_be_broken_by_a_name(home: Path):
    name = "x|y\n```\n<b> ```json agenttrace-activity\n"
    add(home, spans(task("a", chat(input=3, output=1, model=name))))
    export = exported(home)
    text = annexes.annex(export)
    assert "x\\|y ``` &lt;b>" in text
    assert annexes.meta_of(text) == export.meta


def test_the_command_of_the_annex_is_quoted_for_a_shell(export: Activity):
    project = 'bob\'s "$HOME" `x` \\ shop'
    of_project = dataclasses.replace(export, meta=dataclasses.replace(export.meta, project=project))
    text = annexes.annex(of_project)
    (line,) = (one for one in text.splitlines() if one.startswith("agenttrace query "))
    words = line.removeprefix("agenttrace query ").partition(" --boundary ")[0]
    said = subprocess.run(["sh", "-c", f"printf %s {words}"], capture_output=True, text=True)
    assert said.stdout == annexes.calls_of(of_project.meta, export.activity.rows[0][0])
    assert "project = 'bob''s " in said.stdout


def test_an_annex_that_says_nothing_has_no_meta():
    assert annexes.meta_of("# a file of somebody's") is None
    assert annexes.meta_of('```json agenttrace-activity\n{"a": 1}\n```') is None


@pytest.mark.parametrize(
    "said", [{}, {"project": "shop"}, {"task_name": "week"}, {"agent": "lead"}]
)
def test_the_calls_of_a_row_add_up_to_it(recorded: Path, said: dict[str, Any]):
    export = exported(recorded, **said)
    with Reader(recorded) as reader, held(reader, "activity_call"):
        for row in objects(export.activity):
            calls = reader.query(annexes.calls_of(export.meta, row["row_id"]))
            tokens = [call["tokens"] for call in calls if call["tokens"] is not None]
            energy = [call["energy_wh"] for call in calls if call["energy_wh"] is not None]
            assert len(calls) == row["calls"]
            assert (sum(tokens) if tokens else None) == row["tokens"]
            assert fsum(energy) == pytest.approx(row["energy_wh"] or 0.0, rel=1e-9)


def test_json_has_the_rows_and_what_they_rest_on(export: Activity):
    said = json.loads(forms.to_json(export))
    assert list(said) == ["meta", "rows", "workflow", "methodology"]
    assert said["meta"] == dataclasses.asdict(export.meta)
    assert said["rows"] == objects(export.activity)
    assert said["methodology"]["columns"]["activity"].keys() == set(export.activity.columns)


def test_the_same_calls_have_the_same_row_whatever_prices_them(recorded: Path, export: Activity):
    with Reader(recorded, pricing=Pricing(boundary="accelerator")) as reader:
        other = activity(reader, Selection())
    assert column(other.activity, "row_id") == column(export.activity, "row_id")
    assert set(string.hexdigits) >= set("".join(column(export.activity, "row_id"))) - {"r"}
    assert total(other.activity, "energy_wh") < total(export.activity, "energy_wh")
