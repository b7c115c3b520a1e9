import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.energy import factor_set, library, match, shipped
from agenttrace.energy import factors as module
from agenttrace.energy.catalogue import canonical, entry, figures, mending, of_class
from agenttrace.energy.factors import Factor
from agenttrace.errors import FactorError
from agenttrace.model import Range

FACTORS = shipped()
DATA = sorted((Path(module.__file__).parent / "data").glob("*.toml"))

Said = float | tuple[float, float] | None


def with_files(tmp_path: Path, text: str) -> module.Factors:
    """Return the shipped factors with a file of the user on top."""
    mine = tmp_path / "mine.toml"
    mine.write_text(text, encoding="utf-8")
    return module.layered(module.shipped_layer(), module.Layer((mine,)))


def said(factor: Factor) -> Said:
    """Return a figure as a number or as its ends."""
    return factor.central if factor.low == factor.high else (factor.low, factor.high)


# Active parameters in 1e9; None where only the class is known.
@pytest.mark.parametrize(
    ("spelling", "key", "class_name", "active_b"),
    [
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5", "large", (44, 132)),
        ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5", "large", (44, 132)),
        ("Claude-Sonnet-4-5", "claude-sonnet-4-5", "large", (44, 132)),
        ("claude-4.5-sonnet", "claude-sonnet-4-5", "large", (44, 132)),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", "large", (44, 132)),
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", "large", (44, 132)),
        ("jp.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", "large", (44, 132)),
        (
            "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "claude-sonnet-4-5",
            "large",
            (44, 132),
        ),
        (
            "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "claude-sonnet-4-5",
            "large",
            (44, 132),
        ),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5", "large", (44, 132)),
        ("publishers/anthropic/models/claude-sonnet-4-5", "claude-sonnet-4-5", "large", (44, 132)),
        ("databricks-claude-sonnet-4-5", "claude-sonnet-4-5", "large", (44, 132)),
        (
            "bedrock/converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "claude-sonnet-4-5",
            "large",
            (44, 132),
        ),
        ("vertex_ai/claude-opus-4-6@default", "claude-opus-4-6", "xlarge", (67, 200)),
        ("global.anthropic.claude-opus-4-6-v1", "claude-opus-4-6", "xlarge", (67, 200)),
        ("claude-opus-4-1-20250805", "claude-opus-4-1", "xlarge", None),
        ("claude-4-opus", "claude-opus-4", "xlarge", None),
        ("claude-3-opus-20240229", "claude-3-opus", "xlarge", None),
        ("au.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5", "tiny", (10, 35)),
        (
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
            "claude-3-haiku",
            "tiny",
            None,
        ),
        (
            "arn:aws:bedrock:us-east-1:123456789012:custom-model/anthropic.claude-3-haiku-20240307-v1:0:200k/abc123",
            "claude-3-haiku",
            "tiny",
            None,
        ),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku", "tiny", None),
        ("claude-3.5-sonnet", "claude-3-5-sonnet", "large", None),
        ("claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet", "large", None),
        ("anthropic/claude-3.7-sonnet:thinking", "claude-3-7-sonnet", "large", None),
        ("apac.anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet", "large", None),
        ("anthropic.claude-v2:1", "claude-2-1", "large", None),
        ("anthropic.claude-instant-v1", "claude-instant", "tiny", None),
        ("claude-2.1", "claude-2-1", "large", None),
        ("claude-mythos-preview", "claude-mythos", "xlarge", None),
        ("claude-haiku-7", "claude-haiku-7", "tiny", None),
        ("gpt-5", "gpt-5", "large", (30, 90)),
        ("openai/gpt-5-2025-08-07", "gpt-5", "large", (30, 90)),
        ("gpt-5-chat-latest", "gpt-5", "large", (30, 90)),
        ("gpt-5-mini-2025-08-07", "gpt-5-mini", "tiny", (25, 70)),
        ("openai/gpt-5-nano:floor", "gpt-5-nano", "tiny", (5, 18.5)),
        ("azure/eu/gpt-5-mini", "gpt-5-mini", "tiny", (25, 70)),
        ("gpt-5.1-codex-mini", "gpt-5-1-codex-mini", "tiny", (25, 70)),
        ("databricks-gpt-5-1", "gpt-5-1", "large", (30, 90)),
        ("us.openai.gpt-5.5", "gpt-5-5", "xlarge", (90, 300)),
        ("gpt-5-pro", "gpt-5-pro", "xlarge", (360, 1080)),
        ("gpt-5.4-mini", "gpt-5-4-mini", "tiny", (56, 158)),
        ("gpt-6-luna", "gpt-6-luna", "tiny", (3.8, 11)),
        ("gpt-6.1-terra", "gpt-6-1-terra", "large", None),
        ("gpt-7-nano", "gpt-7-nano", "tiny", None),
        ("gpt-4o-2024-08-06", "gpt-4o", "large", (44, 132)),
        ("openai/gpt-4o:free", "gpt-4o", "large", (44, 132)),
        ("chatgpt-4o-latest", "gpt-4o", "large", (44, 132)),
        ("ft:gpt-4o-mini-2024-07-18:acme::Ab12", "gpt-4o-mini", "tiny", (8, 28)),
        ("ft:gpt-4.1-2025-04-14:acme:support:Ab12:ckpt-step-100", "gpt-4-1", "large", (35, 106)),
        ("gpt-4.1-nano", "gpt-4-1-nano", "tiny", (10, 37)),
        ("gpt-41-copilot", "gpt-4-1-copilot", "large", None),
        ("gpt-4-turbo-2024-04-09", "gpt-4-turbo", "xlarge", (88, 264)),
        ("gpt-4-1106-preview", "gpt-4-turbo", "xlarge", (88, 264)),
        ("gpt-4-0613", "gpt-4", "xlarge", (176, 528)),
        ("gpt-35-turbo", "gpt-3-5-turbo", "small", (20, 70)),
        ("gpt-35-turbo-0125.ft-0a1b2c", "gpt-3-5-turbo", "small", (20, 70)),
        ("curie:ft-acme-2022-10-01", "curie", "tiny", None),
        ("text-davinci-003", "text-davinci", "large", 175),
        ("o1-preview", "o1", "xlarge", (44, 132)),
        ("o3", "o3", "xlarge", None),
        ("o4-mini-2025-04-16", "o4-mini", "tiny", (8, 28)),
        ("codex-mini-latest", "codex-mini", "tiny", None),
        ("openai.gpt-oss-120b-1:0", "gpt-oss-120b", "small", 5.1),
        ("gpt-oss:20b-cloud", "gpt-oss-20b", "tiny", 3.6),
        ("groq/openai/gpt-oss-20b", "gpt-oss-20b", "tiny", 3.6),
        ("gemini-2.5-pro-preview-05-06", "gemini-2-5-pro", "xlarge", (200, 600)),
        ("models/gemini-2.5-flash", "gemini-2-5-flash", "large", (44, 132)),
        (
            "projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash-lite",
            "gemini-2-5-flash-lite",
            "tiny",
            (8, 28),
        ),
        ("gemini/gemini-2.5-flash-lite-preview-09-2025", "gemini-2-5-flash-lite", "tiny", (8, 28)),
        ("gemini-1.5-pro-002", "gemini-1-5-pro", "xlarge", None),
        ("gemini-1.5-flash-8b", "gemini-1-5-flash-8b", "tiny", 8),
        ("gemini-9-flash", "gemini-9-flash", "large", None),
        ("google/gemma-3-27b-it:free", "gemma-3-27b", "small", 27.4),
        ("gemma3:27b", "gemma-3-27b", "small", 27.4),
        ("gemma-3-27b-it-qat-q4_0-gguf", "gemma-3-27b", "small", 27.4),
        ("gemma2-9b-it", "gemma-2-9b", "tiny", 9.24),
        ("gemma3n:e4b", "gemma-3n-e4b", "tiny", 4),
        ("gemma-4-26b-a4b-it", "gemma-4-26b-a4b", "tiny", 4),
        ("text-bison@001", "text-bison", "large", None),
        ("deepseek-chat", "deepseek-chat", "large", (13, 49)),
        ("deepseek/deepseek-chat-v3.1:free", "deepseek-v3", "large", 37),
        ("deepseek-ai/DeepSeek-V3.2-Exp", "deepseek-v3", "large", 37),
        ("us.deepseek.r1-v1:0", "deepseek-v3", "large", 37),
        ("deepseek.v3-v1:0", "deepseek-v3", "large", 37),
        ("deepseek-reasoner", "deepseek-chat", "large", (13, 49)),
        ("deepseek-r1:671b", "deepseek-v3", "large", 37),
        ("deepseek-r1:14b", "deepseek-r1-distill-qwen-14b", "tiny", 14.8),
        ("deepseek-r1:latest", "deepseek-r1-distill-qwen3-8b", "tiny", 8.2),
        (
            "deepseek-ai/DeepSeek-R1-Distill-Llama-70B",
            "deepseek-r1-distill-llama-70b",
            "medium",
            70.6,
        ),
        ("deepseek-ai/DeepSeek-R1-0528-Qwen3-8B", "deepseek-r1-distill-qwen3-8b", "tiny", 8.2),
        ("deepseek-coder-v2:16b", "deepseek-v2-lite", "tiny", 2.4),
        ("deepseek-v4-flash", "deepseek-v4-flash", "large", 13),
        ("vertex_ai/deepseek-ai/deepseek-v4.1-flash-maas", "deepseek-v4-1-flash", "large", 8),
        ("fireworks_ai/accounts/fireworks/models/deepseek-v3p1", "deepseek-v3", "large", 37),
        ("meta-llama/Llama-3.3-70B-Instruct", "llama-3-70b", "medium", 70.6),
        ("us.meta.llama3-3-70b-instruct-v1:0", "llama-3-70b", "medium", 70.6),
        ("groq/llama-3.3-70b-versatile", "llama-3-70b", "medium", 70.6),
        ("together_ai/meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo", "llama-3-70b", "medium", 70.6),
        (
            "fireworks/accounts/fireworks/models/llama-v3p1-70b-instruct",
            "llama-3-70b",
            "medium",
            70.6,
        ),
        ("llama3.1:8b-instruct-q4_K_M", "llama-3-8b", "tiny", 8.03),
        ("llama3.1", "llama-3-8b", "tiny", 8.03),
        ("C:\\models\\Meta-Llama-3.1-8B-Instruct-IQ4_XS.gguf", "llama-3-8b", "tiny", 8.03),
        ("@cf/meta/llama-3.1-8b-instruct-fp8-fast", "llama-3-8b", "tiny", 8.03),
        ("neuralmagic/Meta-Llama-3.1-70B-Instruct-quantized.w4a16", "llama-3-70b", "medium", 70.6),
        ("hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q6_K_L", "llama-3-2-3b", "tiny", 3.21),
        ("meta.llama3-1-405b-instruct-v1:0", "llama-3-1-405b", "large", 405.9),
        ("meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8", "llama-4-maverick", "large", 17),
        ("llama4:16x17b", "llama-4-scout", "small", 17),
        ("meta-llama/Llama-2-13b-chat-hf", "llama-2-13b", "tiny", 13.02),
        ("codellama:7b", "codellama-7b", "tiny", 6.74),
        ("Qwen/Qwen3-235B-A22B-Instruct-2507", "qwen3-235b-a22b", "medium", 22),
        ("qwen.qwen3-235b-a22b-2507-v1:0", "qwen3-235b-a22b", "medium", 22),
        ("qwen3:30b-a3b", "qwen3-30b-a3b", "tiny", 3.3),
        ("qwen3:0.6b", "qwen3-0-6b", "tiny", 0.6),
        ("qwen3-0p6b", "qwen3-0-6b", "tiny", 0.6),
        ("Qwen/Qwen3-32B-AWQ", "qwen3-32b", "small", 32.8),
        ("/models/Qwen2.5-Coder-32B-Instruct-Q4_K_M.gguf", "qwen2-5-32b", "small", 32.8),
        ("qwen-2.5-72b-instruct", "qwen2-5-72b", "medium", 72.7),
        ("accounts/fireworks/models/qwen2p5-7b-instruct", "qwen2-5-7b", "tiny", 7.62),
        ("qwen/qwq-32b:free", "qwen2-5-32b", "small", 32.8),
        ("Qwen/Qwen3-Next-80B-A3B-Instruct", "qwen3-next-80b-a3b", "small", 3),
        ("Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8", "qwen3-coder-480b-a35b", "large", 35),
        ("qwen3-coder", "qwen3-coder", "large", (3.3, 35)),
        ("qwen3-max", "qwen3-max", "xlarge", None),
        ("mistral-large-latest", "mistral-large", "large", 41),
        ("mistral-large-2512", "mistral-large-3", "large", 41),
        ("mistral.mistral-large-2407-v1:0", "mistral-large-2407", "medium", 123),
        ("mistral-small-latest", "mistral-small", "small", 8),
        ("mistral-small-2603", "mistral-small-2603", "small", 8),
        ("mistralai/Mistral-Small-3.2-24B-Instruct-2506", "mistral-small-2501", "small", 23.6),
        ("mistral-medium-2508", "mistral-medium-2508", "medium", None),
        ("codestral-2508", "codestral-2508", "small", 22.2),
        ("mistral:latest", "mistral-7b", "tiny", 7.25),
        ("TheBloke/Mixtral-8x7B-Instruct-v0.1-GPTQ", "mixtral-8x7b", "tiny", 12.9),
        ("open-mixtral-8x22b", "mixtral-8x22b", "small", 39.1),
        ("mistral.mistral-7b-instruct-v0:2", "mistral-7b", "tiny", 7.25),
        ("microsoft/phi-4", "phi-4", "tiny", 14.7),
        ("phi3:mini", "phi-3-mini", "tiny", 3.82),
        ("moonshotai/kimi-k2-0905", "kimi-k2", "xlarge", 32),
        ("kimi-k2-thinking", "kimi-k2", "xlarge", 32),
        ("zai-org/GLM-4.5-Air", "glm-4-5-air", "small", 12),
        ("z-ai/glm-4.6:exacto", "glm-4-5", "large", 32),
        ("MiniMaxAI/MiniMax-M2", "minimax-m2", "medium", 10),
        ("cohere.command-r-plus-v1:0", "command-r-plus", "medium", 104),
        ("command-r7b-12-2024", "command-r7b", "tiny", 8.03),
        ("command-a-03-2025", "command-a", "medium", 111),
        ("us.amazon.nova-micro-v1:0", "nova-micro", "tiny", None),
        ("us.amazon.nova-pro-v1:0", "nova-pro", "large", None),
        ("x-ai/grok-4-fast:free", "grok-4-fast", "large", None),
        ("grok-3-mini", "grok-3-mini", "tiny", None),
        ("text-embedding-3-large", "text-embedding-3-large", "embedding", None),
        ("text-embedding-ada-002", "text-embedding-ada", "embedding", None),
        ("amazon.titan-embed-text-v2:0", "titan-embed-text", "embedding", None),
        ("cohere.embed-english-v3", "embed-english-v3", "embedding", None),
        ("cohere.rerank-v3-5:0", "rerank-v3-5", "embedding", None),
        ("voyage-3-large", "voyage-3-large", "embedding", None),
        ("BAAI/bge-m3", "bge-m3", "embedding", 0.568),
        ("bge-reranker-v2-m3", "bge-m3", "embedding", 0.568),
        ("intfloat/multilingual-e5-large", "multilingual-e5-large", "embedding", 0.56),
        ("nomic-embed-text:latest", "nomic-embed-text", "embedding", 0.137),
        ("Qwen/Qwen3-Embedding-0.6B", "qwen3-embedding-0-6b", "embedding", 0.6),
        ("gemini-embedding-001", "gemini-embedding", "embedding", None),
        ("sentence-transformers/all-MiniLM-L6-v2", "all-minilm", "embedding", 0.0227),
        ("acme/Coder-70B-Instruct", "coder-70b", "medium", 70),
        ("acme-12x3b", "acme-12x3b", "tiny", (3, 6)),
        ("acme-270m", "acme-270m", "tiny", 0.27),
        (
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/ab12cd34ef56",
            "application-inference-profile/ab12cd34ef56",
            "unknown",
            None,
        ),
        (
            "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/embed70b",
            "provisioned-model/embed70b",
            "unknown",
            None,
        ),
        (
            "projects/p/locations/us-central1/endpoints/1234567890",
            "endpoint/1234567890",
            "unknown",
            None,
        ),
        ("my-deployment", "my-deployment", "unknown", None),
        ("mystery-9", "mystery-9", "unknown", None),
    ],
)
def test_spelling_gives_key_class_and_parameters(
    spelling: str, key: str, class_name: str, active_b: Said
):
    found = match(spelling, FACTORS)
    active = found.parts.active_parameters_b
    assert (found.key, found.class_name) == (key, class_name)
    if active_b is None:
        assert active.range == FACTORS.parts(class_name).active_parameters_b.range
    else:
        assert said(active) == active_b
    assert found.known == (class_name != "unknown")


