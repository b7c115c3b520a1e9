"""From the name of a model to its class, its parameters, and the reason for both."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Final

from agenttrace.energy import names
from agenttrace.energy.checks import spread
from agenttrace.energy.factors import UNKNOWN, Citation, Factor, Factors, Parts
from agenttrace.energy.library import Entry, Library
from agenttrace.energy.names import Name, canonical, spellings
from agenttrace.energy.records import Family, Mark, Model, Span
from agenttrace.model import Range

__all__ = [
    "Match",
    "as_family",
    "canonical",
    "entry",
    "figures",
    "match",
    "mending",
    "of_class",
    "spellings",
]

_RETRIEVED: Final = date(
    2026, 11, 23
)  # when the fields of the EcoLogits catalogue were last checked
_EXAMPLE: Final = "claude-sonnet-4-5"


@dataclass(frozen=True, slots=True)
class Match:
    """What is known about a model by its name.

    Attributes:
        key: The canonical name; spellings of one model share it.
        class_name: Its size class; ``unknown`` where nothing matches.
        reason: Why, in a sentence.
        parts: What the formula needs.
        provider: Who makes it; empty if unknown.
        family: Which of the maker's families it is of; empty if unknown.
        total_parameters_b: All its parameters; None where nobody says them.
    """

    key: str
    class_name: str
    reason: str
    parts: Parts
    provider: str = ""
    family: str = ""
    total_parameters_b: Factor | None = None

    @property
    def known(self) -> bool:
        """Whether a catalogue entry, a size in the name or a pattern matched."""
        return self.class_name != UNKNOWN


@dataclass(frozen=True, slots=True)
class _Size:
    """What is known of a model's parameters, and from whom.

    Attributes:
        active: Active parameters.
        total: All parameters; None where they are not known.
        cache: Key/value cache; None where it is not known.
        dense: Whether all parameters are active.
        assumed: Whether the figures are a guess about a closed model.
        origin: Who says so, in words.
        class_name: The class that goes with it, where size does not say it.
        provider: Who makes it, where the catalogue says so.
        family: Name of its family there.
        key: Its own name there, if what was looked for is another name of it.
    """

    active: Factor
    total: Factor | None
    cache: Factor | None
    dense: bool
    assumed: bool
    origin: str
    class_name: str = ""
    provider: str = ""
    family: str = ""
    key: str = ""


def match(model: str | None, factors: Factors) -> Match:
    """Find class and parameters of *model*.

    What the user calls a deployment is looked up first. Then the name is looked for among the
    user's models, in EcoLogits' catalogue, and among ours, the most literal spelling first; a name
    that none of them has may say its size. A published size decides the class. For a closed model
    a pattern over the name does, or else the size that EcoLogits assumes. A name of which nothing
    is known gets a range over every class.

    Args:
        model: The name as a trace has it, or None where it has none.
        factors: Where classes, patterns, models and deployments come from.
    """
    name = names.parsed(model or "")
    if target := _deployed(name, factors):
        found = _match(names.parsed(target), factors)
        return replace(found, reason=f"deployment of {target}; {found.reason}")
    return _match(name, factors)


def of_class(class_name: str, factors: Factors) -> Match:
    """Return a model of which only the class is given."""
    return Match(
        f"class:{class_name}", class_name, f"class {class_name}: given", factors.parts(class_name)
    )


def mending(model: str | None) -> str:
    """Return the line of TOML that tells what an unknown model is, for the user's factor file.

    It belongs above all tables of the file. The model on its right is an example, to be replaced.
    """
    name = (model or "").strip().lower().replace("\\", "\\\\").replace('"', '\\"')
    name = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in name)
    return f'deployment."{name}" = "{_EXAMPLE}"'


def entry(model: str | None, factors: Factors) -> Entry | None:
    """Return the entry of EcoLogits' catalogue for *model* in any spelling; None if it has none."""
    name = names.parsed(model or "")
    if target := _deployed(name, factors):
        name = names.parsed(target)
    found = (_looked_up(spelt, factors.library) for spelt in spellings(name.literal))
    return next((one for one in found if one), None)


def figures(family: Family, model: Model) -> tuple[Factor, ...]:
    """Return the figures of one model of a family as factors: active, total, and its cache."""
    size = _of_family(family, model)
    return tuple(factor for factor in (size.active, size.total, size.cache) if factor)


