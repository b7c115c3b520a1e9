import gzip
import json
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttrace.energy.grid import hourly
from agenttrace.energy.grid.importing import Imported, import_file
from agenttrace.errors import FactorError


def hours(home: Path, *names: str) -> list[tuple[object, ...]]:
    columns = ("hour::VARCHAR" if name == "hour" else name for name in names)
    with duckdb.connect() as connection:
        hourly.define(connection, home)
        rows = connection.table("grid_hour").order("zone, hour")
        return rows.project(", ".join(columns)).fetchall()


def imported(home: Path, text: str, name: str = "grid.csv", **options: Any) -> Imported:
    path = home / name
    path.write_text(text, encoding="utf-8")
    return import_file(home, path, **options)


def at(hour: int, day: int = 1, month: int = 3) -> str:
    return f"2026-{month:02}-{day:02} {hour:02}:00:00"


OWN = """\
timestamp,zone,g_per_kwh,cfe_share
2026-03-01T00:00:00+00:00,DE,300,0.5
2026-03-01T02:00:00+01:00,DE,200,0.7
"""


def test_our_own_form_is_kept_by_zone_and_hour_of_utc(tmp_path: Path):
    imported(tmp_path, OWN)
    assert hours(tmp_path, "zone", "hour", "g_per_kwh", "marginal_g_per_kwh", "cfe_share") == [
        ("DE", at(0), 300.0, None, 0.5),
        ("DE", at(1), 200.0, None, 0.7),
    ]


def test_importing_twice_is_once(tmp_path: Path):
    imported(tmp_path, OWN)
    before = hours(tmp_path, "zone", "hour", "g_per_kwh", "cfe_share")
    again = import_file(tmp_path, tmp_path / "grid.csv").zones[0]
    assert (again.added, again.replaced, again.unchanged) == (0, 0, 2)
    assert hours(tmp_path, "zone", "hour", "g_per_kwh", "cfe_share") == before


def test_a_later_import_replaces_the_hours_that_it_has(tmp_path: Path):
    imported(tmp_path, OWN)
    imported(
        tmp_path, "timestamp,zone,g_per_kwh\n2026-03-01T01:00Z,DE,250\n2026-03-01T02:00Z,DE,90"
    )
    done = import_file(tmp_path, tmp_path / "grid.csv").zones[0]
    assert (done.added, done.replaced, done.unchanged) == (0, 0, 2)
    assert hours(tmp_path, "hour", "g_per_kwh", "cfe_share") == [
        (at(0), 300.0, 0.5),
        (at(1), 250.0, 0.7),  # the share was not said again, so it stays
        (at(2), 90.0, None),
    ]


def test_what_is_replaced_is_counted(tmp_path: Path):
    imported(tmp_path, OWN)
    path = tmp_path / "later.csv"
    path.write_text("timestamp,zone,g_per_kwh\n2026-03-01T01:00Z,DE,250\n2026-03-01T02:00Z,DE,90")
    done = import_file(tmp_path, path).zones[0]
    assert (done.added, done.replaced, done.unchanged) == (1, 1, 0)


def test_average_and_marginal_stay_apart_each_with_its_source(tmp_path: Path):
    imported(tmp_path, "timestamp,zone,g_per_kwh\n2026-03-01T00:00Z,DE,120", "average.csv")
    imported(
        tmp_path,
        "timestamp,zone,g_per_kwh\n2026-03-01T00:00Z,DE,477",
        "marginal.csv",
        kind="marginal",
    )
    columns = ("g_per_kwh", "source", "marginal_g_per_kwh", "marginal_source")
    assert hours(tmp_path, *columns) == [(120.0, "average.csv", 477.0, "marginal.csv")]


def test_a_country_has_one_name_whatever_the_file_calls_it(tmp_path: Path):
    imported(tmp_path, "timestamp,zone,g_per_kwh\n2026-03-01T00:00Z,DEU,1\n2026-03-01T01:00Z,de,2")
    assert hours(tmp_path, "zone", "g_per_kwh") == [("DE", 1.0), ("DE", 2.0)]


