"""From an effect to the message that is sent."""

import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

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

    def _quoted(self, quote: Mapping[str, Any], job: Job) -> str:
        """The text of another message, for people to read before it is sent or said."""
        context = revive(quote["context"])
        return self._catalog.render(str(quote["message"]), context, job.incident.pack, now=job.now).plain

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
            quote = data.get("quote")
            if isinstance(quote, Mapping):
                context["quoted"] = self._quoted(quote, job)
            if data.get("context"):  # written by an older warroom perhaps, whose message had fewer fields
                context = dict.fromkeys(self._catalog.fields(name, job.incident.pack), "") | context
            button = str(data.get("button", job.incident.id))
            return self._catalog.render(name, context, job.incident.pack, now=job.now, button_value=button)
        except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            trace = "".join(traceback.format_exception(error))
            log.error("message_not_rendered", message=name, incident=job.incident.id, trace=trace)
            i = job.incident
            return notice(f"{i.id} · {i.severity} · {i.status} · {i.title}\n(The message {name} failed: {error})")
