"""The factors that a report is priced with: ours, and what others put over them.

Ours come first. Over them lie the files of installed packages, of the folder of the data, of
``AGENTTRACE_FACTORS`` and of the command, in this order: what a later one gives again replaces.
"""

import importlib.util
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Final

from agenttrace import config, installed
from agenttrace.energy import archive
from agenttrace.energy.factors import Factors, Layer, layered, shipped, shipped_layer
from agenttrace.energy.pricing import Pricing
from agenttrace.errors import FactorError

ENTRY_POINT_GROUP: Final = "agenttrace.factors"
"""An installed package brings factors by naming, in this group, the package with its TOML files."""

HOME_FILE: Final = "factors.toml"
"""Name of the user's own file in the folder of the data."""


def chosen(pricing: Pricing, home: Path | None) -> Factors:
    """Return the factors that *pricing* asks for.

    Args:
        pricing: Files of the user, or the version of a set that was kept.
        home: Folder of the data, with the user's ``factors.toml`` and the sets that were kept;
            None to do without.

    Raises:
        ConfigError: A setting in the environment is none.
        FactorError: A file is not as it must be, there is no such version, or both were asked for.
    """
    if pricing.factors_version is not None:
        if pricing.factors:
            raise FactorError(
                "--factors changes factors and --factors-version keeps them as they were. "
                "Give one of the two."
            )
        return archive.restore(pricing.factors_version, home)
    return over_ours(*layers(pricing.factors, home))


def over_ours(*layers: Layer) -> Factors:
    """Return our factors with *layers* over them; errors as in :func:`chosen`."""
    return layered(shipped_layer(), *layers) if layers else shipped()


def layers(files: Sequence[Path], home: Path | None) -> list[Layer]:
    """Return what lies over our factors, *files* last.

    Raises:
        ConfigError: A setting in the environment is none.
        FactorError: A package that brings factors cannot be found, or has none.
    """
    found: list[Layer] = []
    # What packages bring is one layer: no order among them would be more right than another.
    if brought := tuple(_brought()):
        found.append(Layer(brought, "an installed package"))
    if home is not None and (home / HOME_FILE).exists():
        found.append(Layer((home / HOME_FILE,)))
    found += [Layer((path,), config.FACTORS_VARIABLE) for path in config.load(home).factors]
    return found + [Layer((path,)) for path in files]


def _brought() -> Iterator[Path]:
    points = installed.entry_points(ENTRY_POINT_GROUP)
    for point in sorted(points, key=lambda point: point.name):
        found = [path for folder in _folders(point) for path in sorted(folder.glob("*.toml"))]
        if not found:
            raise FactorError(
                f"the factors of {point.name!r} cannot be found: {point.module} is no package "
                f"here that holds TOML files. Reinstall what brings them, or remove it."
            )
        yield from found


def _folders(point: EntryPoint) -> list[Path]:
    """Return the folders of the package that *point* names, without running its code."""
    spec: ModuleSpec | None = None
    for depth, name in enumerate(point.module.split(".")):
        if depth == 0:
            spec = importlib.util.find_spec(name)
        elif spec is not None:
            # The outer package would be imported by importlib.util.
            inside = list(spec.submodule_search_locations or ())
            spec = PathFinder.find_spec(f"{spec.name}.{name}", inside)
    return [Path(folder) for folder in (spec and spec.submodule_search_locations) or ()]
