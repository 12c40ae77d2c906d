"""What people and systems do in a story: each gives an act that a step can carry."""

from collections.abc import Callable, Sequence
from typing import Any

from warroom.sandbox.people import BOT_USER_ID, person
from warroom.sandbox.scenario import ROOM, Act, Story, story_time


def switch(of: str = "platform", /, **switches: Any) -> Act:
    """Set switches of one of the sandbox's trading platforms: ``platform``, ``eafix`` or ``market_data``."""

    async def act(story: Story, who: str) -> None:
        for name, value in switches.items():
            getattr(story.sandbox, of).switch(name, value)

    return act


def alert(service: str, title: str, **more: Any) -> Act:
    """A monitoring system raises an alert in PagerDuty; ``more`` as for PagerDuty.trigger."""

    async def act(story: Story, who: str) -> None:
        pagerduty = story.sandbox.pagerduty
        story.incident_id = pagerduty.trigger(pagerduty.service(service), title, **more).id

    return act


def press(action_id: str, modal: str | None = None, **values: Any) -> Act:
    """Press a button and, when ``modal`` is given, fill the modal it opens."""

    async def act(story: Story, who: str) -> None:
        await story.click(who, action_id)
        if modal is not None:
            await story.submit(who, modal, values)

    return act


def type_command(
    command: str,
    text: str = "",
    *,
    channel: str = ROOM,
    modal: str | None = None,
    confirm: str | None = None,
    **values: Any,
) -> Act:
    """Type a command; fill the ``modal`` it opens; press the ``confirm`` button it answers with.

    With both, the modal is filled only if the command opened one.
    """

    async def act(story: Story, who: str) -> None:
        answer = await story.command(who, channel, command, text)
        opened = (answer.view or {}).get("callback_id") == modal
        if modal is not None and (opened or confirm is None):
            await story.submit(who, modal, values)
        if confirm is not None:
            await story.click(who, confirm)

    return act


def order(text: str) -> Act:
    """Order an action in the incident's room: type it, look at what is shown, press the button."""
    return type_command("/incident", f"action {text}", confirm="action.confirm")


def resolve(**words: str) -> Act:
    """Resolve the incident with these words: ``summary``, ``root_cause``, ``actions_taken``."""
    return type_command("/incident", "resolve", modal="resolve", **words)


def say(text: str, *, channel: str = ROOM, thread: bool = False) -> Act:
    """Say something, in a thread under the newest message of a person when ``thread``."""

    async def act(story: Story, who: str) -> None:
        where = await story.channel(channel)
        if person(who).slack_id not in story.sandbox.slack.channels[where].members:
            await story.sandbox.join(who, where)
        parent = None
        if thread:
            said = [m for m in story.visible(who) if m.channel == where and m.user != BOT_USER_ID]
            said = [m for m in said if m.subtype is None and m.thread_ts is None and not m.ephemeral_to]
            parent = said[0].ts if said else None
        await story.sandbox.say(who, where, text, parent)

    return act


def expect(what: str, look: Callable[[Story], Any]) -> Act:
    """Wait until ``look`` finds something; ``what`` names it."""

    async def act(story: Story, who: str) -> None:
        await story.wait_for(lambda: look(story), what)

    return act


def paged(who: str) -> Callable[[Story], bool]:
    """PagerDuty has called this person since the story began."""

    def look(story: Story) -> bool:
        pages = story.sandbox.pagerduty.pages
        return any(p["to"] == person(who).name and p["at"] >= story.started.isoformat() for p in pages)

    return look


def bot_said(since: str, *, channel: str = ROOM, words: Sequence[str] = ()) -> Callable[[Story], bool]:
    """The bot has posted in the channel after story time ``since``, with all of ``words`` in it."""
    offset = story_time(since)

    def look(story: Story) -> bool:
        room = story.find_room() if channel == ROOM else story.sandbox.people.channel(channel)
        posts = [m for m in room.messages.values() if m.by_bot and m.subtype is None] if room else []
        recent = [story.sandbox.slack.readable(m).lower() for m in posts if m.at >= story.started + offset]
        return any(all(word.lower() in text for word in words) for text in recent)

    return look