def test_quarters_of_an_hour_are_averaged(tmp_path: Path):
    rows = "2026-03-01T05:00Z,1\n2026-03-01T05:15Z,2\n2026-03-01T05:30Z,3\n2026-03-01T05:45Z,6"
    imported(tmp_path, "timestamp,g_per_kwh\n" + rows, zone="DE")
    assert hours(tmp_path, "hour", "g_per_kwh") == [(at(5), 3.0)]


@pytest.mark.parametrize("text", [OWN.replace(",", ";"), OWN.replace(",", "\t"), "\ufeff" + OWN])
def test_other_delimiters_and_a_mark_at_the_beginning_are_read(text: str, tmp_path: Path):
    imported(tmp_path, text)
    assert hours(tmp_path, "hour", "g_per_kwh") == [(at(0), 300.0), (at(1), 200.0)]


def test_gzip_and_parquet_are_read_as_well(tmp_path: Path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(OWN.encode()))
    import_file(tmp_path, tmp_path / "a.csv.gz")
    duckdb.execute(
        "COPY (SELECT TIMESTAMPTZ '2026-03-01 03:00:00+00' AS timestamp, 'DE' AS zone, "
        "5 AS g_per_kwh) TO $path (FORMAT parquet)",
        {"path": str(tmp_path / "b.parquet")},
    )
    import_file(tmp_path, tmp_path / "b.parquet")
    assert hours(tmp_path, "hour", "g_per_kwh") == [(at(0), 300.0), (at(1), 200.0), (at(3), 5.0)]


# Time zones and daylight saving: in Berlin, 2026-03-29 02:00 becomes 03:00, and 2026-10-25 03:00
# becomes 02:00.


def test_local_times_need_their_zone(tmp_path: Path):
    text = "timestamp,zone,g_per_kwh\n2026-03-01 00:00,DE,300"
    with pytest.raises(FactorError, match=r"grid.csv, line 2: .* Give it with --tz"):
        imported(tmp_path, text)
    imported(tmp_path, text, tz="Europe/Berlin")
    assert hours(tmp_path, "hour") == [(at(23, 28, 2),)]


def test_in_spring_no_hour_of_utc_is_missing(tmp_path: Path):
    imported(
        tmp_path,
        "timestamp,zone,g_per_kwh\n2026-03-29 01:00,DE,1\n2026-03-29 03:00,DE,2",
        tz="Europe/Berlin",
    )
    assert hours(tmp_path, "hour", "g_per_kwh") == [(at(0, 29), 1.0), (at(1, 29), 2.0)]


def test_an_hour_that_the_clocks_jump_over_is_an_error(tmp_path: Path):
    text = "timestamp,zone,g_per_kwh\n2026-03-29 02:00,DE,1"
    with pytest.raises(FactorError, match="line 2: '2026-03-29 02:00' does not exist in Europe/B"):
        imported(tmp_path, text, tz="Europe/Berlin")


def test_in_autumn_the_hour_that_comes_twice_is_two_hours(tmp_path: Path):
    done = imported(
        tmp_path,
        "timestamp,zone,g_per_kwh\n"
        "2026-10-25 01:00,DE,1\n2026-10-25 02:00,DE,2\n"
        "2026-10-25 02:00,DE,3\n2026-10-25 03:00,DE,4",
        tz="Europe/Berlin",
    )
    assert hours(tmp_path, "hour", "g_per_kwh") == [
        (at(23, 24, 10), 1.0),
        (at(0, 25, 10), 2.0),
        (at(1, 25, 10), 3.0),
        (at(2, 25, 10), 4.0),
    ]
    assert done.single == ()


def test_in_autumn_one_row_for_two_hours_is_the_first_and_is_named(tmp_path: Path):
    done = imported(
        tmp_path,
        "timestamp,zone,g_per_kwh\n2026-10-25 02:00,DE,2\n2026-10-25 03:00,DE,4",
        tz="Europe/Berlin",
    )
    assert hours(tmp_path, "hour") == [(at(0, 25, 10),), (at(2, 25, 10),)]
    assert done.single == ("2026-10-25 02:00",)


# Exports that are recognised: fixtures after the descriptions of their forms.