@pytest.mark.parametrize(
    ("model", "provider", "family"),
    [
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic", "claude"),
        ("azure/gpt-5-mini", "openai", "gpt"),
        ("o3-mini", "openai", "o"),
        ("groq/openai/gpt-oss-20b", "openai", "gpt-oss"),
        ("models/gemini-2.5-pro", "google", "gemini"),
        ("text-embedding-005", "google", "embedding"),
        ("text-embedding-3-small", "openai", "text-embedding"),
        ("together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo", "meta", "llama"),
        ("Qwen/Qwen3-32B", "alibaba", "qwen"),
        ("deepseek-r1:14b", "deepseek", "deepseek"),
        ("open-mixtral-8x22b", "mistral", "mixtral"),
        ("all-minilm", "sentence-transformers", "sentence-transformers"),
        ("acme-70b", "", ""),
        (None, "", ""),
    ],
)
def test_name_gives_maker_and_family(model: str | None, provider: str, family: str):
    found = match(model, FACTORS)
    assert (found.provider, found.family) == (provider, family)


@pytest.mark.parametrize(
    ("model", "total_b"),
    [
        ("deepseek-v3", 671),
        ("llama3.1:8b", 8.03),
        ("gpt-5-mini", (25, 70)),
        ("qwen3-coder", (30.5, 480)),
        ("acme-12x3b", (3, 36)),
        ("acme-e4b", None),
        ("claude-3-opus", None),
    ],
)
def test_total_parameters_are_known_or_none(model: str, total_b: Said):
    total = match(model, FACTORS).total_parameters_b
    assert (total and said(total)) == total_b


