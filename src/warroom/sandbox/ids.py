"""Identifiers: unique inside one sandbox, in the shape the real service gives them."""

from itertools import count

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


class Ids:
    """Hands out ``prefix`` + eight characters that never repeat."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def next(self, prefix: str) -> str:
        """A fresh id such as ``C0000001J``."""
        number, text = next(self._numbers), ""
        while number:
            number, digit = divmod(number, len(_ALPHABET))
            text = _ALPHABET[digit] + text
        return prefix + text.rjust(8, "0")
