"""``agenttrace conformance``: hold what is recorded against what a provider bills."""

import click


@click.command()
@click.option(
    "--tracer",
    "measured",
    multiple=True,
    metavar="NAME",
    help="What to measure: agenttrace (if not given), a plug-in's name, or module:attribute.",
)
@click.option("--only", multiple=True, metavar="GLOB", help="Scenarios, such as 'openai/*'.")
@click.option("--list", "is_list", is_flag=True, help="Name the scenarios and what they show.")
@click.option("--beside", metavar="NAME", help="Another tracer that is switched on as well.")
@click.option(
    "--order",
    type=click.Choice(["first", "last", "both"]),
    default="both",
    show_default=True,
    help="When the one beside is configured.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Programs that run at once.",
)
@click.option("--timeout", default=60.0, show_default=True, help="Seconds for one program.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
)
def conformance(  # noqa: PLR0917 - an option each
    measured: tuple[str, ...],
    only: tuple[str, ...],
    is_list: bool,
    beside: str | None,
    order: str,
    jobs: int,
    timeout: float,
    form: str,
) -> None:
    """Show that every model call is counted once, with its tokens, task, agent and role.

    Small programs run with the SDKs that are installed here against a local provider that writes
    down what it bills. Nothing leaves this machine, and your own data stay as they are.

    A cell shows what is right: 3 of 3 calls as 3, 2 of 3 as 2/3, an estimate with its error as
    ~ -4%, what nobody says as ?, and - where there is nothing to measure. An exclamation mark
    says that it should be otherwise; the exit status is 1 then.
    """
    from agenttrace.conformance import scenarios

    found = scenarios.find(only)
    if is_list:
        for scenario in found:
            click.echo(f"{scenario.name:<40} {scenario.claim}")
        return

    from rich.console import Console

    from agenttrace.conformance import runner, table

    setups = runner.setups(measured, beside, order, timeout)
    console = Console(stderr=True, highlight=False)
    with console.status(f"Running {len(found)} programs, {len(setups)} times ..."):
        outcomes = list(runner.run_all(found, setups, jobs=jobs))
    if all(outcome.missing for outcome in outcomes):
        missing = sorted({name for outcome in outcomes for name in outcome.missing})
        raise click.ClickException(f"no scenario ran, for not installed: {', '.join(missing)}.")
    match form:
        case "json":
            click.echo(table.to_json(outcomes))
        case "markdown":
            click.echo(table.to_markdown(outcomes))
        case _:
            shown = Console(highlight=False)
            # A narrow terminal wraps the lines; cells that are cut would say something else.
            shown.width = max(shown.width, table.WIDTH)
            table.to_text(outcomes, shown)
    ours = [outcome for outcome in outcomes if outcome.setup.tracer == runner.OURS]
    if not all(outcome.is_as_it_should_be for outcome in ours):
        raise click.exceptions.Exit(1)
