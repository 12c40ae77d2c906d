"""From an effect to the message that is sent."""

import traceback
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from warroom.domain.decision import LoadedPack
from warroom.domain.incident import Incident
from warroom.engine.ports import Job
from warroom.rendering import Catalog, Message, notice
from warroom.slack.values import revive

View = Callable[[Incident, LoadedPack, datetime, Mapping[str, object]], Mapping[str, object]]
"""Makes a message's values from the incident as it is now; `data` is the effect's."""

log = structlog.get_logger("warroom.slack")


class Composer:
    """Renders what an effect says. `views` are the functions that `data["view"]` names."""

    def __init__(self, catalog: Catalog, views: Mapping[str, View]) -> None:
        self._catalog = catalog
        self._views = views

    def message(self, job: Job) -> Message:
        """The effect's message.

        Values of `context` win over those of `view`. A template or view that fails becomes a plain notice that says
        which incident it is about and what failed: an alert without its form is better than none.
        """
        data = job.effect.data
        name = str(data.get("message", ""))
        try:
            context: dict[str, object] = {}
            if data.get("view"):
                view = self._views[str(data["view"])]
                context |= revive(view(job.incident, job.pack, job.now, data))
            context |= revive(data.get("context") or {})
            button = str(data.get("button", job.incident.id))
            return self._catalog.render(name, context, job.incident.pack, button_value=button)
        except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            trace = "".join(traceback.format_exception(error))
            log.error("message_not_rendered", message=name, incident=job.incident.id, trace=trace)
            i = job.incident
            return notice(f"{i.id} · {i.severity} · {i.status} · {i.title}\n(The message {name} failed: {error})")
