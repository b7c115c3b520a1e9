"""A child process works for the task that started it, however it is started and however it ends."""

import ast
import asyncio
import inspect
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import agenttrace
from agenttrace.record import carrier, setup
from agenttrace.record.wire import meter
from agenttrace.testing import ModelProvider

Spooled = Callable[[], list[dict[str, Any]]]

# Python 3.12 warns of what some of these tests are about.
pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)

CALL = "import agenttrace; agenttrace.start('inference', 'chat').stop()"
CHILD = [sys.executable, "-c", CALL]
STARTUP = str(carrier.startup_folder())


def call(_: object = None) -> None:
    agenttrace.start("inference", "chat").stop()


def tasks(records: list[dict[str, Any]]) -> list[str | None]:
    """The task of each call, in the order of the calls."""
    return [
        record["attributes"].get("task.id")
        for record in records
        if record["attributes"]["agenttrace.kind"] == "inference"
    ]


def test_a_child_that_knows_nothing_of_agenttrace_is_recorded_where_its_parent_is(
    home: Path, tmp_path: Path
) -> None:
    program = (
        "import httpx, os\n"
        "url = os.environ['OPENAI_BASE_URL'] + '/chat/completions'\n"
        "body = {'model': 'gpt-5', 'messages': [{'role': 'user', 'content': 'hello'}]}\n"
        "httpx.post(url, json=body, trust_env=False).raise_for_status()\n"
    )
    folder = tmp_path / "somewhere else"
    folder.mkdir()
    agenttrace.configure(tmp_path / "named")
    with ModelProvider() as provider:
        environ = provider.env()
        before = dict(environ)
        with agenttrace.task("t", id="A"), agenttrace.agent("boss"), agenttrace.tool("shell"):
            command = [sys.executable, "-c", program]
            subprocess.run(command, env=environ, cwd=folder, check=True)
        assert environ == before
        assert len(provider.ledger) == 1
    agenttrace.shutdown()
    with agenttrace.read(tmp_path / "named") as reader:
        (row,) = reader.query("FROM model_call")
    assert (row["task_id"], row["agent"], row["role"], row["model"]) == (
        *("A", "boss", "tool", "gpt-5"),
    )
    assert not home.exists()


@pytest.mark.parametrize("task_id", ["x" * 4000, "\u00e9" * 600])
def test_a_long_task_id_is_carried_whole(recording: Path, spooled: Spooled, task_id: str) -> None:
    with agenttrace.task("t" * 300, id=task_id), agenttrace.agent("a" * 300):
        subprocess.run(CHILD, check=True)
    assert tasks(spooled()) == [task_id]


def posix_spawn() -> None:
    os.waitpid(os.posix_spawn(sys.executable, CHILD, os.environ), 0)


def execve() -> None:
    child = os.fork()
    if not child:
        os.execve(sys.executable, CHILD, {"AN": "environment"})
    os.waitpid(child, 0)


async def asyncio_exec() -> None:
    await (await asyncio.create_subprocess_exec(*CHILD, env={})).wait()


async def asyncio_shell() -> None:
    await (await asyncio.create_subprocess_shell(f'exec {sys.executable} -c "{CALL}"')).wait()


@pytest.mark.parametrize(
    "start",
    [
        lambda: subprocess.run(CHILD),
        lambda: subprocess.call(
            CHILD, -1, None, None, None, None, None, True, False, None, {b"BYTES": b"\xff"}
        ),
        lambda: os.popen(f'exec {sys.executable} -c "{CALL}"').close(),
        lambda: os.spawnvpe(os.P_WAIT, sys.executable, CHILD, {}),
        posix_spawn,
        execve,
        asyncio_exec,
        asyncio_shell,
    ],
    ids=["run", "bytes", "popen", "spawnvpe", "posix_spawn", "execve", "asyncio", "asyncio shell"],
)
async def test_whatever_takes_an_environment_starts_children_of_the_task(
    start: Callable[[], Awaitable[None] | None], recording: Path, spooled: Spooled
) -> None:
    with agenttrace.task("t", id="A"):
        waiting = start()
        if inspect.isawaitable(waiting):
            await waiting
    assert tasks(spooled()) == ["A"]


def test_children_that_uvloop_starts_are_of_the_task(recording: Path, spooled: Spooled) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def main() -> None:
        with agenttrace.task("t", id="A"):
            await asyncio_exec()
            await asyncio_shell()

    uvloop.run(main())
    assert tasks(spooled()) == ["A", "A"]
    agenttrace.shutdown()
    assert "subprocess_exec" not in vars(uvloop.Loop)


