"""Agents that talk to the provider, with the integration on."""

import asyncio
import warnings
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("google.adk")
anthropic = pytest.importorskip("anthropic")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # ADK uses what its own dependencies deprecated.
    import google.adk.agents
    import google.adk.models.anthropic_llm
    import google.adk.runners
    import google.adk.sessions
    from google.adk.agents.run_config import StreamingMode
    from google.genai import types

from agenttrace.testing import ModelProvider  # noqa: E402
from agenttrace_adk import AdkInstrumentor  # noqa: E402


@pytest.fixture
def instrumented(recording: Path) -> Iterator[None]:
    AdkInstrumentor().instrument()
    yield
    AdkInstrumentor().uninstrument()


class Team:
    """Makes agents that talk to the provider, and runs them."""

    def __init__(self, provider: ModelProvider) -> None:
        self.provider = provider
        self._clients: list[Any] = []

    def agent(self, name: str, **options: Any) -> Any:
        options.setdefault("description", name)
        return google.adk.agents.LlmAgent(
            name=name, model=self.claude(), instruction=f"You are {name}.", **options
        )

    def claude(self) -> Any:
        llm = google.adk.models.anthropic_llm.AnthropicLlm(model="claude-haiku-4-5")
        # Older versions of ADK make it from the environment and have no argument for it.
        llm.__dict__["_anthropic_client"] = self.client()
        return llm

    def client(self) -> Any:
        client = anthropic.AsyncAnthropic(base_url=self.provider.anthropic_base_url, api_key="test")
        self._clients.append(client)
        return client

    def run(self, *runs: Coroutine[Any, Any, None]) -> None:
        """Do all *runs* at once, and close what they used."""

        async def closing() -> None:
            try:
                await asyncio.gather(*runs)
            finally:
                for client in self._clients:
                    await client.close()

        asyncio.run(closing())

    async def turn(
        self,
        agent: Any,
        text: str = "Go",
        *,
        session: str = "S-1",
        streaming: bool = False,
        **options: Any,
    ) -> None:
        """Let *agent*, or an app's, answer in a session of its own."""
        sessions = google.adk.sessions.InMemorySessionService()
        given = {"app_name": "app", "agent": agent} if agent is not None else {}
        runner = google.adk.runners.Runner(**given, session_service=sessions, **options)
        await sessions.create_session(app_name="app", user_id="u", session_id=session)
        mode = StreamingMode.SSE if streaming else StreamingMode.NONE
        async for _ in runner.run_async(
            user_id="u",
            session_id=session,
            new_message=types.Content(role="user", parts=[types.Part(text=text)]),
            run_config=google.adk.agents.RunConfig(streaming_mode=mode),
        ):
            pass


@pytest.fixture
def team(provider: ModelProvider) -> Team:
    return Team(provider)
