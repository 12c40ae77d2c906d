"""Everything that can go wrong on purpose, as one tree.

WarroomError                 the message of each is a sentence that says what to do
├── ConfigError              settings, packs, messages or manifest are wrong: refused at start
├── BadRequest               an input that is forged, stale, oversized or malformed: 4xx, nothing stored
├── StoreError               the database refused; the input was not accepted
└── DeliveryError            an effect did not succeed
    ├── TryAgain             not done; may be tried again, at the earliest after `after` seconds
    ├── Refused              not done, and will never be: a dead letter that people are shown
    └── Uncertain            it may have happened: look before doing it again
"""


class WarroomError(Exception):
    """The root: catch this at the edges, nothing broader."""


class ConfigError(WarroomError):
    """One or more mistakes in what the deployment handed us; `problems` holds a sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class BadRequest(WarroomError):
    """An input from outside that we do not accept. `status` is the HTTP status to answer with."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


class StoreError(WarroomError):
    """The database could not take the input; the sender must try again."""


class DeliveryError(WarroomError):
    """An effect did not succeed; the subclass says what that means for trying again."""


class TryAgain(DeliveryError):
    """Not done. `after` is the least number of seconds to wait; None leaves it to our backoff."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Refused(DeliveryError):
    """Not done, and repeating it will not help."""


class Uncertain(DeliveryError):
    """The call may have taken effect: reconcile before anything is sent again."""
