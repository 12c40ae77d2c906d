"""Protocol steps: what follows when one begins, comes to its end, is skipped or is late."""

from collections.abc import Iterator, Mapping
from typing import Any

from warroom.domain import facts as f
from warroom.domain import on_telling, phone_calls, protocol, teams, views
from warroom.domain.effects import Effect, moment
from warroom.domain.outgoing import SETUP, Out
from warroom.domain.policy import Do, Step
from warroom.domain.schedule import do_key, window


def react(
    out: Out,
    fact: f.Fact,
    what: f.StepStarted | f.StepReminded | f.StepDone | f.StepReopened | f.StepSkipped | f.StepLate,
) -> Iterator[Effect]:
    """What people are told of a step, and what it does by itself."""
    step = protocol.step_named(out.pack.pack, what.step)
    if step is None:
        return
    context = on_telling.step_context(out, step)
    button = f"{out.i.id}|{step.id}"
    match what:
        case f.StepStarted():
            yield from _does(out, step, step.does, late=False)
            if step.call is not None:
                yield phone_calls.request(out, step, context)
            elif step.ask and step.owner != teams.SYSTEM and "effects" not in step.done_on:
                yield out.say(f"step:{step.id}:ask", "step_request", context, button=button)
        case f.StepReminded():
            _, end = window(out.i, out.pack, step) or (None, None)
            left = (end - out.now).total_seconds() if end else 0.0
            yield out.say(f"step:{step.id}:reminded", "step_reminder", context | {"left": left}, button=button)
        case f.StepReopened() if step.id in out.i.steps and step.ask and step.owner != teams.SYSTEM:
            yield out.say(f"step:{step.id}:ask:again:{out.i.count}", "step_request", context, button=button)
        case f.StepDone():
            yield from _over(out, step, context)
        case f.StepSkipped():
            yield out.say(
                f"step:{step.id}:skipped", "step_skipped", context | {"by": views.who(fact.by), "why": what.reason}
            )
            yield from _over(out, step, context)
        case f.StepLate():
            told = context | {"escalated": on_telling.escalated(out, step)}
            yield out.say(f"late:{step.id}", "step_late", told, button=button)
            yield from _does(out, step, step.if_late, late=True)


def _over(out: Out, step: Step, context: Mapping[str, Any]) -> Iterator[Effect]:
    """What asked for the step asks no more: its messages say how it ended, and have no buttons. A call's script stays:
    people read from it what was said."""
    if step.call is not None:
        return
    mark, ask = out.i.steps[step.id], f"step:{step.id}:ask"
    asked = (ask, f"step:{step.id}:reminded", f"late:{step.id}")
    ended = {
        "state": mark.said,
        "at": moment(mark.at),
        "by": views.who(mark.by),
        "note": mark.note,
        "late": moment(mark.late) if mark.late else None,
    }
    for key in [key for key in out.i.done if key in asked or key.startswith(f"{ask}:")]:
        yield out.replaced(key, "step_over", {**context, **ended}, out.i.count)


def _does(out: Out, step: Step, does: tuple[Do, ...], *, late: bool) -> Iterator[Effect]:
    summary = f"{out.i.id} {out.i.severity}: {out.i.title}"
    of = f"{'late' if late else 'step'}:{step.id}"
    for number, do in enumerate(does):
        key = do_key(of, number, do.kind)
        match do.kind:
            case "announce":
                pass  # opening the incident announced it already, ahead of everything else
            case "page":
                text = f"{summary}. {f'{step.title} is late. ' if late else ''}Please join the war room."
                yield out.page(key, do.groups, text)
            case "escalate" if out.i.reached("acknowledged") is None:
                # raising the level of an acknowledged incident would take the acknowledgement back
                data = {"message": f"{summary}. {step.title} is late."}
                yield out.effect(key, "pagerduty.escalate", data, lane="pager", rank=SETUP)
            case "tell":
                pass  # the step's messages are told together below
            case "probes" | "act":
                pass  # `decide` turns it into ProbesRequested, so that every run of probes is a fact
    for said in on_telling.step_says(out, step, does, late=late):
        yield from on_telling.tell(out, said.key, said.message, said.channels, said.audiences, said.data)


def call_again(out: Out, note: f.NoteAdded) -> Iterator[Effect]:
    """Somebody could not be reached by phone: the step names the next one."""
    step = protocol.step_named(out.pack.pack, note.kind.removeprefix(phone_calls.NOT_REACHED))
    if step is not None:
        yield from phone_calls.again(out, step, on_telling.step_context(out, step))