def as_family(name: str, entry: Entry) -> Family:
    """Return an entry of EcoLogits' catalogue, known there by *name*, as a factor file has it."""
    mark, cited = _provenance(entry)
    return Family(
        name=name,
        provider=entry.provider,
        mark=mark,
        retrieved=_RETRIEVED,
        sources=cited,
        models=(
            Model(
                names=tuple(dict.fromkeys((name, entry.name))),
                active_b=_span(entry.active_parameters_b),
                total_b=None if entry.dense else _span(entry.total_parameters_b),
            ),
        ),
    )


def _deployed(name: Name, factors: Factors) -> str | None:
    """Return the model that the user's own name stands for; the whole name goes before its end."""
    given = factors.deployments
    return next((given[spelt] for spelt in (name.literal, name.tail) if spelt in given), None)


def _match(name: Name, factors: Factors) -> Match:
    size = _size(name, factors)
    class_name, reason = _class(name, size, factors)
    provider, family = names.maker(name.key)
    parts = factors.parts(class_name)
    if size is None:
        return Match(name.key, class_name, reason, parts, provider, family)
    reason += f"; {_said(size.active)} B active, {size.origin}"
    parts, why = _decoding(name.key, class_name, size, factors)
    parts = replace(parts, active_parameters_b=size.active)
    if size.cache and parts.cache_bytes_per_token:
        parts = replace(parts, cache_bytes_per_token=size.cache)
    return Match(
        key=size.key or name.key,
        class_name=class_name,
        reason=reason + why,
        parts=parts,
        provider=size.provider or provider,
        family=family or size.family,
        total_parameters_b=size.total,
    )


def _decoding(key: str, class_name: str, size: _Size, factors: Factors) -> tuple[Parts, str]:
    """Return the parts of the class, widened where the active parameters are not usual in it."""
    parts = factors.parts(class_name)
    usual, active = parts.active_parameters_b, size.active.central
    is_usual = size.class_name or usual.low <= active <= usual.high
    if is_usual or parts.decode_j_per_token is None:
        return parts, ""
    if size.assumed:
        # The name and an assumed size suggest different classes, and one of them is wrong: neither
        # is the prefill of one to be paired with the decoding of the other.
        other = _class_by_size(size, factors)
        why = f"; that is the size of class {other}, so decoding spans both"
    else:
        other = _below(class_name, active, factors)
        why = f"; so few are usual in class {other}, so decoding spans both"
    if other == class_name:
        return parts, ""
    both = [one for one in factors.classes if one in (class_name, other)]
    return factors.spanning(key, both), why


def _below(class_name: str, active_b: float, factors: Factors) -> str:
    """Return the largest class below, in which so many active parameters are usual; else itself."""
    smaller = [one.name for one in factors.classes.values() if one.decodes]
    for other in reversed(smaller[: smaller.index(class_name)]):
        usual = factors.parts(other).active_parameters_b
        if usual.low <= active_b <= usual.high:
            return other
    return class_name


def _class(name: Name, size: _Size | None, factors: Factors) -> tuple[str, str]:
    if name.opaque:
        why = f"unknown model: the id of this {name.opaque} does not name it, so every class"
        return UNKNOWN, why
    if size and size.class_name:
        return size.class_name, f"class {size.class_name}: that of its family"
    found = _by_pattern(name.key, factors.patterns)
    if found and (size is None or size.assumed or not factors.classes[found[0]].decodes):
        return found
    if size:
        by_size = _class_by_size(size, factors)
        kind = "a dense model" if size.dense else "a mixture of experts"
        of = f" of {_said(size.total)} B" if size.total else ""
        return by_size, f"class {by_size}: {kind}{of}"
    if fallback := _by_pattern(name.key, factors.fallbacks):
        return fallback
    return UNKNOWN, "unknown model: neither the name nor the catalogue says more, so every class"


def _by_pattern(
    key: str, patterns: Sequence[tuple[re.Pattern[str], str]]
) -> tuple[str, str] | None:
    for pattern, class_name in patterns:
        if found := pattern.search(key):
            return (
                class_name,
                f"class {class_name}: assumed from {found.group().strip('-')!r} in the name",
            )
    return None


def _class_by_size(size: _Size, factors: Factors) -> str:
    count = (size.total or size.active).central
    dense = size.dense or size.total is None
    decoding = [one for one in factors.classes.values() if one.decodes]
    limits = ((one.dense_up_to_b if dense else one.moe_up_to_b, one) for one in decoding)
    return next((one for limit, one in limits if count <= limit), decoding[-1]).name


