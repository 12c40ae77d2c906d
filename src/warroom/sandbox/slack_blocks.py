"""Block Kit as Slack checks it: what it refuses, where, and with which words."""

from collections.abc import Callable, Collection
from typing import Any

from warroom.sandbox.slack_errors import SlackError
from warroom.sandbox.slack_rich_text import check_rich_text

SELECTS = ("static_select", "external_select", "users_select", "conversations_select", "channels_select")
MULTI_SELECTS = tuple(f"multi_{name}" for name in SELECTS)
PICKERS = ("datepicker", "timepicker", "datetimepicker")
CHOICES = ("checkboxes", "radio_buttons")
TYPED = ("plain_text_input", "number_input", "email_text_input", "url_text_input", "rich_text_input")

IN_ACTIONS = frozenset({"button", "overflow", *SELECTS, *PICKERS, *CHOICES})
IN_SECTION = frozenset({"image", *IN_ACTIONS, *MULTI_SELECTS})
IN_INPUT = frozenset({*TYPED, "file_input", *SELECTS, *MULTI_SELECTS, *PICKERS, *CHOICES})
MODAL_BLOCKS = 100
MESSAGE_BLOCKS = 50


class Checker:
    """Collects every mistake with its JSON pointer, as Slack does."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.block_ids: set[str] = set()
        self.has_input = False

    def error(self, where: str, what: str) -> None:
        self.errors.append(f"[ERROR] {what} [json-pointer:{where}]")

    def keys(self, thing: dict[str, Any], where: str, need: Collection[str], may: Collection[str]) -> None:
        """``thing`` has all of ``need``, and nothing outside ``need``, ``may`` and ``type``."""
        for name in need:
            if thing.get(name) is None:
                self.error(where, f"missing required field: {name}")
        for name in thing:
            if name not in need and name not in may and name != "type":
                self.error(where, f"invalid additional property: {name}")

    def string(self, thing: dict[str, Any], name: str, where: str, most: int, least: int = 0) -> None:
        value = thing.get(name)
        if value is None:
            return
        if not isinstance(value, str):
            self.error(f"{where}/{name}", "should be a string")
        elif len(value) > most:
            self.error(f"{where}/{name}", f"must be less than {most + 1} characters")
        elif len(value) < least:
            self.error(f"{where}/{name}", f"must be more than {least - 1} characters")

    def text(self, thing: Any, where: str, most: int, *, plain: bool = False) -> None:
        """A text object of 1 to ``most`` characters; ``plain`` allows plain_text only."""
        if not isinstance(thing, dict):
            self.error(where, "should be an object")
            return
        kind = thing.get("type")
        if kind not in (("plain_text",) if plain else ("plain_text", "mrkdwn")):
            self.error(f"{where}/type", f"unsupported type: {kind}")
            return
        self.keys(thing, where, ("text",), ("emoji",) if kind == "plain_text" else ("verbatim",))
        self.string(thing, "text", where, most, least=1)

    def items(self, value: Any, where: str, most: int, least: int = 1) -> list[dict[str, Any]]:
        """The objects of a list of ``least`` to ``most``; whatever is wrong is noted."""
        if not isinstance(value, list):
            self.error(where, "should be an array")
            return []
        if len(value) > most:
            self.error(where, f"no more than {most} items allowed")
        if len(value) < least:
            self.error(where, f"no fewer than {least} items allowed")
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                self.error(f"{where}/{index}", "should be an object")
        return [item for item in value if isinstance(item, dict)]

    def confirm(self, thing: Any, where: str) -> None:
        if not isinstance(thing, dict):
            self.error(where, "should be an object")
            return
        self.keys(thing, where, ("title", "text", "confirm", "deny"), ("style",))
        for name, most in (("title", 100), ("confirm", 30), ("deny", 30)):
            if name in thing:
                self.text(thing[name], f"{where}/{name}", most, plain=True)
        if "text" in thing:
            self.text(thing["text"], f"{where}/text", 300)

    def options(self, value: Any, where: str, most: int, *, plain: bool) -> None:
        for index, option in enumerate(self.items(value, where, most)):
            at = f"{where}/{index}"
            self.keys(option, at, ("text", "value"), ("description", "url"))
            if "text" in option:
                self.text(option["text"], f"{at}/text", 75, plain=plain)
            if "description" in option:
                self.text(option["description"], f"{at}/description", 75, plain=plain)
            self.string(option, "value", at, 150, least=1)

    def element(self, thing: dict[str, Any], where: str, allowed: Collection[str], ids: set[str]) -> None:
        """An interactive element (or image) that may stand here; ``ids`` are the action ids of its block."""
        kind = thing.get("type")
        if kind not in allowed:
            self.error(f"{where}/type", f"unsupported type: {kind}")
            return
        self.string(thing, "action_id", where, 255, least=1)
        action_id = thing.get("action_id")
        if action_id is not None:
            if action_id in ids:
                self.error(f"{where}/action_id", f"`action_id` {action_id} already exists")
            ids.add(str(action_id))
        if "confirm" in thing:
            self.confirm(thing["confirm"], f"{where}/confirm")
        if "placeholder" in thing:
            self.text(thing["placeholder"], f"{where}/placeholder", 150, plain=True)
        _ELEMENTS[str(kind).removeprefix("multi_")](self, thing, where)

    def blocks(self, value: Any, where: str, most: int, *, modal: bool = False) -> None:
        for index, block in enumerate(self.items(value, where, most, least=0)):
            at, kind = f"{where}/{index}", block.get("type")
            check = _BLOCKS.get(str(kind))
            if check is None:
                self.error(f"{at}/type", f"unsupported type: {kind}")
                continue
            if modal and kind in ("markdown", "table", "file"):
                self.error(f"{at}/type", f"unsupported type: {kind}")
            self.string(block, "block_id", at, 255, least=1)
            block_id = block.get("block_id")
            if block_id is not None and block_id in self.block_ids:
                self.error(f"{at}/block_id", f"`block_id` {block_id} already exists")
            self.block_ids.add(str(block_id)) if block_id is not None else None
            check(self, block, at)


def _button(c: Checker, e: dict[str, Any], at: str) -> None:
    c.keys(e, at, ("text",), ("action_id", "url", "value", "style", "confirm", "accessibility_label"))
    if "text" in e:
        c.text(e["text"], f"{at}/text", 75, plain=True)
    c.string(e, "value", at, 2000)
    c.string(e, "url", at, 3000, least=1)
    c.string(e, "accessibility_label", at, 75)
    if e.get("style") not in (None, "primary", "danger"):
        c.error(f"{at}/style", "must be one of: primary, danger")


def _image_element(c: Checker, e: dict[str, Any], at: str) -> None:
    c.keys(e, at, ("alt_text",), ("image_url", "slack_file"))
    if not e.get("image_url") and not e.get("slack_file"):
        c.error(at, "must define either image_url or slack_file")
    c.string(e, "alt_text", at, 2000, least=1)
    c.string(e, "image_url", at, 3000, least=1)


def _static_select(c: Checker, e: dict[str, Any], at: str) -> None:
    may = ("action_id", "placeholder", "options", "option_groups", "initial_option", "initial_options")
    c.keys(e, at, (), (*may, "confirm", "focus_on_load", "max_selected_items"))
    if "option_groups" in e:
        for index, group in enumerate(c.items(e["option_groups"], f"{at}/option_groups", 100)):
            spot = f"{at}/option_groups/{index}"
            c.keys(group, spot, ("label", "options"), ())
            c.text(group.get("label"), f"{spot}/label", 75, plain=True)
            c.options(group.get("options"), f"{spot}/options", 100, plain=True)
    else:
        c.options(e.get("options"), f"{at}/options", 100, plain=True)
        initial = e.get("initial_option")
        if initial is not None and initial not in (e.get("options") or []):
            c.error(f"{at}/initial_option", "must exactly match one of the options")


def _overflow(c: Checker, e: dict[str, Any], at: str) -> None:
    c.keys(e, at, ("options",), ("action_id", "confirm"))
    c.options(e.get("options"), f"{at}/options", 5, plain=True)


def _choices(c: Checker, e: dict[str, Any], at: str) -> None:
    initial = ("initial_option", "initial_options")
    c.keys(e, at, ("options",), ("action_id", "confirm", "focus_on_load", *initial))
    c.options(e.get("options"), f"{at}/options", 10, plain=False)


def _typed(c: Checker, e: dict[str, Any], at: str) -> None:
    kind = e.get("type")
    may = ["action_id", "placeholder", "initial_value", "focus_on_load", "dispatch_action_config"]
    if kind == "plain_text_input":
        may += ["multiline", "min_length", "max_length"]
    if kind == "number_input":
        may += ["min_value", "max_value"]
    c.keys(e, at, ("is_decimal_allowed",) if kind == "number_input" else (), may)
    for name in ("min_length", "max_length"):
        if name in e and not (isinstance(e[name], int) and 0 <= e[name] <= 3000):
            c.error(f"{at}/{name}", "must be between 0 and 3000")
    if kind == "plain_text_input":
        c.string(e, "initial_value", at, int(e.get("max_length") or 3000))


def _picker(c: Checker, e: dict[str, Any], at: str) -> None:
    kind = str(e.get("type"))
    initial = {"datepicker": "initial_date", "timepicker": "initial_time"}.get(kind, "initial_date_time")
    may = ["action_id", "confirm", "focus_on_load", initial]
    may += [] if kind == "datetimepicker" else ["placeholder"]
    c.keys(e, at, (), [*may, "timezone"] if kind == "timepicker" else may)


def _other_select(c: Checker, e: dict[str, Any], at: str) -> None:
    kind = str(e.get("type")).removeprefix("multi_").removesuffix("_select")
    one = {"users": "initial_user", "channels": "initial_channel", "conversations": "initial_conversation"}
    may = ["action_id", "placeholder", "confirm", "focus_on_load", "max_selected_items", "min_query_length"]
    may += [one.get(kind, "initial_option"), one.get(kind, "initial_option") + "s", "filter"]
    c.keys(e, at, (), [*may, "response_url_enabled", "default_to_current_conversation"])


def _file_input(c: Checker, e: dict[str, Any], at: str) -> None:
    c.keys(e, at, (), ("action_id", "filetypes", "max_files"))


def _section(c: Checker, b: dict[str, Any], at: str) -> None:
    c.keys(b, at, (), ("text", "fields", "accessory", "block_id", "expand"))
    if not b.get("text") and not b.get("fields"):
        c.error(at, "missing required field: text")
    if "text" in b:
        c.text(b["text"], f"{at}/text", 3000)
    if "fields" in b:
        for index, field in enumerate(c.items(b["fields"], f"{at}/fields", 10)):
            c.text(field, f"{at}/fields/{index}", 2000)
    if isinstance(b.get("accessory"), dict):
        c.element(b["accessory"], f"{at}/accessory", IN_SECTION, set())


def _header(c: Checker, b: dict[str, Any], at: str) -> None:
    c.keys(b, at, ("text",), ("block_id",))
    if "text" in b:
        c.text(b["text"], f"{at}/text", 150, plain=True)


def _divider(c: Checker, b: dict[str, Any], at: str) -> None:
    c.keys(b, at, (), ("block_id",))


def _image(c: Checker, b: dict[str, Any], at: str) -> None:
    c.keys(b, at, ("alt_text",), ("image_url", "slack_file", "title", "block_id"))
    if not b.get("image_url") and not b.get("slack_file"):
        c.error(at, "must define either image_url or slack_file")
    c.string(b, "alt_text", at, 2000, least=1)
    c.string(b, "image_url", at, 3000, least=1)
    if "title" in b:
        c.text(b["title"], f"{at}/title", 2000, plain=True)


def _context(c: Checker, b: dict[str, Any], at: str) -> None:
    c.keys(b, at, ("elements",), ("block_id",))
    for index, item in enumerate(c.items(b.get("elements"), f"{at}/elements", 10)):
        spot = f"{at}/elements/{index}"
        if item.get("type") == "image":
            _image_element(c, item, spot)
        else:
            c.text(item, spot, 3000)


def _actions(c: Checker, b: dict[str, Any], at: str) -> None:
    c.keys(b, at, ("elements",), ("block_id",))
    ids: set[str] = set()
    for index, item in enumerate(c.items(b.get("elements"), f"{at}/elements", 25)):
        c.element(item, f"{at}/elements/{index}", IN_ACTIONS, ids)


def _input(c: Checker, b: dict[str, Any], at: str) -> None:
    c.has_input = True
    c.keys(b, at, ("label", "element"), ("hint", "optional", "dispatch_action", "block_id"))
    if "label" in b:
        c.text(b["label"], f"{at}/label", 2000, plain=True)
    if "hint" in b:
        c.text(b["hint"], f"{at}/hint", 2000, plain=True)
    if isinstance(b.get("element"), dict):
        c.element(b["element"], f"{at}/element", IN_INPUT, set())


def _markdown(c: Checker, b: dict[str, Any], at: str) -> None:
    c.keys(b, at, ("text",), ("block_id",))
    c.string(b, "text", at, 12_000, least=1)


def _rich_text(c: Checker, b: dict[str, Any], at: str) -> None:
    c.keys(b, at, ("elements",), ("block_id",))
    check_rich_text(c, b, at)


def _table(c: Checker, b: dict[str, Any], at: str) -> None:
    c.keys(b, at, ("rows",), ("column_settings", "block_id"))
    rows = b.get("rows")
    if not isinstance(rows, list) or not 1 <= len(rows) <= 100:
        c.error(f"{at}/rows", "must be an array of 1 to 100 rows")
        return
    for index, row in enumerate(rows):
        for column, cell in enumerate(c.items(row, f"{at}/rows/{index}", 20)):
            spot = f"{at}/rows/{index}/{column}"
            if cell.get("type") == "raw_text":
                c.string(cell, "text", spot, 3000, least=1)
            elif cell.get("type") == "rich_text":
                check_rich_text(c, cell, spot)
            else:
                c.error(f"{spot}/type", f"unsupported type: {cell.get('type')}")


_Check = Callable[[Checker, dict[str, Any], str], None]
_ELEMENTS: dict[str, _Check] = {
    "button": _button,
    "image": _image_element,
    "overflow": _overflow,
    "static_select": _static_select,
    "file_input": _file_input,
    **{name: _other_select for name in SELECTS if name != "static_select"},
    **dict.fromkeys(CHOICES, _choices),
    **dict.fromkeys(TYPED, _typed),
    **dict.fromkeys(PICKERS, _picker),
}
_BLOCKS: dict[str, _Check] = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "image": _image,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "markdown": _markdown,
    "rich_text": _rich_text,
    "table": _table,
}


def check_message_blocks(blocks: Any) -> list[dict[str, Any]]:
    """The blocks of a message, if Slack would take them; raises SlackError ``invalid_blocks``."""
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    checker = Checker()
    checker.blocks(blocks, "/blocks", MESSAGE_BLOCKS)
    if checker.errors:
        raise SlackError("invalid_blocks", errors=checker.errors, response_metadata={"messages": checker.errors})
    return blocks


def check_view(view: Any) -> dict[str, Any]:
    """A modal or home view, if Slack would take it; raises SlackError ``invalid_arguments``."""
    checker = Checker()
    if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):
        checker.error("/view/type", "must be modal or home")
        raise SlackError("invalid_arguments", response_metadata={"messages": checker.errors})
    modal = view["type"] == "modal"
    may = ["callback_id", "private_metadata", "external_id"]
    if modal:
        may += ["close", "submit", "clear_on_close", "notify_on_close", "submit_disabled"]
    checker.keys(view, "/view", ("title", "blocks") if modal else ("blocks",), may)
    for name in ("title", "submit", "close"):
        if modal and view.get(name) is not None:
            checker.text(view[name], f"/view/{name}", 24, plain=True)
    checker.string(view, "private_metadata", "/view", 3000)
    checker.string(view, "callback_id", "/view", 255)
    checker.string(view, "external_id", "/view", 255)
    checker.blocks(view.get("blocks"), "/view/blocks", MODAL_BLOCKS, modal=True)
    if modal and checker.has_input and not view.get("submit"):
        checker.error("/view", "missing required field: submit (the view has input blocks)")
    if checker.errors:
        raise SlackError("invalid_arguments", response_metadata={"messages": checker.errors})
    return view
