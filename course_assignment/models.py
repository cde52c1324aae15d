"""What a course assignment is, on any host."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from morango.models.fields.uuids import UUIDField
from morango.models.manager import SyncableModelManager
from morango.models.query import SyncableModelQuerySet

from course_assignment.conf import max_active_per_collection
from course_assignment.errors import (
    AlreadyAssigned,
    AssignmentFixed,
    FacilityNotAssignable,
    InvalidCourse,
    OtherDataset,
    TooManyActive,
)
from morango_collection_sync.grants import Grant
from morango_collection_sync.models import CollectionScopedModel

FACILITY_KIND = "facility"
"""The kind of the collection that is the whole facility, in Kolibri and on the embedded host."""

_FIXED = ("course", "collection", "collection_id", "dataset", "dataset_id")


@dataclass(frozen=True)
class ActiveCount:
    """How many assignments of a collection are active, against the limit.

    :param active: how many
    :param limit: the most that a person may make active; None: no limit
    """

    active: int
    limit: int | None

    @property
    def is_full(self) -> bool:
        """Whether a person may not make another one active."""
        return self.limit is not None and self.active >= self.limit

    @property
    def is_over(self) -> bool:
        """Whether there are more than the limit, as two devices may bring about together."""
        return self.limit is not None and self.active > self.limit


class CourseAssignmentQuerySet(SyncableModelQuerySet):
    """Assignments; what fixes their ids cannot be changed in bulk either."""

    def update(self, **kwargs: Any) -> Any:
        """:raises AssignmentFixed: when the course, the collection or the dataset is to change"""
        if any(name in kwargs for name in _FIXED):
            raise AssignmentFixed("")
        return super().update(**kwargs)

    def visible_to(self, grant: Grant) -> CourseAssignmentQuerySet:
        """What a user with this grant sees: all where they may write, the active ones where they only read."""
        return self.filter(Q(collection_id__in=grant.writable) | Q(collection_id__in=grant.readable, is_active=True))

    def active_count(self, collection_id: str) -> ActiveCount:
        """How many of a collection's assignments are active, against the limit."""
        active = self.filter(collection_id=collection_id, is_active=True).count()
        return ActiveCount(active, max_active_per_collection())


class CourseAssignmentManager(SyncableModelManager.from_queryset(CourseAssignmentQuerySet)):
    """The manager of course assignments, for the app and for Morango."""


class AbstractCourseAssignment(CollectionScopedModel):
    """A course that a collection is to work on.

    A host's model inherits from this one and then from the host's own base of syncing models, and adds the foreign
    keys ``dataset`` and ``collection``; the latter's rows have ``kind`` and ``dataset_id``.
    """

    morango_model_name = "courseassignment"
    applied_together = True

    course = UUIDField(help_text="The id of the course's ContentNode, which need not be on this device.")
    # The plain id, no foreign key: a device that does not know this user must not lose who it was.
    assigned_by = UUIDField(null=True, blank=True)
    is_active = models.BooleanField(default=False)

    # What a device needs to show a course that it does not have.
    title = models.CharField(max_length=200)
    channel_id = UUIDField(null=True, blank=True)
    content_id = UUIDField(null=True, blank=True)
    channel_version = models.IntegerField(null=True, blank=True)

    objects = CourseAssignmentManager()
    syncing_objects = CourseAssignmentManager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.title} for collection {self.collection_id}"

    def calculate_source_id(self) -> str:
        """The course: two coaches who assign it to one collection apart make one record."""
        return str(self.course)

    def clean_fields(self, *args: Any, **kwargs: Any) -> None:
        """:raises AssignmentFixed: when the record's id is not that of its course and collection"""
        self.refuse_move()
        super().clean_fields(*args, **kwargs)

    def save(self, update_dirty_bit_to: bool | None = True, *args: Any, **kwargs: Any) -> None:
        """Save what a person or (with ``update_dirty_bit_to=False``, as Morango calls it) a sync has made of it.

        :raises AssignmentFixed: when the course or the collection of a saved assignment was changed
        :raises InvalidCourse: when the course is no UUID
        :raises FacilityNotAssignable: when the collection is the facility
        :raises OtherDataset: when the collection is of another dataset
        :raises TooManyActive: when a person goes over the limit of active ones; a sync never does
        """
        self.course = _course_id(self.course)
        self.refuse_move()
        if not update_dirty_bit_to:
            super().save(update_dirty_bit_to, *args, **kwargs)
            return
        self._check_collection()
        with transaction.atomic():
            self._check_limit()
            super().save(update_dirty_bit_to, *args, **kwargs)

    def refuse_move(self) -> None:
        """Check that the course and the collection are those that the id was made from.

        :raises AssignmentFixed: when they are not
        """
        if not self.id:
            return
        expected = self.compute_namespaced_id(
            self.calculate_partition(), self.calculate_source_id(), self.morango_model_name
        )
        if self.id != expected:
            raise AssignmentFixed(self.id)

    def reassign(
        self, *, collection: models.Model | None = None, course: str | None = None, by: str | None = None
    ) -> AbstractCourseAssignment:
        """Make this assignment one of another collection, or of another course: a new record, the old one deleted.

        :param collection: where it goes; the same when not given
        :param course: the id of the course, 32 hex digits; the same when not given
        :param by: who does it, 32 hex digits; who assigned it first when not given
        :return: the new assignment
        :raises AlreadyAssigned: when that course is assigned there already
        :raises AssignmentError: for whatever :meth:`save` refuses; nothing has changed then
        """
        new = type(self)(
            dataset_id=self.dataset_id,
            course=_course_id(course if course is not None else self.course),
            collection=collection if collection is not None else self.collection,
            assigned_by=by if by is not None else self.assigned_by,
            is_active=self.is_active,
            title=self.title,
            channel_id=self.channel_id,
            content_id=self.content_id,
            channel_version=self.channel_version,
        )
        with transaction.atomic():
            if type(self).objects.filter(course=new.course, collection_id=new.collection_id).exists():
                raise AlreadyAssigned(new.course, new.collection_id)
            # Not this instance, which Django would leave without its id, even if the save then fails.
            type(self).objects.get(pk=self.pk).delete()
            new.save()
        return new

    def _check_collection(self) -> None:
        collection = self.collection
        if collection.kind == FACILITY_KIND:
            raise FacilityNotAssignable(collection.id)
        if not self.dataset_id:
            self.dataset_id = collection.dataset_id
        if self.dataset_id != collection.dataset_id:
            raise OtherDataset(self.dataset_id, collection.dataset_id)

    def _check_limit(self) -> None:
        if not self.is_active:
            return
        others = type(self).objects.exclude(pk=self.id) if self.id else type(self).objects.all()
        was_active = bool(self.id) and type(self).objects.filter(pk=self.id, is_active=True).exists()
        count = others.active_count(self.collection_id)
        if count.is_full and not was_active and count.limit is not None:
            raise TooManyActive(self.collection_id, count.active, count.limit)


def _course_id(course: object) -> str:
    try:
        return uuid.UUID(str(course)).hex
    except ValueError:
        raise InvalidCourse(course) from None
