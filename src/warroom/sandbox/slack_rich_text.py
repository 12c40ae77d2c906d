"""The structure of ``rich_text`` blocks: sections, lists, quotes, preformatted, and what stands in them."""

from typing import Any, Protocol

INLINE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "text": (("text",), ("style",)),
    "link": (("url",), ("text", "unsafe", "style")),
    "user": (("user_id",), ("style",)),
    "usergroup": (("usergroup_id",), ("style",)),
    "channel": (("channel_id",), ("style",)),
    "broadcast": (("range",), ("style",)),
    "emoji": (("name",), ("unicode", "skin_tone", "style", "url")),
    "date": (("timestamp", "format"), ("url", "fallback", "style")),
    "color": (("value",), ("style",)),
}
STYLES = frozenset({"bold", "italic", "strike", "underline", "code", "highlight", "client_highlight", "unlink"})
RANGES = frozenset({"here", "channel", "everyone"})


class _Errors(Protocol):
    def error(self, where: str, what: str) -> None: ...
    def keys(self, thing: dict[str, Any], where: str, need: tuple[str, ...], may: tuple[str, ...]) -> None: ...
    def items(self, value: Any, where: str, most: int, least: int = 1) -> list[dict[str, Any]]: ...
    def string(self, thing: dict[str, Any], name: str, where: str, most: int, least: int = 0) -> None: ...


def check_rich_text(c: _Errors, block: dict[str, Any], at: str) -> None:
    """Note every mistake in the elements of a rich_text block."""
    for index, part in enumerate(c.items(block.get("elements"), f"{at}/elements", 1000)):
        _part(c, part, f"{at}/elements/{index}")


def _part(c: _Errors, part: dict[str, Any], at: str) -> None:
    kind = part.get("type")
    if kind == "rich_text_list":
        c.keys(part, at, ("elements", "style"), ("indent", "offset", "border"))
        if part.get("style") not in ("bullet", "ordered"):
            c.error(f"{at}/style", "must be one of: bullet, ordered")
        if not 0 <= int(part.get("indent") or 0) <= 8:
            c.error(f"{at}/indent", "must be between 0 and 8")
        for index, item in enumerate(c.items(part.get("elements"), f"{at}/elements", 1000)):
            spot = f"{at}/elements/{index}"
            if item.get("type") != "rich_text_section":
                c.error(f"{spot}/type", f"unsupported type: {item.get('type')}")
            else:
                _inline(c, item, spot, tuple(INLINE))
    elif kind == "rich_text_preformatted":
        c.keys(part, at, ("elements",), ("border", "language"))
        _inline(c, part, at, ("text", "link"))
    elif kind == "rich_text_quote":
        c.keys(part, at, ("elements",), ("border",))
        _inline(c, part, at, tuple(INLINE))
    elif kind == "rich_text_section":
        c.keys(part, at, ("elements",), ())
        _inline(c, part, at, tuple(INLINE))
    else:
        c.error(f"{at}/type", f"unsupported type: {kind}")


def _inline(c: _Errors, part: dict[str, Any], at: str, allowed: tuple[str, ...]) -> None:
    for index, item in enumerate(c.items(part.get("elements"), f"{at}/elements", 5000, least=0)):
        spot, kind = f"{at}/elements/{index}", item.get("type")
        if kind not in allowed:
            c.error(f"{spot}/type", f"unsupported type: {kind}")
            continue
        need, may = INLINE[str(kind)]
        c.keys(item, spot, need, may)
        for name in ("text", "url", "user_id", "usergroup_id", "channel_id", "name"):
            if name in need:
                c.string(item, name, spot, 40_000, least=1)
        if kind == "broadcast" and item.get("range") not in RANGES:
            c.error(f"{spot}/range", "must be one of: here, channel, everyone")
        if kind == "date" and (not isinstance(item.get("timestamp"), int) or "{" not in str(item.get("format"))):
            c.error(f"{spot}/timestamp", "should be an integer, with a format that holds a token")
        style = item.get("style")
        if style is not None and (not isinstance(style, dict) or not STYLES.issuperset(style)):
            c.error(f"{spot}/style", "invalid style")