def _size(name: Name, factors: Factors) -> _Size | None:
    if name.opaque:
        return None
    # A user spells a model as it comes, and it is meant in every spelling.
    theirs = [change.key for change in factors.changes if change.table == "model"]
    spelt_by_user = {canonical(one): one for one in theirs} | {one: one for one in theirs}
    for spelt in spellings(name.literal):
        own = factors.families.get(spelt_by_user.get(spelt, spelt))
        if own and spelt in spelt_by_user:
            return _of_family(*own)
        if found := _looked_up(spelt, factors.library):
            # It does not have the cache; our own data may.
            same = factors.families.get(name.key)
            size = _of_entry(found)
            return (
                replace(size, cache=_of_family(*same).cache, key=same[1].names[0]) if same else size
            )
        if own:
            return _of_family(*own)
    return _of_name(name)


def _looked_up(spelt: str, library: Library) -> Entry | None:
    if found := library.models.get(spelt):
        return found
    return _folded(library).get(names.fold(spelt))


@lru_cache(maxsize=4)
def _folded(library: Library) -> Mapping[str, Entry]:
    """Return the catalogue by its names without the dots of versions."""
    return {names.fold(name): one for name, one in library.models.items()}


def _of_family(family: Family, model: Model) -> _Size:
    assumed = family.mark == "assumption"
    total = model.active_b if model.total_b is None else model.total_b
    cited = tuple(
        Citation(one.id, f"{one.locator}; {model.locator}" if model.locator else one.locator)
        for one in family.sources
    )
    made = _Made(model.names[0], family.mark, family.retrieved, cited, family.note)
    cache = model.cache_bytes_per_token
    return _Size(
        active=made.parameters("active", spread(model.active_b)),
        total=made.parameters("total", spread(total)),
        cache=None if cache is None else made.cache(spread(cache)),
        dense=model.total_b is None,
        assumed=assumed,
        origin="assumed, not published" if assumed else "published",
        class_name=model.class_name or family.class_name,
        provider=family.provider,
        family=family.name,
        key=model.names[0],
    )


def _of_entry(entry: Entry) -> _Size:
    mark, cited = _provenance(entry)
    made = _Made(entry.name, mark, _RETRIEVED, cited)
    return _Size(
        active=made.parameters("active", entry.active_parameters_b),
        total=made.parameters("total", entry.total_parameters_b),
        cache=None,
        dense=entry.dense,
        assumed=not entry.published,
        origin="published" if entry.published else "assumed by EcoLogits, not published",
    )


def _provenance(entry: Entry) -> tuple[Mark, tuple[Citation, ...]]:
    where = "; ".join([f"{entry.provider} {entry.name}", *(entry.sources or ())])
    mark = "second-hand" if entry.published else "assumption"
    return mark, (Citation("ecologits-models", where),)


def _of_name(name: Name) -> _Size | None:
    said = names.size(name.bare)
    if said is None:
        return None
    cited = (Citation("gguf-names", f"{said.said} in the name"),)
    made = _Made(name.key, "derived", _RETRIEVED, cited)
    return _Size(
        active=made.parameters("active", _between(*said.active)),
        total=None if said.total is None else made.parameters("total", _between(*said.total)),
        cache=None,
        dense=said.dense,
        assumed=False,
        origin=f"derived from {said.said!r} in the name",
    )


@dataclass(frozen=True, slots=True)
class _Made:
    """What the figures of one model have in common."""

    owner: str
    mark: Mark
    retrieved: date
    sources: tuple[Citation, ...]
    note: str = ""

    def parameters(self, which: str, count: Range) -> Factor:
        """Return the active or the total parameters."""
        return self._factor(
            f"{which}_parameters_b", f"{which} parameters", "1e9 parameter", count, self.mark
        )

    def cache(self, size: Range) -> Factor:
        """Return the key/value cache, which follows from the configuration."""
        said = "key/value cache per token of context"
        return self._factor("cache_bytes_per_token", said, "byte/token", size, "derived")

    def _factor(self, part: str, said: str, unit: str, value: Range, mark: Mark) -> Factor:
        return Factor(
            id=f"{self.owner}.{part}",
            name=f"{said} of {self.owner}",
            unit=unit,
            low=value.low,
            central=value.central,
            high=value.high,
            boundary="model",
            mark=mark,
            retrieved=self.retrieved,
            sources=self.sources,
            note=self.note,
        )


def _between(low: float, high: float) -> Range:
    return Range(low, math.sqrt(low * high), high)


def _span(value: Range) -> Span:
    is_one = value.low == value.high
    return value.central if is_one else (value.low, value.central, value.high)


def _said(factor: Factor) -> str:
    if factor.low == factor.high:
        return f"{float(f'{factor.central:.3g}'):g}"
    return f"{factor.low:.3g} to {factor.high:.3g}"
