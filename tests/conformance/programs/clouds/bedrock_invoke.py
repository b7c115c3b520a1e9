"""A model that is invoked with a body of its own protocol is read in that protocol."""

import json

import boto3

from agenttrace.conformance.door import configure, task

configure()
client = boto3.client("bedrock-runtime")
body = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "[answer/-/main!] What is marble?"}],
}
with task("answer"):
    client.invoke_model(modelId="anthropic.claude-sonnet-5-v1:0", body=json.dumps(body))
