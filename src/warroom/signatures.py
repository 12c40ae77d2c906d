"""Signatures of what others send us: v1=<HMAC-SHA256 of the raw body>, several separated by commas."""

import hashlib
import hmac
from collections.abc import Sequence

from warroom.errors import BadRequest


def verify(body: bytes, given: str, secrets: Sequence[str], *, header: str, variable: str, whose: str) -> None:
    """Accept `body` only with a v1 signature in `given` by one of our secrets.

    While a secret is rotated the header carries several signatures and we know several secrets: one match is
    enough. Every pair is compared, in constant time. Blank secrets never match. `header`, `variable` and `whose` are
    named in what is said: BadRequest 403 when no secret is set, 401 without a v1 signature or without a match.
    """
    keys = [s.encode() for s in secrets if s.strip()]
    if not keys:
        raise BadRequest(f"{whose} are not set up here: set {variable} to the secret shared with the sender.", 403)
    parts = (part.strip() for part in given.split(","))
    signatures = [p.removeprefix("v1=").encode("utf-8", "replace") for p in parts if p.startswith("v1=")]
    if not signatures:
        raise BadRequest(f"The {header} header holds no v1 signature.", 401)
    wanted = [hmac.new(key, body, hashlib.sha256).hexdigest().encode() for key in keys]
    matches = [hmac.compare_digest(w, g) for w in wanted for g in signatures]
    if not any(matches):
        raise BadRequest(f"The signature fits none of our secrets: compare {variable} with the sender's.", 401)
