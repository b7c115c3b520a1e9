"""One estimate beside another: people, other methods, certificates, another choice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agenttrace.compare.personas import Persona, Prompt, layered, load, prompts, shipped
from agenttrace.energy import factors as energy_factors
from agenttrace.energy.tables import insert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

    from agenttrace.energy.factors import Factors
    from agenttrace.energy.pricing import Boundary

__all__ = ["Persona", "Prompt", "define", "layered", "load", "prompts", "shipped"]

_SCHEMA = Path(__file__).with_name("tables.sql")


def define(
    connection: DuckDBPyConnection,
    *,
    personas: Sequence[Persona] | None = None,
    factors: Factors | None = None,
    boundary: Boundary = "facility",
    home: Path | None = None,
) -> list[Prompt]:
    """Create the tables that queries compare energy and tokens with.

    ``persona``, ``persona_prompt`` and ``persona_draw`` are created or replaced; ``tables.sql``
    says what their columns are.

    Args:
        connection: An open DuckDB connection.
        personas: Others than ours and those of *home*.
        factors: The factors that the energy tables were made with, if not those of agenttrace.
        boundary: What the energy covers.
        home: Folder with the user's own personas.

    Raises:
        FactorError: The personas or the factors are incomplete.
    """
    used = factors or energy_factors.shipped()
    chosen = layered((), home, used) if personas is None else personas
    priced = prompts(chosen, used, boundary)
    connection.execute(_SCHEMA.read_text(encoding="utf-8"))
    _persona(connection, chosen)
    _persona_prompt(connection, priced)
    _persona_draw(connection, priced)
    return priced


def _persona(connection: DuckDBPyConnection, personas: Sequence[Persona]) -> None:
    insert(
        connection,
        "persona",
        {
            "id": [persona.id for persona in personas],
            "name": [persona.name for persona in personas],
            "prompts_per_day": [persona.prompts_per_day for persona in personas],
            "input_tokens": [persona.input_tokens for persona in personas],
            "output_tokens": [persona.output_tokens for persona in personas],
            "cache_read_tokens": [persona.cache_read_tokens for persona in personas],
            "class": [persona.class_name for persona in personas],
            "model": [persona.model for persona in personas],
            "title": [persona.title for persona in personas],
            "year": [persona.source.year if persona.source else None for persona in personas],
            "url": [persona.source.url if persona.source else None for persona in personas],
            "mark": [persona.mark for persona in personas],
            "retrieved": [persona.retrieved for persona in personas],
        },
    )


def _persona_prompt(connection: DuckDBPyConnection, priced: Sequence[Prompt]) -> None:
    insert(
        connection,
        "persona_prompt",
        {
            "id": [prompt.persona.id for prompt in priced],
            "energy_wh": [prompt.energy_wh.central for prompt in priced],
            "energy_low_wh": [prompt.energy_wh.low for prompt in priced],
            "energy_high_wh": [prompt.energy_wh.high for prompt in priced],
        },
    )


def _persona_draw(connection: DuckDBPyConnection, priced: Sequence[Prompt]) -> None:
    insert(
        connection,
        "persona_draw",
        {
            "id": [prompt.persona.id for prompt in priced for _ in prompt.draws_wh],
            "draw": [draw for prompt in priced for draw in range(len(prompt.draws_wh))],
            "energy_wh": [energy_wh for prompt in priced for energy_wh in prompt.draws_wh],
        },
    )
