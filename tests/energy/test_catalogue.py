import math

import pytest

from agenttrace.energy import factor_set, library, match, shipped
from agenttrace.energy.catalogue import canonical, spellings
from agenttrace.errors import FactorError
from agenttrace.model import Range

FACTORS = shipped()


@pytest.mark.parametrize(
    ("model", "class_name"),
    [
        ("gpt-5", "large"),
        ("gpt-5-2025-08-07", "large"),
        ("gpt-5-chat-latest", "large"),
        ("gpt-5-codex", "large"),
        ("gpt-5.1", "large"),
        ("gpt-5-mini", "tiny"),
        ("gpt-5-nano-2025-08-07", "tiny"),
        ("gpt-5.1-codex-mini", "tiny"),
        ("gpt-5-pro", "xlarge"),
        ("gpt-5.2-pro", "xlarge"),
        ("gpt-5.5", "xlarge"),
        ("gpt-4o", "large"),
        ("gpt-4o-2024-08-06", "large"),
        ("chatgpt-4o-latest", "large"),
        ("gpt-4o-mini", "tiny"),
        ("gpt-4o-mini-2024-07-18", "tiny"),
        ("gpt-4.1-2025-04-14", "large"),
        ("gpt-oss-120b", "small"),
        ("o1", "xlarge"),
        ("o3", "xlarge"),
        ("o3-mini", "tiny"),
        ("o4-mini-2025-04-16", "tiny"),
        ("text-embedding-3-small", "embedding"),
        ("gemini-embedding-001", "embedding"),
        ("bge-reranker-v2-m3", "embedding"),
        ("claude-sonnet-4-5-20250929", "large"),
        ("claude-3-7-sonnet-latest", "large"),
        ("claude-haiku-4-5", "tiny"),
        ("claude-3-5-haiku-20241022", "tiny"),
        ("claude-opus-4-8", "xlarge"),
        ("claude-fable-5", "xlarge"),
        ("anthropic/claude-sonnet-4-5", "large"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "large"),
        ("anthropic.claude-3-haiku-20240307-v1:0", "tiny"),
        ("gemini-2.5-flash-lite", "tiny"),
        ("gemini-2.5-flash", "large"),
        ("models/gemini-2.5-pro", "xlarge"),
        ("mistral-small-latest", "tiny"),
        ("mistral-medium-latest", "medium"),
        ("mistral-large-2512", "large"),
        ("codestral-2508", "medium"),
        ("deepseek-chat", "large"),
        ("deepseek/deepseek-r1", "large"),
        ("meta-llama/Meta-Llama-3.1-8B-Instruct", "tiny"),
        ("meta.llama3-1-70b-instruct-v1:0", "medium"),
        ("llama3.1:8b", "tiny"),
        ("qwen3-32b", "small"),
        ("gemma-3-27b-it", "small"),
    ],
)
def test_name_gives_the_class(model: str, class_name: str):
    assert match(model, FACTORS).class_name == class_name


