"""Which messages of the room are worth a row of the timeline."""

import re
from collections.abc import Collection, Sequence

from warroom.postmortem.lines import Line, is_reply
from warroom.postmortem.model import Row

MOST = 60  # rows made of messages; a timeline of hundreds is not read
SHOWN = 280  # characters of a message
SPOKEN = frozenset({"", "thread_broadcast", "file_share", "me_message", "bot_message"})
_EMOJI = re.compile(r":[\w+-]+:")
_CHATTER = re.compile(
    r"(?:\W|\b(?:ok|okay|k|thanks?|thx|ty|thank you|cheers|lol|hi|hello|hey|good morning|yes|yep|yeah|no|nope|"
    r"cool|nice|great|sure|np|brb|back|1)\b)*",
    re.IGNORECASE,
)


def spoken(lines: Sequence[Line]) -> list[Line]:
    """What people, and other apps, said: no joins or topic changes, nothing of ours."""
    ours = {line.author_id for line in lines if line.effect_id}
    return [line for line in lines if line.subtype in SPOKEN and not line.effect_id and line.author_id not in ours]


def worth_telling(lines: Sequence[Line], marked: Collection[str]) -> list[Line]:
    """The messages that get a row: all of those `marked` (by ts) for the timeline, then the weightiest up to MOST."""
    told = [line for line in lines if line.ts in marked or not _is_chatter(line)]
    heads = {line.thread_ts for line in lines if is_reply(line)}
    first_words = {line.author_id: line.ts for line in reversed(lines)}

    def weight(line: Line) -> float:
        score = 100.0 * (line.ts in marked) + 3 * len(line.files) + 2 * (line.ts in heads)
        score += min(sum(count for _, count in line.reactions), 3) + (first_words[line.author_id] == line.ts)
        return score + (not is_reply(line)) + (not line.by_bot) + min(len(line.text), 200) / 200

    kept = sorted(told, key=weight, reverse=True)[: max(MOST, len(marked))]
    return sorted(kept, key=lambda line: line.at)


def row_of(line: Line) -> Row:
    """The row of a message, linking to it."""
    text = " ".join(line.text.split())
    if len(text) > SHOWN:
        text = text[: SHOWN - 1].rstrip() + "…"
    parts = [f"“{text}”" if text else "", *(f"[file: {name}]" for name in line.files)]
    said = " ".join(part for part in parts if part)
    return Row(at=line.at, event=f"↳ {said}" if is_reply(line) else said, who=line.author, url=line.permalink)


def _is_chatter(line: Line) -> bool:
    if line.files or line.reactions:
        return False
    return _CHATTER.fullmatch(_EMOJI.sub(" ", line.text)) is not None
