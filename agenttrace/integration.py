"""Find and switch on the integrations that are installed, by entry point."""

from importlib.metadata import EntryPoint, entry_points
from typing import Final, Protocol, cast

from agenttrace.errors import ConfigError, MissingDependencyError

GROUP: Final = "agenttrace.integrations"


class Instrumentor(Protocol):
    """What an entry point of the group ``agenttrace.integrations`` names: a class like this.

    Importing its module raises ImportError where the framework is not installed.
    """

    def instrument(self) -> None:
        """Add the hook; a second time does nothing."""
        ...

    def uninstrument(self) -> None:
        """Take the hook out."""
        ...


def instrument(*names: str) -> tuple[str, ...]:
    """Add the hooks of the named integrations, or of all whose framework is installed.

    Returns:
        The names of the integrations that are now on, sorted.

    Raises:
        ConfigError: There is no such integration.
        MissingDependencyError: A named integration's framework is not installed.
    """
    known = {entry.name: entry for entry in entry_points(group=GROUP)}
    for name in names:
        if name not in known:
            raise ConfigError(f"No integration is called {name}. There is: {', '.join(known)}.")
    done: list[str] = []
    for name in sorted(names or known):
        try:
            _load(known[name])().instrument()
        except ImportError as error:
            if names:
                raise MissingDependencyError(
                    f"{name} needs a package that is not installed ({error.name}). "
                    f'In a checkout: pip install -e ".[{name}]"'
                ) from error
            continue
        done.append(name)
    return tuple(done)


def _load(entry: EntryPoint) -> type[Instrumentor]:
    return cast("type[Instrumentor]", entry.load())
