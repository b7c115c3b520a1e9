"""What calls get of measured joules, worked out by hand.

Uncached input is the only thing that costs here: 3.6 J a token at the facility, of which half is at
the accelerator. Times are seconds after START_NS.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttrace import rollup
from agenttrace.energy import measured
from agenttrace.energy.measured import Window
from tests.builders import SECOND_NS, START_NS, asked, chat, put, segment, spans

Call = tuple[float, float | None, dict[str, Any]]

MEASURED = ("measured_share", "measured_call", "measured_sum")

# What the queries read, but for the windows.
TABLES = """
    CREATE TABLE counted_call (
        task_id VARCHAR, trace_id VARCHAR, span_id VARCHAR, start_ns BIGINT, duration_ns BIGINT,
        started_at TIMESTAMP, provider VARCHAR, request_model VARCHAR, response_model VARCHAR,
        model VARCHAR, service_name VARCHAR, region VARCHAR, role VARCHAR, visible BOOLEAN,
        n_u BIGINT, n_c BIGINT, n_o BIGINT
    );
    CREATE TABLE span (
        kind VARCHAR, trace_id VARCHAR, span_id VARCHAR, start_ns BIGINT, host VARCHAR,
        server_address VARCHAR, parent_span_id VARCHAR, measured_j DOUBLE,
        measured_boundary VARCHAR
    );
    CREATE TABLE task_answer (task_id VARCHAR, is_marked BOOLEAN, call STRUCT(span_id VARCHAR));
    CREATE TABLE model_factor (
        provider VARCHAR, model VARCHAR, basis VARCHAR, j_uncached DOUBLE,
        j_uncached_context DOUBLE, j_cached DOUBLE, j_output DOUBLE, j_output_context DOUBLE
    );
    INSERT INTO model_factor
    SELECT provider, model, basis, j, 0, 0, 0, 0
    FROM (VALUES ('openai'), ('vllm'), ('ollama')) AS maker (provider)
    CROSS JOIN (VALUES ('gpt-5'), ('o')) AS made (model)
    CROSS JOIN (
        VALUES ('estimated', 3.6), ('accelerator', 2.0), ('server', 1.6), ('facility', 1.0)
    ) AS based (basis, j)
"""


def window(start_s: float, end_s: float, joules: float, **said: Any) -> Window:
    start_ns, end_ns = (START_NS + round(at * SECOND_NS) for at in (start_s, end_s))
    return Window(start_ns, end_ns, joules, **said)


def call(start_s: float, end_s: float | None, **said: Any) -> Call:
    """A call that a server on the recording machine answers, unless told otherwise."""
    return start_s, end_s, said


class Found:
    """The queries over some windows and calls."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def sql(self, text: str) -> duckdb.DuckDBPyRelation:
        return self.connection.sql(text)


@contextmanager
def measuring(home: Path, windows: Sequence[Window], *calls: Call) -> Iterator[Found]:
    """Ask the queries; the spans of *calls* are 2, 3, ..., in the order given."""
    measured.add(home, windows)
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        measured.define(connection, home)
        for number, (start_s, end_s, said) in enumerate(calls, start=2):
            insert(connection, number, start_s, end_s, said)
        given = ("counted_call", "task_answer")
        queries = rollup.Definitions(connection, rollup.folders(), given)
        queries.define("measured_sum", "measured_use")
        yield Found(connection)


def insert(
    connection: duckdb.DuckDBPyConnection,
    number: int,
    start_s: float,
    end_s: float | None,
    said: dict[str, Any],
) -> None:
    start_ns = START_NS + round(start_s * SECOND_NS)
    who = {"trace_id": "t", "span_id": f"{number:04}", "start_ns": start_ns}
    given = {
        "provider": "openai",
        "model": "gpt-5",
        "service_name": "test",
        "role": "main",
        "n_u": 1000,
        "n_c": 0,
        "n_o": 0,
        "host": "here",
        "server_address": "localhost",
        **said,
    }
    seen = ("host", "server_address", "parent_span_id", "measured_j", "measured_boundary")
    place = {key: given.pop(key, None) for key in seen}
    columns = {
        "task_id": "job",
        "duration_ns": None if end_s is None else round((end_s - start_s) * SECOND_NS),
        "response_model": given["model"],
        **who,
        **given,
    }
    for table, values in (
        ("counted_call", columns),
        ("span", {"kind": "inference", **who, **place}),
    ):
        marks = ", ".join(f"${place}" for place in range(1, len(values) + 1))
        connection.execute(
            f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values())
        )
    connection.execute("UPDATE counted_call SET started_at = make_timestamp(start_ns // 1000)")


