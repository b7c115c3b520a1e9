"""Tools of another process: whose they are, and whose the model calls inside them are."""

import asyncio
import json
import sys
from typing import Any

import httpx
import pytest
from mcp.client import Client
from mcp.server import MCPServer
from mcp.shared.exceptions import MCPError
from mcp_types import CreateMessageResult, TextContent

import agenttrace
from agenttrace.integration import carried, extract, inject
from agenttrace.testing import Reply
from agenttrace_mcp import MCPInstrumentor


@pytest.fixture
def near(provider: Any) -> MCPServer:
    """A server in this process, where a process of its own would show nothing more."""
    server = MCPServer("near")

    @server.tool()
    async def say() -> str:
        """Ask a model."""
        return await ask(provider)

    @server.tool()
    async def burn() -> str:
        """Fail."""
        raise ValueError("the secret of the house")

    return server


async def ask(provider: Any) -> str:
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            f"{provider.openai_base_url}/chat/completions",
            headers={"authorization": "Bearer test"},
            json={"model": "gpt-5", "messages": [{"role": "user", "content": "Say"}]},
        )
    return answer.json()["choices"][0]["message"]["content"]


TRANSPORTS = pytest.mark.parametrize("transport", ["stdio", "http"])
MODES = pytest.mark.parametrize("mode", ["auto", "legacy"])


@TRANSPORTS
@MODES
async def test_a_call_in_the_servers_process_is_the_tools(
    transport, mode, connect, outline, spooled
):
    async with connect(transport, mode=mode) as client:
        with agenttrace.task("ticket", session="chat 7"), agenttrace.agent("helper"):
            result = await client.call_tool("sum_up", {"model": "gpt-5-mini"})

    assert not result.is_error
    assert outline() == [
        "task ticket",
        "  agent helper",
        "    tool sum_up",
        "      wire gpt-5-mini: tool of helper",
    ]
    assert len({record["trace_id"] for record in spooled()}) == 1
    places = {
        (said["task.id"], said["agenttrace.task.name"], said["gen_ai.conversation.id"])
        for said in (record["attributes"] for record in spooled())
    }
    assert len(places) == 1


async def test_an_agent_of_the_server_is_a_sub_agent_of_the_clients(connect, outline):
    async with connect("http") as client:
        with agenttrace.agent("helper"):
            await client.call_tool("delegate", {"model": "gpt-5-mini"})

    assert outline() == [
        "agent helper",
        "  tool delegate",
        "    agent clerk",
        "      wire gpt-5-mini: subagent of clerk",
    ]


@pytest.mark.filterwarnings("ignore:.*SEP-2577.*")  # sampling is on its way out of the protocol
@pytest.mark.parametrize(("transport", "mode"), [("stdio", "legacy"), ("http", "auto")])
async def test_what_a_server_has_the_client_sample_is_the_tools(
    transport, mode, connect, provider, outline
):
    async def sampled(context: Any, params: Any) -> CreateMessageResult:
        text = TextContent(type="text", text=await ask(provider))
        return CreateMessageResult(role="assistant", content=text, model="gpt-5")

    async with connect(transport, mode=mode, sampling_callback=sampled) as client:
        with agenttrace.task("ticket"):
            await client.call_tool("sample", {})

    assert outline() == ["task ticket", "  tool sample", "    wire gpt-5: tool of nobody"]


async def test_concurrent_tasks_keep_apart(connect, spooled):
    async with connect("http") as client:

        async def one(number: int) -> None:
            with agenttrace.task(f"work {number}"), agenttrace.agent(f"agent {number}"):
                await client.call_tool("sum_up", {"model": f"model-{number}"})

        await asyncio.gather(*(one(number) for number in range(5)))

    found = {
        (said["gen_ai.request.model"], said["agenttrace.task.name"], said["gen_ai.agent.name"])
        for said in (record["attributes"] for record in spooled())
        if said["agenttrace.kind"] == "inference"
    }
    assert found == {(f"model-{n}", f"work {n}", f"agent {n}") for n in range(5)}


async def test_a_tool_that_fails_is_recorded_without_its_message(near, outline, spooled):
    async with Client(near) as client:
        result = await client.call_tool("burn", {})
    assert result.is_error
    assert outline() == ["tool burn !tool_error"]
    assert "secret" not in json.dumps(spooled())


