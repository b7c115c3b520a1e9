"""Words that are found again wherever they end up, and what place each was said at."""

import base64
import re
from collections.abc import Callable
from typing import Final

# No word of any language, no hexadecimal number, and nothing that an encoding of text escapes.
_STEM: Final = "qzkanari"
_BYTES: Final = _STEM.encode()

Say = Callable[[str], str]


def _in_base64(word: bytes) -> list[bytes]:
    """The characters that *word* is sure to have in base64, wherever in a text it begins."""
    found: list[bytes] = []
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + word)
        found.append(encoded[-(-before * 8 // 6) : (before + len(word)) * 8 // 6])
    return found


_WORDS: Final = re.compile(_BYTES + rb"(\d{4})?")
_OTHER_FORMS: Final = (
    _BYTES.hex().encode(),
    _STEM.encode("utf-16-le"),
    *_in_base64(_BYTES),
)


def _word(number: int) -> str:
    return f"{_STEM}{number:04}"


class Canaries:
    """One word for each place, made as it is first asked for."""

    def __init__(self) -> None:
        self._places: list[str] = []

    def at(self, program: str) -> Say:
        """Return what makes the words that *program* says."""

        def say(place: str) -> str:
            named = f"{program}: {place}"
            if named not in self._places:
                self._places.append(named)
            return _word(self._places.index(named))

        return say

    def found_in(self, said: str | bytes) -> set[str]:
        """Return the places whose words are in *said*: whole, cut, in base64 or in hexadecimal."""
        data = said if isinstance(said, bytes) else said.encode(errors="replace")
        lower = data.lower()  # as the names of providers are kept
        found = {"a word in another form" for form in _OTHER_FORMS if form in data}
        if _BYTES in lower:
            found.update(self._place_of(match) for match in _WORDS.finditer(lower))
        return found

    def unsaid(self, heard: str) -> set[str]:
        """Return the places whose words nobody has heard, in base64 or as they are."""
        return {
            place
            for number, place in enumerate(self._places)
            if _word(number) not in heard
            and not any(form.decode() in heard for form in _in_base64(_word(number).encode()))
        }

    def _place_of(self, match: re.Match[bytes]) -> str:
        return self._places[int(match[1])] if match[1] else "a part of a word"
