"""What the demo's agents read: a small library about tea, and what each agent is told."""

from typing import Final

QUESTION: Final = "How should our canteen brew green tea for two hundred guests?"

LIBRARY: Final = (
    "All true tea comes from the leaves of one evergreen shrub, Camellia sinensis. What makes a "
    "tea green, oolong or black is not the plant but what happens to the leaf in the hours after "
    "it is picked: how far it withers, whether it is rolled and bruised, how long the air works "
    "on it, and when heat stops that work. Herbal infusions such as peppermint, rooibos or "
    "chamomile contain no leaf of this shrub and follow other rules in the kitchen.",
    "Green tea is heated soon after picking, by steam in most of Japan and in a hot pan in most "
    "of China. The heat stops the enzymes that would turn the leaf brown, so the leaf keeps its "
    "colour and a fresh, grassy taste. Steamed teas taste of the sea and of spinach; pan-fired "
    "teas taste of chestnut and toast. Both suffer from water that is too hot and from light, "
    "air and damp in the cupboard, and both are best within a year of the harvest.",
    "Water that has just boiled draws bitterness out of green leaves quickly. Most growers ask "
    "for seventy to eighty degrees, less for the finest shaded teas. A kettle that has boiled "
    "reaches eighty degrees after some minutes with the lid open; pouring the water from one "
    "vessel into another cools it by about ten degrees each time. In a large kitchen it is "
    "surer to set the heater to the temperature and to check it with a probe.",
    "A common measure is two grams of leaf for each cup of one hundred and fifty to two hundred "
    "millilitres. For large amounts the ratio stays the same, yet the leaf needs room: a bag or "
    "basket should be filled to a third at most, for the leaves swell to several times their "
    "dry size. Packed too tightly, the middle of the leaf stays dry while the outside gives "
    "away its tannin, and the tea becomes thin and bitter at the same time.",
    "Green tea steeps for one to three minutes. After that the leaves must leave the water, or "
    "the tea goes on growing bitter in the urn. Canteens therefore steep a concentrate in "
    "baskets that can be lifted out, or brew in batches that are drunk within half an hour. A "
    "second infusion of good leaf is worth having and takes half the time of the first, since "
    "the leaf has opened already.",
    "Hard water dulls green tea: calcium binds what gives the tea its brightness and leaves a "
    "film on the cup. Soft or filtered water with a little mineral left in it tastes best; "
    "distilled water tastes flat. Water that has stood in a boiler overnight has lost its air "
    "and tastes tired, so a kitchen that serves tea at noon fills its boiler in the morning and "
    "lets the tap run before it does.",
    "An insulated urn keeps tea warm without cooking it. A heated plate does not: at above "
    "seventy degrees green tea turns yellow and loses its scent within the hour. Kitchens that "
    "cannot serve at once do better to hold hot water and to brew small batches, eight to ten "
    "litres at a time, one behind the other, so that each guest is poured tea that is less "
    "than twenty minutes old.",
    "Two hundred guests drink about two hundred and fifty cups, for one in four comes back. At "
    "one hundred and eighty millilitres a cup that is forty-five litres, five batches of nine. "
    "Each batch takes one hundred grams of leaf in two baskets, two minutes in the water, and "
    "two people: one who lifts the baskets and one who fills the pots. A timer beside the "
    "boiler is worth more than a third pair of hands.",
    "A cup of green tea holds twenty to forty milligrams of caffeine, about a third of what a "
    "cup of filter coffee holds. Guests who avoid caffeine are served an infusion of roasted "
    "barley or of peppermint, brewed with boiling water and left for five minutes or longer. "
    "The two urns carry labels that can be read from a distance, and the baskets are not "
    "exchanged between them, since peppermint does not leave a basket it has been in.",
    "The cups matter more than most kitchens believe. Thin porcelain that has been warmed keeps "
    "the tea at the temperature it was poured at; cold thick stoneware takes ten degrees from "
    "it at once. White shows the colour, by which a guest judges the tea before drinking it. "
    "Paper cups give off a taste of their own in hot water, and a film of soap left by the "
    "dishwasher flattens the scent of any tea within a moment, so cups are rinsed once more in "
    "clear water before they are put out.",
)

HANDBOOK: Final = "\n\n".join(LIBRARY)

SUPERVISOR: Final = (
    "You supervise a team that writes briefs. Say who is next: the researcher until there are "
    "notes, then the writer until there is a draft, then nobody."
)
ANSWER: Final = "You are the editor. Give the user the brief, without a word about the team."
RESEARCHER: Final = (
    "You are the researcher. Collect what is needed for the answer with your tools, ask the "
    "expert where the library is silent, and end with notes.\n\n"
    f"The house's handbook:\n\n{HANDBOOK}"
)
WRITER: Final = (
    "You are the writer. Turn notes into a brief of three sentences and have every number checked "
    f"before you hand it in.\n\nThe house's handbook:\n\n{HANDBOOK}"
)
EXPERT: Final = f"You are a tea grower of forty years. Answer in one sentence.\n\n{HANDBOOK}"
GRADER: Final = "You grade passages. Say in one word whether this one helps with the question."
CHECKER: Final = "You check facts. Say whether the handbook bears this out, in one sentence."
CHAT: Final = "You are the canteen's assistant. Answer in a few sentences."
