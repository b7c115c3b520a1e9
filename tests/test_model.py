from hypothesis import given
from hypothesis import strategies as st

from agenttrace.model import Range

counts = st.integers(0, 1000)
ranges = st.tuples(counts, counts, counts).map(lambda ends: Range(*sorted(ends)))


def test_ranges_add_end_to_end():
    assert Range(1, 2, 4) + Range(10, 20, 40) == Range(11, 22, 44)
    assert Range.total([]) == Range(0, 0, 0)


def test_a_range_so_many_times():
    assert Range(1, 2, 4) * 3 == Range(3, 6, 12)


@given(st.lists(ranges), st.integers(0, 9))
def test_a_total_is_a_range_and_many_times_it_is_the_total_of_as_many(parts: list[Range], n: int):
    whole = Range.total(parts)
    assert 0 <= whole.low <= whole.central <= whole.high
    assert Range.total(part * n for part in parts) == whole * n
