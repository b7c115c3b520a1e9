"""Modules, agents and tools: who made which call, and as part of what."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dspy
import pytest
from dspy.dsp.utils.settings import Settings

import agenttrace
from agenttrace.testing import Failure
from agenttrace_dspy.callback import AgentTraceCallback


def says(**fields: Any) -> str:
    return json.dumps(fields)


def thinks(tool: str, **arguments: Any) -> str:
    return says(next_thought="Secret words", next_tool_name=tool, next_tool_args=arguments)


class Support(dspy.Signature):
    """Help."""

    question: str = dspy.InputField()
    answer: str = dspy.OutputField()


def test_each_call_is_in_its_module(provider, outline, calls):
    provider.script(says(reasoning="Secret words", answer="42"))

    dspy.ChainOfThought("question -> answer")(question="Secret words")

    assert outline() == [
        "step ChainOfThought",
        "  step Predict",
        "    call: main of nobody",
    ]
    assert calls() == ["ChainOfThought: main of nobody"]


@pytest.mark.parametrize("how", ["forward", "async"])
def test_an_agent_is_named_by_its_signature_and_has_its_tools(how, gpt, provider, outline, calls):
    def look_up(question: str) -> str:
        """Look it up."""
        return gpt(question)[0]

    provider.script(
        thinks("look_up", question="why"),
        "42",
        thinks("finish"),
        says(reasoning="Secret words", answer="42"),
    )
    agent = dspy.ReAct(Support, tools=[look_up])

    if how == "forward":
        agent(question="Secret words")
    else:
        asyncio.run(agent.acall(question="Secret words"))

    assert outline() == [
        "agent Support",
        "  step Predict",
        "    call: main of Support",
        "  tool look_up",
        "    call: tool of Support",
        "  step Predict",
        "    call: main of Support",
        "  tool finish",
        "  step ChainOfThought",
        "    step Predict",
        "      call: main of Support",
    ]
    assert calls() == [
        "Support: main of Support",
        "Support: tool of Support",
        "Support: main of Support",
        "Support: main of Support",
    ]


def test_modules_inside_a_task_are_part_of_it(provider, calls):
    provider.script(says(answer="42"), times=None)

    with agenttrace.task("ticket"), agenttrace.agent("clerk"):
        dspy.Predict("question -> answer")(question="Secret words")

    assert calls() == ["ticket: main of clerk"]


def test_an_answer_from_the_cache_is_no_call(provider, calls):
    gpt = dspy.LM("openai/gpt-4o", api_base=provider.openai_base_url, api_key="test", cache=True)
    provider.script(says(answer="42"), times=None)
    ask = dspy.Predict("question -> answer")

    with dspy.context(lm=gpt), agenttrace.task("twice"):
        for _ in range(2):
            ask(question=f"Secret words of {provider.openai_base_url}")

    assert calls() == ["twice: main of nobody"]


@pytest.mark.parametrize("how", ["threads", "gather"])
def test_programs_that_run_side_by_side_keep_apart(how, provider, calls):
    provider.script(says(answer="42"), times=None)

    class Desk(dspy.Module):
        def __init__(self) -> None:
            super().__init__()
            self.ask = dspy.Predict("question -> answer")

        def forward(self, name: str) -> Any:
            with agenttrace.agent(name):
                return self.ask(question=name)

        async def aforward(self, name: str) -> Any:
            with agenttrace.agent(name):
                return await self.ask.acall(question=name)

    if how == "threads":
        dspy.Parallel(num_threads=3, disable_progress_bar=True)(
            [(Desk(), {"name": name}) for name in "abc"]
        )
    else:

        async def together() -> None:
            await asyncio.gather(*(Desk().acall(name=name) for name in "abc"))

        asyncio.run(together())

    assert sorted(calls()) == [f"Desk: main of {name}" for name in "abc"]


def test_an_error_keeps_its_type(provider, outline, recording):
    provider.script(Failure(401), times=None)

    with pytest.raises(Exception, match="401"):
        dspy.Predict("question -> answer")(question="Secret words")

    step, *rest = outline()
    assert step == "step Predict !"
    assert rest
    assert set(rest) == {"  call: main of nobody !"}
    for segment in (recording / "spool").glob("*-*"):
        assert b"Secret" not in segment.read_bytes()


def test_what_the_program_configures_stays(provider):
    mine = AgentTraceCallback()

    with dspy.context(callbacks=[mine]):
        found = dspy.settings.get("callbacks")

    assert found[0] is mine
    assert len(found) == 2


def test_nothing_is_recorded_after_the_hook_is_out(instrumented, provider, outline):
    provider.script(says(answer="42"))
    instrumented.uninstrument()

    with agenttrace.task("mine"):
        dspy.Predict("question -> answer")(question="Secret words")

    assert not hasattr(Settings.get, "__wrapped__")
    # Where the meter sees the request, it is of the task and of nothing of DSPy's.
    assert outline() in (["task mine"], ["task mine", "  call: main of nobody"])


def test_what_never_ends_is_given_up(recording, outline):
    callback = AgentTraceCallback()

    with ThreadPoolExecutor(1) as pool:  # What it leaves current stays in that thread.
        module = {"instance": dspy.Predict("a -> b"), "inputs": {}}
        pool.submit(callback.on_module_start, call_id="first", **module).result()

    assert len(callback) == 1
    callback._runs.clear()
    assert outline() == ["step Predict !"]
