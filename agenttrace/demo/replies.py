"""What the models of the demo say, and what goes wrong: the script of its local provider."""

import json
from typing import Final

from agenttrace.demo import texts
from agenttrace.testing import Failure, ModelProvider, Reply, Request, ToolCall

NOTES: Final = (
    "Water at 75 to 80 degrees, soft, drawn the same day. Two grams a cup, 250 cups of 180 ml, so "
    "45 litres in five batches of nine, 100 g of leaf each, two baskets filled to a third. Two "
    "minutes, lift the baskets, serve within twenty minutes from an insulated urn. The grower "
    "warns of the second batch: the boiler must recover its temperature first."
)
BRIEF: Final = (
    "Heat soft water to 80 degrees and brew five batches of nine litres, one behind the other, "
    "each with 100 grams of leaf in two baskets that are filled to a third. Lift the baskets after "
    "two minutes, let the boiler recover, and pour from insulated urns within twenty minutes. "
    "Have two people and a timer at the boiler, and a labelled urn of roasted barley for guests "
    "who avoid caffeine."
)
COFFEE: Final = (
    "A cup of coffee holds about three times the caffeine of green tea.",
    "If a guest wants less, the barley infusion is the better choice, and it keeps warm as well.",
)


def play(provider: ModelProvider) -> None:
    """Script *provider* for one run of the program."""

    def say(told: str, *replies: Reply | Failure | str) -> None:
        provider.script(*replies, when=lambda request: told in request.system)

    say(
        texts.SUPERVISOR,
        Failure(429, message="Too many requests."),
        _next("researcher", "Nothing is there yet, so somebody has to read before anybody writes."),
        _next("writer", "The notes answer the question; they have amounts, times and a warning."),
        _next("nobody", "The draft has three sentences and its numbers were checked."),
    )
    say(
        texts.RESEARCHER,
        Reply(
            "I start with the library.",
            tool_calls=[ToolCall("search", {"query": "brewing green tea for many guests"})],
        ),
        Reply(tool_calls=[_ask("What goes wrong when green tea is brewed in large batches?")]),
        Reply(tool_calls=[_ask("How long may it stand in an insulated urn?")]),
        NOTES,
    )
    say(
        texts.EXPERT,
        "The second batch, nearly always: nobody lets the boiler come back to its temperature.",
        # The provider works, bills and fails: the SDK tries again and nobody sees the first.
        Failure(500, work="Twenty minutes, and only with the leaves taken out."),
        "Twenty minutes at most, and only if the leaves were taken out before.",
    )
    say(
        texts.WRITER,
        Reply(
            thinking="Three sentences. Two numbers carry the brief, the litres and the minutes; "
            "both should be checked before anybody cooks by them.",
            tool_calls=[
                ToolCall(
                    "check_facts",
                    {"claims": ["Two hundred guests need 45 litres.", "Two minutes are enough."]},
                )
            ],
        ),
        Reply(BRIEF, thinking="Both hold. The barley belongs in the last sentence."),
    )
    say(
        texts.CHECKER,
        Reply("Yes: 250 cups of 180 millilitres are 45 litres.", thinking="250 times 0.18 is 45."),
        "Yes: the handbook gives green tea one to three minutes.",
    )
    say(texts.ANSWER, BRIEF)
    say(
        texts.CHAT,
        "Yes. There is an infusion of roasted barley and one of peppermint, both brewed with "
        "boiling water and kept in urns of their own.",
        # Silent after the first sentence, which is when the user leaves.
        Reply(" ".join(COFFEE), stall_after=len(COFFEE[0].split())),
    )
    provider.script(_grade, when=lambda request: request.system == texts.GRADER, times=None)
    provider.script(
        "The user wants green tea for two hundred guests. Found so far: 75 to 80 degrees, five "
        "batches of nine litres, 100 grams of leaf each, two minutes; beware of the second batch.",
        when=_is_summary,
    )


def _next(name: str, thinking: str) -> Reply:
    return Reply(json.dumps({"next": name}), thinking=thinking)


def _ask(question: str) -> ToolCall:
    return ToolCall("ask_expert", {"question": question})


def _grade(request: Request) -> str:
    return "helpful" if "litres" in request.user else "background"


def _is_summary(request: Request) -> bool:
    return "<messages>" in request.user
