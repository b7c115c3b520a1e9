"""What a factor file may hold: one class per table of the TOML, and the quantities that are known.

A record says where it is from. What is optional here is optional in the file.
"""

import math
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, TypeAlias

import msgspec

from agenttrace.model import Range

Mark: TypeAlias = Literal["read", "excerpt", "second-hand", "derived", "assumption"]
Boundary: TypeAlias = Literal["accelerator", "server", "facility", "model", "site", "grid"]

Span: TypeAlias = float | tuple[float, float, float]
"""One number that is known, or low, central and high."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a factor of some id must be like.

    Attributes:
        unit: Of low, central and high.
        boundaries: What it may cover: the formula multiplies what is the accelerator's, so the
            same figure for a whole facility would count the facility twice.
        owner: Whose it is: of the ``formula``, or of a ``class``, a ``provider`` or of ``hardware``
            that the id names before its last dot.
        may_be_zero: Whether nothing at all is a possible value.
        is_required: Whether the formula needs it; said of constants only.
        least: Nothing of this kind can be smaller, whatever a record says.
        most: Nothing can be greater.
    """

    unit: str
    boundaries: tuple[Boundary, ...]
    owner: Literal["formula", "class", "provider", "hardware"] = "formula"
    may_be_zero: bool = False
    is_required: bool = False
    least: float = 0.0
    most: float = math.inf


_ACCELERATOR: Final = ("accelerator",)

CONSTANTS: Final = {
    "prefill_j_per_b_token": Quantity("J/(1e9 parameter * token)", _ACCELERATOR, is_required=True),
    "attention_parity_tokens": Quantity("token", _ACCELERATOR, is_required=True),
    "cache_hit_share": Quantity("1", _ACCELERATOR, is_required=True, most=1.0),
    "cache_read_j_per_byte": Quantity("J/byte", _ACCELERATOR, is_required=True),
    "facility_multiplier": Quantity("1", ("facility",), is_required=True, least=1.0),
    "host_share": Quantity("1", ("server",), is_required=True, most=1.0),
    "batch_exponent": Quantity("1", _ACCELERATOR, may_be_zero=True),
}
"""Factors that all models share, by id. The required ones come first, in the formula's order."""

PARTS: Final = {
    "active_parameters_b": Quantity("1e9 parameter", ("model",), "class"),
    "decode_j_per_token": Quantity("J/token", _ACCELERATOR, "class"),
    "cache_bytes_per_token": Quantity("byte/token", ("model",), "class"),
    "pue": Quantity("1", ("facility", "site"), "provider", least=1.0),
    "wue_l_per_kwh": Quantity("l/kWh", ("facility", "site"), "provider", may_be_zero=True),
    "decode_ratio": Quantity("1", _ACCELERATOR, "hardware"),
    "prefill_ratio": Quantity("1", _ACCELERATOR, "hardware"),
    "cache_read_ratio": Quantity("1", _ACCELERATOR, "hardware"),
}
"""Factors that belong to something, by the part that they play: the id is ``OWNER.PART``."""


def quantity(id_: str) -> Quantity | None:
    """Return what the factor *id_* must be like; None if nothing has such a factor."""
    owner, _, part = id_.rpartition(".")
    return PARTS.get(part) if owner else CONSTANTS.get(id_)


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A publication, a data set or a piece of software that figures were taken from.

    Attributes:
        by: Authors, or who publishes it.
        title: Its title.
        year: Year of publication.
        url: Address or DOI.
        mark: How we know it: ``read``, ``excerpt`` or ``second-hand``.
    """

    by: str
    title: str
    year: int
    url: str
    mark: Literal["read", "excerpt", "second-hand"]


class Citation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A place in a source.

    Attributes:
        id: Key of the source.
        locator: Table, section or entry, and what is found there.
    """

    id: str
    locator: str = ""


