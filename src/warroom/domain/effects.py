"""What we do to the outside: rows of the outbox, delivered in order within a lane, P0 first across lanes.

`data` holds plain JSON values only; a moment in it is written by `moment` as {"utc": ISO}. `key` names the effect
inside its incident, for ever: the same key is never sent twice. `after` lists keys of the same incident that must
be done first; their results are in `Incident.done`. Kinds, their data, and their results:

    slack.post        to ("room" | a channel name of the pack | "#name"), message,
                      context or view, button?, thread? (key of a post)                  -> channel, ts
    slack.edit        of (key of the post), message, context or view, button?            -> channel, ts
    slack.answer      response_url, message, context       (private answer to a command)  -> {}
    slack.room        name                                                               -> channel, name
    slack.topic       topic, mark? (its purpose says whose room it is)                   -> {}
    slack.invite      people (By ids or e-mails), groups                                 -> invited, missing
    slack.pin         of (key of the post)                                               -> {}
    slack.bookmark    title, url, emoji                                                  -> {}
    slack.file        name, title, content | path, comment                               -> file, permalink
    people.find       groups, service (PagerDuty service id)
                                      -> people [{slack_id, name, email, pagerduty_id, why}], missing
    pagerduty.trigger summary, severity, details, dedup_key   (Events API)               -> {}
    pagerduty.change  status (acknowledged | resolved), by, incident? (PagerDuty id)     -> at (ISO, PagerDuty's)
    pagerduty.page    groups, message, but? (a person as id and name who is not paged), once_in? (seconds: whom
                      PagerDuty has called for this incident within them is not called again)
                                                                      -> paged, missing, spared?, rung?
    pagerduty.priority / pagerduty.note (text, by) / pagerduty.escalate (message)
    pagerduty.update  message, context or view             (status update to subscribers)  -> {}
    mail.send         groups, audience, hidden (the people do not see each other), message, context or view
                                                                  -> sent (how many), missing (sentences)
    status_page.post  message, context or view                             -> page_incident, url
    wiki.page         message, context or view                             -> page, version, url
    incident.lifted   incident (another one, whose halts were lifted by run), run, scopes, outcome, reason, at, by,
                      approved_by                                                  -> {}
    platform.probes   run, probes (names), title, seal                             -> results [ProbeResult as dict]
    platform.watch    watch, probe                                    -> ProbeResult as dict, without raw
    platform.act      run, action, parameters, fields, reason, operator, mode -> outcome, detail, request, readings
    timeline.write    (nothing: the whole file from the facts)                -> path
    postmortem.write  number, reason                                          -> path, text, questions

`context` holds the values a message needs. `view` names a function of `domain.views` that makes them from the
incident as it is when the message is sent, so that a live panel or an announcement never shows old news.
`quote` (message, context) is another message whose text the first one shows as its value `quoted`.
`button` is the value its buttons carry (the incident's id when absent).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


def moment(at: datetime) -> dict[str, str]:
    """A moment (UTC) as it stands in an effect's data."""
    return {"utc": at.isoformat()}


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One outward act.

    `priority`: lower goes first (0: P0 first alert). `lane`: effects of the same incident and lane go one after
    the other; "" means on its own. `coalesce`: a waiting effect with the same mark is replaced by this one.
    `expires`: pointless after this moment (UTC), then dropped and recorded as refused.
    `at`: when the deciding input was handled (UTC).
    """

    key: str
    kind: str
    data: Mapping[str, object]
    at: datetime
    lane: str = ""
    priority: int = 50
    after: tuple[str, ...] = ()
    coalesce: str = ""
    expires: datetime | None = None


@dataclass(frozen=True)
class Reply:
    """The private answer to whoever asked: a message of `messages/` and its values."""

    message: str
    context: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Form:
    """A modal to open for whoever asked: its name in `slack.forms`, and its first values."""

    name: str
    about: str
    context: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class FieldErrors:
    """A form sent in with mistakes: a sentence for each field."""

    errors: Mapping[str, str]


Answer = Reply | Form | FieldErrors
