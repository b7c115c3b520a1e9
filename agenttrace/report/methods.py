"""Build the report on methods: other published estimates of the same calls, beside ours."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from agenttrace.compare import ecologits_library, embodied, methods
from agenttrace.compare.embodied import Embodied
from agenttrace.compare.methods import Work
from agenttrace.energy import ModelFactor, catalogue, total
from agenttrace.energy.estimate import Moments
from agenttrace.energy.library import Entry
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.sums import Row, held, narrowed
from agenttrace.report.values import Coverage, Method

_NS_PER_S: Final = 1e9

# Few rows, however many calls there are. Kinds with a call that lacks a side are left out, because
# that side would be missing for some methods and not for others.
_SUMS: Final = """
SELECT
    provider,
    model,
    role,
    hidden,
    sum(calls)::BIGINT AS calls,
    sum(uncached)::DOUBLE AS n_u,
    sum(uncached_context_x2)::DOUBLE / 2 AS n_u_context,
    sum(cached)::DOUBLE AS n_c,
    sum(output)::DOUBLE AS n_o,
    sum(output_context_x2)::DOUBLE / 2 AS n_o_context,
    sum(input_uncached_tokens)::BIGINT AS input_uncached_tokens,
    sum(cache_write_tokens)::BIGINT AS cache_write_tokens,
    sum(cache_read_tokens)::BIGINT AS cache_read_tokens,
    sum(output)::BIGINT AS output_tokens,
    sum(duration_ns)::DOUBLE AS duration_ns,
    sum(duration_ns_calls)::BIGINT AS duration_ns_calls
FROM call_total
WHERE unpriced_calls = 0
GROUP BY provider, model, role, hidden, status, outcome
ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class MethodLine:
    """What one method makes of the calls.

    Attributes:
        method: Its id.
        name: Its name in words.
        boundary: What its energy covers.
        calls: The calls that it has an answer for.
        energy_wh: Its energy of them; None where it has no answer for any.
        ours_wh: Ours of the same calls.
        times_ours: Its central value over ours, on the same calls.
        ignores: What it does not look at.
        sources: Where it is from.
        unknown_models: Models that it has no answer for.
    """

    method: str
    name: str
    boundary: str
    calls: int
    energy_wh: Range | None
    ours_wh: Range | None
    times_ours: float | None
    ignores: str
    sources: tuple[Work, ...]
    unknown_models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelMethods:
    """What the methods make of the calls of one model; central values.

    Attributes:
        provider: As recorded.
        model: As recorded.
        calls: The calls compared.
        ours_wh: Ours.
        ecologits_wh: EcoLogits'; None where it does not know the model.
        price_wh: By the price of the tokens.
    """

    provider: str | None
    model: str | None
    calls: int
    ours_wh: float
    ecologits_wh: float | None
    price_wh: float


@dataclass(frozen=True, slots=True)
class MethodsReport:
    """Methods side by side, on the same calls.

    Attributes:
        store: The folder.
        task_id: The task; None for everything recorded.
        task_name: Its name.
        first_started_at: Start of the first call.
        last_started_at: Start of the last call.
        calls: Model calls.
        compared_calls: Those that report both input and output, and so can be compared.
        visible_calls: Those of them that a person reads.
        lines: Ours first.
        models: Most energy first, by ours.
        embodied: Making the hardware, apart; None where EcoLogits knows none of the models.
        ecologits_version: Of the installed library.
        coverage: What the figures rest on.
        method: How ours are estimated.
        warnings: What to know before believing a figure, a sentence each.
    """

    kind: ClassVar = "methods"

    store: str
    task_id: str | None
    task_name: str | None
    first_started_at: str | None
    last_started_at: str | None
    calls: int
    compared_calls: int
    visible_calls: int
    lines: tuple[MethodLine, ...]
    models: tuple[ModelMethods, ...]
    embodied: Embodied | None
    ecologits_version: str
    coverage: Coverage
    method: Method
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """Calls of one kind and model, summed; all of them report both sides."""

    provider: str | None
    model: str | None
    factor: ModelFactor
    entry: Entry | None
    moments: Moments
    usage: methods.Usage
    visible_calls: int
    latency_s: float | None
    ecologits_wh: Range | None


def methods_report(reader: Reader, task_id: str | None = None) -> MethodsReport:
    """Report what other methods make of the same calls.

    Args:
        reader: An open reader.
        task_id: Id of a task, or its beginning; everything recorded if not given.

    Raises:
        QueryError: No task, or more than one, begins with *task_id*.
    """
    if task_id is None:
        with held(reader, "call_total", *sums.SHARED):
            return _report(reader, None, None)
    with narrowed(reader, sums.task_named(reader, task_id)), held(reader, *sums.SHARED):
        (fact,) = reader.query("SELECT task_id, task_name FROM task_fact")
        return _report(reader, fact["task_id"], fact["task_name"])


def _report(reader: Reader, task_id: str | None, task_name: str | None) -> MethodsReport:
    groups = tuple(_groups(reader))
    known = [group for group in groups if group.ecologits_wh is not None]
    lines = tuple(_lines(groups, known, reader.factors.boundary))
    (row,) = reader.query("totals")
    return MethodsReport(
        store=str(reader.home),
        task_id=task_id,
        task_name=task_name,
        first_started_at=sums.moment(row["first_started_at"]),
        last_started_at=sums.moment(row["last_started_at"]),
        calls=row["calls"],
        compared_calls=_calls(groups),
        visible_calls=sum(group.visible_calls for group in groups),
        lines=lines,
        models=tuple(_models(groups)),
        embodied=embodied.embodied(
            embodied.of_model(
                group.factor.match,
                group.entry,
                group.usage.calls,
                group.usage.output,
                group.latency_s,
            )
            for group in groups
        ),
        ecologits_version=ecologits_library.version(),
        coverage=sums.coverage(reader),
        method=sums.method(reader),
        warnings=(*sums.warnings(reader), *_across(reader.factors.boundary)),
    )


