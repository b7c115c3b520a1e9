"""Embeddings, for which LangChain has no callback, are calls."""

from langchain_openai import OpenAIEmbeddings

from agenttrace.conformance.door import configure, task

configure()
model = OpenAIEmbeddings(model="text-embedding-3-small", check_embedding_ctx_length=False)
with task("index"):
    model.embed_documents(["[index/-/embedding] On wool.", "On flax."])
