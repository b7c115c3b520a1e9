from pathlib import Path

import duckdb
import pytest

from agenttrace.compare.workloads import NAME, Setting, define, settings
from agenttrace.errors import ConfigError


def test_a_home_without_settings_has_none(tmp_path: Path):
    assert settings(tmp_path) == ()


def test_projects_and_services_have_a_workload(tmp_path: Path):
    (tmp_path / NAME).write_text(
        '[service]\nnightly = "agentic"\n\n[project]\n"help desk" = "user-facing"\n'
    )
    assert settings(tmp_path) == (
        Setting("project", "help desk", "user-facing"),
        Setting("service", "nightly", "agentic"),
    )


@pytest.mark.parametrize(
    "text", ['[project]\na = "chatty"\n', "[projects]\n", "[project", "project = 1\n", "\xff"]
)
def test_a_file_that_says_something_else_is_refused_with_its_name_and_an_example(
    tmp_path: Path, text: str
):
    (tmp_path / NAME).write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=r'workloads\.toml: .*"help desk" = "user-facing"'):
        settings(tmp_path)


def test_the_settings_are_a_table_for_queries(tmp_path: Path):
    (tmp_path / NAME).write_text('[service]\nnightly = "user-facing"\n')
    with duckdb.connect() as connection:
        define(connection, tmp_path)
        found = connection.sql("FROM workload_setting").fetchall()
    assert found == [("service", "nightly", "user-facing")]
