"""Agents, managed agents, tools and planning of smolagents: who made which call, and as what."""

import inspect
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
import smolagents
from smolagents import AgentGenerationError, FinalAnswerStep, MultiStepAgent, Tool

import agenttrace
from agenttrace.testing import Failure, Reply, ToolCall
from agenttrace_smolagents import SmolagentsInstrumentor

BOTH_KINDS = pytest.mark.parametrize("codes", [False, True])
BOTH_WAYS = pytest.mark.parametrize("stream", [False, True])


class Double(Tool):
    """A tool that asks a model by itself, where it is told of one."""

    name = "double"
    description = "Double a number."
    inputs = {"number": {"type": "integer", "description": "The number"}}  # noqa: RUF012
    output_type = "integer"
    provider: Any = None

    def forward(self, number: int) -> int:
        if self.provider is not None:
            with openai.OpenAI(base_url=self.provider.openai_base_url, api_key="test") as client:
                client.chat.completions.create(
                    model="gpt-4o-mini", messages=[{"role": "user", "content": str(number)}]
                )
        return 2 * number


def says(codes: bool, tool: str, **arguments: Any) -> Reply:
    """What the model answers to have *tool* called: a call, or code."""
    if not codes:
        return Reply(tool_calls=[ToolCall(tool, arguments)])
    given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    call = f"{tool}({given})"
    return Reply(f"Thought: go on.\n<code>\n{call}\n</code>")


def script(provider: Any, name: str, *replies: Any) -> None:
    provider.script(*replies, when=lambda request: f"You are {name}." in request.prompt)


def drive(agent: Any, text: str = "Go", *, stream: bool = False) -> Any:
    if not stream:
        return agent.run(text)
    *_, last = agent.run(text, stream=True)
    assert isinstance(last, FinalAnswerStep)
    return last.output


@BOTH_KINDS
@BOTH_WAYS
@pytest.mark.usefixtures("instrumented")
def test_a_managed_agent_is_a_sub_agent(stream, codes, team, calls, outline):
    provider = team.provider
    script(
        provider,
        "supervisor",
        says(codes, "researcher", task="tides"),
        says(codes, "final_answer", answer="All done."),
    )
    script(provider, "researcher", says(codes, "final_answer", answer="The moon."))
    researcher = team.agent("researcher", codes=codes)
    supervisor = team.agent("supervisor", codes=codes, managed_agents=[researcher])

    assert drive(supervisor, stream=stream) == "All done."

    assert outline() == [
        "agent supervisor",
        "  wire gpt-4o: main of supervisor",
        "  agent researcher",
        "    wire gpt-4o: subagent of researcher",
        "    tool final_answer",
        "  wire gpt-4o: main of supervisor",
        "  tool final_answer",
    ]
    assert calls() == [
        "supervisor: main of supervisor",
        "supervisor: subagent of researcher",
        "supervisor: main of supervisor",
    ]


@BOTH_KINDS
def test_a_call_that_a_tool_makes_by_itself_is_the_tools(
    codes, instrumented, team, provider, calls
):
    script(
        provider,
        "counter",
        says(codes, "double", number=2),
        says(codes, "final_answer", answer=4),
    )
    tool = Double()
    tool.provider = provider

    assert drive(team.agent("counter", codes=codes, tools=[tool])) == 4

    assert calls() == [
        "counter: main of counter",
        "counter: tool of counter",
        "counter: main of counter",
    ]


def test_tools_that_run_in_parallel_keep_apart(instrumented, team, provider, outline, calls):
    both = [ToolCall("double", {"number": 1}), ToolCall("double", {"number": 2})]
    script(provider, "counter", Reply(tool_calls=both), says(False, "final_answer", answer="4"))
    tool = Double()
    tool.provider = provider

    drive(team.agent("counter", tools=[tool]))

    assert outline()[2:6] == ["  tool double", "    wire gpt-4o-mini: tool of counter"] * 2
    assert len(calls()) == 4


