"""What a course assignment refuses, each with its facts as attributes and one sentence made from them."""

from __future__ import annotations

from django.core.exceptions import ValidationError


class AssignmentError(ValidationError):
    """Base of what a course assignment refuses; a ``ValidationError``, so that every host shows it as one."""

    code = "invalid"

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence, code=self.code)

    def __str__(self) -> str:
        return self.sentence


class AssignmentFixed(AssignmentError):
    """Somebody tried to change the course or the collection of a saved assignment."""

    code = "assignment_fixed"

    def __init__(self, assignment_id: str) -> None:
        self.assignment_id = assignment_id
        super().__init__(
            "the course and the collection of an assignment never change after it was first saved; "
            "reassign() makes a new assignment and deletes the old one"
        )


class FacilityNotAssignable(AssignmentError):
    """Somebody tried to assign a course to the whole facility."""

    code = "facility_not_assignable"

    def __init__(self, collection_id: str) -> None:
        self.collection_id = collection_id
        super().__init__("a course is assigned to a classroom or a group, not to the facility itself")


class OtherDataset(AssignmentError):
    """The collection of an assignment is of another facility than the assignment."""

    code = "other_dataset"

    def __init__(self, dataset_id: str, collection_dataset_id: str) -> None:
        self.dataset_id = dataset_id
        self.collection_dataset_id = collection_dataset_id
        super().__init__(
            f"an assignment in dataset {dataset_id} cannot be to a collection of dataset {collection_dataset_id}"
        )


class InvalidCourse(AssignmentError):
    """What was given as a course is no UUID."""

    code = "invalid_course"

    def __init__(self, course: object) -> None:
        self.course = course
        super().__init__(f"{course!r} is no course; expected a UUID of 32 hex digits")


class AlreadyAssigned(AssignmentError):
    """The course is assigned to the collection already."""

    code = "already_assigned"

    def __init__(self, course: str, collection_id: str) -> None:
        self.course = course
        self.collection_id = collection_id
        super().__init__(f"course {course} is assigned to collection {collection_id} already")


class TooManyActive(AssignmentError):
    """A person tried to go over the limit of active assignments in a collection."""

    code = "too_many_active"

    def __init__(self, collection_id: str, active: int, limit: int) -> None:
        self.collection_id = collection_id
        self.active = active
        self.limit = limit
        super().__init__(
            f"collection {collection_id} has {active} active assignments, and {limit} is the limit; "
            "deactivate one first"
        )
