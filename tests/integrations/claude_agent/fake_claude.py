"""Speak as Claude Code does to its SDK: ``fake_claude.py SCRIPT``, lines of JSON both ways.

The script is a list of turns, and a turn a list of messages. It answers requests of control, and
each prompt with the next turn; where a turn says ``{"type": "exit"}`` it ends at once.
"""

import json
import sys
from pathlib import Path


def say(message: dict[str, object]) -> None:
    """Write one message."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read until there is nothing more."""
    if "-v" in sys.argv or "--version" in sys.argv:
        print("2.1.999 (Claude Code)")
        return
    turns = json.loads(Path(sys.argv[1]).read_text())
    for line in sys.stdin:
        heard = json.loads(line)
        if heard["type"] == "control_request":
            answer = {"subtype": "success", "request_id": heard["request_id"], "response": {}}
            say({"type": "control_response", "response": answer})
        elif heard["type"] == "user" and turns:
            for message in turns.pop(0):
                if message["type"] == "exit":
                    sys.exit(message["code"])
                say(message)


if __name__ == "__main__":
    main()
