"""Programs that say a word wherever a program of a user says something.

Each is called as ``program(say, world)`` and returns what came back; what went out, the provider
has heard. Names that people give (of tasks, agents, tools and models), ids and types of errors are
recorded on purpose, so no word is in one.
"""

import asyncio
import base64
import contextlib
import io
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import anthropic
import boto3
import cohere
import httpx
import ollama
import openai
import requests
from google import genai
from google.genai import types
from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langgraph.graph import END, START, MessagesState, StateGraph
from opentelemetry import baggage, context

import agenttrace
from agenttrace.testing import Failure, ModelProvider, Reply, ToolCall
from agenttrace_langchain import AgentTraceCallbackHandler
from tests.privacy.canary import Say


@dataclass(frozen=True, slots=True)
class World:
    """What programs talk to.

    Attributes:
        provider: Plays every model.
        look: Notes what is on the disk right now.
    """

    provider: ModelProvider
    look: Callable[[], None]


Program = Callable[[Say, World], object]


def _data_url(text: str) -> str:
    return "data:image/png;base64," + base64.b64encode(text.encode()).decode()


def _schema(say: Say) -> dict[str, Any]:
    return {
        "type": "object",
        "description": say("schema"),
        "properties": {"answer": {"type": "string", "description": say("property")}},
        "required": ["answer"],
        "additionalProperties": False,
    }


def _function(say: Say) -> dict[str, Any]:
    return {"name": "look_up", "description": say("tool description"), "parameters": _schema(say)}


def openai_chat(say: Say, world: World) -> object:
    world.provider.script(
        Reply(
            tool_calls=[ToolCall("look_up", {"answer": say("tool arguments")})],
            headers={"x-note": say("response header")},
        ),
        Reply(say("completion"), thinking=say("thinking")),
    )
    messages: list[Any] = [
        {"role": "system", "content": say("system prompt")},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": say("prompt")},
                {"type": "image_url", "image_url": {"url": _data_url(say("image"))}},
                {"type": "file", "file": {"file_data": _data_url(say("file")), "filename": "f"}},
            ],
            "name": say("user name"),
        },
    ]
    asked: dict[str, Any] = {
        "model": "gpt-5",
        "messages": messages,
        "tools": [{"type": "function", "function": _function(say)}],
        "user": say("user"),
        "metadata": {"note": say("metadata")},
        "safety_identifier": say("safety identifier"),
        "prompt_cache_key": say("cache key"),
        "stop": [say("stop sequence")],
        "extra_headers": {"x-note": say("request header")},
        "extra_query": {"api-key": say("key in the query")},
        "extra_body": {"note": say("extra body")},
    }
    client = openai.OpenAI(
        api_key=say("api key"), organization=say("organization"), project=say("project")
    )
    with client:
        first = client.chat.completions.with_raw_response.create(**asked)
        message = first.parse().choices[0].message
        assert message.tool_calls
        result = {
            "role": "tool",
            "tool_call_id": message.tool_calls[0].id,
            "content": say("tool result"),
        }
        messages += [message, result]
        second = client.chat.completions.create(**asked)
    # Reasoning of a chat is billed and never shown.
    return dict(first.headers), message, second, say("thinking")


def openai_stream(say: Say, world: World) -> object:
    world.provider.script(
        Reply(f"{say('first chunk')} and {say('second chunk')}"),
        Reply(f"{say('last chunk before it was left')} and more", stall_after=2),
        Reply(f"{say('chunk before it was cut')} and more", cut_after=2),
        Failure(529, after=1, message=say("error in the stream")),
    )
    heard: list[object] = []
    with openai.OpenAI(max_retries=0) as client:
        for _ in range(4):
            with contextlib.suppress(openai.APIError, httpx.HTTPError):
                for chunk in client.chat.completions.create(
                    model="gpt-5",
                    messages=[{"role": "user", "content": say("prompt")}],
                    stream=True,
                ):
                    heard.append(chunk)
                    if say("last chunk before it was left") in str(chunk):
                        world.look()
                        break
    return heard, say("error in the stream"), say("last chunk before it was left")


