"""What a set of factors must be like to be priced with: one error, one line, and the way out."""

import difflib
import math
import re
from collections.abc import Collection, Iterable, Sequence

from agenttrace.energy.factor_file import FactorFile, Where
from agenttrace.energy.records import (
    CONSTANTS,
    PARTS,
    Citation,
    Factor,
    Family,
    Model,
    ModelClass,
    Pattern,
    Records,
    Source,
    Span,
    quantity,
)
from agenttrace.errors import FactorError
from agenttrace.model import Range

UNKNOWN = "unknown"
"""The class of a model that nothing is known about: it spans every class that decodes."""

_YEARS = range(1900, 2101)
_DECODING = ("decode_j_per_token", "cache_bytes_per_token")


def check_file(file: FactorFile, records: Records) -> None:
    """Check what one file says.

    Args:
        file: A file of any layer.
        records: What all layers say together: the sources, classes and factors to refer to.

    Raises:
        FactorError: A record contradicts itself, or refers to what is not there.
    """
    said = file.records
    classes = [entry.name for entry in records.classes]
    for key, source in said.source.items():
        _source(file.where(f"source.{key}"), key, source)
    for index, factor in enumerate(said.factor):
        _factor(file, index, factor)
        _cited(file.where("factor", index), f"factor {factor.id!r}", factor.sources, records)
    for index, entry in enumerate(said.classes):
        _class(file.where("class", index), entry)
    for index, pattern in enumerate(said.pattern):
        _pattern(file.where("pattern", index), pattern, classes)
    for index, family in enumerate(said.family):
        where = file.where("family", index)
        _cited(where, f"family {family.name!r}", family.sources, records)
        _family(where, family, classes)
    for index, provider in enumerate(said.provider):
        where = file.where("provider", index)
        _cited(where, f"provider {provider.name!r}", provider.sources, records)
    for name, model in said.deployment.items():
        if not (name.strip() and model.strip()):
            raise FactorError(
                f"{file.where('deployment', 0, name)}: deployment {name!r} names no model. "
                f'Write it as "my-deployment" = "gpt-4o".'
            )


def check_whole(files: Sequence[FactorFile], records: Records) -> None:
    """Check that nothing which the formula needs is missing, and that nothing is given in vain.

    Raises:
        FactorError: A constant or a part of a class is not there, or a factor belongs to nothing.
    """
    given = {factor.id for factor in records.factor}
    required = [name for name, constant in CONSTANTS.items() if constant.is_required]
    _present(required, given)
    for file in files:
        for index, entry in enumerate(file.records.classes):
            parts = ["active_parameters_b", *(_DECODING if entry.decodes else ())]
            _present([f"{entry.name}.{part}" for part in parts], given, file.where("class", index))
    if not any(entry.decodes for entry in records.classes):
        raise FactorError("no class decodes, so an unknown model has no range. Add a [[class]].")
    owners = {
        "class": [entry.name for entry in records.classes],
        "provider": [provider.factor_owner for provider in records.provider],
    }
    for file in files:
        for index, factor in enumerate(file.records.factor):
            owner, _, part = factor.id.rpartition(".")
            kind = PARTS[part].owner if owner else "formula"
            if owner not in owners.get(kind, (owner,)):
                raise _orphan(file.where("factor", index, "id"), factor.id, kind, owners[kind])


def _present(needed: Iterable[str], given: Collection[str], where: Where | None = None) -> None:
    if missing := [id_ for id_ in needed if id_ not in given]:
        place = f"{where}: " if where else ""
        raise FactorError(
            f"{place}factors are missing: {', '.join(missing)}. Add a [[factor]] for each."
        )


def _orphan(where: Where, id_: str, kind: str, owners: Sequence[str]) -> FactorError:
    owner, _, part = id_.rpartition(".")
    close = difflib.get_close_matches(owner, owners, n=1)
    hint = f"Did you mean {close[0]}.{part}? " if close else ""
    models = "Figures of a model go into a [[family]]. " if kind == "class" else ""
    return FactorError(
        f"{where}: factor {id_!r} belongs to no {kind}, so nothing would use it. {hint}{models}"
        f"Add a [[{kind}]] named {owner!r}, or use one of {', '.join(sorted(set(owners)))}."
    )


def _source(where: Where, key: str, source: Source) -> None:
    for name in ("by", "title", "url"):
        if not getattr(source, name).strip():
            raise FactorError(f"{where}: source {key!r} has an empty {name}. Fill it in.")
    if source.year not in _YEARS:
        raise FactorError(
            f"{where}: source {key!r} is of the year {source.year}. Give the year of publication."
        )


