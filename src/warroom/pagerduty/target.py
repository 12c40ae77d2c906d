"""What an effect is aimed at, and in whose name."""

from collections.abc import Mapping

from warroom.engine.ports import Directory, Job
from warroom.errors import Refused, TryAgain


def linked(job: Job) -> str:
    """The id of the incident's counterpart in PagerDuty, or of a related one that the effect names in `incident`.

    Raises TryAgain while there is none.
    """
    if job.effect.data.get("incident"):
        return string(job, "incident")
    if not job.incident.pagerduty_id:
        raise TryAgain(f"{job.incident.id} has no incident in PagerDuty yet.")
    return job.incident.pagerduty_id


def string(job: Job, name: str) -> str:
    """A text from the effect's data. Raises Refused when it is missing."""
    value = job.effect.data.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(f"{job.effect.kind} needs {name!r} in its data.")
    return value


async def acting(job: Job, directory: Directory) -> str | None:
    """The e-mail of the person who asked for it: `email`, else that of the Slack member `by` (an id, or a By)."""
    data = job.effect.data
    if isinstance(data.get("email"), str):
        return str(data["email"]) or None
    by = data.get("by")
    ident, name = (by.get("id"), by.get("name")) if isinstance(by, Mapping) else (by, "")
    if not isinstance(ident, str) or not ident.startswith("slack:"):
        return None
    return (await directory.actor(ident.removeprefix("slack:"), str(name or ""))).email
