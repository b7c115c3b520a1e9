"""DSPy: each prediction of a module is a call, and a repeated one is answered by its cache."""

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import dspy

from agenttrace.conformance.door import agent, configure, task

configure()
dspy.configure(
    lm=dspy.LM("openai/gpt-5-mini", api_base=os.environ["OPENAI_BASE_URL"], api_key="test")
)
dspy.configure_cache(enable_disk_cache=False)
predict = dspy.Predict("question -> answer")
with task("answer"), agent("guide"):
    for _ in range(2):
        predict(question="[answer/guide/main] What is a dune?")
