"""E-mail over SMTP, against a mail server on loopback: what arrives, and what each failure means."""

import asyncio
from collections.abc import AsyncIterator
from email.utils import parseaddr

import pytest
from tests.outlets.conftest import Book, Found, a_job, an_incident, compose

from warroom.errors import ConfigError, Refused, TryAgain, Uncertain
from warroom.outlets.mail import MailPerformer
from warroom.outlets.smtp import Smtp
from warroom.sandbox import Sandbox
from warroom.sandbox.mail import serve_mail

SENDER = "warroom@firm.example"
ANA, RAJ = "ana@firm.example", "raj@firm.example"


@pytest.fixture
async def smtp(sandbox: Sandbox) -> AsyncIterator[Smtp]:
    box = sandbox.mail
    smtp = Smtp(f"smtp://{box.user}:{box.password}@127.0.0.1:{sandbox.mail_port}", timeout=2)
    yield smtp
    await smtp.close()


def performer(smtp: Smtp | None, *emails: str, missing: tuple[str, ...] = (), sender: str = SENDER) -> MailPerformer:
    return MailPerformer(compose, Book(Found(emails, missing)), smtp, sender)


async def test_a_mail_has_the_message_as_text_and_as_html_and_the_summary_as_its_subject(
    sandbox: Sandbox, smtp: Smtp
) -> None:
    job = a_job("mail.send", groups=["desk"])
    assert await performer(smtp, ANA, RAJ).perform(job) == {"sent": 2, "missing": []}
    (mail,) = sandbox.mail.mails
    assert (mail.sender, mail.recipients) == (SENDER, [ANA, RAJ])
    assert str(mail.message["Subject"]) == compose(job).summary
    assert "It is being mended." in mail.text
    html = mail.message.get_body(("html",))
    assert html is not None
    assert "It is being mended." in html.get_content()
    assert html.get_content().startswith("<!doctype html>")
    assert [a.addr_spec for a in mail.message["To"].addresses] == [ANA, RAJ]
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert str(mail.message["Date"]) == "Tue, 17 Nov 2026 14:31:00 +0000"


async def test_people_of_an_external_audience_do_not_see_each_other(sandbox: Sandbox, smtp: Smtp) -> None:
    await performer(smtp, ANA, RAJ).perform(a_job("mail.send", groups=["customers"], hidden=True))
    (mail,) = sandbox.mail.mails
    assert mail.recipients == [ANA, RAJ]
    assert ANA not in mail.message.as_string()


async def test_a_repeat_has_the_same_message_id_and_another_message_another_one(sandbox: Sandbox, smtp: Smtp) -> None:
    mails = performer(smtp, ANA)
    for key in ("comm:a:1:@mail:desk", "comm:a:1:@mail:desk", "comm:b:1:@mail:desk"):
        job = a_job("mail.send", key, groups=["desk"])
        assert await mails.find(job) is None
        await mails.perform(job)
    ids = [mail.message["Message-ID"] for mail in sandbox.mail.mails]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0].endswith("@firm.example>")
    assert len({mail.message["References"] for mail in sandbox.mail.mails}) == 1


@pytest.mark.row("S4")
async def test_what_an_alert_says_adds_no_header_and_no_tag(sandbox: Sandbox, smtp: Smtp) -> None:
    text = "down\r\nBcc: eve@evil.example\r\n\r\n<b>x</b> <script>alert(1)</script>"
    await performer(smtp, ANA).perform(a_job("mail.send", incident=an_incident(text), text=text, groups=["desk"]))
    (mail,) = sandbox.mail.mails
    assert mail.recipients == [ANA]
    assert mail.message["Bcc"] is None
    assert "\n" not in str(mail.message["Subject"])
    html = mail.message.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()
    assert "&lt;script&gt;" in html.get_content()


@pytest.mark.parametrize("part", ["MAIL", "RCPT", "DATA"])
async def test_a_server_that_is_busy_is_tried_again(sandbox: Sandbox, smtp: Smtp, part: str) -> None:
    sandbox.faults.add("mail", part, "500")
    with pytest.raises(TryAgain, match=r"451 4\.3\.0 try again later"):
        await performer(smtp, ANA).perform(a_job("mail.send", groups=["desk"]))
    await performer(smtp, ANA).perform(a_job("mail.send", groups=["desk"]))
    assert len(sandbox.mail.mails) == 1


