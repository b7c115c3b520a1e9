"""The forms of hourly data that are recognised, each by its columns.

A form says where a file has its times, zones and values, as SQL over the table ``sheet``, in which
every cell is text. Units become gCO2e/kWh here.

Sources of the forms, seen in November 2026: Electricity Maps, CSV of the data portal
(<https://www.electricitymaps.com/data-portal>); WattTime, <https://docs.watttime.org>; ENTSO-E
transparency platform, actual generation per production type; EIA, hourly grid monitor
(<https://www.eia.gov/electricity/gridmonitor>), one balancing authority; Great Britain,
<https://carbonintensity.org.uk>, the download of that page.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from agenttrace.energy.places import KG_PER_LB, Generation, generation
from agenttrace.errors import FactorError

Kind = Literal["average", "marginal"]

_G_PER_LB: Final = KG_PER_LB * 1000
_PERCENT: Final = 0.01
_SHOWN: Final = 8  # columns in an error


@dataclass(frozen=True, slots=True)
class Form:
    """How a file has hourly data.

    Attributes:
        name: What it is, for people; kept as the source of its values.
        stamp: SQL for the time.
        zone: SQL for the zone; empty where the file has none.
        g: SQL for the average intensity; empty where there is none.
        marginal: SQL for the marginal intensity; empty where there is none.
        cfe: SQL for the carbon-free share; empty where there is none.
        g_per_unit: gCO2e/kWh per unit of the intensities.
        cfe_per_unit: Share per unit of the carbon-free share.
        tz: Time zone of times that say none; empty where that is not known. What a time says of
            itself goes before it.
        patterns: How it writes times where not as ISO 8601 does.
        stamps_end: The time is the end of the hour.
        may_lack: A row without a value is left out, rather than an error.
        note: What a reader of the result should know.
    """

    name: str
    stamp: str
    zone: str = ""
    g: str = ""
    marginal: str = ""
    cfe: str = ""
    g_per_unit: float = 1.0
    cfe_per_unit: float = 1.0
    tz: str = ""
    patterns: tuple[str, ...] = ()
    stamps_end: bool = False
    may_lack: bool = True
    note: str = ""


def recognised(file: str, columns: Sequence[str], kind: Kind | None) -> Form:
    """Return the form of a file with *columns*.

    Args:
        file: Its name, for errors.
        columns: Its columns.
        kind: What the user says that the intensities are, where the file says only ``g_per_kwh``
            or ``value``.

    Raises:
        FactorError: No form has these columns.
    """
    said = _Columns(file, columns, kind)
    for form in (_electricity_maps, _great_britain, _eia, _entsoe, _watttime, _own):
        if found := form(said):
            return found
    raise FactorError(
        f"{file}: its columns ({_listed(columns)}) are of no known form. Give it the columns "
        f"timestamp, zone, g_per_kwh, and where known cfe_share and marginal_g_per_kwh."
    )


class _Columns:
    """Columns of a file, found by what they are called apart from case and spaces.

    Attributes:
        file: Name of the file.
        kind: What the user says that its intensities are.
        by_name: The columns, by their names in plain letters.
    """

    def __init__(self, file: str, columns: Iterable[str], kind: Kind | None) -> None:
        self.file = file
        self.kind = kind
        self.by_name: Mapping[str, str] = {_plain(column): column for column in columns}

    def sql(self, *names: str) -> str:
        """Return SQL for the first of *names* that there is; empty if there is none."""
        found = next((self.by_name[name] for name in names if name in self.by_name), None)
        return _column(found) if found is not None else ""

    def matching(self, pattern: str) -> str:
        """Return SQL for the column whose name has *pattern*; empty if there is none."""
        found = next((own for name, own in self.by_name.items() if re.search(pattern, name)), None)
        return _column(found) if found is not None else ""


def _plain(column: str) -> str:
    return " ".join(column.strip().lower().replace("\ufeff", "").replace("₂", "2").split())


def _column(name: str) -> str:
    return 'nullif(trim("' + name.replace('"', '""') + "\"), '')"


def _listed(columns: Sequence[str]) -> str:
    shown = ", ".join(column.strip() or "''" for column in columns[:_SHOWN])
    return f"{shown}, ..." if len(columns) > _SHOWN else shown


_OWN: Final = frozenset(
    {"timestamp", "zone", "g_per_kwh", "cfe_share", "marginal_g_per_kwh"},
)


def _own(columns: _Columns) -> Form | None:
    values = columns.by_name.keys() & {"g_per_kwh", "marginal_g_per_kwh"}
    if "timestamp" not in columns.by_name or not values:
        return None
    if unknown := columns.by_name.keys() - _OWN:
        raise FactorError(
            f"{columns.file}, line 1: column {sorted(unknown)[0]!r} is not known. "
            f"Known columns: {', '.join(sorted(_OWN))}."
        )
    g, marginal = columns.sql("g_per_kwh"), columns.sql("marginal_g_per_kwh")
    if columns.kind == "marginal" and g:
        if marginal:
            raise FactorError(
                f"{columns.file}, line 1: it has both intensities by their names. Leave out --kind."
            )
        g, marginal = "", g
    return Form(
        name=columns.file,
        stamp=columns.sql("timestamp"),
        zone=columns.sql("zone"),
        g=g,
        marginal=marginal,
        cfe=columns.sql("cfe_share"),
        may_lack=False,
    )


def _electricity_maps(columns: _Columns) -> Form | None:
    life_cycle = columns.matching(r"^carbon intensity gco2eq/kwh \((life cycle|lca)")
    direct = columns.matching(r"^carbon intensity gco2eq/kwh \(direct")
    stamp = columns.sql("datetime (utc)")
    if not stamp or not (life_cycle or direct):
        return None
    return Form(
        name="Electricity Maps, " + ("life cycle" if life_cycle else "direct"),
        stamp=stamp,
        zone=columns.sql("zone id"),
        g=life_cycle or direct,
        cfe=columns.matching(r"^(carbon-free energy|low carbon) percentage"),
        cfe_per_unit=_PERCENT,
        tz="UTC",
    )


def _great_britain(columns: _Columns) -> Form | None:
    actual = columns.sql("actual carbon intensity (gco2/kwh)")
    stamp = columns.sql("datetime (utc)", "datetime")
    if not actual or not stamp:
        return None
    return Form(
        name="Carbon Intensity API of Great Britain, actual",
        stamp=stamp,
        zone="'GB'",
        g=actual,
        tz="UTC",
    )


def _eia(columns: _Columns) -> Form | None:
    intensity = columns.sql("co2 emissions intensity for consumed electricity")
    stamp = columns.sql("utc time", "utc time at end of hour")
    if not intensity or not stamp:
        return None
    return Form(
        name="EIA hourly grid monitor, CO2 of consumed electricity",
        stamp=stamp,
        zone=columns.sql("ba", "balancing authority"),
        g=intensity,
        g_per_unit=_G_PER_LB,
        tz="UTC",
        patterns=("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S"),
        stamps_end=True,
    )


def _watttime(columns: _Columns) -> Form | None:
    moer = columns.sql("moer")
    value = columns.sql("value") if "point_time" in columns.by_name else ""
    stamp = columns.sql("point_time", "timestamp")
    if not stamp or not (moer or value):
        return None
    is_average = columns.kind == "average"
    return Form(
        name="WattTime, " + ("average" if is_average else "marginal (MOER)"),
        stamp=stamp,
        zone=columns.sql("region", "ba"),
        g=(moer or value) if is_average else "",
        marginal="" if is_average else (moer or value),
        g_per_unit=KG_PER_LB,  # lb/MWh
        tz="UTC",
    )


# Types of production, without the spaces that the platform puts at their end; None where neither
# the IPCC nor anybody we know of has a figure for them.
_ENTSOE: Final[Mapping[str, str | None]] = {
    "biomass": "biomass",
    "fossil brown coal/lignite": "coal",
    "fossil coal-derived gas": "coal",
    "fossil gas": "gas",
    "fossil hard coal": "coal",
    "fossil oil": "oil",
    "fossil oil shale": "coal",
    "fossil peat": "coal",
    "geothermal": "geothermal",
    "hydro run-of-river and poundage": "hydro",
    "hydro run-of-river and pondage": "hydro",
    "hydro water reservoir": "hydro",
    "marine": "ocean",
    "nuclear": "nuclear",
    "solar": "solar",
    "wind offshore": "wind_offshore",
    "wind onshore": "wind_onshore",
    "energy storage": None,
    "hydro pumped storage": None,
    "other": None,
    "other renewable": None,
    "waste": None,
}
_PRODUCED: Final = re.compile(r"^(?P<type>.*?)\s+- actual aggregated \[mw\]$")


def _entsoe(columns: _Columns) -> Form | None:
    produced = {
        found["type"]: column
        for name, column in columns.by_name.items()
        if (found := _PRODUCED.match(name))
    }
    stamp = columns.matching(r"^mtu\b")
    if not stamp or not produced:
        return None
    if unknown := produced.keys() - _ENTSOE.keys():
        raise FactorError(
            f"{columns.file}, line 1: production type {sorted(unknown)[0]!r} is not known, so its "
            f"intensity is not. Convert the file to timestamp, zone, g_per_kwh."
        )
    kinds = generation()
    counted = [
        (_power(column), kinds[name])
        for type_, column in produced.items()
        if (name := _ENTSOE[type_]) is not None
    ]
    left_out = sorted(type_ for type_ in produced if _ENTSOE[type_] is None)
    in_utc = "(utc)" in " ".join(name for name in columns.by_name if name.startswith("mtu"))
    return Form(
        name="ENTSO-E generation with IPCC 2014 medians",
        stamp=stamp,
        zone=_area(columns.sql("area")),
        g=_mean(counted, lambda kind: kind.g_per_kwh),
        cfe=_mean(counted, lambda kind: float(kind.carbon_free)),
        tz="UTC" if in_utc else "Europe/Brussels",
        patterns=("%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S"),
        note="it is what the zone generates, imports not counted"
        + (f"; without a known intensity, and left out: {', '.join(left_out)}" if left_out else ""),
    )


def _area(column: str) -> str:
    """Return SQL for the code in ``BZN|DE-LU`` or ``Germany (DE)``."""
    if not column:
        return ""
    return (
        f"coalesce(nullif(regexp_extract({column}, '\\(([A-Z]{{2}})\\)$', 1), ''), "
        f"regexp_replace({column}, '^.*\\|', ''))"
    )


def _power(column: str) -> str:
    """Return SQL for megawatts; NULL where they are not known, and so is the mix then."""
    # "n/e" is what the platform writes where a zone has no such plant. An empty cell or "N/A" is
    # a plant that has not reported.
    cell = _column(column)
    return f"CASE WHEN lower({cell}) = 'n/e' THEN 0 ELSE try_cast({cell} AS DOUBLE) END"


def _mean(counted: Sequence[tuple[str, Generation]], figure: Callable[[Generation], float]) -> str:
    weighted = " + ".join(f"{power} * {figure(kind)}" for power, kind in counted) or "0"
    total = " + ".join(power for power, _ in counted) or "0"
    return f"(({weighted}) / nullif({total}, 0))::VARCHAR"
