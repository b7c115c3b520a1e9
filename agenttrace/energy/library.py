"""Read the data of the installed EcoLogits: its model catalogue and its electricity mixes.

The files are read, not imported: importing the package loads pydantic and builds 350 models (about
150 ms), and its loader drops the sources of every entry, which the files have.

Source: EcoLogits <https://ecologits.ai>, MPL-2.0.
"""

import importlib.util
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from agenttrace.errors import FactorError
from agenttrace.model import Range

MODELS = "models.json"
MIXES = "electricity_mixes.json"
FILES = (MODELS, MIXES)

_NOT_RELEASED = "model-arch-not-released"


class _Span(msgspec.Struct, frozen=True):
    """A range of parameters, or the two counts of a mixture of experts; all in 1e9."""

    min: float = math.nan
    max: float = math.nan
    total: "float | _Span | None" = None
    active: "float | _Span | None" = None


class _Architecture(msgspec.Struct, frozen=True):
    type: Literal["dense", "moe"]
    parameters: float | _Span


class _Deployment(msgspec.Struct, frozen=True):
    tps: float | None = None
    ttft: float | None = None


class Entry(msgspec.Struct, frozen=True):
    """A model of the catalogue.

    Attributes:
        provider: The catalogue's name of the provider.
        name: The catalogue's name of the model.
        architecture: Dense or mixture of experts, with its parameters.
        warnings: Codes of what is uncertain about it.
        sources: Addresses that the catalogue gives for it.
        deployment: How fast it is served: output tokens per second (``tps``), and seconds until the
            first (``ttft``).
    """

    provider: str
    name: str
    architecture: _Architecture
    warnings: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None
    deployment: _Deployment | None = None

    @property
    def dense(self) -> bool:
        """Whether every parameter is active for every token."""
        return self.architecture.type == "dense"

    @property
    def published(self) -> bool:
        """Whether the maker published the parameters; if not, they are EcoLogits' assumption."""
        return _NOT_RELEASED not in (self.warnings or ())

    @property
    def active_parameters_b(self) -> Range:
        """Active parameters in 1e9; the geometric mean is central in a range."""
        return _range(self._count("active"))

    @property
    def total_parameters_b(self) -> Range:
        """Total parameters in 1e9."""
        return _range(self._count("total"))

    def _count(self, kind: Literal["active", "total"]) -> float | _Span:
        parameters = self.architecture.parameters
        if isinstance(parameters, _Span):
            return getattr(parameters, kind) or parameters
        return parameters


class _Alias(msgspec.Struct, frozen=True):
    name: str
    alias: str


class _Models(msgspec.Struct, frozen=True):
    models: list[Entry]
    aliases: list[_Alias] = []


class Mix(msgspec.Struct, frozen=True):
    """The annual electricity of a zone.

    Attributes:
        name: ISO 3166-1 alpha-3 code; ``WOR`` is the world and ``EEE`` Europe.
        gwp: Carbon intensity, kgCO2e/kWh.
        adpe: Depletion of minerals and metals, kgSbeq/kWh.
        pe: Primary energy, MJ/kWh.
        wue: Water consumed in generation, l/kWh.
        warnings: Codes of the figures that are the world's, because the zone has none.
    """

    name: str
    gwp: float
    adpe: float | None = None
    pe: float | None = None
    wue: float | None = None
    warnings: list[str] | None = None


class _Mixes(msgspec.Struct, frozen=True):
    electricity_mixes: list[Mix]


@dataclass(frozen=True, slots=True)
class Library:
    """What EcoLogits knows of models and of grids, as its files say it.

    Attributes:
        models_json: Its model catalogue.
        mixes_json: Its electricity mixes.
    """

    models_json: bytes
    mixes_json: bytes

    @property
    def models(self) -> Mapping[str, Entry]:
        """The catalogue by lower-case name.

        Aliases are in it, and names of the form ``organisation/model`` also without the
        organisation. No two providers share a name in it for different parameters.

        Raises:
            FactorError: The catalogue has another shape.
        """
        return _models(self.models_json)

    @property
    def mixes(self) -> Mapping[str, Mix]:
        """Electricity by ISO 3166-1 alpha-3 code.

        A zone with an intensity of zero is left out: no grid has one, so it is a gap in the data.

        Raises:
            FactorError: The mixes have another shape.
        """
        return _mixes(self.mixes_json)


def installed() -> Library:
    """Return the data of the installed package.

    Raises:
        FactorError: EcoLogits is not installed, or lacks a file.
    """
    return Library(read(MODELS), read(MIXES))


@cache
def read(name: str) -> bytes:
    """Read one data file of the installed package.

    Raises:
        FactorError: EcoLogits is not installed, or has no such file.
    """
    found = importlib.util.find_spec("ecologits")
    if found is None or found.origin is None:
        raise FactorError("ecologits is not installed. Install it with: pip install ecologits")
    path = Path(found.origin).parent / "data" / name
    try:
        # A line break at the end says nothing, and does not survive being kept in another file.
        return path.read_bytes().strip()
    except OSError as error:
        raise FactorError(
            f"the installed ecologits has no data/{name}. Install a version that has it: "
            f"pip install 'ecologits>=0.11,<0.12'"
        ) from error


# Kept by the bytes they were read from: the bytes remember their own hash.
@cache
def _models(data: bytes) -> Mapping[str, Entry]:
    catalogue = _decode(MODELS, data, _Models)
    found = {entry.name.lower(): entry for entry in catalogue.models}
    for entry in catalogue.models:
        found.setdefault(entry.name.lower().rpartition("/")[2], entry)
    for alias in catalogue.aliases:
        if target := found.get(alias.alias.lower()):
            found.setdefault(alias.name.lower(), target)
    return found


@cache
def _mixes(data: bytes) -> Mapping[str, Mix]:
    return {mix.name: mix for mix in _decode(MIXES, data, _Mixes).electricity_mixes if mix.gwp > 0}


_Data = TypeVar("_Data")


def _decode(name: str, data: bytes, type_: type[_Data]) -> _Data:
    try:
        return msgspec.json.decode(data, type=type_)
    except msgspec.DecodeError as error:
        raise FactorError(
            f"the installed ecologits has an unexpected data/{name}: {error}. "
            f"Install a version that is understood: pip install 'ecologits>=0.11,<0.12'"
        ) from error


def _range(count: float | _Span) -> Range:
    if isinstance(count, _Span):
        return Range(count.min, math.sqrt(count.min * count.max), count.max)
    return Range(count, count, count)
