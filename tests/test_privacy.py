"""Nothing that was said is written: not to the disk, a log, a terminal or a collector.

Words are said at every place where a program says something, and looked for in every byte that is
left behind. What people name on purpose (tasks, agents, tools, models, types of errors, ids) is
recorded, so no word is in a name.
"""

import base64
import contextlib
import logging
import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest
from click.testing import CliRunner
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import agenttrace
from agenttrace.cli import commands
from agenttrace.integration import tracer_provider
from agenttrace.reader import Reader
from agenttrace.report import rows
from agenttrace.testing import ModelProvider
from tests.privacy import foreign, written
from tests.privacy.canary import Canaries
from tests.privacy.collector import collecting
from tests.privacy.programs import (
    PROGRAMS,
    Program,
    World,
    attributes_of_ones_own,
    context_from_outside,
    decorated_functions,
    killed_process,
    langchain_agent,
    openai_stream,
    provider_errors,
    told_of_a_task,
)

# In the names of columns: what would hold something that was said.
_CONTENT = re.compile(
    "(^|_)(argument|body|completion|content|description|document|header|instruction|message|payload"
    "|prompt|query|schema|stacktrace|text|traceback)s?(_|$)"
)

# No span, no JSON, and half a record: what the fold refuses is kept as it is.
_REFUSED = b'{"trace_id":"00","attributes":{}}\nno JSON at all\n{"trace_id":"0123", "attri'


class _Tapped(ModelProvider):
    """A provider that keeps what it is sent, understood or not."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []
        service = self._service
        handle = service.handle

        def tapped(
            connection: Any, method: str, target: str, body: bytes, headers: Mapping[str, str]
        ) -> None:
            self.sent += [target, body.decode(errors="replace"), str(dict(headers))]
            handle(connection, method, target, body, headers)

        service.handle = tapped  # pyright: ignore[reportAttributeAccessIssue]


class _Logged(logging.Handler):
    """Keeps what is logged as a handler of the user's would write it, tracebacks included."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said += [self.format(record), str(vars(record))]


class _Moody(SpanProcessor):
    """Somebody's processor that fails, and quotes what it was given."""

    def __init__(self, quote: str) -> None:
        self._quote = quote

    def on_end(self, span: ReadableSpan) -> None:
        if "moody" in span.name:
            raise ValueError(self._quote)


@pytest.fixture
def logged() -> Iterator[list[str]]:
    logger, handler = logging.getLogger("agenttrace"), _Logged()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler.said
    logger.setLevel(before)
    logger.removeHandler(handler)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Tapped]:
    with _Tapped() as running:
        for name, value in running.env().items():
            monkeypatch.setenv(name, value)
        yield running


@dataclass(slots=True)
class Run:
    """What was said, and where it was found.

    Attributes:
        home: Where it is recorded.
        folder: What is searched: the home, and where DuckDB puts what does not fit into the memory.
        canaries: The words.
        heard: What the programs and the provider have heard.
        leaks: A place where a word was said, and where it was found.
    """

    home: Path
    folder: Path
    canaries: Canaries = field(default_factory=Canaries)
    heard: list[str] = field(default_factory=list[str])
    leaks: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def look(self) -> None:
        """Search what is on the disk now."""
        self.leaks |= written.leaks(self.canaries, self.folder)

    def search(self, where: str, said: Iterable[str | bytes]) -> None:
        """Search what was written elsewhere."""
        self.leaks |= {(place, where) for one in said for place in self.canaries.found_in(one)}

    def say_everything(self, provider: _Tapped, programs: tuple[Program, ...]) -> None:
        """Run *programs*, in one task."""
        with agenttrace.task("everything"):
            for program in programs:
                say = self.canaries.at(program.__name__.replace("_", " "))
                with agenttrace.agent(program.__name__):
                    self.heard.append(str(program(say, World(provider, self.look))))
                assert provider.pending == 0, program.__name__
        self.heard += [*provider.sent, str(provider.requests)]


