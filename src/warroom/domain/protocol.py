"""What of the pack applies to one incident: the steps, clocks and communications of its severity and its playbook."""

from collections.abc import Iterable, Iterator, Mapping

from warroom.domain.decision import LoadedPack
from warroom.domain.incident import Incident
from warroom.domain.policy import Action, Clock, Communication, Market, Pack, Playbook, Severity, SeverityId, Step, When
from warroom.domain.severity import Alert, holds


def severity_of(i: Incident, pack: LoadedPack) -> Severity:
    """What the incident's severity means and sets going."""
    return pack.pack.severities[i.severity]


def playbook_of(i: Incident, pack: LoadedPack) -> Playbook | None:
    """The matched playbook; None when none fits."""
    return pack.pack.playbooks.get(i.playbook or "")


def alert_of(i: Incident) -> Alert:
    """The incident as conditions see it: the alert as it was, with the fields and the playbook of today."""
    return Alert(
        title=i.title,
        description=i.description,
        service=i.service or "",
        market="open" if i.market_open else "closed",
        playbook=i.playbook or "",
        details=i.details,
        fields=i.fields,
    )


def applies(i: Incident, market: Market = "always", when: Iterable[When] = ()) -> bool:
    """Whether a part of the pack with these conditions applies: the market as it was when the incident began, and, if
    there are any conditions, at least one of them."""
    if market != "always" and (market == "open") != i.market_open:
        return False
    conditions = tuple(when)
    return not conditions or any(holds(w, alert_of(i)) for w in conditions)


def concerns(i: Incident, severities: Iterable[SeverityId], playbooks: Iterable[str]) -> bool:
    """Whether a part of the pack for these severities and playbooks (none: all) is for this incident."""
    levels, books = tuple(severities), tuple(playbooks)
    return (not levels or i.severity in levels) and (not books or i.playbook in books)


def steps(i: Incident, pack: LoadedPack) -> tuple[Step, ...]:
    """The steps of severity and playbook that exist for this incident, in the pack's order."""
    book = playbook_of(i, pack)
    found = severity_of(i, pack).steps + (book.steps if book else ())
    return tuple(s for s in found if applies(i, s.market, s.when))


def clocks_under(i: Incident, pack: LoadedPack, severity: SeverityId) -> Mapping[str, Clock]:
    """The clocks that run while the incident has this severity."""
    book = playbook_of(i, pack)
    found = {**pack.pack.severities[severity].clocks, **(book.clocks if book else {})}
    return {name: clock for name, clock in found.items() if applies(i, clock.market)}


def communications(i: Incident, pack: LoadedPack) -> tuple[Communication, ...]:
    """The communications of severity and playbook that apply to this incident."""
    book = playbook_of(i, pack)
    found = severity_of(i, pack).communications + (book.communications if book else ())
    return tuple(c for c in found if applies(i, c.market, c.when))


def all_steps(pack: Pack) -> Iterator[Step]:
    """Every step the pack knows; ids are unique among them."""
    for severity in pack.severities.values():
        yield from severity.steps
    for book in pack.playbooks.values():
        yield from book.steps


def all_clocks(pack: Pack) -> Iterator[tuple[str, Clock]]:
    """Every clock the pack knows, with its id; the same id may come with every severity."""
    for severity in pack.severities.values():
        yield from severity.clocks.items()
    for book in pack.playbooks.values():
        yield from book.clocks.items()


def all_communications(pack: Pack) -> Iterator[Communication]:
    """Every communication the pack knows."""
    for severity in pack.severities.values():
        yield from severity.communications
    for book in pack.playbooks.values():
        yield from book.communications


def step_named(pack: Pack, step_id: str) -> Step | None:
    """The step with this id."""
    return next((s for s in all_steps(pack) if s.id == step_id), None)


def halt_of(pack: Pack, step: Step) -> Action | None:
    """The halt that does the step when it is confirmed; None for a step that no halt does."""
    named = (pack.actions.get(word.removeprefix("action:")) for word in step.done_on if word.startswith("action:"))
    return next((action for action in named if action and action.scope), None)
