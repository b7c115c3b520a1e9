"""Record LangChain and LangGraph: agents, tools and model calls, as callbacks."""