@pytest.mark.parametrize(
    ("model", "class_name"),
    [
        ("claude-haiku-9", "tiny"),
        ("claude-sonnet-9-5", "large"),
        ("claude-opus-9", "xlarge"),
        ("claude-saga-9", "large"),  # a tier that does not exist yet
        ("gpt-9", "large"),
        ("gpt-9-pro", "xlarge"),
        ("gpt-9-mini", "tiny"),
        ("gpt-9-nano", "tiny"),
        ("gpt-9-luna", "small"),
        ("gpt-9-astra", "xlarge"),
        ("o9", "large"),
        ("o9-mini", "tiny"),
        ("gemini-9-flash-lite", "tiny"),
        ("gemini-9-flash", "large"),
        ("gemini-9-pro", "xlarge"),
        ("grok-9", "xlarge"),
        ("deepseek-v9", "large"),
        ("mistral-large-9", "large"),
        ("qwen9-max", "xlarge"),
    ],
)
def test_a_new_generation_has_the_class_of_its_tier(model: str, class_name: str):
    found = match(model, FACTORS)
    assert (found.class_name, found.total_parameters_b) == (class_name, None)
    assert found.reason.startswith(f"class {class_name}: assumed from '")


@pytest.mark.parametrize(
    ("model", "class_name"),
    [
        ("command-r7b-12-2024", "tiny"),  # dense, 8 B
        ("gpt-6-luna", "tiny"),  # mixture of 38 B, though its tier has class small
        ("command-r-08-2024", "small"),  # dense, 32 B
        ("mistral-small-latest", "small"),  # mixture of 119 B, though its name has class tiny
        ("command-a-03-2025", "medium"),  # dense, 111 B
        ("gpt-5.6-luna", "medium"),  # mixture of 180 B
        ("meta-llama/Meta-Llama-3.1-405B-Instruct", "large"),  # dense
        ("gpt-6-sol", "large"),  # mixture of 375 B
        ("kimi-k3", "xlarge"),  # mixture of 2,800 B
    ],
)
def test_a_known_size_gives_the_class(model: str, class_name: str):
    assert match(model, FACTORS).class_name == class_name


