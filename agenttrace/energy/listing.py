"""Factors as something to look at: by group, one by one, and as lines of TOML."""

import difflib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, cast

import msgspec

from agenttrace.energy import catalogue, places
from agenttrace.energy.factors import Factor, Factors, Source
from agenttrace.energy.records import CONSTANTS, PARTS, Family, Model
from agenttrace.errors import FactorError

Kind = Literal["factor", "class", "family", "provider", "source", "grid", "deployment"]


@dataclass(frozen=True, slots=True)
class Record:
    """Something that is known.

    Attributes:
        kind: The table of a factor file that it would be in; ``grid`` for an electricity mix.
        key: What it is known by.
        value: The record itself.
        file: Whose file it is from: empty for ours.
        before: The factor that it replaced.
    """

    kind: Kind
    key: str
    value: msgspec.Struct
    file: str = ""
    before: Factor | None = None


@dataclass(frozen=True, slots=True)
class Cited:
    """A source, and how many records cite it."""

    id: str
    source: Source
    cited_by: int


def of_owner(factors: Factors, kind: str) -> Iterator[Factor]:
    """Yield the factors of one kind of owner, in the order of the table of known ids.

    Args:
        factors: A set of factors.
        kind: ``formula``, ``class``, ``provider`` or ``hardware``.
    """
    if kind == "formula":
        yield from (factors.factors[name] for name in CONSTANTS if name in factors.factors)
        return
    for factor in factors.factors.values():
        named, _, part = factor.id.rpartition(".")
        if named and PARTS[part].owner == kind:
            yield factor


def owner(factor: Factor) -> str:
    """Return what a factor belongs to: empty for a constant."""
    return factor.id.rpartition(".")[0]


def figures(factors: Factors) -> Iterator[tuple[Family, Model, tuple[Factor, ...]]]:
    """Yield the models whose parameters we know, with their figures as factors."""
    for family in factors.records.family:
        for model in family.models:
            yield family, model, tuple(catalogue.figures(family, model))


def group(factors: Factors, name: str) -> list[dict[str, Any]]:
    """Return a group as plain values, one a record.

    Args:
        factors: A set of factors.
        name: ``constants``, ``classes``, ``models``, ``providers``, ``hardware`` or ``grids``.
    """
    match name:
        case "constants":
            return [plain(factor) for factor in of_owner(factors, "formula")]
        case "classes":
            own = list(of_owner(factors, "class"))
            return [
                plain(one) | {"factors": _owned(own, one.name)} for one in factors.classes.values()
            ]
        case "models":
            ours = [
                {"family": family.name, "provider": family.provider, "names": list(model.names)}
                | {"factors": [plain(factor) for factor in known]}
                for family, model, known in figures(factors)
            ]
            return ours + [_entry(name, factors) for name in sorted(factors.library.models)]
        case "providers":
            own = list(of_owner(factors, "provider"))
            return [
                plain(one) | {"factors": _owned(own, one.factor_owner)}
                for one in factors.providers.values()
            ]
        case "hardware":
            return [plain(factor) for factor in of_owner(factors, "hardware")]
        case _:
            return [
                plain(mix) | {"source": "ecologits-mixes"} for mix in factors.library.mixes.values()
            ]


def record(factors: Factors, id_: str) -> Record:
    """Return the record that is known by *id_*.

    Raises:
        FactorError: There is none.
    """
    files = {(change.table, change.key): change for change in reversed(factors.changes)}
    for kind, table in _tables(factors).items():
        spelt = (id_, id_.strip().lower(), id_.strip().upper())
        if key := next((one for one in spelt if one in table), None):
            change = files.get((kind if kind != "family" else "model", key))
            return Record(
                kind,
                key,
                table[key],
                change.file if change else "",
                change.before if change else None,
            )
    # A family and a model of it may share a name.
    known = dict.fromkeys(key for table in _tables(factors).values() for key in table)
    close = difflib.get_close_matches(id_, known, n=3)
    hint = f"Did you mean {' or '.join(close)}? " if close else ""
    raise FactorError(
        f"there is nothing known by {id_!r}. {hint}`agenttrace factors list` names the factors, "
        f"and `agenttrace factors match {id_}` says what a model of that name is taken for."
    )


def is_model(factors: Factors, name: str) -> bool:
    """Tell whether the parameters of *name* are a record; a name may tell a size without."""
    try:
        return record(factors, name).kind == "family"
    except FactorError:
        return False


def sources(factors: Factors) -> list[Cited]:
    """Return every source by its key, those of places included."""
    cited: Counter[str] = Counter()
    for factor in factors.factors.values():
        cited.update({citation.id for citation in factor.sources})
    for one in (*factors.records.family, *factors.records.provider):
        cited.update({citation.id for citation in one.sources})
    own = {**places.sources(), **factors.sources}
    return [Cited(key, own[key], cited[key]) for key in sorted(own)]


