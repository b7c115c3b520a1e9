"""Of a long JSON object only members of its own are kept, and only whole ones."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agenttrace.record.wire import excerpt

KEYS = st.sampled_from(["usage", "id", 'a"b', "{", "\\", "}],"]) | st.text(max_size=3)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='\\"{}[],:usage\u00e4'),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
    max_leaves=12,
)


@given(
    st.dictionaries(KEYS, VALUES, max_size=6),
    st.integers(0, 300),
    st.integers(0, 300),
    st.booleans(),
    st.sampled_from([None, 1]),
)
def test_what_is_kept_is_what_the_object_itself_says(
    said: dict[str, Any], head: int, tail: int, escaped: bool, indent: int | None
) -> None:
    sent = json.dumps(said, ensure_ascii=escaped, indent=indent).encode()
    head = min(head, len(sent))
    tail = min(tail, len(sent) - head)
    kept = json.loads(excerpt.of(sent[:head], sent[len(sent) - tail :]))
    assert kept == {name: said[name] for name in kept}


def test_the_members_at_both_ends_are_kept() -> None:
    sent = json.dumps({"id": "c-1", "data": "x" * 1000, "model": "m", "usage": {"n": 1}}).encode()
    assert json.loads(excerpt.of(sent[:100], sent[-100:])) == {
        "id": "c-1",
        "model": "m",
        "usage": {"n": 1},
    }


def test_usage_inside_of_something_else_is_not_taken() -> None:
    inner = {"arguments": [{"usage": {"prompt_tokens": 7}, "last": 1}], "text": 'say "usage":{}'}
    sent = json.dumps({"data": "x" * 1000, "choices": inner}).encode()
    assert excerpt.of(sent[:100], sent[-90:]) == b"{}"


def test_what_is_no_object_says_nothing() -> None:
    for sent in (b'[{"usage": 1}, {"usage": 2}]', b'{"usage": 1', b"}", b"", b'"{"usage":1}'):
        assert excerpt.of(sent[:5], sent[5:]) == b"{}"
        assert excerpt.of(b"", sent) == b"{}"


def test_long_strings_of_escapes_take_no_longer_than_others() -> None:
    for text in (b"\\\\", b'\\"', b"A", b"{"):
        sent = b'{"data":"' + text * 200_000 + b'","usage":{"n":1}}'
        kept = json.loads(excerpt.of(sent[: 64 * 1024], sent[-256 * 1024 :]))
        assert kept == {"usage": {"n": 1}}
