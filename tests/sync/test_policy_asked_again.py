"""The hub asks its policy at every stage: a grant that has shrunk since ends the session, rows and all (H2)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pytest
from morango.models.core import Buffer, RecordMaxCounterBuffer, Store, SyncSession, TransferSession

from course_assignment.facility.models import Collection, CourseAssignment, FacilityUser, Role
from morango_collection_sync.refusals import SessionRefused
from morango_collection_sync.simulation.device import Device
from tests import school
from tests.conftest import NewDevice, Serve
from tests.stock.in_process import stock_morango
from tests.sync.moments import Moment, sync_with_an_event
from tests.sync.peer import Peer


class Scene(NamedTuple):
    """A hub with a class of three assignments, a member of it, and their tablet."""

    hub: Device
    tablet: Device
    joined: school.Joined
    partition: str
    """The class's."""
    leave: Callable[[], object]
    """On the hub: the user has nothing to do with the class any more."""


def _scene(new_device: NewDevice, serve: Serve, *, coach: bool = False, stock: bool = False) -> Scene:
    hub, tablet = new_device("hub"), new_device("tablet")
    if stock:
        hub.while_active = (partial(stock_morango, widens=True),)
    with hub:
        facility = school.new_facility()
        classroom = school.new_classroom(facility, "A")
        user = school.new_user(facility, "ada")
        if coach:
            school.new_role(user, classroom)
            leave = partial(_step_down, user)
        else:
            school.enrol(user, classroom)
            leave = partial(school.withdraw, user, classroom)
        for n in range(3):
            school.assign(classroom, f"a{n}")
    base_url = serve(hub)
    with tablet:
        joined = school.join(base_url, "ada")
    return Scene(hub, tablet, joined, f"{facility.dataset_id}:{classroom.id}", leave)


def _step_down(user: FacilityUser) -> None:
    Role.objects.get(user_id=user.id).delete()


def _peer(scene: Scene, **options: Any) -> Peer:
    return Peer(scene.joined.base_url, scene.joined.client_certificate(), scene.joined.dataset_id, **options)


def _own(scene: Scene, *, push: bool = False) -> str:
    """What stays the user's, whatever they belong to."""
    return f"{scene.joined.dataset_id}:user-{'rw' if push else 'ro'}:{scene.joined.user_id}"


def _assert_ended_on_hub(scene: Scene) -> None:
    with scene.hub:
        last = TransferSession.objects.order_by("start_timestamp").last()
        assert not last.active
        assert not Buffer.objects.filter(transfer_session=last).exists()
        assert not RecordMaxCounterBuffer.objects.filter(transfer_session=last).exists()


def _rows_of(answer: Any, partition: str) -> int:
    return sum(row["partition"] == partition for row in answer.json()["results"])


PULL_MOMENTS = {
    "made": Moment(push=False, stage="initializing"),
    "queued": Moment(push=False, stage="queuing"),
    "transferred in part": Moment(push=False, stage="queuing", received=1),
}

PUSH_MOMENTS = {
    "made": Moment(push=True, stage="initializing"),
    "serialized": Moment(push=True, stage="serializing"),
    "queued": Moment(push=True, stage="queuing"),
    "transferred in part": Moment(push=True, stage="transferring", transferred=1, done=False),
    "transferred": Moment(push=True, stage="transferring", transferred=2),
}


@pytest.mark.parametrize("moment", PULL_MOMENTS.values(), ids=PULL_MOMENTS)
def test_pull_of_a_learner_who_has_left_is_refused_with_the_reason(
    new_device: NewDevice, serve: Serve, moment: Moment
) -> None:
    scene = _scene(new_device, serve)

    with scene.tablet:
        with pytest.raises(SessionRefused) as refused:
            sync_with_an_event(scene.joined, scene.hub, moment, scene.leave, push=False)

        assert refused.value.code == "grant_shrunk"
        assert refused.value.facts == {"partitions": [scene.partition]}
        assert not Store.objects.filter(partition=scene.partition).exists()
        assert not Buffer.objects.exists()
        assert not SyncSession.objects.filter(active=True).exists()
    _assert_ended_on_hub(scene)


