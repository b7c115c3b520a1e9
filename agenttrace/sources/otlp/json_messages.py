"""Make messages of OTLP's JSON: as protobuf's own mapping, but ids are in hexadecimal.

The descriptors of the messages say what there is; the mapping of the protobuf package reads them
anew for each value, which takes several times as long.

Source: <https://protobuf.dev/programming-guides/json/>,
<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>
"""

from base64 import b64decode
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Final, TypeVar, cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

DEPTH_AT_MOST: Final = 100
"""Messages in messages, as protobuf itself has it."""

_IDS: Final = {"trace_id": 16, "span_id": 8, "parent_span_id": 8}  # bytes
_REPEATED: Final = 3  # FieldDescriptor.LABEL_REPEATED
_OTHER_BASE64: Final = str.maketrans("-_", "+/")
_WHOLE: Final = frozenset(
    {
        FieldDescriptor.CPPTYPE_INT32,
        FieldDescriptor.CPPTYPE_INT64,
        FieldDescriptor.CPPTYPE_UINT32,
        FieldDescriptor.CPPTYPE_UINT64,
    }
)

M = TypeVar("M", bound=Message)
_Read = Callable[[Any, int], Any]


def message_of(kind: type[M], said: Any) -> M:
    """Return the message that decoded JSON stands for; what nobody knows is left out.

    Raises:
        ValueError: It is no such message.
        TypeError: The same.
        RecursionError: It is nested too deeply.
    """
    return kind(**_fields_of(cast("Descriptor", kind.DESCRIPTOR), said, 0))


def _fields_of(descriptor: Descriptor, said: Any, depth: int) -> dict[str, Any]:
    if type(said) is not dict:
        raise TypeError(descriptor.name)
    if depth > DEPTH_AT_MOST:
        raise RecursionError
    readers = _readers(descriptor)
    found: dict[str, Any] = {}
    for key, value in cast("dict[str, Any]", said).items():
        reader = readers.get(key)
        if reader is not None and value is not None:
            name, read = reader
            found[name] = read(value, depth)
    return found


@cache
def _readers(descriptor: Descriptor) -> dict[str, tuple[str, _Read]]:
    """Return how each field is read, by both of its names."""
    readers: dict[str, tuple[str, _Read]] = {}
    for field in descriptor.fields:
        read = _reader(field)
        if _is_repeated(field):
            read = partial(_each, read)
        readers[field.json_name] = readers[field.name] = (field.name, read)
    return readers


def _is_repeated(field: FieldDescriptor) -> bool:
    # protobuf before 6.31 has a label instead, and protobuf 7 no label.
    found: bool | None = getattr(field, "is_repeated", None)
    return getattr(field, "label", None) == _REPEATED if found is None else found


def _reader(field: FieldDescriptor) -> _Read:
    if field.message_type is not None:
        return partial(_message, field.message_type)
    if field.cpp_type in _WHOLE:
        return _whole
    if field.enum_type is not None:
        return partial(_enum, field.enum_type)
    if field.type == FieldDescriptor.TYPE_BYTES:
        size = _IDS.get(field.name)
        return _bytes if size is None else partial(_id, size)
    return {
        FieldDescriptor.CPPTYPE_STRING: _text,
        FieldDescriptor.CPPTYPE_BOOL: _truth,
    }.get(field.cpp_type, _number)


def _message(descriptor: Descriptor, said: Any, depth: int) -> dict[str, Any]:
    return _fields_of(descriptor, said, depth + 1)


def _each(read: _Read, said: Any, depth: int) -> list[Any]:
    if type(said) is not list:
        raise TypeError
    return [read(one, depth) for one in cast("list[Any]", said)]


def _text(said: Any, _depth: int) -> str:
    if type(said) is not str:
        raise TypeError
    return said


def _truth(said: Any, _depth: int) -> bool:
    if type(said) is not bool:
        raise TypeError
    return said


def _whole(said: Any, _depth: int) -> int:
    """Return an integer, which is text where it has 64 bits."""
    if type(said) is int:
        return said
    if type(said) is str:
        return int(said)
    if type(said) is float and said.is_integer():
        return int(said)
    raise TypeError


def _number(said: Any, _depth: int) -> float:
    if type(said) in {int, float, str}:
        return float(said)  # "NaN" and "Infinity" are text
    raise TypeError


def _enum(names: EnumDescriptor, said: Any, depth: int) -> int:
    if type(said) is str and not said.lstrip("-").isdigit():
        known = names.values_by_name.get(said)
        return 0 if known is None else known.number
    return _whole(said, depth)


def _id(size: int, said: Any, _depth: int) -> bytes:
    """Return an id; an empty one, so that it counts as missing, where it is none."""
    try:
        found = bytes.fromhex(_text(said, 0))
    except ValueError:
        return b""
    return found if len(found) == size else b""


def _bytes(said: Any, _depth: int) -> bytes:
    text = _text(said, 0).translate(_OTHER_BASE64)
    return b64decode(text + "=" * (-len(text) % 4), validate=True)
