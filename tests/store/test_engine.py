from pathlib import Path

import pytest

from agenttrace.store import engine


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def spilled_to() -> str:
    with engine.connect() as connection:
        ((folder,),) = connection.sql("SELECT current_setting('temp_directory')").fetchall()
    return folder


def test_what_does_not_fit_into_memory_goes_into_a_folder_of_its_owner_alone(
    temporary: Path,
) -> None:
    folder = Path(spilled_to()).parent
    assert folder.parent == temporary
    assert folder.stat().st_mode & 0o777 == 0o700


def test_nothing_goes_into_a_folder_that_others_can_look_into(temporary: Path) -> None:
    folder = Path(spilled_to()).parent
    folder.chmod(0o755)
    assert spilled_to() == ""


def test_nothing_goes_where_no_folder_can_be_made(temporary: Path) -> None:
    folder = Path(spilled_to()).parent
    folder.rmdir()
    folder.write_text("taken")
    assert spilled_to() == ""
