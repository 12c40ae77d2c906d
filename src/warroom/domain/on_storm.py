"""Alerts that belong together: what the room is told, and what becomes of their incidents in PagerDuty."""

from collections.abc import Iterator

from warroom.domain import facts as f
from warroom.domain.effects import Effect
from warroom.domain.outgoing import EDIT, SETUP, Out
from warroom.domain.people import By


def react(out: Out, fact: f.Fact) -> Iterator[Effect]:
    """The first related alert is told, the others are counted on the panel; a storm is told once."""
    what = fact.what
    if isinstance(what, f.AlertJoined):
        if len(out.i.joined) == 1:
            yield out.say("joined", "alert_joined", {"alert": what.title})
        if out.i.reached("acknowledged") is not None:  # somebody is working on it: do not call another one for it
            yield _change(out, what.pagerduty_id, "acknowledged", "joined", fact.by)
    if isinstance(what, f.StormDetected):
        storm = out.pack.pack.storms[what.storm]
        context = {"storm": storm.title, "count": what.count, "within": what.within}
        yield out.say("storm", "storm_detected", context)
        yield from out.announcements()


def follow(out: Out, milestone: str, key: str, source: str, by: By) -> Iterator[Effect]:
    """The incidents in PagerDuty of related alerts get what their main one got: acknowledged by anybody, resolved by a
    person in Slack. What a monitoring system resolves is over for that alert alone."""
    if milestone == "acknowledged" or (milestone == "resolved" and source == "slack"):
        for pagerduty_id in out.i.joined_ids:
            yield _change(out, pagerduty_id, milestone, key, by)


def _change(out: Out, pagerduty_id: str, status: str, key: str, by: By) -> Effect:
    data = {"status": status, "by": by.id, "incident": pagerduty_id}
    rank = SETUP if status == "acknowledged" else EDIT
    return out.effect(f"pagerduty.joined:{pagerduty_id}:{key}", "pagerduty.change", data, lane="pager", rank=rank)