async def test_a_tool_that_is_given_up_is_recorded_by_the_type_of_that(near, provider, outline):
    provider.script(Reply("Late.", delay_s=0.5))
    async with Client(near, mode="legacy") as client:
        with pytest.raises(MCPError):
            await client.call_tool("say", {}, read_timeout_seconds=0.05)
    assert outline()[0] == "tool say !MCPError"


async def test_a_tool_nobody_asked_for_within_a_task_begins_one_in_the_server(connect, outline):
    MCPInstrumentor().uninstrument()
    async with connect("stdio") as client:
        await client.call_tool("sum_up", {"model": "gpt-5-mini"})
    assert outline() == ["tool sum_up", "  wire gpt-5-mini: tool of nobody"]


async def test_a_server_without_agenttrace_is_sent_what_other_tracers_need(connect, spooled):
    async with connect("stdio", "plain") as client:
        with agenttrace.task("ticket", id="T-1"):
            result = await client.call_tool("meta", {})
    (tool,) = (record for record in spooled() if record["name"] == "meta")
    meta = result.structured_content
    assert meta["traceparent"].split("-")[1:3] == [tool["trace_id"], tool["span_id"]]
    assert "task.id=T-1" in meta["baggage"].split(",")


async def test_a_tool_that_a_framework_frames_is_one_tool(near, outline):
    async with Client(near) as client:
        with agenttrace.tool("say"):
            await client.call_tool("say", {})
    assert outline() == ["tool say", "  wire gpt-5: tool of nobody"]


async def test_a_session_by_itself_frames_its_tools(near, outline):
    async with Client(near) as client:
        await client.session.call_tool("say", {})
    assert outline() == ["tool say", "  wire gpt-5: tool of nobody"]


@MODES
async def test_a_server_in_the_same_process_is_joined_too(mode, near, outline):
    async with Client(near, mode=mode) as client:
        with agenttrace.task("ticket"):
            await client.call_tool("say", {})
    assert outline() == ["task ticket", "  tool say", "    wire gpt-5: tool of nobody"]
    assert agenttrace.current() is None


async def test_after_uninstrument_nothing_is_hooked(connect, outline):
    from mcp.client.session import ClientSession
    from mcp.server.lowlevel.server import Server
    from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher

    MCPInstrumentor().uninstrument()
    for hooked in (
        Client.call_tool,
        ClientSession.call_tool,
        ClientSession.dispatch_input_request,
        JSONRPCDispatcher.send_raw_request,
        Server.__init__,
    ):
        assert not hasattr(hooked, "__wrapped__")
    async with connect("stdio", "plain") as client:
        with agenttrace.task("ticket"):
            result = await client.call_tool("meta", {})
    assert "traceparent" not in result.structured_content
    assert outline() == ["task ticket"]


async def test_a_server_made_before_uninstrument_frames_nothing_more(near, outline):
    MCPInstrumentor().uninstrument()
    async with Client(near) as client:
        await client.call_tool("say", {})
    assert outline() == ["wire gpt-5: main of nobody"]


def test_nothing_current_is_nothing_to_carry(recording):
    assert inject() == {}
    assert extract({}) is None
    assert extract({"traceparent": "nonsense", "baggage": 7}) is None


def test_what_is_injected_is_extracted_in_its_place(recording):
    with agenttrace.task("ticket", id="T-1"), agenttrace.agent("helper") as helper:
        fields = inject()
    found = extract({**fields, "progressToken": 3})
    assert found is not None
    assert (found.task_id, found.agent, found.agent_depth) == ("T-1", "helper", 1)
    assert found.span_context.span_id == helper.span_context.span_id


def test_the_carried_context_ends_with_its_block(recording):
    from opentelemetry import baggage, trace

    with agenttrace.task("ticket", id="T-1") as ticket:
        with carried():
            span = trace.get_current_span().get_span_context()
            assert span.span_id == ticket.span_context.span_id
            assert baggage.get_baggage("agenttrace.task.name") == "ticket"
        assert not trace.get_current_span().get_span_context().is_valid
        assert baggage.get_baggage("agenttrace.task.name") is None


def test_version_1_of_the_sdk_is_left_alone(monkeypatch):
    MCPInstrumentor().uninstrument()
    monkeypatch.setattr("agenttrace_mcp.instrumentor._DISPATCHER", "mcp.shared.no_such_module")
    with MCPInstrumentor().hooked():
        assert not hasattr(Client.call_tool, "__wrapped__")
    assert "mcp" in sys.modules
