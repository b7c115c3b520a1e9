"""What prices the recorded calls, as they were and under the choices."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agenttrace import energy
from agenttrace.compare import what_if
from agenttrace.compare.what_if import Scale, Side
from agenttrace.energy import catalogue, draws, places
from agenttrace.energy.draws import PlaceFactor
from agenttrace.energy.estimate import ModelFactor, Moments
from agenttrace.energy.factors import Factor
from agenttrace.errors import ConfigError, QueryError
from agenttrace.reader import Reader
from agenttrace.report.sums import Row
from agenttrace.report.what_if.values import EVERY, Choices

_MODELS_NAMED: Final = 12


@dataclass(frozen=True, slots=True)
class Plan:
    """What prices the calls of a row on either side.

    Attributes:
        models: By provider and model, before and after.
        places: By provider and region, before and after.
        moved: Model that stands in, by provider and model.
        used: Sourced figures that the choices brought in.
        warnings: What is not known about the models, a sentence each.
    """

    models: Mapping[tuple[str | None, str | None], tuple[ModelFactor, ModelFactor]]
    places: Mapping[tuple[str | None, str | None], tuple[PlaceFactor, PlaceFactor]]
    moved: Mapping[tuple[str | None, str | None], str]
    used: tuple[Factor, ...]
    warnings: tuple[str, ...]

    @classmethod
    def made(
        cls,
        reader: Reader,
        choices: Choices,
        rows: Sequence[Row],
        places_: Mapping[tuple[str | None, str | None], tuple[PlaceFactor, PlaceFactor]],
        moved: Mapping[tuple[str | None, str | None], str],
    ) -> "Plan":
        """Price every model of *rows* as it was and as it would be."""
        before = {(one.provider, one.model): one for one in reader.factors.models}
        present = list(dict.fromkeys((row["provider"], row["model"]) for row in rows))
        instead = energy.factor_set(
            [(provider, moved.get((provider, model), model)) for provider, model in present],
            factors=reader.factors.origin,
            boundary=reader.factors.boundary,
        )
        models: dict[tuple[str | None, str | None], tuple[ModelFactor, ModelFactor]] = {}
        used: dict[str, Factor] = {}
        for key, other in zip(present, instead.models, strict=True):
            scales = _scales(reader, choices, other)
            used |= {factor.id: factor for scale in scales for factor in scale.factors}
            after = other if key in moved else before[key]
            models[key] = (before[key], what_if.scaled(after, *scales))
        concerned = [before[key] for key in present]
        unknown = [one for one in reader.factors.models if not one.match.known]
        warnings = [
            warning
            for one, warning in zip(unknown, reader.factors.warnings, strict=True)
            if one in concerned
        ]
        return cls(
            models=models,
            places=places_,
            moved=moved,
            used=tuple(used.values()),
            warnings=tuple(dict.fromkeys((*warnings, *instead.warnings))),
        )

    def before(self, row: Row) -> Side:
        """Return the calls of *row* as they were."""
        factor, _ = self.models[row["provider"], row["model"]]
        place, _ = self.places[row["provider"], row["region"]]
        return _side(row, "b", factor, place)

    def after(self, row: Row) -> Side:
        """Return the calls of *row* as they would be."""
        _, factor = self.models[row["provider"], row["model"]]
        _, place = self.places[row["provider"], row["region"]]
        return _side(row, "a", factor, place)


def _side(row: Row, side: str, factor: ModelFactor, place: PlaceFactor) -> Side:
    hourly = _moments(row, f"{side}g")
    by_hour = _moments(row, f"{side}h")
    moments = _moments(row, side) or Moments(0.0, 0.0, 0.0, 0.0, 0.0)
    return Side(moments, factor, place, hourly=hourly, by_hour=by_hour)


def _moments(row: Row, prefix: str) -> Moments | None:
    """Return moments of a row; the two quadratic ones are kept twice as large, to be whole."""
    values = [row[f"{prefix}{place}"] for place in range(len(Moments._fields))]
    if values[0] is None:
        return None
    u, ux, c, o, ox = (float(value) for value in values)
    return Moments(u, ux / 2, c, o, ox / 2)


def _scales(reader: Reader, choices: Choices, model: ModelFactor) -> list[Scale]:
    found: list[Scale] = []
    match, factors = model.match, reader.factors.origin
    decodes = match.parts.decode_j_per_token is not None
    if choices.hardware is not None:
        name, class_name = choices.hardware, match.class_name
        found.append(what_if.hardware(name, class_name, factors, decodes=decodes))
    if choices.batch is not None and decodes:
        found.append(what_if.batch(choices.batch, factors))
    return found


def both_places(
    reader: Reader, choices: Choices
) -> dict[tuple[str | None, str | None], tuple[PlaceFactor, PlaceFactor]]:
    """Return where calls ran and where they would run, by provider and region.

    Raises:
        FactorError: The place that they would run at is unknown.
    """
    return {
        (one.provider, one.region): (one, _elsewhere(reader, one, choices.region))
        for one in reader.factors.places
    }


def _elsewhere(reader: Reader, one: PlaceFactor, region: str | None) -> PlaceFactor:
    """Return the place that calls are moved to; who serves them stays who it was."""
    if region is None:
        return one
    factors = reader.factors
    place = places.place(one.provider, None, factors.origin, default=region)
    return draws.placed(one.provider, one.region, place, factors.boundary)


def moved_models(reader: Reader, choices: Choices) -> dict[tuple[str | None, str | None], str]:
    """Return what stands in for which recorded model, by provider and model.

    Raises:
        ConfigError: What writes is to be replaced by what does not.
        QueryError: No call is of a model that is to be replaced.
    """
    found: dict[tuple[str | None, str | None], str] = {}
    for name, other in choices.models:
        fitting = [one for one in reader.factors.models if _is_named(one, name)]
        if not fitting:
            raise QueryError(_not_there(reader, name))
        writes = catalogue.match(other, reader.factors.origin).parts.decode_j_per_token is not None
        for one in fitting:
            if _writes(one) and not writes and (one.provider, one.model) not in found:
                raise ConfigError(_only_reads(one.model or "not named", other))
            found.setdefault((one.provider, one.model), other)
    return found


def _writes(model: ModelFactor) -> bool:
    return model.match.parts.decode_j_per_token is not None


def _only_reads(model: str, other: str) -> str:
    return (
        f"{other!r} only reads (embeddings, rerankers) and {model!r} writes, so it cannot stand in "
        f"for it. `agenttrace factors match {shlex.quote(other)}` says what it is taken for."
    )


def _is_named(model: ModelFactor, name: str) -> bool:
    if name == EVERY:
        # What reads only (embeddings, rerankers) cannot be answered by what writes.
        return _writes(model)
    if model.model is None:
        return False
    return name == model.model or catalogue.canonical(name) == catalogue.canonical(model.model)


def _not_there(reader: Reader, name: str) -> str:
    there = list(dict.fromkeys(one.model for one in reader.factors.models if one.model))
    if not reader.factors.models:
        return (
            f"no call was answered by {name!r}: nothing is recorded yet. `agenttrace demo` records "
            "an example."
        )
    if not there:
        return (
            f"no call was answered by {name!r}: no call names its model. {EVERY} is all that write."
        )
    named = ", ".join(there[:_MODELS_NAMED])
    if there[_MODELS_NAMED:]:
        named += f" and {len(there) - _MODELS_NAMED:,} more"
    return f"no call was answered by {name!r}. Models here: {named}; {EVERY} is all that write."
