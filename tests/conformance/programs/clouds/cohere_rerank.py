"""A reranking is a call with the role rerank, billed by the search and not by tokens."""

import cohere

from agenttrace.conformance.door import configure, task

configure()
client = cohere.ClientV2()
with task("search"):
    client.rerank(
        model="rerank-v4",
        query="[search/-/rerank] Which of these is a stone?",
        documents=["An oak.", "A flint.", "A river."],
    )