@pytest.fixture
def run(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    return Run(home, tmp_path)


@contextlib.contextmanager
def alone(run: Run) -> Generator[None]:
    """Record without OpenTelemetry."""
    agenttrace.configure(run.home)
    try:
        yield
    finally:
        agenttrace.shutdown()


@contextlib.contextmanager
def exporting(run: Run) -> Generator[None]:
    """Record, and send the spans to a collector."""
    received: list[bytes] = []
    with collecting(received) as endpoint, pytest.MonkeyPatch.context() as environ:
        environ.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        say = run.canaries.at("a framework's own spans")
        with alone(run):
            # As frameworks ask for it, at whose spans nobody but agenttrace is to look.
            framework = tracer_provider().get_tracer("gcp.vertex.agent")
            run.heard.append(str(foreign.spans(say, framework)))
            yield
    assert b"gen_ai.usage.input_tokens" in b"".join(received)
    run.search("OTLP", received)


@contextlib.contextmanager
def joined(run: Run) -> Generator[None]:
    """Record beside others in the program's provider, whose spans hold what was said."""
    theirs, kept = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    theirs.add_span_processor(SimpleSpanProcessor(kept))
    say = run.canaries.at("other instrumentations")
    theirs.add_span_processor(_Moody(say("quoted by a processor that fails")))
    agenttrace.configure(run.home, tracer_provider=theirs)
    with alone(run):  # which is configured already
        run.heard.append(say("quoted by a processor that fails"))
        with agenttrace.tool("moody"):
            pass
        for scope in ("somebody", "gcp.vertex.agent"):
            run.heard.append(str(foreign.spans(say, theirs.get_tracer(scope))))
        with agenttrace.task("instrumented"):
            foreign.spans(say, theirs.get_tracer("somebody"))
        yield
    spans = [span for span in kept.get_finished_spans() if span.instrumentation_scope]
    ours = [one.to_json() for one in spans if one.instrumentation_scope.name == "agenttrace"]
    assert len(ours) > len(PROGRAMS)
    run.search("our spans", ours)
    theirs.shutdown()


def folded(run: Run) -> None:
    """Read what is left by folding it."""
    fold(run.home)


def shown(run: Run) -> None:
    """Read what is left by each command and each query, and search what they print."""
    for command, printed in printed_of(run.home):
        run.search(command, [printed])


# What is exported are the spans that an SDK has when it is joined, so a few of the programs do.
_EXPORTED: Final = (
    openai_stream,
    provider_errors,
    langchain_agent,
    decorated_functions,
    attributes_of_ones_own,
    told_of_a_task,
    context_from_outside,
    killed_process,
)


@pytest.mark.usefixtures("trouble")
@pytest.mark.parametrize(
    ("recording_as", "programs", "read"),
    [(alone, PROGRAMS, folded), (exporting, _EXPORTED, folded), (joined, PROGRAMS, shown)],
)
def test_nothing_that_was_said_is_written_or_shown(
    *,
    recording_as: Callable[[Run], contextlib.AbstractContextManager[None]],
    programs: tuple[Program, ...],
    read: Callable[[Run], None],
    run: Run,
    provider: _Tapped,
    logged: list[str],
    capfd: pytest.CaptureFixture[str],
) -> None:
    with recording_as(run):
        run.say_everything(provider, programs)
        run.look()
        fold(run.home)  # while what recorded it is alive
        run.look()
    (run.home / "spool" / "1-1-1.seg").write_bytes(_REFUSED)
    read(run)
    run.look()
    run.search("log", logged)
    run.search("terminal", capfd.readouterr())

    assert run.canaries.unsaid("\n".join(run.heard)) == set()
    assert run.leaks == set()


def fold(home: Path) -> None:
    assert CliRunner().invoke(commands, ["--store", str(home), "store", "fold"]).exit_code == 0


def printed_of(home: Path) -> Iterator[tuple[str, str]]:
    """Yield what each command that shows something prints, and the rows of each query."""
    with Reader(home) as reader:
        for name, *_ in reader.catalogue().rows:
            yield f"query {name}", rows.to_csv(reader.table(name))
        ((everything,),) = reader.table(
            "SELECT task_id FROM task WHERE task_name = 'everything'"
        ).rows
    several = ("text", "json", "svg")
    for words in (
        ["query", "--list"],
        ["query", "FROM span", "--format", "csv"],
        ["query", "FROM quarantine", "--format", "csv"],
        ["query", "FROM no_such_table"],
        ["store", "info"],
        *(["report", "--limit", "1000", "--format", form] for form in several),
        *(["report", "task", everything, "--format", form] for form in several),
    ):
        result = CliRunner().invoke(commands, ["--store", str(home), *words])
        assert result.exit_code == (words[-1] == "FROM no_such_table"), result.output
        yield " ".join(words), result.output


@pytest.mark.parametrize("disguise", ["{}", "cut: {:.10}", "{word64}", "{word16}"])
def test_a_word_is_found_wherever_it_is(disguise: str, tmp_path: Path) -> None:
    canaries = Canaries()
    word = canaries.at("a program")("prompt")
    coded = base64.b64encode(f"user:{word}".encode()).decode()
    said = disguise.format(word, word64=coded, word16=word.encode().hex())
    rows = f"(SELECT CASE WHEN i = 999 THEN '{said}' ELSE 'x' || i END AS a FROM range(2000) r(i))"
    with duckdb.connect() as connection:
        connection.execute(f"COPY {rows} TO '{tmp_path}/p.parquet' (COMPRESSION zstd)")
        connection.execute(f"ATTACH '{tmp_path}/s.duckdb' AS s; CREATE TABLE s.t AS FROM {rows}")
    (tmp_path / "plain").write_text(said)

    found = written.leaks(canaries, tmp_path)

    assert {where for _, where in found} >= {"p.parquet", "s.duckdb main.t", "plain"}


def test_no_column_of_text_is_named_after_what_was_said(recording: Path) -> None:
    with agenttrace.task("t"):
        agenttrace.start("inference", "gpt-5").stop()
    agenttrace.flush()
    fold(recording)
    with Reader(recording) as reader:
        read = {name for (name,) in reader.table(written.TEXT_COLUMNS).rows}

    named = written.texts(recording) | read

    assert {"task_name", "error_type", "file", "workload"} <= named
    assert {name for name in named if _CONTENT.search(name)} == set()


@pytest.mark.usefixtures("trouble")
def test_what_is_written_is_its_owners_alone(home: Path) -> None:
    before = os.umask(0)  # the most that a user may allow others
    try:
        agenttrace.configure(home)
        agenttrace.start("inference", "gpt-5").stop()
        shutil.rmtree(home)
        while not (home / "spool" / "lost").exists():  # until the writer has noticed
            call()
            time.sleep(0.02)
        live = allowed(home)
        fold(home)
        agenttrace.shutdown()
        (home / "spool" / "1-1-1.seg").write_bytes(_REFUSED)
        fold(home)
    finally:
        os.umask(before)
        agenttrace.shutdown()
    kept = allowed(home)

    assert {path.partition("/")[0] for path in kept} >= {"lake", "quarantine", "store.duckdb"}
    assert "spool/lost" in kept
    assert {path: mode for path, mode in (live | kept).items() if mode not in ("700/", "600")} == {}


def call() -> None:
    with agenttrace.task("everything"):
        agenttrace.start("inference", "gpt-5").stop()


def allowed(home: Path) -> dict[str, str]:
    """The mode of each file and folder, the home itself included; that of a folder with a slash."""
    return {
        str(path.relative_to(home)): f"{stat.S_IMODE(path.stat().st_mode):o}" + "/" * path.is_dir()
        for path in (home, *home.rglob("*"))
    }
