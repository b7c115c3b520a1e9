"""Read the names of models: many spellings, one canonical name, its maker and its size.

Traces hold the names that providers, gateways, runtimes and files give a model. What they add to it
(vendor and region, path, release date, tag, quantisation, tuning) does not change its size, so
:func:`canonical` takes it off, and spellings of one model become one name. Nothing here knows what
a model is: the catalogue does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_VENDORS = (
    "ai21|amazon|anthropic|cohere|deepseek|google|luma|meta|minimax|mistral|moonshot|moonshotai|"
    "nvidia|openai|qwen|stability|twelvelabs|writer|xai|zai"
)
_BEDROCK: Final = re.compile(  # us.anthropic.claude-sonnet-4-5-20250929-v1:0
    rf"^(?:[a-z]{{2,6}}(?:-gov)?\.)?({_VENDORS})\.(.+)$"
)
_BEDROCK_VERSION: Final = re.compile(  # of an embedder or Claude 1 and 2, it is part of the name
    r"(?:(?<!^claude)(?<!english)(?<!multilingual)(?<!embed)-v\d+(?::\d+)?|-1:\d+|(?<=\d):\d+)"
    r"(?::\d+k)?$"
)
_CLAUDE_2: Final = re.compile(r"^claude-v(\d):1(?::\d+k)?$")
_ARN: Final = re.compile(r"(?:^|/)arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:\d*:([a-z-]+)/(.*)$")
# Kinds of Bedrock resources whose id is a model's name, or begins with it.
_TELLING: Final = {"foundation-model", "inference-profile", "custom-model"}
# Kinds whose id is the user's or the provider's invention; an endpoint of Vertex AI is a number.
_OPAQUE: Final = (
    "application-inference-profile",
    "provisioned-model",
    "imported-model",
    "custom-model-deployment",
    "prompt-router",
    "default-prompt-router",
    "endpoint",
    "resource",  # of another kind
)
_OPAQUE_ID: Final = re.compile(rf"^({'|'.join(_OPAQUE)})/([^/]+)$|(?:^|/)(endpoint)s/(\d+)$")

_FINE_TUNED: Final = re.compile(r"^ft:([^:]+)(?::.*)?$")  # ft:gpt-4o-mini:organisation:name:id
_FINE_TUNED_OLD: Final = re.compile(r"^([a-z0-9.-]+?)[:.]ft-.*$")  # curie:ft-organisation-date
_BRACKETS: Final = re.compile(r"\[[^\]]*\]$")  # sonnet[1m], as Claude Code asks for a long context
_FILE: Final = re.compile(r"\.(?:gguf|ggml|safetensors|bin|onnx|mlmodelc)$")
_PART_OF_FILE: Final = re.compile(r"-\d{5}-of-\d{5}$")
_POINT: Final = re.compile(r"(?<=\d)p(?=\d)")  # llama-v3p1, as Fireworks writes decimals
_SEPARATORS: Final = re.compile(r"[@:_\s+-]+")
_DATE: Final = re.compile(
    r"-(?:20\d{2}-?[01]\d-?[0-3]\d|[01]\d-20\d{2}|[01]\d-[0-3]\d|2[3-9][01]\d[0-3]\d)(?=-|$)"
)
# Month and day, or year and month. Mistral's are versions: its models of one name differ in size.
_SHORT_DATE: Final = re.compile(r"-(?:0[1-9]|1[0-2]|2[3-9])[0-3]\d(?=-|$)")
_VERSIONED: Final = re.compile(
    r"^(?:mistral|ministral|magistral|codestral|devstral|pixtral|voxtral)"
)
_QUANTISED: Final = re.compile(
    r"-(?:i?q\d(?:-[0-9a-z](?:-[a-z]{1,2})?|-xxs|-xs|-nl)?|[fw]p?\d{1,2}a?\d{0,2}|bf16|mxfp\d|nvfp\d|"
    r"int\d|\d-?bit|awq|gptq|gguf|ggml|mlx|exl[23]|bnb|onnx|unsloth|imatrix|ud|dwq|hqq|aqlm|"
    r"dynamic|quantized|qat|marlin|mtp|mxfp)(?=-|$)"
)
# fmt: off
_TAGS: Final = frozenset((
    # where and how it is served
    "free", "nitro", "floor", "online", "thinking", "extended", "beta", "exacto", "cloud", "maas",
    "tee", "spot", "us", "eu", "cheapest", "fastest", "latest", "default", "stable", "preview",
    "exp", "experimental", "highspeed", "flex", "priority", "batch", "together", "novita",
    "nebius", "sambanova", "cerebras", "groq", "hyperbolic", "featherless", "fireworks", "ai",
    # packing, and versions of an interface
    "hf", "basic", "lora", "quantized", "001", "002", "003", "004", "v0.1", "v0.2", "v0.3",
))
# How it was tuned: the size is the same. Without a version before it, it is the name.
_TUNING: Final = frozenset((
    "instruct", "instruction", "chat", "it", "sft", "dpo", "reasoning", "non", "think", "tools",
))
# Part of a name where no size is said (gpt-4-turbo, bge-base), and a tag where one is.
_TAGS_OF_SIZED: Final = frozenset((
    "turbo", "fast", "lightning", "versatile", "instant", "ultra", "base", "lite", "reference",
    "4096", "8192", "16384", "32768", "65536", "131072", "262144", "4k", "8k", "16k", "32k", "64k",
    "128k", "256k", "1m",
))
# fmt: on

_HOSTS: Final = re.compile(  # databricks-claude-opus-4-5: who serves it, before a name we know
    r"^(?:system\.ai\.|(?:databricks|anthropic|openai|zai|alibaba|snowflake|fw|cohere|meta|nvidia|"
    r"azure|google|coding|cc|spot|xai|xiaomi|moonshotai|moonshot|minimax|mistralai|microsoft|baai|"
    r"amazon|unsloth|open)-)+"
    r"(?=(?:claude|gpt|o\d(?:-|$)|gemini|gemma|llama|codellama|qwen|qwq|deepseek|glm|kimi|minimax|"
    r"mistral|mixtral|ministral|codestral|command|embed|rerank|grok|nova|titan|nemotron|phi|bge|"
    r"gte|inkling|dbrx|text-embedding|j2|jamba|mimo|textgeneration))"
)
# The same name, written apart or together, in the order in which they are tried; first how a name
# must begin, which is quick to see.
_REWRITES: Final = tuple(
    (start, re.compile(pattern), to)
    for start, pattern, to in (
        ("claude-v", r"^claude-v(\d)", r"claude-\1"),
        ("", r"^(opus|sonnet|haiku)(?=$|-\d)", r"claude-\1"),
        (
            "claude-",
            r"^claude-([4-9](?:[.-]\d)?)-(opus|sonnet|haiku|fable)(?=$|-)",
            r"claude-\2-\1",
        ),
        ("chatgpt-", r"^chatgpt-(?=\d)", "gpt-"),
        ("gpt", r"^gpt(?=\d)", "gpt-"),
        ("gpt", r"^gpt-3\.?5(?=$|-)", "gpt-3.5"),
        ("gpt", r"^gpt-4-o(?=$|-)", "gpt-4o"),
        ("gpt", r"^gpt-41(?=$|-)", "gpt-4.1"),
        ("gpt", r"^gpt-4-(?:1106|0125)(?=$|-)|^gpt-4-(?:turbo-)?vision", "gpt-4-turbo"),
        ("", r"^(?:meta-)?(?:textgeneration-)?(?:meta-)?llama-?v?(?=\d)", "llama-"),
        ("code", r"^code-?llama(?=-|$)", "codellama"),
        ("codellama", r"^codellama(?=\d)", "codellama-"),
        ("qwen", r"^qwen-?v?(?=\d)", "qwen"),
        ("qwen", r"^qwen(2|3)5(?=-)", r"qwen\1.5"),
        ("", r"^(gemma|phi|granite)-?v?(?=\d)", r"\1-"),
        ("deepseek-", r"^deepseek-(coder-)?(?:chat-)?v(?=\d)", r"deepseek-\1v"),
        ("", r"-v(\d)\.0$", r"-v\1"),
        ("", r"-0-(\d)b(?=$|-)", r"-0.\1b"),
        ("", r"\.(?=w\d+a\d+)", "-"),
    )
)
_CLAUDE_VERSION: Final = re.compile(r"^(claude-.*?)-v\d+$")
_PLAIN: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*$")
_SAYS_SIZE: Final = re.compile(r"(?:\d+x|[ae])?\d+(?:\.\d+)?b$")
_DECIMAL: Final = re.compile(r"(?<=\d)\.(?=\d)")

_SIZES: Final = (
    # 235b-a22b: total and active
    re.compile(r"(?:^|-)(?P<total>\d+(?:\.\d+)?)(?P<unit>[bt])-a(?P<active>\d+(?:\.\d+)?)b(?=-|$)"),
    # 8x7b: experts and size of each
    re.compile(r"(?:^|-)(?P<experts>[1-9]\d{0,2})x(?P<each>\d+(?:\.\d+)?)b(?=-|$)"),
    # 17b-16e: active, and experts
    re.compile(r"(?:^|-)(?P<active>\d+(?:\.\d+)?)b-\d+e(?=-|$)"),
    # e4b: as much as is active of a model that is larger
    re.compile(r"(?:^|-)e(?P<active>\d+(?:\.\d+)?)b(?=-|$)"),
    re.compile(r"(?:^|-)(?P<dense>\d+(?:\.\d+)?)b(?=-|$)"),
    re.compile(r"(?:^|-)(?P<dense_m>[2-9]\d|\d{3})m(?=-|$)"),
)

# Makers by the first word of a canonical name.
_MAKERS: Final = {
    word: maker
    for maker, words in {
        "ai21": "j2 jamba",
        "allenai": "olmo olmoe tulu molmo",
        "alibaba": "qwen qwq qvq gte",
        "amazon": "nova titan",
        "anthropic": "claude",
        "baai": "bge",
        "baidu": "ernie",
        "bytedance": "doubao seed",
        "cohere": "command embed rerank c4ai aya north",
        "databricks": "dbrx dolly",
        "deepseek": "deepseek",
        "google": "gemini gemma codegemma embeddinggemma palm bison textembedding learnlm medlm",
        "ibm": "granite",
        "intfloat": "e5",
        "jina": "jina",
        "meta": "llama codellama llamaguard muse",
        "microsoft": "phi mai wizardlm",
        "minimax": "minimax abab",
        "mistral": (
            "mistral mixtral ministral magistral codestral devstral pixtral voxtral mathstral"
        ),
        "moonshot": "kimi moonshot",
        "nomic": "nomic",
        "nvidia": "nemotron nv",
        "openai": "gpt chatgpt davinci babbage curie ada codex computer text",
        "perplexity": "sonar pplx",
        "snowflake": "arctic",
        "stepfun": "step",
        "tencent": "hunyuan hy",
        "tii": "falcon",
        "voyage": "voyage",
        "writer": "palmyra",
        "xai": "grok",
        "xiaomi": "mimo",
        "zai": "glm chatglm codegeex",
    }.items()
    for word in words.split()
}
_FIRST_WORD: Final = re.compile(r"^[a-z]+")
# Where the first word is shared: more of the name, its maker and its family.
_MORE_WORDS: Final = (
    (re.compile(r"^gpt-oss"), "openai", "gpt-oss"),
    (re.compile(r"^text-embedding-(?:3|ada)"), "openai", "text-embedding"),
    (re.compile(r"^text-(?:multilingual-)?embedding|^multimodalembedding"), "google", "embedding"),
    (re.compile(r"^text-(?:bison|unicorn)"), "google", "palm"),
    (re.compile(r"^multilingual-e5"), "intfloat", "e5"),
    (re.compile(r"^o\d"), "openai", "o"),
    (re.compile(r"^snowflake-arctic"), "snowflake", "arctic"),
)


@dataclass(frozen=True, slots=True)
class Size:
    """Parameters that a name says, in 1e9.

    Attributes:
        said: The part of the name that says it.
        active: Low and high of what is active for a token.
        total: Low and high of all; None where the name leaves it open.
        dense: Whether the two are one.
    """

    said: str
    active: tuple[float, float]
    total: tuple[float, float] | None
    dense: bool


@dataclass(frozen=True, slots=True)
class Name:
    """One spelling, taken apart.

    Attributes:
        literal: As it was written, in lower case.
        tail: The last part of a path, or of what an ARN names.
        bare: Without vendor, region, tag, file type and fine-tune; dates are kept.
        key: The canonical name.
        opaque: The kind of a resource whose id does not say its model; empty for all else.
    """

    literal: str
    tail: str
    bare: str
    key: str
    opaque: str = ""


def canonical(model: str) -> str:
    """Return the name that all spellings of one model share.

    It is lower case, with a dash where versions have a dot, and without vendor, region, path,
    release date, tag, quantisation and tuning: ``anthropic/claude-sonnet-4.5``,
    ``claude-sonnet-4-5@20250929`` and ``us.anthropic.claude-sonnet-4-5-20250929-v1:0`` are all
    ``claude-sonnet-4-5``. The canonical name of a canonical name is itself.
    """
    return parsed(model).key


@lru_cache(maxsize=4096)
def parsed(model: str) -> Name:
    """Take one spelling apart; any text has a result."""
    literal = model.strip().lower()
    tail, opaque = _tail(literal)
    if opaque:
        return Name(literal, tail, tail, f"{opaque}/{tail}", opaque)
    bare = _bare(tail)
    return Name(literal, tail, bare, _key(bare))


def spellings(model: str) -> Iterator[str]:
    """Yield the names to look for in a catalogue, the most literal first."""
    name = parsed(model)
    yield from dict.fromkeys((name.literal, name.tail, name.bare, _undated(name.bare), name.key))


def fold(name: str) -> str:
    """Return *name* with dashes for the dots of versions, as canonical names have them."""
    return _DECIMAL.sub("-", name)


def maker(key: str) -> tuple[str, str]:
    """Return who makes a model and the family it is of, by its canonical name; "" if unknown."""
    for pattern, provider, family in _MORE_WORDS:
        if pattern.search(key):
            return provider, family
    first = _FIRST_WORD.match(key)
    provider = _MAKERS.get(first.group(), "") if first else ""
    return (provider, first.group()) if first and provider else ("", "")


def size(bare: str) -> Size | None:
    """Return the parameters that a name says, as in ``70b``, ``30b-a3b`` and ``8x7b``.

    Args:
        bare: :attr:`Name.bare`; a canonical name has lost the points of its decimals.
    """
    for pattern in _SIZES:
        if found := pattern.search(bare):
            said = found.group().strip("-")
            return _size(said, {k: v for k, v in found.groupdict().items() if v})
    return None


def _size(said: str, part: dict[str, str]) -> Size | None:
    if "experts" in part:
        # Two experts of each layer are active in the models that are named so (Mixtral); attention
        # is shared, so they have less than experts times size.
        each, experts = float(part["each"]), int(part["experts"])
        found = Size(said, (each, 2 * each), (each, experts * each), dense=False)
    elif "active" in part:
        active = float(part["active"])
        scale = 1000.0 if part.get("unit") == "t" else 1.0
        total = float(part["total"]) * scale if "total" in part else None
        found = Size(said, (active, active), (total, total) if total else None, dense=False)
    else:
        count = float(part["dense"]) if "dense" in part else float(part["dense_m"]) / 1000
        found = Size(said, (count, count), (count, count), dense=True)
    return found if found.active[0] > 0 else None


def _tail(literal: str) -> tuple[str, str]:
    """Return what names the model, and the kind of a resource that does not name it."""
    if (arn := _ARN.search(literal)) and (id_ := arn[2].strip("/ ")):
        kind = arn[1]
        if kind not in _TELLING:
            return id_.rpartition("/")[2], kind if kind in _OPAQUE else "resource"
        # The second part of a custom model's id is the id of the training.
        return (id_.partition("/")[0] if kind == "custom-model" else id_.rpartition("/")[2]), ""
    if found := _OPAQUE_ID.search(literal):
        kind, id_ = (part for part in found.groups() if part)
        return id_, kind
    path = literal.replace("\\", "/").partition("#")[0].rstrip("/")
    tail = path.rpartition("/")[2]
    # In Ollama alone, a name that is DeepSeek's largest model everywhere else is a small one.
    return ("deepseek-r1:8b" if tail == "deepseek-r1:latest" else tail), ""


def _bare(tail: str) -> str:
    name = _FINE_TUNED_OLD.sub(r"\1", _FINE_TUNED.sub(r"\1", tail))
    if vendor := _BEDROCK.match(name):
        by, name = vendor.groups()
        name = _BEDROCK_VERSION.sub("", _CLAUDE_2.sub(r"claude-\1.1", name))
        if by == "deepseek" and not name.startswith("deepseek"):
            name = f"deepseek-{name}"
    name = _PART_OF_FILE.sub("", _FILE.sub("", _BRACKETS.sub("", name)))
    name = _SEPARATORS.sub("-", _POINT.sub(".", name)).strip("-.")
    return _untagged(_rewritten(name))


def _rewritten(name: str) -> str:
    name = _HOSTS.sub("", name)
    for start, pattern, to in _REWRITES:
        if name.startswith(start):
            name = pattern.sub(to, name)
    return name


def _untagged(name: str) -> str:
    """Take off the tags at the end that say nothing about the size."""
    words = _QUANTISED.sub("", name).split("-")
    sized = any(_SAYS_SIZE.match(word) for word in words)
    while len(words) > 1 and (
        words[-1] in _TAGS
        or (sized and words[-1] in _TAGS_OF_SIZED)
        or (words[-1] in _TUNING and any(letter.isdigit() for letter in "".join(words[:-1])))
    ):
        words.pop()
    return "-".join(words)


def _undated(bare: str) -> str:
    name = _DATE.sub("", bare)
    if not _VERSIONED.match(name):
        name = _SHORT_DATE.sub("", name)
    name = _CLAUDE_VERSION.sub(r"\1", name)
    return _untagged(name) or bare


def _key(bare: str) -> str:
    # A date can hide a tag, and a tag a date: until nothing more comes off.
    key = bare
    while (shorter := fold(_undated(key))) != key:
        key = shorter
    # What is left of a strange name can look like a vendor, a path or a file once more.
    plain = _PLAIN.match(key) and fold(_rewritten(key)) == key
    return key if plain else _settled(key)


def _settled(key: str) -> str:
    """Return what *key* ends in, when it is read as a spelling again and again."""
    seen = [key]
    while True:
        tail, opaque = _tail(seen[-1])
        again = f"{opaque}/{tail}" if opaque else fold(_undated(_bare(tail)))
        if again in seen:
            return min(seen[seen.index(again) :])
        seen.append(again)
