"""Find the programs of the suite and what each of them says about itself.

A scenario is a program, ``programs/<group>/<name>.py``. The first line of its docstring is its
claim. Lines ``measure: reason`` at the end of the docstring say which measures cannot be exact in
it, and why. ``programs/<group>/replies.py`` may hold a function of the same name that scripts the
provider; without one the provider echoes.
"""

import ast
import functools
import importlib.util
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from agenttrace.conformance.judge import MEASURES
from agenttrace.errors import ConfigError
from agenttrace.testing import ModelProvider

# Packages of several distributions share these names: how many parts tell them apart.
_SHARED: Final = {"google": 2, "llama_index": 3, "opentelemetry": 2}
_REASON: Final = re.compile(rf"(?P<measure>{'|'.join(MEASURES)}): (?P<reason>.+)")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One program.

    Attributes:
        name: ``group/name``.
        path: The program.
        claim: What it shows.
        reasons: Measures that cannot be exact in it -> why.
        needs: Import packages that it uses and the standard library does not have.
    """

    name: str
    path: Path
    claim: str
    reasons: Mapping[str, str] = field(default_factory=dict[str, str])
    needs: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Packages that are not installed here."""
        return tuple(name for name in self.needs if not _is_installed(name))

    def provider(self) -> ModelProvider:
        """Return a provider with the replies of this scenario, not started yet."""
        replies = _replies(self.path.parent)
        options: Mapping[str, Mapping[str, Any]] = getattr(replies, "OPTIONS", {})
        provider = ModelProvider(**options.get(self.path.stem, {}))
        script: Callable[[ModelProvider], None] | None = getattr(replies, self.path.stem, None)
        if script is not None:
            script(provider)
        return provider


def folder() -> Path:
    """Return the folder of the programs."""
    packaged = Path(str(files("agenttrace.conformance"))) / "programs"
    # In a checkout they lie with the tests.
    checkout = Path(__file__).parents[2] / "tests" / "conformance" / "programs"
    return packaged if packaged.is_dir() else checkout


def find(only: Iterable[str] = ()) -> list[Scenario]:
    """Return the scenarios whose names match one of the globs in *only*, else all, by name.

    Raises:
        ConfigError: A glob matches none.
    """
    found = [read(path) for path in sorted(folder().glob("*/*.py")) if path.stem != "replies"]
    globs = tuple(only)
    for glob in globs:
        if not any(fnmatch(scenario.name, glob) for scenario in found):
            raise ConfigError(
                f"no scenario is called {glob}. `agenttrace conformance --list` names them all."
            )
    wanted = globs or ("*",)
    return [one for one in found if any(fnmatch(one.name, glob) for glob in wanted)]


def read(path: Path) -> Scenario:
    """Read what a program says about itself; it is not run."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = ast.get_docstring(tree) or ""
    reasons = {
        match["measure"]: match["reason"]
        for line in said.splitlines()
        if (match := _REASON.fullmatch(line))
    }
    return Scenario(
        name=f"{path.parent.name}/{path.stem}",
        path=path,
        claim=said.partition("\n")[0],
        reasons=reasons,
        needs=tuple(sorted(set(_imported(tree)) - sys.stdlib_module_names - {"agenttrace"})),
    )


def _imported(tree: ast.Module) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (_needed(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (_needed(f"{node.module}.{alias.name}") for alias in node.names)


def _needed(module: str) -> str:
    """Return the part of a module's name that says which package has to be installed."""
    parts = module.split(".")
    return ".".join(parts[: _SHARED.get(parts[0], 1)])


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # its parent
        return False


@functools.cache
def _replies(group: Path) -> ModuleType | None:
    path = group / "replies.py"
    if not path.is_file():
        return None
    spec = importlib.util.spec_from_file_location(f"{__name__}.{group.name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
