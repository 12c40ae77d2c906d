"""Whatever people, PagerDuty, the platform and time do, in whatever order, the rules keep their promises."""

import json
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.play import ANA, EVE, ID, PACK, RAJ, START, Play, Went, succeed

from warroom.domain.effects import Effect, FieldErrors, Form, Reply
from warroom.domain.evolve import fold
from warroom.domain.incident import Incident
from warroom.domain.inputs import Pinned
from warroom.domain.people import By

HOSTILE = "<!channel> @here <@U0EVE> *bold* _x_ `code` <https://evil.example|click> :rotating_light: & | {{ 7*7 }}"
PEOPLE = st.sampled_from([ANA, RAJ, EVE])
TEXT = st.sampled_from(["", "we know more", HOSTILE, "500 errors", "| |", "x" * 3000, "two\nlines", "\u202e\x00odd"])
STEPS = st.sampled_from([s.id for level in PACK.pack.severities.values() for s in level.steps] + ["p0_x"])
KINDS = st.sampled_from(
    [
        "incident.triggered",
        "incident.acknowledged",
        "incident.unacknowledged",
        "incident.escalated",
        "incident.reassigned",
        "incident.delegated",
        "incident.priority_updated",
        "incident.resolved",
        "incident.reopened",
        "incident.annotated",
        "incident.status_update_published",
        "incident.responder.added",
        "incident.responder.replied",
        "incident.workflow.started",
        "pagey.ping",
    ]
)
COMMANDS = st.one_of(
    st.sampled_from(
        [
            "/incident",
            "/incident ack",
            "/incident take",
            "/incident status",
            "/incident contacts",
            "/incident timeline",
            "/incident list",
            "/incident postmortem",
            "/incident resolve",
            "/incident assign scribe <@U0RAJ|raj>",
            "/incident assign commander ana",
            "/incident declare P1 Orders are rejected",
            "/incident declare",
            "/incident-status",
            "/diagnostics",
            "/diagnostics evidence",
            "/diagnostics sentinel-helth",
            "/halt",
            "/halt all bad prices | really",
            "/halt status",
            "/incident ack 2",
            "/incident statsu",
        ]
    ),
    st.sampled_from(["P0", "P1", "P2", "P3", "P9"]).map("/incident severity {} because".format),
    TEXT.map("/incident update {}".format),
    TEXT.map("/incident note {}".format),
    TEXT.map("/incident declare P2 {}".format),
    STEPS.map("/incident step done {}".format),
    STEPS.map("/incident step skip {} no need".format),
)
MOVES = st.one_of(
    st.tuples(st.just("wait"), st.integers(0, 40 * 60)),
    st.tuples(st.just("sleep"), st.integers(0, 3 * 3600)),
    st.tuples(st.just("type"), COMMANDS, PEOPLE, st.sampled_from(["CROOM", "CELSE"])),
    st.tuples(st.just("hear"), KINDS, st.integers(0, 1800), TEXT, st.sampled_from(["P0", "P2", "P5", None])),
    st.tuples(
        st.just("click"),
        st.sampled_from(["incident.ack", "incident.take", "incident.update", "incident.resolve", "halt.open", "odd"]),
        st.sampled_from([ID, "INC-2026-0099", ""]),
        PEOPLE,
    ),
    st.tuples(st.just("click"), st.sampled_from(["step.done", "step.skip"]), STEPS.map(f"{ID}|{{}}".format), PEOPLE),
    st.tuples(
        st.just("click"),
        st.just("halt.confirm"),
        st.sampled_from([f"{ID}|run1|lav_adaf|all|a | b", f"{ID}|run2|lav_adaf|all|x", "|run3|lav_adaf|all|y", "odd"]),
        PEOPLE,
    ),
    st.tuples(
        st.just("send"), st.sampled_from(["update", "resolve", "halt", "declare", "step_skip", "odd"]), TEXT, PEOPLE
    ),
    st.tuples(st.just("pin"), PEOPLE),
)


class World:
    """Mostly succeeds; now and then refuses, does not know, or never answers."""

    def __init__(self, moods: list[str]) -> None:
        self.moods = moods
        self.count = 0

    def __call__(self, effect: Effect, incident: Incident) -> Mapping[str, Any] | Went | None:
        self.count += 1
        mood = self.moods[self.count % len(self.moods)]
        if mood == "done":
            return succeed(effect, incident)
        return None if mood == "silent" else Went(mood, HOSTILE)


def make(play: Play, move: tuple[Any, ...]) -> Any:
    """One move; returns the answer if somebody asked."""
    match move:
        case ("wait", seconds):
            play.wait(timedelta(seconds=seconds))
        case ("sleep", seconds):
            play.sleep(timedelta(seconds=seconds))
        case ("type", text, person, channel):
            return play.type(text, person, channel)
        case ("hear", kind, ago, text, priority):
            at = max(START, play.now - timedelta(seconds=ago))
            play.hear(kind, at=at, text=text, priority=priority, created_at=START, title=HOSTILE, people=("WARREN",))
        case ("click", action, value, person):
            return play.click(action, value, person)
        case ("send", form, text, person):
            about = {"step_skip": f"{ID}|p0_commander", "declare": ""}.get(form, ID)
            keys = ("summary", "title", "scope", "reason", "root_cause", "actions_taken", "impact", "eta")
            values = dict.fromkeys(keys, text) | {"status": "identified", "severity": "P1"}
            if form == "halt" and text:
                values["scope"] = "all"
            return play.send(form, about, person, **values)
        case ("pin", person):
            play.give(Pinned(actor=person, channel="CROOM", ts="1.5"))
    return None