def test_an_assumed_size_gives_no_other_class_than_the_name():
    # EcoLogits assumes 450 B for GPT-5.4, the size of class large; it is the tier of GPT-5.5.
    assert match("gpt-5.4", FACTORS).class_name == "xlarge"


def test_parameters_of_the_catalogue_replace_those_of_the_class():
    found = match("gpt-5", FACTORS)
    assert found.parts.active_parameters_b.range == Range(30, math.sqrt(30 * 90), 90)
    assert found.parts.decode_j_per_token == FACTORS.factors["large.decode_j_per_token"]
    assert found.parts.cache_bytes_per_token == FACTORS.factors["large.cache_bytes_per_token"]
    assert found.reason == (
        "class large: assumed from 'gpt-5' in the name; "
        "30 to 90 B active, assumed by EcoLogits, not published"
    )
    assert found.parts.active_parameters_b.mark == "assumption"


def test_published_parameters_are_one_number():
    found = match("openai/gpt-oss-120b", FACTORS)
    assert found.parts.active_parameters_b.range == Range(5.1, 5.1, 5.1)
    assert found.reason == ("class small: a mixture of experts of 117 B; 5.1 B active, published")
    assert found.parts.active_parameters_b.mark == "second-hand"


def test_a_published_cache_replaces_that_of_the_class():
    cache = match("llama3.1:8b", FACTORS).parts.cache_bytes_per_token
    assert cache is not None
    # 32 layers, 8 heads of 128, keys and values, 2 bytes each
    assert cache.range == Range(131072, 131072, 131072)
    assert (cache.id, cache.mark) == ("llama-3-8b.cache_bytes_per_token", "derived")


