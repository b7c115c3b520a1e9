import pytest

from agenttrace.report.nodes import Link, places

PARENTS = {"call": "inference", "agent": "agent", "task": "task", "http": "other"}


def link(span_id: str, parent: str | None = None) -> Link:
    """Return what a span says that is called after its kind and a number."""
    kind = PARENTS[span_id.rstrip("0123456789")]
    return Link(span_id, parent, kind, kind == "inference")


def drawn(*spans: Link) -> list[str]:
    return [f"{'  ' * place.depth}{spans[place.span].span_id}" for place in places(spans)]


def test_each_span_comes_before_what_hangs_from_it_and_siblings_by_their_start():
    assert drawn(
        link("task"),
        link("agent1", "task"),
        link("call1", "agent1"),
        link("agent2", "task"),
        link("call2", "agent1"),
        link("call3", "agent2"),
    ) == ["task", "  agent1", "    call1", "    call2", "  agent2", "    call3"]


def test_what_is_no_node_hands_its_children_on():
    assert drawn(
        link("task"),
        link("http1", "task"),
        link("http2", "http1"),
        link("call1", "http2"),
        link("call2", "http1"),
    ) == ["task", "  call1", "  call2"]


def test_what_has_lost_its_parent_hangs_from_the_root():
    assert drawn(link("call1", "agent9"), link("task", "http9"), link("call2", "task")) == [
        "task",
        "  call1",
        "  call2",
    ]


def test_without_a_root_what_has_lost_its_parent_is_at_the_top():
    assert drawn(link("agent1", "task"), link("call1", "agent1"), link("call2", "agent9")) == [
        "agent1",
        "  call1",
        "call2",
    ]


@pytest.mark.parametrize("rooted", [True, False])
def test_a_circle_ends_where_it_began(rooted: bool):
    circle = (link("agent1", "agent2"), link("agent2", "agent1"), link("call1", "agent2"))
    if rooted:
        assert drawn(link("task"), *circle) == ["task", "  agent1", "    agent2", "      call1"]
    else:
        assert drawn(*circle) == ["agent1", "  agent2", "    call1"]


def test_a_circle_of_what_is_no_node_loses_nothing():
    assert drawn(
        link("task"),
        link("http1", "http2"),
        link("http2", "http1"),
        link("call1", "http1"),
        link("call2", "http2"),
    ) == ["task", "  call1", "  call2"]


def test_a_span_that_names_itself_as_its_parent_has_none():
    assert drawn(link("agent1", "agent1"), link("task", "task"), link("call1", "agent1")) == [
        "task",
        "  agent1",
        "    call1",
    ]


def test_a_tree_may_be_deeper_than_the_python_stack():
    chain = [
        link(f"agent{number}", f"agent{number - 1}" if number else None) for number in range(3000)
    ]
    assert [place.depth for place in places(chain)] == list(range(3000))


def test_a_hundred_thousand_children_are_placed_one_by_one():
    spans = [link("task"), *(link(f"call{number}", "task") for number in range(100_000))]
    found = places(spans)
    assert len(found) == 100_001
    assert found[-1] == (100_000, 0, 1)
