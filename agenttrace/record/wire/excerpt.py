"""Keep of a long JSON object what stands at its beginning and at its end.

A response of many megabytes (embeddings, images) says what it cost in one small member beside the
large one. Only members of the object itself are taken, never those of an object inside: towards the
end they are found by reading backwards from the last brace, where nesting and strings are certain.
"""

import re
from typing import Final

import msgspec

_OPENING: Final = re.compile(rb"\s*\{\s*")
# A string, a bracket, a comma; whatever else there is (numbers, colons, space) tells nothing. A
# lone quotation mark belongs to a string that was cut.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[{}\[\],"]', re.DOTALL)
# The same for bytes in reverse, where what escapes a quotation mark comes after it.
_TOKEN_REVERSED: Final = re.compile(rb'"(?:[^"]|"(?=\\(?:\\\\)*+(?!\\)))*+"|[{}\[\],"]', re.DOTALL)
_OPEN: Final = b"{["
_CLOSE: Final = b"}]"


def of(head: bytes, tail: bytes) -> bytes:
    """Return a JSON object of the members that are whole in *head* or *tail*.

    Args:
        head: How a JSON text begins.
        tail: How it ends; what was between them is not known.

    Returns:
        JSON; ``{}`` if nothing is certain.
    """
    members = [part for part in (_first(head), _last(tail)) if part and _is_members(part)]
    return b"{" + b",".join(members) + b"}"


def _is_members(part: bytes) -> bool:
    try:
        msgspec.json.decode(b"{" + part + b"}", type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    return True


def _first(head: bytes) -> bytes:
    """Return the members at the beginning, up to the last comma between members."""
    opening = _OPENING.match(head)
    if opening is None:
        return b""
    begin = end = opening.end()
    depth = 0
    for token in _TOKEN.finditer(head, begin):
        mark = token.group()
        if mark in _OPEN:
            depth += 1
        elif mark in _CLOSE:
            depth -= 1
        elif mark == b"," and depth == 0:
            end = token.start()
        elif mark == b'"':
            break
    return head[begin:end]


def _last(tail: bytes) -> bytes:
    """Return the members at the end, from the first comma between members on."""
    text = tail.rstrip()
    if not text.endswith(b"}"):
        return b""
    text = text[:-1]
    begin = len(text)
    depth = 0
    for token in _TOKEN_REVERSED.finditer(text[::-1]):
        mark = token.group()
        if mark in _CLOSE:
            depth += 1
        elif mark in _OPEN:
            depth -= 1
        elif mark == b"," and depth == 0:
            begin = len(text) - token.start()
        if depth < 0 or mark == b'"':
            break
    return text[begin:]