def shares(found: Found) -> list[tuple[Any, ...]]:
    """Return the last digit of each call's span, and what it gets."""
    return found.sql(
        "SELECT number, span_id::INTEGER, round(call_share, 9), round(window_share, 9), "
        "round(joules, 9) FROM measured_share ORDER BY ALL"
    ).fetchall()


def calls(found: Found, columns: str) -> list[tuple[Any, ...]]:
    return found.sql(
        f"SELECT span_id::INTEGER, {columns} FROM measured_call ORDER BY ALL"
    ).fetchall()


def use(found: Found, columns: str) -> list[tuple[Any, ...]]:
    return found.sql(f"SELECT {columns} FROM measured_use ORDER BY ALL").fetchall()


def test_one_call_in_one_window_gets_all_of_it(tmp_path: Path) -> None:
    """1,000 tokens are 3,600 J or 1 Wh at the facility, so 0.5 Wh at the accelerator."""
    with measuring(tmp_path, [window(1, 4, 900)], call(2, 3)) as found:
        assert shares(found) == [(0, 2, 1.0, 1.0, 900.0)]
        columns = "boundary, mark, covered, measured_wh, estimate_wh, ratio, uncached"
        assert calls(found, columns) == [
            (2, "accelerator", "measured", 1.0, 0.25, 0.5, 0.5, 1000.0)
        ]
        assert use(found, "windows, idle_windows, seconds, idle_seconds, busy_seconds") == [
            (1, 0, 3.0, 0.0, 1.0)
        ]


def test_calls_that_overlap_share_by_their_tokens(tmp_path: Path) -> None:
    calls_ = call(2, 3, n_u=1000), call(2, 3, n_u=3000)
    with measuring(tmp_path, [window(2, 3, 80)], *calls_) as found:
        assert shares(found) == [(0, 2, 1.0, 0.25, 20.0), (0, 3, 1.0, 0.75, 60.0)]


def test_a_call_that_is_half_inside_weighs_half_and_is_measured_by_half(tmp_path: Path) -> None:
    calls_ = call(2, 3), call(2, 4)
    with measuring(tmp_path, [window(2, 3, 90)], *calls_) as found:
        assert shares(found) == [
            (0, 2, 1.0, round(2 / 3, 9), 60.0),
            (0, 3, 0.5, round(1 / 3, 9), 30.0),
        ]
        assert calls(found, "covered, estimate_wh, uncached, uncached_context_x2") == [
            (2, 1.0, 0.5, 1000.0, 1e6),
            (3, 0.5, 0.25, 500.0, 5e5),
        ]
        assert found.sql(
            "SELECT sum(calls), sum(partly_calls), sum(covered_calls) FROM measured_sum"
        ).fetchall() == [(2, 1, 1.5)]


def test_a_window_without_a_call_is_idle_and_given_to_nobody(tmp_path: Path) -> None:
    windows = [window(0, 1, 5), window(2, 3, 7), window(5, 6, 11)]
    with measuring(tmp_path, windows, call(2, 3)) as found:
        assert shares(found) == [(1, 2, 1.0, 1.0, 7.0)]
        assert use(found, "windows, idle_windows, joules, idle_joules, busy_seconds") == [
            (3, 2, 23.0, 16.0, 1.0)
        ]


def test_a_window_belongs_to_the_calls_of_its_host(tmp_path: Path) -> None:
    windows = [window(2, 3, 5, host="here"), window(2, 3, 7, host="there")]
    calls_ = call(2, 3), call(2, 3, server_address="there.example")
    with measuring(tmp_path, windows, *calls_) as found:
        assert shares(found) == [(0, 2, 1.0, 1.0, 5.0), (1, 3, 1.0, 1.0, 7.0)]