@pytest.mark.parametrize("part", ["MAIL", "RCPT", "DATA"])
async def test_a_server_that_says_no_is_believed(sandbox: Sandbox, smtp: Smtp, part: str) -> None:
    sandbox.faults.add("mail", part, "refuse")
    with pytest.raises(Refused, match=r"550 5\.1\.1 refused"):
        await performer(smtp, ANA).perform(a_job("mail.send", groups=["desk"]))
    assert sandbox.mail.mails == []


async def test_one_address_that_is_refused_does_not_keep_the_mail_from_the_others(sandbox: Sandbox, smtp: Smtp) -> None:
    sandbox.faults.add("mail", "RCPT", "refuse")
    result = await performer(smtp, ANA, RAJ).perform(a_job("mail.send", groups=["desk"]))
    assert result == {"sent": 1, "missing": [f"{ANA} was not accepted: 550 5.1.1 refused"]}
    assert sandbox.mail.mails[0].recipients == [RAJ]


async def test_a_connection_lost_before_the_text_was_sent_is_tried_again(sandbox: Sandbox, smtp: Smtp) -> None:
    sandbox.faults.add("mail", "RCPT", "drop_before")
    with pytest.raises(TryAgain, match="broke off"):
        await performer(smtp, ANA).perform(a_job("mail.send", groups=["desk"]))


async def test_a_connection_lost_after_the_text_was_sent_leaves_it_uncertain(sandbox: Sandbox, smtp: Smtp) -> None:
    sandbox.faults.add("mail", "DATA", "drop_after")
    with pytest.raises(Uncertain, match="may have gone out"):
        await performer(smtp, ANA).perform(a_job("mail.send", groups=["desk"]))
    assert len(sandbox.mail.mails) == 1


async def test_nobody_listening_is_tried_again() -> None:
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    smtp = Smtp(f"smtp://127.0.0.1:{port}", timeout=2)
    with pytest.raises(TryAgain, match="broke off"):
        await performer(smtp, ANA).perform(a_job("mail.send", groups=["desk"]))
    await smtp.close()


async def test_a_wrong_password_is_refused_and_not_quoted(sandbox: Sandbox) -> None:
    smtp = Smtp(f"smtp://warroom:hunter2%40home@127.0.0.1:{sandbox.mail_port}", timeout=2)
    with pytest.raises(Refused, match="535") as error:
        await performer(smtp, ANA).perform(a_job("mail.send", groups=["desk"]))
    assert "hunter2" not in str(error.value)
    await smtp.close()


async def test_without_a_mail_server_the_setting_is_named() -> None:
    with pytest.raises(Refused, match="set WARROOM_SMTP_URL"):
        await performer(None, ANA).perform(a_job("mail.send", groups=["desk"]))


async def test_nobody_to_write_to_is_refused_with_the_reasons(smtp: Smtp) -> None:
    with pytest.raises(Refused, match=r"nobody to write to\. Nobody is in group desk"):
        await performer(smtp, missing=("Nobody is in group desk.",)).perform(a_job("mail.send", groups=["desk"]))


async def test_an_address_that_no_header_can_hold_is_told_as_missing(sandbox: Sandbox, smtp: Smtp) -> None:
    odd = "ö@firm.example"
    result = await performer(smtp, ANA, odd).perform(a_job("mail.send", groups=["desk"]))
    assert result == {"sent": 1, "missing": [f"{odd} cannot be written to."]}
    assert parseaddr(str(sandbox.mail.mails[0].message["To"]))[1] == ANA


@pytest.mark.parametrize("url", ["http://mail.example", "smtp://", "mail.example:25"])
def test_an_address_that_is_no_mail_server_is_a_mistake(url: str) -> None:
    with pytest.raises(ConfigError, match="WARROOM_SMTP_URL"):
        Smtp(url)


async def test_a_password_is_not_sent_in_the_clear_to_another_machine(sandbox: Sandbox) -> None:
    box = sandbox.mail
    async with serve_mail(box, "127.0.0.2") as port:
        smtp = Smtp(f"smtp://{box.user}:{box.password}@127.0.0.2:{port}", timeout=2)
        with pytest.raises(Refused, match="offers no TLS, so the password was not sent"):
            await performer(smtp, ANA).perform(a_job("mail.send", groups=["desk"]))
        await smtp.close()