def test_electricity_maps(tmp_path: Path):
    imported(
        tmp_path,
        "Datetime (UTC),Country,Zone name,Zone id,Carbon intensity gCO₂eq/kWh (direct),"
        "Carbon intensity gCO₂eq/kWh (Life cycle),Carbon-free energy percentage (CFE%),"
        "Renewable energy percentage (RE%),Data source,Data estimated,Data estimation method\n"
        "2026-03-01 00:00:00,Germany,Germany,DE,320.5,360.5,60.0,60.0,entsoe.eu,false,\n"
        "2026-03-01 01:00:00,Germany,Germany,DE,,,,,,,\n",
    )
    columns = ("zone", "hour", "g_per_kwh", "cfe_share", "source")
    assert hours(tmp_path, *columns) == [("DE", at(0), 360.5, 0.6, "Electricity Maps, life cycle")]


def test_the_older_columns_of_electricity_maps(tmp_path: Path):
    imported(
        tmp_path,
        "Datetime (UTC),Country,Zone Name,Zone Id,Carbon Intensity gCO₂eq/kWh (direct),"
        "Carbon Intensity gCO₂eq/kWh (LCA),Low Carbon Percentage,Renewable Percentage\n"
        "2026-03-01 00:00:00,USA,CAISO,US-CAL-CISO,180,220,55,40\n",
    )
    assert hours(tmp_path, "zone", "g_per_kwh", "cfe_share") == [("US-CAL-CISO", 220.0, 0.55)]


def test_watttime_is_marginal_in_pounds_per_megawatt_hour(tmp_path: Path):
    imported(
        tmp_path,
        "timestamp,MOER,MOER version,frequency\n"
        "2026-03-01 00:00:00+00:00,1000,3.2,300\n2026-03-01 00:05:00+00:00,1200,3.2,300\n",
        zone="CAISO_NORTH",
    )
    # 1,100 lb/MWh * 0.45359237 kg/lb
    assert hours(tmp_path, "zone", "g_per_kwh", "marginal_g_per_kwh") == [
        ("US-CAL-CISO", None, pytest.approx(498.951607))
    ]


def test_the_json_of_watttime(tmp_path: Path):
    answer = {
        "meta": {"region": "BPA", "signal_type": "co2_moer", "units": "lbs_co2_per_mwh"},
        "data": [{"point_time": "2026-03-01T00:00:00+00:00", "value": 1000.0}],
    }
    imported(tmp_path, json.dumps(answer), "moer.json")
    assert hours(tmp_path, "zone", "marginal_g_per_kwh") == [
        ("US-NW-BPAT", pytest.approx(453.59237))
    ]


def test_eia_says_the_end_of_the_hour_in_pounds_per_kilowatt_hour(tmp_path: Path):
    imported(
        tmp_path,
        "BA,UTC time,Local date,Hour,CO2 Emissions Intensity for Generated Electricity,"
        "CO2 Emissions Intensity for Consumed Electricity\n"
        "CISO,2026-03-01 01:00:00,2026-02-28,17,0.4,0.5\n",
    )
    assert hours(tmp_path, "zone", "hour", "g_per_kwh") == [
        ("US-CAL-CISO", at(0), pytest.approx(226.796185))
    ]


def test_great_britain_has_half_hours(tmp_path: Path):
    imported(
        tmp_path,
        "Datetime (UTC),Actual Carbon Intensity (gCO2/kWh),"
        "Forecast Carbon Intensity (gCO2/kWh),Index\n"
        "2026-03-01T00:00Z,100,110,low\n2026-03-01T00:30Z,140,110,moderate\n"
        "2026-03-01T01:00Z,,110,low\n",
    )
    # A forecast is no measurement: the last row has no value.
    assert hours(tmp_path, "zone", "hour", "g_per_kwh") == [("GB", at(0), 120.0)]


def test_generation_of_entsoe_is_weighed_by_what_it_emits(tmp_path: Path):
    done = imported(
        tmp_path,
        '"Area","MTU","Fossil Gas  - Actual Aggregated [MW]","Nuclear  - Actual Aggregated [MW]",'
        '"Waste  - Actual Aggregated [MW]","Wind Onshore  - Actual Aggregated [MW]"\n'
        '"Belgium (BE)","01.03.2026 01:00 - 01.03.2026 02:00 (CET/CEST)",100,200,50,100\n'
        '"Belgium (BE)","01.03.2026 02:00 - 01.03.2026 03:00 (CET/CEST)",n/e,400,n/e,n/e\n',
    )
    # (100 * 490 + 200 * 12 + 100 * 11) / 400 = 131.25; 300 / 400 is carbon-free
    assert hours(tmp_path, "zone", "hour", "g_per_kwh", "cfe_share") == [
        ("BE", at(0), 131.25, 0.75),
        ("BE", at(1), 12.0, 1.0),
    ]
    assert "left out: waste" in done.note


