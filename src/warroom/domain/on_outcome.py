"""What follows from what became of our effects: people found, drafts uploaded, and what could not be done."""

from collections.abc import Iterator, Mapping
from typing import Any

from warroom.domain import facts as f
from warroom.domain import views
from warroom.domain.effects import Effect
from warroom.domain.incident import Incident
from warroom.domain.outgoing import EDIT, SETUP, Out


def done(out: Out, what: f.EffectDone) -> Iterator[Effect]:
    """Who was found is invited, who was called is named, a draft is uploaded, what the room waits for follows it."""
    if what.key == "room":
        yield from out.announcements()
    if what.kind == "people.find":
        people = [p["slack_id"] for p in _list(what.result.get("people")) if p.get("slack_id")]
        data = {"people": people, "groups": []}
        yield out.effect(f"invite:{what.key}", "slack.invite", data, rank=SETUP, after=("room",))
        missing = _list(what.result.get("missing"))
        if missing:
            yield out.say(f"missing:{what.key}", "people_missing", {"missing": missing})
    if what.kind == "mail.send" and _list(what.result.get("missing")):
        missing = _list(what.result.get("missing"))
        yield out.say(f"missing:{what.key}", "mail_missing", {"missing": missing, "sent": what.result.get("sent", 0)})
    if what.kind == "pagerduty.page" and _news_of_paging(out, what):
        yield out.say(f"paged:{what.key}", "paged", _paged(what.result))
    if what.key.startswith("postmortem.file:") and what.result.get("permalink"):
        bookmark = {"title": "Post-mortem draft", "url": what.result["permalink"], "emoji": ":page_facing_up:"}
        yield out.effect(f"bookmark:{what.key}", "slack.bookmark", bookmark, rank=EDIT, after=("room",))
    if what.kind == "postmortem.write":
        number = what.key.removeprefix("postmortem:")
        yield out.effect(
            f"postmortem.file:{number}",
            "slack.file",
            {
                "name": f"{out.i.id.lower()}-postmortem.md",
                "title": f"Post-mortem draft {out.i.id}",
                "path": what.result.get("path"),
                "comment": "",
            },
            lane="room",
            after=("room",),
            rank=EDIT,
        )
        yield out.say(
            f"postmortem.say:{number}",
            "postmortem_ready",
            {"questions": len(_list(what.result.get("questions"))), "number": number},
        )


def _same_edit(key: str, other: str) -> bool:
    """Whether both keys are of edits that bring the same post up to date again and again."""
    return ".edit:" in key and key.partition(":")[0] == other.partition(":")[0]


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _paged(result: Mapping[str, Any]) -> dict[str, list[str]]:
    """Whose phones ring, whoever made them ring a moment ago; who cannot be reached; who is left out on purpose."""
    names = {of: [str(p) for p in _list(result.get(of))] for of in ("paged", "rung", "missing", "spared")}
    return {"paged": sorted([*names["paged"], *names.pop("rung")]), **{of: names[of] for of in ("missing", "spared")}}


def _news_of_paging(out: Out, what: f.EffectDone) -> bool:
    """Whether a page made a phone ring, or names somebody whom no page before it has named."""
    if what.result.get("paged") or what.result.get("spared"):
        return True
    before = [_paged(result) for key, result in out.i.done.items() if key != what.key and "paged" in result]
    told = {name for names in before for name in (*names["paged"], *names["missing"])}
    now = _paged(what.result)
    return not {*now["paged"], *now["missing"]} <= told


def failed(out: Out, before: Incident | None, what: f.EffectFailed) -> Iterator[Effect]:
    """What could not be done is told in the room, or beside the announcement where there is no room; not what would be
    said again and again."""
    if what.key.startswith("dead:") or what.kind == "slack.answer":
        return
    if before and views.in_vain(before, what.key):
        return
    if what.kind == "slack.edit" and before and any(_same_edit(what.key, key) for key in before.failed):
        return  # a panel that cannot be edited is said once, not every minute
    if before and any((x.kind, x.error) == (what.kind, what.error) for x in before.failed.values()) and _outside(what):
        return  # nor is a way out that is not set up, with every message that would have taken it
    # a result of a halt that could not be posted is told here: it must not be lost with the post
    run = next((r for r in out.i.runs if what.key.startswith(f"act:{r.run}:")), None)
    context: dict[str, Any] = {
        "what": views.deed(what.kind),
        "key": what.key,
        "error": what.error,
        "outcome": what.outcome,
        "about": f"{views.run_line(run)}. {run.detail}" if run else "",
        "phones": _phones(out) if what.kind == "pagerduty.page" else [],
    }
    told = views.base(out.i, out.pack, out.now) | context
    if "room" in out.i.failed:
        yield out.post(
            f"dead:{what.key}",
            out.pack.pack.severities[out.i.severity].announce.channel,
            "dead_letter",
            {"context": told},
        )
    else:
        yield out.say(f"dead:{what.key}", "dead_letter", context)
    if what.kind in ("slack.post", "slack.room") and what.key in ("announce", "room"):
        yield out.note(f"note:dead:{what.key}", f"Slack did not take the {what.key}: {what.error}")


def _outside(what: f.EffectFailed | f.EffectDelayed) -> bool:
    """Whether it is a message or a file that leaves Slack."""
    return what.kind in ("mail.send", "status_page.post", "wiki.page", "pagerduty.update", "timeline.write")


def _phones(out: Out) -> list[dict[str, str]]:
    """Whom people can call themselves, as far as the deployment gave numbers."""
    return [
        {"title": c.title, "phone": out.pack.contacts[c.phone], "note": c.note}
        for c in out.pack.pack.contacts
        if c.phone and out.pack.contacts.get(c.phone)
    ]


def delayed(out: Out, what: f.EffectDelayed) -> Iterator[Effect]:
    """One service is away: the other one tells people, once an incident and service."""
    service = what.kind.partition(".")[0]
    if service == "pagerduty":
        yield out.say("away:pagerduty", "pagerduty_away", {"error": what.error, "phones": _phones(out)})
    elif _outside(what):
        yield out.say(f"away:{service}", "outlet_away", {"what": views.deed(what.kind), "error": what.error})
    elif service == "slack":
        yield out.note("away:slack", "Slack cannot be reached: do not wait for the war room, work by phone.")
