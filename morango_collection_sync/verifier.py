"""Reads what a session has buffered, a chunk at a time, and finds the first record that breaks a rule.

The rules are in :mod:`morango_collection_sync.verification`; here is what they are told, from the database and the
host's models. A chunk takes a fixed number of statements, whatever is in it: the buffers, what is here under their
ids (in the Store, and in the app once a model), and, only for models whose partition follows from other records,
those records, once a model and a level.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import connection
from morango.models.certificates import Filter
from morango.models.core import Buffer, InstanceIDModel, RecordMaxCounterBuffer, Store, SyncableModel, TransferSession
from morango.models.fields.uuids import UUIDField
from morango.registry import syncable_models

from morango_collection_sync.models import CollectionScopedModel
from morango_collection_sync.relations import attach_relations
from morango_collection_sync.verification.records import (
    Known,
    ModelRules,
    Record,
    Scope,
    Sender,
    check_envelope,
    check_ids,
    check_known,
    check_place,
    parsed,
)
from morango_collection_sync.verification.rules import Rule

CHUNK = 400
"""Records verified at a time: as many ids fit into one statement on any SQLite."""

_APPLIED_LATER = (ValidationError, ObjectDoesNotExist, ValueError)
"""What Morango notes at a record that it cannot apply, and goes on (``_deserialize_from_store``, 0.8.15)."""


class Finding(NamedTuple):
    """A record that breaks a rule.

    :param record_id: 32 hex digits
    """

    record_id: str
    rule: Rule


class _Open(NamedTuple):
    """A record whose ids agree, and of which it is open where its content belongs."""

    record: Record
    instance: SyncableModel
    model: ModelRules


class RecordVerifier:
    """Verifies all buffered records of one session.

    :param transfer_session: whose records are all here, and none of them stored yet
    :param scope: what the session may carry
    :param sender: whom they come from
    """

    def __init__(self, transfer_session: TransferSession, scope: Scope, sender: Sender) -> None:
        self.transfer_session = transfer_session
        self.scope = scope
        self.sender = sender
        self._filter = Filter("\n".join(scope.partitions))
        self._models: dict[str, tuple[type[SyncableModel], ModelRules] | None] = {}

    def first_finding(self) -> Finding | None:
        """The first record that breaks a rule, in the order in which they came; None when all keep them."""
        if self.sender is Sender.MEMBER:
            finding = self._later_than_own()
            if finding is not None:
                return finding
        for chunk in self._chunks():
            finding = self._finding_in(chunk)
            if finding is not None:
                return finding
        return None

    def _chunks(self) -> Iterator[list[Record]]:
        buffers = Buffer.objects.filter(transfer_session=self.transfer_session).order_by("pk")
        last = 0
        while True:
            rows = list(buffers.filter(pk__gt=last)[:CHUNK])
            if not rows:
                return
            last = rows[-1].pk
            yield [_record(row) for row in rows]

    def _finding_in(self, chunk: list[Record]) -> Finding | None:
        known = self._known(chunk) if self.sender is Sender.MEMBER else {}
        waiting: list[_Open] = []
        for record in chunk:
            result = self._by_itself(record, known.get(record.id, ()))
            if isinstance(result, Rule):
                return Finding(record.id, result)
            if result is not None:
                waiting.append(result)
        # Those whose place follows from other records have their relations read together.
        attach_relations([each.instance for each in waiting], self.transfer_session)
        for each in waiting:
            rule = self._place(each)
            if rule is not None:
                return Finding(each.record.id, rule)
        return None

    def _by_itself(self, record: Record, known: tuple[Known, ...] | list[Known]) -> Rule | _Open | None:
        """Which rule a record breaks; what is still open of it; None when it keeps them all."""
        rule = check_envelope(record, self.scope)
        if rule is not None:
            return rule
        found = self._model(record.model_name)
        if found is None:
            # A hub of a later version has models that are not here yet: Morango keeps and passes on their records.
            return Rule.MODEL if self.sender is Sender.MEMBER else None
        model, rules = found
        if record.id != _declared_id(record, model):
            return Rule.ID
        rule = check_known(record, rules, known) if self.sender is Sender.MEMBER else None
        if rule is not None or record.is_emptied:
            return rule
        return self._content(record, model, rules)

    def _content(self, record: Record, model: type[SyncableModel], rules: ModelRules) -> Rule | _Open | None:
        content = parsed(record.content)
        if content is None:
            return Rule.JSON
        rule = check_ids(record, content, rules, self.scope, self.sender)
        if rule is not None or (self.sender is Sender.HUB and not rules.collection_scoped):
            return rule
        try:
            instance = self._instance(record, model, content)
        except Exception:
            # Whatever the host's model raises: it would raise it again, to everybody, whenever records are applied.
            return Rule.FIELDS
        waiting = _Open(record, instance, rules)
        try:
            with _no_database():
                return self._place(waiting)
        except _AskedDatabase:
            return waiting

    def _instance(self, record: Record, model: type[SyncableModel], content: dict[str, Any]) -> SyncableModel:
        instance = model.deserialize(content, sync_filter=self._filter)
        instance._morango_source_id = record.source_id
        instance._morango_partition = record.partition
        if not record.deleted:
            with suppress(*_APPLIED_LATER):
                instance.deferred_clean_fields(sync_filter=self._filter)
        return instance

    def _place(self, each: _Open) -> Rule | None:
        record, instance, rules = each
        record_id = None
        try:
            partition = str(instance.calculate_partition())
            if rules.collection_scoped:
                source_id = instance.calculate_source_id() or record.source_id
                record_id = instance.compute_namespaced_id(partition, source_id, record.model_name)
        except Exception:
            return Rule.ENVELOPE if rules.collection_scoped else Rule.CONTENT_OUTSIDE
        place = partition.replace(SyncableModel.ID_PLACEHOLDER, record.id)
        return check_place(record, place, record_id, rules, self.scope, self.sender)

    def _known(self, chunk: list[Record]) -> dict[str, list[Known]]:
        known: dict[str, list[Known]] = defaultdict(list)
        ids = [record.id for record in chunk]
        for record_id, model_name, partition in Store.objects.filter(id__in=ids).values_list(
            "id", "model_name", "partition"
        ):
            known[record_id].append(Known(model_name, partition))
        by_model: dict[str, list[str]] = defaultdict(list)
        for record in chunk:
            if record.id not in known:
                by_model[record.model_name].append(record.id)
        for model_name, model_ids in by_model.items():
            found = self._model(model_name)
            if found is not None:
                rows = found[0].syncing_objects.filter(id__in=model_ids).order_by()
                for record_id, partition in rows.values_list("id", "_morango_partition"):
                    known[record_id].append(Known(model_name, partition))
        return known

    def _later_than_own(self) -> Finding | None:
        """A record that claims a later version of this hub's own making than this hub has made."""
        own, _ = InstanceIDModel.get_or_create_current_instance()
        counters = RecordMaxCounterBuffer.objects.filter(
            transfer_session=self.transfer_session, instance_id=own.id, counter__gt=own.counter
        ).values_list("model_uuid", flat=True)
        saved = Buffer.objects.filter(
            transfer_session=self.transfer_session, last_saved_instance=own.id, last_saved_counter__gt=own.counter
        ).values_list("model_uuid", flat=True)
        record_id = counters.first() or saved.first()
        return Finding(record_id, Rule.COUNTER) if record_id is not None else None

    def _model(self, name: str) -> tuple[type[SyncableModel], ModelRules] | None:
        if name not in self._models:
            try:
                model = syncable_models.get_model(self.scope.profile, name)
            except KeyError:
                self._models[name] = None
            else:
                self._models[name] = (model, model_rules(model))
        return self._models[name]


