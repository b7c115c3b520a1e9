"""People to compare agents with, and the energy of what they ask.

Ours come first. Over them lie ``personas.toml`` in the folder of the data, and the files of the
command: what a later one gives again, by its id, replaces.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from agenttrace.compare import toml_file
from agenttrace.energy import ModelFactor, factors, moments, total
from agenttrace.energy.catalogue import Match, match, of_class
from agenttrace.energy.draws import priced, shared
from agenttrace.energy.estimate import JOULES_PER_WH, energy_j
from agenttrace.energy.factors import Citation, Factors, Mark, Source
from agenttrace.energy.pricing import Boundary
from agenttrace.errors import FactorError
from agenttrace.model import Range, TokenUsage

HOME_FILE: Final = "personas.toml"
"""Name of the user's own file in the folder of the data."""

_SHIPPED: Final = Path(__file__).with_name("personas.toml")


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    name: str
    prompts_per_day: float
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    class_name: str | None = msgspec.field(name="class", default=None)
    model: str | None = None
    mark: Mark
    retrieved: date
    source: Citation | None = None
    assumption: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: dict[str, Source] = {}
    persona: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Persona:
    """A kind of person.

    Attributes:
        id: Stable name.
        name: Name in reports.
        prompts_per_day: Prompts a day.
        input_tokens: Of one prompt, what is read from a cache included.
        output_tokens: Of one prompt.
        class_name: Size class of the model that answers; ``unknown`` where its name says none.
        mark: How the number of prompts is known.
        title: Title of the source, or the assumption itself.
        source: Where it is from; None for an assumption.
        retrieved: When that was looked up.
        cache_read_tokens: Part of the input that is read from a cache.
        model: The model that answers, where it is named; None where only its class is.
    """

    id: str
    name: str
    prompts_per_day: float
    input_tokens: int
    output_tokens: int
    class_name: str
    mark: Mark
    title: str
    source: Source | None
    retrieved: date
    cache_read_tokens: int = 0
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """The energy of one prompt of a persona.

    Attributes:
        persona: Whose.
        energy_wh: At the boundary that was asked for.
        draws_wh: One value per draw; a draw has the constants of the same draw of every model.
    """

    persona: Persona
    energy_wh: Range
    draws_wh: tuple[float, ...]


@cache
def shipped() -> tuple[Persona, ...]:
    """Return the personas that come with agenttrace, read once per process."""
    return load(_SHIPPED, factors.shipped())


def load(path: Path, factors: Factors) -> tuple[Persona, ...]:
    """Read a file of personas.

    Args:
        path: TOML file with ``persona`` and ``source`` tables.
        factors: Whose classes and models the personas may name.

    Raises:
        FactorError: The file cannot be read, or a persona is incomplete, given twice, uses nothing,
            or has neither a source nor an assumption.
    """
    file = toml_file.read(path, _File, _SHIPPED)
    records = [_record(str(path), number, said) for number, said in enumerate(file.persona, 1)]
    toml_file.check_once(str(path), "persona", (record.id for record in records))
    return tuple(_persona(str(path), record, file.source, factors) for record in records)


def layered(files: Sequence[Path], home: Path | None, factors: Factors) -> tuple[Persona, ...]:
    """Return our personas with those of the user over them, each where its id came first.

    Args:
        files: Files of the user, later ones before earlier.
        home: Folder of the data, with the user's ``personas.toml``; None to do without.
        factors: As in :func:`load`.

    Raises:
        FactorError: As :func:`load` does.
    """
    found = {persona.id: persona for persona in shipped()}
    own = home / HOME_FILE if home else None
    for path in (*([own] if own and own.exists() else []), *files):
        found.update({persona.id: persona for persona in load(path, factors)})
    return tuple(found.values())


