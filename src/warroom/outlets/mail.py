"""E-mail: the effect mail.send."""

import hashlib
from collections.abc import Mapping, Sequence
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from warroom.engine.ports import Job
from warroom.errors import Refused
from warroom.outlets.ports import AddressBook, Compose, Mailer

BUCKET = "mail"
LIMITS: Mapping[str, tuple[float, float]] = {BUCKET: (20.0, 5.0)}
"""Capacity and refill per second: what any mail server of a firm takes from one sender."""

SUBJECT = 200
"""Characters of a subject."""

NOT_SET = (
    "No e-mail can be sent: set WARROOM_SMTP_URL to the mail server, and WARROOM_MAIL_FROM to the sender's address."
)
_PAGE = '<!doctype html>\n<html><head><meta charset="utf-8"></head><body>\n{}\n</body></html>\n'


class MailPerformer:
    """Sends one mail per effect to the members of its groups. Without `mailer` or `sender` every one is refused.

    A mail cannot be looked up once it has left: after an attempt of unknown outcome it is sent again with the same
    Message-ID, so that mail programs show it once. A notification may come twice rather than not at all.
    """

    kinds = frozenset({"mail.send"})

    def __init__(self, compose: Compose, book: AddressBook, mailer: Mailer | None, sender: str | None) -> None:
        self._compose = compose
        self._book = book
        self._mailer = mailer
        self._sender = sender or ""

    def buckets(self, job: Job) -> tuple[str, ...]:
        """The mail server's patience."""
        return (BUCKET,)

    async def perform(self, job: Job) -> Mapping[str, object]:
        """Send it → sent, missing. Raises TryAgain, Refused or Uncertain."""
        if self._mailer is None or not self._sender:
            raise Refused(NOT_SET)
        data = job.effect.data
        found = await self._book.addresses(_words(data.get("groups")))
        good = {email: address for email in found.emails if (address := _address(email)) is not None}
        missing = [*found.missing, *(f"{e} cannot be written to." for e in found.emails if e not in good)]
        if not good:
            raise Refused(" ".join(["There is nobody to write to.", *missing]))
        content = self._write(job, tuple(good.values()))
        refused = await self._mailer.send(parseaddr(self._sender)[1], tuple(good), content.as_bytes())
        missing += [f"{email} was not accepted: {why}" for email, why in refused.items()]
        return {"sent": len(good) - len(refused), "missing": missing}

    async def find(self, job: Job) -> Mapping[str, object] | None:
        """Nobody can tell: it is sent again, with the same Message-ID."""
        return None

    def _write(self, job: Job, to: tuple[Address, ...]) -> EmailMessage:
        message = self._compose(job)
        name, email = parseaddr(self._sender)
        domain = email.partition("@")[2]
        mail = EmailMessage(policy=policy.SMTP)
        mail["From"] = Address(name or "warroom", addr_spec=email)
        mail["To"] = "undisclosed-recipients:;" if job.effect.data.get("hidden") else to
        mail["Subject"] = " ".join(message.summary.split())[:SUBJECT]
        mail["Date"] = format_datetime(job.effect.at)
        mail["Message-ID"] = f"<{_opaque(job.id)}@{domain}>"
        mail["References"] = f"<{_opaque(job.incident.id)}@{domain}>"  # mail programs keep an incident together
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.plain)
        mail.add_alternative(_PAGE.format(message.html), subtype="html")
        return mail


def _address(email: str) -> Address | None:
    """The address as a header can hold it; None for one that no header can."""
    try:
        return Address(addr_spec=email) if email.isascii() else None
    except (MessageError, ValueError, IndexError):
        return None


def _opaque(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _words(value: object) -> Sequence[str]:
    return [str(word) for word in value] if isinstance(value, list | tuple) else []
