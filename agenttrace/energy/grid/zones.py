"""Zones that no call can be in: what is imported for one of them is never used."""

import difflib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

import msgspec

from agenttrace.energy import factors, places
from agenttrace.errors import FactorError

_SHORTEST: Final = 4  # letters; shorter names all resemble each other
_CLOSE: Final = 0.85  # DK-DK1 and DK-DK2 are at 0.83, and neither means the other


def unreached(zones: Iterable[str]) -> list[str]:
    """Return those of *zones* that no place is in, whatever a call or ``--region`` says."""
    return [zone for zone in zones if not _is_reached(zone)]


def _is_reached(zone: str) -> bool:
    try:
        return places.place(None, None, factors.shipped(), default=zone).zone == zone
    except FactorError:
        return False


def nearest(zone: str) -> tuple[str, ...]:
    """Return what a name that no call is in may mean, two zones at most, the likelier first."""
    names = _names()
    known = [name for name in names if len(zone) >= _SHORTEST and zone.upper() in name]
    close = difflib.get_close_matches(zone.upper(), _long(names), 1, _CLOSE)
    meant = [names[name] for name in (*known[:1], *close)]
    country = places.zone_of(zone.partition("-")[0]) if "-" in zone else ""
    found = dict.fromkeys(name for name in (*meant, country) if name and _is_reached(name))
    return tuple(found)[:2]


def _long(names: Iterable[str]) -> list[str]:
    return [name for name in names if len(name) >= _SHORTEST]


@cache
def _names() -> Mapping[str, str]:
    """Return the zone by what it is called: by us, by others, and by the last part of its name."""
    tables = msgspec.toml.decode(factors.shipped().places["regions.toml"], type=dict[str, Any])
    zones = [*tables["zone"], *tables["states"]["lb_per_mwh"], *tables["provinces"]["percent"]]
    parts = {zone.rpartition("-")[2]: zone for zone in tables["zone"]}
    return {**parts, **tables["alias"], **{zone: zone for zone in zones}}
