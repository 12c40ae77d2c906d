"""A `ports.Mailer` over SMTP: the standard library's client in threads of its own."""

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from warroom.errors import ConfigError, DeliveryError, Refused, TryAgain, Uncertain

LOCAL = ("localhost", "127.0.0.1", "::1")
SAID = 300
"""Characters we keep of what the server says."""


class Smtp:
    """Mail through the server at `url`: smtp://[user:password@]host[:port], or smtps:// for TLS from the first byte.

    With smtp:// TLS is begun when the server offers it; a password is never sent without TLS but to this machine.
    `timeout` (seconds) bounds connecting and each answer. No error's text holds the password. Raises ConfigError.
    """

    def __init__(self, url: str, *, timeout: float = 10, workers: int = 2) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ConfigError(["WARROOM_SMTP_URL is no mail server: write smtp://user:password@host:port."])
        self._tls = parts.scheme == "smtps"
        self._host = parts.hostname
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._port = parts.port or (465 if self._tls else 587 if self._user else 25)
        self._timeout = timeout
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="mail")

    async def send(self, sender: str, recipients: Sequence[str], content: bytes) -> Mapping[str, str]:
        """See `ports.Mailer`."""
        loop = asyncio.get_running_loop()
        result = await loop.run_in_executor(self._pool, self._blocking, sender, recipients, content)
        if isinstance(result, DeliveryError):
            raise result  # made anew here, so that no traceback drags along what was said to the server
        return result

    async def greet(self) -> None:
        """Connect and log in, and send nothing. Raises TryAgain or Refused."""
        result = await asyncio.get_running_loop().run_in_executor(self._pool, self._greeting)
        if result is not None:
            raise result

    async def close(self) -> None:
        """Forget what is not begun, wait for what is (the timeout bounds it)."""
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)

    def _greeting(self) -> DeliveryError | None:
        try:
            with suppress(smtplib.SMTPServerDisconnected):
                self._connect().quit()
        except (smtplib.SMTPException, OSError, DeliveryError) as error:
            return self._failure(error, handed_over=False)
        return None

    def _blocking(self, sender: str, recipients: Sequence[str], content: bytes) -> Mapping[str, str] | DeliveryError:
        server: smtplib.SMTP | None = None
        under_way = False
        try:
            server = self._connect()
            code, answer = server.mail(sender)
            if code != 250:
                return self._judge("the sender", code, answer)
            refused = {}
            for recipient in recipients:
                code, answer = server.rcpt(recipient)
                if code not in (250, 251):
                    refused[recipient] = (code, answer)
            if len(refused) == len(recipients):
                return self._judge("the recipients", *min(refused.values()))
            under_way = True
            code, answer = server.data(content)
            if code != 250:
                return self._judge("the mail", code, answer)
            return {recipient: self._words(*said) for recipient, said in refused.items()}
        except (smtplib.SMTPException, OSError, DeliveryError) as error:
            return self._failure(error, handed_over=under_way)
        finally:
            if server is not None:
                with suppress(smtplib.SMTPException, OSError):
                    server.quit()

    def _failure(self, error: Exception, *, handed_over: bool) -> DeliveryError:
        match error:
            case DeliveryError():
                return error
            case smtplib.SMTPResponseException():
                return self._judge("the connection", error.smtp_code, error.smtp_error)
            case smtplib.SMTPNotSupportedError():
                return Refused(f"The mail server {self._host} cannot do what is needed: {error}")
            case ssl.SSLCertVerificationError():
                return Refused(f"The certificate of the mail server {self._host} is not good: {error.verify_message}")
        said = f"The mail server {self._host}:{self._port} broke off ({type(error).__name__})"
        if handed_over:
            return Uncertain(f"{said} after the mail had been handed over; it may have gone out.")
        return TryAgain(f"{said}.")

    def _connect(self) -> smtplib.SMTP:
        name = socket.gethostname()  # the library would ask the DNS for the full one
        if self._tls:
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, local_hostname=name, timeout=self._timeout, context=context
            )
        else:
            server = smtplib.SMTP(self._host, self._port, local_hostname=name, timeout=self._timeout)
        try:
            server.ehlo()
            secret = self._tls or self._host in LOCAL
            if not self._tls and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
                server.ehlo()
                secret = True
            if self._user and not secret:
                raise Refused(
                    f"The mail server {self._host} offers no TLS, so the password was not sent: use smtps://."
                )
            if self._user:
                server.login(self._user, self._password)
        except BaseException:
            server.close()
            raise
        return server

    def _judge(self, what: str, code: int, answer: bytes | str) -> DeliveryError:
        said = f"The mail server did not take {what}: {self._words(code, answer)}"
        return TryAgain(said) if 400 <= code < 500 else Refused(said)

    def _words(self, code: int, answer: bytes | str) -> str:
        text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
        if self._password:
            text = text.replace(self._password, "***")
        return f"{code} {' '.join(text.split())}"[:SAID]
