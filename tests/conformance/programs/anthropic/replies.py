"""What the provider says to the programs that use Anthropic's SDK."""

from agenttrace.testing import Failure, Inner, ModelProvider, Reply, Tokens, ToolCall

STORY = (
    "The builder came in spring with forty pipes and a bellows, tuned one rank a day, and left "
    "the longest pipe for last because the tower had to be opened for it. When it sounded for the "
    "first time the swallows left, and for a week nobody in the village could sleep past six."
)


def stream_helper(provider: ModelProvider) -> None:
    provider.script(STORY)


stream_raw = stream_helper


def stream_left(provider: ModelProvider) -> None:
    provider.script(Reply(STORY, stall_after=14))


def stream_overloaded(provider: ModelProvider) -> None:
    provider.script(Failure(529, work=STORY, after=16))


def thinking(provider: ModelProvider) -> None:
    provider.script(Reply("No: 7 times 17.", thinking="Odd; digits sum to 11; 119 is 7 times 17."))


def retry_overloaded(provider: ModelProvider) -> None:
    provider.script(Failure(529), Failure(429), "Strings over a board, and two hands.")


def tool_runner(provider: ModelProvider) -> None:
    provider.script(Reply(tool_calls=[ToolCall("pitch", {"instrument": "bass"})]), "As low as E1.")


def iterations(provider: ModelProvider) -> None:
    advice = Inner(
        "advisor_message", Tokens(input_tokens=210, output_tokens=40), model="claude-opus-5"
    )
    provider.script(Reply("A large violin that is held between the knees.", inner=[advice]))
