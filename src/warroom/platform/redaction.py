"""Secrets stay out of what people are shown and what is kept as evidence.

Two nets: the values of the secrets we know, in every spelling they travel in, and the shapes secrets usually
have. A harmless word too many is hidden rather than a password shown.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from math import isfinite
from urllib.parse import quote

HIDDEN = "***"
SHORTEST_SECRET = 6
"""Known secrets below this length are not searched for: they would blank out words like "true"."""

_NAME = (
    r"(?:password|passwd|passphrase|requirepass|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|signing[_-]?key|routing[_-]?key|credentials?)"
)
_SECRET_NAME = re.compile(rf"{_NAME}|authorization|(?:^|[_-])(?:key|pass|auth)$", re.IGNORECASE)
_VALUE = r"""(?:"(?:[^"\\]|\\.)*"|'[^'\n]*'|\\?["']?[^\s,;&"'}\]\\]+)"""

_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.S),
        HIDDEN,
    ),
    (re.compile(r"""(?i)(authorization\\?["']?\s{0,4}[=:]\s{0,4})digest\s[^\r\n]+"""), rf"\1{HIDDEN}"),
    (re.compile(r"""(?i)(authorization\\?["']?\s{0,4}[=:]\s{0,4}\\?["']?)[^\r\n"'\\]+"""), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer)\s{1,4}[\w.~+/=-]{6,}"), rf"\1 {HIDDEN}"),
    (re.compile(rf"""(?i)({_NAME}[\w-]{{0,20}}\\?["']?\s{{0,4}}[=:]\s{{0,4}}){_VALUE}"""), rf"\1{HIDDEN}"),
    (re.compile(rf"(?i)(--?(?:\w{{1,20}}-){{0,3}}{_NAME}\s{{1,4}})[^\s-]\S*"), rf"\1{HIDDEN}"),
    (re.compile(r"""(?i)\b([a-z][a-z0-9+.-]{0,20}://)[^\s/"'<>]{1,256}@"""), rf"\1{HIDDEN}@"),
    (re.compile(r"\b(?:xox[a-z]|xapp)-[\w-]{8,}"), HIDDEN),
    (re.compile(r"\b(?:gh[pousr]|github_pat)_\w{16,}"), HIDDEN),
    (re.compile(r"\bglpat-[\w-]{16,}"), HIDDEN),
    (re.compile(r"\b[sr]k[-_][\w-]{16,}"), HIDDEN),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), HIDDEN),
    (re.compile(r"\bAIza[\w-]{30,}"), HIDDEN),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{0,}"), HIDDEN),
)


def is_secret_name(name: str) -> bool:
    """Whether a variable, key or field of this name holds a secret (EMERGENCY_TOKEN, db_password, …)."""
    return name not in {"PWD", "OLDPWD"} and _SECRET_NAME.search(name) is not None


def printable(text: str) -> str:
    """Text that every database and every JSON reader takes: no NUL, no lone surrogates."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


class Redactor:
    """Replaces secrets by ***. `secrets` are the values known to be secret."""

    def __init__(self, secrets: Iterable[str]) -> None:
        spellings = {s for secret in secrets if len(secret) >= SHORTEST_SECRET for s in _spellings(secret)}
        longest_first = sorted(spellings, key=lambda s: (-len(s), s))
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        """The text without secrets, printable."""
        if self._known:
            text = self._known.sub(HIDDEN, text)
        for shape, instead in _SHAPES:
            text = shape.sub(instead, text)
        return printable(text)

    def value(self, value: object) -> object:
        """A JSON value without secrets; whatever is no JSON becomes text."""
        match value:
            case None | bool() | int():
                return value
            case float():
                return value if isfinite(value) else str(value)
            case str():
                return self.text(value)
            case Mapping():
                return {
                    self.text(str(k)): HIDDEN if is_secret_name(str(k)) and isinstance(v, str) else self.value(v)
                    for k, v in value.items()
                }
            case list() | tuple():
                return [self.value(v) for v in value]
            case _:
                return self.text(str(value))


def _spellings(secret: str) -> set[str]:
    """A secret as it is, in a URL, in JSON, and in base64."""
    encoded = b64encode(secret.encode()).decode()
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], encoded, encoded.rstrip("=")}