class Factor(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """One sourced quantity.

    Attributes:
        id: A constant's name, or what it belongs to and the part it plays.
        name: What it is, in words.
        unit: Unit of low, central and high.
        low: 5 % of what is known.
        central: Median.
        high: 95 %.
        boundary: What the figure covers; ``model`` for a property of the model itself.
        mark: How the figure came from its sources.
        retrieved: When.
        sources: Where from; never empty.
        symbol: Its letter in the formula.
        note: What a reader should know before using it.
        least: Draws end here below, where the quantity cannot be smaller.
        most: Draws end here above.
    """

    id: str
    name: str
    unit: str
    low: float
    central: float
    high: float
    boundary: Boundary
    mark: Mark
    retrieved: date
    sources: tuple[Citation, ...]
    symbol: str = ""
    note: str = ""
    least: float = 0.0
    most: float = math.inf

    @property
    def range(self) -> Range:
        """Low, central and high."""
        return Range(self.low, self.central, self.high)


class ModelClass(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A size class of models.

    Attributes:
        name: Its name.
        holds: What is in it, in words.
        decodes: False where nothing is generated: embeddings, rerankers.
        dense_up_to_b: Dense models up to this many parameters (1e9) belong here or below.
        moe_up_to_b: Mixtures of experts up to this many total parameters (1e9).
    """

    name: str
    holds: str
    decodes: bool = True
    dense_up_to_b: float = math.inf
    moe_up_to_b: float = math.inf


class Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A regular expression over canonical model names, and the class it means.

    Attributes:
        matches: Found anywhere in the name.
        class_name: The class of such a model.
        fallback: Tried only where nothing else knows the model.
    """

    matches: str
    class_name: str = msgspec.field(name="class")
    fallback: bool = False


class Model(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A model whose parameters are known.

    Attributes:
        names: Canonical names; the first is its own.
        active_b: Active parameters (1e9).
        total_b: Total parameters (1e9) of a mixture of experts; None for a dense model.
        cache_bytes_per_token: Key/value cache per token of context at 2 bytes a value.
        class_name: Where neither name nor size say it.
        locator: Where in the sources of its family, usually the model's card.
    """

    names: tuple[str, ...]
    active_b: Span
    total_b: Span | None = None
    cache_bytes_per_token: Span | None = None
    class_name: str = msgspec.field(name="class", default="")
    locator: str = ""


class Family(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """Models that share a maker, sources and a mark.

    Attributes:
        name: Its name.
        provider: Who makes it.
        mark: How the figures came from the sources.
        retrieved: When.
        sources: Where from; never empty.
        models: Its members.
        class_name: Class of all of them, where size does not say it.
        note: What a reader should know.
    """

    name: str
    provider: str
    mark: Mark
    retrieved: date
    sources: tuple[Citation, ...]
    models: tuple[Model, ...]
    class_name: str = msgspec.field(name="class", default="")
    note: str = ""


class Provider(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """Who serves models, and where.

    Attributes:
        name: As ``gen_ai.provider.name`` has it.
        zone: ISO 3166-1 alpha-3 code of the country where it mostly serves; empty if unknown.
        region: Cloud region where it mostly serves; empty if unknown.
        owner: Before the dot in the ids of its factors; its name if not given.
        mark: How the place came from the sources.
        retrieved: When.
        sources: Where the place is from; never empty.
        note: What a reader should know.
    """

    name: str
    mark: Mark
    retrieved: date
    sources: tuple[Citation, ...]
    zone: str = ""
    region: str = ""
    owner: str = ""
    note: str = ""

    @property
    def factor_owner(self) -> str:
        """Before the dot in the ids of its factors."""
        return self.owner or self.name


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a file added to the factors of the layers below its own, or replaced there.

    Attributes:
        table: The kind of record.
        key: What it is known by.
        file: Where it is from.
        replaces: Whether something was there before.
        before: The factor that was.
    """

    table: str
    key: str
    file: str
    replaces: bool = False
    before: Factor | None = None


class Records(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """All that a file says, or several files together.

    Attributes:
        source: Sources by key.
        factor: Factors.
        classes: Classes, smallest first.
        pattern: Name patterns in the order in which they are tried.
        family: Models whose parameters are known.
        provider: Who serves models, and where.
        deployment: Model by the name that a user gave it.
    """

    source: dict[str, Source] = {}
    factor: tuple[Factor, ...] = ()
    classes: tuple[ModelClass, ...] = msgspec.field(name="class", default=())
    pattern: tuple[Pattern, ...] = ()
    family: tuple[Family, ...] = ()
    provider: tuple[Provider, ...] = ()
    deployment: dict[str, str] = {}