@pytest.mark.parametrize("moment", PUSH_MOMENTS.values(), ids=PUSH_MOMENTS)
def test_push_of_a_coach_who_has_stepped_down_is_refused_with_the_reason(
    new_device: NewDevice, serve: Serve, moment: Moment
) -> None:
    scene = _scene(new_device, serve, coach=True)
    with scene.tablet:
        scene.joined.sync()
        classroom = Collection.objects.get(id=scene.partition[-32:])
        for n in range(2):
            school.assign(classroom, f"offline {n}")

        with pytest.raises(SessionRefused) as refused:
            sync_with_an_event(scene.joined, scene.hub, moment, scene.leave, pull=False)

        assert refused.value.code == "grant_shrunk"
        assert refused.value.facts == {"partitions": [scene.partition]}
        assert not SyncSession.objects.filter(active=True).exists()
    _assert_ended_on_hub(scene)
    with scene.hub:
        assert not CourseAssignment.objects.filter(title__startswith="offline").exists()


STAGES = ("initializing", "serializing", "queuing", "transferring", "dequeuing", "deserializing")
STEPS = list(zip(STAGES, STAGES[1:]))


@pytest.mark.parametrize(
    ("push", "before", "stage"),
    # A hub that is pulled from has nothing left to do after the transfer.
    [(False, *step) for step in STEPS[:3]] + [(True, *step) for step in STEPS],
)
def test_every_stage_that_moves_records_asks_by_itself(
    new_device: NewDevice, serve: Serve, push: bool, before: str, stage: str
) -> None:
    scene = _scene(new_device, serve, coach=True)
    with scene.tablet, _peer(scene) as peer:
        transfer_id = peer.create(_own(scene, push=push), push=push).json()["id"]
        for each in STAGES[: STAGES.index(before) + 1]:
            reached = peer.proceed(transfer_id, each, records_total=0).json()
        with scene.hub:
            scene.leave()
        answer = peer.proceed(transfer_id, stage)

    assert (reached["transfer_stage"], reached["transfer_stage_status"]) == (before, "completed")
    assert answer.status_code == 403
    assert answer.json()["code"] == "grant_shrunk"


def test_asking_again_for_the_same_session_asks_the_policy_too(new_device: NewDevice, serve: Serve) -> None:
    scene = _scene(new_device, serve)
    with scene.tablet, _peer(scene) as peer:
        transfer_id = peer.create(_own(scene)).json()["id"]
        with scene.hub:
            scene.leave()
        answer = peer.create(_own(scene), transfer_id=transfer_id)

    assert answer.status_code == 403
    assert answer.json()["code"] == "grant_shrunk"


def test_next_sync_after_a_refusal_works_with_the_narrower_filter(new_device: NewDevice, serve: Serve) -> None:
    scene = _scene(new_device, serve)
    with scene.tablet:
        with pytest.raises(SessionRefused):
            sync_with_an_event(scene.joined, scene.hub, PULL_MOMENTS["queued"], scene.leave)

        report = scene.joined.sync()

        assert {transfer.push for transfer in report.transfers} == {False, True}
        assert not any(scene.partition in transfer.partitions for transfer in report.transfers)
        assert school.held_assignments() == set()


def test_sync_that_was_interrupted_before_its_user_left_is_begun_anew_at_once(
    new_device: NewDevice, serve: Serve
) -> None:
    scene = _scene(new_device, serve)
    with scene.tablet:
        with pytest.raises(KeyboardInterrupt):
            sync_with_an_event(scene.joined, scene.hub, PULL_MOMENTS["queued"], _interrupt)
        with scene.hub:
            scene.leave()

        report = scene.joined.sync()

        assert not report.same_session
        assert not any(scene.partition in transfer.partitions for transfer in report.transfers)
        assert not TransferSession.objects.filter(active=True).exists()


def _interrupt() -> None:
    raise KeyboardInterrupt


def test_pull_of_which_all_has_been_sent_is_finished(new_device: NewDevice, serve: Serve) -> None:
    scene = _scene(new_device, serve)
    with scene.tablet:
        moment = Moment(push=False, stage="transferring", transferred=1)
        sync_with_an_event(scene.joined, scene.hub, moment, scene.leave, push=False)

        assert school.held_assignments() == {"a0", "a1", "a2"}
        assert not Store.objects.filter(dirty_bit=True).exists()


def test_closing_a_push_says_that_it_was_refused(new_device: NewDevice, serve: Serve) -> None:
    scene = _scene(new_device, serve, coach=True)
    with scene.tablet, _peer(scene) as peer:
        transfer_id = peer.create(_own(scene, push=True), push=True).json()["id"]
        peer.proceed(transfer_id, "queuing", records_total=0)
        with scene.hub:
            scene.leave()
        closed = peer.close(transfer_id)

    assert closed.status_code == 403
    assert closed.json()["code"] == "grant_shrunk"


