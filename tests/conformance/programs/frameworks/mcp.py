"""MCP: a model that a tool calls in the server's process is the tool's, for the client's task."""

import asyncio
import os
import sys

import httpx
from mcp import StdioServerParameters, stdio_client
from mcp.client import Client
from mcp.server import MCPServer

from agenttrace.conformance.door import agent, configure, task


def serve() -> None:
    server = MCPServer("library")

    @server.tool()
    def look_up(question: str) -> str:
        """Look something up."""
        body = {"model": "gpt-5", "input": "[answer/guide/tool] Which page?"}
        return httpx.post(f"{os.environ['OPENAI_BASE_URL']}/responses", json=body).text

    server.run("stdio")


async def main() -> None:
    command = StdioServerParameters(
        command=sys.executable, args=[__file__, "serve"], env=dict(os.environ)
    )
    async with Client(stdio_client(command)) as client:
        with task("answer"), agent("guide"):
            await client.call_tool("look_up", {"question": "What is a reef?"})


configure()
if sys.argv[1:]:
    serve()
else:
    asyncio.run(main())
