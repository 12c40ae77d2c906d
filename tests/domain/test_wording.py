"""Small words that people stumble over at three in the morning."""

import pytest
from tests.domain.play import RAJ, Play, text_of

from warroom.domain.effects import Form
from warroom.domain.people import PAGERDUTY
from warroom.slack.forms import view_of


def an_alert() -> Play:
    play = Play()
    play.alert()
    return play


def test_one_reading_is_one_reading() -> None:
    play = an_alert()
    assert "Taking 1 reading (" in text_of(play.type("/diagnostics sentinel-health"))
    assert "Healthy. Asked for by" in play.seen("diagnostics")[-1]


def test_what_pagerduty_resolved_itself_is_said_once() -> None:
    play = an_alert()
    play.hear("incident.resolved", agent=PAGERDUTY)
    assert "Resolved in PagerDuty." in play.seen("root_cause_request")[0]


def test_a_p0_that_comes_back_calls_everybody_its_announcement_called() -> None:
    play = an_alert()
    play.hear("incident.resolved")
    play.at(1).hear("incident.reopened")
    said = {str(e.data["to"]): e.data["context"]["broadcast"] for e in play.posts("reopened")}  # type: ignore[index]
    assert (said["war_room"], said["room"]) == ("channel", "")
    assert "@channel Market regime feed down is open again" in next(t for t in play.seen("reopened") if "war_room" in t)


def test_the_timeline_says_what_went_to_whom_and_that_a_draft_is_compiled() -> None:
    play = an_alert()
    play.hear("incident.resolved")
    play.at(5)
    told = text_of(play.type("/incident timeline"))
    assert "“Resolution notice” goes to #war-room" in told
    assert "Post-mortem draft 1 is compiled (resolved)" in told


def test_a_milestone_that_nobody_is_told_of_does_not_say_that_somebody_is() -> None:
    play = an_alert()
    play.type("/incident take")
    assert "is told" not in text_of(play.type("/incident milestone contained"))


def test_the_reason_of_a_severity_stands_in_a_sentence_of_its_own() -> None:
    play = Play()
    play.type("/incident declare P2 Orders are slow", channel="CELSE")
    said = play.seen("incident_announcement")[0]
    assert "Why P2: declared by Ana" in said
    assert "declared by Ana. The resolution" not in said


@pytest.mark.parametrize(("need", "said"), [(1, "1 other person must"), (2, "2 other people must")])
def test_resuming_says_what_takes_it_back(need: int, said: str) -> None:
    form = Form("halt_resume", "INC-2026-0001", {"mode": "live", "need": need, "approvers": ["risk"]})
    shown = str(view_of(form))
    assert "Taken back by: a new halt" in shown
    assert said in shown


def test_the_halt_form_says_what_is_still_to_be_filled_in() -> None:
    play = an_alert()
    form = play.type("/halt", RAJ)
    assert isinstance(form, Form)
    assert "<your name>" in str(form.context["preview"])
    assert "{operator}" not in str(form.context["preview"])