ENTSOE = '"Area","{0}","Fossil Gas  - Actual Aggregated [MW]","Wind Onshore  - Actual ' + (
    'Aggregated [MW]"\n'
)


@pytest.mark.parametrize(
    ("header", "cell", "hour"),
    [
        ("MTU", "01.07.2026 08:00 - 01.07.2026 09:00 (UTC)", at(8, month=7)),
        ("MTU (CET/CEST)", "01.07.2026 08:00 - 01.07.2026 09:00 (UTC)", at(8, month=7)),
        ("MTU (UTC)", "01.07.2026 08:00 - 01.07.2026 09:00", at(8, month=7)),
        ("MTU", "01.07.2026 08:00 - 01.07.2026 09:00 (CET)", at(7, month=7)),
        ("MTU", "01.07.2026 08:00 - 01.07.2026 09:00 (CEST)", at(6, month=7)),
        ("MTU (UTC)", "01.07.2026 08:00 - 01.07.2026 09:00 (CET/CEST)", at(6, month=7)),
        ("MTU", "01/07/2026 08:00:00 (CEST) - 01/07/2026 09:00:00 (CEST)", at(6, month=7)),
        ("MTU", "01.07.2026 08:00 - 01.07.2026 09:00", at(6, month=7)),
    ],
)
def test_the_time_zone_of_a_cell_goes_before_that_of_its_column(
    header: str, cell: str, hour: str, tmp_path: Path
):
    imported(tmp_path, ENTSOE.format(header) + f'"Belgium (BE)","{cell}",100,100\n')
    assert hours(tmp_path, "hour") == [(hour,)]


def test_entsoe_names_the_time_zone_only_where_the_clocks_change(tmp_path: Path):
    rows = (
        "28/03/2026 23:00:00 - 29/03/2026 00:00:00",
        "29/03/2026 00:00:00 (CET) - 29/03/2026 01:00:00 (CET)",
        "29/03/2026 01:00:00 (CET) - 29/03/2026 03:00:00 (CEST)",
        "29/03/2026 03:00:00 (CEST) - 29/03/2026 04:00:00 (CEST)",
    )
    text = "".join(f'"Belgium (BE)","{row}",100,100\n' for row in rows)
    imported(tmp_path, ENTSOE.format("MTU (CET/CEST)") + text)
    assert hours(tmp_path, "hour") == [
        (at(22, 28),),
        (at(23, 28),),
        (at(0, 29),),
        (at(1, 29),),
    ]


def test_the_hour_that_autumn_has_twice_is_told_by_its_time_zone(tmp_path: Path):
    rows = (
        "25/10/2026 02:00:00 (CET) - 25/10/2026 03:00:00 (CET)",
        "25/10/2026 02:00:00 (CEST) - 25/10/2026 02:00:00 (CET)",
    )
    text = "".join(f'"Belgium (BE)","{row}",{power},0\n' for power, row in enumerate(rows))
    done = imported(tmp_path, ENTSOE.format("MTU (CET/CEST)") + text.replace(",0,0", ",0,100"))
    # The row of wind is in the file first, and later in time.
    assert hours(tmp_path, "hour", "g_per_kwh") == [(at(0, 25, 10), 490.0), (at(1, 25, 10), 11.0)]
    assert done.single == ()


def test_a_cell_that_names_its_time_zone_needs_no_other(tmp_path: Path):
    text = ENTSOE.format("MTU") + '"Belgium (BE)","01.07.2026 08:00 - 01.07.2026 09:00 (UTC)",1,1\n'
    with pytest.raises(FactorError, match=r"has a time zone of its own\. Leave out --tz"):
        imported(tmp_path, text, tz="Europe/Brussels")