SHOW = [
    sys.executable,
    "-c",
    "import json, os, sys; print(json.dumps([dict(os.environ), sys.path]))",
]


def shown(**options: Any) -> tuple[dict[str, str], list[str]]:
    environ, path = json.loads(subprocess.run(SHOW, stdout=subprocess.PIPE, **options).stdout)
    environ.pop("LC_CTYPE", None)  # Python sets it where the locale is the C one
    return environ, path


def test_outside_of_any_task_a_child_is_started_as_without_us(recording: Path) -> None:
    assert shown(env={"PYTHONPATH": "a"})[0] == {"PYTHONPATH": "a"}
    within = shown()
    agenttrace.shutdown()
    assert within == shown()


def test_the_switch_leaves_children_alone(
    home: Path, monkeypatch: pytest.MonkeyPatch, spooled: Spooled
) -> None:
    monkeypatch.setenv("AGENTTRACE_CHILDREN", "0")
    agenttrace.configure(home)
    with agenttrace.task("t"):
        assert shown(env={})[0] == {}
        by_hand = agenttrace.environ()
        with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
            assert pool.submit(len, "four").result() == 4
    agenttrace.shutdown()
    assert by_hand["TRACEPARENT"]
    assert STARTUP not in by_hand.get("PYTHONPATH", "")


def test_a_child_sees_the_path_that_it_would_see_without_us(recording: Path) -> None:
    without = shown(env={"PYTHONPATH": "a:b"})
    with agenttrace.task("t"):
        environ, path = shown(env={"PYTHONPATH": "a:b"})
        assert shown(env=agenttrace.environ() | {"PYTHONPATH": f"{STARTUP}:a:b"})[1] == path
    assert path == without[1]
    assert environ["PYTHONPATH"] == f"{STARTUP}:a:b"
    assert set(environ) - set(without[0]) == {"TRACEPARENT", "BAGGAGE", "AGENTTRACE_HOME"}


def test_what_the_user_says_in_the_environment_stays(recording: Path) -> None:
    said = {"TRACEPARENT": f"00-{'1' * 32}-{'2' * 16}-01", "AGENTTRACE_HOME": "/elsewhere"}
    with agenttrace.task("t", id="A"):
        environ = shown(env={**said, "BAGGAGE": "user=1"})[0]
        added = shown(env={"BAGGAGE": "user=1"})[0]
    assert environ == {**said, "BAGGAGE": "user=1", "PYTHONPATH": STARTUP}
    assert added["BAGGAGE"].startswith("user=1,")
    assert "task.id=A" in added["BAGGAGE"]