def openai_responses(say: Say, world: World) -> object:
    world.provider.script(
        Reply(say("completion"), thinking=say("thinking")), json.dumps({"answer": say("parsed")})
    )
    with openai.OpenAI() as client:
        first = client.responses.create(
            model="gpt-5",
            instructions=say("instructions"),
            input=[
                {"role": "developer", "content": say("developer")},
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": say("prompt")},
                        {
                            "type": "input_image",
                            "image_url": _data_url(say("image")),
                            "detail": "low",
                        },
                        {"type": "input_file", "file_data": _data_url(say("file"))},
                    ],
                },
            ],
            tools=[{"type": "function", "strict": True, **_function(say)}],
            metadata={"note": say("metadata")},
            user=say("user"),
            reasoning={"summary": "detailed"},
        )
        second = client.responses.create(
            model="gpt-5",
            input=say("structured prompt"),
            previous_response_id=first.id,
            text={"format": {"type": "json_schema", "name": "a", "schema": _schema(say)}},
        )
    return first, second


def openai_other_work(say: Say, world: World) -> object:
    sound = io.BytesIO(b"RIFF" + say("sound").encode())
    sound.name = "note.wav"
    world.provider.script(
        Reply(say("transcript")), when=lambda request: request.operation == "transcription"
    )
    with openai.OpenAI() as client:
        client.embeddings.create(model="e-3", input=[say("embedded")], user=say("user"))
        client.moderations.create(model="m-1", input=say("moderated"))
        client.images.generate(model="i-1", prompt=say("picture"))
        client.audio.speech.create(model="s-1", voice="alloy", input=say("spoken"))
        heard = client.audio.transcriptions.create(
            model="t-1", file=sound, prompt=say("transcription prompt")
        )
        client.completions.create(
            model="c-1", prompt=say("completion prompt"), suffix=say("suffix")
        )
    return heard


def openai_batch(say: Say, world: World) -> object:
    body = {"model": "gpt-5", "messages": [{"role": "user", "content": say("prompt")}]}
    line = {"custom_id": say("custom id"), "method": "POST", "url": "/v1/chat/completions"}
    world.provider.script(Reply(say("completion")))
    with openai.OpenAI() as client:
        content = json.dumps({**line, "body": body}).encode()
        file = client.files.create(file=("lines.jsonl", content), purpose="batch")
        batch = client.batches.create(
            input_file_id=file.id,
            endpoint="/v1/chat/completions",
            completion_window="24h",
            metadata={"note": say("metadata")},
        )
        batch = client.batches.retrieve(batch.id)
        assert batch.output_file_id
        return client.files.content(batch.output_file_id).text


def openai_realtime(say: Say, world: World) -> object:
    world.provider.script(Reply(say("completion")), when=lambda request: True)

    async def talk() -> list[object]:
        heard: list[object] = []
        async with (
            openai.AsyncOpenAI(api_key=say("api key")) as client,
            client.realtime.connect(
                model="gpt-realtime", extra_headers={"x-note": say("request header")}
            ) as connection,
        ):
            said = {"type": "input_text", "text": say("prompt")}
            item: Any = {"type": "message", "role": "user", "content": [said]}
            await connection.conversation.item.create(item=item)
            await connection.response.create(
                response={"output_modalities": ["text"], "instructions": say("instructions")}
            )
            async for event in connection:
                heard.append(event)
                if event.type == "response.done":
                    return heard
        return heard

    return asyncio.run(talk())