@pytest.mark.parametrize("unknown", ["", "N/A", "-", "1,000"])
def test_production_that_is_not_known_is_not_zero(unknown: str, tmp_path: Path):
    done = imported(
        tmp_path,
        ENTSOE.format("MTU (UTC)")
        + f'"Belgium (BE)","01.03.2026 00:00 - 01.03.2026 01:00",1000,"{unknown}"\n'
        + '"Belgium (BE)","01.03.2026 01:00 - 01.03.2026 02:00",1000,n/e\n',
    )
    # Only "n/e" says that there is no such plant: that hour is gas alone.
    assert hours(tmp_path, "hour", "g_per_kwh", "cfe_share") == [(at(1), 490.0, 0.0)]
    assert (done.rows, done.left_out) == (1, 1)


# What is longer than an hour tells no hour.

DAILY = (
    "Datetime (UTC),Country,Zone name,Zone id,Carbon intensity gCO₂eq/kWh (Life cycle)\n"
    "2026-03-01 00:00:00,Germany,Germany,DE,300\n2026-03-02 00:00:00,Germany,Germany,DE,310\n"
)


@pytest.mark.parametrize(
    "text",
    [
        DAILY,
        DAILY.replace("310", ""),  # a row of an export is there without its value too
        "timestamp,zone,g_per_kwh\n2026-03-01T00:00Z,DE,1\n2026-03-02T00:00Z,DE,2\n"
        "2026-03-03T00:00Z,DE,3\n2026-03-01T00:00Z,FR,1\n2026-03-01T01:00Z,FR,2\n",
    ],
)
def test_means_of_a_day_are_no_hours(text: str, tmp_path: Path):
    with pytest.raises(
        FactorError,
        match=r"grid\.csv: most rows of DE are 24 hours apart, .*\. Export the data by the hour",
    ):
        imported(tmp_path, text)
    assert hourly.files(tmp_path) == []


def test_hours_with_gaps_are_hours(tmp_path: Path):
    times = ("2026-03-01T00:00Z", "2026-03-01T01:00Z", "2026-03-01T09:00Z")
    imported(tmp_path, "timestamp,g_per_kwh\n" + "".join(f"{t},1\n" for t in times), zone="DE")
    assert hours(tmp_path, "hour") == [(at(0),), (at(1),), (at(9),)]


def test_an_hour_that_begins_at_half_past_is_split_over_two_of_utc(tmp_path: Path):
    # Midnight in India is 18:30 of UTC.
    done = imported(
        tmp_path,
        "timestamp,g_per_kwh,cfe_share\n"
        "2026-03-02 00:00,400,0.2\n2026-03-02 01:00,600,0.4\n2026-03-02 02:00,700,\n",
        zone="IN-NO",
        tz="Asia/Kolkata",
    )
    assert hours(tmp_path, "hour", "g_per_kwh", "cfe_share") == [
        (at(18), 400.0, 0.2),
        (at(19), 500.0, 0.3),  # half an hour of each
        (at(20), 650.0, 0.4),
        (at(21), 700.0, None),
    ]
    assert done.note == "its hours do not begin with those of UTC, so each is split over two"


def test_a_quarter_is_split_by_its_length(tmp_path: Path):
    imported(
        tmp_path,
        "timestamp,g_per_kwh\n2026-03-01T05:45Z,400\n2026-03-01T06:45Z,800\n",
        zone="NP",
    )
    # 6:00 to 6:45 at 400, and 6:45 to 7:00 at 800
    assert hours(tmp_path, "hour", "g_per_kwh") == [(at(5), 400.0), (at(6), 500.0), (at(7), 800.0)]


