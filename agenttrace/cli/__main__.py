"""``python -m agenttrace.cli``: the command line without its script."""

from agenttrace.cli import main

main()
