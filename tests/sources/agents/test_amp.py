"""What is read of Amp: two places for the usage, and no call twice."""

from pathlib import Path

from agenttrace import semconv
from tests.sources.logs import CORPORA, imported, records, tokens, totals

AMP = CORPORA / "amp"


def test_usage_of_messages_excludes_the_cache(home: Path) -> None:
    done = imported("amp", AMP / "messages", home)

    assert (done.calls, done.skipped) == (3, {})
    assert tokens(home) == [
        (12368, 178, 11372, 986, None),  # 10 + 986 + 11372, as its own total says
        (12005, 42, 12000, 0, None),
        (7, 9, 0, 0, None),
    ]
    assert {task[semconv.PROJECT] for task in records(home, "task")} == {"shop"}
    # Results of tools are no prompts: two turns.
    assert totals(home) == (2, 3, 24380, 229)


def test_a_call_in_the_ledger_and_at_its_message_counts_once(home: Path) -> None:
    done = imported("amp", AMP / "ledger_and_messages", home)

    assert done.calls == 2
    # The event's 10 and 178 with the cache of its message; the second message has no event.
    assert tokens(home) == [(12368, 178, 11372, 986, None), (12005, 42, 12000, 0, None)]


def test_messages_are_left_out_where_the_ledger_does_not_say_which_it_has(home: Path) -> None:
    imported("amp", AMP / "ledger_without_messages", home)

    assert tokens(home) == [(10, 178, None, None, None), (3, 4, None, None, None)]


def test_a_total_alone_is_neither_input_nor_output(home: Path) -> None:
    imported("amp", AMP / "total_alone", home)

    (call,) = records(home, "inference")
    assert call[semconv.USAGE] == "missing"
    assert tokens(home) == [(None,) * 5]


def test_a_thread_that_is_written_anew_repeats_nothing(home: Path, tmp_path: Path) -> None:
    log = tmp_path / "T-1.json"
    log.write_bytes((AMP / "ledger_and_messages" / "T-1.json").read_bytes())
    imported("amp", log, home)
    log.write_bytes((AMP / "messages" / "T-1.json").read_bytes())  # the ledger is gone by now

    done = imported("amp", log, home)

    assert (done.calls, done.improved, done.repeated) == (1, 0, 2)
    assert totals(home) == (2, 3, 24380, 229)
