"""Facts and messages as one timeline."""

from dataclasses import replace
from datetime import timedelta

from tests.postmortem.builders import ANA, LOADED, RAJ, START, Story, opened, resolved

from warroom.domain import facts as f
from warroom.domain.people import PAGERDUTY, WARROOM
from warroom.postmortem.messages import MOST
from warroom.postmortem.model import Row, Timeline
from warroom.postmortem.timeline import timeline


def told(story: Story) -> Timeline:
    return timeline(story.incident, story.facts, story.lines, LOADED.pack)


def rows(story: Story) -> list[tuple[str, str, str]]:
    return [(row.event, row.action, row.who) for row in told(story).rows]


def row_with(story: Story, words: str) -> Row:
    return next(row for row in told(story).rows if words in row.event + row.action)


def test_what_a_person_said_links_to_the_message() -> None:
    row = row_with(opened().says(60, ANA, "disk is full"), "disk is full")
    assert row.who == "Ana Souza"
    assert row.url == "https://firm.slack.com/archives/C0ROOM/p1772461925000000"


def test_our_own_posts_lend_their_link_to_the_fact_and_are_not_told_again() -> None:
    update = f.UpdateGiven(human=True, status="identified", summary="Disk is full", next_steps="", eta="", impact="")
    story = opened().fact(600, update, RAJ).posts(603, "P0 update by Raj\nDisk  is full")
    found = [row for row in told(story).rows if "Disk" in row.event + row.action]
    assert [(row.action, row.url) for row in found] == [("Update (identified): Disk is full", story.lines[0].permalink)]


def test_our_posts_that_repeat_nothing_are_left_out() -> None:
    story = opened().posts(5, "Playbook: first look at the logs").says(6, WARROOM, "uploaded a file")
    assert not any("Playbook" in row.event or "uploaded" in row.event for row in told(story).rows)


def test_joins_topics_and_pins_are_noise() -> None:
    story = opened()
    for subtype in ("channel_join", "channel_topic", "pinned_item", "tombstone"):
        story.says(60, ANA, f"noise {subtype}", subtype=subtype)
    assert not any("noise" in row.event for row in told(story).rows)


def test_chatter_is_left_out_and_counted() -> None:
    story = opened().says(60, ANA, "ok").says(61, RAJ, ":+1: thanks!").says(62, ANA, "ok, rolling back 4.2 now")
    assert told(story).left_out == 2
    assert row_with(story, "rolling back")


def test_a_marked_message_is_told_once_in_its_own_words_and_survives_the_limit() -> None:
    story = opened()
    for number in range(MOST + 50):
        story.says(60 + number, ANA, f"long and weighty message number {number} " * 4)
    story.says(30, RAJ, "short one", thread_ts="1.0")
    story.fact(500, f.NoteAdded(text="short one", ts=story.lines[-1].ts), ANA)
    found = told(story)
    assert sum("short one" in row.event for row in found.rows) == 1
    assert row_with(story, "short one").who == "Raj Patel"
    assert found.left_out == 51


def test_a_note_whose_message_is_gone_is_still_told() -> None:
    assert row_with(opened().fact(60, f.NoteAdded(text="vendor called", ts="1.1"), ANA), "vendor called")


def test_a_reply_is_marked_and_a_file_named() -> None:
    story = opened().says(60, ANA, "see the graph", thread_ts="1772461900.000000", files=("cpu.png",))
    assert row_with(story, "graph").event == "↳ “see the graph” [file: cpu.png]"


def test_rows_are_in_the_order_of_time_not_of_hearing() -> None:
    story = opened().says(60, ANA, "looking")
    story.fact(30, f.MilestoneReached(milestone="acknowledged", source="pagerduty"), ANA, heard=400)
    texts = [row.event + row.action for row in told(story).rows]
    assert texts.index("Acknowledged (known from 14:37:45)") < texts.index("“looking”")


def test_pagerdutys_word_on_a_moment_is_told_and_our_own_claim_is_not() -> None:
    story = opened().reached(60, "acknowledged", ANA).reached(58, "acknowledged", PAGERDUTY, "pagerduty")
    found = [row for row in told(story).rows if "cknowledged" in row.action]
    assert [(row.at - START).total_seconds() for row in found] == [58]


