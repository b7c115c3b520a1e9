import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.testing import Tokens, count_tokens
from agenttrace.testing.tokens import PromptCache, Segment

K = 4096  # characters of 1,024 tokens


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("four", 1), ("fives", 2)])
def test_a_token_is_four_characters_begun(text: str, tokens: int):
    assert count_tokens(text) == tokens


def test_tokens_add_kind_by_kind():
    one = Tokens(input_tokens=5, cache_read_tokens=3, output_tokens=7, reasoning_tokens=2)
    assert sum([one, one], Tokens()) == Tokens(
        input_tokens=10, cache_read_tokens=6, output_tokens=14, reasoning_tokens=4
    )


@pytest.mark.parametrize(
    ("characters", "read"), [(K - 4, 0), (K, 1024), (K + 511, 1024), (K + 512, 1152)]
)
def test_the_same_prompt_again_is_read_in_steps_of_128_from_1024_tokens_on(characters, read):
    cache = PromptCache()
    prompt = "x" * characters
    assert cache.automatic("m", prompt).cache_read_tokens == 0
    assert cache.automatic("m", prompt).cache_read_tokens == read


def test_only_the_common_prefix_of_two_prompts_is_read():
    cache = PromptCache()
    cache.automatic("m", "x" * K + "a" * K)
    assert cache.automatic("m", "x" * K + "b" * K) == Tokens(
        input_tokens=2048, cache_read_tokens=1024
    )


def test_models_do_not_share_a_cache():
    cache = PromptCache()
    cache.automatic("m", "x" * K)
    assert cache.automatic("other", "x" * K).cache_read_tokens == 0
    cache.explicit("m", [Segment("x" * K, "5m")])
    assert cache.explicit("other", [Segment("x" * K, "5m")]).cache_read_tokens == 0


def test_nothing_is_cached_without_a_mark():
    cache = PromptCache()
    for _ in range(2):
        assert cache.explicit("m", [Segment("x" * K)]) == Tokens(input_tokens=1024)


def test_a_marked_prefix_is_written_once_and_read_from_then_on():
    cache = PromptCache()
    system, question = Segment("x" * K, "5m"), Segment("y" * 40)
    assert cache.explicit("m", [system, question]) == Tokens(
        input_tokens=1034, cache_write_tokens=1024
    )
    assert cache.explicit("m", [system, question]) == Tokens(
        input_tokens=1034, cache_read_tokens=1024
    )


def test_a_conversation_that_moves_its_mark_reads_the_old_part_and_writes_the_new():
    cache = PromptCache()
    cache.explicit("m", [Segment("x" * K, "5m")])
    longer = [Segment("x" * K), Segment("y" * 400, "5m"), Segment("z" * 4)]
    assert cache.explicit("m", longer) == Tokens(
        input_tokens=1125, cache_read_tokens=1024, cache_write_tokens=100
    )


def test_writes_for_an_hour_are_part_of_the_writes():
    cache = PromptCache()
    both = [Segment("x" * K, "1h"), Segment("y" * 400, "5m")]
    assert cache.explicit("m", both) == Tokens(
        input_tokens=1124, cache_write_tokens=1124, cache_write_1h_tokens=1024
    )


def test_a_mark_before_1024_tokens_caches_nothing():
    cache = PromptCache()
    for _ in range(2):
        assert cache.explicit("m", [Segment("x" * (K - 4), "5m")]) == Tokens(input_tokens=1023)


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 3000), st.sampled_from(["", "5m", "1h"])), min_size=1),
        min_size=1,
        max_size=4,
    )
)
def test_the_cache_never_makes_more_of_a_prompt_than_it_is(prompts):
    cache = PromptCache()
    for prompt in prompts:
        segments = [Segment("x" * length, mark) for length, mark in prompt]
        tokens = cache.explicit("m", segments)
        assert tokens.input_tokens == count_tokens("".join(one.text for one in segments))
        assert min(tokens.uncached_tokens, tokens.cache_read_tokens) >= 0
        assert 0 <= tokens.cache_write_1h_tokens <= tokens.cache_write_tokens