def check_answer(play: Play, answer: Any) -> None:
    """Every answer can be shown."""
    if isinstance(answer, Reply):
        json.dumps(dict(answer.context))
        assert play.shown is not None
        play.show(answer)
    elif isinstance(answer, Form):
        json.dumps(dict(answer.context))
    elif isinstance(answer, FieldErrors):
        assert answer.errors
        assert all(answer.errors.values())


def mentions(node: Any) -> set[str]:
    """Who would be called by these blocks."""
    found: set[str] = set()
    if isinstance(node, dict):
        if node.get("type") in ("user", "broadcast", "usergroup"):
            found.add(str(node.get("user_id") or node.get("range") or node.get("usergroup_id")))
        found |= {m for value in node.values() for m in mentions(value)}
    elif isinstance(node, list):
        found |= {m for item in node for m in mentions(item)}
    return found


@settings(settings.get_profile("plays"))
@given(
    st.lists(MOVES, min_size=1, max_size=25),
    st.lists(st.sampled_from(["done"] * 12 + ["refused", "unknown", "silent"]), min_size=1, max_size=12),
    st.sampled_from(["live", "dry_run", "off"]),
    st.sampled_from(["Market Sentinel down", HOSTILE, "", "Kafka lag"]),
)
def test_any_play_keeps_the_promises(moves: list[tuple[Any, ...]], moods: list[str], actions: str, title: str) -> None:
    play = Play(actions=actions, world=World(moods), shown=[])
    play.alert(title=title, details={"description": HOSTILE})
    for move in moves:
        check_answer(play, make(play, move))
    assert play.broken == []
    for name, facts in play.facts.items():
        assert fold(facts) == play.incidents[name]
        assert all(before.recorded <= fact.recorded for before, fact in pairwise(facts))
    for made in play.made.values():
        json.dumps(dict(made.data))
    assert play.shown is not None
    for message in play.shown:
        for part in message.parts:
            assert mentions(part.blocks) <= {"U0ANA", "U0RAJ", "U0EVE", "channel", "here"}
            assert "<!" not in part.text.replace("<!date", "").replace("<!channel> Imm", "")


def test_the_announcement_is_the_only_thing_that_rings_the_channel() -> None:
    play = Play(shown=[])
    play.alert(title=f"Market Sentinel down {HOSTILE}", details={"description": HOSTILE})
    play.type(f"/incident note {HOSTILE}")
    play.type(f"/incident update {HOSTILE}")
    play.at(60).send("resolve", summary=HOSTILE, root_cause=HOSTILE)
    assert play.shown
    ringing = [m for m in play.shown if "channel" in {x for part in m.parts for x in mentions(part.blocks)}]
    assert len(ringing) == 1
    assert "U0EVE" not in {x for m in play.shown for part in m.parts for x in mentions(part.blocks)}


def test_a_pagerduty_name_that_looks_like_a_slack_id_mentions_nobody() -> None:
    play = Play(shown=[])
    play.alert()
    play.hear("incident.acknowledged", agent=By("pagerduty:PX", "WARREN"))
    assert play.shown is not None
    said = [m for m in play.shown if "acknowledged" in m.summary]
    assert said
    assert all("WARREN" not in mentions(part.blocks) for m in said for part in m.parts)


def test_every_moment_a_decision_waits_for_lies_ahead() -> None:
    play = Play()
    play.alert()
    for _ in range(200):
        assert all(at > play.now for at in play.timers[ID].values())
        play.wait(timedelta(seconds=37))


def test_a_panel_that_cannot_be_edited_is_said_once_and_not_tried_in_a_circle() -> None:
    play = Play(world=lambda e, i: Went("refused", "message_not_found") if e.kind == "slack.edit" else succeed(e, i))
    play.alert()
    play.at(5.5)
    tried = [key for _, key in play.made if key.startswith("panel.edit:")]
    assert 5 <= len(tried) < 60
    told = [text for text in play.seen("dead_letter") if "panel.edit" in text]
    assert len(told) == 1
    assert "message_not_found" in told[0]
    assert play.panel().count("message_not_found") <= 3
    play.type("/incident ack")
    assert len(play.posts("acknowledged")) == 1


def test_what_was_refused_for_good_is_said_in_the_room_and_stands_on_the_panel_until_it_works() -> None:
    play = Play(world=lambda e, i: Went("refused", "no_such_user") if e.key == "invite:people" else succeed(e, i))
    play.alert()
    assert "no_such_user" in play.seen("dead_letter")[0]
    assert "Inviting people to the room: no_such_user" in play.panel()


def test_without_a_room_the_announcement_channel_is_told_and_pagerduty_gets_a_note() -> None:
    play = Play(world=lambda e, i: Went("refused", "restricted_action") if e.kind == "slack.room" else succeed(e, i))
    play.alert()
    assert {e.data["to"] for e in play.posts("dead_letter")} == {"war_room"}
    assert any("did not take the room" in str(e.data["text"]) for e in play.sent if e.kind == "pagerduty.note")