def prompts(
    personas: Iterable[Persona], factors: Factors, boundary: Boundary = "facility"
) -> list[Prompt]:
    """Price one prompt of each persona, at *boundary*."""
    constants = shared(factors)
    return [
        _prompt(
            persona,
            priced(None, None, _answering(persona, factors), factors, constants, boundary=boundary),
        )
        for persona in personas
    ]


def _answering(persona: Persona, factors: Factors) -> Match:
    """Return the model that answers: the draws of one that is named are those of its calls."""
    if persona.model is not None:
        return match(persona.model, factors)
    return of_class(persona.class_name, factors)


def _record(file: str, number: int, said: dict[str, Any]) -> _Record:
    try:
        return msgspec.convert(said, _Record)
    except msgspec.ValidationError as error:
        named = repr(said["id"]) if isinstance(said.get("id"), str) else f"number {number}"
        raise FactorError(f"{file}: persona {named}: {error}. {_SHIPPED} is an example.") from error


def _persona(file: str, record: _Record, sources: dict[str, Source], factors: Factors) -> Persona:
    what = f"{file}: persona {record.id!r}"
    _check_amounts(what, record)
    _check_origin(what, record, sources)
    source = sources[record.source.id] if record.source else None
    return Persona(
        id=record.id,
        name=record.name,
        prompts_per_day=record.prompts_per_day,
        input_tokens=record.input_tokens,
        output_tokens=record.output_tokens,
        class_name=_class_of(what, record, factors),
        mark=record.mark,
        title=source.title if source else record.assumption,
        source=source,
        retrieved=record.retrieved,
        cache_read_tokens=record.cache_read_tokens,
        model=record.model,
    )


def _class_of(what: str, record: _Record, factors: Factors) -> str:
    if (record.class_name is None) == (record.model is None):
        raise FactorError(
            f"{what} needs the class of the model that answers or its name, and not both: "
            f"give class = 'large', or model = 'claude-sonnet-4-5'."
        )
    if record.model is not None:
        return match(record.model, factors).class_name
    assert record.class_name is not None
    if record.class_name not in factors.classes:
        known = ", ".join(factors.classes)
        raise FactorError(f"{what} names class {record.class_name!r}. Classes: {known}.")
    return record.class_name


def _check_amounts(what: str, record: _Record) -> None:
    amounts = {
        "prompts_per_day": record.prompts_per_day,
        "input_tokens": record.input_tokens,
        "output_tokens": record.output_tokens,
    }
    # TOML has inf and nan, of which neither is a number of prompts.
    none = [name for name, amount in amounts.items() if not 0 < amount < math.inf]
    if none:
        said = " and ".join(f"{name} = {amounts[name]:g}" for name in none)
        raise FactorError(
            f"{what} uses nothing that can be compared with: {said}. "
            f"Give {' and '.join(none)} above zero, or remove the persona."
        )
    if not 0 <= record.cache_read_tokens <= record.input_tokens:
        raise FactorError(
            f"{what} reads {record.cache_read_tokens:,} tokens from a cache, and its input has "
            f"{record.input_tokens:,}. The input includes them: give 0 to {record.input_tokens:,}."
        )


def _check_origin(what: str, record: _Record, sources: dict[str, Source]) -> None:
    if (record.source is None) != (record.mark == "assumption") or (
        record.source is None and not record.assumption
    ):
        raise FactorError(
            f"{what} needs a source, or mark = 'assumption' and the assumption in words."
        )
    if record.source is not None:
        toml_file.check_cited(what, [record.source.id], sources)


def _prompt(persona: Persona, factor: ModelFactor) -> Prompt:
    prompt = moments(
        TokenUsage(
            input_tokens=persona.input_tokens,
            output_tokens=persona.output_tokens,
            cache_read_tokens=persona.cache_read_tokens,
        )
    )
    return Prompt(
        persona=persona,
        energy_wh=total([(prompt, factor)]),
        draws_wh=tuple(energy_j(prompt, draw) / JOULES_PER_WH for draw in factor.draws),
    )
