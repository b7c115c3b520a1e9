"""What a projection rests on: tasks that were measured, and what people ask, without any name."""

import math

import msgspec

from agenttrace.energy.draws import DRAWS
from agenttrace.errors import ConfigError


class Tasks(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Some of the measured tasks, taken at random: each column has one value for each of them.

    Attributes:
        energy_wh: Central estimate; empty where no usage is reported.
        hours: From the first start to the last end; empty where the pace is not measured.
        calls: Model calls.
        tokens: Input and output; empty where no call reports them.
    """

    energy_wh: tuple[float, ...] = ()
    hours: tuple[float, ...] = ()
    calls: tuple[int, ...] = ()
    tokens: tuple[int, ...] = ()


class Measured(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was measured of tasks: sums over all of them, and some of them one by one.

    Attributes:
        period: Of their calls.
        selection: Which tasks, in words.
        factor_set: Version of the factors that their energy is estimated with.
        boundary: What the energy covers.
        tasks: How many.
        calls: Of all of them.
        hours: Of all of them, together; None where the pace is not measured.
        tokens: Of all of them; None where no call reports them.
        energy_wh: Of all of them, central; None where no usage is reported.
        energy_draws: Their energy in each draw of the factors, as a multiple of *energy_wh*.
        g_per_kwh: Carbon of their calls per kWh, central; None where no energy is known.
        g_per_kwh_draws: The same in each draw.
        sample: Tasks one by one.
    """

    period: str
    selection: str
    factor_set: str
    boundary: str
    tasks: int
    calls: int
    hours: float | None = None
    tokens: int | None = None
    energy_wh: float | None = None
    energy_draws: tuple[float, ...] = ()
    g_per_kwh: float | None = None
    g_per_kwh_draws: tuple[float, ...] = ()
    sample: Tasks


class UserFacing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What people ask of models in a day: measured, or of one person of a persona.

    Attributes:
        origin: ``measured`` or ``persona``.
        who: In words, with what it is from.
        definition: Of the persona, or how the day was measured.
        per: What is counted: ``call`` or ``prompt``.
        volume_a_day: Calls or prompts.
        tokens_a_day: Input and output; None where nobody knows.
        energy_wh_a_day: Central; None where no usage is reported.
        draws_wh_a_day: In each draw of the factors, which are those of the tasks.
    """

    origin: str
    who: str
    definition: str
    per: str
    volume_a_day: float
    tokens_a_day: float | None = None
    energy_wh_a_day: float | None = None
    draws_wh_a_day: tuple[float, ...] = ()


def check_measured(where: str, measured: Measured) -> None:
    """Check that *measured* is whole; *where* is what errors begin with.

    Raises:
        ConfigError: Parts of it are missing, or do not fit together.
    """
    sample = measured.sample
    size = len(sample.calls)
    columns = (sample.energy_wh, sample.hours, sample.tokens)
    if not 1 <= size <= measured.tasks or any(len(one) not in (0, size) for one in columns):
        raise ConfigError(
            f"{where}.sample has columns of other lengths, or more tasks than were measured. Save "
            f"the scenario again."
        )
    known = {
        "energy_wh": (measured.energy_wh, sample.energy_wh, measured.energy_draws),
        "hours": (measured.hours, sample.hours, None),
        "tokens": (measured.tokens, sample.tokens, None),
        "g_per_kwh": (measured.g_per_kwh, None, measured.g_per_kwh_draws),
    }
    for name, (total, column, draws) in known.items():
        parts_are_there = all(
            bool(part) == (total is not None) for part in (column, draws) if part is not None
        )
        if not parts_are_there or (draws and len(draws) != DRAWS):
            raise ConfigError(
                f"{where}: {name} has not all of its parts ({DRAWS} draws). Save the scenario "
                f"again."
            )
        _check_amounts(f"{where}.{name}", total, *(column or ()), *(draws or ()))
    _check_amounts(f"{where}.calls", measured.calls, *sample.calls)
    if sample.hours and not (min(sample.hours) > 0 and measured.hours):
        raise ConfigError(f"{where}.hours holds a task that took no time. Leave it out.")


def check_user_facing(where: str, side: UserFacing) -> None:
    """Check that *side* is whole; *where* is what errors begin with.

    Raises:
        ConfigError: Parts of it are missing, or do not fit together.
    """
    draws = side.draws_wh_a_day
    if bool(draws) != (side.energy_wh_a_day is not None) or len(draws) not in (0, DRAWS):
        raise ConfigError(f"{where} has not all of its {DRAWS} draws. Save the scenario again.")
    _check_amounts(
        where, side.volume_a_day, side.tokens_a_day, side.energy_wh_a_day, *side.draws_wh_a_day
    )
    if side.energy_wh_a_day and not min(draws) > 0:
        raise ConfigError(f"{where} has a draw of nothing. Save the scenario again.")


def _check_amounts(name: str, *amounts: float | None) -> None:
    for one in amounts:
        if one is not None and not (math.isfinite(one) and one >= 0):
            raise ConfigError(f"{name} holds {one}. Give numbers of 0 or more.")