def _factor(file: FactorFile, index: int, factor: Factor) -> None:
    def wrong(key: str, trouble: str) -> FactorError:
        return FactorError(f"{file.where('factor', index, key)}: factor {factor.id!r} {trouble}")

    wanted = quantity(factor.id)
    if wanted is None:
        known = ", ".join([*CONSTANTS, *(f"NAME.{part}" for part in PARTS)])
        raise wrong("id", f"is not used. Known ids: {known}.")
    if factor.unit != wanted.unit:
        raise wrong("unit", f"has unit {factor.unit!r}; give it in {wanted.unit!r}.")
    if factor.boundary not in wanted.boundaries:
        raise wrong(
            "boundary",
            f"covers {factor.boundary!r}; the formula takes it for "
            f"{' or '.join(map(repr, wanted.boundaries))}. Convert it, or use another id.",
        )
    if not is_range(factor.range, may_be_zero=wanted.may_be_zero):
        raise wrong(
            "low",
            f"needs {_order(may_be_zero=wanted.may_be_zero)}, and has {_figures(factor.range)}. "
            f"Correct the three figures.",
        )
    if not (wanted.least <= factor.low and factor.high <= wanted.most):
        raise wrong(
            "low",
            f"cannot be below {wanted.least:g} or above {wanted.most:g}, and has "
            f"{_figures(factor.range)}. Correct the three figures.",
        )
    if not (factor.least <= factor.low and factor.high <= factor.most):
        raise wrong(
            "least",
            f"ends at {factor.least:g} and {factor.most:g}, and its range does not lie within. "
            f"Widen least and most, or narrow the range.",
        )


def is_range(figures: Range, *, may_be_zero: bool = False) -> bool:
    """Return whether three figures are in order, finite, and above zero or not below it."""
    # Written so that a figure which is not a number fails.
    starts = figures.low >= 0 if may_be_zero else figures.low > 0
    return starts and figures.low <= figures.central <= figures.high < math.inf


def _order(*, may_be_zero: bool) -> str:
    return f"0 {'<=' if may_be_zero else '<'} low <= central <= high"


def _figures(figures: Range) -> str:
    return f"{figures.low:g}, {figures.central:g}, {figures.high:g}"


def _cited(where: Where, what: str, citations: Sequence[Citation], records: Records) -> None:
    if not citations:
        raise FactorError(f"{where}: {what} has no source. Add one to its sources.")
    for citation in citations:
        if citation.id not in records.source:
            raise FactorError(
                f"{where}: {what} cites source {citation.id!r}, which is not given. "
                f"Add a [source.{citation.id}] table."
            )


def _class(where: Where, entry: ModelClass) -> None:
    if entry.name == UNKNOWN or not entry.name.strip():
        raise FactorError(
            f"{where}: a class cannot be named {entry.name!r}. Give it a name of its own."
        )
    if not (entry.dense_up_to_b > 0 and entry.moe_up_to_b > 0):
        raise FactorError(
            f"{where}: class {entry.name!r} needs dense_up_to_b and moe_up_to_b above 0, "
            f"and has {entry.dense_up_to_b:g} and {entry.moe_up_to_b:g}. Correct them."
        )


def _pattern(where: Where, pattern: Pattern, classes: Sequence[str]) -> None:
    what = f"pattern {pattern.matches!r}"
    _known_class(where, what, pattern.class_name, classes)
    try:
        re.compile(pattern.matches)
    except re.error as error:
        raise FactorError(f"{where}: {what} is no regular expression: {error}. Mend it.") from error


def _known_class(where: Where, what: str, name: str, classes: Sequence[str]) -> None:
    if name not in classes:
        raise FactorError(f"{where}: {what} names class {name!r}. Classes: {', '.join(classes)}.")


def _family(where: Where, family: Family, classes: Sequence[str]) -> None:
    what = f"family {family.name!r}"
    if family.class_name:
        _known_class(where, what, family.class_name, classes)
    if not family.models:
        raise FactorError(f"{where}: {what} has no models. Add one, or remove it.")
    for model in family.models:
        if not model.names or not all(name.strip() for name in model.names):
            raise FactorError(f"{where}: {what} has a model without a name. Add it to its names.")
        _model(where, f"{what}, model {model.names[0]!r}", model, classes)


def _model(where: Where, what: str, model: Model, classes: Sequence[str]) -> None:
    if model.class_name:
        _known_class(where, what, model.class_name, classes)
    for key in ("active_b", "total_b", "cache_bytes_per_token"):
        span: Span | None = getattr(model, key)
        if span is not None and not is_range(spread(span)):
            raise FactorError(
                f"{where}: {what} needs {_order(may_be_zero=False)} for {key}, "
                f"and has {_figures(spread(span))}. Correct the figures."
            )
    if model.total_b is not None and spread(model.active_b).low > spread(model.total_b).high:
        raise FactorError(
            f"{where}: {what} has more active parameters than parameters in total: active_b is "
            f"{_figures(spread(model.active_b))}, total_b is {_figures(spread(model.total_b))}. "
            f"Correct one of the two."
        )


def spread(span: Span) -> Range:
    """Return one number that is known, or three, as a range."""
    return Range(*span) if isinstance(span, tuple) else Range(span, span, span)
