import pytest

from agenttrace.errors import ConfigError
from agenttrace.server.guard import Guard, is_loopback
from agenttrace.server.refusals import NO_TOKEN, UNKNOWN_HOST


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org"])
@pytest.mark.parametrize("token", [None, "", "  "])
def test_others_are_let_in_with_a_token_only(host: str, token: str | None) -> None:
    with pytest.raises(ConfigError, match="--token"):
        Guard(host, token)
    assert Guard(host, "known").refusal("any.name", "Bearer known") is None


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "127.0.0.1", "127.1.2.3", "::1", "[::1]"]
)
def test_names_of_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "localhost.evil.com", "127.0.0.1.evil.com", "10.0.0.1"])
def test_names_of_others(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["localhost:4318", "127.0.0.1:1", "[::1]:4318", "::1", None])
def test_the_port_does_not_matter(host: str | None) -> None:
    assert Guard(None, None).refusal(host, None) is None


def test_a_name_of_others_is_refused_before_the_token_is_looked_at() -> None:
    assert Guard(None, "known").refusal("evil.com", "Bearer known") is UNKNOWN_HOST


@pytest.mark.parametrize(
    "said", [None, "", "Bearer", "Bearer ", "known", "Bearer knöwn", "Bearer k"]
)
def test_a_token_is_the_whole_token(said: str | None) -> None:
    assert Guard(None, "known").refusal(None, said) is NO_TOKEN


def test_bearer_may_be_in_any_case() -> None:
    assert Guard(None, "known").refusal(None, "bearer known") is None
