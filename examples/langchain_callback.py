"""A LangChain chain, recorded by a callback handler.

The handler is passed like any other, to one run or to all runs of a chain. It names what runs and
needs no other line of agenttrace; where it is missing, calls are recorded all the same, without
their names.
"""

import os

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

from agenttrace.testing import ModelProvider
from agenttrace_langchain import AgentTraceCallbackHandler


def translate(text: str) -> str:
    chain = (
        ChatPromptTemplate.from_messages([("system", "Translate to French."), ("user", "{text}")])
        | ChatOpenAI(model="gpt-5-mini")
        | StrOutputParser()
    ).with_config(run_name="translate")
    return chain.invoke({"text": text}, config={"callbacks": [AgentTraceCallbackHandler()]})


def main() -> None:
    # A provider on this machine plays the model.
    with ModelProvider() as provider:
        os.environ.update(provider.env())
        provider.script("Le thé vert.")
        print(translate("Green tea."))


if __name__ == "__main__":
    main()