# What is wrong is said in one line, with the line and the way out, and nothing is kept.


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "grid.csv has no rows"),
        ("timestamp,zone,g_per_kwh\n", "grid.csv has no rows"),
        ("timestamp,zone,g_per_kwh\n2026-03-01T00:00Z,,3", "line 2: the zone is missing"),
        ("timestamp,g_per_kwh\n2026-03-01T00:00Z,3", "does not say its zone. Give it with --zone"),
        ("timestamp,zone,g_per_kwh\n,DE,3", "line 2: the time is missing"),
        ("timestamp,zone,g_per_kwh\nyesterday,DE,3", "line 2: 'yesterday' is no time"),
        (
            "timestamp,zone,g_per_kwh\n0001-01-01T00:00+05:00,DE,3",
            "line 2: '0001.* is not from 1990 to 2100",
        ),
        ("timestamp,zone,g_per_kwh\n9999-03-29T00:00Z,DE,3", "'9999.* is not from 1990 to 2100"),
        (
            "timestamp,zone,g_per_kwh\n2026-03-01T00:00Z,DE,3\n2026-03-01T01:00Z,DE",
            "line 3: it does not have as many cells as the header",
        ),
        (
            "timestamp,zone,g_per_kwh\n2026-03-01T00:00Z,DE,3,4,5",
            "line 2: it does not have as many",
        ),
        (
            "timestamp,timestamp,g_per_kwh\n2026-03-01T00:00Z,DE,3",
            "line 1: column 'timestamp' is th",
        ),
        ("timestamp,zone,g_per_kwh\n2026-03-01T00:00Z,DE,many", "line 2: the intensity 'many' is"),
        ("timestamp,zone,g_per_kwh\n2026-03-01T00:00Z,DE,", "line 2: there is no value"),
        ("timestamp,zone,g_per_kwh\n2026-03-01T00:00Z,DE,-3", "line 2: -3 g/kWh is negative"),
        (
            "timestamp,zone,g_per_kwh\n2026-03-01T00:00Z,DE,nan",
            "line 2: nan g/kWh is negative or n",
        ),
        (
            "timestamp,zone,g_per_kwh\n2026-03-01T00:00Z,DE,30000",
            "line 2: 30000 g/kWh is more than",
        ),
        ("timestamp,zone,g_per_kwh,cfe_share\n2026-03-01T00:00Z,DE,3,60", "share 60 is not from 0"),
        (
            "timestamp,zone,g_per_kwh,price\n2026-03-01T00:00Z,DE,3,6",
            "line 1: column 'price' is not",
        ),
        (
            "when,zone,carbon\n2026-03-01T00:00Z,DE,3",
            r"\(when, zone, carbon\) are of no known form",
        ),
        ("timestamp,zone,g_per_kwh\n2026-03-01T00:00Z,../DE,3", "'../DE' is no name of a zone"),
        (
            "timestamp,zone,g_per_kwh\n2026-03-01T00:00Z,DE,3\n2026-03-01T01:00Z,DE,3\n"
            "2026-03-01T01:00+01:00,DE,4",
            r"line 4: 2026-03-01T01:00\+01:00 of DE is given already in line 2",
        ),
        (
            "timestamp,zone,g_per_kwh\n2026-03-01T00:00Z,DE,3\n2026-03-01T00:00Z,DE,3",
            "line 3: .* is given already in line 2. Remove one",
        ),
        (
            "timestamp,zone,g_per_kwh\n2026-03-01T00:00Z,DE,3\n2026-03-01 01:00,DE,3",
            "line 3: '2026-03-01 01:00' and '2026-03-01T00:00Z' .line 2. mix times with",
        ),
    ],
)
def test_a_wrong_file_is_refused_whole(text: str, said: str, tmp_path: Path):
    with pytest.raises(FactorError, match=said) as error:
        imported(tmp_path, text)
    assert "\n" not in str(error.value)
    assert hourly.files(tmp_path) == []


def test_a_time_zone_that_contradicts_the_file_is_refused(tmp_path: Path):
    with pytest.raises(FactorError, match=r"has a time zone of its own\. Leave out --tz"):
        imported(tmp_path, OWN, tz="Europe/Berlin")


def test_a_time_zone_that_there_is_not_is_refused(tmp_path: Path):
    with pytest.raises(FactorError, match="there is no time zone 'Berlin'"):
        imported(tmp_path, "timestamp,zone,g_per_kwh\n2026-03-01 00:00,DE,3", tz="Berlin")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(FactorError, match=r"none\.csv does not exist"):
        import_file(tmp_path, tmp_path / "none.csv")


def test_a_folder_is_refused_by_its_name(tmp_path: Path):
    with pytest.raises(FactorError, match=r"^\. is a folder\. Name a file in it\.$"):
        import_file(tmp_path, Path())


def test_a_file_that_is_not_what_its_name_says_is_refused_with_the_way_out(tmp_path: Path):
    (tmp_path / "a.csv.gz").write_text(OWN)
    with pytest.raises(
        FactorError, match=r"^a\.csv\.gz cannot be read as a table: Not a gzip.* Name"
    ):
        import_file(tmp_path, tmp_path / "a.csv.gz")


