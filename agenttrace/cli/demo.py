"""``agenttrace demo``: a multi-agent program, recorded, reported and checked."""

import click


@click.command()
@click.pass_obj
def demo(home: str | None) -> None:
    """Run a real multi-agent program offline, report it, and check the report.

    LangGraph agents and the SDKs of OpenAI and Anthropic talk to a local provider that writes
    down what it bills. What agenttrace recorded is then held against that ledger.

    Your own data stay as they are: the demo records into a folder of its own, a temporary one
    unless --store names a new one, and says how to look into it.
    """
    # rich and DuckDB are loaded only here, so that --help does not wait for them.
    from rich.console import Console

    from agenttrace.demo import run

    run(home, Console(highlight=False))
