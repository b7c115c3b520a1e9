"""Factors as data: TOML files read whole, checked whole, and versioned by what they say."""

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path

import msgspec

from agenttrace.energy import checks, factor_file, library
from agenttrace.energy.checks import UNKNOWN
from agenttrace.energy.factor_file import FactorFile
from agenttrace.energy.library import Library
from agenttrace.energy.merging import merged
from agenttrace.energy.records import (
    CONSTANTS,
    Boundary,
    Change,
    Citation,
    Factor,
    Family,
    Mark,
    Model,
    ModelClass,
    Pattern,
    Provider,
    Records,
    Source,
)

__all__ = [
    "UNKNOWN",
    "Boundary",
    "Change",
    "Citation",
    "Data",
    "Factor",
    "Factors",
    "Family",
    "Layer",
    "Mark",
    "Model",
    "ModelClass",
    "Parts",
    "Pattern",
    "Provider",
    "Source",
    "assembled",
    "layered",
    "load",
    "shipped",
    "shipped_layer",
    "spanning",
]

_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Parts:
    """What the formula needs to know of a model; None where it generates nothing."""

    active_parameters_b: Factor
    decode_j_per_token: Factor | None
    cache_bytes_per_token: Factor | None


@dataclass(frozen=True, slots=True)
class Layer:
    """Files that belong together: nothing is given twice in them.

    Attributes:
        paths: TOML files, which may cite one another and the layers below.
        named_by: What named them, for errors.
    """

    paths: tuple[Path, ...]
    named_by: str = ""


@dataclass(frozen=True, slots=True)
class Data:
    """What estimates rest on besides factors.

    Attributes:
        library: EcoLogits' models and electricity mixes.
        places: Text of our tables of zones, countries and cloud regions, by file name.
    """

    library: Library
    places: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Factors:
    """A checked set of factors.

    Attributes:
        version: Short hash over all that an estimate rests on: everything below but the changes,
            and the way of drawing.
        sources: Sources by key.
        factors: Factors by id.
        classes: Classes by name, smallest first.
        patterns: Name patterns in the order in which they are tried.
        fallbacks: The same, tried where nothing else knows the model.
        families: Models whose parameters are known, with their family, by lower-case name.
        providers: Who serves models, by name.
        deployments: Model by the lower-case name that a user gave it.
        library: EcoLogits' models and electricity mixes.
        places: Text of our tables of zones, countries and cloud regions, by file name.
        changes: What others than agenttrace added and replaced.
        records: All of it as files say it.
    """

    version: str
    sources: Mapping[str, Source]
    factors: Mapping[str, Factor]
    classes: Mapping[str, ModelClass]
    patterns: tuple[tuple[re.Pattern[str], str], ...]
    fallbacks: tuple[tuple[re.Pattern[str], str], ...]
    families: Mapping[str, tuple[Family, Model]]
    providers: Mapping[str, Provider]
    deployments: Mapping[str, str]
    library: Library
    places: Mapping[str, str]
    changes: tuple[Change, ...] = field(compare=False)
    records: Records

    def constants(self) -> Iterator[Factor]:
        """Yield the constants that all models share, in the formula's order."""
        return (self.factors[name] for name, one in CONSTANTS.items() if one.is_required)

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
                spanning(f"{owner}.{part}", [self.factors[f"{n}.{part}"] for n in class_names])
                for part in (one.name for one in fields(Parts))
            )
        )


@cache
def shipped() -> Factors:
    """Return the factors that come with agenttrace, read once per process."""
    return layered(shipped_layer())


def shipped_layer() -> Layer:
    """Return the files that come with agenttrace."""
    return Layer(tuple(sorted(_DATA.glob("*.toml"))))


def load(*paths: Path) -> Factors:
    """Read factor files as one set, of one layer; errors as in :func:`layered`."""
    return layered(Layer(paths))


def layered(*layers: Layer) -> Factors:
    """Read layers of factor files as one set: what a later layer gives again is replaced.

    Args:
        layers: Files with ``source``, ``factor``, ``class``, ``pattern``, ``family``,
            ``provider`` and ``deployment`` tables; the shipped ones first.

    Raises:
        FactorError: A file cannot be read, or a record is incomplete, contradicts itself, is given
            twice in a layer, or cites a source that is not there. Nothing is half-loaded.
    """
    read = [[factor_file.read(path, one.named_by) for path in one.paths] for one in layers]
    whole = merged(read)
    files = [file for layer in read for file in layer]
    for file in files:
        checks.check_file(file, whole.records)
    checks.check_whole(files, whole.records)
    return _made(whole.records, Data(library.installed(), _places()), whole.changes)


def assembled(records: Records, data: Data, changes: tuple[Change, ...], label: str) -> Factors:
    """Check records that were put together before, and make a set of them.

    Args:
        records: What holds; nothing is said twice.
        data: What goes with them.
        changes: What others than agenttrace had added and replaced.
        label: What to call them in errors, which are those of :func:`layered`.
    """
    file = FactorFile(label, "", records)
    whole = merged([[file]])
    checks.check_file(file, whole.records)
    checks.check_whole([file], whole.records)
    return _made(whole.records, data, changes)


@cache
def _places() -> Mapping[str, str]:
    folder = _DATA / "places"
    return {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.toml"))}


def _made(records: Records, data: Data, changes: tuple[Change, ...]) -> Factors:
    return Factors(
        version=_version(records, data),
        sources=records.source,
        factors={factor.id: factor for factor in records.factor},
        classes={entry.name: entry for entry in records.classes},
        patterns=tuple(_compiled(one for one in records.pattern if not one.fallback)),
        fallbacks=tuple(_compiled(one for one in records.pattern if one.fallback)),
        families={
            name: (family, model)
            for family in records.family
            for model in family.models
            for name in model.names
        },
        providers={provider.name: provider for provider in records.provider},
        deployments=records.deployment,
        library=data.library,
        places=data.places,
        changes=changes,
        records=records,
    )


def _compiled(patterns: Iterable[Pattern]) -> Iterator[tuple[re.Pattern[str], str]]:
    return ((re.compile(one.matches), one.class_name) for one in patterns)


def _version(records: Records, data: Data) -> str:
    # The draws rest on the factors, so their module cannot be named at the top.
    from agenttrace.energy.draws import DRAWS, SCHEME

    # Over what holds in the end, so that a comment, the order of records where it means nothing,
    # or the file that a record is in change nothing.
    said = msgspec.structs.replace(
        records,
        factor=tuple(sorted(records.factor, key=lambda factor: factor.id)),
        family=tuple(sorted(records.family, key=lambda family: family.models[0].names[0])),
        provider=tuple(sorted(records.provider, key=lambda provider: provider.name)),
    )
    digest = hashlib.sha256(msgspec.json.encode(said, order="deterministic"))
    digest.update(data.library.models_json)
    digest.update(data.library.mixes_json)
    digest.update(msgspec.json.encode(data.places, order="deterministic"))
    digest.update(f"{SCHEME} {DRAWS}".encode())
    return digest.hexdigest()[:12]


def spanning(id_: str, factors: Sequence[Factor]) -> Factor:
    """Return a factor wide enough for any of several.

    Args:
        id_: Its id.
        factors: At least one; all of the same unit and boundary.

    Returns:
        The lowest low, the geometric mean of the centrals, the highest high. It cites each of
        *factors* for the source that the figure is from.
    """
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
