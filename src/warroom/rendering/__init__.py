"""Templates → Slack blocks, notification text, HTML and plain text. Pure: nothing here talks to anybody.

    catalog = Catalog.load(Path("messages"))
    message = catalog.render("announcement", {"title": "…"}, pack="eafix", now=now, button_value="inc-2026-0042")
    for part in message.parts: …                 # part.blocks, part.text
    message.summary, message.plain, message.html # mail: subject, text part, HTML part

**A template** is Markdown with Jinja under a front matter of three keys:

    ---
    about: What it is for, for whoever edits it.          (optional)
    summary: "P0: {{ title }}"                            the notification line, Jinja without Markdown
    fields: [title, room_url]                             exactly the variables used
    ---

**Markdown**: `#` and `##` header, `###` bold line, `######` small print; paragraphs, in which a line break
is a line break; `**bold**`, `*italic*`, `~~strike~~`, `` `code` ``; lists, nested by indent; `>` quote;
fences; `---` divider; tables (shown as aligned text in Slack); `[label](https://…)`; emoji names such as
`:rotating_light:`. No HTML, no pictures.

**Buttons** are a paragraph of links only:

    [Acknowledge](action:incident.ack "primary")
    [Halt](action:halt.ask "danger value={{ incident_id }}")
    [Open room](open:{{ room_url }})

The title is `primary`, `danger`, `value=…` or `danger value=…`; without `value=` a button carries the
`button_value` of the rendering. `open:` makes a button with an address, its action id is `open.1`,
`open.2`, …; it is left out when the address is not http(s).

**Values** are plain: str, int, float, bool, None, aware datetime, list, dict. Whatever a value holds, it
ends up as text. Filters make the rest: `mention(name)`, `channel(name)`, `usergroup(name)`, `broadcast`,
`link(label)`, `when` (UTC and the reader's own zone), `clock` (UTC), `day`, `duration`, `number(digits)`,
`and_list`, `join(separator)`, `map("filter")`, `map(attribute="key")`, `plain_title`, `clip(n)`,
`otherwise("not known yet")`, `default`, `length`, `upper`, `lower`, `first`, `last`. `when` and `clock` name the day
of a moment that is not on the UTC day of `now`.
"""

from __future__ import annotations

from warroom.rendering.catalog import Catalog
from warroom.rendering.message import Message, Part, notice
from warroom.rendering.problems import (
    MessageErrors,
    MissingFieldsError,
    Problem,
    RenderError,
    UnknownMessageError,
)

__all__ = [
    "Catalog",
    "Message",
    "MessageErrors",
    "MissingFieldsError",
    "Part",
    "Problem",
    "RenderError",
    "UnknownMessageError",
    "notice",
]
