import dataclasses
import json

from agenttrace import __version__
from agenttrace.report.json import to_json
from tests.report.samples import MODELS, OVERVIEW, TASK


def test_the_json_is_the_report_field_by_field():
    head = {"agenttrace_report": 2, "agenttrace_version": __version__}
    for kind, report in (("overview", OVERVIEW), ("task", TASK), ("models", MODELS)):
        values = json.loads(json.dumps(dataclasses.asdict(report)))
        assert json.loads(to_json(report)) == {**head, "kind": kind, **values}


def test_unknown_is_null():
    written = json.loads(to_json(OVERVIEW))
    assert written["totals"]["tokens"]["cache_write"] is None
    assert written["roles"][2]["energy_wh"] is None
