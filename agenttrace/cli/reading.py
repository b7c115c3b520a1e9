"""Values of options that a part of the package reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from agenttrace.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable


class Read(click.ParamType[Any]):
    """What *read* makes of the text; where it raises ``ConfigError``, the option is used wrongly.

    Args:
        name: Of the type, in help.
        read: Imports what it needs when it is called, so that --help does not wait for it.
    """

    def __init__(self, name: str, read: Callable[[str], object]) -> None:
        self.name = name
        self._read = read

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """Return what *value* says; a value that has been read stays as it is."""
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ConfigError as error:
            self.fail(str(error), param, ctx)
