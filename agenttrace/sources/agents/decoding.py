"""Decode only the fields that are read, whatever else a record holds."""

from typing import TypeVar

import msgspec

T = TypeVar("T")


def decoded(decoder: msgspec.json.Decoder[T], text: bytes) -> T | None:
    """Return what *decoder* reads in *text*; None if that is not what it should be.

    Text that is no UTF-8 does not cost the counts beside it.
    """
    for said in (text, None):
        try:
            return decoder.decode(text.decode("utf-8", "replace") if said is None else said)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
    return None
