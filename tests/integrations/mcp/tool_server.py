"""A tool server of its own process: ``python tool_server.py stdio`` or ``http``."""

import os
import socket
import sys
from typing import Annotated, Any

import httpx
import uvicorn
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import Resolve, Sample
from mcp_types import CreateMessageResult, SamplingMessage, TextContent
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import agenttrace
from agenttrace_mcp import MCPInstrumentor


def ask(model: str) -> str:
    """Ask a model as any program would."""
    answer = httpx.post(
        f"{os.environ['OPENAI_BASE_URL']}/chat/completions",
        headers={"authorization": "Bearer test"},
        json={"model": model, "messages": [{"role": "user", "content": "Sum up"}]},
    )
    return answer.json()["choices"][0]["message"]["content"]


def make() -> MCPServer:
    """Make the server."""
    server = MCPServer("tools")

    @server.tool()
    def sum_up(model: str) -> str:
        """Ask a model."""
        return ask(model)

    @server.tool()
    def delegate(model: str) -> str:
        """Ask a model as an agent of this server's own."""
        with agenttrace.agent("clerk"):
            return ask(model)

    @server.tool()
    def burn() -> str:
        """Fail."""
        raise ValueError("the secret of the house")

    def wanted() -> Sample:
        said = TextContent(type="text", text="Say something")
        return Sample([SamplingMessage(role="user", content=said)], max_tokens=50)

    @server.tool()
    def sample(answer: Annotated[CreateMessageResult, Resolve(wanted)]) -> str:
        """Have the client ask its model."""
        return str(answer.content)

    @server.tool()
    def meta(ctx: Context) -> dict[str, Any]:
        """Say what came with the request."""
        return dict(ctx.request_context.meta or {})

    return server


def main() -> None:
    """Serve."""
    if "spans" in sys.argv:
        trace.set_tracer_provider(TracerProvider())
    agenttrace.configure()
    if "plain" not in sys.argv:
        MCPInstrumentor().instrument()
    server = make()
    if "stdio" in sys.argv:
        server.run()
        return
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    app = server.streamable_http_app()
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listening])


if __name__ == "__main__":
    main()
