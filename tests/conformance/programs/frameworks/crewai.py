"""CrewAI: each agent of a crew makes the calls of its tasks."""

import os

os.environ["CREWAI_DISABLE_TELEMETRY"] = "true"
os.environ["CREWAI_TRACING_ENABLED"] = "false"

import crewai

from agenttrace.conformance.door import configure, task

configure()


def agent(role: str) -> crewai.Agent:
    llm = crewai.LLM(model="openai/gpt-4o", base_url=os.environ["OPENAI_BASE_URL"])
    return crewai.Agent(
        role=role, goal="Help.", backstory=f"[paper/{role}/main] A steady hand.", llm=llm
    )


work = [
    crewai.Task(agent=agent(role), description="A line, please.", expected_output="A line.")
    for role in ("writer", "checker")
]
with task("paper"):
    crewai.Crew(agents=[one.agent for one in work], tasks=work).kickoff()