def test_the_catalogue_gives_parameters_and_our_data_the_cache():
    found = match("openai/gpt-oss-20b", FACTORS)
    cache = found.parts.cache_bytes_per_token
    assert found.parts.active_parameters_b.sources[0].id == "ecologits-models"
    assert cache is not None
    assert cache.sources[0].id == "gpt-oss"


def test_our_own_parameters_stand_in_where_the_catalogue_has_none():
    found = match("deepseek-v3.2", FACTORS)
    assert "deepseek-v3.2" not in FACTORS.library.models
    assert found.parts.active_parameters_b.range == Range(37, 37, 37)
    assert found.reason == "class large: a mixture of experts of 671 B; 37 B active, published"
    assert found.parts.active_parameters_b.mark == "read"


def test_a_size_in_the_name_is_marked_as_derived_from_it():
    found = match("acme/coder-30b-a3b", FACTORS)
    active = found.parts.active_parameters_b
    assert active.range == Range(3, 3, 3)
    assert (active.mark, active.sources[0].locator) == ("derived", "30b-a3b in the name")
    assert found.reason == (
        "class tiny: a mixture of experts of 30 B; 3 B active, derived from '30b-a3b' in the name"
    )


def test_an_embedding_model_of_known_size_is_no_class_of_that_size():
    found = match("acme-embed-7b", FACTORS)
    assert (found.class_name, said(found.parts.active_parameters_b)) == ("embedding", 7)
    assert found.parts.decode_j_per_token is None


