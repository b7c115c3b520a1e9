"""``agenttrace import``: read the logs that agents have written already."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from agenttrace.cli.output import data_format

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from threading import Event

    from agenttrace.sources.finding import Found
    from agenttrace.sources.importing import Imported
    from agenttrace.sources.source import Source
    from agenttrace.sources.watching import Watched

_LONG_BYTES: Final = 32 * 1024 * 1024  # about a second: less is over before a bar is drawn

# The first line tells click to leave the others as they are.
_EXAMPLES: Final = """\b
agenttrace import                       all that your agents have written
agenttrace import --list                what there is, and what of it is new
agenttrace import claude-code           the logs of one agent
agenttrace import codex ~/old/sessions  a folder or file that lies elsewhere
agenttrace import ~/old/sessions        the same, told by what it holds
agenttrace import --watch               what is written from now, until Ctrl-C
"""


@click.command("import", short_help="Read the logs that agents have written.", epilog=_EXAMPLES)
@click.argument("words", metavar="[SOURCE] [PATH...]", nargs=-1)
@click.option("--list", "is_listing", is_flag=True, help="Say what there is, and import nothing.")
@click.option("--watch", "is_watching", is_flag=True, help="Go on with what is written from now.")
@data_format
@click.pass_obj
def import_(
    home: str | None, words: tuple[str, ...], *, is_listing: bool, is_watching: bool, form: str
) -> None:
    """Read the logs that coding agents have written on this machine, and exports of others.

    Without a SOURCE, all agents of this user are looked for. What was imported is not imported
    again, and agents may be at work meanwhile. No prompt and no answer is kept. The exit status is
    1 if nothing could be read that should have been.
    """
    # msgspec and SQLite are loaded only here, so that --help does not wait for them.
    from agenttrace import config
    from agenttrace.sources import finding

    if is_listing and is_watching:
        raise click.UsageError("--list imports nothing, and --watch imports: choose one of them.")
    if is_watching and form != "text":
        raise click.UsageError("--watch says a line for each change; --format is for an import.")
    folder = config.load(home).home
    asked, is_search = _asked(words)
    found = [finding.look(folder, source, roots) for source, roots in asked]
    if is_listing:
        _say_list(found, form, is_search=is_search)
        return
    done = _import(folder, asked, found, is_search=is_search)
    _say_import(found, done, form, is_search=is_search)
    if is_watching:
        _watch(folder, asked)
    elif _is_all_unreadable(done) or not (is_search or any(one.files for one in found)):
        raise click.exceptions.Exit(1)


def _asked(words: tuple[str, ...]) -> tuple[list[tuple[Source, tuple[Path, ...]]], bool]:
    """Return what to read and where, and whether all is looked for."""
    from agenttrace.sources import agents, finding

    user = finding.this_user()
    if not words:
        return [(one, tuple(one.roots(user))) for one in finding.of_coding_agents()], True
    first, paths = words[0], words[1:]
    if first in agents.NAMES:
        source = agents.source(first)
        roots = tuple(map(_path, paths)) or tuple(source.roots(user))
        if not roots:
            raise click.UsageError(
                f"{first} has no place of its own. Say where: `agenttrace import {first} PATH`."
            )
        return [(source, roots)], False
    _refuse_if_a_name(first)
    read: dict[str, tuple[Source, tuple[Path, ...]]] = {}
    for path in map(_path, words):
        source = finding.source_of(path, user)
        _, before = read.get(source.name, (source, ()))
        read[source.name] = (source, (*before, path))
    return list(read.values()), False


def _refuse_if_a_name(word: str) -> None:
    """Refuse what can only be meant as the name of a source, and is none."""
    import difflib

    from agenttrace import coding_agents
    from agenttrace.sources import agents

    why = coding_agents.NOT_READABLE.get(word.lower())
    if why is not None:
        raise click.UsageError(f"{word} cannot be imported: {why}.")
    if Path(word).expanduser().exists() or any(sign in word for sign in "/\\."):
        return
    known = {name: name for name in agents.NAMES} | {
        command: one.name
        for one in coding_agents.CODING_AGENTS.values()
        for command in one.commands
        if one.name in agents.NAMES
    }
    near = difflib.get_close_matches(word.lower(), known, n=1)
    meant = f" Did you mean {known[near[0]]}?" if near else ""
    raise click.UsageError(
        f"there is no source {word!r}, and no file or folder of that name.{meant} "
        f"Sources: {', '.join(agents.NAMES)}."
    )


def _path(word: str) -> Path:
    path = Path(word).expanduser().absolute()
    if not path.exists():
        raise click.ClickException(f"{word}: there is no such file or folder.")
    return path


def _import(
    home: Path,
    asked: Iterable[tuple[Source, tuple[Path, ...]]],
    found: list[Found],
    *,
    is_search: bool,
) -> list[Imported]:
    """Import what is asked for; of a search, what was found."""
    from agenttrace.sources.importing import Imported, import_logs

    done: list[Imported] = []
    for (source, _), seen in zip(asked, found, strict=True):
        if is_search and not seen.files and not seen.unreadable:
            continue
        if not seen.new_files:
            # To look was enough, and took half the time.
            unchanged = Imported(source.name, files=seen.files, unchanged=seen.files)
            unchanged.unreadable = seen.unreadable
            done.append(unchanged)
            continue
        with _progress(source.name, seen.new_bytes) as progress:
            imported = import_logs(home, source, seen.roots, progress=progress)
        imported.unreadable = {**seen.unreadable, **imported.unreadable}
        done.append(imported)
    return done


def _is_all_unreadable(done: Iterable[Imported]) -> bool:
    """Whether there was something to read, and nothing of it could be."""
    each = list(done)
    unreadable = sum(len(one.unreadable) for one in each)
    return bool(unreadable) and sum(one.files for one in each) <= unreadable


def _say_list(found: list[Found], form: str, *, is_search: bool) -> None:
    from agenttrace.cli import import_text

    if form == "json":
        click.echo(import_text.to_json(found))
        return
    for line in import_text.of_found(found, is_search=is_search):
        click.echo(line)
    if any(one.new_files for one in found):
        click.echo("\n`agenttrace import` imports what is new.")


def _say_import(found: list[Found], done: list[Imported], form: str, *, is_search: bool) -> None:
    from agenttrace.cli import import_text

    if form == "json":
        click.echo(import_text.to_json(found, done))
        return
    if any(one.new_files for one in found) or not any(one.files for one in found):
        for line in import_text.of_found(found, is_search=is_search):
            click.echo(line)
        click.echo()
    for line in import_text.of_import(done):
        click.echo(line)


def _watch(home: Path, asked: Iterable[tuple[Source, tuple[Path, ...]]]) -> None:
    """Import what changes, until Ctrl-C."""
    import threading

    from agenttrace.sources.watching import Watched

    watched = [Watched(source, roots) for source, roots in asked]
    click.echo("\nWatching. Ctrl-C ends it.")
    with contextlib.suppress(KeyboardInterrupt):
        follow(home, watched, threading.Event())


def follow(
    home: Path,
    watched: list[Watched],
    stop: Event,
    say: Callable[[str], None] = click.echo,
    look_ms: int = 2_000,
) -> None:
    """Import what changes and say a line of each change, until *stop* is set."""
    from agenttrace.cli import import_text
    from agenttrace.errors import AgentTraceError
    from agenttrace.sources import watching
    from agenttrace.sources.importing import import_logs

    left: dict[str, set[Path]] = {}
    for one, files in watching.changes(watched, stop, look_ms=look_ms):
        waiting = left.setdefault(one.source.name, set())
        waiting.update(files)
        try:
            done = import_logs(home, one.source, sorted(waiting))
        except (AgentTraceError, OSError) as error:
            # Such as a disk that is full: they are read with the next change.
            click.echo(f"Warning: {one.source.name}: {error}", err=True)
            continue
        waiting.clear()
        if not import_text.is_nothing(done):
            say(import_text.of_change(done, files))


@contextlib.contextmanager
def _progress(what: str, size: int) -> Generator[Callable[[int, int], None]]:
    """Show a bar on a terminal if it is long work, and nothing in a pipe."""
    if size < _LONG_BYTES or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    # rich is loaded only where it is seen.
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True
    ) as shown:
        bar = shown.add_task(what, total=size)

        def told(done: int, total: int) -> None:
            shown.update(bar, completed=done, total=total)

        yield told
