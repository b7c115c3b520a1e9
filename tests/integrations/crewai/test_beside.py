"""Flows, and what CrewAI does beside the work of agents: plans, summaries, guardrails, memory."""

import gc
import inspect
import json
from typing import Any

import pytest
from crewai.events.event_bus import crewai_event_bus
from crewai.events.types.memory_events import MemoryQueryFailedEvent, MemoryQueryStartedEvent
from crewai.flow.flow import Flow, listen, start
from crewai.utilities import agent_utils

import agenttrace
from agenttrace_crewai.open_frames import Frame, OpenFrames


def test_a_flow_is_a_task_and_its_methods_are_steps(team, outline, counted):
    class Desk(Flow):
        @start()
        def write(self) -> str:
            return team.crew(team.task(team.agent("Writer")), name="writers").kickoff().raw

        @listen(write)
        async def check(self, text: str) -> Any:
            return await team.agent("Checker").kickoff_async("Check it")

    Desk().kickoff()

    assert outline() == [
        "task Desk",
        "  step write",
        "    step writers",
        "      step task",
        "        agent Writer",
        "          frame: main of Writer",
        "            wire: main of Writer",
        "  step check",
        "    agent Checker",
        "      frame: main of Checker",
        "        wire: main of Checker",
    ]
    assert counted() == [("Desk", "Writer", "main"), ("Desk", "Checker", "main")]


def test_methods_that_run_side_by_side_keep_apart(team, outline, counted):
    class Desk(Flow):
        @start()
        def one(self) -> str:
            return team.agent("One").kickoff("Check it").raw

        @start()
        async def two(self) -> str:
            return (await team.agent("Two").kickoff_async("Check it")).raw

    Desk().kickoff()

    assert sorted(counted()) == [("Desk", "One", "main"), ("Desk", "Two", "main")]
    lines = outline()
    assert lines[lines.index("  step one") + 1] == "    agent One"
    assert lines[lines.index("  step two") + 1] == "    agent Two"


def test_a_flow_that_fails_keeps_the_type_of_its_error(outline):
    class Desk(Flow):
        @start()
        def write(self) -> str:
            raise LookupError("Secret words")

    with pytest.raises(LookupError):
        Desk().kickoff()

    assert outline() == ["task Desk !LookupError", "  step write !LookupError"]


def test_the_plan_of_a_crew_is_beside_its_work(team, counted):
    team.crew(team.task(team.agent("Writer")), planning=True, planning_llm=team.gpt()).kickoff()

    assert [role for *_, role in counted()[:-1]] == ["other"] * (len(counted()) - 1)
    assert counted()[0] == ("crew", "Task Execution Planner", "other")
    assert counted()[-1] == ("crew", "Writer", "main")


def test_a_guardrail_guards(team, provider, counted):
    verdict = json.dumps({"valid": True, "feedback": None})
    provider.script(verdict, when=lambda request: "uardrail" in request.prompt, times=None)
    task = team.task(team.agent("Writer"), guardrail="Be polite")

    team.crew(task).kickoff()

    writer, *guards = counted()
    assert writer == ("crew", "Writer", "main")
    assert guards
    assert {role for *_, role in guards} == {"guard"}


def test_a_summary_of_the_conversation_is_a_summary(team, counted):
    with agenttrace.task("long"):
        _too_long(team.gpt(), [{"role": "user", "content": "Secret words"}])

    gc.collect()  # What is left open is complained of while nobody minds.
    assert counted() == [("long", None, "summary")]


def _too_long(llm: Any, messages: list[dict[str, str]]) -> None:
    known = {"respect_context_window": True, "llm": llm, "messages": messages, "callbacks": []}
    asked = inspect.signature(agent_utils.handle_context_length).parameters
    given = {name: known.get(name) for name in asked}
    if "i18n" in asked:
        from crewai.utilities import I18N, Printer

        given |= {"i18n": I18N(), "printer": Printer()}
    elif "printer" in asked:
        from crewai_core.printer import Printer

        given["printer"] = Printer()
    agent_utils.handle_context_length(**given)


def test_a_call_that_memory_makes_is_beside_the_work(team, outline, counted):
    llm = team.gpt()
    asked = {"query": "Secret words", "limit": 3}
    with agenttrace.agent("Writer"):
        crewai_event_bus.emit(team, MemoryQueryStartedEvent(**asked))
        llm.call("Secret words")
        crewai_event_bus.emit(team, MemoryQueryFailedEvent(error="Secret words", **asked))
        llm.call("Go on")

    assert outline()[1] == "  step memory !memory_query_failed"
    assert counted() == [("Writer", "Writer", "other"), ("Writer", "Writer", "main")]


def test_what_never_ends_is_given_up(recording, outline):
    frames = OpenFrames()
    for name in ("first", "second"):
        begun = agenttrace.start("agent", name)
        frames.add(begun, Frame(begun, ("agent", 1, name), None))

    frames.clear()
    assert outline() == ["agent first !abandoned", "agent second !abandoned"]