def test_the_middle_of_a_size_in_the_name_is_the_geometric_mean():
    active = match("acme-8x7b", FACTORS).parts.active_parameters_b
    assert active.range == Range(7, math.sqrt(7 * 14), 14)


def test_a_name_that_is_two_models_spans_both():
    active = match("qwen3-coder", FACTORS).parts.active_parameters_b
    assert active.range == Range(3.3, 35, 35)


def test_all_names_of_one_model_draw_alike():
    names = ["llama3.1", "meta.llama3-1-8b-instruct-v1:0", "Meta-Llama-3.1-8B-Instruct-Q4_0.gguf"]
    assert {match(name, FACTORS).key for name in names} == {"llama-3-8b"}


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
        "class tiny: assumed from 'gpt-5-4-mini' in the name; "
        "56 to 158 B active, assumed by EcoLogits, not published; "
        "that is the size of class medium, so decoding spans both"
    )


def test_a_mixture_with_few_active_parameters_decodes_as_a_smaller_class_too():
    found = match("kimi-k2", FACTORS)  # 32 B of 1 T; class xlarge starts at 50 B active
    decode = found.parts.decode_j_per_token
    assert found.class_name == "xlarge"
    assert decode is not None
    assert decode.range == Range(0.35, math.sqrt(0.55 * 2.2), 8.0)
    assert found.reason.endswith("so few are usual in class large, so decoding spans both")


