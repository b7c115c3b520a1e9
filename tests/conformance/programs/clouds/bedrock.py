"""Bedrock's Converse API counts the input without the cache, and is read so."""

import boto3

from agenttrace.conformance.door import agent, configure, task

configure()
client = boto3.client("bedrock-runtime")
with task("answer"), agent("guide"):
    client.converse(
        modelId="anthropic.claude-sonnet-5-v1:0",
        messages=[{"role": "user", "content": [{"text": "[answer/guide/main!] What is slate?"}]}],
    )
