"""Factors as data: TOML files read whole, checked whole, and versioned by what they say."""

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

import msgspec

from agenttrace.energy import library
from agenttrace.errors import FactorError
from agenttrace.model import Range

Mark: TypeAlias = Literal["read", "excerpt", "second-hand", "derived", "assumption"]
Boundary: TypeAlias = Literal["accelerator", "facility", "model"]

UNKNOWN = "unknown"
"""The class of a model that nothing is known about: it spans every class that decodes."""

_DATA = Path(__file__).parent / "data"

# A factor's id is one of these constants, or OWNER.PART with the owner a class or a model.
_CONSTANTS = {
    "prefill_j_per_b_token": "J/(1e9 parameter * token)",
    "attention_parity_tokens": "token",
    "cache_hit_share": "1",
    "cache_read_j_per_byte": "J/byte",
    "facility_multiplier": "1",
}
_PARTS = {
    "active_parameters_b": "1e9 parameter",
    "decode_j_per_token": "J/token",
    "cache_bytes_per_token": "byte/token",
}


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A publication, a data set or a piece of software that figures were taken from.

    Attributes:
        by: Authors, or who publishes it.
        title: Its title.
        year: Year of publication.
        url: Address or DOI.
        mark: How we know it: ``read``, ``excerpt`` or ``second-hand``.
    """

    by: str
    title: str
    year: int
    url: str
    mark: Literal["read", "excerpt", "second-hand"]


class Citation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place in a source.

    Attributes:
        id: Key of the source.
        locator: Table, section or entry, and what is found there.
    """

    id: str
    locator: str = ""


class Factor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One sourced quantity.

    Attributes:
        id: A constant's name, or the class or model it belongs to and the part it plays.
        name: What it is, in words.
        unit: Unit of low, central and high.
        low: 5 % of what is known.
        central: Median.
        high: 95 %.
        boundary: What the figure covers; ``model`` for a property of the model itself.
        mark: How the figure came from its sources.
        retrieved: When.
        sources: Where from; never empty.
        symbol: Its letter in the formula.
        note: What a reader should know before using it.
        least: Draws end here below, where the quantity cannot be smaller.
        most: Draws end here above.
    """

    id: str
    name: str
    unit: str
    low: float
    central: float
    high: float
    boundary: Boundary
    mark: Mark
    retrieved: date
    sources: tuple[Citation, ...]
    symbol: str = ""
    note: str = ""
    least: float = 0.0
    most: float = math.inf

    @property
    def range(self) -> Range:
        """Low, central and high."""
        return Range(self.low, self.central, self.high)


class ModelClass(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A size class of models.

    Attributes:
        name: Its name.
        holds: What is in it, in words.
        decodes: False where nothing is generated: embeddings, rerankers.
        dense_up_to_b: Dense models up to this many parameters (1e9) belong here or below.
        moe_up_to_b: Mixtures of experts up to this many total parameters (1e9).
    """

    name: str
    holds: str
    decodes: bool = True
    dense_up_to_b: float = math.inf
    moe_up_to_b: float = math.inf


class Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A regular expression over normalised model names, and the class it means."""

    matches: str
    class_name: str = msgspec.field(name="class")


class PublishedModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names of a model whose parameters are published, and the factor that has them."""

    names: tuple[str, ...]
    factor: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: dict[str, Source] = {}
    factor: tuple[Factor, ...] = ()
    classes: tuple[ModelClass, ...] = msgspec.field(name="class", default=())
    pattern: tuple[Pattern, ...] = ()
    model: tuple[PublishedModel, ...] = ()


@dataclass(frozen=True, slots=True)
class Parts:
    """What the formula needs to know of a model; None where it generates nothing."""

    active_parameters_b: Factor
    decode_j_per_token: Factor | None
    cache_bytes_per_token: Factor | None


