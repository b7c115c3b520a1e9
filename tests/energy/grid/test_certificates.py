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
    assert import_certificates(tmp_path, file(tmp_path, SOLAR)) == Kept("solar", 2, 0.75)
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
    assert import_certificates(tmp_path, file(tmp_path, SOLAR)) == Kept("solar", 2, 0.75)
    assert kept(tmp_path) == [Kept("solar", 2, 0.75)]


def test_a_corrected_file_replaces_the_one_of_its_name(tmp_path: Path):
    import_certificates(tmp_path, file(tmp_path, SOLAR))
    corrected = import_certificates(tmp_path, file(tmp_path, SOLAR.replace("0.25", "0.75")))
    assert corrected == Kept("solar", 2, 1.25, replaced=True)
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
        (HEAD + "DE,,2026,1,sun,9000", "line 2: g_per_kwh 9000 is more than 3000"),
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