def provider_errors(say: Say, world: World) -> object:
    heard: list[str] = []
    world.provider.script(
        Failure(400, message=say("error body"), headers={"x-note": say("error header")}),
        Failure(500, work=say("completion that is lost"), message=say("server error")),
        Reply(body=f"<html>{say('page in place of JSON')}"),
        Reply(body='{"id": "c-1", "choices": [{"message": {"content": "' + say("torn JSON")),
    )
    with openai.OpenAI(max_retries=0) as client:
        for _ in range(4):
            try:
                client.chat.completions.create(
                    model="gpt-5", messages=[{"role": "user", "content": say("prompt")}]
                )
            except Exception as error:
                answer = getattr(error, "response", None)
                heard += [repr(error), str(getattr(answer, "headers", "")), str(vars(error))]
    world.provider.script(Failure(400, message=say("anthropic error body")))
    with (
        anthropic.Anthropic(max_retries=0) as second,
        contextlib.suppress(anthropic.BadRequestError),
    ):
        second.messages.create(
            model="claude-sonnet-5", max_tokens=9, messages=[{"role": "user", "content": "Hi."}]
        )
    told = "completion that is lost", "anthropic error body", "page in place of JSON", "torn JSON"
    return heard, [say(place) for place in told]


def anthropic_messages(say: Say, world: World) -> object:
    world.provider.script(
        Reply(tool_calls=[ToolCall("look_up", {"answer": say("tool arguments")})]),
        Reply(say("completion"), thinking=say("thinking")),
        Reply(f"{say('chunk')} and more", thinking=say("streamed thinking")),
    )
    picture: Any = {
        "type": "image",
        "source": {
            "type": "base64",
            "media_type": "image/png",
            "data": base64.b64encode(say("image").encode()).decode(),
        },
    }
    messages: list[Any] = [
        {"role": "user", "content": [{"type": "text", "text": say("prompt")}, picture]}
    ]
    asked: dict[str, Any] = {
        "model": "claude-sonnet-5",
        "max_tokens": 2000,
        "system": say("system prompt"),
        "messages": messages,
        "tools": [
            {
                "name": "look_up",
                "description": say("tool description"),
                "input_schema": _schema(say),
            }
        ],
        "metadata": {"user_id": say("user id")},
        "stop_sequences": [say("stop sequence")],
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "extra_headers": {"x-note": say("request header")},
    }
    with anthropic.Anthropic(api_key=say("api key")) as client:
        first = client.messages.create(**asked)
        used = next(block for block in first.content if block.type == "tool_use")
        result = {"type": "tool_result", "tool_use_id": used.id, "content": say("tool result")}
        messages += [
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": [result]},
        ]
        second = client.messages.create(**asked)
        client.messages.count_tokens(
            model="claude-sonnet-5", messages=[{"role": "user", "content": say("counted")}]
        )
        with client.messages.stream(**asked) as stream:
            third = list(stream)
    return first, second, third


def anthropic_batch(say: Say, world: World) -> object:
    world.provider.script(Reply(say("completion")))
    params: Any = {
        "model": "claude-sonnet-5",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": say("prompt")}],
    }
    with anthropic.Anthropic() as client:
        batch = client.messages.batches.create(
            requests=[{"custom_id": say("custom_id"), "params": params}]
        )
        return list(client.messages.batches.results(batch.id))


def google_gemini(say: Say, world: World) -> object:
    world.provider.script(
        Reply(say("completion"), thinking=say("thinking")),
        Reply(tool_calls=[ToolCall("look_up", {"answer": say("tool arguments")})]),
        Reply(f"{say('chunk')} and more"),
    )
    declared: Any = {
        "name": "look_up",
        "description": say("tool description"),
        "parameters": {"type": "OBJECT", "description": say("schema")},
    }
    options: Any = types.HttpOptions(headers={"x-note": say("request header")})
    client = genai.Client(api_key=say("api key"), http_options=options)
    model = "gemini-3-pro"
    with contextlib.closing(client):
        first = client.models.generate_content(
            model=model,
            contents=[
                say("prompt"),
                types.Part.from_bytes(data=say("image").encode(), mime_type="image/png"),
            ],
            config=types.GenerateContentConfig(
                system_instruction=say("system prompt"), stop_sequences=[say("stop sequence")]
            ),
        )
        second = client.models.generate_content(
            model=model,
            contents=[
                types.Part.from_function_response(
                    name="look_up", response={"result": say("tool result")}
                )
            ],
            config=types.GenerateContentConfig(
                tools=[types.Tool(function_declarations=[declared])],
            ),
        )
        third = list(client.models.generate_content_stream(model=model, contents="Hi."))
        client.models.embed_content(model="gemini-embedding-001", contents=[say("embedded")])
    # As JSON, for what is printed is cut.
    return first.model_dump_json(), second.model_dump_json(), third