@BOTH_WAYS
@pytest.mark.usefixtures("instrumented")
def test_planning_is_a_step_of_the_agent(stream, team, provider, outline, calls):
    script(provider, "planner", says(False, "final_answer", answer="Done."))

    drive(team.agent("planner", planning_interval=1), stream=stream)

    assert outline() == [
        "agent planner",
        "  step planning",
        "    wire gpt-4o: main of planner",
        "  wire gpt-4o: main of planner",
        "  tool final_answer",
    ]
    assert calls() == ["planner: main of planner"] * 2


def test_the_consumer_of_a_stream_is_not_inside_the_run(instrumented, team, provider, calls):
    script(provider, "writer", says(False, "final_answer", answer="Done."))
    with openai.OpenAI(base_url=provider.openai_base_url, api_key="test") as client:
        for _ in team.agent("writer").run("Go", stream=True):
            client.models.list()
            assert agenttrace.current() is None
    assert calls() == ["writer: main of writer"]


def test_a_stream_that_is_left_ends_its_run(instrumented, team, provider, outline):
    steps = team.agent("writer", planning_interval=1).run("Go", stream=True)
    next(steps)
    steps.close()
    assert agenttrace.current() is None
    assert outline()[:2] == ["agent writer", "  step planning"]


def test_runs_in_threads_keep_their_tasks_and_agents(instrumented, team, provider, calls):
    answer = Reply(tool_calls=[ToolCall("final_answer", {"answer": "Done."})], delay_s=0.02)
    provider.script(answer, times=None)
    agents = [team.agent(f"agent_{number}") for number in range(4)]

    with ThreadPoolExecutor() as pool:
        list(pool.map(drive, agents))

    assert sorted(calls()) == [f"agent_{n}: main of agent_{n}" for n in range(4)]


def test_a_task_around_a_run_names_it(instrumented, team, provider, calls):
    script(provider, "writer", says(False, "final_answer", answer="Done."))
    with agenttrace.task("report"):
        drive(team.agent("writer"))
    assert calls() == ["report: main of writer"]


def test_an_agent_without_a_name_has_that_of_its_class(instrumented, team, provider, calls):
    provider.script(says(True, "final_answer", answer="Done."))
    drive(team.agent(None, codes=True))
    assert calls() == ["CodeAgent: main of CodeAgent"]


@BOTH_WAYS
@pytest.mark.usefixtures("instrumented")
def test_an_error_keeps_its_type_and_not_its_text(stream, team, provider, outline, spooled):
    provider.script(Failure(400))
    with pytest.raises(AgentGenerationError):
        drive(team.agent("writer"), "Secret words", stream=stream)
    assert outline() == [
        "agent writer !AgentGenerationError",
        "  wire gpt-4o: main of writer !400",
    ]
    assert "Secret" not in str(spooled())


def test_nothing_that_was_said_is_recorded(instrumented, team, provider, spooled):
    script(
        provider,
        "writer",
        says(False, "final_answer", answer="Secret answer"),
    )
    drive(team.agent("writer"), "Secret words")
    assert "secret" not in str(spooled()).lower()


def test_runs_are_not_recorded_after_uninstrument(recording, team, provider, calls):
    before = (MultiStepAgent.run, MultiStepAgent._generate_planning_step, Tool.__call__)
    SmolagentsInstrumentor().instrument()
    assert MultiStepAgent.run is not before[0]
    SmolagentsInstrumentor().uninstrument()
    assert (MultiStepAgent.run, MultiStepAgent._generate_planning_step, Tool.__call__) == before

    script(provider, "writer", says(False, "final_answer", answer="Done."))
    drive(team.agent("writer"))
    assert calls() == ["None: main of nobody"]


def test_what_is_wrapped_looks_as_it_did(instrumented):
    assert "stream" in inspect.signature(smolagents.CodeAgent.run).parameters
    assert Tool.__call__.__name__ == "__call__"


def test_it_is_hooked_when_it_is_imported_afterwards(home):
    program = (
        "import agenttrace_smolagents\n"
        "agenttrace_smolagents.SmolagentsInstrumentor().instrument()\n"
        "from smolagents import MultiStepAgent\n"
        "assert MultiStepAgent.run.__wrapped__\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_wrapped_is_the_same_kind_of_function_as_before(instrumented):
    planning = MultiStepAgent._generate_planning_step
    assert inspect.isgeneratorfunction(planning)
    assert pickle.loads(pickle.dumps(planning)) is planning
