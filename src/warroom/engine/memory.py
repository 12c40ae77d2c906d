"""What the engine remembers of the tables, as of its last commit."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from warroom.domain.chain import BEGIN, End
from warroom.domain.decision import Card, LoadedPack
from warroom.domain.evolve import fold
from warroom.domain.incident import Incident
from warroom.domain.policy import Pack
from warroom.errors import ConfigError
from warroom.store.rows import card, fact_of
from warroom.store.transaction import History


@dataclass(frozen=True, slots=True)
class Entry:
    """An incident with the end of its chain, its timers (UTC) and the keys of all its effects."""

    incident: Incident
    end: End
    timers: Mapping[str, datetime]
    keys: frozenset[str]


class PackShelf:
    """The deployment's packs, and those that incidents froze.

    `freeze` writes a pack as the text the store keeps; `thaw` loads it from that text and its hash, and raises
    ConfigError when it cannot.
    """

    def __init__(
        self,
        current: Mapping[str, LoadedPack],
        *,
        freeze: Callable[[Pack], str],
        thaw: Callable[[str, str], LoadedPack],
    ) -> None:
        self.current = current
        self.freeze = freeze
        self._thaw = thaw
        self._frozen = {pack.hash: pack for pack in current.values()}
        self._texts: dict[str, str] = {}

    def knows(self, hash: str) -> bool:
        """Whether `frozen` can answer without the store."""
        return hash in self._frozen or hash in self._texts

    def keep(self, hash: str, text: str) -> None:
        """The text of a frozen pack, as the store has it."""
        self._texts[hash] = text

    def frozen(self, hash: str) -> LoadedPack:
        """The pack with this hash. Raises ConfigError when it is lost or no longer loads."""
        if hash not in self._frozen:
            if hash not in self._texts:
                raise ConfigError([f"the pack {hash} that an incident froze is not in the database"])
            self._frozen[hash] = self._thaw(self._texts[hash], hash)
        return self._frozen[hash]


@dataclass(slots=True)
class Memory:
    """Cards and folded incidents. A group works on a copy and hands it back when it is committed.

    `revision` and `seq` say how far the tables' incidents and effects have been taken in.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)
    revision: int = 0
    seq: int = 0
    system: End = BEGIN
    stored: set[str] = field(default_factory=set)
    _tuple: tuple[Card, ...] | None = None

    def copy(self) -> Self:
        """A memory that can be changed without changing this one."""
        return replace(self, entries=dict(self.entries), cards=dict(self.cards))

    def put(self, entry: Entry) -> None:
        """An incident as it is now."""
        self.entries[entry.incident.id] = entry
        self.show(card(entry.incident))

    def show(self, known: Card) -> None:
        """A card as it is now."""
        if self.cards.get(known.id) == known:
            return
        self.cards[known.id] = known
        self._tuple = None

    def shown(self) -> tuple[Card, ...]:
        """All cards, oldest incident first."""
        if self._tuple is None:
            self._tuple = tuple(sorted(self.cards.values(), key=lambda c: (c.opened, c.id)))
        return self._tuple

    def forget(self, before: datetime, spare: Collection[str]) -> None:
        """Drops closed incidents opened before `before` (UTC), and their folded state, unless `spare`."""
        for id_ in [c.id for c in self.cards.values() if not c.is_open and c.id not in spare]:
            self.entries.pop(id_, None)
            if self.cards[id_].opened < before:
                del self.cards[id_]
                self._tuple = None


def entry_of(history: History) -> Entry:
    """The entry of what is stored about an incident. Raises ValueError when its facts cannot be read."""
    incident = fold(fact_of(row) for row in history.facts)
    if incident is None:
        raise ValueError("there are no facts of this incident")
    return Entry(incident, history.end, history.timers, frozenset(history.keys))


RECENT = timedelta(days=30)
"""How long a closed incident stays among the cards."""