def amazon_bedrock(say: Say, world: World) -> object:
    world.provider.script(
        Reply(say("completion")), Reply(f"{say('chunk')} and more"), Reply(say("invoked"))
    )
    client: Any = boto3.client(
        "bedrock-runtime",
        aws_access_key_id="id",
        aws_secret_access_key=say("secret key"),
        aws_session_token=say("session token"),
    )
    model = "anthropic.claude-sonnet-5-v1:0"
    spoken: dict[str, Any] = {
        "modelId": model,
        "system": [{"text": say("system prompt")}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"text": say("prompt")},
                    {"image": {"format": "png", "source": {"bytes": say("image").encode()}}},
                ],
            }
        ],
        "requestMetadata": {"note": say("metadata")},
    }
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 200,
        "messages": [{"role": "user", "content": say("invoked prompt")}],
    }
    with contextlib.closing(client):
        first = client.converse(**spoken)
        second = list(client.converse_stream(**spoken)["stream"])
        third = client.invoke_model(modelId=model, body=json.dumps(body))["body"].read()
    return first, second, third, say("secret key")  # which signs, and never leaves the program


def cohere_work(say: Say, world: World) -> object:
    world.provider.script(Reply(say("completion")))
    base_url = world.provider.cohere_base_url  # what the environment says is read at the import
    with httpx.Client() as http:
        client = cohere.ClientV2(api_key=say("api key"), base_url=base_url, httpx_client=http)
        found = client.chat(
            model="command-a",
            messages=[cohere.UserChatMessageV2(content=say("prompt"))],
            documents=[say("document")],
        )
        client.rerank(model="rerank-v4", query=say("query"), documents=[say("ranked"), "b"])
        client.embed(
            model="embed-v4",
            input_type="search_document",
            texts=[say("embedded")],
            embedding_types=["float"],
        )
    return found


def ollama_work(say: Say, world: World) -> object:
    world.provider.script(Reply(say("completion")), Reply(f"{say('chunk')} and more"))
    client = ollama.Client()
    message = {"role": "user", "content": say("prompt"), "images": [say("image").encode()]}
    first = client.chat(model="llama4", messages=[message])
    second = list(client.generate(model="llama4", prompt=say("generated"), stream=True))
    client.embed(model="llama4", input=[say("embedded")])
    client._client.close()
    return first, second


def langchain_chain(say: Say, world: World) -> object:
    world.provider.script(Reply(say("completion")), Reply(json.dumps({"answer": say("parsed")})))

    class Theirs(BaseCallbackHandler):
        def on_llm_start(self, *args: Any, **kwargs: Any) -> None: ...

    prompt = ChatPromptTemplate.from_messages(
        [("system", say("system prompt")), ("user", "{text}"), ("ai", say("history"))]
    )
    config: Any = {
        "callbacks": [AgentTraceCallbackHandler(), Theirs()],
        "tags": [say("tag")],
        "metadata": {"note": say("metadata")},
    }
    chain = (prompt | ChatOpenAI(model="gpt-5-mini") | StrOutputParser()).with_config(
        run_name="translate"
    )
    first = chain.invoke({"text": say("prompt")}, config=config)
    shaped = ChatOpenAI(model="gpt-5").with_structured_output(
        {"title": "a", **_schema(say)}, method="json_schema"
    )
    second = shaped.invoke(say("structured prompt"), config=config)
    OpenAIEmbeddings(model="e-3", check_embedding_ctx_length=False).embed_query(say("embedded"))
    return first, second, say("tag"), say("metadata")


