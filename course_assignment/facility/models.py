"""The embedded host's facility: a dataset, users, a tree of collections, memberships, roles, course assignments.

Partitions and scope definitions are Kolibri's, so that the two hosts sync alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.utils import timezone
from morango.models.certificates import Certificate
from morango.models.core import SyncableModel
from morango.models.manager import SyncableModelManager
from mptt.exceptions import InvalidMove
from mptt.models import MPTTModel, TreeForeignKey

from course_assignment.facility import usernames
from course_assignment.facility.trees import CollectionManager
from course_assignment.models import FACILITY_KIND, AbstractCourseAssignment
from morango_collection_sync.applied import AppliedModel, NotTogether, write_rows
from morango_collection_sync.value_lists import ids

PROFILE = "facilitydata"
FULL_FACILITY = "full-facility"
SINGLE_USER = "single-user"


class CollectionKind(models.TextChoices):
    """The kinds of collection, by Kolibri's names."""

    FACILITY = FACILITY_KIND
    CLASSROOM = "classroom"
    LEARNER_GROUP = "learnergroup"
    AD_HOC_GROUP = "adhoclearnersgroup"


class RoleKind(models.TextChoices):
    """The kinds of role, by Kolibri's names."""

    ADMIN = "admin"
    COACH = "coach"
    ASSIGNABLE_COACH = "classroom assignable coach"


class FacilitySyncableModel(AppliedModel, SyncableModel):
    """Base of everything in the facility's Morango profile."""

    morango_profile = PROFILE
    applied_together = True

    class Meta:
        abstract = True


class FacilityDataset(FacilitySyncableModel):
    """One facility's data. Its id is that of the root certificate, which a new dataset makes for itself."""

    morango_model_name = "facilitydataset"

    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return str(self.id)

    def calculate_source_id(self) -> str:
        if not self._morango_source_id:
            self._morango_source_id = Certificate.generate_root_certificate(FULL_FACILITY).id
        return str(self._morango_source_id)

    @staticmethod
    def compute_namespaced_id(partition_value: str, source_id_value: str, model_name: str) -> str:
        return source_id_value

    def calculate_partition(self) -> str:
        return f"{self.ID_PLACEHOLDER}:allusers-ro"


class FacilityDataModel(FacilitySyncableModel):
    """Base of everything that belongs to a dataset."""

    dataset = models.ForeignKey(FacilityDataset, on_delete=models.CASCADE)

    class Meta:
        abstract = True

    def calculate_source_id(self) -> str | None:
        """A random one."""
        return None


class FacilityUserManager(BaseUserManager, SyncableModelManager):
    """All users, the deleted ones too; signing in is for the others."""

    def get_by_natural_key(self, username: str | None) -> FacilityUser:
        """The user of this name, whatever its case."""
        return self.get(username__iexact=username, date_deleted__isnull=True)  # type: ignore[no-any-return]


class FacilityUser(AbstractBaseUser, FacilityDataModel):
    """A person of the facility. Deleted ones keep their row, with the date, as in Kolibri."""

    morango_model_name = "facilityuser"
    morango_fields_not_to_serialize = ("last_login",)
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: list[str] = []  # noqa: RUF012 - Django's own check asks for a list

    username = models.CharField(
        max_length=usernames.LONGEST,
        validators=[
            RegexValidator(rf"\A{usernames.USERNAME}\Z", f"a username is {usernames.EXPECTED}", code="username")
        ],
    )
    full_name = models.CharField(max_length=120, blank=True)
    id_number = models.CharField(max_length=64, blank=True)
    birth_year = models.CharField(max_length=16, blank=True)
    gender = models.CharField(max_length=16, blank=True)
    date_deleted = models.DateTimeField(null=True, blank=True)

    objects = FacilityUserManager()
    syncing_objects = FacilityUserManager()

    def __str__(self) -> str:
        return self.username

    @property
    def is_active(self) -> bool:
        """Whether this user may sign in."""
        return self.date_deleted is None

    def calculate_partition(self) -> str:
        return f"{self.dataset_id}:user-ro:{self.ID_PLACEHOLDER}"

    def has_morango_certificate_scope_permission(self, scope_definition_id: str, scope_params: dict[str, Any]) -> bool:
        """Whether this user may have a certificate of that scope: their own, or any as the facility's admin."""
        if scope_params.get("dataset_id") != self.dataset_id:
            return False
        if scope_definition_id == SINGLE_USER and scope_params.get("user_id") == self.id:
            return True
        return self.role_set.filter(kind=RoleKind.ADMIN, collection__kind=CollectionKind.FACILITY).exists()


