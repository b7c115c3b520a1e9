"""Put layers of factor files together: a layer says nothing twice, and a later one replaces."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import msgspec

from agenttrace.energy.factor_file import FactorFile
from agenttrace.energy.records import (
    Change,
    Factor,
    Family,
    Model,
    Records,
    Source,
    quantity,
)
from agenttrace.errors import FactorError

Layer: TypeAlias = Sequence[FactorFile]

_Keyed: TypeAlias = Iterable[tuple[str, int, Any]]

# What each table's records are known by: key, number of the table in its file, and record.
_KEYED: Final[Mapping[str, Callable[[Records], _Keyed]]] = {
    "factor": lambda said: ((one.id, i, one) for i, one in enumerate(said.factor)),
    "class": lambda said: ((one.name, i, one) for i, one in enumerate(said.classes)),
    "pattern": lambda said: ((one.matches, i, one) for i, one in enumerate(said.pattern)),
    "provider": lambda said: ((one.name, i, one) for i, one in enumerate(said.provider)),
    "family": lambda said: (
        (_spelt(name), i, model)
        for i, family in enumerate(said.family)
        for model in family.models
        for name in model.names
    ),
    "deployment": lambda said: ((_spelt(name), 0, to) for name, to in said.deployment.items()),
}


@dataclass(frozen=True, slots=True)
class Merged:
    """Layers put together.

    Attributes:
        records: What holds in the end; nothing is said twice.
        changes: What the layers above the first one added and replaced, in their order.
    """

    records: Records
    changes: tuple[Change, ...]


def merged(layers: Sequence[Layer]) -> Merged:
    """Put layers together; the last one wins.

    Factors, classes, patterns and providers are replaced whole, by id, name or expression; models
    and deployments by each of their names. The patterns of later layers are tried first.

    Raises:
        FactorError: A layer says something twice, or gives the key of a source that a layer below
            has to another one: what is cited there would have another source.
    """
    changes: list[Change] = []
    winners = _last("family", layers, changes)
    return Merged(
        Records(
            source=_sources(layers),
            factor=tuple(map(_bounded, _last("factor", layers, changes).values())),
            classes=tuple(_last("class", layers, changes).values()),
            pattern=tuple(_last("pattern", layers, changes, later_first=True).values()),
            family=tuple(_families(layers, winners)),
            provider=tuple(_last("provider", layers, changes).values()),
            deployment=_last("deployment", layers, changes),
        ),
        tuple(changes),
    )


def _last(
    table: str, layers: Sequence[Layer], changes: list[Change], *, later_first: bool = False
) -> dict[str, Any]:
    """Return the records of a table by key, and note what the layers above the first one change."""
    found: dict[str, Any] = {}
    for number, layer in enumerate(layers):
        own = _own(table, layer)
        if number:
            changes += _changes(table, own, found)
        records = {key: record for key, (_, record) in own.items()}
        found = {**records, **found, **records} if later_first else {**found, **records}
    return found


def _bounded(factor: Factor) -> Factor:
    """Let the draws of *factor* end where nothing of its kind can be."""
    kind = quantity(factor.id)
    if kind is None:
        return factor
    least, most = max(factor.least, kind.least), min(factor.most, kind.most)
    return msgspec.structs.replace(factor, least=least, most=most)


def _own(table: str, layer: Layer) -> dict[str, tuple[FactorFile, Any]]:
    seen: dict[str, tuple[FactorFile, int, Any]] = {}
    for file in layer:
        for key, index, record in _KEYED[table](file.records):
            if key in seen:
                first, number, _ = seen[key]
                named = "model" if table == "family" else table
                raise FactorError(
                    f"{file.where(table, index)}: {named} {key!r} is already given in "
                    f"{first.where(table, number)}. Remove one of the two."
                )
            seen[key] = (file, index, record)
    return {key: (file, record) for key, (file, _, record) in seen.items()}


def _changes(
    table: str, own: Mapping[str, tuple[FactorFile, Any]], below: Mapping[str, Any]
) -> Iterator[Change]:
    for key, (file, record) in own.items():
        before = below.get(key)
        if before != record:
            yield Change(
                table="model" if table == "family" else table,
                key=key,
                file=file.label,
                replaces=before is not None,
                before=before if isinstance(before, Factor) else None,
            )


def _families(layers: Sequence[Layer], winners: Mapping[str, Model]) -> Iterator[Family]:
    """Yield the families, each model under the names that no later layer gives to another."""
    for family in (one for layer in layers for file in layer for one in file.records.family):
        models = tuple(_named(family.models, winners))
        if models:
            yield msgspec.structs.replace(family, models=models)


def _named(models: Iterable[Model], winners: Mapping[str, Model]) -> Iterator[Model]:
    for model in models:
        names = tuple(_spelt(name) for name in model.names if winners[_spelt(name)] is model)
        if names:
            yield model if names == model.names else msgspec.structs.replace(model, names=names)


def _sources(layers: Sequence[Layer]) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for layer in layers:
        own: dict[str, tuple[FactorFile, Source]] = {}
        for file in layer:
            for key, source in file.records.source.items():
                where = file.where(f"source.{key}")
                if key in own:
                    raise FactorError(
                        f"{where}: source {key!r} is already given in "
                        f"{own[key][0].where(f'source.{key}')}. Remove one of the two."
                    )
                if found.get(key, source) != source:
                    raise FactorError(
                        f"{where}: there is another source {key!r}, {found[key].title!r}, and "
                        f"factors cite it. Give yours another key."
                    )
                own[key] = (file, source)
        found.update({key: source for key, (_, source) in own.items()})
    return found


def _spelt(name: str) -> str:
    """Spell a name as catalogues compare it."""
    return name.strip().lower()
