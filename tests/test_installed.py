from pathlib import Path

import pytest

from agenttrace import installed

GROUP = "agenttrace.of_a_test"


def install(site: Path, name: str) -> None:
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = json\n")


def names() -> list[str]:
    return sorted(point.name for point in installed.entry_points(GROUP))


def test_a_package_is_seen_once_it_is_installed_and_no_longer_once_it_is_off_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert names() == []
    with monkeypatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        assert names() == []
        install(tmp_path, "one")
        assert names() == ["one"]
        install(tmp_path, "two")
        assert names() == ["one", "two"]
    assert names() == []
