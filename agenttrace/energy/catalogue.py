"""From the name of a model to its class, its parameters, and the reason for both."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from agenttrace.energy import library
from agenttrace.energy.factors import UNKNOWN, Citation, Factor, Factors, Parts
from agenttrace.energy.library import Entry

_RETRIEVED = date(2026, 11, 23)  # when the fields of the EcoLogits catalogue were last checked

_FINE_TUNED = re.compile(r"^ft:([^:]+):.*$")  # ft:gpt-4o-mini:organisation:name:id
_BEDROCK = re.compile(  # us.anthropic.claude-sonnet-4-5-20250929-v1:0
    r"^(?:[a-z-]+\.)?(?:ai21|amazon|anthropic|cohere|google|meta|mistral|openai|qwen)\."
    r"(.+?)(?:-v\d+(?::\w+)*|-\d+(?::\w+)+)?$"
)
_TAG = re.compile(r":(free|latest|nitro|floor|online|thinking|extended|beta)$")
_DATE = re.compile(r"-20\d{2}-?[01]\d-?[0-3]\d(?=-|$)")


@dataclass(frozen=True, slots=True)
class Match:
    """What is known about a model by its name.

    Attributes:
        key: The model without prefix, date and tag; spellings of one model share it.
        class_name: Its size class; ``unknown`` where nothing matches.
        reason: Why, in a sentence.
        parts: What the formula needs.
    """

    key: str
    class_name: str
    reason: str
    parts: Parts

    @property
    def known(self) -> bool:
        """Whether a catalogue entry or a pattern matched."""
        return self.class_name != UNKNOWN


def match(model: str | None, factors: Factors) -> Match:
    """Find class and parameters of *model*.

    Published or assumed parameters (ours first, then EcoLogits') replace the parameters of the
    class. A pattern over the name gives the class; without one, the number of parameters does.
    A name that neither knows gets a range over every class.

    Args:
        model: The name as a trace has it, or None where it has none.
        factors: Where classes and patterns come from.
    """
    key = canonical(model or "")
    entry = _entry(model or "")
    class_name, reason = _class(key, entry, factors)
    parts = factors.parts(class_name)
    usual = parts.active_parameters_b
    if published := factors.models.get(key):
        own = factors.factors[published]
        reason += f"; {_figure(own)} B active, published"
    elif entry:
        own = _parameters(entry)
        origin = "published" if entry.published else "assumed by EcoLogits, not published"
        reason += f"; {_figure(own)} B active, {origin}"
    else:
        return Match(key, class_name, reason, parts)
    # The name and the size can suggest different classes, and one of them is wrong. Decoding then
    # covers both, rather than pairing the prefill of one class with the decoding of another.
    size = _class_by_size(entry, factors) if entry else class_name
    outside = not usual.low <= own.central <= usual.high
    if outside and size != class_name and parts.decode_j_per_token:
        parts = factors.spanning(
            key, [name for name in factors.classes if name in (class_name, size)]
        )
        reason += f"; that is the size of class {size}, so decoding spans both"
    return Match(key, class_name, reason, replace(parts, active_parameters_b=own))


def of_class(class_name: str, factors: Factors) -> Match:
    """Return a model of which only the class is given."""
    return Match(
        f"class:{class_name}", class_name, f"class {class_name}: given", factors.parts(class_name)
    )


def canonical(model: str) -> str:
    """Return the name without vendor prefix, region, release date, version and tag, in lower case.

    Spellings of one model have one canonical name: ``anthropic/claude-sonnet-4-5``,
    ``claude-sonnet-4-5@20250929`` and ``us.anthropic.claude-sonnet-4-5-20250929-v1:0`` are all
    ``claude-sonnet-4-5``.
    """
    return _DATE.sub("", _bare(model))


def spellings(model: str) -> Iterator[str]:
    """Yield the names to look for in a catalogue, the most literal first."""
    literal = model.strip().lower()
    yield from dict.fromkeys((literal, literal.rpartition("/")[2], _bare(model), canonical(model)))


def _bare(model: str) -> str:
    name = _FINE_TUNED.sub(r"\1", model.strip().lower()).rpartition("/")[2]
    name = _TAG.sub("", _BEDROCK.sub(r"\1", name))
    return name.replace("@", "-").replace(":", "-")


def _entry(model: str) -> Entry | None:
    catalogue = library.models()
    return next((catalogue[name] for name in spellings(model) if name in catalogue), None)


def _class(key: str, entry: Entry | None, factors: Factors) -> tuple[str, str]:
    for pattern, name in factors.patterns:
        if found := pattern.search(key):
            return name, f"class {name}: {found.group()!r} in the name"
    if entry:
        name = _class_by_size(entry, factors)
        kind = "a dense model" if entry.dense else "a mixture of experts"
        return name, f"class {name}: {kind} of {entry.total_parameters_b.central:.3g} B"
    return UNKNOWN, "unknown model: neither the name nor the catalogue says more, so every class"


def _class_by_size(entry: Entry, factors: Factors) -> str:
    total = entry.total_parameters_b.central
    decoding = [size for size in factors.classes.values() if size.decodes]
    fitting = (c for c in decoding if total <= (c.dense_up_to_b if entry.dense else c.moe_up_to_b))
    return next(fitting, decoding[-1]).name


def _parameters(entry: Entry) -> Factor:
    count = entry.active_parameters_b
    where = "; ".join([f"{entry.provider} {entry.name}", *(entry.sources or ())])
    return Factor(
        id=f"{entry.name}.active_parameters_b",
        name=f"active parameters of {entry.name}",
        unit="1e9 parameter",
        low=count.low,
        central=count.central,
        high=count.high,
        boundary="model",
        mark="second-hand" if entry.published else "assumption",
        retrieved=_RETRIEVED,
        sources=(Citation("ecologits-models", where),),
    )


def _figure(factor: Factor) -> str:
    if factor.low == factor.high:
        return f"{factor.central:.3g}"
    return f"{factor.low:.3g} to {factor.high:.3g}"
