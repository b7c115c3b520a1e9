"""What the provider says to the programs that use LangChain."""

from agenttrace.testing import Failure, ModelProvider, Reply, ToolCall

STORY = (
    "The wheel stood by the window because the light was there, and whoever sat at it heard the "
    "street, the bells and the neighbours, and spun all of it into the thread."
)


def stream(provider: ModelProvider) -> None:
    provider.script(STORY)


agent_streamed = stream


def stream_left_async(provider: ModelProvider) -> None:
    provider.script(Reply(STORY, stall_after=15))


def fallback(provider: ModelProvider) -> None:
    provider.script(Failure(503), "A stick for flax.")


def retry(provider: ModelProvider) -> None:
    provider.script(Failure(500, work="It carries the weft."), "It carries the weft across.")


def structured_output(provider: ModelProvider) -> None:
    provider.script('{"name": "linen", "threads": "many"}')


def agent(provider: ModelProvider) -> None:
    provider.script(Reply(tool_calls=[ToolCall("price", {"cloth": "linen"})]), "Twelve a metre.")


def sub_agent(provider: ModelProvider) -> None:
    provider.script(
        Reply(tool_calls=[ToolCall("cut", {"what": "a shirt"})]),
        "There is your shirt.",
        when=lambda request: "You sew." in request.system,
    )
    provider.script(
        Reply(tool_calls=[ToolCall("measure", {"what": "a sleeve"})]),
        "It is cut.",
        when=lambda request: "You cut." in request.system,
    )