@pytest.mark.parametrize("model", ["deepseek-v3", "qwen3:0.6b", "llama-3.1-405b", "gpt-oss-20b"])
def test_a_usual_mixture_and_any_dense_model_decode_as_their_class(model: str):
    found = match(model, FACTORS)
    assert (
        found.parts.decode_j_per_token == FACTORS.factors[f"{found.class_name}.decode_j_per_token"]
    )


@pytest.mark.parametrize(
    "model",
    [
        "mystery-9",
        "",
        None,
        "-",
        "///",
        "arn:aws:bedrock:::x/y",
        "arn:aws:bedrock:us-east-1:1:provisioned-model/acme-70b",
        "arn:aws:bedrock:us-east-1:1:imported-model/gpt-4o",
    ],
)
def test_an_unknown_model_is_wide_and_said_to_be_unknown(model: str | None):
    found = match(model, FACTORS)
    assert not found.known
    assert found.parts == FACTORS.parts("unknown")
    assert found.reason.startswith("unknown model: ")


def test_an_id_that_does_not_name_its_model_says_so():
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/ab12"
    assert match(arn, FACTORS).reason == (
        "unknown model: the id of this application-inference-profile does not name it, "
        "so every class"
    )


def test_an_unknown_model_warns_with_its_name():
    chosen = factor_set([("x", "mystery-9"), ("x", "gpt-5"), (None, None)])
    assert [warning.partition(" is not in")[0] for warning in chosen.warnings] == [
        "model 'mystery-9'",
        "a call that names no model",
    ]


@pytest.mark.parametrize(
    "model", ["mystery-9", 'My \\ "own" model', "schön ☂", "tab\there", "acme/x:1", "\x7f"]
)
def test_the_line_that_mends_an_unknown_model_mends_it(tmp_path: Path, model: str):
    mended = with_files(tmp_path, mending(model) + "\n")
    found = match(model, mended)
    assert found.class_name == "large"
    assert found.reason.startswith("deployment of claude-sonnet-4-5; class large: ")
    assert found.key == "claude-sonnet-4-5"


@pytest.mark.parametrize(
    "spelling",
    [
        "our-gpt",
        "Our-GPT",
        "azure/our-gpt",
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/our-gpt",
    ],
)
def test_a_deployment_is_found_by_its_name_and_by_the_end_of_a_path(tmp_path: Path, spelling: str):
    factors = with_files(tmp_path, '[deployment]\n"our-gpt" = "gpt-4o-mini"\n')
    assert match(spelling, factors).key == "gpt-4o-mini"
    assert entry(spelling, factors) == FACTORS.library.models["gpt-4o-mini"]


def test_a_deployment_that_has_the_name_of_a_model_is_what_the_user_says(tmp_path: Path):
    factors = with_files(tmp_path, '[deployment]\n"gpt-4o" = "gpt-4.1-nano"\n')
    assert match("gpt-4o", factors).key == "gpt-4-1-nano"
    assert match("gpt-4o-2024-08-06", factors).key == "gpt-4o"


OWN = """
[source.acme]
by = "Acme"
title = "Model card"
year = 2026
url = "https://example.com/card"
mark = "read"

[[family]]
name = "acme"
provider = "acme"
mark = "read"
retrieved = 2026-11-23
sources = [{ id = "acme", locator = "table 1" }]
models = [
  { names = ["acme-coder"], active_b = 7.0, total_b = 90.0, cache_bytes_per_token = 50000.0 },
  { names = ["gpt-4o"], active_b = [50.0, 60.0, 70.0] },
  { names = ["Acme-Writer-v2.5-Instruct"], active_b = 40.0 },
  { names = ["acme-giant"], active_b = 7.0, total_b = 90.0, class = "xlarge" },
]
"""


