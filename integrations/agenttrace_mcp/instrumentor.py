"""Hook into the MCP SDK: calls of tools, requests on their way out, requests that come in."""

import contextlib
import importlib.util
from collections.abc import Generator
from contextlib import ExitStack
from typing import ClassVar, Final

from agenttrace.integration import Instrumentor, replaced

_DISPATCHER: Final = "mcp.shared.jsonrpc_dispatcher"  # what version 2 has and version 1 had not


class MCPInstrumentor(Instrumentor):
    """Frames the tools that clients call, and carries the task along with the SDK's trace."""

    distribution: ClassVar = "mcp"
    module: ClassVar = "mcp"
    hook: ClassVar = "client calls, server middleware"
    tested: ClassVar = ("2.0", "2.3")

    @contextlib.contextmanager
    def hooked(self) -> Generator[None]:
        """Frame the tools that are called, and join the servers that are made, from now on."""
        if importlib.util.find_spec(_DISPATCHER) is None:
            yield
            return
        from mcp.client.client import Client
        from mcp.client.session import ClientSession
        from mcp.server.lowlevel.server import Server
        from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher

        from agenttrace_mcp import client, server

        with ExitStack() as hooks:
            for owner in (Client, ClientSession):
                hooks.enter_context(replaced(owner, "call_tool", client.tool_called))
            hooks.enter_context(
                replaced(ClientSession, "dispatch_input_request", client.answered_for_the_server)
            )
            hooks.enter_context(replaced(JSONRPCDispatcher, "send_raw_request", client.sent))
            hooks.enter_context(replaced(Server, "__init__", server.made))
            yield
