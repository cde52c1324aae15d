"""The labels by which a history speaks of users, collections and courses, and the ids that a run has for them."""

from __future__ import annotations

import hashlib


class Names:
    """Ids, 32 hex digits, with their labels."""

    def __init__(self) -> None:
        self.users: dict[str, str] = {}
        self.collections: dict[str, str] = {}
        self.courses: dict[str, str] = {}

    def user(self, user_id: str) -> str:
        """The label of a user."""
        return self.users[user_id]

    def collection(self, collection_id: str) -> str:
        """The label of a classroom or group."""
        return self.collections[collection_id]

    def course(self, course_id: str) -> str:
        """The label of a course."""
        return self.courses[course_id]

    def user_id(self, label: str) -> str:
        """The id of a user."""
        return _id_of(self.users, label)

    def collection_id(self, label: str) -> str:
        """The id of a classroom or group."""
        return _id_of(self.collections, label)

    def course_id(self, label: str) -> str:
        """The id of a course: the same one in every run."""
        course_id = hashlib.md5(f"course {label}".encode()).hexdigest()
        self.courses[course_id] = label
        return course_id


def _id_of(labels: dict[str, str], label: str) -> str:
    return next(key for key, value in labels.items() if value == label)
