"""What people ask of models in a day: those of a persona, or the recorded user-facing calls."""

from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from agenttrace.compare.measured_tasks import UserFacing
from agenttrace.errors import ConfigError
from agenttrace.reader import Reader
from agenttrace.report import selection as selections
from agenttrace.report.selection import Selection

Span: TypeAlias = tuple[datetime, datetime]


def persona(reader: Reader, wanted: str) -> UserFacing:
    """Return what one person of the persona with the id *wanted* asks in a day.

    Raises:
        ConfigError: There is no such persona.
    """
    rows = reader.query(
        "SELECT persona.*, persona_prompt.energy_wh FROM persona "
        "INNER JOIN persona_prompt ON persona.id = persona_prompt.id ORDER BY persona.id"
    )
    found = next((row for row in rows if row["id"] == wanted), None)
    if found is None:
        known = ", ".join(str(row["id"]) for row in rows)
        raise ConfigError(f"there is no persona {wanted!r}. Known: {known}.")
    draws = reader.query(
        "SELECT energy_wh FROM persona_draw WHERE id = $1 ORDER BY draw", [found["id"]]
    )
    prompts = float(found["prompts_per_day"])
    source = ", ".join(str(part) for part in (found["title"], found["year"], found["url"]) if part)
    tokens = found["input_tokens"] + found["output_tokens"]
    cached = found["cache_read_tokens"]
    read = f" ({cached:,} from a cache)" if cached else ""
    answers = f"model {found['model']}" if found["model"] else f"class {found['class']}"
    return UserFacing(
        origin="persona",
        who=found["name"],
        definition=(
            f"{prompts:,.6g} prompts a day, each {found['input_tokens']:,}{read} + "
            f"{found['output_tokens']:,} tokens, {answers}; {source}"
        ),
        per="prompt",
        volume_a_day=prompts,
        tokens_a_day=prompts * tokens,
        energy_wh_a_day=prompts * found["energy_wh"],
        draws_wh_a_day=tuple(prompts * row["energy_wh"] for row in draws),
    )


def recorded(reader: Reader, selection: Selection, span: Span) -> UserFacing:
    """Return the user-facing calls that *reader* shows, by the day.

    Args:
        reader: It sees them and no others.
        selection: What they were chosen by; its workload does not count.
        span: First and last moment of calls of any kind; at least a day is counted.
    """
    (row,) = reader.query("totals")
    days = max(1.0, (span[1] - span[0]).total_seconds() / 86_400)
    energy = row["energy_wh"] or None
    draws = selections.draws(reader) if energy else []
    tokens = row["total_tokens"]
    where = str(replace(selection, workload="user-facing"))
    return UserFacing(
        origin="measured",
        who="the measured user-facing calls",
        definition=(
            f"{row['calls']:,} calls in {days:,.1f} days from the first call of any kind to the "
            f"last ({where}); every day of a year is taken for one of them"
        ),
        per="user-facing call",
        volume_a_day=row["calls"] / days,
        tokens_a_day=None if tokens is None else tokens / days,
        energy_wh_a_day=None if energy is None else energy / days,
        draws_wh_a_day=tuple(draw["energy_wh"] / days for draw in draws),
    )
