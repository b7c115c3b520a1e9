"""A real multi-agent program, the way people write them: a team answers a question about tea.

It knows nothing of the provider it talks to (the SDKs take that from their environment variables)
and of agenttrace only what its users know: ``configure``, ``instrument`` and a few frames. What is
hard to count is here on purpose: retries, caches, reasoning, a tool that calls a model, a summary,
threads, a child process, a stream that says no usage and one that is left half-way.

``agenttrace demo`` runs it. It prints what the framework's own counter saw, as JSON.
"""

# LangChain and LangGraph leave parts of their types open, which a strict checker minds.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportMissingTypeStubs=false

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Literal, TypedDict, cast

import anthropic
import openai
from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware
from langchain_anthropic import ChatAnthropic
from langchain_anthropic.middleware import AnthropicPromptCachingMiddleware
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.outputs import LLMResult
from langchain_core.tools import BaseTool, tool
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel

import agenttrace
from agenttrace.demo import texts

LARGE: Final = "gpt-5"
SMALL: Final = "gpt-5-mini"
TINY: Final = "gpt-5-nano"
WRITING: Final = "claude-sonnet-4-5"
EXPERT: Final = "claude-haiku-4-5"
EMBEDDING: Final = "text-embedding-3-small"


class FrameworkCounter(UsageMetadataCallbackHandler):
    """LangChain's own counter of tokens, and how many answers it was told of."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Count an answer."""
        self.calls += 1
        super().on_llm_end(response, **kwargs)


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of the library, and where it lies among all texts."""

    text: str
    vector: list[float]


@agenttrace.task("index the library", headless=True, project="canteen")
def index(texts: Sequence[str]) -> list[Passage]:
    """Embed *texts*, three at a time, in a few threads."""
    batches = [texts[at : at + 3] for at in range(0, len(texts), 3)]
    with ThreadPoolExecutor(3) as pool:
        vectors = [vector for batch in pool.map(embed, batches) for vector in batch]
    return [Passage(*pair) for pair in zip(texts, vectors, strict=True)]


def embed(texts: Sequence[str]) -> list[list[float]]:
    """Return a vector for each text."""
    with openai.OpenAI() as client:
        made = client.embeddings.create(model=EMBEDDING, input=list(texts))
    return [item.embedding for item in made.data]


def library_tool(library: Sequence[Passage]) -> BaseTool:
    """Return a tool that searches *library*; a small model grades what it finds."""

    @tool
    def search(query: str) -> str:
        """Search the house's library."""
        [wanted] = embed([query])
        nearest = sorted(library, key=lambda one: -_alike(one.vector, wanted))[:3]
        with ThreadPoolExecutor(3) as pool:
            grades = pool.map(lambda passage: grade(query, passage.text), nearest)
        return "\n\n".join(
            f"({mark}) {one.text}" for mark, one in zip(grades, nearest, strict=True)
        )

    return search


def grade(query: str, passage: str) -> str:
    """Return what a tiny model thinks of a passage."""
    with openai.OpenAI() as client:
        return client.responses.create(
            model=TINY, instructions=texts.GRADER, input=f"{query}\n\n{passage}"
        ).output_text


