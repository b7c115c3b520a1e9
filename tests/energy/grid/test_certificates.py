from pathlib import Path

import pytest

from agenttrace.energy.grid.certificates import (
    Kept,
    Residual,
    certificates,
    files,
    import_certificates,
    import_residual,
    kept,
    remove,
    residuals,
)
from agenttrace.errors import FactorError

SOLAR = """\
zone,hour,mwh,source,g_per_kwh
DE,2026-06-01T12:00:00+02:00,0.5,solar park,0
DEU,2026-06-01T11:00Z,0.25,solar park,0
"""


def file(home: Path, text: str, name: str = "solar.csv") -> Path:
    path = home / name
    path.write_text(text, encoding="utf-8")
    return path


def test_certificates_are_kept_by_zone_and_hour_of_utc(tmp_path: Path):
    assert import_certificates(tmp_path, file(tmp_path, SOLAR)) == Kept("solar", 2, 0.75, ("DE",))
    said = [(one.zone, one.year, str(one.hour), one.mwh) for one in certificates(tmp_path)]
    assert said == [
        ("DE", 2026, "2026-06-01 10:00:00", 0.5),
        ("DE", 2026, "2026-06-01 11:00:00", 0.25),
    ]


def test_certificates_of_a_year_have_no_hour(tmp_path: Path):
    import_certificates(
        tmp_path, file(tmp_path, "zone,year,mwh,source,g_per_kwh\nFR,2025,10,wind,0")
    )
    (one,) = certificates(tmp_path)
    assert (one.zone, one.year, one.hour, one.mwh, one.source) == ("FR", 2025, None, 10.0, "wind")


def test_importing_twice_is_once(tmp_path: Path):
    import_certificates(tmp_path, file(tmp_path, SOLAR))
    assert import_certificates(tmp_path, file(tmp_path, SOLAR)) == Kept("solar", 2, 0.75, ("DE",))
    assert kept(tmp_path) == [Kept("solar", 2, 0.75, ("DE",))]


def test_a_corrected_file_replaces_the_one_of_its_name(tmp_path: Path):
    import_certificates(tmp_path, file(tmp_path, SOLAR))
    corrected = import_certificates(tmp_path, file(tmp_path, SOLAR.replace("0.25", "0.75")))
    assert corrected == Kept("solar", 2, 1.25, ("DE",), replaced=True)
    assert sum(one.mwh for one in certificates(tmp_path)) == 1.25


def test_the_same_certificates_do_not_count_twice_under_two_names(tmp_path: Path):
    import_certificates(tmp_path, file(tmp_path, SOLAR))
    with pytest.raises(FactorError, match=r"kept already as 'solar'\. Remove those first"):
        import_certificates(tmp_path, file(tmp_path, SOLAR, "copy.csv"))


def test_certificates_are_removed_by_name(tmp_path: Path):
    import_certificates(tmp_path, file(tmp_path, SOLAR))
    assert not remove(tmp_path, "../solar")
    assert remove(tmp_path, "solar")
    assert (certificates(tmp_path), remove(tmp_path, "solar")) == ([], False)


def test_local_hours_are_read_in_the_time_zone_that_is_said(tmp_path: Path):
    path = file(tmp_path, HEAD + "DE,2026-06-01 12:00,,1,sun,0\nDE,,2026,1,sun,0")
    import_certificates(tmp_path, path, tz="Europe/Berlin")
    assert [str(one.hour) for one in certificates(tmp_path)] == ["None", "2026-06-01 10:00:00"]


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (
            ["2026-10-25 02:00"],
            r"line 2: '2026-10-25 02:00' is two hours.*\. Give all hours in UTC",
        ),
        (["2026-03-29 02:00"], "line 2: .* does not exist in Europe/Berlin"),
        (["2026-06-01T12:00Z"], r"line 2: .* has a time zone of its own\. Leave out --tz"),
        (["2026-06-01 12:00", "2026-06-01T12:00Z"], "line 3: .* mix times with and without"),
    ],
)
def test_an_hour_that_is_open_in_the_time_zone_is_refused(
    hours: list[str], said: str, tmp_path: Path
):
    text = HEAD + "".join(f"DE,{hour},,1,sun,0\n" for hour in hours)
    with pytest.raises(FactorError, match=said):
        import_certificates(tmp_path, file(tmp_path, text), tz="Europe/Berlin")
    assert files(tmp_path) == []


def test_rows_of_the_same_hour_zone_and_source_add_up_and_are_counted(tmp_path: Path):
    row = "DE,2026-06-01T12:00Z,,1,sun,0\n"
    others = "DE,2026-06-01T12:00Z,,1,wind,0\nFR,2026-06-01T12:00Z,,1,sun,0\nDE,,2026,1,sun,0\n"
    done = import_certificates(tmp_path, file(tmp_path, HEAD + row + others + row + row))
    assert done == Kept("solar", 6, 6.0, ("DE", "FR"), repeated=2)
    assert kept(tmp_path) == [done]


def test_a_folder_that_cannot_be_written_is_named_with_the_way_out(tmp_path: Path):
    (tmp_path / "grid").write_text("a file where the folder goes")
    with pytest.raises(
        FactorError, match=r"certificates cannot be written: .*--store or AGENTTRACE"
    ):
        import_certificates(tmp_path, file(tmp_path, SOLAR))


