"""Listen to the messages that the SDK passes on, and follow the turns they belong to."""

import contextlib
from collections.abc import Generator
from contextlib import ExitStack
from typing import ClassVar

from agenttrace.integration import Instrumentor, replaced


class ClaudeAgentInstrumentor(Instrumentor):
    """Reads the messages of ``query`` and of ``ClaudeSDKClient`` as they pass."""

    distribution: ClassVar = "claude-agent-sdk"
    module: ClassVar = "claude_agent_sdk"
    hook: ClassVar = "messages of the child process"
    tested: ClassVar = ("0.1.58", "0.2.187")

    @contextlib.contextmanager
    def hooked(self) -> Generator[None]:
        """Record the turns that begin from now on."""
        from claude_agent_sdk import ClaudeSDKClient

        # ``query`` itself may be imported by name already; what it calls is not.
        from claude_agent_sdk._internal.client import InternalClient
        from claude_agent_sdk._internal.query import Query

        import agenttrace
        from agenttrace_claude_agent import listening

        agenttrace.configure()
        with ExitStack() as hooks:
            for owner, name, wrap in (
                (InternalClient, "process_query", listening.queried),
                (ClaudeSDKClient, "connect", listening.connected),
                (ClaudeSDKClient, "query", listening.asked),
                (ClaudeSDKClient, "receive_messages", listening.received),
                (ClaudeSDKClient, "disconnect", listening.left),
                (Query, "_handle_sdk_mcp_request", listening.tool_used),
            ):
                hooks.enter_context(replaced(owner, name, wrap))
            yield
