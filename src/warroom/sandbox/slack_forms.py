"""Modals as a person fills them: from what is typed to the ``state`` Slack sends."""

from collections.abc import Iterator
from typing import Any

from warroom.sandbox import people

Json = dict[str, Any]
REQUIRED = "Please complete this required field."


def interactive(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Every element a person can use, with the block it stands in."""
    for block in blocks:
        found = list(block.get("elements", [])) if block.get("type") == "actions" else []
        found += [block[name] for name in ("accessory", "element") if isinstance(block.get(name), dict)]
        for element in found:
            if element.get("type") not in ("image", None):
                yield block, element


def options_of(element: Json) -> list[Json]:
    """The options of a select, in groups or not."""
    grouped = [o for group in element.get("option_groups", []) for o in group["options"]]
    return list(element.get("options", [])) + grouped


def option(element: Json, wanted: Any) -> Json:
    """The option with this value or text; raises KeyError when there is none."""
    for candidate in options_of(element):
        if str(wanted) in (candidate["value"], candidate["text"]["text"]):
            return candidate
    offered = ", ".join(o["value"] for o in options_of(element))
    raise KeyError(f"{element.get('action_id')} has no option {wanted!r}; it offers {offered}")


def _slack_id(wanted: Any) -> str:
    found = people.find_person(str(wanted))
    return found.slack_id if found else str(wanted)


def filled(element: Json, value: Any) -> Json:
    """The state of an element with ``value`` in it; None means what it shows at first."""
    kind = element["type"]
    base = {"type": kind}
    match kind:
        case "static_select" | "radio_buttons" | "external_select":
            chosen = element.get("initial_option") if value is None else option(element, value)
            return {**base, "selected_option": chosen}
        case "multi_static_select" | "checkboxes" | "multi_external_select":
            initial = element.get("initial_options", [])
            chosen = initial if value is None else [option(element, v) for v in value]
            return {**base, "selected_options": chosen}
        case "users_select":
            user = element.get("initial_user") if value is None else _slack_id(value)
            return {**base, "selected_user": user}
        case "multi_users_select":
            users = element.get("initial_users", []) if value is None else [_slack_id(v) for v in value]
            return {**base, "selected_users": users}
        case "channels_select" | "conversations_select":
            name = kind.removesuffix("s_select")
            return {**base, f"selected_{name}": value or element.get(f"initial_{name}")}
        case "datepicker":
            return {**base, "selected_date": value or element.get("initial_date")}
        case "timepicker":
            return {**base, "selected_time": value or element.get("initial_time")}
        case "datetimepicker":
            return {**base, "selected_date_time": value or element.get("initial_date_time")}
        case _:
            text = element.get("initial_value") if value is None else str(value)
            return {**base, "value": text or None}


def _is_empty(state: Json) -> bool:
    return not any(value for name, value in state.items() if name != "type")


def fill(blocks: list[Json], values: Json) -> tuple[Json, dict[str, str]]:
    """State values of a modal and, per block, what the client itself would object to.

    ``values`` maps block ids to what a person enters: text, an option's value or text, a person's key,
    lists of them. Raises KeyError for a block the modal does not have.
    """
    state: Json = {}
    errors: dict[str, str] = {}
    inputs = {b["block_id"]: b for b in blocks if b.get("type") == "input"}
    unknown = set(values) - set(inputs)
    if unknown:
        raise KeyError(f"no input {', '.join(sorted(unknown))}; there are {', '.join(inputs)}")
    for block_id, block in inputs.items():
        element = block["element"]
        entered = filled(element, values.get(block_id))
        state[block_id] = {element["action_id"]: entered}
        if _is_empty(entered) and not block.get("optional"):
            errors[block_id] = REQUIRED
        text = entered.get("value") or ""
        least, most = int(element.get("min_length", 0)), int(element.get("max_length", 3000))
        if text and not least <= len(text) <= most:
            errors[block_id] = f"Please enter between {least} and {most} characters."
    return state, errors
