"""Count tokens by a rule anybody can check, and keep prompts the way providers cache them.

One token is four characters begun. That is no model's tokenizer: it makes every number of a test
exact and the same everywhere.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

from agenttrace.testing.values import Tokens

CHARACTERS_PER_TOKEN = 4
CACHE_MINIMUM_TOKENS = 1024
CACHE_STEP_TOKENS = 128

Lifetime = Literal["", "5m", "1h"]


def count_tokens(text: str) -> int:
    """Count the tokens of *text*: one for each four characters begun."""
    return tokens_in(len(text))


def tokens_in(characters: int) -> int:
    """Count the tokens of so many characters."""
    return -(-characters // CHARACTERS_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a prompt; *cache* says that the prompt up to its end is to be cached, and how long.

    A segment is a tool, a system block or a block of a message.
    """

    text: str
    cache: Lifetime = ""


class PromptCache:
    """Prompts seen so far, per model. What it holds never expires."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: set[tuple[str, bytes]] = set()
        self._marked: set[tuple[str, bytes]] = set()

    def automatic(self, model: str, prompt: str) -> Tokens:
        """Count *prompt* the way OpenAI does: the longest prefix seen before is read.

        Prefixes count from 1,024 tokens on, in steps of 128; writing is not billed.
        """
        input_tokens = count_tokens(prompt)
        step = CACHE_STEP_TOKENS * CHARACTERS_PER_TOKEN
        blocks = [prompt[at : at + step] for at in range(0, len(prompt) - step + 1, step)]
        prefixes = [(model, digest) for digest in _prefix_digests(blocks)]
        with self._lock:
            seen = 0
            while seen < len(prefixes) and prefixes[seen] in self._seen:
                seen += 1
            if input_tokens >= CACHE_MINIMUM_TOKENS:
                self._seen.update(prefixes)
        cached = seen * CACHE_STEP_TOKENS
        return Tokens(
            input_tokens=input_tokens,
            cache_read_tokens=cached if cached >= CACHE_MINIMUM_TOKENS else 0,
        )

    def explicit(self, model: str, segments: Sequence[Segment]) -> Tokens:
        """Count *segments* the way Anthropic does, by the marks that the request carries.

        Read is the longest prefix that an earlier request marked; written is the rest up to the
        last mark, for an hour up to the last mark that says so. Under 1,024 tokens nothing is
        cached.
        """
        ends = list(_ends(segments))
        prefixes = [(model, digest) for digest in _prefix_digests([one.text for one in segments])]
        marks = [
            at
            for at, segment in enumerate(segments)
            if segment.cache and ends[at] >= CACHE_MINIMUM_TOKENS
        ]
        input_tokens = ends[-1] if ends else 0
        if not marks:
            return Tokens(input_tokens=input_tokens)
        with self._lock:
            read = next(
                (ends[at] for at in range(marks[-1], -1, -1) if prefixes[at] in self._marked), 0
            )
            self._marked.update(prefixes[at] for at in marks)
        hour = max((ends[at] for at in marks if segments[at].cache == "1h"), default=0)
        return Tokens(
            input_tokens=input_tokens,
            cache_read_tokens=read,
            cache_write_tokens=ends[marks[-1]] - read,
            cache_write_1h_tokens=max(0, hour - read),
        )


def _ends(segments: Sequence[Segment]) -> Iterator[int]:
    """Yield how many tokens the prompt has at the end of each segment."""
    characters = 0
    for segment in segments:
        characters += len(segment.text)
        yield tokens_in(characters)


def _prefix_digests(blocks: Sequence[str]) -> Iterator[bytes]:
    """Yield a digest of all blocks up to each block."""
    running = blake2b(digest_size=16)
    for block in blocks:
        running.update(block.encode("utf-8", "surrogatepass"))
        yield running.copy().digest()
