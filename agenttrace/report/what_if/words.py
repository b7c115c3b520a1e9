"""The choices in words, and what they take for granted."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from agenttrace.compare import what_if
from agenttrace.reader import Reader
from agenttrace.report.sums import Row
from agenttrace.report.what_if.values import EVERY, PERFECT, Choices

_EXTRAPOLATED_BELOW: Final = 8  # batches outside of what was measured

_EXTRAPOLATED_ABOVE: Final = 2048


def chosen(choices: Choices) -> Iterator[str]:
    """Yield what is to be otherwise, a phrase each."""
    for name, other in choices.models:
        yield f"{'every model that writes' if name == EVERY else name} is {other}"
    if choices.cache == PERFECT:
        yield "the cache is perfect"
    elif choices.cache is not None:
        yield f"{choices.cache:.0%} of the input is cached" if choices.cache else "no cache"
    if choices.context_limit is not None:
        yield f"at most {choices.context_limit:,} input tokens a call"
    if choices.region is not None:
        yield f"in {choices.region}"
    if choices.shift_hours:
        way = "later" if choices.shift_hours > 0 else "earlier"
        hours = abs(choices.shift_hours)
        yield f"{hours:,} {'hour' if hours == 1 else 'hours'} {way}"
    if choices.hardware is not None:
        yield f"on {choices.hardware}"
    if choices.batch is not None:
        yield f"in batches of {choices.batch:,}"


def assumed(
    reader: Reader,
    choices: Choices,
    rows: Sequence[Row],
    moved: Mapping[tuple[str | None, str | None], str],
) -> Iterator[str]:
    """Yield what the comparison takes for granted, a sentence each.

    Args:
        reader: An open reader.
        choices: What is to be otherwise.
        rows: Of :func:`agenttrace.report.what_if.sql.of_both_sides`.
        moved: Model that stands in, by provider and model.
    """
    if moved:
        yield (
            "The other model needs as many calls and tokens as the recorded one did, and is served "
            "at the same place; its answers are not judged."
        )
    yield from _assumed_of_cache(choices)
    if choices.context_limit is not None:
        yield (
            "What is above the limit is left out, uncached input first, and as much is written. "
            "Whether the answers are as good is not known: quality is not modelled."
        )
    if choices.region is not None:
        yield (
            "All calls run there, served as efficiently as before: energy stays the same, and the "
            "electricity and its water change."
        )
    yield from _assumed_of_hours(choices, rows)
    if choices.hardware is not None:
        yield from _assumed_of_hardware(reader, choices.hardware)
    if choices.batch is not None:
        yield from _assumed_of_batch(choices.batch)
    if reader.is_measured:
        yield "Some of these calls were measured; both sides here are estimates, to be comparable."


def _assumed_of_cache(choices: Choices) -> Iterator[str]:
    if choices.cache == PERFECT:
        yield (
            "Whatever an agent sent and received in its previous call of the same model is cached "
            "in its next, for as long as it takes; agents of one name and depth are taken for one."
        )
    elif choices.cache:
        yield "The share is the same in every call, the first included; embeddings have no cache."


def _assumed_of_hours(choices: Choices, rows: Sequence[Row]) -> Iterator[str]:
    calls, before, hourly, shifted = (
        sum(row[name] for row in rows)
        for name in ("calls", "hourly_calls_before", "hourly_calls", "shifted_calls")
    )
    if choices.shift_hours and not shifted:
        yield (
            "Shifting needs the intensity of the grid both in the hour of a call and in the other, "
            "and no call has both, so it makes no difference: import hours with `agenttrace grid "
            "import FILE`."
        )
    elif choices.shift_hours and shifted < calls:
        yield (
            f"Both hours are known for {shifted:,} of {calls:,} calls, which are shifted; the "
            "others stay as they were."
        )
    if 0 < hourly < calls:
        yield (
            f"Hourly intensities are known for {hourly:,} of {calls:,} calls; the others are "
            "reckoned with the average of the year."
        )
    if before != hourly:
        yield (
            f"Where they ran, hours are known for {before:,} of {calls:,} calls, and there for "
            f"{hourly:,}: some of the difference is that of an hour from the average of a year."
        )


def _assumed_of_hardware(reader: Reader, name: str) -> Iterator[str]:
    yield (
        "The recorded calls ran on H100, which the factors stand for; nothing tells what they "
        "really ran on."
    )
    if f"{name.lower()}.prefill_ratio" not in reader.factors.origin.factors:
        yield f"Nothing is known of reading on {name}, so reading stays as it was."


def _assumed_of_batch(batch: int) -> Iterator[str]:
    yield (
        f"The recorded calls were answered in batches of about {what_if.MEASURED_BATCH}, which the "
        "factors stand for. The energy of writing a token falls as a power of the batch; reading "
        "does not change."
    )
    if not _EXTRAPOLATED_BELOW <= batch <= _EXTRAPOLATED_ABOVE:
        yield (
            f"Measured were batches of {_EXTRAPOLATED_BELOW} to {_EXTRAPOLATED_ABOVE:,}; "
            f"{batch:,} is extrapolated."
        )


def pruned(reader: Reader, choices: Choices, calls: int, since: datetime | None) -> Iterator[str]:
    """Say how many calls are missing because only their sums are left."""
    if not choices.is_by_call or not reader.pruned_before:
        return
    (row,) = reader.query(
        "SELECT coalesce(sum(calls), 0)::BIGINT AS calls FROM call_rollup "
        "WHERE hour >= coalesce($1::TIMESTAMP, hour)",
        [since],
    )
    if row["calls"] > calls:
        yield (
            f"{row['calls'] - calls:,} calls are in neither figure: their spans from before "
            f"{reader.pruned_before} (UTC) were pruned, and sums do not tell what one call had."
        )