def test_lost_refusal_does_not_keep_the_next_sync_from_working(new_device: NewDevice, serve: Serve) -> None:
    scene = _scene(new_device, serve)
    with scene.tablet, _peer(scene) as peer:
        transfer_id = peer.create(_own(scene)).json()["id"]
        with scene.hub:
            scene.leave()
        peer.proceed(transfer_id, "serializing")
        asked_again = peer.create(_own(scene), transfer_id=transfer_id)

    assert asked_again.status_code == 403
    assert asked_again.json()["code"] == "grant_shrunk"


def _rows_after_leaving(scene: Scene, *, queue_first: bool) -> Any:
    """What the hub answers a user who has opened a session, has left, and then fetches buffered records."""
    with scene.tablet, _peer(scene) as peer:
        transfer_id = peer.create(_own(scene)).json()["id"]
        if queue_first:
            peer.proceed(transfer_id, "queuing")
        with scene.hub:
            scene.leave()
        peer.proceed(transfer_id, "queuing")
        return peer.rows(transfer_id)


@pytest.mark.parametrize("queue_first", [False, True], ids=["left before queuing", "left after queuing"])
def test_stock_hub_serves_rows_to_a_user_who_has_left(new_device: NewDevice, serve: Serve, queue_first: bool) -> None:
    scene = _scene(new_device, serve, stock=True)

    assert _rows_of(_rows_after_leaving(scene, queue_first=queue_first), scene.partition) == 3


@pytest.mark.parametrize("queue_first", [False, True], ids=["left before queuing", "left after queuing"])
def test_hub_serves_no_rows_to_a_user_who_has_left(new_device: NewDevice, serve: Serve, queue_first: bool) -> None:
    scene = _scene(new_device, serve)

    answer = _rows_after_leaving(scene, queue_first=queue_first)

    assert answer.status_code == 403
    assert answer.json()["code"] == "grant_shrunk"
    assert answer.json()["partitions"] == [scene.partition]
    _assert_ended_on_hub(scene)


def test_rows_are_not_served_without_asking_where_no_stage_is_asked_for(new_device: NewDevice, serve: Serve) -> None:
    scene = _scene(new_device, serve)
    with scene.tablet, _peer(scene) as peer:
        transfer_id = peer.create(_own(scene)).json()["id"]
        peer.proceed(transfer_id, "queuing")
        assert _rows_of(peer.rows(transfer_id), scene.partition) == 3
        with scene.hub:
            scene.leave()
        answers = [peer.rows(transfer_id) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert {answer.json()["code"] for answer in answers} == {"grant_shrunk"}
    _assert_ended_on_hub(scene)


def _hoard(scene: Scene, count: int = 3) -> list[Any]:
    """The rows that sessions give, which were opened before their user left."""
    with scene.tablet:
        peers = [_peer(scene) for _ in range(count)]
        transfers = [peer.create(_own(scene)).json()["id"] for peer in peers]
        with scene.hub:
            scene.leave()
        answers = []
        for peer, transfer_id in zip(peers, transfers):
            peer.proceed(transfer_id, "queuing")
            answers.append(peer.rows(transfer_id))
            peer.http.close()
        return answers


def test_stock_hub_serves_sessions_hoarded_before_leaving(new_device: NewDevice, serve: Serve) -> None:
    scene = _scene(new_device, serve, stock=True)

    assert [_rows_of(answer, scene.partition) for answer in _hoard(scene)] == [3, 3, 3]


def test_sessions_hoarded_before_leaving_are_worthless(new_device: NewDevice, serve: Serve) -> None:
    scene = _scene(new_device, serve)

    assert [answer.status_code for answer in _hoard(scene)] == [403, 403, 403]
    with scene.hub:
        assert not TransferSession.objects.filter(active=True).exists()
        assert not Buffer.objects.exists()


def test_session_without_a_grant_is_left_alone(new_device: NewDevice, serve: Serve) -> None:
    scene = _scene(new_device, serve)
    with scene.tablet, _peer(scene, instance={"id": "a" * 32}) as peer:
        transfer_id = peer.create(_own(scene)).json()["id"]
        with scene.hub:
            scene.leave()
        assert peer.proceed(transfer_id, "queuing").status_code == 200
        assert peer.rows(transfer_id).status_code == 200


def test_nothing_is_noted_for_a_user_who_has_left_before_serializing_and_queuing_at_once(
    new_device: NewDevice, serve: Serve
) -> None:
    scene = _scene(new_device, serve)
    with scene.tablet, _peer(scene) as peer:
        transfer_id = peer.create(_own(scene)).json()["id"]
        with scene.hub:
            scene.leave()
        refused = peer.proceed(transfer_id, "queuing")

    assert refused.status_code == 403
    with scene.hub:
        assert TransferSession.objects.get(id=transfer_id).server_fsic == "{}"
