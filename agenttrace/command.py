"""Run somebody's command so that neither it nor its user notices who started it.

Its streams are those of this process, it stays in the process group that the terminal knows, and
signals that only this process gets are passed on to it.
"""

import os
import signal
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

_PASSED_ON: Final = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
NOT_FOUND: Final = 127
NOT_RUN: Final = 126


@contextmanager
def begun(
    command: Sequence[str], *, env: Mapping[str, str] | None = None, stdout: int | None = None
) -> "Generator[subprocess.Popen[bytes]]":
    """Start *command*, and pass signals on to it, but for those that it got from the terminal.

    Args:
        command: Program and arguments.
        env: Its environment; that of this process if not given.
        stdout: As ``subprocess.Popen`` has it.

    Raises:
        OSError: It cannot be started.
    """
    started: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def pass_on(number: int, frame: "FrameType | None") -> None:
        del frame
        if not started:
            early.append(number)
        elif not _is_of_terminal(number) and started[0].poll() is None:
            started[0].send_signal(number)

    # What is ignored here stays ignored in the command, as under nohup; a handler would end that.
    wanted = [one for one in _PASSED_ON if signal.getsignal(one) is not signal.SIG_IGN]
    before = {number: signal.signal(number, pass_on) for number in wanted}
    try:
        started.append(subprocess.Popen(command, env=env, stdout=stdout))  # noqa: S603 - the user's own command
        for number in early:
            started[0].send_signal(number)
        yield started[0]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def pass_through(command: Sequence[str], environ: Mapping[str, str] | None = None) -> int:
    """Run *command* to its end; return its exit status, as :func:`status` has it.

    Args:
        command: Program and arguments.
        environ: Its environment; that of this process if not given.

    Raises:
        OSError: It cannot be started.
    """
    with begun(command, env=environ) as process:
        return status(process.wait())


def status(returned: int) -> int:
    """Return an exit status; 128 and the signal where one ended it, as a shell says it."""
    return returned if returned >= 0 else 128 - returned


def status_of(error: OSError) -> int:
    """Return the exit status that a shell has where a command cannot be started."""
    return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_RUN


def _is_of_terminal(number: int) -> bool:
    """Whether the terminal sent a signal, to all processes in front: so to the command as well."""
    if number not in (signal.SIGINT, signal.SIGQUIT):
        return False
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