def _alike(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


@tool
def ask_expert(question: str) -> str:
    """Ask a tea grower, who is a model himself and reads the handbook each time."""
    with anthropic.Anthropic() as client:
        message = client.messages.create(
            model=EXPERT,
            max_tokens=400,
            system=[
                {
                    "type": "text",
                    "text": texts.EXPERT,
                    "cache_control": {"type": "ephemeral", "ttl": "1h"},
                }
            ],
            messages=[{"role": "user", "content": question}],
        )
    return "".join(block.text for block in message.content if block.type == "text")


@tool
def check_facts(claims: list[str]) -> str:
    """Have claims checked, in a process of their own."""
    command = [sys.executable, "-m", "agenttrace.demo.checker", *claims]
    # The child joins the task that is under way here: environ() says which one that is.
    env = agenttrace.environ()
    # Arguments are passed as they are, past any shell.
    done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return done.stdout


class State(TypedDict):
    """What the team hands on; empty until somebody has written it."""

    question: str
    notes: str
    draft: str
    next: str
    answer: str


class Decision(BaseModel):
    """Who works next."""

    next: Literal["researcher", "writer", "nobody"]


def team(library: Sequence[Passage]) -> Any:
    """Return the graph: a supervisor, a researcher and a writer."""
    router = ChatOpenAI(model=LARGE, reasoning_effort="low").with_structured_output(Decision)
    editor = ChatOpenAI(model=LARGE, stream_usage=True)
    writing = ChatAnthropic(
        model_name=WRITING,
        max_tokens_to_sample=4000,
        thinking={"type": "enabled", "budget_tokens": 2000},
        timeout=None,
        stop=None,
    )
    researcher = create_agent(
        ChatOpenAI(model=SMALL),
        [library_tool(library), ask_expert],
        system_prompt=texts.RESEARCHER,
        middleware=[
            SummarizationMiddleware(
                ChatOpenAI(model=TINY), trigger=("messages", 7), keep=("messages", 2)
            )
        ],
        name="researcher",
    )
    writer = create_agent(
        writing,
        [check_facts],
        system_prompt=texts.WRITER,
        middleware=[AnthropicPromptCachingMiddleware()],
        name="writer",
    )

    def supervise(state: State) -> dict[str, str]:
        done = [name for name in ("notes", "draft") if state[name]]
        asked = f"{state['question']}\nThere is: {' and '.join(done) or 'nothing'}."
        with agenttrace.role("router"):
            decision = router.invoke([SystemMessage(texts.SUPERVISOR), HumanMessage(asked)])
        return {"next": cast("Decision", decision).next}

    def research(state: State) -> dict[str, str]:
        return {"notes": _last_text(researcher, state["question"])}

    def write(state: State) -> dict[str, str]:
        return {"draft": _last_text(writer, f"{state['question']}\n\nNotes:\n{state['notes']}")}

    def answer(state: State) -> dict[str, str]:
        asked = f"{state['question']}\n\nDraft:\n{state['draft']}"
        chunks = editor.stream([SystemMessage(texts.ANSWER), HumanMessage(asked)])
        return {"answer": "".join(chunk.text for chunk in chunks)}

    graph = StateGraph(State)
    graph.add_node("supervise", supervise)
    graph.add_node("researcher", research)
    graph.add_node("writer", write)
    graph.add_node("answer", answer)
    graph.add_edge(START, "supervise")
    graph.add_conditional_edges(
        "supervise",
        lambda state: state["next"],
        {"researcher": "researcher", "writer": "writer", "nobody": "answer"},
    )
    graph.add_edge("researcher", "supervise")
    graph.add_edge("writer", "supervise")
    graph.add_edge("answer", END)
    return graph.compile(name="supervisor")


def _last_text(agent: Any, asked: str) -> str:
    return agent.invoke({"messages": [HumanMessage(asked)]})["messages"][-1].text


@agenttrace.task("write a brief", project="canteen")
def write_brief(question: str, library: Sequence[Passage], counter: FrameworkCounter) -> str:
    """Let the team answer *question*."""
    agenttrace.task.user_turn()
    start = State(question=question, notes="", draft="", next="", answer="")
    brief = team(library).invoke(start, config={"callbacks": [counter]})["answer"]
    agenttrace.task.outcome("success", reference="brief 1")
    return brief


@agenttrace.task("chat", session="canteen", workload="user-facing", project="canteen")
def chat(question: str, *, sentences: int | None = None) -> str:
    """Answer in a stream; a user who has read enough leaves after so many *sentences*."""
    agenttrace.task.user("guest 7")
    agenttrace.task.user_turn()
    said = ""
    with (
        openai.OpenAI() as client,
        client.chat.completions.create(
            model=SMALL,
            messages=[
                {"role": "system", "content": texts.CHAT},
                {"role": "user", "content": question},
            ],
            stream=True,
        ) as chunks,
    ):
        for chunk in chunks:
            said += chunk.choices[0].delta.content or ""
            if sentences is not None and said.count(".") >= sentences:
                agenttrace.task.outcome("abandoned")
                return said
    agenttrace.task.outcome("success")
    return said


def main() -> None:
    """Do three kinds of work; print what LangChain counted."""
    agenttrace.configure(service_name="agenttrace-demo")
    agenttrace.instrument("langchain")
    counter = FrameworkCounter()
    library = index(texts.LIBRARY)
    write_brief(texts.QUESTION, library, counter)
    chat("Is there tea without caffeine?")
    chat("And what about coffee?", sentences=1)
    json.dump({"calls": counter.calls, "models": counter.usage_metadata}, sys.stdout)


if __name__ == "__main__":
    main()