# (what the window says, what the call says) and whether they belong together; the call is recorded
# on the host "here".
TOGETHER = {
    "nothing, on this machine": ({}, {}, True),
    "nothing, by its address": ({}, {"server_address": "127.0.0.1"}, True),
    "nothing, in the same network": ({}, {"server_address": "192.168.1.7"}, True),
    "nothing, a name without a domain": ({}, {"server_address": "ollama"}, True),
    "nothing, somebody's API": ({}, {"server_address": "api.openai.com"}, False),
    "nothing, somebody's address": ({}, {"server_address": "172.32.0.1"}, False),
    "nothing, nobody knows where": ({}, {"server_address": None}, False),
    "nothing, a local server": ({}, {"server_address": None, "provider": "ollama"}, True),
    "its model, nobody knows where": ({"model": "GPT-5"}, {"server_address": None}, True),
    "its model": ({"model": "gpt-5"}, {}, True),
    "the model that was asked for": ({"model": "m"}, {"request_model": "M"}, True),
    "another model": ({"model": "o"}, {}, False),
    "its provider": ({"provider": "openai"}, {}, True),
    "another provider": ({"provider": "vllm"}, {}, False),
    "its service": ({"service_name": "test"}, {}, True),
    "another service": ({"service_name": "web"}, {}, False),
    "its host": ({"host": "here"}, {}, True),
    "another host": ({"host": "there"}, {}, False),
    "its model on another host": ({"host": "there", "model": "gpt-5"}, {}, False),
    "the server's address": ({"host": "10.0.0.7"}, {"server_address": "10.0.0.7"}, True),
    "another address": ({"host": "10.0.0.7"}, {"server_address": "10.0.0.8"}, False),
    "the server without its domain": ({"host": "gpu"}, {"server_address": "GPU.example.com"}, True),
    "the server with its domain": ({"host": "gpu.example.com"}, {"server_address": "gpu"}, True),
    "a server of a similar name": ({"host": "gpu"}, {"server_address": "gpu2"}, False),
    "somebody's API, by model": ({"model": "o"}, {"model": "o", "server_address": "x.ai"}, True),
}  # fmt: skip


def test_a_window_belongs_to_the_calls_that_it_speaks_of(tmp_path: Path) -> None:
    windows, calls_ = [], []
    for place, (of_window, of_call, _) in enumerate(TOGETHER.values()):
        windows.append(window(10 * place, 10 * place + 1, 1, **of_window))
        calls_.append(call(10 * place, 10 * place + 1, **of_call))
    with measuring(tmp_path, windows, *calls_) as found:
        rows = found.sql(
            f"SELECT (from_ns - {START_NS}) // {10 * SECOND_NS} FROM measured_share"
        ).fetchall()
    together = {int(place) for (place,) in rows}
    assert {name: place in together for place, name in enumerate(TOGETHER)} == {
        name: is_together for name, (_, _, is_together) in TOGETHER.items()
    }


def test_a_call_of_unknown_tokens_weighs_as_the_others_do_by_time(tmp_path: Path) -> None:
    """3 s of calls with 3,000 tokens: 1,000 tokens a second, for the 1 s of the third as well."""
    calls_ = call(2, 3, n_u=1000), call(2, 4, n_u=2000), call(2, 3, n_u=None, n_c=None, n_o=None)
    with measuring(tmp_path, [window(2, 4, 100)], *calls_) as found:
        assert [row[3] for row in shares(found)] == [0.25, 0.5, 0.25]
        assert calls(found, "estimate_wh, ratio, uncached")[2] == (4, None, None, None)
        assert found.sql(
            "SELECT sum(calls), sum(unpriced_calls), sum(measured_j), sum(unpriced_j) "
            "FROM measured_sum"
        ).fetchall() == [(3, 1, 100, 25)]


@pytest.mark.parametrize("tokens", [None, 0])
def test_calls_of_which_nothing_is_known_share_by_time(tmp_path: Path, tokens: int | None) -> None:
    calls_ = call(2, 3, n_u=tokens, n_c=tokens), call(2, 5, n_u=tokens, n_c=tokens)
    with measuring(tmp_path, [window(2, 5, 100)], *calls_) as found:
        assert [row[3] for row in shares(found)] == [0.25, 0.75]


def test_a_call_that_never_ended_is_not_measured(tmp_path: Path) -> None:
    with measuring(tmp_path, [window(2, 5, 100)], call(3, None)) as found:
        assert shares(found) == []


def test_a_call_of_no_length_is_in_the_window_it_began_in(tmp_path: Path) -> None:
    with measuring(tmp_path, [window(2, 5, 100), window(5, 6, 9)], call(5, 5)) as found:
        assert shares(found) == [(1, 2, 1.0, 1.0, 9.0)]


