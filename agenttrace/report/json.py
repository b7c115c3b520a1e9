"""The report as JSON: its values field by field, with nothing cut and nothing rounded."""

import dataclasses
import json

from agenttrace import __version__
from agenttrace.report.values import REPORT_FORMAT, Report


def to_json(report: Report) -> str:
    """Return *report* as one JSON object.

    Three fields go before those of the report: ``agenttrace_report`` is the version of this form,
    ``agenttrace_version`` that of the program, ``kind`` what the report is about.
    """
    head = {
        "agenttrace_report": REPORT_FORMAT,
        "agenttrace_version": __version__,
        "kind": report.kind,
    }
    return json.dumps(
        head | dataclasses.asdict(report), indent=2, ensure_ascii=False, allow_nan=False
    )
