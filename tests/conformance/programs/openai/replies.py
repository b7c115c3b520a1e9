"""What the provider says to the programs that use OpenAI's SDK."""

from agenttrace.testing import Failure, ModelProvider, Reply, ToolCall

STORY = (
    "The keeper climbed the stairs each evening, counted the steps, lit the lamp and wrote the "
    "hour into the book. In the third winter a ship answered the light with a lamp of its own, "
    "and from then on there were two lines in the book for every night, one in another hand."
)
# Characters of two, three and four bytes.
GREEK = (
    "🏝 Γλυκιά νύχτα, φεγγάρι 🌕 πάνω από τη θάλασσα 🌊 και νησί που μένει ξύπνιο ως την αυγή ✨."
)

OPTIONS = {"stream_compressed": {"compress": True}}


def tool_loop(provider: ModelProvider) -> None:
    provider.script(
        Reply(tool_calls=[ToolCall("temperature", {"city": "Lima"})]), "It is 21 degrees."
    )


def responses_stream(provider: ModelProvider) -> None:
    provider.script(STORY)


stream_with_usage = stream_without_usage = stream_compressed = stream_helper = responses_stream


def stream_left(provider: ModelProvider) -> None:
    provider.script(Reply(STORY, stall_after=14))


stream_forgotten = stream_open_at_exit = stream_cancelled = stream_left


def stream_cut(provider: ModelProvider) -> None:
    provider.script(Reply(STORY, cut_after=20))


def stream_in_odd_pieces(provider: ModelProvider) -> None:
    provider.script(GREEK)


def retry_refused(provider: ModelProvider) -> None:
    provider.script(Failure(429), "Five metres and a half.")


def retry_billed(provider: ModelProvider) -> None:
    provider.script(Failure(500, work="Nearly five thousand years."), "About five thousand years.")


def timeout_billed(provider: ModelProvider) -> None:
    provider.script(Reply("Nobody waits for this.", stall_after=0), "More than can be counted.")


def refused(provider: ModelProvider) -> None:
    provider.script(Failure(401), "Now it is.")


def parse_invalid(provider: ModelProvider) -> None:
    provider.script('{"name": "Lima", "people": "many"}')


def parse_retried(provider: ModelProvider) -> None:
    provider.script("Certainly! Here it is.", '{"name": "Lima"}')


def reasoning(provider: ModelProvider) -> None:
    provider.script(
        Reply("No, it is 7 times 13.", thinking="91 is odd; 3 no; 5 no; 7 times 13 is 91."),
        Reply("Yes.", thinking="2, 3, 5 and 7 do not divide it, and 11 squared is more."),
    )


def fallback(provider: ModelProvider) -> None:
    provider.script(Failure(503), "A ball of ice and dust.")


def other_model_answers(provider: ModelProvider) -> None:
    provider.script(Reply("A river of ice.", model="gpt-5-mini-2026-06-01"))


def usage_of_nulls(provider: ModelProvider) -> None:
    provider.script(Reply("A mountain with a temper.", usage="null"))


def realtime(provider: ModelProvider) -> None:
    provider.script("The first.", "And the second.")
