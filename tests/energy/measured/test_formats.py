from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from agenttrace.energy.measured import Said, Window, read
from agenttrace.errors import FactorError

FILES = Path(__file__).parent / "files"
S = 1_000_000_000
START = 1_760_000_000 * S  # 2025-10-09T08:53:20Z


def window(start_s: float, end_s: float, joules: float, **said: object) -> Window:
    return Window(START + round(start_s * S), START + round(end_s * S), joules, **said)  # type: ignore[arg-type]


def written(folder: Path, *lines: str, name: str = "own.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_codecarbons_rows_of_a_run_are_sums_since_its_start() -> None:
    """0.001 and 0.003 kWh of the GPU at a PUE of 2 are 1,800 J in 10 s, and 3,600 J in 10 more."""
    found = read(FILES / "emissions.csv", Said(zone=UTC, host="GPU1"))
    said = {"host": "gpu1", "meter": "codecarbon", "source": "emissions.csv"}
    assert found.windows == (window(0, 10, 1800, **said), window(10, 20, 3600, **said))


def test_codecarbons_server_is_modelled_in_part() -> None:
    """0.0013 kWh at a PUE of 2 are 2,340 J."""
    found = read(FILES / "emissions.csv", Said(zone=UTC, boundary="server"))
    assert [(one.joules, one.boundary, one.mark) for one in found.windows] == [
        (pytest.approx(2340), "server", "modelled in part"),
        (pytest.approx(4140), "server", "modelled in part"),
    ]
    assert "modelled in part" in found.notes[0]


def test_codecarbon_without_a_gpu_needs_a_word(tmp_path: Path) -> None:
    text = (FILES / "emissions.csv").read_text().replace("0.0010", "0").replace("0.0030", "0")
    with pytest.raises(FactorError, match="--boundary accelerator, server or"):
        read(written(tmp_path, text), Said(zone=UTC))
    with pytest.raises(FactorError, match="no GPU was measured"):
        read(written(tmp_path, text), Said(zone=UTC, boundary="accelerator"))


def test_of_zeus_windows_inside_of_each_other_the_finest_stay() -> None:
    said = {"meter": "zeus", "source": "zeus.csv"}
    found = read(FILES / "zeus.csv")
    assert found.windows == (
        window(0.25, 0.75, 100, device="gpu0", **said),
        window(0.25, 0.75, 20.5, device="gpu1", **said),
        window(0.75, 1.25, 120, device="gpu0", **said),
        window(0.75, 1.25, 20.5, device="gpu1", **said),
    )
    assert found.skipped.counts == {"windows that share their time with a finer one": 2}


def test_samples_of_power_are_joined_by_trapezoids_and_no_gap_is_bridged() -> None:
    """100 W to 300 W over 10 s are 2,000 J. 300 s are a gap; without the NaN, 20 s follow."""
    found = read(FILES / "power.json")
    of_a = {"device": "GPU-a", "host": "node1", "meter": "dcgm", "source": "power.json"}
    assert found.windows == (
        window(0, 10, 2000, **of_a),
        window(0, 10, 500, **{**of_a, "device": "GPU-b"}),
        window(10, 20, 3000, **of_a),
        window(320, 340, 4000, **of_a),
    )
    assert found.skipped.counts == {
        "negative or impossible samples": 1,
        "gaps of more than 120 s, not bridged": 1,
    }


def test_a_counter_goes_before_power_and_its_resets_are_not_bridged() -> None:
    """In mJ: 5,000,000 to 5,002,000 are 2 J; it falls; 1,000 to 4,000 are 3 J."""
    found = read(FILES / "counter.json")
    said = {"device": "GPU-a", "host": "node1", "meter": "dcgm", "source": "counter.json"}
    assert found.windows == (window(0, 10, 2, **said), window(20, 30, 3, **said))
    assert found.skipped.counts == {
        "series of power beside a counter": 1,
        "resets of a counter, not bridged": 1,
    }


def test_close_samples_make_windows_of_a_second() -> None:
    """GPU 0: 100 W for half a second are 50 J, 100 to 300 W for half a second 100 J."""
    found = read(FILES / "smi.csv", Said(zone=UTC))
    said = {"meter": "nvidia-smi", "source": "smi.csv"}
    assert found.windows == (
        window(0, 1, 150, device="gpu0", **said),
        window(0.5, 1, 5, device="gpu1", **said),
    )
    assert found.skipped.counts == {"negative or impossible samples": 1}


def test_our_own_windows_say_what_they_know(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "start,end,joules,boundary,host,device,model,provider,service_name",
        "1760000000,1760000001.5,10,server,GPU1,gpu0,llama,vllm,web",
        "2025-10-09T08:53:22Z,2025-10-09T10:53:23+02:00,0,accelerator,,,,,",
    )
    assert read(path).windows == (
        window(
            0, 1.5, 10, boundary="server", host="gpu1", device="gpu0", model="llama",
            provider="vllm", service_name="web", source="own.csv",
        ),
        window(2, 3, 0, source="own.csv"),
    )  # fmt: skip


def test_what_the_user_says_goes_before_the_file(tmp_path: Path) -> None:
    path = written(
        tmp_path, "start,end,joules,boundary,host,model", "1760000000,1760000001,1,server,a,b"
    )
    said = Said(boundary="facility", host="c", model="d", provider="e", service_name="f")
    assert read(path, said).windows == (
        window(
            0, 1, 1, boundary="facility", host="c", model="d", provider="e", service_name="f",
            source="own.csv",
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    "kind", ["DOUBLE", "VARCHAR", "TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"]
)
def test_parquet_may_write_moments_in_any_way(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "own.parquet"
    if kind in ("DOUBLE", "VARCHAR"):
        at, later = "1760000000", "1760000001"
    else:
        at, later = f"make_timestamp_ns({START})", f"make_timestamp_ns({START + S})"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            f'COPY (SELECT {at}::{kind} AS start, {later}::{kind} AS "end", 5 AS joules) '
            f"TO '{path}' (FORMAT parquet)"
        )
    found = read(path, Said(boundary="accelerator", zone=UTC))
    assert found.windows == (window(0, 1, 5, source="own.parquet"),)


def test_a_time_without_a_zone_is_of_the_zone_that_is_said(tmp_path: Path) -> None:
    path = written(tmp_path, "start,end,joules", "2025-10-09 10:53:20,2025-10-09 10:53:21,1")
    said = Said(boundary="accelerator", zone=ZoneInfo("Europe/Berlin"))
    assert read(path, said).windows == (window(0, 1, 1, source="own.csv"),)


def test_samples_of_several_devices_are_told_apart(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "timestamp,watts,device,host",
        *("1760000000,10,a,h", "1760000000,20,b,h", "1760000002,10,a,h", "1760000002,20,b,h"),
    )
    assert read(path, Said(boundary="server")).windows == tuple(
        window(
            0, 2, joules, boundary="server", device=device, host="h", meter="power samples",
            source="own.csv",
        )
        for device, joules in (("a", 20), ("b", 40))
    )  # fmt: skip


OWN = "start,end,joules,boundary"
BAD = {
    "an unknown kind": (["a,b", "1,2"], r"columns a, b: no known kind"),
    "no line": ([""], r"own\.csv is empty\. Export it again"),
    "no boundary": (["start,end,joules", "1760000000,1760000001,1"], r"line 2: .*--boundary"),
    "a boundary that is none": ([OWN, "1760000000,1760000001,1,rack"], r"2: boundary is 'rack'"),
    "no number": ([OWN, "1760000000,1760000001,much,server"], r"line 2: joules is 'much'"),
    "nan": ([OWN, "1760000000,1760000001,nan,server"], r"line 2: joules is nan"),
    "less than nothing": ([OWN, "1760000000,1760000001,-1,server"], r"line 2: joules is -1"),
    "absurd": ([OWN, "1760000000,1760000001,10000001,server"], r"line 2: .*more than 1e\+07 W"),
    "backwards": ([OWN, "1760000001,1760000000,1,server"], r"line 2: the window ends before"),
    "a wrong year": ([OWN, "1760000000,2025-12-09T00:00:00Z,1,server"], r"line 2: .* 61 days"),
    "milliseconds": ([OWN, "1760000000000,1760000001000,1,server"], r"line 2: .*milliseconds"),
    "no moment": ([OWN, "noon,1760000001,1,server"], r"line 2: 'noon' is no moment"),
    "an hour twice": (
        [OWN, "2025-10-26T02:30:00,1761500000,1,server"],
        r"line 2: .*comes twice or never",
    ),
    "an hour never": ([OWN, "2025-03-30T02:30:00,1761500000,1,server"], r"comes twice or never"),
    "cut off": ([OWN, "1760000000,17600"], r"line 2: 2 values for 4 columns"),
    "one sample": (["timestamp,watts", "1760000000,1"], r"no energy between two moments"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_meant_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    lines, said = BAD[name]
    path = written(tmp_path, *lines)
    boundary = None if lines[0] == OWN or "boundary" in name else "server"
    with pytest.raises(FactorError, match=said) as raised:
        read(path, Said(zone=ZoneInfo("Europe/Berlin"), boundary=boundary))
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


BAD_JSON = {
    "no JSON": ("{", "it is no JSON"),
    "another answer": ("[]", "no answer of Prometheus"),
    "an error": ('{"status": "error", "error": "x"}', "no answer of Prometheus"),
    "an instant query": (
        '{"status": "success", "data": {"resultType": "vector", "result": []}}',
        "query_range",
    ),
    "a function": (
        '{"status": "success", "data": {"resultType": "matrix", "result": '
        '[{"metric": {}, "values": [[1760000000, "1"]]}]}}',
        "without a function",
    ),
    "a series without values": (
        '{"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}}]}}',
        "cannot be read",
    ),
    "no series": (
        '{"status": "success", "data": {"resultType": "matrix", "result": []}}',
        "no energy",
    ),
}


@pytest.mark.parametrize("name", BAD_JSON)
def test_what_is_no_answer_to_a_range_query_is_refused(tmp_path: Path, name: str) -> None:
    text, said = BAD_JSON[name]
    with pytest.raises(FactorError, match=said):
        read(written(tmp_path, text, name="answer.json"))


@pytest.mark.parametrize("name", ["own.csv", "own.parquet"])
def test_bytes_that_are_no_such_file_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\xff\xfe\x00PAR1")
    with pytest.raises(FactorError, match=name):
        read(path)


def test_columns_may_be_capital_and_text_may_begin_with_a_mark(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufeffStart, End, Joules", "1760000000, 1760000001, 1", "")
    assert read(path, Said(boundary="accelerator")).windows == (window(0, 1, 1, source="own.csv"),)
