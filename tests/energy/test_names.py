import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.energy import names, shipped
from agenttrace.energy.names import Size, canonical, maker, parsed, size, spellings


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        # vendor, region and version of Bedrock
        ("anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku"),
        ("anthropic.claude-3-haiku-20240307-v1:0:200k", "claude-3-haiku"),
        ("apac.amazon.nova-lite-v1:0", "nova-lite"),
        ("sa.cohere.command-r-plus-v1:0", "command-r-plus"),
        ("us-gov.nvidia.nemotron-nano-9b-v2", "nemotron-nano-9b"),
        ("openai.gpt-oss-120b-1:0", "gpt-oss-120b"),
        ("deepseek.r1-v1:0", "deepseek-r1"),
        ("us.twelvelabs.pegasus-1-2-v1:0", "pegasus-1-2"),
        ("writer.palmyra-x5-v1:0", "palmyra-x5"),
        ("cohere.embed-english-v3", "embed-english-v3"),
        ("anthropic.claude-v2:1", "claude-2-1"),
        ("anthropic.claude-v2", "claude-2"),
        # paths and resources
        (
            "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/meta.llama3-8b-instruct-v1:0",
            "llama-3-8b",
        ),
        ("projects/p/locations/l/publishers/google/models/gemini-2.5-pro", "gemini-2-5-pro"),
        (
            "accounts/fireworks/models/llama-v3p2-3b-instruct#accounts/a/deployments/d",
            "llama-3-2-3b",
        ),
        ("vertex_ai/meta/llama-3.1-405b-instruct-maas", "llama-3-1-405b"),
        ("/srv/models/qwen2.5-7b-instruct-q4_k_m-00001-of-00002.gguf", "qwen2-5-7b"),
        ("D:\\gguf\\Phi-4-Q8_0.gguf", "phi-4"),
        (
            "bedrock/converse/arn:aws:bedrock:eu-west-1:1:inference-profile/eu.amazon.nova-pro-v1:0",
            "nova-pro",
        ),
        # tags of gateways and of Ollama
        ("openai/gpt-4o:nitro", "gpt-4o"),
        ("anthropic/claude-3.7-sonnet:thinking", "claude-3-7-sonnet"),
        ("mistral:latest", "mistral"),
        ("qwen3:30b-a3b-q8_0", "qwen3-30b-a3b"),
        ("llama3.3:70b-instruct-fp16", "llama-3-3-70b"),
        ("gpt-oss:20b-cloud", "gpt-oss-20b"),
        ("deepseek-ai/DeepSeek-R1:fireworks-ai", "deepseek-r1"),
        ("claude-opus-4-5-20251101[1m]", "claude-opus-4-5"),
        ("sonnet", "claude-sonnet"),
        ("llama3-70b-8192", "llama-3-70b"),
        ("mixtral-8x7b-32768", "mixtral-8x7b"),
        # fine-tunes
        ("ft:gpt-4o-mini-2024-07-18:acme::Ab12", "gpt-4o-mini"),
        ("ft:open-mistral-7b:acme:20240530:abc", "mistral-7b"),
        ("curie:ft-acme-2022-10-01-12-00-00", "curie"),
        # dates and releases
        ("gpt-5-2025-08-07", "gpt-5"),
        ("gpt-5-search-api-2025-10-14", "gpt-5-search-api"),
        ("gemini-2.5-flash-preview-09-2025", "gemini-2-5-flash"),
        ("gemini-2.5-pro-exp-03-25", "gemini-2-5-pro"),
        ("kimi-k2-0905-preview", "kimi-k2"),
        ("deepseek-v3-2-251201", "deepseek-v3-2"),
        ("command-r-08-2024", "command-r"),
        ("mistral-large-2411", "mistral-large-2411"),  # a version: 2512 is another size
        # quantisation
        ("Qwen/Qwen3-32B-AWQ", "qwen3-32b"),
        ("TheBloke/Llama-2-70B-Chat-GPTQ", "llama-2-70b"),
        ("nvidia/Llama-3.1-405B-Instruct-FP8", "llama-3-1-405b"),
        ("unsloth/Llama-3.2-1B-Instruct-bnb-4bit", "llama-3-2-1b"),
        ("mlx-community/Qwen2.5-14B-Instruct-4bit", "qwen2-5-14b"),
        ("nvidia/DeepSeek-R1-NVFP4", "deepseek-r1"),
        # one name, written in other ways
        ("claude-3.5-sonnet", "claude-3-5-sonnet"),
        ("claude-4-opus", "claude-opus-4"),
        ("claude-4.5-haiku", "claude-haiku-4-5"),
        ("gpt-35-turbo", "gpt-3-5-turbo"),
        ("gpt4o-mini", "gpt-4o-mini"),
        ("gpt-4-0125-preview", "gpt-4-turbo"),
        ("llama-v3p1-8b", "llama-3-1-8b"),
        ("qwen-2.5-coder-32b", "qwen2-5-coder-32b"),
        ("gemma2-9b-it", "gemma-2-9b"),
        ("CodeLlama-34b-Instruct-hf", "codellama-34b"),
        ("code-llama-34b", "codellama-34b"),
        ("databricks-gemini-2-5-pro", "gemini-2-5-pro"),
        # what is a name, not a tag
        ("gpt-4-turbo", "gpt-4-turbo"),
        ("deepseek-chat", "deepseek-chat"),
        ("bge-base-en", "bge-base-en"),
        ("claude-instant", "claude-instant"),
        ("latest", "latest"),
        ("", ""),
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


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/ab12cd",
            "application-inference-profile",
        ),
        ("arn:aws:bedrock:us-east-1:123456789012:provisioned-model/ab12cd", "provisioned-model"),
        ("arn:aws:bedrock:us-east-1:123456789012:imported-model/ab12cd", "imported-model"),
        ("arn:aws:sagemaker:us-east-1:123456789012:endpoint/my-endpoint", "endpoint"),
        ("projects/p/locations/us-central1/endpoints/123", "endpoint"),
        (
            "bedrock/arn:aws:bedrock:us-east-1:1:application-inference-profile/ab12",
            "application-inference-profile",
        ),
        ("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0", ""),
        ("gpt-4o", ""),
    ],
)
def test_an_id_without_a_model_in_it_is_opaque(name: str, kind: str):
    assert parsed(name).opaque == kind


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("acme-70b", Size("70b", (70, 70), (70, 70), dense=True)),
        ("acme-0.6b", Size("0.6b", (0.6, 0.6), (0.6, 0.6), dense=True)),
        ("acme-335m", Size("335m", (0.335, 0.335), (0.335, 0.335), dense=True)),
        ("acme-30b-a3b", Size("30b-a3b", (3, 3), (30, 30), dense=False)),
        ("acme-2.4t-a95b", Size("2.4t-a95b", (95, 95), (2400, 2400), dense=False)),
        ("acme-8x7b", Size("8x7b", (7, 14), (7, 56), dense=False)),
        ("acme-17b-16e", Size("17b-16e", (17, 17), None, dense=False)),
        ("acme-e4b", Size("e4b", (4, 4), None, dense=False)),
        ("acme-70b-draft-1b", Size("70b", (70, 70), (70, 70), dense=True)),
    ],
)
def test_a_name_says_its_size(name: str, found: Size):
    assert size(name) == found


