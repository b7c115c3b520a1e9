"""Scripts, the ledger, and what a test sees of a provider's life."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agenttrace.testing import Failure, ModelProvider, Reply, Request, Tokens, ToolCall


def post(provider: ModelProvider, user: str = "Hello", **more: Any) -> Any:
    """Ask without an SDK; returns the text of the answer."""
    body = {"model": "m", "messages": [{"role": "user", "content": user}], **more}
    request = urllib.request.Request(
        f"{provider.openai_base_url}/chat/completions",
        data=json.dumps(body).encode(),
        headers={"X-Test": "yes"},
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)["choices"][0]["message"]["content"]


def test_replies_of_a_script_are_played_in_order_and_then_the_default(provider):
    provider.script("one", Reply("two"))
    assert provider.pending == 2
    assert [post(provider) for _ in range(3)] == ["one", "two", "You said: Hello"]
    assert provider.pending == 0


def test_a_script_may_be_played_several_times_or_for_ever(provider):
    provider.script("a", "b", times=2)
    provider.script("c", times=None)
    assert provider.pending == 4
    assert [post(provider) for _ in range(6)] == ["a", "b", "a", "b", "c", "c"]


def test_each_agent_has_a_script_of_its_own(provider):
    def told(word: str):
        return lambda request: word in request.system

    provider.script("plan", "plan again", when=told("planner"))
    provider.script("write", when=told("writer"), times=None)

    def ask(system: str) -> str:
        turn = {"role": "user", "content": "Go"}
        return post(provider, messages=[{"role": "system", "content": system}, turn])

    names = ["a writer", "a planner", "a writer", "a planner", "nobody"]
    assert [ask(name) for name in names] == [
        "write", "plan", "write", "plan again", "You said: Go",
    ]  # fmt: skip


def test_a_function_may_answer(provider):
    def shout(request: Request) -> str:
        return request.user.upper()

    provider.script(shout, lambda request: Reply(f"{request.number} {request.headers['x-test']}"))
    assert [post(provider, "hi"), post(provider)] == ["HI", "2 yes"]


def test_a_predicate_may_look_at_the_provider(provider):
    provider.script("second", when=lambda _: provider.pending == 1 and len(provider.requests) == 2)
    assert [post(provider), post(provider)] == ["You said: Hello", "second"]


def test_a_default_that_fails_refuses_what_is_not_scripted():
    with ModelProvider(default=Failure(400)) as provider:
        provider.script("planned")
        assert post(provider) == "planned"
        with pytest.raises(urllib.error.HTTPError, match="400"):
            post(provider)


def test_a_broken_stream_of_a_provider_whose_default_fails_echoes_so_far():
    with ModelProvider(default=Failure(400)) as provider:
        provider.script(Failure(500, after=1))
        with pytest.raises(json.JSONDecodeError):  # It is a stream of events.
            post(provider, stream=True)
        assert provider.ledger[0].output_tokens == 1  # of "You said: Hello"


def broken(_: Request) -> bool:
    raise LookupError("no such agent")


def use_broken_script() -> None:
    with ModelProvider() as provider:
        provider.script("never", when=broken)
        with pytest.raises(urllib.error.HTTPError, match="400"):
            post(provider)


def test_what_a_script_raises_fails_the_test():
    with pytest.raises(LookupError, match="no such agent"):
        use_broken_script()


def use_broken_script_and_trip_over_it() -> None:
    with ModelProvider() as provider:
        provider.script("never", when=broken)
        post(provider)


def test_what_a_script_raises_is_noted_beside_what_it_led_to():
    with pytest.raises(urllib.error.HTTPError) as caught:
        use_broken_script_and_trip_over_it()
    caught.value.close()
    assert "no such agent" in caught.value.__notes__[0]


def test_a_reply_that_cannot_be_sent_fails_the_test():
    provider = ModelProvider().start()
    provider.script(Reply(tool_calls=[ToolCall("search", {"q": object()})]))
    with pytest.raises(http.client.RemoteDisconnected):
        post(provider)
    with pytest.raises(TypeError, match="not JSON serializable"):
        provider.stop()
    provider.stop()  # Said once; stopping what is stopped does nothing.


@pytest.mark.parametrize(("replies", "times"), [((), 1), (("a",), 0)])
def test_a_script_that_plays_nothing_is_refused(provider, replies, times):
    with pytest.raises(ValueError, match=r"needs at least one|must be 1"):
        provider.script(*replies, times=times)


def test_many_threads_are_each_billed_once(provider):
    provider.script("Four.", times=40)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(provider), range(50)))
    assert sorted(answers) == ["Four."] * 40 + ["You said: Hello"] * 10
    assert sorted(billed.number for billed in provider.ledger) == list(range(1, 51))
    assert len({billed.response_id for billed in provider.ledger}) == 50


def test_a_child_process_is_billed_in_the_same_ledger(provider):
    child = "import openai; openai.OpenAI().responses.create(model='m', input='Hello')"
    subprocess.run([sys.executable, "-c", child], env=os.environ | provider.env(), check=True)
    [billed] = provider.ledger
    assert (billed.endpoint, billed.outcome) == ("/v1/responses", "complete")


def test_two_runs_of_the_same_program_are_the_same_to_the_last_byte():
    def run() -> tuple[Any, ...]:
        with ModelProvider() as provider:
            provider.script(Failure(500, work="Lost."))
            with pytest.raises(urllib.error.HTTPError) as failed:
                post(provider)
            return failed.value.read(), post(provider), provider.ledger

    assert run() == run()


def test_the_ledger_can_be_read_over_http_and_survives_the_provider():
    with ModelProvider() as provider:
        post(provider)
        with urllib.request.urlopen(f"{provider.url}/ledger") as response:
            [line] = json.load(response)["ledger"]
    [billed] = provider.ledger
    assert line["response_id"] == billed.response_id == "chatcmpl-000001"
    assert (line["input_tokens"], line["outcome"]) == (billed.input_tokens, "complete")


def test_a_sum_over_the_ledger_is_what_the_run_cost(provider):
    provider.script("Four.", times=None)
    for _ in range(3):
        post(provider)
    assert sum(provider.ledger, Tokens()) == Tokens(input_tokens=9, output_tokens=6)


def test_stopping_hangs_up_on_idle_clients_and_ends_every_thread():
    before = threading.active_count()
    with ModelProvider() as provider:
        address = provider.url.removeprefix("http://").split(":")
        idle = socket.create_connection((address[0], int(address[1])))
        idle.sendall(b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(15) == b"HTTP/1.1 200 OK"
    with idle:
        while idle.recv(65536):
            pass
    assert threading.active_count() == before


def test_a_provider_runs_once_at_a_time_and_has_no_address_before():
    provider = ModelProvider()
    with pytest.raises(RuntimeError, match="not running"):
        _ = provider.url
    with provider, pytest.raises(RuntimeError, match="running already"):
        provider.start()
    with provider:  # again
        assert post(provider) == "You said: Hello"


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_a_proxy_of_the_machine_is_kept_away(monkeypatch, provider, name):
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv(name, "intranet.example")
    assert provider.env()["NO_PROXY"] == "intranet.example,127.0.0.1"
    assert provider.env()["no_proxy"] == "intranet.example,127.0.0.1"


def test_importing_agenttrace_does_not_load_the_provider():
    code = "import agenttrace, sys; sys.exit('agenttrace.testing' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_provider_needs_only_the_standard_library():
    code = """
import sys
import agenttrace  # whatever the package itself loads is not the provider's
before = set(sys.modules)
import agenttrace.testing
tops = {name.partition(".")[0] for name in set(sys.modules) - before}
others = {name for name in sys.modules if name.startswith("agenttrace.")} - before
assert all(name.startswith("agenttrace.testing") for name in others), others
assert tops <= set(sys.stdlib_module_names) | {"agenttrace"}, tops
"""
    subprocess.run([sys.executable, "-c", code], check=True)
