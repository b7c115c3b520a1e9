import re
from xml.etree import ElementTree as ET

from agenttrace.report.svg import to_svg
from tests.report.samples import MODELS, OVERVIEW, TASK

TEXT = "{http://www.w3.org/2000/svg}text"


def words(picture: str) -> str:
    texts = ET.fromstring(picture).iter(TEXT)
    return re.sub(r"\s+", " ", "".join(text.text or "" for text in texts))


def test_a_picture_says_what_the_report_says():
    told = words(to_svg(OVERVIEW, width=84, title="agenttrace report"))
    for said in ("agenttrace report", "92 % of calls", "gpt-5", "heavy user", "zorg-9"):
        assert said in told


def test_a_picture_loads_nothing_and_links_nowhere():
    picture = to_svg(TASK, width=84, title="one task")
    assert set(re.findall(r"https?://[^\s\"']+", picture)) == {"http://www.w3.org/2000/svg"}
    assert not re.findall(r"url\(|@import|<script|href", picture)


def test_the_same_report_is_the_same_picture():
    assert to_svg(OVERVIEW, width=84, title="x") == to_svg(OVERVIEW, width=84, title="x")


def test_a_picture_of_models_says_what_the_text_says():
    told = words(to_svg(MODELS, width=84, title="agenttrace report models"))
    for said in ("gpt-5 openai", "1st token p50", "zorg-9 acme", "not in full"):
        assert said in told
