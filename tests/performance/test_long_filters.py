"""A filter of many partitions answers as Morango's own does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from morango.models.certificates import Filter

from morango_collection_sync.long_filters import LongFilter

PARTITIONS = st.lists(st.sampled_from(["a", "ab", "b"]), min_size=1, max_size=3).map(":".join)
FILTERS = st.lists(PARTITIONS, min_size=1, max_size=4, unique=True)


@given(FILTERS, FILTERS, PARTITIONS)
def test_long_filter_answers_as_morango_s_does(one: list[str], other: list[str], partition: str) -> None:
    theirs, others = Filter("\n".join(one)), Filter("\n".join(other))
    ours = LongFilter(one)

    assert (str(ours), list(ours), len(ours)) == (str(theirs), list(theirs), len(theirs))
    assert (partition in ours) == (partition in theirs)
    assert ours.contains_exact_partition(partition) == theirs.contains_exact_partition(partition)
    assert ours.is_subset_of(others) == theirs.is_subset_of(others)
    assert others.is_subset_of(ours) == others.is_subset_of(theirs)
    for compared in (others, LongFilter(other)):
        assert (ours == compared, compared == ours) == (theirs == others, others == theirs)
        assert list(Filter.add(ours, compared)) == list(theirs + others)
        assert list(Filter.add(compared, ours)) == list(others + theirs)
        assert isinstance(Filter.add(compared, ours), LongFilter)
    assert Filter.add(ours, None) is ours
    assert Filter.add(None, ours) is ours