def langchain_agent(say: Say, world: World) -> object:
    world.provider.script(
        Reply(tool_calls=[ToolCall("price", {"cloth": say("tool arguments")})]),
        Reply(say("completion")),
        Reply(tool_calls=[ToolCall("broken", {"cloth": "linen"})]),
    )

    @tool(description=say("tool description"))
    def price(cloth: str) -> str:
        return say("tool result")

    @tool(description="Breaks.")
    def broken(cloth: str) -> str:
        raise ValueError(say("exception of a tool"))

    config: Any = {"callbacks": [AgentTraceCallbackHandler()]}
    seller = create_agent(
        ChatOpenAI(model="gpt-5"),
        tools=[price, broken],
        system_prompt=say("system prompt"),
        name="seller",
    )
    asked: Any = {"messages": [("user", say("prompt"))]}
    heard = seller.invoke(asked, config=config)
    with contextlib.suppress(ValueError):
        seller.invoke(asked, config=config)
    return heard, say("exception of a tool")


def langgraph_graph(say: Say, world: World) -> object:
    world.provider.script(Reply(say("completion")))
    model = ChatAnthropic(model_name="claude-sonnet-5", timeout=None, stop=None)

    heard: list[object] = []

    def ask(state: MessagesState) -> dict[str, Any]:
        heard.append(model.invoke(say("prompt")))
        return {"messages": heard}

    def fail(state: MessagesState) -> dict[str, Any]:
        raise RuntimeError(say("exception of a node"))

    graph = StateGraph(MessagesState)
    graph.add_node("ask", ask)
    graph.add_node("fail", fail)
    graph.add_edge(START, "ask")
    graph.add_edge("ask", "fail")
    graph.add_edge("fail", END)
    state: Any = {"messages": [("user", say("state"))]}
    config: Any = {"callbacks": [AgentTraceCallbackHandler()]}
    with contextlib.suppress(RuntimeError):
        graph.compile(name="editor").invoke(state, config=config)
    return heard, say("state"), say("exception of a node")


def decorated_functions(say: Say, world: World) -> object:
    @agenttrace.task
    def work(question: str) -> str:
        return f"{question} {help_out(say('argument of an agent'))}"

    @agenttrace.agent("helper")
    def help_out(question: str) -> str:
        with contextlib.suppress(ValueError):
            break_down(say("argument of a tool"))
        return f"{question} {say('return value')}"

    @agenttrace.tool
    def break_down(word: str) -> None:
        raise ValueError(word, say("exception of a tool"))

    @agenttrace.task
    def tell() -> Iterator[str]:
        yield say("yielded")

    with contextlib.suppress(LookupError), agenttrace.task("broken"), agenttrace.agent("lost"):
        raise LookupError(say("exception of an agent")) from OSError(5, say("cause"))
    return (
        work(say("argument of a task")),
        [*tell()],
        say("argument of a tool"),
        say("exception of a tool"),
        say("exception of an agent"),
        say("cause"),
    )


def attributes_of_ones_own(say: Say, world: World) -> object:
    said: dict[str, Any] = {key: say(key) for key in ("note", "gen_ai.prompt", "llm.usage.note")}
    said["gen_ai.request.model"] = [say("list")]
    call = agenttrace.start("inference", "gpt-5", attributes=said)
    call.set({"gen_ai.output.messages": say("completion"), **said})
    call.beside("gpt-5-mini", role=None, attributes=said)
    call.stop()
    return say("completion"), said


_TELLING_CHILD: Final = """
import agenttrace, sys
agenttrace.task.user(sys.argv[1])
agenttrace.task.outcome(sys.argv[2])
"""


