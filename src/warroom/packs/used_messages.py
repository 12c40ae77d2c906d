"""The messages that a pack names."""

from collections.abc import Iterator

from warroom.domain.policy import Communication, Pack, Step
from warroom.packs.document import Path

Used = Iterator[tuple[Path, str]]


def messages_used(pack: Pack) -> Used:
    """Every message that the pack names, and where. The post-mortem is a document, not one of them."""
    for name, severity in pack.severities.items():
        at: Path = ("severities", name)
        yield (*at, "announce", "message"), severity.announce.message
        yield from _of_steps((*at, "steps"), severity.steps)
        for index, cadence in enumerate(severity.cadences):
            yield (*at, "cadences", index, "message"), cadence.message
        yield from _of_communications((*at, "communications"), severity.communications)
    for book, playbook in pack.playbooks.items():
        yield from _of_steps(("playbooks", book, "steps"), playbook.steps)
        yield from _of_communications(("playbooks", book, "communications"), playbook.communications)


def _of_steps(at: Path, steps: tuple[Step, ...]) -> Used:
    for index, step in enumerate(steps):
        if step.call is not None:
            yield (*at, index, "call", "script"), step.call.script
        for part, does in (("does", step.does), ("if_late", step.if_late)):
            for n, do in enumerate(does):
                if do.message is not None:
                    yield (*at, index, part, n, "message"), do.message


def _of_communications(at: Path, communications: tuple[Communication, ...]) -> Used:
    for index, communication in enumerate(communications):
        yield (*at, index, "message"), communication.message
