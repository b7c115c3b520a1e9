"""People to compare agents with, and the energy of what they ask."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import msgspec

from agenttrace.compare import toml_file
from agenttrace.energy import ModelFactor, factors, moments, total
from agenttrace.energy.catalogue import of_class
from agenttrace.energy.draws import priced, shared
from agenttrace.energy.estimate import JOULES_PER_WH, energy_j
from agenttrace.energy.factors import Citation, Factors, Mark, Source
from agenttrace.energy.pricing import Boundary
from agenttrace.errors import FactorError
from agenttrace.model import Range, TokenUsage

_SHIPPED = Path(__file__).with_name("personas.toml")


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    name: str
    prompts_per_day: float
    input_tokens: int
    output_tokens: int
    class_name: str = msgspec.field(name="class")
    mark: Mark
    retrieved: date
    source: Citation | None = None
    assumption: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: dict[str, Source] = {}
    persona: tuple[_Record, ...] = ()


@dataclass(frozen=True, slots=True)
class Persona:
    """A kind of person.

    Attributes:
        id: Stable name.
        name: Name in reports.
        prompts_per_day: Prompts a day.
        input_tokens: Of one prompt, none of them cached.
        output_tokens: Of one prompt.
        class_name: Size class of the model that answers.
        mark: How the number of prompts is known.
        title: Title of the source, or the assumption itself.
        source: Where it is from; None for an assumption.
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
        factors: Whose classes the personas may name.

    Raises:
        FactorError: The file cannot be read, or a persona is incomplete, given twice, uses nothing,
            or has neither a source nor an assumption.
    """
    file = toml_file.read(path, _File, _SHIPPED)
    toml_file.check_once(path.name, "persona", (record.id for record in file.persona))
    return tuple(_persona(path.name, record, file.source, factors) for record in file.persona)


def prompts(
    personas: Iterable[Persona], factors: Factors, boundary: Boundary = "facility"
) -> list[Prompt]:
    """Price one prompt of each persona, at *boundary*."""
    constants = shared(factors)
    return [
        _prompt(
            persona,
            priced(
                None,
                None,
                of_class(persona.class_name, factors),
                factors,
                constants,
                boundary=boundary,
            ),
        )
        for persona in personas
    ]


def _persona(file: str, record: _Record, sources: dict[str, Source], factors: Factors) -> Persona:
    what = f"{file}: persona {record.id!r}"
    if record.class_name not in factors.classes:
        known = ", ".join(factors.classes)
        raise FactorError(f"{what} names class {record.class_name!r}. Classes: {known}.")
    if min(record.prompts_per_day, record.input_tokens, record.output_tokens) <= 0:
        raise FactorError(
            f"{what} uses nothing, so nothing can be compared with it. "
            f"Give prompts_per_day, input_tokens and output_tokens above zero."
        )
    if (record.source is None) != (record.mark == "assumption") or (
        record.source is None and not record.assumption
    ):
        raise FactorError(
            f"{what} needs a source, or mark = 'assumption' and the assumption in words."
        )
    if record.source is not None:
        toml_file.check_cited(what, [record.source.id], sources)
    source = sources[record.source.id] if record.source else None
    return Persona(
        id=record.id,
        name=record.name,
        prompts_per_day=record.prompts_per_day,
        input_tokens=record.input_tokens,
        output_tokens=record.output_tokens,
        class_name=record.class_name,
        mark=record.mark,
        title=source.title if source else record.assumption,
        source=source,
    )


def _prompt(persona: Persona, factor: ModelFactor) -> Prompt:
    prompt = moments(
        TokenUsage(input_tokens=persona.input_tokens, output_tokens=persona.output_tokens)
    )
    return Prompt(
        persona=persona,
        energy_wh=total([(prompt, factor)]),
        draws_wh=tuple(energy_j(prompt, draw) / JOULES_PER_WH for draw in factor.draws),
    )
