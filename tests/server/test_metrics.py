from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

import agenttrace
from agenttrace.errors import StoreError
from agenttrace.record.spool import Spool
from agenttrace.server import Running
from agenttrace.server.limits import Limits
from agenttrace.server.metrics import Kind, Metrics, Rising, Sums
from agenttrace.server.receiver import Receiver
from tests.builders import agent, chat, spans, task, write
from tests.server.sending import get

GPT = Kind("gpt-5", "main", "agentic")


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    """The samples by name and values of labels."""
    return {
        (one.name, *(one.labels[key] for key in sorted(one.labels))): one.value
        for family in text_string_to_metric_families(text.decode())
        for one in family.samples
    }


def made(home: Path, *answers: Sums | Exception, every_s: float = 0) -> Metrics:
    """Metrics of a store that says one of *answers* after the other."""
    told = iter(answers)

    def read(_: Path) -> Sums:
        answer = next(told)
        if isinstance(answer, Exception):
            raise answer
        return answer

    receiver = Receiver(home, Spool(home / "spool", "test", is_retold=True), Limits())
    receiver.close()
    return Metrics(receiver, read=read, every_s=every_s)


def sums(calls: float, **others: float) -> Sums:
    return Sums({GPT: {"calls": calls, **others}}, "facility")


def test_tokens_calls_and_energy_are_told_by_model_role_and_workload(
    server: Running, home: Path
) -> None:
    write(
        home,
        spans(
            task(
                "job",
                chat(input=100, output=20, cache_read=30, reasoning=5),
                agent("helper", chat(input=10, output=2, role="subagent")),
                workload="user-facing",
            )
        ),
    )
    found = samples(get(server.http_url, "/metrics").body)
    main, sub = ("gpt-5", "main", "user-facing"), ("gpt-5", "subagent", "user-facing")
    assert found["agenttrace_calls_total", *main] == 1
    assert found["agenttrace_calls_total", *sub] == 1
    tokens = {
        key[1]: value
        for key, value in found.items()
        if key[0] == "agenttrace_tokens_total" and key[2:] == main
    }
    assert tokens == {
        "input_uncached": 70,
        "cache_read": 30,
        "output_visible": 15,
        "reasoning": 5,
    }
    with agenttrace.read(home) as reader:
        (row,) = reader.query("SELECT energy_low_wh, energy_wh, energy_high_wh FROM model_energy")
    for name, value in row.items():
        parts = [found[f"agenttrace_{name}_total", *kind] for kind in (main, sub)]
        assert abs(sum(parts) - value) < 1e-9
        assert parts[0] > parts[1] > 0


def test_tokens_of_a_kind_that_nobody_reports_are_not_told_and_none_are_told_as_none(
    server: Running, home: Path
) -> None:
    write(home, spans(task("job", chat(input=10, output=2, cache_read=0), chat())))
    found = samples(get(server.http_url, "/metrics").body)
    tokens = {key[1]: value for key, value in found.items() if key[0] == "agenttrace_tokens_total"}
    assert tokens == {"input_uncached": 10, "cache_read": 0, "output_visible": 2}


def test_an_empty_store_has_no_calls(server: Running) -> None:
    found = samples(get(server.http_url, "/metrics").body)
    assert not any(key[0] == "agenttrace_calls_total" for key in found)
    assert found["agenttrace_store_failures_total",] == 0


def test_a_counter_never_goes_down(home: Path) -> None:
    metrics = made(home, sums(5), sums(3), sums(6))
    told = [samples(metrics()[0])["agenttrace_calls_total", *GPT] for _ in range(3)]
    assert told == [5, 5, 6]


def test_the_store_is_read_now_and_then_only(home: Path) -> None:
    metrics = made(home, sums(5), every_s=60)
    assert metrics()[0] == metrics()[0]


def test_energy_that_nobody_knows_is_left_out(home: Path) -> None:
    found = samples(made(home, sums(1, central=2))()[0])
    assert found["agenttrace_energy_wh_total", *GPT] == 2
    assert ("agenttrace_energy_low_wh_total", *GPT) not in found


def test_the_boundary_stands_beside_the_energy(home: Path) -> None:
    text = made(home, sums(1, central=2))()[0].decode()
    assert (
        "# HELP agenttrace_energy_wh_total Estimated energy in Wh, central, at the boundary "
        in text
    )
    assert "facility" in text


def test_a_store_that_cannot_be_read_keeps_the_last_sums(home: Path, trouble: list[str]) -> None:
    metrics = made(home, sums(5), StoreError("a path"))
    metrics()
    found = samples(metrics()[0])
    assert found["agenttrace_calls_total", *GPT] == 5
    assert found["agenttrace_store_failures_total",] == 1
    assert trouble == ["agenttrace could not read the store: StoreError"]


def test_models_beyond_the_limit_are_other() -> None:
    rising = Rising(models=2)
    rows = {GPT._replace(model=name): {"calls": 1.0} for name in "abcd"}
    models = {kind.model: values["calls"] for kind, values in rising.take(rows).items()}
    assert models == {"a": 1, "b": 1, "other": 2}