def _across(boundary: str) -> Iterator[str]:
    """Warn where ours and the others do not cover the same."""
    if boundary != "facility":
        yield (
            f"ours cover the {boundary} and the others the facility, so the factors between them "
            f"compare unlike things; without --boundary they compare like with like"
        )


def _groups(reader: Reader) -> Iterator[_Group]:
    factors = {(one.provider, one.model): one for one in reader.factors.models}
    for row in reader.query(_SUMS):
        entry = catalogue.entry(row["model"], reader.factors.origin)
        yield _group(row, factors[row["provider"], row["model"]], entry)


def _group(row: Row, factor: ModelFactor, entry: Entry | None) -> _Group:
    calls, timed = row["calls"], row["duration_ns_calls"]
    # Calls whose duration nobody knows are taken to last as long as the others of their kind.
    latency_s = row["duration_ns"] / _NS_PER_S * calls / timed if timed else None
    said = ecologits_library.opinion(
        entry, output_tokens=row["n_o"], calls=calls, latency_s=latency_s
    )
    return _Group(
        provider=row["provider"],
        model=row["model"],
        factor=factor,
        entry=entry,
        moments=Moments(row["n_u"], row["n_u_context"], row["n_c"], row["n_o"], row["n_o_context"]),
        usage=methods.Usage(
            calls=calls,
            uncached=row["input_uncached_tokens"],
            cache_write=row["cache_write_tokens"],
            cache_read=row["cache_read_tokens"],
            output=row["output_tokens"],
        ),
        visible_calls=0 if row["hidden"] else calls,
        latency_s=latency_s,
        ecologits_wh=None if said is None else said.energy_wh,
    )


def _lines(
    groups: Sequence[_Group], known: Sequence[_Group], boundary: str
) -> Iterator[MethodLine]:
    others = methods.shipped()
    yield _line(
        groups,
        _ours,
        ("agenttrace", "agenttrace", boundary, methods.OURS_IGNORES),
        (),
    )
    yield _line(
        known,
        lambda some: Range.total(group.ecologits_wh for group in some if group.ecologits_wh),
        ("ecologits", "EcoLogits", "facility", methods.ECOLOGITS_IGNORES),
        (methods.ECOLOGITS,),
        unknown=[group for group in groups if group.ecologits_wh is None],
    )
    price, prompt = others.methods["price"], others.methods["per-prompt"]
    yield _line(
        groups,
        lambda some: Range.total(methods.price_wh(group.usage, others) for group in some),
        (price.id, price.name, price.boundary, price.ignores),
        others.cited("price"),
    )
    for id_, name, counted in (
        ("per-prompt", "a prompt for each call", _calls(groups)),
        ("per-prompt-visible", "a prompt for each visible call", _visible(groups)),
    ):
        yield _line(
            groups,
            lambda _, counted=counted: methods.per_prompt_wh(counted, others),
            (id_, name, prompt.boundary, prompt.ignores),
            others.cited("per-prompt"),
        )


def _line(
    groups: Sequence[_Group],
    energy: Callable[[Sequence[_Group]], Range],
    said: tuple[str, str, str, str],
    sources: tuple[Work, ...],
    unknown: Sequence[_Group] = (),
) -> MethodLine:
    energy_wh, ours_wh = (energy(groups), _ours(groups)) if groups else (None, None)
    method, name, boundary, ignores = said
    return MethodLine(
        method=method,
        name=name,
        boundary=boundary,
        calls=_calls(groups),
        energy_wh=energy_wh,
        ours_wh=ours_wh,
        times_ours=energy_wh.central / ours_wh.central
        if energy_wh and ours_wh and ours_wh.central
        else None,
        ignores=ignores,
        sources=sources,
        unknown_models=tuple(dict.fromkeys(group.model or "(not named)" for group in unknown)),
    )


def _models(groups: Sequence[_Group]) -> list[ModelMethods]:
    others = methods.shipped()
    by_model: dict[tuple[str | None, str | None], list[_Group]] = {}
    for group in groups:
        by_model.setdefault((group.provider, group.model), []).append(group)
    lines = [
        ModelMethods(
            provider=provider,
            model=model,
            calls=_calls(some),
            ours_wh=_ours(some).central,
            ecologits_wh=_central(group.ecologits_wh for group in some),
            price_wh=sum(methods.price_wh(group.usage, others).central for group in some),
        )
        for (provider, model), some in by_model.items()
    ]
    return sorted(lines, key=lambda line: -line.ours_wh)


def _ours(groups: Iterable[_Group]) -> Range:
    """Return ours of any calls, in Wh: moments add up, so each model is priced once."""
    by_model: dict[tuple[str | None, str | None], tuple[ModelFactor, list[Moments]]] = {}
    for group in groups:
        key = (group.provider, group.model)
        by_model.setdefault(key, (group.factor, []))[1].append(group.moments)
    return total(
        (Moments(*map(sum, zip(*some, strict=True))), factor) for factor, some in by_model.values()
    )


def _calls(groups: Iterable[_Group]) -> int:
    return sum(group.usage.calls for group in groups)


def _visible(groups: Iterable[_Group]) -> int:
    return sum(group.visible_calls for group in groups)


def _central(ranges: Iterable[Range | None]) -> float | None:
    known = [one.central for one in ranges if one is not None]
    return sum(known) if known else None
