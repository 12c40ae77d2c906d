"""What people type under stress: every word does what it says, says what it did, or says what to type instead."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.play import EVE, ID, MINUTE, PACK, RAJ, START, Play, text_of

from warroom.domain import facts as f
from warroom.domain.commands import INCIDENT, did_you_mean, names, person, take_apart
from warroom.domain.effects import FieldErrors, Form
from warroom.domain.inputs import Pinned


def an_alert() -> Play:
    play = Play()
    play.alert()
    return play


def keys(play: Play) -> set[str]:
    return {e.key for e in play.sent}


# ---- the words themselves


@pytest.mark.parametrize(
    ("name", "text", "word", "named", "rest"),
    [
        ("/incident", "", "help", "", ""),
        ("/incident", "  ACK  ", "ack", "", ""),
        ("/incident", "ack 42", "ack", "42", ""),
        ("/incident", "severity inc-2026-0042 P1 why not", "severity", "INC-2026-0042", "P1 why not"),
        ("/incident", "note 42 orders failed", "note", "", "42 orders failed"),
        ("/incident", "declare 42 orders failed", "declare", "", "42 orders failed"),
        ("/incident", "note two\nlines", "note", "", "two\nlines"),
        ("/incident", "note note this", "note", "", "note this"),
        ("/halt", "all 42 bad prices", "", "", "all 42 bad prices"),
        ("/halt", "42 all bad prices", "", "42", "all bad prices"),
        ("/diagnostics", "42", "", "42", ""),
    ],
)
def test_a_command_is_taken_apart(name: str, text: str, word: str, named: str, rest: str) -> None:
    typed = take_apart(name, text)
    assert (typed.word, typed.named, typed.rest) == (word, named, rest)


@given(st.sampled_from(["/incident", "/halt", "/diagnostics"]), st.text(max_size=60))
def test_any_text_can_be_taken_apart_and_loses_no_words(name: str, text: str) -> None:
    typed = take_apart(name, text)
    assert typed.rest.split() == text.split()[len(text.split()) - len(typed.rest.split()) :]


def test_a_number_means_the_incident_of_any_year_and_a_full_id_only_its_own() -> None:
    assert names("42", "INC-2026-0042")
    assert names("INC-2026-42", "INC-2026-0042")
    assert not names("INC-2025-0042", "INC-2026-0042")
    assert not names("4", "INC-2026-0042")


def test_a_person_is_a_mention_that_slack_made_and_nothing_else() -> None:
    assert person("<@U123ABC|ana>") == ("U123ABC", "ana")
    assert person(" <@W1> ") == ("W1", "W1")
    assert person("@ana") is None
    assert person("<@U123> and <@U124>") is None


def test_a_misspelt_word_gets_the_nearest_and_a_hopeless_one_gets_all() -> None:
    assert did_you_mean("statsu", dict(INCIDENT))[0] == "status"
    assert set(did_you_mean("zzzzzz", dict(INCIDENT))) == set(INCIDENT)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("/incident akc", "/incident ack"),
        ("/incident reslove", "/incident resolve"),
        ("/incident post-mortem", "/incident postmortem"),
        ("/diagnostics evidense", "/diagnostics evidence"),
        ("/diagnostics market-sentinel-down", "/diagnostics market_sentinel_down"),
        ("/incident assign comander <@U0RAJ|raj>", "/incident assign commander @person"),
        ("/incident severity P7", "/incident severity P0 WHY"),
        ("/incident zzzzzz", "/incident help lists everything"),
    ],
)
def test_a_mistake_is_answered_with_what_to_type(typed: str, hint: str) -> None:
    play = an_alert()
    before = play.incident
    answer = text_of(play.type(typed))
    assert answer.startswith("mistake")
    assert hint in answer
    assert play.incident == before


def test_nothing_typed_and_help_list_every_command() -> None:
    play = Play()
    for typed in ("/incident", "/incident help"):
        answer = text_of(play.type(typed))
        assert all(f"/incident {usage.usage}" in answer for usage in INCIDENT.values())
        assert "/halt" in answer


# ---- declaring


@pytest.mark.row("L1")
def test_declaring_opens_an_incident_its_room_its_announcement_and_a_pagerduty_alert() -> None:
    play = Play()
    answer = text_of(play.type("/incident declare p0 Orders are rejected"))
    assert f"{ID} is open as P0: Orders are rejected" in answer
    assert (play.incident.origin, play.incident.severity_reason) == ("slack", "declared by Ana")
    assert {"announce", "room", "people", "panel", "pin", "invite:people", "pagerduty.open"} <= keys(play)
    trigger = next(e for e in play.sent if e.kind == "pagerduty.trigger")
    assert (trigger.data["dedup_key"], trigger.data["severity"]) == (ID, "critical")
    assert play.made[ID, "room"].data["name"] == "inc-2026-0001-orders-are-rejected"
    assert play.made[ID, "invite:declarer"].data["people"] == ["U0ANA"]


@pytest.mark.parametrize("typed", ["p9", "P4", "P0:"])
def test_declaring_with_a_mistyped_severity_opens_nothing_and_says_what_to_type(typed: str) -> None:
    play = Play()
    answer = text_of(play.type(f"/incident declare {typed} Orders are rejected"))
    assert f"“{typed}” is no severity." in answer
    assert "/incident declare P0 TITLE" in answer
    assert play.sent == []


def test_who_is_on_call_is_looked_up_once_pagerduty_has_said_for_which_service() -> None:
    play = Play()
    play.type("/incident declare P0 Orders are rejected")
    assert "on_call" not in play.made[ID, "people"].data["groups"]
    play.hear("incident.triggered", id="PNEW", key=ID, service_id="PSVC1")
    assert play.made[ID, "people:on_call"].data == {"groups": ["on_call"], "service": "PSVC1"}


def test_mentions_in_what_was_typed_are_kept_as_people_read_them() -> None:
    play = Play()
    play.type("/incident declare P1 <@U0RAJ|Raj Patel> sees rejects in <#C7|venues>")
    assert play.incident.title == "@Raj Patel sees rejects in #venues"


def test_the_same_declared_again_within_a_few_minutes_opens_nothing_and_pages_nobody() -> None:
    play = Play()
    play.type("/incident declare P1 Orders rejected", channel="CELSE")
    play.wait(2 * MINUTE)
    answer = text_of(play.type("/incident declare P1  orders  REJECTED", actor=RAJ, channel="CELSE"))
    assert "INC-2026-0001 with this title was opened 2 m ago, as P1. Work on it in #inc-2026-0001-orders" in answer
    assert "Another one? Say in its title what is different: /incident declare P1 TITLE" in answer
    assert "was opened 2 m ago" in play.send("declare", "", title="Orders rejected", severity="P1").errors["title"]
    assert "Graver" not in answer
    graver = text_of(play.type("/incident declare P0 Orders rejected", channel="CELSE"))
    assert "Graver than that? /incident severity INC-2026-0001 P0 WHY" in graver
    assert len(play.incidents) == 1
    play.type("/incident declare P1 Orders rejected at venue B", channel="CELSE")
    play.wait(20 * MINUTE)
    play.type("/incident declare P1 Orders rejected", channel="CELSE")
    assert len(play.incidents) == 3


def test_neither_an_alert_nor_a_halt_is_taken_for_a_second_declaration() -> None:
    play = Play()
    play.type("/incident declare P1 Market Sentinel down", channel="CELSE")
    play.alert(title="Market Sentinel down")
    assert len(play.incidents) == 2


def test_declaring_without_a_title_opens_the_form() -> None:
    play = Play()
    for typed, severity in (("/incident declare", "P1"), ("/incident declare P0", "P0")):
        form = play.type(typed)
        assert isinstance(form, Form)
        assert form.context["values"] == {"title": "", "severity": severity}
    assert play.incidents == {}


def two_platforms() -> Play:
    """A deployment whose second platform has other words for a P0 and a P2."""
    pack = PACK.pack
    words = {"P0": "BLACK", "P1": pack.severities["P1"].title, "P2": "GREY", "P3": "WHITE"}
    severities = {name: replace(pack.severities[name], title=title) for name, title in words.items()}  # type: ignore[index]
    other = replace(PACK, pack=replace(pack, id="other", title="Other", severities=severities))
    return Play(packs={"lav_adaf": PACK, "other": other})


@pytest.mark.parametrize(
    ("play", "labels"),
    [
        (Play(), ["P0 CRITICAL", "P1 HIGH", "P2 MEDIUM", "P3 LOW"]),
        (two_platforms(), ["P0 (the gravest)", "P1 HIGH", "P2", "P3 (the least grave)"]),
    ],
)
def test_the_form_names_a_severity_in_words_that_fit_every_platform(play: Play, labels: list[str]) -> None:
    form = play.type("/incident declare")
    assert [row["label"] for row in form.context["severities"]] == labels
    assert form.context["values"] == {"title": "", "severity": "P1"}


def test_with_several_platforms_none_is_guessed_for_a_form_that_names_none() -> None:
    play = two_platforms()
    errors = play.send("declare", "", title="Help", severity="P1")
    assert errors.errors == {"pack": "Choose the platform: its people are paged."}
    assert play.incidents == {}


def test_a_form_without_a_title_is_sent_back_with_a_sentence() -> None:
    play = Play()
    errors = play.send("declare", "", title="  ", severity="P0")
    assert isinstance(errors, FieldErrors)
    assert "title" in errors.errors
    assert play.incidents == {}


def test_a_title_that_is_too_long_is_refused_with_what_to_do() -> None:
    play = Play()
    assert "at most 200 characters" in text_of(play.type("/incident declare P0 " + "x" * 201))
    assert play.incidents == {}


def test_without_any_pack_declaring_says_what_to_configure() -> None:
    play = Play({})
    assert "warroom.yaml" in play.send("declare", "", title="Help").errors["title"]


# ---- within an incident


def test_acknowledging_tells_the_room_and_pagerduty_in_the_persons_name() -> None:
    play = an_alert()
    play.at(1)
    assert "You acknowledged it" in text_of(play.type("/incident ack"))
    change = next(e for e in play.sent if e.kind == "pagerduty.change")
    assert change.data == {"status": "acknowledged", "by": "slack:U0ANA"}
    assert "acknowledged at 14:32" in play.seen("acknowledged")[0]
    assert "was acknowledged already" in text_of(play.click("incident.ack", actor=RAJ))
    assert len([e for e in play.sent if e.kind == "pagerduty.change"]) == 1


def test_acknowledging_something_resolved_says_so() -> None:
    play = an_alert()
    play.hear("incident.resolved")
    assert "resolved already" in text_of(play.type("/incident ack"))


def test_taking_command_is_told_once_and_may_pass_to_another() -> None:
    play = an_alert()
    assert "is Incident commander of" in text_of(play.type("/incident take"))
    assert "you are in command already" in text_of(play.click("incident.take"))
    play.at(1).click("incident.take", actor=RAJ)
    assert play.incident.commander == RAJ.by
    assert len(play.posts("role_assigned")) == 2
    assert play.incident.reached("commander_assigned") == START
    assert "Commander: Raj" in str(play.sent[-1].data) or "Commander: Raj" in str([e.data for e in play.sent])


def test_a_role_is_given_to_a_mentioned_person_who_is_invited() -> None:
    play = an_alert()
    play.type("/incident assign scribe <@U0RAJ|raj>")
    assert play.incident.roles["scribe"].slack_id == "U0RAJ"
    invited = [e.data["people"] for e in play.sent if e.key.startswith("invite:role:scribe")]
    assert invited == [["U0RAJ"]]
    assert "Say who" in text_of(play.type("/incident assign scribe raj"))
    assert "Say who" in text_of(play.type("/incident assign scribe"))


def test_a_severity_is_changed_with_its_reason_and_not_to_itself() -> None:
    play = an_alert()
    assert "is P0 already" in text_of(play.type("/incident severity p0"))
    assert "It is P2 now" in text_of(play.type("/incident severity P2 one venue only"))
    told = next(text for text in play.seen("severity_changed") if text.startswith("war_room"))
    for part in (play.incident.id, "Market regime feed down", "was P0: one venue only", "no further updates"):
        assert part in told
    play.type("/incident severity P1")
    play.type("/incident severity P3")
    assert "was P1: no reason was given. Changed by" in play.seen("severity_changed")[-1]
    assert "Say which severity" in text_of(play.type("/incident severity"))


def test_raising_the_severity_announces_it_again_and_lowering_does_not() -> None:
    play = an_alert()
    play.type("/incident severity P2 smaller")
    assert len(play.posts("p0_initial_alert")) == 1
    play.at(5).type("/incident severity P0 bigger")
    assert [e.data["broadcast"] for e in play.posts("p0_initial_alert")] == ["channel", "channel"]


def test_an_update_without_text_opens_the_form_filled_with_what_was_said_last() -> None:
    play = an_alert()
    play.send("update", summary="disk full", next_steps="clean up", eta="15:30", impact="none", status="identified")
    form = play.click("incident.update")
    assert isinstance(form, Form)
    values: Any = form.context["values"]
    assert values == {
        "status": "identified",
        "summary": "",
        "next_steps": "clean up",
        "eta": "15:30",
        "impact": "none",
    }
    assert "summary" in play.send("update", summary=" ").errors
    play.hear("incident.resolved")
    assert "is resolved" in text_of(play.type("/incident update more"))


def test_a_note_is_posted_and_an_empty_one_refused() -> None:
    play = an_alert()
    assert "Noted" in text_of(play.type("/incident note restarted the feed"))
    assert "restarted the feed" in play.seen("note")[0]
    assert "needs a text" in text_of(play.type("/incident note"))


def test_contacts_show_channels_by_their_names_and_numbers_of_the_deployment() -> None:
    packs = {"lav_adaf": replace(Play().packs["lav_adaf"], contacts={"risk_manager_phone": "+1 555 0100"})}
    play = Play(packs)
    play.alert()
    answer = text_of(play.type("/incident contacts"))
    assert "#lav-adaf-oncall" in answer
    assert "+1 555 0100" in answer
    assert "no number set" in answer


def test_the_timeline_tells_the_latest_entries_in_words() -> None:
    play = an_alert()
    play.at(1).type("/incident ack")
    play.type("/incident note restarted the feed")
    answer = text_of(play.type("/incident timeline"))
    assert "P0 opened: Market Sentinel down" in answer
    assert "restarted the feed" in answer
    assert "14:32" in answer


def test_the_list_names_open_incidents_the_most_severe_first() -> None:
    play = Play()
    assert "No incident is open" in text_of(play.type("/incident list"))
    play.type("/incident declare P2 small")
    play.type("/incident declare P0 big")
    play.type("/incident declare P1 gone")
    play.send("resolve", "INC-2026-0003", summary="over")
    answer = text_of(play.type("/incident list"))
    assert answer.index("big") < answer.index("small")
    assert "gone" not in answer


def test_diagnostics_run_the_matched_playbook_a_group_or_one_reading() -> None:
    play = an_alert()
    assert "Taking 6 readings (market sentinel down)" in text_of(play.type("/diagnostics"))
    play.type("/diagnostics health")
    play.type("/diagnostics redis-ping")
    asked = [e.data for e in play.sent if e.kind == "platform.probes"]
    assert [d["title"] for d in asked] == ["market_sentinel_down", "health", "redis-ping"]
    assert asked[2]["probes"] == ["redis-ping"]
    tables = play.seen("diagnostics")
    assert "All 6 healthy" in tables[0]
    files = [e for e in play.sent if e.kind == "slack.file" and e.key.startswith("probes:")]
    assert len(files) == 3


def test_a_reading_that_changed_since_last_time_is_marked() -> None:
    play = an_alert()
    usual, bad = play.world, {"probe": "redis-ping", "title": "Redis", "state": "failed", "summary": "no", "raw": ""}
    play.type("/diagnostics redis-ping")
    play.world = lambda e, i: {"results": [bad]} if e.kind == "platform.probes" else usual(e, i)
    play.type("/diagnostics redis-ping")
    assert "1 of 1 not healthy" in play.seen("diagnostics")[1]
    assert "failed (changed)" in play.seen("diagnostics")[1]


def test_the_first_act_of_a_person_is_the_response_and_reading_is_none() -> None:
    play = an_alert()
    for typed in ("/incident status", "/incident timeline", "/incident contacts", "/incident list"):
        play.type(typed)
    assert play.incident.reached("responding") is None
    play.at(2).type("/diagnostics")
    play.at(4).type("/incident note hm", RAJ)
    assert play.incident.reached("responding") == START + 2 * MINUTE


def test_a_pinned_message_is_a_line_of_the_timeline() -> None:
    play = an_alert()
    play.give(Pinned(actor=EVE, channel="CROOM", ts="1.5"))
    assert [(n.kind, n.ts) for n in play.whats(f.NoteAdded)] == [("pin", "1.5")]
    assert play.posts("note") == []
    play.give(Pinned(actor=EVE, channel="CELSE", ts="1.6"))
    assert len(play.whats(f.NoteAdded)) == 1


# ---- the end


@pytest.mark.row("L12")
def test_resolving_posts_the_notice_everywhere_and_asks_for_a_draft() -> None:
    play = an_alert()
    play.at(1).type("/incident ack")
    form = play.at(30).click("incident.resolve")
    assert "Acknowledged after 1 m" in form.context["values"]["actions_taken"]
    answer = play.send("resolve", summary="feed is back", root_cause="disk full", actions_taken="cleaned\nrestarted")
    assert "the notice and the post-mortem draft follow" in text_of(answer)
    assert {e.data["to"] for e in play.posts("resolution_notice")} == {"war_room", "room", "risk", "executive"}
    notice = play.seen("resolution_notice")[0]
    for part in (
        "Market regime feed down",
        "30m",
        "disk full",
        "cleaned",
        "restarted",
        "no halt",
        "18, listed in the post-mortem",
    ):
        assert part in notice.replace("30 m", "30m")
    announcement = play.render(play.made[ID, "announce"]).plain
    assert "P0, resolved: Market regime feed down" in announcement
    assert "Immediate attention" not in announcement
    assert [e.data["status"] for e in play.sent if e.kind == "pagerduty.change"] == ["acknowledged", "resolved"]
    assert [e.data["reason"] for e in play.sent if e.kind == "postmortem.write"] == ["resolved"]
    assert len(play.posts("postmortem_ready")) == 1
    assert play.posts("root_cause_request") == []


def test_a_form_without_a_word_on_how_it_ended_is_sent_back() -> None:
    play = an_alert()
    assert "summary" in play.send("resolve", summary="").errors
    assert play.incident.is_open


def test_resolved_in_pagerduty_the_cause_is_asked_for_and_a_new_draft_carries_it() -> None:
    play = an_alert()
    play.at(10).hear("incident.resolved")
    assert len(play.posts("root_cause_request")) == 1
    assert [d.number for d in play.whats(f.DraftAsked)] == [1]
    answer = text_of(play.at(20).send("resolve", summary="over", root_cause="disk"))
    assert "new post-mortem draft follows" in answer
    assert [d.number for d in play.whats(f.DraftAsked)] == [1, 2]
    assert play.incident.reached("resolved") == START + 10 * MINUTE
    assert len(play.posts("resolution_notice")) == 4
    assert play.incident.resolution is not None
    assert play.incident.resolution.root_cause == "disk"


def test_a_draft_can_be_asked_for_at_any_time_and_again() -> None:
    play = an_alert()
    play.type("/incident postmortem")
    play.click("postmortem.draft", actor=RAJ)
    assert [(e.data["number"], e.data["reason"]) for e in play.sent if e.kind == "postmortem.write"] == [
        (1, "asked for by Ana"),
        (2, "asked for by Raj"),
    ]
    assert len([e for e in play.sent if e.key.startswith("postmortem.file:")]) == 2


@pytest.mark.parametrize(
    ("action", "value"), [("odd.action", ID), ("incident.ack", "INC-1999-0001"), ("halt.confirm", "junk")]
)
def test_an_old_or_unknown_button_does_nothing_and_says_so(action: str, value: str) -> None:
    play = an_alert()
    before = play.incident
    assert text_of(play.click(action, value)).startswith("mistake")
    assert play.incident == before


def test_an_old_form_does_nothing_and_says_so() -> None:
    play = an_alert()
    assert "older version" in text_of(play.send("odd"))