@dataclass(frozen=True, slots=True)
class Factors:
    """A checked set of factors.

    Attributes:
        version: Short hash over everything below and the library's data.
        sources: Sources by key.
        factors: Factors by id.
        classes: Classes by name, smallest first.
        patterns: Name patterns in the order in which they are tried.
        models: Factor id of the active parameters, by model name.
    """

    version: str
    sources: Mapping[str, Source]
    factors: Mapping[str, Factor]
    classes: Mapping[str, ModelClass]
    patterns: tuple[tuple[re.Pattern[str], str], ...]
    models: Mapping[str, str]

    def constants(self) -> Iterator[Factor]:
        """Yield the constants that all models share, in the formula's order."""
        return (self.factors[name] for name in _CONSTANTS)

    def parts(self, class_name: str) -> Parts:
        """Return the parts of a class; those of ``unknown`` span every class that decodes."""
        if class_name == UNKNOWN:
            return self.spanning(UNKNOWN, [c.name for c in self.classes.values() if c.decodes])
        return Parts(
            self.factors[f"{class_name}.active_parameters_b"],
            self.factors.get(f"{class_name}.decode_j_per_token"),
            self.factors.get(f"{class_name}.cache_bytes_per_token"),
        )

    def spanning(self, owner: str, class_names: Sequence[str]) -> Parts:
        """Return parts wide enough for any of several classes.

        Low is the lowest low, high the highest high, central the geometric mean of the centrals.
        """
        return Parts(
            *(
                _spanning(f"{owner}.{part}", [self.factors[f"{n}.{part}"] for n in class_names])
                for part in _PARTS
            )
        )


@cache
def shipped() -> Factors:
    """Return the factors that come with agenttrace, read once per process."""
    return load(*sorted(_DATA.glob("*.toml")))


def load(*paths: Path) -> Factors:
    """Read factor files as one set.

    Args:
        paths: TOML files with ``source``, ``factor``, ``class``, ``pattern`` and ``model`` tables.
            They may cite one another.

    Raises:
        FactorError: A file cannot be read, or a record is incomplete, contradicts itself, is given
            twice, or cites a source that is not there. Nothing is half-loaded.
    """
    files = {path.name: _read(path) for path in paths}
    sources = dict(
        _unique("source", ((n, k, s) for n, f in files.items() for k, s in f.source.items()))
    )
    factors = dict(_unique("factor", ((n, x.id, x) for n, f in files.items() for x in f.factor)))
    classes = dict(_unique("class", ((n, c.name, c) for n, f in files.items() for c in f.classes)))
    for name, file in files.items():
        for factor in file.factor:
            _check(name, factor, sources)
    _check_complete(factors, classes)
    return Factors(
        version=_version(files.values()),
        sources=sources,
        factors=factors,
        classes=classes,
        patterns=tuple(_patterns(files, classes)),
        models=dict(_models(files, factors)),
    )


def _read(path: Path) -> _File:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise FactorError(f"{path} cannot be read: {error.strerror}.") from error
    except msgspec.DecodeError as error:
        raise FactorError(f"{path.name}: {error}. agenttrace/energy/data has examples.") from error


_Record = TypeVar("_Record")


def _unique(
    kind: str, records: Iterable[tuple[str, str, _Record]]
) -> Iterator[tuple[str, _Record]]:
    seen: dict[str, str] = {}
    for file, key, record in records:
        if key in seen:
            raise FactorError(
                f"{file}: {kind} {key!r} is already given in {seen[key]}. Remove one of the two."
            )
        seen[key] = file
        yield key, record