def test_a_call_and_a_window_may_last_long(tmp_path: Path) -> None:
    """Years of a call whose end is wrong, and a window of 31 days in them."""
    days = 86_400.0
    calls_ = call(0, 10_000 * days), call(40 * days, 41 * days)
    with measuring(tmp_path, [window(20 * days, 51 * days, 10)], *calls_) as found:
        shares_ = [(number, call_share) for _, number, call_share, _, _ in shares(found)]
        assert shares_ == [(2, 0.0031), (3, 1.0)]


def test_windows_one_after_the_other_cover_a_call_together(tmp_path: Path) -> None:
    windows = [window(2, 3, 10), window(3, 4, 20), window(5, 6, 30)]
    with measuring(tmp_path, windows, call(2, 6)) as found:
        assert calls(found, "covered, measured_wh * 3600") == [(2, 0.75, 60.0)]


def test_devices_add_up_and_cover_a_call_once(tmp_path: Path) -> None:
    windows = [window(2, 4, 10, device="gpu0"), window(2, 3, 20, device="gpu1")]
    with measuring(tmp_path, windows, call(2, 4)) as found:
        assert calls(found, "covered, measured_wh * 3600") == [(2, 1.0, 30.0)]


BOTH = {
    "the widest of those that cover as much": ((2, 4), (2, 4), "server", 1.0, 20.0),
    "what covers more": ((2, 4), (2, 3), "accelerator", 1.0, 10.0),
}


@pytest.mark.parametrize("name", BOTH)
def test_of_two_boundaries_one_counts(tmp_path: Path, name: str) -> None:
    chips, server, boundary, covered, joules = BOTH[name]
    windows = [window(*chips, 10), window(*server, 20, boundary="server")]
    with measuring(tmp_path, windows, call(2, 4)) as found:
        assert calls(found, "boundary, covered, round(measured_wh * 3600, 9)") == [
            (2, boundary, covered, joules)
        ]


@pytest.mark.parametrize(
    ("boundary", "wh"), [("accelerator", 0.5), ("server", 0.625), ("facility", 1)]
)
def test_the_estimate_is_at_the_boundary_of_the_measurement(
    tmp_path: Path, boundary: Any, wh: float
) -> None:
    with measuring(tmp_path, [window(2, 3, 10, boundary=boundary)], call(2, 3)) as found:
        assert calls(found, "estimate_wh") == [(2, pytest.approx(wh))]


def test_what_a_call_says_itself_goes_before_windows(tmp_path: Path) -> None:
    """500 tokens are 1,800 J at the facility: 900 J at the accelerator, 1,125 J at the server."""
    calls_ = (
        call(2, 3, n_u=500, measured_j=90.0),
        call(2, 3, n_u=500, measured_j=450.0, measured_boundary="server"),
        call(2, 3, n_u=500),
        call(7, None, n_u=500, measured_j=0.0),
    )
    with measuring(tmp_path, [window(2, 3, 60)], *calls_) as found:
        columns = "boundary, covered, measured_wh * 3600, ratio"
        assert calls(found, columns) == [
            (2, "accelerator", 1.0, 90.0, 0.1),
            (3, "server", 1.0, 450.0, 0.4),
            (4, "accelerator", 1.0, 20.0, pytest.approx(1 / 45)),
            (5, "accelerator", 1.0, 0.0, 0.0),
        ]


def test_what_a_framework_says_around_calls_is_shared_by_its_attempts(tmp_path: Path) -> None:
    """1 s and 3 s of attempts; the third call stands elsewhere."""
    calls_ = (
        call(2, 3, parent_span_id="frame"),
        call(3, 6, parent_span_id="frame"),
        call(7, 8),
    )
    with measuring(tmp_path, [], *calls_) as found:
        found.connection.execute(
            "INSERT INTO span BY NAME SELECT 'inference' AS kind, 't' AS trace_id, "
            "'frame' AS span_id, 40.0 AS measured_j, 'facility' AS measured_boundary"
        )
        assert calls(found, "boundary, measured_wh * 3600") == [
            (2, "facility", 10.0),
            (3, "facility", 30.0),
        ]


def test_an_attempt_does_not_speak_for_the_next(tmp_path: Path) -> None:
    calls_ = call(2, 3, measured_j=5.0), call(3, 4, parent_span_id="0002")
    with measuring(tmp_path, [], *calls_) as found:
        assert calls(found, "measured_wh * 3600") == [(2, 5.0)]


