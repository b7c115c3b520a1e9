import json
import os
import signal
import subprocess
import sys
import urllib.request

import openai
import pytest

from agenttrace.testing.__main__ import main


def test_a_provider_on_its_own_prints_how_to_reach_it_and_serves_until_it_is_told_to_stop():
    command = [sys.executable, "-m", "agenttrace.testing", "--reply", "Good morning."]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines: list[str] = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith("#"):
                    break
            exports = [line for line in lines if line.startswith("export ")]
            env = dict(line.removeprefix("export ").strip().split("=", 1) for line in exports)
            with openai.OpenAI(base_url=env["OPENAI_BASE_URL"], api_key="test") as client:
                made = client.responses.create(model="m", input="Hello")
            with urllib.request.urlopen(lines[-1].rpartition(" ")[2].strip()) as response:
                [billed] = json.load(response)["ledger"]
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        finally:
            process.kill()  # Leaving the block waits for it, also after a failure.

    assert made.output_text == "Good morning."
    assert billed["response_id"] == made.id


def test_help_says_what_it_is(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "GET /ledger says what it billed" in " ".join(capsys.readouterr().out.split())


def test_a_port_that_is_taken_is_said(provider):
    port = provider.url.rpartition(":")[2]
    result = subprocess.run(
        [sys.executable, "-m", "agenttrace.testing", "--port", port],
        capture_output=True,
        text=True,
        env=os.environ,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.endswith(f"cannot listen on 127.0.0.1:{port}: Address already in use\n")
