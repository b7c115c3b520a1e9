"""Bedrock's stream of binary events says its usage at the end."""

import boto3

from agenttrace.conformance.door import configure, task

configure()
client = boto3.client("bedrock-runtime")
with task("tell"):
    response = client.converse_stream(
        modelId="anthropic.claude-sonnet-5-v1:0",
        messages=[{"role": "user", "content": [{"text": "[tell/-/main!] Tell me of granite."}]}],
    )
    for event in response["stream"]:
        print(event)
