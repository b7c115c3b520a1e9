"""Read single attributes, whatever type they came as: some write every number as text."""

from datetime import UTC, datetime

from agenttrace.sources.otlp.attributes import Attributes

_SECOND_NS = 1_000_000_000
_MS_NS = 1_000_000


def text(attributes: Attributes, *keys: str) -> str | None:
    """Return the first of *keys* that says something."""
    for key in keys:
        said = attributes.get(key)
        if said is not None and said != "":
            return str(said)
    return None


def number(attributes: Attributes, *keys: str) -> float | int | None:
    """Return the first of *keys* that is a number or reads as one."""
    for key in keys:
        said = attributes.get(key)
        if isinstance(said, str):
            said = _number(said)
        if said is not None and not isinstance(said, bool):
            return said
    return None


def whole(attributes: Attributes, *keys: str) -> int | None:
    """Return the first of *keys* that is a number, if it is a whole one."""
    said = number(attributes, *keys)
    return int(said) if said is not None and said == said // 1 else None


def begin_ns(end_ns: int, attributes: Attributes, key: str = "duration_ms") -> int:
    """Return when something began that took so many milliseconds; *end_ns* where nothing says."""
    took = number(attributes, key)
    if took is None or not 0 <= took * _MS_NS < end_ns:
        return end_ns
    return end_ns - int(took * _MS_NS)


def time_ns(attributes: Attributes, otherwise: int, key: str = "event.timestamp") -> int:
    """Return the time that an attribute says, ISO 8601, in nanoseconds."""
    try:
        said = datetime.fromisoformat(str(attributes.get(key, "")))
        seconds = said.replace(tzinfo=said.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError, OSError):
        return otherwise
    return otherwise if seconds <= 0 else round(seconds * 1_000_000) * 1_000


def _number(said: str) -> float | int | None:
    try:
        return int(said)
    except ValueError:
        pass
    try:
        value = float(said)
    except ValueError:
        return None
    return value if value - value == 0 else None  # neither infinite nor NaN