def test_a_child_is_told_nothing_that_held_only_in_the_parent_of_its_parent(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEPARENT", f"00-{'1' * 32}-{'2' * 16}-01")
    monkeypatch.setenv("TRACESTATE", "theirs=1")
    monkeypatch.setenv(
        "BAGGAGE", "task.id=A,gen_ai.agent.name=old,gen_ai.conversation.id=chat,user=1"
    )
    agenttrace.configure(home)
    with agenttrace.task("new", id="B"):
        inside = agenttrace.environ()
    outside = agenttrace.environ()
    agenttrace.shutdown()
    assert ("task.id=B" in inside["BAGGAGE"], "old" in inside["BAGGAGE"]) == (True, False)
    assert "user=1" in inside["BAGGAGE"]
    assert ("task.id=A" in outside["BAGGAGE"], "old" in outside["BAGGAGE"]) == (True, True)
    assert outside["TRACESTATE"] == "theirs=1"


def test_a_name_of_any_length_keeps_no_child_from_starting(
    recording: Path, spooled: Spooled, caplog: pytest.LogCaptureFixture, trouble: list[str]
) -> None:
    with agenttrace.task("long-" * 50_000, id="A"), agenttrace.agent("\N{OWL}" * 50_000):
        subprocess.run(CHILD, check=True)
    with agenttrace.task("t", id="B" * 50_000):
        subprocess.run(CHILD, check=True)
        assert "task.id" not in agenttrace.environ()["BAGGAGE"]
    called, other = [r["attributes"] for r in spooled() if r["name"] == "chat"]
    assert called["task.id"] == "A"
    assert called["agenttrace.task.name"] == "long-" * 40
    assert called["gen_ai.agent.name"] == "\N{OWL}" * 200
    assert "task.id" not in other
    # A task without its id is said, once; OpenTelemetry has nothing to add.
    assert caplog.messages == trouble
    (said,) = trouble
    assert "longer than 4000 bytes" in said


def test_a_role_holds_in_a_child_as_it_does_here(recording: Path, spooled: Spooled) -> None:
    with agenttrace.task("t"), agenttrace.role("summary"), agenttrace.role(visible=True):
        subprocess.run(CHILD, check=True)
    (said,) = [r["attributes"] for r in spooled() if r["name"] == "chat"]
    assert (said["agenttrace.role"], said["agenttrace.visible"]) == ("summary", True)


def test_a_child_may_say_for_itself_how_it_is_recorded(recording: Path) -> None:
    program = (
        "import agenttrace\n"
        "agenttrace.configure(service_name='desk')\n"
        "print(agenttrace.current().task_id)\n"
        f"{CALL}\n"
    )
    with agenttrace.task("t", id="A"):
        done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert done.stdout == "A\n"
    headers = [path.read_bytes().splitlines()[0] for path in (recording / "spool").glob("*-*")]
    assert "desk" in {json.loads(line)["service_name"] for line in headers}


def test_a_child_that_calls_no_model_loads_nothing_of_ours(recording: Path) -> None:
    program = (
        "import asyncio, json, logging, subprocess, sys, threading\n"
        "subprocess.run([sys.executable, '-c', 'pass'])\n"
        "print([n for n in sys.modules if n.partition('.')[0] in ('agenttrace', 'opentelemetry')])"
    )
    with agenttrace.task("t"):
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", program], capture_output=True
        )
    assert (done.stdout, done.stderr) == (b"[]\n", b"")


