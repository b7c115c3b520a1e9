"""Find the few lines that matter in a stream of JSON, one object a line.

Lines of server-sent events are read as well, for some providers send the one or the other.

Source: <https://github.com/ndjson/ndjson-spec>
"""

from collections.abc import Iterator


def begins(data: bytes) -> bool:
    """Whether *data* holds more than one object: no JSON has two without a comma between them."""
    return data.startswith(b"{") and (b"}\n{" in data or b"}\r\n{" in data)


def lines(data: bytes) -> Iterator[bytes]:
    """Yield the JSON of each line, in order."""
    for line in data.splitlines():
        if payload := _payload(line):
            yield payload


def latest_with(data: bytes, needle: bytes) -> Iterator[bytes]:
    """Yield the lines that hold *needle*, the last one first."""
    position = data.rfind(needle)
    while position >= 0:
        start = data.rfind(b"\n", 0, position) + 1
        end = data.find(b"\n", position)
        yield _payload(data[start:] if end < 0 else data[start:end])
        position = data.rfind(needle, 0, start)


def _payload(line: bytes) -> bytes:
    found = line.strip().removeprefix(b"data:").lstrip()
    return found if found.startswith(b"{") else b""