def _check(file: str, factor: Factor, sources: Mapping[str, Source]) -> None:
    owner, _, part = factor.id.rpartition(".")
    unit = _PARTS.get(part) if owner else _CONSTANTS.get(part)
    if unit is None:
        known = ", ".join([*_CONSTANTS, *(f"NAME.{part}" for part in _PARTS)])
        raise FactorError(f"{file}: factor {factor.id!r} is not used. Known ids: {known}.")
    if factor.unit != unit:
        raise FactorError(
            f"{file}: factor {factor.id!r} has unit {factor.unit!r}; give it in {unit!r}."
        )
    if not 0 < factor.low <= factor.central <= factor.high < math.inf:
        raise FactorError(
            f"{file}: factor {factor.id!r} needs 0 < low <= central <= high, "
            f"and has {factor.low:g}, {factor.central:g}, {factor.high:g}."
        )
    if not factor.least <= factor.low or not factor.high <= factor.most:
        raise FactorError(
            f"{file}: factor {factor.id!r} ends at {factor.least:g} and {factor.most:g}, "
            f"and its range does not lie within."
        )
    if not factor.sources:
        raise FactorError(f"{file}: factor {factor.id!r} has no source. Add one to its sources.")
    for citation in factor.sources:
        if citation.id not in sources:
            raise FactorError(
                f"{file}: factor {factor.id!r} cites source {citation.id!r}, which is not given. "
                f"Add a [source.{citation.id}] table."
            )


def _check_complete(factors: Mapping[str, Factor], classes: Mapping[str, ModelClass]) -> None:
    needed = list(_CONSTANTS)
    for entry in classes.values():
        parts = list(_PARTS) if entry.decodes else ["active_parameters_b"]
        needed += [f"{entry.name}.{part}" for part in parts]
    if missing := [id_ for id_ in needed if id_ not in factors]:
        raise FactorError(f"factors are missing: {', '.join(missing)}. Add a [[factor]] for each.")
    if not any(entry.decodes for entry in classes.values()):
        raise FactorError("no class decodes, so an unknown model has no range. Add a [[class]].")


def _patterns(
    files: Mapping[str, _File], classes: Mapping[str, ModelClass]
) -> Iterator[tuple[re.Pattern[str], str]]:
    for name, file in files.items():
        for pattern in file.pattern:
            if pattern.class_name not in classes:
                raise FactorError(
                    f"{name}: pattern {pattern.matches!r} names class {pattern.class_name!r}. "
                    f"Classes: {', '.join(classes)}."
                )
            try:
                yield re.compile(pattern.matches), pattern.class_name
            except re.error as error:
                raise FactorError(
                    f"{name}: pattern {pattern.matches!r} is no regular expression: {error}."
                ) from error


def _models(files: Mapping[str, _File], factors: Mapping[str, Factor]) -> Iterator[tuple[str, str]]:
    named = ((n, name, m) for n, f in files.items() for m in f.model for name in m.names)
    for name, model in _unique("model", named):
        if model.factor not in factors:
            raise FactorError(f"model {name!r} names factor {model.factor!r}, which is not given.")
        yield name, model.factor


def _version(files: Iterable[_File]) -> str:
    # Over what the files say, so that a comment or a line break changes nothing; over the library's
    # bytes as well, because its parameters and mixes are part of every estimate.
    digest = hashlib.sha256(msgspec.json.encode(list(files), order="deterministic"))
    for name in library.FILES:
        digest.update(library.read(name))
    return digest.hexdigest()[:12]


def _spanning(id_: str, factors: Sequence[Factor]) -> Factor:
    citations = dict.fromkeys(
        Citation(citation.id, factor.id) for factor in factors for citation in factor.sources
    )
    first = factors[0]
    return Factor(
        id=id_,
        name=f"anything from {first.id} to {factors[-1].id}",
        unit=first.unit,
        low=min(factor.low for factor in factors),
        central=math.prod(factor.central for factor in factors) ** (1 / len(factors)),
        high=max(factor.high for factor in factors),
        boundary=first.boundary,
        mark="derived",
        retrieved=max(factor.retrieved for factor in factors),
        sources=tuple(citations),
        symbol=first.symbol,
        note="Lowest low, geometric mean of the centrals, highest high.",
    )