def test_a_child_that_loads_the_recorder_says_nothing_even_where_warnings_are_errors(
    tmp_path: Path, recording: Path, spooled: Spooled
) -> None:
    with agenttrace.task("t", id="A"):
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", CALL], capture_output=True
        )
        blocked = os.environ | {"AGENTTRACE_HOME": "/proc/nowhere"}
        silent = subprocess.run(CHILD, env=blocked, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (silent.returncode, silent.stdout, silent.stderr) == (0, b"", b"")
    assert tasks(spooled()) == ["A"]


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_a_python_that_ignores_its_environment_is_left_alone(option: str, recording: Path) -> None:
    program = "import sys; print([type(f).__name__ for f in sys.meta_path if 'Wait' in str(f)])"
    with agenttrace.task("t"):
        done = subprocess.run([sys.executable, option, "-c", program], stdout=subprocess.PIPE)
        assert done.stdout == b"[]\n"


def test_the_next_sitecustomize_is_imported_as_if_ours_were_not_there(
    tmp_path: Path, recording: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nprint(__file__)\nseen = sys.path[:]\n")
    program = "import sitecustomize; print(sitecustomize.seen)"
    command = [sys.executable, "-c", program]
    environ = {"PYTHONPATH": str(tmp_path)}
    without = subprocess.run(command, env=environ, capture_output=True)
    with agenttrace.task("t"):
        within = subprocess.run(command, env=environ, capture_output=True)
        (tmp_path / "sitecustomize.py").write_text("raise RuntimeError('theirs')")
        failing = subprocess.run(command, env=environ, capture_output=True)
    assert (within.stdout, within.stderr) == (without.stdout, without.stderr)
    assert failing.stderr.startswith(b"Error in sitecustomize")
    assert b"theirs" in failing.stderr


def test_a_python_without_agenttrace_is_left_alone(tmp_path: Path, recording: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    (tmp_path / "httpx.py").write_text("")
    program = (
        "import httpx, sys; print(httpx.__spec__.loader is httpx.__loader__, sys.meta_path[0])"
    )
    command = [tmp_path / "bare" / "bin" / "python", "-c", program]
    with agenttrace.task("t"):
        done = subprocess.run(command, env={"PYTHONPATH": str(tmp_path)}, capture_output=True)
    assert done.stderr == b""
    assert done.stdout.startswith(b"True <class '_frozen_importlib.BuiltinImporter'>")


def test_the_start_of_a_child_knows_every_transport_and_is_plain_python() -> None:
    source = (Path(STARTUP) / "sitecustomize.py").read_text()
    tree = ast.parse(source, feature_version=(3, 4))
    (modules,) = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "MODULES"
    ]
    packages = {name.partition(".")[0] for name in meter.TRANSPORTS}
    assert packages - set(modules) == set()
    newer = (ast.JoinedStr, ast.AnnAssign)  # than Python 2, and not refused by feature_version
    assert [node for node in ast.walk(tree) if isinstance(node, newer)] == []


PROGRAM = """
import multiprocessing, os, sys
from concurrent.futures import ProcessPoolExecutor
import agenttrace

def call(name="chat"):
    agenttrace.start("inference", name).stop()

def leave(name):
    call(name)
    os._exit(0)

def kill(name):
    call(name)
    os.kill(os.getpid(), 9)

class Worker(multiprocessing.Process):
    def run(self):
        call("subclass")

def finish(process):
    process.start()
    assert "_agenttrace" not in vars(process)
    process.join()
    process.close()

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    multiprocessing.set_start_method(sys.argv[1])
    early = context.Pool(1)
    agenttrace.configure(sys.argv[2])
    with agenttrace.task("t", id="made"):
        pool = context.Pool(1)
        executor = ProcessPoolExecutor(1, context)
        executor.submit(call, "first").result()
    with agenttrace.task("t", id="A"), agenttrace.agent("boss"):
        finish(Worker())
        for target in (call, leave, kill):
            finish(context.Process(target=target, args=(target.__name__,)))
        executor.submit(call, "executor").result()
        list(executor.map(call, ["map"]))
    with agenttrace.task("t", id="B"):
        pool.apply(call, ["apply"])
        pool.map(call, ["pool map"])
        list(pool.imap(call, ["imap"]))
        try:
            pool.apply(int, ["no number"])
        except ValueError:
            call("error")
        early.apply(call, ["early"])
    finish(context.Process(target=call, args=["nobody's"]))
    executor.submit(call, "nobody's").result()
    pool.apply(call, ["nobody's"])
    executor.shutdown()
    for each in (pool, early):
        each.close()
        each.join()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_work_in_processes_belongs_to_the_task_that_gives_it(
    method: str, tmp_path: Path, home: Path, spooled: Spooled
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, program, method, home]
    # The home that a process would have by itself is another one.
    environ = {"HOME": str(tmp_path)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    found = [
        (record["name"], record["attributes"].get("task.id"))
        for record in spooled()
        if record["attributes"]["agenttrace.kind"] == "inference"
    ]
    assert found == [
        ("first", "made"),
        *[(name, "A") for name in ("subclass", "call", "leave", "kill", "executor", "map")],
        *[(name, "B") for name in ("apply", "pool map", "imap", "error", "early")],
        ("nobody's", None),
        ("nobody's", None),
        ("nobody's", None),
    ]
    agents = {r["attributes"].get("gen_ai.agent.name") for r in spooled() if r["name"] == "kill"}
    assert agents == {"boss"}


LEVELS = """
import multiprocessing, os, subprocess, sys, tempfile

def spawned():
    os.system(f'exec {sys.executable} {__file__} last')
    subprocess.run([sys.executable, __file__, "last"], env={"AN": "environment"}, cwd="/")
    multiprocessing.get_context("fork").Process(target=last).start()

def last():
    import agenttrace
    agenttrace.start("inference", "chat").stop()
    os._exit(0)

if __name__ == "__main__":
    if sys.argv[1:]:
        last()
    child = multiprocessing.get_context("spawn").Process(target=spawned)
    child.start()
    child.join()
"""


def test_children_of_children_work_for_the_same_task_however_each_is_started(
    recording: Path, tmp_path: Path, spooled: Spooled
) -> None:
    program = tmp_path / "levels.py"
    program.write_text(LEVELS)
    with agenttrace.task("t", id="A"), agenttrace.agent("boss"):
        done = subprocess.run([sys.executable, program], env={}, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert tasks(spooled()) == ["A", "A", "A"]
    said = [r for r in spooled() if r["name"] == "chat"]
    assert {r["attributes"]["gen_ai.agent.name"] for r in said} == {"boss"}
    (agent,) = [r for r in spooled() if r["name"] == "boss"]
    assert {r["parent_span_id"] for r in said} == {agent["span_id"]}


def test_forking_while_threads_record_hangs_nobody(recording: Path, spooled: Spooled) -> None:
    ended = threading.Event()

    def record() -> None:
        with agenttrace.task("other"):
            while not ended.wait(0.0005):
                call()

    threads = [threading.Thread(target=record) for _ in range(3)]
    for thread in threads:
        thread.start()
    with agenttrace.task("t", id="A"):
        for _ in range(10):
            child = os.fork()
            if not child:
                agenttrace.start("inference", "child").stop()
                agenttrace.configure()
                agenttrace.shutdown()
                os._exit(0)
            os.waitpid(child, 0)
    ended.set()
    for thread in threads:
        thread.join()
    children = [r for r in spooled() if r["name"] == "child"]
    assert [r["attributes"]["task.id"] for r in children] == ["A"] * 10


HOOKED: list[tuple[Any, str]] = [
    (subprocess.Popen, "__init__"),
    (multiprocessing.process.BaseProcess, "start"),
    (ProcessPoolExecutor, "submit"),
    (os, "execve"),
    (os, "posix_spawn"),
]


def test_what_is_hooked_looks_as_before_and_is_put_back(home: Path) -> None:
    def look() -> list[tuple[Any, ...]]:
        functions = [getattr(owner, name) for owner, name in HOOKED]
        return [
            (f.__name__, f.__doc__, None if owner is os else inspect.signature(f))
            for f, (owner, _) in zip(functions, HOOKED, strict=True)
        ]

    before, looked = [getattr(owner, name) for owner, name in HOOKED], look()
    agenttrace.configure(home)
    during = [getattr(owner, name) for owner, name in HOOKED]
    assert look() == looked
    agenttrace.shutdown()
    assert [getattr(owner, name) for owner, name in HOOKED] == before
    assert not any(new is old for new, old in zip(during, before, strict=True))


def test_errors_of_starting_and_giving_work_are_the_programs_own(recording: Path) -> None:
    with agenttrace.task("t"):
        with pytest.raises(FileNotFoundError) as missing:
            subprocess.run(["no such program"])
        assert missing.value.filename == "no such program"
        with pytest.raises(TypeError, match="unexpected keyword argument 'envy'"):
            subprocess.run(CHILD, envy={})  # type: ignore[call-overload]
        process = multiprocessing.get_context("spawn").Process(target=lambda: None)
        with pytest.raises((pickle.PicklingError, AttributeError)):
            process.start()
        assert "_agenttrace" not in vars(process)


LOKY = """
import sys, joblib, agenttrace

def call(name):
    agenttrace.start("inference", name).stop()

if __name__ == "__main__":
    agenttrace.configure(sys.argv[1])
    backends = {"A": "loky", "B": "loky", "C": "multiprocessing", "D": "threading"}
    for name, backend in backends.items():
        with agenttrace.task("t", id=name):
            joblib.Parallel(2, backend=backend)(joblib.delayed(call)(name) for _ in range(6))
"""


def test_work_given_to_joblib_belongs_to_the_task(
    tmp_path: Path, home: Path, spooled: Spooled
) -> None:
    pytest.importorskip("joblib")
    program = tmp_path / "program.py"
    program.write_text(LOKY)
    done = subprocess.run([sys.executable, program, home], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    calls = [r for r in spooled() if r["attributes"]["agenttrace.kind"] == "inference"]
    assert [r["attributes"].get("task.id") for r in calls] == [r["name"] for r in calls]
    assert len(calls) == 24


@pytest.mark.parametrize("way", ["subprocess", "spawn"])
def test_integrations_that_are_on_are_on_in_children_too(
    recording: Path, tmp_path: Path, way: str
) -> None:
    program = tmp_path / "child.py"
    program.write_text(
        "import httpx\n"
        "from agenttrace.record import setup\n"
        "def on():\n"
        "    return setup.integrations()\n"
        "if __name__ == '__main__':\n"
        "    print(*on())\n"
    )
    agenttrace.instrument("langchain")
    with agenttrace.task("t"):
        if way == "subprocess":
            done = subprocess.run([sys.executable, program], capture_output=True, text=True)
            assert done.stdout.split() == ["langchain"]
        else:
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                assert pool.submit(setup.integrations).result() == ("langchain",)


def test_the_environment_names_integrations_to_switch_on(
    home: Path, monkeypatch: pytest.MonkeyPatch, trouble: list[str]
) -> None:
    monkeypatch.setenv("AGENTTRACE_INTEGRATIONS", "langchain, not-there")
    setup.note_integrations(())
    agenttrace.configure(home)
    assert setup.integrations() == ("langchain",)
    agenttrace.shutdown()
    assert [said.partition(".")[0] for said in trouble] == ["No integration is called not-there"]