def test_a_reopened_incident_says_so() -> None:
    story = resolved(opened(), 600)
    story.fact(900, f.MilestoneWithdrawn(milestone="resolved", source="pagerduty"), PAGERDUTY)
    assert ("Reopened", "", "PagerDuty") in rows(story)


def test_a_clock_missed_after_a_reopening_is_told_with_its_limit() -> None:
    story = resolved(opened(), 120)
    story.fact(3600, f.MilestoneWithdrawn(milestone="resolved", source="pagerduty"), PAGERDUTY)
    deadline = START + timedelta(seconds=3600 + 180)
    story.fact(3780, f.ClockBreached(clock="acknowledge", start=START, deadline=deadline))
    assert ("Time ran out: Acknowledge (5 m)", "", "warroom") in rows(story)


def test_resolving_is_told_once() -> None:
    story = resolved(opened(), 600).reached(603, "resolved", PAGERDUTY, "pagerduty")
    assert sum("Resolved" in row.action for row in told(story).rows) == 1


def test_what_one_person_did_in_one_moment_is_one_row() -> None:
    story = opened().reached(60, "acknowledged", ANA).fact(60.5, f.RoleAssigned(role="commander", person=ANA), ANA)
    assert ("", "Acknowledged; Ana Souza is Incident commander", "Ana Souza") in rows(story)


def test_a_storm_of_alerts_is_one_row_with_their_number() -> None:
    story = opened()
    for number in range(12):
        story.fact(60 + number, f.AlertJoined(pagerduty_id=f"P{number}", title="lag over 1000"), PAGERDUTY)
    found = [row.event for row in told(story).rows if "Related" in row.event]
    assert found == ["Related alert: lag over 1000 (and 11 more until 14:32:16)"]


def test_what_is_not_of_the_day_it_began_names_its_day() -> None:
    story = opened()
    for hour in (9, 10):
        due = START + timedelta(hours=hour)
        said = f.UpdateGiven(
            human=False, status="s", summary="", next_steps="", eta="", impact="", due=due, cadence="p0"
        )
        story.fact(hour * 3600, said)
    story.fact(36_000, f.StepLate(step="brief", due=START + timedelta(hours=9, minutes=15)))
    markdown = resolved(story, 12 * 3600).markdown()
    for row in ("| 14:31:05 |", "| 03-03 02:31:05 |", "Step late: Brief the executive team, due 03-02 23:46:05"):
        assert row in markdown
    assert "No person wrote the update due 00:31:05" in markdown
    assert "The updates due 23:31 and 03-03 00:31 (Status update) were not written by a person." in markdown


def test_a_refused_person_is_on_record() -> None:
    denied = f.Denied(what="/halt all", why="only halt_operators may")
    event = ("Not permitted: /halt all", "Nothing was done (only halt_operators may)", "Ana Souza")
    assert event in rows(opened().fact(60, denied, ANA))


def test_an_other_apps_message_is_told_as_its_own() -> None:
    story = opened().says(60, replace(ANA, name="Grafana", id="slack:B9"), "CPU at 100 %", by_bot=True)
    assert row_with(story, "CPU").who == "Grafana"
    assert "Grafana" not in "".join(p.name for p in story.document().participants)


def test_a_person_who_acknowledged_is_named_once_although_pagerduty_tells_it_twice() -> None:
    story = opened().reached(60, "acknowledged", PAGERDUTY, "pagerduty").reached(61, "acknowledged", RAJ, "pagerduty")
    found = [row for row in told(story).rows if "cknowledged" in row.action]
    assert [row.who for row in found] == ["Raj Patel"]


def test_every_row_leads_to_a_place_in_the_conversation() -> None:
    story = opened().says(60, ANA, "looking").reached(90, "contained", ANA)
    assert all(row.url for row in told(story).rows)


def test_a_row_without_words_of_its_own_leads_to_what_was_said_within_seconds_of_it_else_before_it() -> None:
    story = opened().says(60, ANA, "looking").reached(90, "contained", ANA).says(93, RAJ, "fresh again")
    story = story.says(120, RAJ, "memory is flat").reached(200, "validated", ANA)
    url = {row.action or row.event: row.url for row in told(story).rows}
    assert url["Contained"] == url["“fresh again”"]
    assert url["Recovery validated"] == url["“memory is flat”"]
