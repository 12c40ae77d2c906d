"""A mail server on loopback: enough of SMTP to take mail, strict about the order, with failures to order.

Our own rather than aiosmtpd: the demo needs it too, so that would be a dependency of every installation, and the
faults (a connection lost after the text was taken) would have to be built around it.
"""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from warroom.sandbox.faults import Faults
from warroom.sandbox.feed import Feed
from warroom.sandbox.journal import Journal

MOST = 10_000_000
"""bytes of a mail"""


@dataclass
class Mail:
    """A mail as it was taken in."""

    at: datetime
    sender: str
    recipients: list[str]
    message: EmailMessage

    @property
    def text(self) -> str:
        """The text part."""
        part = self.message.get_body(("plain",))
        return str(part.get_content()) if part is not None else ""

    def as_json(self) -> dict[str, Any]:
        html = self.message.get_body(("html",))
        return {
            "at": self.at.isoformat(),
            "from": self.sender,
            "to": self.recipients,
            "subject": str(self.message["Subject"]),
            "message_id": str(self.message["Message-ID"]),
            "text": self.text,
            "html": str(html.get_content()) if html is not None else "",
        }


@dataclass
class Mailbox:
    """Everything that was mailed, in order. `user` and `password` must be given before mail is taken."""

    now: Callable[[], datetime]
    feed: Feed
    journal: Journal
    faults: Faults
    user: str = "warroom"
    password: str = "sandbox-mail-password"  # noqa: S105
    mails: list[Mail] = field(default_factory=list)

    def take(self, sender: str, recipients: list[str], content: bytes) -> None:
        """A mail arrived."""
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        mail = Mail(self.now(), sender, recipients, message)
        self.mails.append(mail)
        self.feed.publish("mail", **mail.as_json())

    def as_json(self) -> list[dict[str, Any]]:
        return [mail.as_json() for mail in self.mails]


class _Session:
    """One connection. Every command of a mail is a call of surface ``mail``: faults may meet MAIL, RCPT and DATA."""

    def __init__(self, box: Mailbox, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._box = box
        self._reader = reader
        self._writer = writer
        self._known = False
        self._sender: str | None = None
        self._recipients: list[str] = []

    async def talk(self) -> None:
        """Until QUIT, a dropped connection, or the other side's end."""
        await self._say("220 sandbox ESMTP")
        while line := await self._reader.readline():
            word, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            if not await self._obey(word.upper(), rest):
                return

    async def _obey(self, word: str, rest: str) -> bool:
        match word:
            case "EHLO" | "HELO":
                await self._say("250-sandbox\r\n250-SIZE 10000000\r\n250-8BITMIME\r\n250 AUTH PLAIN")
            case "AUTH":
                given = b64decode(rest.partition(" ")[2].encode()).decode().split("\0")[-2:]
                self._known = given == [self._box.user, self._box.password]
                await self._say("235 welcome" if self._known else "535 5.7.8 user or password is wrong")
            case "MAIL" | "RCPT" | "DATA":
                return await self._part(word, rest)
            case "RSET" | "NOOP":
                await self._say("250 ok")
            case "QUIT":
                await self._say("221 bye")
                return False
            case _:
                await self._say("502 no such command")
        return True

    async def _part(self, word: str, rest: str) -> bool:
        call = self._box.journal.begin("mail", word)
        fault = next((f for f in self._box.faults.take("mail", word) if f.kind != "latency"), None)
        error: str | None = fault.kind if fault else None
        try:
            if fault is not None and fault.kind in ("drop_before", "outage"):
                return False
            if fault is not None and fault.kind in ("429", "500", "refuse"):
                await self._say("550 5.1.1 refused" if fault.kind == "refuse" else "451 4.3.0 try again later")
                return True
            error = await self._take(word, rest, dropped=fault is not None and fault.kind == "drop_after")
            return error != "drop_after"
        finally:
            self._box.journal.end(call, error)

    async def _take(self, word: str, rest: str, *, dropped: bool) -> str | None:
        """Does one part of a mail; the error it ended with."""
        address = rest.partition("<")[2].partition(">")[0]
        if not self._known:
            await self._say("530 5.7.0 authentication required")
            return "530"
        if word == "MAIL":
            self._sender, self._recipients = address, []
        elif self._sender is None or (word == "DATA" and not self._recipients):
            await self._say("503 5.5.1 bad sequence of commands")
            return "503"
        elif word == "RCPT":
            self._recipients.append(address)
        else:
            await self._say("354 go ahead")
            self._box.take(self._sender, self._recipients, await self._content())
            self._sender = None
        if dropped:
            return "drop_after"
        await self._say("250 2.0.0 ok")
        return None

    async def _content(self) -> bytes:
        lines: list[bytes] = []
        while (line := await self._reader.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    async def _say(self, text: str) -> None:
        self._writer.write(f"{text}\r\n".encode())
        await self._writer.drain()


@asynccontextmanager
async def serve_mail(box: Mailbox, host: str) -> AsyncIterator[int]:
    """Listen on a free port; yields the port."""
    writers: set[asyncio.StreamWriter] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        with suppress(ConnectionError):
            await _Session(box, reader, writer).talk()
        writers.discard(writer)
        writer.close()

    server = await asyncio.start_server(talk, host, 0, limit=MOST)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await server.wait_closed()
