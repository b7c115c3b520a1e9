"""Groups whose commands are loaded when they are asked for."""

import importlib
import keyword
from typing import ClassVar

import click


class LazyGroup(click.Group):
    """Take each command from the module of its name, a dash in it being an underscore there.

    A name that Python keeps for itself has an underscore at its end there.

    Attributes:
        package: Where the modules are.
        names: The commands, in the order in which they are listed.
    """

    package: ClassVar[str]
    names: ClassVar[tuple[str, ...]]

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, in order."""
        return list(self.names)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """Import the module of *cmd_name* and return its command; None if there is none."""
        if cmd_name not in self.names:
            return None
        name = cmd_name.replace("-", "_") + "_" * keyword.iskeyword(cmd_name)
        command: click.Command = getattr(importlib.import_module(f"{self.package}.{name}"), name)
        return command
