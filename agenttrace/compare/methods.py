"""Other published ways to estimate the energy of model calls, and what each leaves out.

They are here to be compared with, not to be believed: each answers for the same tokens, with its
own range, at its own boundary.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from agenttrace.compare import toml_file
from agenttrace.energy.records import Citation, Mark, Source
from agenttrace.errors import FactorError
from agenttrace.model import Range

MethodName: TypeAlias = Literal["agenttrace", "ecologits", "price", "per-prompt"]

METHODS: Final[tuple[MethodName, ...]] = get_args(MethodName)

OURS_IGNORES: Final = (
    "the hardware and the batch of the call at hand, which nobody publishes: its range covers part"
)
ECOLOGITS_IGNORES: Final = (
    "input tokens, cached or not, and so the context; its GPU energy is fitted at a batch of 64"
)
_SHIPPED: Final = Path(__file__).with_name("methods.toml")

_UNITS: Final = {
    "price.uncached": "Wh/1e6 token",
    "price.cache_write": "Wh/1e6 token",
    "price.cache_read": "Wh/1e6 token",
    "price.output": "Wh/1e6 token",
    "per-prompt.prompt": "Wh/prompt",
}
_MILLION: Final = 1e6


class Method(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way to estimate.

    Attributes:
        id: Its name in options and in JSON.
        name: Its name in words.
        boundary: What its energy covers.
        ignores: What it does not look at, in words.
    """

    id: str
    name: str
    boundary: Literal["accelerator", "server", "facility"]
    ignores: str


class Constant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One sourced figure of a method.

    Attributes:
        id: The method, and the part it plays in it.
        method: The method.
        name: What it is, in words.
        unit: Unit of low, central and high.
        low: Low end.
        central: What the method says.
        high: High end.
        mark: How the figure came from its sources.
        retrieved: When.
        sources: Where from; never empty.
        note: What a reader should know before using it.
    """

    id: str
    method: str
    name: str
    unit: str
    low: float
    central: float
    high: float
    mark: Mark
    retrieved: date
    sources: tuple[Citation, ...]
    note: str = ""

    @property
    def range(self) -> Range:
        """Low, central and high."""
        return Range(self.low, self.central, self.high)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: dict[str, Source] = {}
    method: tuple[Method, ...] = ()
    constant: tuple[Constant, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """Where a method, or a figure, is from.

    Attributes:
        authors: Who wrote or publishes it.
        title: Its title.
        year: Year of publication.
        url: Address or DOI.
        mark: How we know it: ``read``, ``excerpt`` or ``second-hand``.
    """

    authors: str
    title: str
    year: int
    url: str
    mark: str

    @classmethod
    def of(cls, source: Source) -> "Work":
        """Return a source of a factor file as a plain value, which JSON can hold."""
        return cls(source.by, source.title, source.year, source.url, source.mark)


ECOLOGITS: Final = Work(
    authors="GenAI Impact",
    title="EcoLogits, called as a library",
    year=2026,
    url="https://ecologits.ai",
    mark="read",
)


@dataclass(frozen=True, slots=True)
class Methods:
    """A checked set of methods.

    Attributes:
        methods: By id.
        constants: By id.
        sources: By key.
    """

    methods: Mapping[str, Method]
    constants: Mapping[str, Constant]
    sources: Mapping[str, Source]

    def cited(self, method: str) -> tuple[Work, ...]:
        """Return the sources of a method, each once."""
        keys = dict.fromkeys(
            citation.id
            for constant in self.constants.values()
            if constant.method == method
            for citation in constant.sources
        )
        return tuple(Work.of(self.sources[key]) for key in keys)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of any number of calls, in disjoint kinds.

    Attributes:
        calls: How many calls.
        uncached: Input tokens that were neither read from a cache nor written to one.
        cache_write: Input tokens written to a cache.
        cache_read: Input tokens read from a cache.
        output: Output tokens, reasoning included.
    """

    calls: int
    uncached: int
    cache_write: int
    cache_read: int
    output: int


@cache
def shipped() -> Methods:
    """Return the methods that come with agenttrace, read once per process."""
    return load(_SHIPPED)


def load(path: Path) -> Methods:
    """Read a file of methods.

    Args:
        path: TOML file with ``source``, ``method`` and ``constant`` tables.

    Raises:
        FactorError: The file cannot be read, or a constant is missing, unknown, given twice, out of
            order, or without a source.
    """
    file = toml_file.read(path, _File, _SHIPPED)
    toml_file.check_once(path.name, "constant", (one.id for one in file.constant))
    methods = {method.id: method for method in file.method}
    constants = {constant.id: constant for constant in file.constant}
    for constant in file.constant:
        _check(path.name, constant, methods, file.source)
    if missing := [id_ for id_ in _UNITS if id_ not in constants]:
        raise FactorError(
            f"{path.name}: missing: {', '.join(missing)}. Add a [[constant]] for each."
        )
    return Methods(methods, constants, file.source)


def price_wh(usage: Usage, methods: Methods) -> Range:
    """Return Wh by the price of the tokens: the sum over the kinds, each at its own rate.

    The ends are sums of the ends: the method gives one factor for all of its rates.
    """
    tokens = {
        "price.uncached": usage.uncached,
        "price.cache_write": usage.cache_write,
        "price.cache_read": usage.cache_read,
        "price.output": usage.output,
    }
    return Range.total(
        methods.constants[id_].range * (number / _MILLION) for id_, number in tokens.items()
    )


def per_prompt_wh(prompts: int, methods: Methods) -> Range:
    """Return Wh if each call were a prompt of a chat, which calls of agents are not."""
    return methods.constants["per-prompt.prompt"].range * prompts


def _check(
    file: str, constant: Constant, methods: Mapping[str, Method], sources: Mapping[str, Source]
) -> None:
    what = f"{file}: constant {constant.id!r}"
    unit = _UNITS.get(constant.id)
    if unit is None:
        raise FactorError(f"{what} is not used. Known ids: {', '.join(_UNITS)}.")
    if constant.unit != unit:
        raise FactorError(f"{what} has unit {constant.unit!r}; give it in {unit!r}.")
    if constant.method not in methods:
        raise FactorError(
            f"{what} names method {constant.method!r}. Add a [[method]] with that id."
        )
    if not 0 < constant.low <= constant.central <= constant.high < float("inf"):
        raise FactorError(
            f"{what} needs 0 < low <= central <= high, "
            f"and has {constant.low:g}, {constant.central:g}, {constant.high:g}. "
            f"Correct the three figures."
        )
    toml_file.check_cited(what, [citation.id for citation in constant.sources], sources)