class Collection(MPTTModel, FacilityDataModel):
    """A node in the facility's tree: the facility, its classrooms, their groups."""

    morango_model_name = "collection"
    # Each device numbers its own tree.
    morango_fields_not_to_serialize = ("lft", "rght", "tree_id", "level")

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=20, choices=CollectionKind.choices)
    parent = TreeForeignKey(
        "self", null=True, blank=True, related_name="children", db_index=True, on_delete=models.CASCADE
    )

    objects = CollectionManager()
    syncing_objects = CollectionManager()

    _PARENT_KIND = {  # noqa: RUF012 - a constant
        CollectionKind.FACILITY: None,
        CollectionKind.CLASSROOM: CollectionKind.FACILITY,
        CollectionKind.LEARNER_GROUP: CollectionKind.CLASSROOM,
        CollectionKind.AD_HOC_GROUP: CollectionKind.CLASSROOM,
    }

    def __str__(self) -> str:
        return self.name

    def calculate_partition(self) -> str:
        return f"{self.dataset_id}:allusers-ro"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save it; what has come for a collection that is here, in the row that is here.

        django-mptt takes an instance that was not loaded for a new node, and puts it behind its own children.

        :raises ValidationError: when it is to hang below itself
        """
        here = type(self).syncing_objects.filter(pk=self.pk).first() if self._state.adding and self.pk else None
        if here is None:
            try:
                with transaction.atomic():
                    # Before django-mptt reads the numbers that it goes by.
                    type(self).objects.lock_trees([self.dataset_id] if self.dataset_id else [])
                    super().save(*args, **kwargs)
            except InvalidMove as error:
                # What Morango notes with a record that it cannot apply; of anything else, it ends the sync.
                raise ValidationError("a collection does not belong below itself") from error
            return
        for name in self._received():
            setattr(here, name, getattr(self, name))
        here.save(*args, **kwargs)

    @classmethod
    def write_together(cls, new: Sequence[Collection], changed: Sequence[Collection]) -> None:
        """Write new collections and changed ones.

        :raises NotTogether: when one hangs below another one than before: where it goes is django-mptt's to say
        """
        here = cls._base_manager.filter(pk__in=ids(each.pk for each in changed))
        if {(each.pk, each.parent_id) for each in changed} != set(here.values_list("pk", "parent_id")):
            raise NotTogether
        cls.objects.place(new)
        write_rows(cls, new, changed, cls._received())

    @classmethod
    def _received(cls) -> list[str]:
        """The fields that a sync brings, by their attributes' names."""
        own = cls.morango_fields_not_to_serialize
        return [each.attname for each in cls._meta.concrete_fields if not each.primary_key and each.attname not in own]

    def clean(self) -> None:
        """:raises ValidationError: when it hangs below the wrong kind of collection, or of another dataset"""
        expected = self._PARENT_KIND[CollectionKind(self.kind)]
        actual = self.parent.kind if self.parent else None
        if actual != expected:
            raise ValidationError(f"a {self.kind} belongs below {expected or 'nothing'}, not {actual or 'nothing'}")
        if self.parent and self.parent.dataset_id != self.dataset_id:
            raise ValidationError("a collection belongs below one of the same facility")


class Membership(FacilityDataModel):
    """A user belongs to a classroom or a group; a group's members are members of its classroom, too."""

    morango_model_name = "membership"

    user = models.ForeignKey(FacilityUser, on_delete=models.CASCADE)
    collection = TreeForeignKey(Collection, on_delete=models.CASCADE)

    class Meta:
        constraints = [  # noqa: RUF012 - Django's own form
            models.UniqueConstraint(fields=["user", "collection"], name="facility_membership_once")
        ]

    def __str__(self) -> str:
        return f"membership of {self.user_id} in {self.collection_id}"

    def calculate_source_id(self) -> str:
        return str(self.collection_id)

    def calculate_partition(self) -> str:
        return f"{self.dataset_id}:user-ro:{self.user_id}"

    def clean(self) -> None:
        """:raises ValidationError: for a membership of the facility, or of a group without that of its classroom"""
        _check_same_dataset(self)
        if self.collection.kind == CollectionKind.FACILITY:
            raise ValidationError("every user belongs to the facility; there is no membership for it")
        if self.collection.kind != CollectionKind.CLASSROOM and not (
            Membership.objects.filter(user=self.user, collection_id=self.collection.parent_id).exists()
        ):
            raise ValidationError(
                f"{self.user} is no member of {self.collection.parent}, the class of {self.collection}"
            )

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Leaving a classroom leaves its groups."""
        with transaction.atomic():
            if self.collection.kind == CollectionKind.CLASSROOM:
                for membership in Membership.objects.filter(
                    user_id=self.user_id, collection__parent_id=self.collection_id
                ):
                    membership.delete()
            return super().delete(*args, **kwargs)


class Role(FacilityDataModel):
    """A user is a coach or an admin of a collection, and of everything below it."""

    morango_model_name = "role"

    user = models.ForeignKey(FacilityUser, on_delete=models.CASCADE)
    collection = TreeForeignKey(Collection, on_delete=models.CASCADE)
    kind = models.CharField(max_length=26, choices=RoleKind.choices)

    class Meta:
        constraints = [  # noqa: RUF012 - Django's own form
            models.UniqueConstraint(fields=["user", "collection", "kind"], name="facility_role_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} role of {self.user_id} in {self.collection_id}"

    def calculate_source_id(self) -> str:
        return f"{self.collection_id}:{self.kind}"

    def calculate_partition(self) -> str:
        return f"{self.dataset_id}:user-ro:{self.user_id}"

    def clean(self) -> None:
        """:raises ValidationError: when the user and the collection are of two facilities"""
        _check_same_dataset(self)


class CourseAssignment(AbstractCourseAssignment, FacilityDataModel):
    """A course assignment on the embedded host."""

    collection = TreeForeignKey(Collection, on_delete=models.CASCADE)


class KnownHub(models.Model):
    """A hub that this device has synced with. Belongs to this device, and does not sync."""

    base_url = models.CharField(max_length=1000, unique=True)
    last_synced_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.base_url


def _check_same_dataset(tie: Membership | Role) -> None:
    if not tie.user.dataset_id == tie.collection.dataset_id == tie.dataset_id:
        raise ValidationError("the user and the collection are of two different facilities")