def model_rules(model: type[SyncableModel]) -> ModelRules:
    """What the rules have to know of a model."""
    fields = list(model._meta.concrete_fields)
    return ModelRules(
        name=model.morango_model_name,
        collection_scoped=issubclass(model, CollectionScopedModel),
        hashed_ids=model.compute_namespaced_id is SyncableModel.compute_namespaced_id,
        fields=frozenset(field.attname for field in fields),
        reference_fields=frozenset(
            field.attname
            for field in fields
            if isinstance(field.target_field if field.is_relation else field, UUIDField)
        ),
        self_reference_field=next(
            (
                field.attname
                for field in fields
                if field.related_model is not None and issubclass(model, field.related_model)
            ),
            None,
        ),
    )


def _record(row: Buffer) -> Record:
    return Record(
        id=row.model_uuid,
        profile=row.profile,
        model_name=row.model_name,
        partition=row.partition,
        source_id=row.source_id,
        content=row.serialized,
        deleted=row.deleted,
        hard_deleted=row.hard_deleted,
        conflicting=row.conflicting_serialized_data,
        self_reference=row._self_ref_fk,
    )


def _declared_id(record: Record, model: type[SyncableModel]) -> str:
    partition = record.partition.replace(record.id, SyncableModel.ID_PLACEHOLDER)
    return str(model.compute_namespaced_id(partition, record.source_id, record.model_name))


class _AskedDatabase(BaseException):
    """A model wanted to look something up. No ``Exception``, so that no model takes it for its own."""


@contextmanager
def _no_database() -> Iterator[None]:
    def refuse(*arguments: Any) -> Any:
        raise _AskedDatabase

    with connection.execute_wrapper(refuse):
        yield