def told_of_a_task(say: Say, world: World) -> object:
    """Who prompted and what became of it; a reference is recorded as far as it can be one."""
    user, another, wrong = say("user"), say("another user"), say("no outcome")
    reference = "x" * 200 + say("what makes a reference too long")
    told: Any = agenttrace.task
    with told("told of", user=user, workload=say("workload")) as task:
        task.user(another)
        task.outcome(wrong)
        task.user_turn(say("turns"))
        agenttrace.task.outcome("success", reference)
        agenttrace.start("inference", "gpt-5", attributes={"user.hash": user, "user.id": user})
        told_there = subprocess.run(
            [sys.executable, "-c", _TELLING_CHILD, user, wrong], capture_output=True, text=True
        )
    assert told_there.returncode == 0, told_there.stderr
    assert not {word for word in (user, wrong) if word in told_there.stderr}
    return user, another, wrong, reference, say("workload"), say("turns")


def raw_calls(say: Say, world: World) -> object:
    host = world.provider.url.removeprefix("http://")
    world.provider.script(Reply(say("completion")), *["Fine."] * 3)
    url = f"http://user:{say('password')}@{host}/v1/chat/completions?api-key={say('key')}"
    body = {"model": "m", "messages": [{"role": "user", "content": say("prompt")}]}
    headers = {"api-key": say("api-key header"), "cookie": say("cookie")}
    heard = httpx.post(url, json=body, headers=headers, trust_env=False).text
    with requests.Session() as session:
        session.post(f"{url}&a={say('query of requests')}", json=body).raise_for_status()

    async def post() -> None:
        async with aiohttp.ClientSession() as session:
            asked = session.post(f"{url}&a={say('query of aiohttp')}", json=body)
            async with asked as answer:
                await answer.read()
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.post(f"{url}&a={say('query of httpx')}#{say('fragment')}", json=body)

    asyncio.run(post())
    return heard, say("fragment")  # which never leaves the program


def context_from_outside(say: Say, world: World) -> object:
    """Baggage that came with a request, and goes on to the calls made for it."""
    theirs = baggage.set_baggage("note", say("baggage"), context.get_current())
    token = context.attach(baggage.set_baggage("user", say("user"), theirs))
    try:
        with agenttrace.task("asked from outside"), openai.OpenAI() as client:
            client.embeddings.create(model="e-3", input="x")
    finally:
        context.detach(token)
    return say("baggage"), say("user")


_CHILD: Final = """
import os, signal, sys
import httpx
import agenttrace
body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": sys.argv[1]}]}
with agenttrace.task("in a child"):
    url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
    with httpx.stream("POST", url, json=body, trust_env=False) as answer:
        for line in answer.iter_lines():
            print(os.environ["NOTE"], os.environ["TRACESTATE"], line, flush=True)
            if "and " in line:
                os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_process(say: Say, world: World) -> object:
    """What it was told, and what it was doing when it was killed."""
    world.provider.script(Reply(f"{say('chunk')} and more"))
    environ = {
        **agenttrace.environ(),
        "NOTE": say("environment"),
        "TRACESTATE": f"theirs={say('trace state')}",
        "BAGGAGE": f"note={say('baggage')}",
    }
    command = [sys.executable, "-c", _CHILD, say("argument"), say("further argument")]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, cwd=Path.cwd())
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    return ended.stdout, say("further argument"), say("baggage")


PROGRAMS: Final[tuple[Program, ...]] = (
    openai_chat,
    openai_stream,
    openai_responses,
    openai_other_work,
    openai_batch,
    openai_realtime,
    provider_errors,
    anthropic_messages,
    anthropic_batch,
    google_gemini,
    amazon_bedrock,
    cohere_work,
    ollama_work,
    langchain_chain,
    langchain_agent,
    langgraph_graph,
    decorated_functions,
    attributes_of_ones_own,
    told_of_a_task,
    raw_calls,
    context_from_outside,
    killed_process,
)
