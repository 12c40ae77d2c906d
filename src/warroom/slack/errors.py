"""What Slack's refusals mean for an effect, and what a person should do about them."""

from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError

from warroom.errors import DeliveryError, Refused, TryAgain, Uncertain

LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
BUSY = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})

_ADVICE = {
    "missing_scope": "add the scope {needed} by reinstalling the app from manifest.yml",
    "channel_not_found": "create the channel (and invite the bot when it is private), "
    "or name another one under channels in warroom.yaml",
    "is_archived": "unarchive the channel, or name another one under channels in warroom.yaml",
    "not_in_channel": "invite the bot to the channel",
    "name_taken": "rename or archive the channel of that name",
    "invalid_auth": "set SLACK_BOT_TOKEN to the bot token of the installed app",
    "not_authed": "set SLACK_BOT_TOKEN to the bot token of the installed app",
    "account_inactive": "reinstall the app from manifest.yml and set SLACK_BOT_TOKEN",
    "token_revoked": "reinstall the app from manifest.yml and set SLACK_BOT_TOKEN",
    "token_expired": "reinstall the app from manifest.yml and set SLACK_BOT_TOKEN",
    "not_allowed_token_type": "set SLACK_BOT_TOKEN to a bot token (xoxb-…)",
    "restricted_action": "ask a workspace owner to allow this for apps",
    "message_not_found": "the message was deleted, so it can no longer be changed",
    "cant_update_message": "the message is not ours, so it cannot be changed",
    "invalid_blocks": "correct the message's template: {detail}",
    "invalid_arguments": "correct what is sent: {detail}",
    "msg_too_long": "shorten the message's template",
    "expired_trigger_id": "the form was asked for more than 3 seconds ago: ask again",
    "user_not_found": "check the person's Slack account",
    "users_not_found": "check the person's e-mail in Slack and in warroom.yaml",
    "no_such_subteam": "check the user group's id under groups in warroom.yaml",
    "thread_not_found": "the message of that thread was deleted",
}


class SlackRefused(Refused):
    """Slack's own no; `code` is its word for it, `errors` its details per item where it gives them."""

    def __init__(self, reason: str, code: str, errors: tuple[Mapping[str, Any], ...] = ()) -> None:
        super().__init__(reason)
        self.code = code
        self.errors = errors


class Doubtful(TryAgain):
    """Slack failed in itself; part of the call may have happened, so look before saying it a second time."""


def delivery_error(method: str, writes: bool, error: Exception) -> DeliveryError:
    """What an exception of the Slack client means. `writes`: the call may have changed something."""
    match error:
        case SlackApiError():
            return _answered(method, writes, error.response)
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return TryAgain(f"{method}: Slack cannot be reached")
        case AttributeError() | UnicodeDecodeError():
            return _unanswered(writes, f"{method}: Slack's answer could not be read")
        case TimeoutError():
            return _unanswered(writes, f"{method}: Slack did not answer in time")
        case _:
            return _unanswered(writes, f"{method}: the connection to Slack broke ({type(error).__name__})")


def _unanswered(writes: bool, reason: str) -> DeliveryError:
    return Uncertain(reason) if writes else TryAgain(reason)


def _answered(method: str, writes: bool, response: Any) -> DeliveryError:
    """`response` is the client's, or aiohttp's own where the body could not be read."""
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    data = getattr(response, "data", None)
    answer: Mapping[str, Any] = data if isinstance(data, dict) else {}
    code = str(answer.get("error") or "")
    if status == 429 or code in LIMITED:
        return TryAgain(f"{method}: Slack limits the rate", after=_seconds(response))
    if status >= 500 or code in BUSY:
        return Doubtful(f"{method}: Slack has an error of its own ({code or status})")
    if not code:
        return _unanswered(writes, f"{method}: Slack's answer could not be read (HTTP {status})")
    return refusal(method, code, answer)


def refusal(method: str, code: str, answer: Mapping[str, Any] | None = None) -> SlackRefused:
    """The refusal `code` as a sentence that says what to do."""
    answer = answer or {}
    errors = tuple(e for e in answer.get("errors") or () if isinstance(e, dict))
    said = [str(m) for m in (answer.get("response_metadata") or {}).get("messages") or ()]
    advice = _ADVICE.get(code, "see the method's page on docs.slack.dev").format(
        needed=answer.get("needed") or "that it needs",
        detail="; ".join(said[:3]) or "Slack gave no detail",
    )
    return SlackRefused(f"Slack refused {method} ({code}): {advice}.", code, errors)


def _seconds(response: Any) -> float | None:
    """Retry-After of a 429 in seconds, if Slack gave one."""
    text = str((getattr(response, "headers", None) or {}).get("Retry-After", ""))
    return float(text) if text.isdigit() else None
