"""Pieces of a factor file as a user may write it."""

from typing import Final

SOURCE: Final = """
[source.meter]
by = "Ops"
title = "Meter of rack 7"
year = 2026
url = "https://example.org/rack-7"
mark = "read"
"""


def hall(low: float, central: float, high: float) -> str:
    """Return a factor for everything around the accelerator, in place of ours; it cites SOURCE."""
    return f"""
[[factor]]
id = "facility_multiplier"
name = "our hall"
unit = "1"
low = {low}
central = {central}
high = {high}
boundary = "facility"
mark = "read"
retrieved = 2026-11-23
sources = [{{ id = "meter", locator = "October" }}]
"""
