"""Hold the estimates of well-known models against what others say of the same calls."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from agenttrace import energy
from agenttrace.compare import toml_file
from agenttrace.energy.catalogue import entry
from agenttrace.energy.factors import Citation, Factors, Mark, Source
from agenttrace.energy.factors import shipped as shipped_factors
from agenttrace.errors import FactorError
from agenttrace.model import Range, TokenUsage

_SHIPPED: Final = Path(__file__).with_name("anchors.toml")

MODELS: Final = (
    "claude-haiku-4-5",
    "claude-sonnet-4-5",
    "claude-opus-4-8",
    "gpt-5-mini",
    "gpt-5",
    "gpt-5.5",
    "gpt-oss-120b",
    "gemini-2.5-flash-lite",
    "gemini-2.5-flash",
    "gemini-2.5-pro",
    "mistral-small-2603",
    "mistral-large-2512",
    "Meta-Llama-3.1-70B-Instruct",
    "deepseek-v3.2",
    "qwen3-235b-a22b",
)
"""Models that the documentation compares: from seven makers, and from every size class."""


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A call of a known size.

    Attributes:
        id: Stable name.
        name: Name in tables.
        input_tokens: All input, what was read from a cache included.
        output_tokens: Output, reasoning included.
        cache_read_tokens: The input that was read from a cache.
        mark: How the size is known.
        retrieved: When.
        source: Where from.
    """

    id: str
    name: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    mark: Mark
    retrieved: date
    source: Citation

    @property
    def usage(self) -> TokenUsage:
        """The tokens, as a call reports them."""
        return TokenUsage(
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cache_read_tokens=self.cache_read_tokens,
        )


class Anchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A published figure of the energy of one prompt.

    Attributes:
        id: Stable name.
        name: Whose prompt it is.
        low_wh: Lower end, Wh; equal to central where one number was published.
        central_wh: The figure, Wh.
        high_wh: Upper end, Wh.
        tokens: What is said of its tokens, in words.
        includes: What the figure covers, in words.
        mark: How it is known.
        retrieved: When.
        source: Where from.
    """

    id: str
    name: str
    low_wh: float
    central_wh: float
    high_wh: float
    tokens: str
    includes: str
    mark: Mark
    retrieved: date
    source: Citation

    @property
    def energy_wh(self) -> Range:
        """Low, central and high, Wh."""
        return Range(self.low_wh, self.central_wh, self.high_wh)


@dataclass(frozen=True, slots=True)
class Anchors:
    """Calls and published figures.

    Attributes:
        calls: Calls by id.
        anchors: Published figures, the smallest first.
        sources: What they cite.
    """

    calls: dict[str, Call]
    anchors: tuple[Anchor, ...]
    sources: dict[str, Source]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: dict[str, Source] = {}
    call: tuple[Call, ...] = ()
    anchor: tuple[Anchor, ...] = ()


@dataclass(frozen=True, slots=True)
class Beside:
    """One model: our estimate of each call, and EcoLogits' of the same.

    Attributes:
        model: Its name.
        provider: Who makes it.
        class_name: Its size class.
        ours_wh: Wh at the facility, in the order of the calls.
        ecologits_wh: The same by EcoLogits, which counts the output alone; None where its catalogue
            does not have the model.
    """

    model: str
    provider: str
    class_name: str
    ours_wh: tuple[Range, ...]
    ecologits_wh: tuple[Range | None, ...]


@cache
def shipped() -> Anchors:
    """Return the calls and figures that come with agenttrace, read once per process."""
    return load(_SHIPPED)


def load(path: Path) -> Anchors:
    """Read a file of calls and published figures.

    Raises:
        FactorError: It cannot be read, or a record is incomplete, contradicts itself, is given
            twice, or cites a source that is not there.
    """
    file = toml_file.read(path, _File, _SHIPPED)
    records = [*file.call, *file.anchor]
    toml_file.check_once(path.name, "call or anchor", (record.id for record in records))
    for record in records:
        what = f"{path.name}: {type(record).__name__.lower()} {record.id!r}"
        toml_file.check_cited(what, [record.source.id], file.source)
    for call in file.call:
        read = 0 <= call.cache_read_tokens <= call.input_tokens
        if not read or call.output_tokens < 0:
            raise FactorError(
                f"{path.name}: call {call.id!r} reads more from the cache than its input has, or a "
                f"number of tokens is below zero. input_tokens is all input."
            )
    for anchor in file.anchor:
        if not 0 < anchor.low_wh <= anchor.central_wh <= anchor.high_wh:
            raise FactorError(
                f"{path.name}: anchor {anchor.id!r} needs 0 < low_wh <= central_wh <= high_wh."
            )
    return Anchors(
        calls={call.id: call for call in file.call},
        anchors=tuple(sorted(file.anchor, key=lambda anchor: anchor.central_wh)),
        sources=file.source,
    )


def beside(
    models: Iterable[str], calls: Sequence[Call], factors: Factors | None = None
) -> list[Beside]:
    """Estimate each of *calls* on each of *models*, at the facility, beside EcoLogits.

    Args:
        models: Names in any spelling.
        calls: Their sizes.
        factors: Other factors than those that come with agenttrace.
    """
    # 120 ms to import, and only this table needs it.
    from agenttrace.compare import ecologits_library

    named = list(models)
    used = shipped_factors() if factors is None else factors
    priced = energy.factor_set([(None, model) for model in named], factors=used).models
    return [
        Beside(
            model=model,
            provider=factor.match.provider,
            class_name=factor.match.class_name,
            ours_wh=tuple(energy.total([(energy.moments(one.usage), factor)]) for one in calls),
            ecologits_wh=tuple(
                opinion.energy_wh if opinion else None
                for opinion in (
                    ecologits_library.opinion(entry(model, used), output_tokens=one.output_tokens)
                    for one in calls
                )
            ),
        )
        for model, factor in zip(named, priced, strict=True)
    ]
