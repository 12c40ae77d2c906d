"""The runbook in the room: a playbook shown or changed, a vendor's reference noted."""

from warroom.domain import facts as f
from warroom.domain import views
from warroom.domain.commands import did_you_mean
from warroom.domain.decision import Context
from warroom.domain.effects import Reply
from warroom.domain.handling import Handled, room_link, wrong
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input
from warroom.domain.people import Actor


def on_vendor(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """`/incident vendor REFERENCE TEXT`: the vendor's reference number goes into the timeline."""
    reference, _, said = text.partition(" ")
    if not reference or not said.strip():
        return wrong("Give the vendor's reference number and what it is about.", "/incident vendor REFERENCE TEXT")
    answer = Reply("done", {"text": "Noted in the timeline", **room_link(incident)})
    return Handled(ctx.facts(actor.by, f.NoteAdded(text=f"Vendor {reference}: {said.strip()}", kind="vendor")), answer)


def on_runbook(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """`/incident runbook [PLAYBOOK]`: without a word the incident's playbook, or which there are when none fits; with
    one it becomes the incident's."""
    books = ctx.pack.pack.playbooks
    wanted = text.strip()
    if not wanted and incident.playbook in books:
        shown = views.playbook(incident, ctx.pack, ctx.now, {})
        return Handled(answer=Reply("playbook", {**shown, "button": incident.id}))
    if not wanted or wanted not in books:
        said = f"There is no playbook “{wanted}”." if wanted else "No playbook fits by itself: say which one to use."
        near = did_you_mean(wanted, tuple(books)) if wanted else tuple(books)
        return wrong(said, *(f"/incident runbook {name}" for name in near))
    if not incident.is_open:
        said = f"{incident.id} is resolved: its playbook stays what it was."
        return wrong(said, "/incident note TEXT still adds to its timeline.")
    if wanted == incident.playbook:
        return wrong(f"“{books[wanted].title}” is the playbook already.", "It stands in the room, under the panel.")
    changed = f.PlaybookChanged(playbook=wanted, reason=f"chosen by {actor.name}")
    answer = Reply("done", {"text": f"The playbook is now “{books[wanted].title}”", **room_link(incident)})
    return Handled(ctx.facts(actor.by, changed), answer)
