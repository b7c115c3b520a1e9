"""Build the report on carbon and water: where energy was used, and what it was matched with."""

from typing import Final

from agenttrace.energy.grid import certificates
from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.carbon import certified
from agenttrace.report.carbon.values import CarbonReport
from agenttrace.report.carbon.zones import line, resolutions, zones
from agenttrace.report.sums import held

# Each may read those before it.
_HELD: Final = ("call_rollup", "call_total", "model_moments", "model_place_draw", *sums.SHARED)


def carbon_report(reader: Reader) -> CarbonReport:
    """Report on the carbon and the water of every call.

    Args:
        reader: An open reader.

    Raises:
        FactorError: Certificates or residual mixes that are kept cannot be read.
    """
    bought = certificates.certificates(reader.home)
    residuals = {(one.zone, one.year): one for one in certificates.residuals(reader.home)}
    with held(reader, *_HELD):
        (row,) = reader.query("totals")
        found = list(zones(reader))
        years = [year for zone in found for year in certified.years(zone, bought, residuals)]
        return CarbonReport(
            store=str(reader.home),
            first_started_at=sums.moment(row["first_started_at"]),
            last_started_at=sums.moment(row["last_started_at"]),
            totals=sums.totals(reader),
            resolutions=resolutions(found),
            places=tuple(line(zone, found) for zone in found),
            matched=certified.together(years),
            matching=tuple(year.line for year in years),
            coverage=sums.coverage(reader),
            method=sums.method(reader),
            warnings=(*sums.warnings(reader), *certified.warnings(years, bought)),
        )
