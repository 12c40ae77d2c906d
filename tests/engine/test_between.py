"""What one incident tells another reaches it once, whatever happens on the way."""

from typing import Any

import pytest
from tests.domain.orders import CLARA, IVY
from tests.domain.play import ID
from tests.domain.test_shared_halts import OTHER, OTHER_ROOM, approve, ask, both_halted

from warroom.domain.inputs import Input, LiftedElsewhere
from warroom.engine.between import Between
from warroom.engine.clock import ManualClock
from warroom.engine.ports import Job
from warroom.engine.work import DecisionFailedError, Receipt
from warroom.errors import Refused, StoreError, TryAgain


def a_job() -> tuple[Job, ManualClock]:
    """A resumption in one incident that lifts the halt of another."""
    play = both_halted()
    ask(play)
    ask(play, OTHER_ROOM, IVY)
    approve(play, by=CLARA)
    (effect,) = [e for e in play.made.values() if e.kind == "incident.lifted"]
    pack = play.packs["lav_adaf"]
    job = Job(id="j", effect=effect, incident=play.incidents[ID], pack=pack, attempt=1, now=play.now)
    return job, ManualClock(play.now)


async def test_it_is_the_same_input_however_often_it_is_told() -> None:
    job, clock = a_job()
    told: list[Input] = []

    async def submit(given: Input) -> Receipt:
        told.append(given)
        return Receipt(None, OTHER, duplicate=len(told) > 1)

    between = Between(submit, clock)
    await between.perform(job)
    assert await between.find(job) is None
    await between.perform(job)
    assert len({(x.source, x.source_id) for x in told}) == 1
    body = told[0].body
    assert isinstance(body, LiftedElsewhere)
    assert (body.incident, body.by_incident, body.by.name, body.scopes) == (OTHER, ID, "Rita", ("all",))


@pytest.mark.parametrize(("error", "becomes"), [(StoreError("away"), TryAgain), (DecisionFailedError("no"), Refused)])
async def test_what_keeps_it_from_being_taken_is_tried_again_or_told(error: Exception, becomes: Any) -> None:
    job, clock = a_job()

    async def submit(given: Input) -> Receipt:
        raise error

    with pytest.raises(becomes):
        await Between(submit, clock).perform(job)
