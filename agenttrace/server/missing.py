"""Say what of the extra ``serve`` is not installed."""

from importlib.util import find_spec

from agenttrace.errors import MissingDependencyError


def needed(what: str, *modules: str) -> None:
    """Look whether all is installed.

    Args:
        what: What needs it, as the message says it.
        modules: What it needs.

    Raises:
        MissingDependencyError: Something is not.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise MissingDependencyError(
            f"{what} needs the extra serve, of which is not installed: {', '.join(missing)}. "
            'Run: pip install "/path/to/this/checkout[serve]"'
        )
