"""What this database has of a filter, and what a peer lacks: the same as Morango says, for any stores and filters."""

from __future__ import annotations

import copy
import uuid
from typing import Any

from django.db.models import Q
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from morango.models.certificates import Filter
from morango.models.core import DatabaseMaxCounter, RecordMaxCounter, Store
from morango.models.fsic_utils import (
    calculate_directional_fsic_diff_v2,
    expand_fsic_for_use,
    remove_redundant_instance_counters,
)

from morango_collection_sync.filter_counters import expanded, lacking, without_redundant
from morango_collection_sync.holdings import counters_of, cover_own_records
from morango_collection_sync.simulation.device import Device

INSTANCES = ["1" * 32, "2" * 32, "3" * 32]
# Words that begin with each other, because Morango compares character by character.
PARTITIONS = st.lists(st.sampled_from(["a", "ab", "b", "c"]), max_size=3).map(":".join)
FILTERS = st.lists(PARTITIONS.filter(bool), min_size=1, max_size=5, unique=True)
COUNTERS = st.dictionaries(st.sampled_from(INSTANCES), st.integers(1, 4), max_size=3)
BY_PARTITION = st.dictionaries(PARTITIONS, COUNTERS, max_size=6)
BOTH = st.fixed_dictionaries({"super": BY_PARTITION, "sub": BY_PARTITION})
RECORDS = st.lists(st.tuples(PARTITIONS, st.sampled_from(INSTANCES), st.integers(1, 4), COUNTERS), max_size=6)

# The device's tables are emptied for each example.
EACH_FILLED_ANEW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(BOTH)
def test_redundant_counters_are_left_out_as_morango_does(counters: Any) -> None:
    # A partition in both parts has the same counters there: both are read from one table.
    counters["super"].update({key: dict(counters["sub"][key]) for key in counters["super"].keys() & counters["sub"]})
    theirs = copy.deepcopy(counters)
    remove_redundant_instance_counters(theirs)
    assert without_redundant(counters) == theirs


@given(BOTH, FILTERS)
def test_counters_are_expanded_as_morango_does(counters: Any, sync_filter: list[str]) -> None:
    theirs = expand_fsic_for_use(copy.deepcopy(counters), Filter("\n".join(sync_filter)))
    assert expanded(counters, sync_filter) == theirs


@given(BY_PARTITION, BY_PARTITION)
def test_what_a_receiver_lacks_is_what_morango_says(sending: Any, receiving: Any) -> None:
    assert lacking(sending, receiving) == calculate_directional_fsic_diff_v2(sending, receiving)


@EACH_FILLED_ANEW
@given(data=st.data())
def test_counters_of_a_filter_are_those_of_morango(device: Device, data: Any) -> None:
    _fill(data.draw(BY_PARTITION), data.draw(RECORDS))
    sync_filter = data.draw(FILTERS)
    for is_producer in (True, False):
        theirs = DatabaseMaxCounter.calculate_filter_specific_instance_counters(
            Filter("\n".join(sync_filter)), is_producer=is_producer, v2_format=True
        )
        assert counters_of(sync_filter, is_producer=is_producer) == theirs


@EACH_FILLED_ANEW
@given(data=st.data())
def test_every_own_record_is_told_of_and_nothing_else_changes(device: Device, data: Any) -> None:
    own, others = INSTANCES[0], INSTANCES[1:]
    _fill(data.draw(BY_PARTITION), data.draw(RECORDS))
    before = set(DatabaseMaxCounter.objects.filter(instance_id__in=others).values_list("partition", "counter"))
    sync_filter = data.draw(FILTERS)

    told = cover_own_records(sync_filter, own)

    sending = expanded(told, sync_filter)
    wanted = lacking(sending, {})
    inside = Q()
    for prefix in sync_filter:
        inside |= Q(partition__startswith=prefix)
    for record in Store.objects.filter(inside, last_saved_instance=own):
        reaching = [sending[part].get(own, 0) for part in wanted if record.partition.startswith(part)]
        assert max(reaching, default=0) >= record.last_saved_counter
    assert told == counters_of(sync_filter, is_producer=True)
    after = set(DatabaseMaxCounter.objects.filter(instance_id__in=others).values_list("partition", "counter"))
    assert after == before


def _fill(declared: dict[str, dict[str, int]], records: list[Any]) -> None:
    for model in (RecordMaxCounter, Store, DatabaseMaxCounter):
        model.objects.all().delete()
    DatabaseMaxCounter.objects.bulk_create(
        DatabaseMaxCounter(partition=partition, instance_id=instance, counter=counter)
        for partition, counters in declared.items()
        for instance, counter in counters.items()
    )
    for partition, instance, counter, versions in records:
        record = Store.objects.create(
            id=uuid.uuid4().hex,
            profile="p",
            model_name="m",
            partition=partition,
            last_saved_instance=instance,
            last_saved_counter=counter,
            serialized="{}",
        )
        RecordMaxCounter.objects.bulk_create(
            RecordMaxCounter(store_model=record, instance_id=version, counter=reached)
            for version, reached in {**versions, instance: counter}.items()
        )
