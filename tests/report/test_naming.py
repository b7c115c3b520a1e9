from pathlib import Path

import pytest

from agenttrace.errors import ConfigError
from agenttrace.reader import Reader
from agenttrace.report import naming
from agenttrace.report.selection import Selection
from tests.builders import add, agent, begin, chat, spans, task


def test_a_name_that_nothing_has_is_an_error_with_close_names(home: Path):
    begin(home)
    add(home, spans(task("t", chat(input=1), project="billing")))
    with Reader(home) as reader:
        naming.check(reader, Selection(project="billing"))
        with pytest.raises(ConfigError, match="Did you mean 'billing'"):
            naming.check(reader, Selection(project="biling"))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Selection(task_name="fix"), "no task 'fix' is recorded. Did you mean 'fixed'?"),
        (Selection(agent="nobody"), "no agent 'nobody' is recorded. Known: 'coder'."),
    ],
)
def test_tasks_and_agents_that_were_never_recorded_are_named(
    home: Path, asked: Selection, said: str
):
    begin(home)
    add(home, spans(task("fixed", agent("coder", chat(input=1)))))
    with Reader(home) as reader, pytest.raises(ConfigError) as caught:
        naming.check(reader, asked)
    assert str(caught.value) == said