@pytest.mark.parametrize(
    ("model", "class_name"),
    [
        ("command-r7b-12-2024", "tiny"),  # dense, 8 B
        ("gpt-6-luna", "tiny"),  # mixture of 38 B
        ("command-r-08-2024", "small"),  # dense, 32 B
        ("command-a-03-2025", "medium"),  # dense, 111 B
        ("gpt-5.6-luna", "medium"),  # mixture of 180 B
        ("meta-llama/Meta-Llama-3.1-405B-Instruct", "large"),  # dense
        ("gpt-6-sol", "large"),  # mixture of 375 B
        ("gpt-4-turbo", "xlarge"),  # mixture of 880 B
    ],
)
def test_size_gives_the_class_where_the_name_does_not(model: str, class_name: str):
    assert match(model, FACTORS).class_name == class_name


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("claude-sonnet-4-5", "claude-sonnet-4-5"),
        ("Claude-Sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
        ("anthropic/claude-sonnet-4-5", "claude-sonnet-4-5"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        (
            "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/"
            "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "claude-sonnet-4-5",
        ),
        ("openai.gpt-oss-120b-1:0", "gpt-oss-120b"),
        ("openai/gpt-oss-120b:free", "gpt-oss-120b"),
        ("ft:gpt-4o-mini-2024-07-18:acme::Ab12", "gpt-4o-mini"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("gpt-5-2025-08-07", "gpt-5"),
        ("gpt-5-search-api-2025-10-14", "gpt-5-search-api"),
        ("deepseek-v3", "deepseek-v3"),
        ("llama3.1:8b", "llama3.1-8b"),
        ("mistral:latest", "mistral"),
    ],
)
def test_spellings_of_one_model_have_one_canonical_name(spelling: str, name: str):
    assert canonical(spelling) == name


def test_the_most_literal_spelling_is_looked_for_first():
    assert list(spellings("openai/GPT-5-2025-08-07:free")) == [
        "openai/gpt-5-2025-08-07:free",
        "gpt-5-2025-08-07:free",
        "gpt-5-2025-08-07",
        "gpt-5",
    ]


def test_parameters_of_the_catalogue_replace_those_of_the_class():
    found = match("gpt-5", FACTORS)
    assert found.parts.active_parameters_b.range == Range(30, math.sqrt(30 * 90), 90)
    assert found.parts.decode_j_per_token == FACTORS.factors["large.decode_j_per_token"]
    assert found.reason == (
        "class large: 'gpt-5' in the name; 30 to 90 B active, assumed by EcoLogits, not published"
    )
    assert found.parts.active_parameters_b.mark == "assumption"


def test_published_parameters_are_one_number():
    found = match("openai/gpt-oss-120b", FACTORS)
    assert found.parts.active_parameters_b.range == Range(5.1, 5.1, 5.1)
    assert found.reason == "class small: 'gpt-oss-120b' in the name; 5.1 B active, published"
    assert found.parts.active_parameters_b.mark == "second-hand"


def test_our_own_parameters_stand_in_where_the_catalogue_has_none():
    found = match("deepseek-chat", FACTORS)
    assert "deepseek-chat" not in library.models()
    assert found.parts.active_parameters_b.range == Range(37, 37, 37)
    assert found.reason == "class large: 'deepseek-chat' in the name; 37 B active, published"


def test_a_catalogue_alias_is_its_model():
    assert match("gpt-35-turbo", FACTORS).parts == match("gpt-3.5-turbo", FACTORS).parts


def test_sources_that_the_catalogue_names_come_with_its_parameters():
    (citation,) = match("gpt-oss-20b", FACTORS).parts.active_parameters_b.sources
    assert citation.id == "ecologits-models"
    assert citation.locator.startswith("huggingface_hub openai/gpt-oss-20b; https://")


def test_a_size_of_another_class_makes_decoding_span_both():
    found = match("gpt-5.4-mini", FACTORS)
    decode = found.parts.decode_j_per_token
    assert found.class_name == "tiny"
    assert decode is not None
    assert decode.range == Range(0.075, math.sqrt(0.14 * 0.90), 2.1)
    assert found.reason == (
        "class tiny: 'gpt-5.4-mini' in the name; 56 to 158 B active, assumed by EcoLogits, "
        "not published; that is the size of class medium, so decoding spans both"
    )


@pytest.mark.parametrize("model", ["mystery-9", "deepseek-r1-distill-llama-8b", "", None])
def test_an_unknown_model_is_wide_and_said_to_be_unknown(model: str | None):
    found = match(model, FACTORS)
    assert not found.known
    assert (
        found.parts.active_parameters_b.range == FACTORS.parts("unknown").active_parameters_b.range
    )
    assert found.reason.startswith("unknown model: ")


def test_an_unknown_model_warns_with_its_name():
    chosen = factor_set([("x", "mystery-9"), ("x", "gpt-5"), (None, None)])
    assert [warning.partition(" is not in")[0] for warning in chosen.warnings] == [
        "model 'mystery-9'",
        "a call that names no model",
    ]


def test_every_model_of_the_catalogue_has_a_class_and_its_own_parameters():
    assert len(library.models()) > 340
    for name, entry in library.models().items():
        found = match(name, FACTORS)
        assert (name, found.known) == (name, True)
        assert (name, found.parts.active_parameters_b.range) == (name, entry.active_parameters_b)
        assert entry.active_parameters_b.low > 0


def test_no_two_providers_share_a_name_for_different_parameters():
    # The provider of a call is often a gateway, so names are looked up without it.
    seen: dict[str, Range] = {}
    for name, entry in library.models().items():
        bare = name.rpartition("/")[2]
        if entry.provider != "huggingface_hub":
            assert seen.setdefault(bare, entry.active_parameters_b) == entry.active_parameters_b


def nothing(name: str) -> None:
    """Find no package."""


def another_shape(name: str) -> bytes:
    return b'{"models": [{"name": "x"}]}'


def test_without_ecologits_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(library.importlib.util, "find_spec", nothing)
    library.read.cache_clear()
    try:
        with pytest.raises(FactorError, match="pip install ecologits"):
            library.read(library.MODELS)
    finally:
        library.read.cache_clear()


def test_a_file_that_ecologits_no_longer_has_is_named():
    with pytest.raises(FactorError, match=r"has no data/gone.json. Install a version that has it"):
        library.read("gone.json")


def test_a_catalogue_of_another_shape_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(library, "read", another_shape)
    library.models.cache_clear()
    try:
        with pytest.raises(FactorError, match=r"unexpected data/models.json: .*`provider`"):
            library.models()
    finally:
        library.models.cache_clear()