def test_a_broken_file_is_named_with_the_way_out(tmp_path: Path):
    import_certificates(tmp_path, file(tmp_path, SOLAR))
    files(tmp_path)[0].write_bytes(b"broken")
    with pytest.raises(
        FactorError,
        match=r"solar\.parquet cannot be read\. .*`agenttrace grid remove --cert.* solar`",
    ):
        certificates(tmp_path)
    (tmp_path / "grid" / "residual.parquet").write_bytes(b"broken")
    with pytest.raises(
        FactorError, match=r"residual\.parquet cannot be read\. Remove the file, and"
    ):
        residuals(tmp_path)


def test_a_folder_is_no_file_of_certificates(tmp_path: Path):
    with pytest.raises(FactorError, match=r"^\. cannot be read: Is a directory\. Name a CSV"):
        import_certificates(tmp_path, Path())
    with pytest.raises(FactorError, match=r"^\. cannot be read: Is a directory\. Name a CSV"):
        import_residual(tmp_path, Path())


def test_what_is_no_text_is_refused(tmp_path: Path):
    path = tmp_path / "solar.csv"
    path.write_bytes(SOLAR.replace("park", "pärk").encode("latin-1"))
    with pytest.raises(FactorError, match=r"^solar\.csv is not UTF-8"):
        import_certificates(tmp_path, path)


HEAD = "zone,hour,year,mwh,source,g_per_kwh\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("zone,hour,mwh,source\nDE,2026-06-01T12:00Z,1,sun", "line 1: column g_per_kwh is missing"),
        (HEAD + "DE,2026-06-01T12:00Z,,1,sun,", "line 2: g_per_kwh is missing. .* 0 for wind and"),
        (HEAD + ",,2026,1,sun,0", "line 2: zone is missing"),
        (HEAD + "DE,,,1,sun,0", "line 2: year is missing"),
        (HEAD + "DE,,2026,-1,sun,0", "line 2: mwh -1 is negative"),
        (HEAD + "DE,,2026,1,sun,0\nDE,,2026,much,sun,0", "line 3: mwh 'much' is no number"),
        (HEAD + "DE,,2026,1,sun,9000", "line 2: g_per_kwh 9000 .*; 3,000 is taken at"),
        (HEAD + "DE,,2026,1e12,sun,0", "line 2: mwh 1e12 is more than the world .* in a year"),
        (
            HEAD + "DE,2026-06-01T12:00Z,,1e7,sun,0",
            r"line 2: mwh 1e7 is more than .* an hour; 5,000,000 is taken at most\. Give meg",
        ),
        (HEAD + "DE,,26,1,sun,0", "line 2: '26' is no year"),
        (
            HEAD + "DE,2025-12-31T23:00Z,2026,1,sun,0",
            "line 2: it is of 2025, and its year says 2026",
        ),
        (HEAD + "DE,2026-06-01 12:00,,1,sun,0", "line 2: .* does not say its time zone"),
        (HEAD + "DE,,2026,1,sun,0,more", "line 2: it has more cells than the header"),
        (
            HEAD.replace("source", "kind,source") + "DE,,2026,1,x,sun,0",
            "column 'kind' is not known",
        ),
        (HEAD, "solar.csv has no rows"),
        ("", "solar.csv, line 1: column zone is missing"),
    ],
)
def test_a_wrong_file_is_refused_whole(text: str, said: str, tmp_path: Path):
    with pytest.raises(FactorError, match=said) as error:
        import_certificates(tmp_path, file(tmp_path, text))
    assert "\n" not in str(error.value)
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("hour", "tz"),
    [("2026-01-01T00:00+01:00", None), ("2026-01-01 00:00", "Europe/Berlin")],
)
def test_the_first_hour_of_a_local_year_is_of_that_year(hour: str, tz: str | None, tmp_path: Path):
    text = HEAD + f"DE,{hour},,1,sun,0\nDE,{hour.replace('01-01', '12-31')},2026,1,sun,0\n"
    import_certificates(tmp_path, file(tmp_path, text), year=2026, tz=tz)
    assert [(one.year, str(one.hour)) for one in certificates(tmp_path)] == [
        (2026, "2025-12-31 23:00:00"),
        (2026, "2026-12-30 23:00:00"),
    ]


def test_a_certificate_beyond_the_year_of_the_file_is_refused(tmp_path: Path):
    with pytest.raises(FactorError, match="line 2: it is of 2026, and --year says 2025"):
        import_certificates(tmp_path, file(tmp_path, SOLAR), year=2025)


RESIDUAL = "zone,year,g_per_kwh,source\nDE,2025,700,AIB\n"


def test_residual_mixes_are_kept_by_zone_and_year(tmp_path: Path):
    import_residual(tmp_path, file(tmp_path, RESIDUAL, "residual.csv"))
    import_residual(tmp_path, file(tmp_path, RESIDUAL.replace("700", "710") + "FR,2025,50,AIB"))
    assert residuals(tmp_path) == [
        Residual("DE", 2025, 710.0, "AIB"),
        Residual("FR", 2025, 50.0, "AIB"),
    ]


def test_a_residual_mix_that_is_given_twice_is_refused(tmp_path: Path):
    with pytest.raises(FactorError, match="line 3: DE 2025 is given already"):
        import_residual(tmp_path, file(tmp_path, RESIDUAL + "DEU,2025,710,AIB"))
    assert residuals(tmp_path) == []