def matched(name: str, factors: Factors) -> dict[str, Any]:
    """Return what a model is taken for, as plain values."""
    found = catalogue.match(name, factors)
    return {
        "name": name,
        "known": found.known,
        "key": found.key,
        "class": found.class_name,
        "provider": found.provider,
        "family": found.family,
        "reason": found.reason,
        "factors": [plain(part) for part in parts(found)],
        "spellings": list(catalogue.spellings(name)),
        "way_out": [] if found.known else way_out(name),
    }


def parts(match: catalogue.Match) -> list[Factor]:
    """Return the factors of a model that are known, its parameters first."""
    known = (
        match.parts.active_parameters_b,
        match.total_parameters_b,
        match.parts.decode_j_per_token,
        match.parts.cache_bytes_per_token,
    )
    return [factor for factor in known if factor]


def way_out(name: str) -> list[str]:
    """Return the lines of a factor file that make an unknown model known."""
    today = datetime.now().astimezone().date()
    quoted = _toml(name)
    return [
        "# If it is your name for a model that is known, at the top of the file:",
        catalogue.mending(name),
        "",
        "# If you know its parameters, in 1e9:",
        "[[family]]",
        f"name = {quoted}",
        'provider = "who makes it"',
        'mark = "read"',
        f"retrieved = {today.isoformat()}",
        'sources = [{ id = "its-card", locator = "where in it" }]',
        f"models = [{{ names = [{quoted}], active_b = 32.0 }}]",
        "",
        "[source.its-card]",
        'by = "who wrote it"',
        'title = "model card"',
        f"year = {today.year}",
        'url = "https://..."',
        'mark = "read"',
    ]


def plain(value: object) -> dict[str, Any]:
    """Return a record as values that JSON has."""
    made: dict[str, Any] = msgspec.to_builtins(value)
    return made


_HEADERS: Final[Mapping[Kind, str]] = {
    "factor": "[[factor]]",
    "class": "[[class]]",
    "family": "[[family]]",
    "provider": "[[provider]]",
}


def to_toml(record: Record) -> str:
    """Return a record as it would be in a factor file.

    Raises:
        FactorError: It is an electricity mix, which factor files do not have.
    """
    if record.kind == "grid":
        raise FactorError(
            f"zone {record.key!r} cannot be replaced by a factor file. "
            f"`agenttrace grid import` reads intensities of yours."
        )
    if isinstance(record.value, _Deployment):
        return f"[deployment]\n{_toml(record.key)} = {_toml(record.value.model)}\n"
    header = _HEADERS.get(record.kind, f"[source.{_key(record.key)}]")
    fields = msgspec.to_builtins(record.value, builtin_types=(date,))
    lines = [f"{_key(key)} = {_toml(value)}" for key, value in fields.items()]
    return "\n".join([header, *lines]) + "\n"


class _Deployment(msgspec.Struct, frozen=True):
    name: str
    model: str


def _tables(factors: Factors) -> dict[Kind, Mapping[str, msgspec.Struct]]:
    return {
        "factor": {**_model_figures(factors), **factors.factors},
        "class": factors.classes,
        "deployment": {
            name: _Deployment(name, model) for name, model in factors.deployments.items()
        },
        "family": {
            # Ours go before EcoLogits', and are shown in the form that a factor file has.
            **{
                name: catalogue.as_family(name, entry)
                for name, entry in factors.library.models.items()
            },
            **{
                name: msgspec.structs.replace(family, models=(model,))
                for name, (family, model) in factors.families.items()
            },
        },
        "provider": factors.providers,
        "source": {cited.id: cited.source for cited in sources(factors)},
        "grid": factors.library.mixes,
    }


def _model_figures(factors: Factors) -> dict[str, Factor]:
    return {factor.id: factor for *_, known in figures(factors) for factor in known}


def _owned(factors: Iterable[Factor], name: str) -> list[dict[str, Any]]:
    return [plain(factor) for factor in factors if owner(factor) == name]


def _entry(name: str, factors: Factors) -> dict[str, Any]:
    entry = factors.library.models[name]
    return {
        "family": "",
        "provider": entry.provider,
        "names": [name],
        "active_parameters_b": _range(entry.active_parameters_b),
        "total_parameters_b": _range(entry.total_parameters_b),
        "published": entry.published,
        "source": "ecologits-models",
        "addresses": list(entry.sources or ()),
    }


def _range(found: Any) -> dict[str, float]:
    return {"low": found.low, "central": found.central, "high": found.high}


def _key(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() and key.isascii() else _toml(key)


def _toml(value: Any) -> str:
    """Write a value as TOML has it: strings as in JSON, tables in one line."""
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value).items()
        return "{ " + ", ".join(f"{_key(key)} = {_toml(one)}" for key, one in pairs) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(one) for one in cast("list[Any]", value)) + "]"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return repr(value)  # inf as well, which JSON has no word for
    # The one character that JSON leaves as it is and TOML does not.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