@pytest.mark.parametrize(
    "name", ["gpt-4", "acme-4bit", "acme-128k", "acme-1m", "ab7b2c", "acme-0b", "acme-0x7b", ""]
)
def test_what_is_no_size_is_none(name: str):
    assert size(name) is None


def test_a_point_written_as_a_dash_is_a_point_where_a_zero_is_before_it():
    assert size(parsed("databricks-acme-0-6b").bare) == size("acme-0.6b")


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("claude-opus-9", ("anthropic", "claude")),
        ("o9-mini", ("openai", "o")),
        ("olmo-3-32b", ("allenai", "olmo")),
        ("text-bison", ("google", "palm")),
        ("text-davinci", ("openai", "text")),
        ("mystery", ("", "")),
        ("9", ("", "")),
        ("", ("", "")),
    ],
)
def test_the_first_word_tells_the_maker(key: str, found: tuple[str, str]):
    assert maker(key) == found


# fmt: off
PARTS = st.sampled_from((
    "gpt", "claude", "llama", "qwen", "mistral", "embed", "deepseek", "r1", "sonnet", "o", "meta",
    "3", "3.1", "4-5", "v2", "8b", "30b-a3b", "8x7b", "0-6b", "2024-08-06", "20250929", "0613",
    "instruct", "chat", "preview", "latest", "free", "turbo", "base", "q4_k_m", "awq", "fp8",
    "us.", "anthropic.", "ft:", "arn:aws:bedrock:us-east-1:1:", "provisioned-model/", "endpoints/1",
    "/", "@", ":", ".", "-", "_", "#", "p", ".gguf", "-v1:0",
))
# fmt: on
NAMES = st.one_of(
    st.text(),
    st.lists(PARTS, max_size=7).map("-".join),
    st.lists(PARTS, max_size=7).map("".join),
    st.sampled_from(sorted([*shipped().library.models, *shipped().families])),
)


@given(NAMES)
def test_a_canonical_name_is_its_own_canonical_name(name: str):
    assert canonical(canonical(name)) == canonical(name)


@given(NAMES)
def test_case_does_not_matter(name: str):
    # Some letters have no lower case of their own: upper case is compared with what it lowers to.
    assert canonical(name.upper()) == canonical(name.upper().lower())


@given(NAMES)
def test_any_name_can_be_taken_apart(name: str):
    names.size(parsed(name).bare)
    assert all(isinstance(part, str) for part in maker(canonical(name)))
    assert list(spellings(name))