def test_a_model_of_the_user_is_matched(tmp_path: Path):
    found = match("openrouter/acme/Acme-Coder:free", with_files(tmp_path, OWN))
    assert (found.class_name, found.provider, found.family) == ("small", "acme", "acme")
    assert found.reason == "class small: a mixture of experts of 90 B; 7 B active, published"


@pytest.mark.parametrize("spelling", ["acme-writer-v2.5-instruct", "acme/Acme-Writer-v2-5:free"])
def test_a_model_of_the_user_is_meant_in_every_spelling(tmp_path: Path, spelling: str):
    found = match(spelling, with_files(tmp_path, OWN))
    assert (found.key, found.class_name) == ("acme-writer-v2.5-instruct", "small")


def test_a_class_that_the_user_gives_a_model_is_its_class_alone(tmp_path: Path):
    factors = with_files(tmp_path, OWN)
    found = match("acme-giant", factors)
    assert found.class_name == "xlarge"
    assert found.parts.decode_j_per_token == factors.factors["xlarge.decode_j_per_token"]


def test_a_model_of_the_user_goes_before_the_catalogue(tmp_path: Path):
    found = match("gpt-4o", with_files(tmp_path, OWN))
    assert found.parts.active_parameters_b.range == Range(50, 60, 70)


def test_every_model_of_the_catalogue_has_a_class_and_its_own_parameters():
    assert len(FACTORS.library.models) > 340
    for name, one in FACTORS.library.models.items():
        found = match(name, FACTORS)
        assert (name, found.known) == (name, True)
        assert (name, found.parts.active_parameters_b.range) == (name, one.active_parameters_b)
        assert found.total_parameters_b is not None
        assert (name, found.total_parameters_b.range) == (name, one.total_parameters_b)
        assert one.active_parameters_b.low > 0
        assert entry(name, FACTORS) == one


def test_no_two_providers_share_a_name_for_different_parameters():
    # The provider of a call is often a gateway, so names are looked up without it.
    seen: dict[str, Range] = {}
    for name, one in FACTORS.library.models.items():
        bare = name.rpartition("/")[2]
        if one.provider != "huggingface_hub":
            assert seen.setdefault(bare, one.active_parameters_b) == one.active_parameters_b


def test_every_model_of_ours_is_found_by_each_of_its_names():
    for name, (family, model) in FACTORS.families.items():
        assert (name, canonical(name)) == (name, name)
        found = match(name, FACTORS)
        assert (name, found.key) == (name, model.names[0])
        assert found.provider == family.provider


def test_every_figure_of_ours_has_a_source():
    for family, model in FACTORS.families.values():
        active, total, *_ = figures(family, model)
        assert active.central <= total.central
        for figure in figures(family, model):
            assert figure.sources
            assert all(cited.id in FACTORS.sources and cited.locator for cited in figure.sources)


def test_embedding_models_do_not_decode():
    for name in ("text-embedding-3-small", "bge-m3", "rerank-v3.5", "qwen3-reranker-8b"):
        parts = match(name, FACTORS).parts
        assert (parts.decode_j_per_token, parts.cache_bytes_per_token) == (None, None)


def test_a_class_can_be_given_in_place_of_a_model():
    found = of_class("large", FACTORS)
    assert (found.key, found.reason) == ("class:large", "class large: given")


@given(st.text())
def test_any_text_has_a_match(model: str):
    found = match(model, FACTORS)
    assert found.reason
    assert found.parts.active_parameters_b.low > 0


@given(st.sampled_from(sorted([*FACTORS.library.models, *FACTORS.families])))
def test_case_and_space_do_not_matter(name: str):
    assert match(f" {name.upper()} ", FACTORS) == match(name, FACTORS)


def nothing(name: str) -> None:
    """Find no package."""


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


def test_a_catalogue_of_another_shape_is_refused():
    another = library.Library(b'{"models": [{"name": "x"}]}', b"")
    with pytest.raises(FactorError, match=r"unexpected data/models.json: .*`provider`"):
        _ = another.models
