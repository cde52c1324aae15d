"""The rules that a record must keep, by the names under which a refusal tells of them."""

from __future__ import annotations

from enum import Enum


class Rule(Enum):
    """Why a record is refused: a word for programs, and the rest of a sentence that begins with the record's id."""

    MODEL = "model", "it is of a model that this side does not have"
    PROFILE = "profile", "it is of another profile than the session"
    PARTITION = "partition", "its partition is malformed"
    FILTER = "filter", "its partition lies outside the session's filter"
    ID = "id", "its id is not that of its partition, source and model"
    JSON = "json", "its content is not a JSON object"
    CONTENT_ID = "content_id", "its content names another id"
    DATASET = "dataset", "its content names another dataset"
    REFERENCE = "reference", "its content names something by what is not an id of 32 hex digits"
    FIELDS = "fields", "its content does not fit the fields of its model"
    CONTENT_OUTSIDE = "content_outside", "its content belongs outside what this peer may write"
    ENVELOPE = "envelope", "its content gives another partition or id than it declares"
    COLLISION = "collision", "another record with that id is here already"
    DELETION = "deletion", "it deletes something that is not known here, and does not say what"
    HARD_DELETION = "hard_deletion", "it is to be erased, and not deleted"
    CONFLICTS = "conflicts", "what it carries of conflicting versions is not made of JSON objects with its id"
    SELF_REFERENCE = "self_reference", "it does not refer to the record of its model that it declares"
    COUNTER = "counter", "it claims a later version of this hub's than there is"
    SIZE = "size", "it is larger than this side takes"

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
