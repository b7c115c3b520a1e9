"""``agenttrace what-if``: the recorded calls priced under another choice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

import click

from agenttrace.cli import pricing as priced
from agenttrace.cli.output import data_format, show

if TYPE_CHECKING:
    from agenttrace.energy.pricing import Pricing

# The first line tells click to leave the others as they are.
_EXAMPLES: Final = """\b
agenttrace what-if --cache off
agenttrace what-if 4f1c --model claude-opus-4-5=claude-haiku-4-5
agenttrace what-if --since 2026-11-01 --region europe-north1 --shift-hours 6
"""


_MOST_HOURS: Final = 87_660  # ten years; what prices them is loaded with DuckDB, and says the same


class _Replacement(click.ParamType[tuple[str, str]]):
    """Two models, the first of which the second stands in for."""

    name = "A=B"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        model, _, other = (part.strip() for part in str(value).partition("="))
        if not (model and other):
            trouble = f"{value!r} is not two models with = between, such as gpt-5=gpt-5-mini."
            self.fail(trouble, param, ctx)
        return model, other


class _Cache(click.ParamType[float | str]):
    """``off``, ``perfect``, or a share of the input."""

    name = "cache"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | Literal["perfect"]:
        match value:
            case "off":
                return 0.0
            case "perfect":
                return "perfect"
            case _:
                rate = _share(str(value))
        if rate is None:
            self.fail(f"{value!r} is not off, perfect, or a share such as 0.9 or 90%.", param, ctx)
        return rate


class _Moment(click.ParamType[datetime]):
    """A date, or a date and a time, as ISO 8601 has it; UTC unless it says otherwise."""

    name = "date"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        try:
            moment = datetime.fromisoformat(str(value).strip())
            # A report has its times in UTC, and does not say so with each.
            return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
        except (ValueError, OverflowError):
            trouble = (
                f"{value!r} is no date and no time, such as 2026-11-01, 2026-11-01T18:00 or "
                "2026-11-01T18:00+01:00; without a zone it is UTC."
            )
            self.fail(trouble, param, ctx)


def _share(text: str) -> float | None:
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return None
    return share if 0 <= share <= 1 else None


@click.command(
    "what-if",
    short_help="Price the recorded calls under another choice.",
    epilog=_EXAMPLES,
)
@click.argument("task", metavar="[TASK]", required=False)
@click.option(
    "--since",
    type=_Moment(),
    metavar="DATE",
    help="Only calls from this day on, or from the hour of this time (2026-11-01T18:00), UTC.",
)
@click.option(
    "--model",
    "models",
    type=_Replacement(),
    multiple=True,
    help="B in place of A, or of every model (*=B); may be given several times.",
)
@click.option(
    "--cache",
    type=_Cache(),
    metavar="off|perfect|RATE",
    help="No cache, a perfect one, or a share of the input.",
)
@click.option(
    "--context-limit",
    type=click.IntRange(min=0),
    metavar="N",
    help="At most so many input tokens a call.",
)
@click.option("--region", metavar="PLACE", help="Cloud region, country or grid zone to run in.")
@click.option(
    "--shift-hours",
    type=click.IntRange(-_MOST_HOURS, _MOST_HOURS),
    default=0,
    metavar="N",
    help="So many hours later, or earlier if negative; needs hourly data of the grid.",
)
@click.option("--hardware", metavar="NAME", help="Other accelerators, such as b200.")
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    metavar="N",
    help="So many requests answered together.",
)
@data_format
@priced.options_but_region
@click.pass_obj
def what_if(  # noqa: PLR0917 - one per option
    home: str | None,
    task: str | None,
    since: datetime | None,
    models: tuple[tuple[str, str], ...],
    cache: float | Literal["perfect"] | None,
    context_limit: int | None,
    region: str | None,
    shift_hours: int,
    hardware: str | None,
    batch: int | None,
    form: str,
    pricing: Pricing,
) -> None:
    """Price a task, or everything, as if it had run otherwise.

    No model is called: the tokens that were recorded are priced again, and the difference is shown
    with its range. Options may be combined.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.reader import Reader
    from agenttrace.report.what_if import Choices, compared

    choices = Choices(
        models=models,
        cache=cache,
        context_limit=context_limit,
        region=region,
        shift_hours=shift_hours,
        hardware=hardware,
        batch=batch,
    )
    with Reader(home, pricing=pricing) as reader:
        built = compared(reader, choices, task=task, since=since)
    show(built, form, "agenttrace what-if")