def test_what_is_modelled_in_part_stays_so(tmp_path: Path) -> None:
    windows = [window(2, 3, 10), window(3, 4, 20, mark="modelled in part")]
    with measuring(tmp_path, windows, call(2, 3), call(2, 4)) as found:
        assert calls(found, "mark") == [(2, "measured"), (3, "modelled in part")]
        assert found.sql("SELECT sum(modelled_calls) FROM measured_sum").fetchall() == [(1,)]


def test_sums_are_told_apart_by_what_totals_are(tmp_path: Path) -> None:
    calls_ = (
        call(2, 3, n_u=1000),
        call(2, 3, n_u=1000, role="title"),
        call(2, 3, n_u=2000, model="o", region="eu-west-1"),
    )
    with measuring(tmp_path, [window(2, 3, 40)], *calls_) as found:
        found.connection.execute(
            "INSERT INTO task_answer VALUES ('job', FALSE, {'span_id': '0002'})"
        )
        columns = (
            "task_id, region, provider, model, role, hidden, boundary, calls, measured_j, uncached"
        )
        assert found.sql(f"SELECT {columns} FROM measured_sum ORDER BY ALL").fetchall() == [
            ("job", "eu-west-1", "openai", "o", "main", True, "accelerator", 1, 20.0, 2000.0),
            ("job", None, "openai", "gpt-5", "main", False, "accelerator", 1, 10.0, 1000.0),
            ("job", None, "openai", "gpt-5", "title", True, "accelerator", 1, 10.0, 1000.0),
        ]


def test_windows_meet_calls_as_they_were_recorded(tmp_path: Path) -> None:
    """A call and its host come from the store: START_NS + 2 s, for half a second."""
    home = tmp_path / "home"
    records = spans(chat(input=1000, output=0, **{"server.address": "localhost"}))
    put(home, "a", segment(records, host="Node1"))
    measured.add(home, [window(0, 3, 900, host="node1"), window(0, 3, 5, host="node2")])
    with asked(home, models={"gpt-5": [0.001]}, imported=MEASURED) as found:
        measured.define(found.connection, home)
        rows = found.sql(
            "SELECT task_id, hidden, covered, measured_wh FROM measured_call"
        ).fetchall()
        assert rows == [("job", False, 1.0, 0.25)]


TIMES = st.tuples(st.integers(0, 40), st.integers(1, 20))
CALLS = st.tuples(TIMES, st.sampled_from([None, 0, 1, 1000, 123_456]))


# Each makes the tables and asks every query, and six calls in five windows meet in many ways.
@settings(deadline=None, max_examples=8)
@given(st.lists(TIMES, min_size=1, max_size=5), st.lists(CALLS, min_size=1, max_size=6))
def test_the_shares_of_a_window_are_all_of_it_or_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    times: list[tuple[int, int]],
    drawn: list[tuple[tuple[int, int], int | None]],
) -> None:
    home = tmp_path_factory.mktemp("home")
    windows = [
        window(start / 4, (start + length) / 4, 7.0 * place + 1, device=f"gpu{place}")
        for place, (start, length) in enumerate(times)
    ]
    calls_ = [
        call(start / 4, (start + length) / 4, n_u=tokens, n_c=tokens)
        for (start, length), tokens in drawn
    ]
    with measuring(home, windows, *calls_) as found:
        for name in ("measured_share", "measured_call"):
            found.connection.execute(f"CREATE TEMP TABLE {name} AS FROM {name}")
        rows = found.sql(
            "SELECT measured_window.joules, sum(measured_share.joules), sum(window_share), "
            "min(window_share) FROM measured_window LEFT JOIN measured_share USING (file, number) "
            "GROUP BY file, number, measured_window.joules"
        ).fetchall()
        assert len(rows) == len(windows)
        for joules, shared, whole, least in rows:
            assert shared is None or shared == pytest.approx(joules)
            assert whole is None or (whole == pytest.approx(1) and least >= 0)
        ((in_windows, idle, in_calls, in_sums),) = found.sql(
            "SELECT (SELECT sum(joules) FROM measured_use),"
            " (SELECT sum(idle_joules) FROM measured_use),"
            " (SELECT coalesce(sum(measured_wh), 0) * 3600 FROM measured_call),"
            " (SELECT coalesce(sum(measured_j), 0) FROM measured_sum)"
        ).fetchall()
        assert in_windows == pytest.approx(idle + in_calls)
        assert in_calls == pytest.approx(in_sums)
        covered = calls(found, "covered")
        assert all(0 < part <= 1 for _, part in covered)