def test_a_folder_that_cannot_be_written_is_named_with_the_way_out(tmp_path: Path):
    (tmp_path / "grid").write_text("a file where the folder goes")
    with pytest.raises(
        FactorError, match=r"grid/hourly cannot be written: .*--store or AGENTTRACE"
    ):
        imported(tmp_path, OWN)


def test_hours_that_cannot_be_written_leave_nothing_behind(tmp_path: Path):
    folder = tmp_path / "grid" / "hourly"
    # No name of a file is longer than 255 bytes, so DuckDB cannot open this one.
    zone = "Z" * 260
    with pytest.raises(FactorError, match=r"grid/hourly.* cannot be written: .*name too long"):
        imported(tmp_path, OWN.replace("DE", zone))
    assert list(folder.iterdir()) == []


def test_a_failure_leaves_the_hours_that_were_there(tmp_path: Path):
    imported(tmp_path, OWN)
    before = hours(tmp_path, "zone", "hour", "g_per_kwh")
    with pytest.raises(FactorError):
        imported(tmp_path, OWN + "2026-03-01T05:00Z,DE,-1,0\n")
    assert hours(tmp_path, "zone", "hour", "g_per_kwh") == before
    assert [path.name for path in (tmp_path / "grid" / "hourly").iterdir()] == ["DE.parquet"]


def test_without_hours_the_table_is_empty(tmp_path: Path):
    assert hours(tmp_path, "zone") == []


def test_zones_are_summed_up_with_their_gaps(tmp_path: Path):
    imported(tmp_path, "timestamp,zone,g_per_kwh\n2026-03-01T00:00Z,DE,1\n2026-03-01T03:00Z,DE,3")
    (zone,) = hourly.zones(tmp_path)
    assert (zone.hours, zone.missing, zone.g_per_kwh, zone.marginal_g_per_kwh) == (2, 2, 2.0, None)
    assert (str(zone.first), str(zone.last), zone.sources) == (at(0), at(3), ("grid.csv",))


def test_hours_are_removed_by_zone_and_nothing_else(tmp_path: Path):
    imported(tmp_path, OWN)
    assert not hourly.remove(tmp_path, "../grid")
    assert hourly.remove(tmp_path, "DE")
    assert not hourly.remove(tmp_path, "DE")
    assert hourly.files(tmp_path) == []


def test_a_broken_file_of_hours_is_named_with_the_way_out(tmp_path: Path):
    imported(tmp_path, OWN)
    hourly.file_of(tmp_path, "DE").write_bytes(b"broken")
    with pytest.raises(
        FactorError, match=r"cannot be read\. Remove it with `agenttrace grid remove DE"
    ):
        hourly.zones(tmp_path)
    with pytest.raises(FactorError, match="agenttrace grid remove DE"):
        import_file(tmp_path, tmp_path / "grid.csv")


# Five imports an example, of 40 ms each; over two days of rows a few say as much as many.
@settings(max_examples=4, deadline=None)
@given(
    values=st.lists(st.integers(0, 3000), min_size=2, max_size=12),
    first=st.integers(0, 36),
    cut=st.integers(0, 47),
)
def test_a_file_in_two_parts_is_the_file(values: list[int], first: int, cut: int):
    rows = dict(enumerate(values, start=first))
    lines = {
        hour: f"2026-03-{1 + hour // 24:02}T{hour % 24:02}:00Z,DE,{g}\n" for hour, g in rows.items()
    }
    parts = [
        [line for hour, line in lines.items() if (hour < cut) is early] for early in (True, False)
    ]
    kept: list[list[tuple[object, ...]]] = []
    for files in ([list(lines.values())], parts, parts[::-1]):
        with tempfile.TemporaryDirectory() as folder:
            for place, part in enumerate(part for part in files if part):
                text = "timestamp,zone,g_per_kwh\n" + "".join(part)
                imported(Path(folder), text, f"{place}.csv")
            kept.append(hours(Path(folder), "zone", "hour", "g_per_kwh"))
    assert kept[0] == kept[1] == kept[2]
    assert len(kept[0]) == len(rows)
