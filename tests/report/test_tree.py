from agenttrace.report.tree import Branch, branches
from agenttrace.report.values import Node
from tests.report.samples import call, node


def drawn(*nodes: Node) -> list[str]:
    return [branch.guide + label(branch) for branch in branches(nodes)]


def label(branch: Branch) -> str:
    first, *rest = branch.nodes
    return f"{len(rest) + 1} more like {first.span_id}" if rest else first.span_id


def test_a_tree_is_drawn_with_its_guides():
    assert drawn(
        node("task", "task"),
        node("agent", "agent", "task"),
        call("a", "agent"),
        node("tool", "tool", "agent"),
        call("b", "tool"),
        node("last", "tool", "task"),
    ) == [
        "task",
        "├─ agent",
        "│  ├─ a",
        "│  └─ tool",
        "│     └─ b",
        "└─ last",
    ]


def test_a_loop_of_calls_and_tools_is_folded_one_line_each():
    steps = [
        one
        for turn in range(6)
        for one in (call(f"call{turn}", "task"), node("search", "tool", "task"))
    ]
    tools = [turn for turn, one in enumerate(steps) if one.kind == "tool"]
    named = [
        node("search", "tool", "task", span_id=f"tool{place // 2}") if place in tools else one
        for place, one in enumerate(steps)
    ]
    assert drawn(node("task", "task"), *named) == [
        "task",
        "├─ call0",
        "├─ tool0",
        "├─ call1",
        "├─ tool1",
        "├─ call2",
        "├─ tool2",
        "├─ 3 more like call3",
        "└─ 3 more like tool3",
    ]


def test_steps_that_only_wrap_are_left_out():
    assert drawn(
        node("task", "task"),
        node("prepare", "step", "task"),
        node("model", "step", "task"),
        call("a", "model"),
        node("tools", "step", "task"),
        node("inner", "step", "tools"),
        node("search", "tool", "inner"),
        node("route", "step", "task"),
        call("b", "route"),
        call("c", "route"),
        node("crash", "step", "task", status="error"),
    ) == [
        "task",
        "├─ a",
        "├─ search",
        "├─ route",
        "│  ├─ b",
        "│  └─ c",
        "└─ crash",
    ]


def test_one_line_is_never_folded_into_one_line():
    assert drawn(*(call(f"call{number}") for number in range(4))) == [
        "call0",
        "call1",
        "call2",
        "call3",
    ]


def test_what_failed_or_is_read_by_a_person_is_not_folded_away():
    many = [call(f"call{number}") for number in range(9)]
    failed = call("failed", status="error", failed_calls=1)
    answer = call("answer", hidden=False)
    assert drawn(*many, failed, answer)[-3:] == ["6 more like call3", "failed", "answer"]


def test_a_chain_deeper_than_the_python_stack_is_drawn():
    chain = [
        node(str(depth), "agent", parent=str(depth - 1) if depth else None) for depth in range(3000)
    ]
    assert sum(1 for _ in branches(chain)) == 3000
