"""``python -m agenttrace`` is the command ``agenttrace`` of this Python."""

from agenttrace.cli import main

main()
