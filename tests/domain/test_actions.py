"""Actions: checked, previewed word for word, confirmed once, time-limited, taken back; automatic ones never twice."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.domain.orders import ACTIONS, CLARA, RITA, SAM, a_play, a_toy, acts, acts_in, an_action, ends, order
from tests.domain.play import ANA, ID, text_of

from warroom.domain import facts as f
from warroom.domain.effects import FieldErrors, Form
from warroom.domain.on_action import take_values
from warroom.domain.sending import sending

pytestmark = pytest.mark.row("S2")


def test_without_words_the_playbooks_actions_come_first_each_with_how_to_type_it() -> None:
    play = a_play()
    play.incidents[ID] = replace(play.incident, playbook=next(iter(play.packs["lav_adaf"].pack.playbooks)))
    rows = play.type("/incident action").context["rows"]
    assert [r["name"] for r in rows[:2]] == ["reduce-sizes", "purge"]
    assert {r["name"] for r in rows} == set(ACTIONS)
    said = text_of(play.type("/incident action"))
    assert "/incident action disable-venue venue=VENUE REASON" in said
    assert "/incident action reduce-sizes [factor=FACTOR] [market=MARKET] [style=soft|hard] REASON" in said
    assert "/halt all REASON" in said
    assert "/halt resume REASON" in said


def test_the_preview_shows_exactly_what_will_be_sent_and_does_nothing() -> None:
    play = a_play()
    before = play.incident
    said = text_of(play.type("/incident action reduce-sizes factor=0.3 fills are | bad", RITA))
    for part in (
        "Confirm: Reduce order sizes",
        "POST executioner/api/reduce",
        '{"factor": 0.3, "market": "FX", "style": "soft", "why": "fills are | bad"}',
        "Orders get smaller.",
        "contain",
        "the risk managers",
        "Lasts: 1 h",
        "Taken back by: Restore order sizes",
        "Nothing has been done yet",
    ):
        assert part in said.replace("**", "").replace("`", "")
    assert play.incident == before
    assert acts(play) == []


def test_confirming_orders_once_and_the_second_click_says_so() -> None:
    play = a_play()
    shown = play.type("/incident action reduce-sizes factor=0.3 bad fills", RITA)
    assert "is ordered, not confirmed yet" in text_of(play.click("action.confirm", shown.context["button"], RITA))
    assert "nothing was sent again" in text_of(play.click("action.confirm", shown.context["button"], RITA))
    (act,) = acts(play)
    assert act.data["parameters"] == {"factor": 0.3, "market": "FX", "style": "soft"}
    assert (act.data["reason"], act.data["operator"], act.data["mode"]) == ("bad fills", "Rita", "live")
    assert act.data["fields"] == {"market": "FX"}
    assert "Reduce order sizes: CONFIRMED" in play.seen("action_settled")[0].replace("**", "")


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("reduce-sizes factor=7 x", "Factor cannot be '7': give a number from 0.1 to 1."),
        ("reduce-sizes factor=half x", "Factor cannot be 'half'"),
        ("reduce-sizes market=fx x", "Market cannot be 'fx'"),
        ("reduce-sizes style=sofft x", "Did you mean soft?"),
        ("reduce-sizes factr=0.5 x", "There is no parameter factr here. Did you mean factor?"),
        ("reduce-sizez factor=0.5 bad fills", "/incident action reduce-sizes factor=0.5 bad fills"),
        ("reduce-sizes factor=7 style=x y", "Style cannot be 'x'"),
    ],
)
def test_every_mistake_is_a_sentence_and_what_was_typed_is_not_lost(typed: str, says: str) -> None:
    play = a_play()
    said = text_of(play.type(f"/incident action {typed}", RITA))
    assert says in said
    assert typed.partition(" ")[2] in said
    assert acts(play) == []


def test_what_is_missing_is_asked_for_by_a_form_that_keeps_what_was_typed() -> None:
    play = a_play()
    form = play.type("/incident action disable-venue fills are bad", RITA)
    assert isinstance(form, Form)
    assert (form.name, form.about) == ("action", f"{ID}|disable-venue")
    assert form.context["values"] == {"reason": "fills are bad"}
    asked: Any = form.context["parameters"]
    assert [p["name"] for p in asked] == ["value_venue"]
    form = play.type("/incident action reduce-sizes factor=0.3", RITA)
    values = {p["name"]: p["value"] for p in form.context["parameters"]}
    assert values == {"value_factor": "0.3", "value_market": "FX", "value_style": "soft"}


def test_the_form_is_checked_by_field_and_its_second_page_orders_what_it_shows() -> None:
    play = a_play()
    about = f"{ID}|disable-venue"
    assert set(play.send("action", about, RITA, reason=" ", value_venue="NYSE").errors) == {"reason"}
    wrong = play.send("action", about, RITA, reason="bad fills", value_venue="ny")
    assert isinstance(wrong, FieldErrors)
    assert set(wrong.errors) == {"value_venue"}
    page = play.send("action", about, RITA, reason="bad fills", value_venue="NYSE")
    assert page.name == "action_confirm"
    assert page.context["lines"] == ["POST executioner/api/disable", '{"venue": "NYSE"}']
    assert acts(play) == []
    play.send("action_confirm", page.about, RITA)
    play.send("action_confirm", page.about, RITA)
    assert [a.data["parameters"] for a in acts(play)] == [{"venue": "NYSE"}]


def test_a_default_from_a_field_that_nobody_knows_is_asked_for() -> None:
    play = a_play(market="")
    form = play.type("/incident action reduce-sizes bad fills", RITA)
    assert isinstance(form, Form)
    errors = play.send("action", form.about, RITA, reason="x", value_factor="0.5", value_market="").errors
    assert "market is not known yet" in errors["value_market"]
    assert acts(play) == []


def test_a_field_that_the_request_needs_and_nobody_knows_is_asked_for_before_anything_is_sent() -> None:
    play = a_play(market="")
    said = text_of(play.type("/incident action two-more x", RITA))
    assert "{market} is not known yet: /incident set market VALUE." in said
    assert play.incident.approvals == ()


def test_what_changed_after_the_preview_is_shown_again_and_not_sent() -> None:
    play = a_play(packs=a_toy(note=an_action("Note it", body={"market": "{market}"})))
    shown = play.type("/incident action note x", RITA)
    play.type("/incident set market EQ", ANA)
    said = text_of(play.click("action.confirm", shown.context["button"], RITA))
    assert "has changed since you looked" in said
    assert '{"market": "EQ"}' in said
    assert acts(play) == []
    assert "has changed since you looked" in text_of(play.click("action.confirm", shown.context["button"], RITA))


def test_a_button_with_other_values_than_were_shown_orders_nothing() -> None:
    play = a_play()
    value = play.type("/incident action reduce-sizes factor=0.3 x", RITA).context["button"]
    assert "has changed since you looked" in text_of(play.click("action.confirm", value.replace("0.3", "0.9"), RITA))
    assert "no longer fits" in text_of(play.click("action.confirm", f"{ID}|run|nothing", RITA))
    assert acts(play) == []


@pytest.mark.parametrize("ask", ["command", "button", "confirm", "form", "undo"])
def test_a_stranger_is_denied_with_a_fact_and_no_act(ask: str) -> None:
    play = a_play()
    button = play.type("/incident action reduce-sizes x", RITA).context["button"]
    if ask == "undo":
        play.click("action.confirm", button, RITA)
    before = len(acts(play))
    answer = {
        "command": lambda: play.type("/incident action reduce-sizes x", SAM),
        "button": lambda: play.click("action.open:reduce-sizes", f"{ID}|reduce-sizes", SAM),
        "confirm": lambda: play.click("action.confirm", button, SAM),
        "form": lambda: play.send("action", f"{ID}|reduce-sizes", SAM, reason="x"),
        "undo": lambda: play.click("action.undo", f"{ID}|{play.incident.runs[0].run}", SAM),
    }[ask]()
    assert "Only the risk managers may do it" in text_of(answer)
    assert len(play.whats(f.Denied)) == 1
    assert len(acts(play)) == before


def test_switched_off_it_says_where_to_do_it_instead() -> None:
    play = a_play("off")
    assert "switched off" in text_of(play.type("/incident action reduce-sizes x", RITA))
    assert "switched off" in text_of(play.click("action.open:a", f"{ID}|reduce-sizes", RITA))


def test_a_dry_run_says_so_and_is_never_in_force() -> None:
    play = a_play("dry_run")
    assert "DRY RUN" in order(play, "reduce-sizes x")
    for text in (*play.seen("action_ordered"), *play.seen("action_settled")):
        assert "DRY RUN" in text
    assert "in force until" not in play.panel()
    assert not any(e.key.startswith("lapsing") for e in play.at(90).sent)


def test_a_halt_is_halted_by_halt_however_it_is_asked_for() -> None:
    play = a_play()
    assert text_of(play.type("/incident action halt-all bad prices", RITA)).startswith("halt_preview")


def test_the_playbook_has_a_button_for_every_step_that_has_an_action() -> None:
    play = a_play()
    name = next(iter(play.packs["lav_adaf"].pack.playbooks))
    play.incidents[ID] = replace(play.incident, playbook=name)
    effect = replace(play.made[ID, "panel"], data={"to": "room", "message": "playbook", "view": "playbook"})
    blocks = str(play.render(effect).parts)
    assert f"{ID}|reduce-sizes" in blocks
    form = play.click("action.open:reduce-sizes", f"{ID}|reduce-sizes", RITA)
    assert (form.name, form.about) == ("action", f"{ID}|reduce-sizes")


def test_an_action_behind_a_gate_shows_what_is_unmet_and_has_no_button_until_it_is_open() -> None:
    play = a_play()
    shown = play.type("/incident action gated x", RITA)
    said = text_of(shown)
    assert "Not yet: Promote the data" in said
    assert "Not read yet: /diagnostics health" in said
    assert shown.context["button"] == ""
    play.type("/diagnostics health")
    assert "is ordered" in order(play, "gated x")
    assert len(acts(play, "gated")) == 1


def test_a_gate_that_closes_between_preview_and_click_keeps_it_back() -> None:
    play = a_play()
    play.type("/diagnostics health")
    shown = play.type("/incident action gated x", RITA)
    play.wait(timedelta(minutes=20))
    assert "Not yet" in text_of(play.click("action.confirm", shown.context["button"], RITA))
    assert acts(play) == []


# time limits


def test_a_time_limited_action_is_in_force_with_its_time_left_reminds_and_lapses() -> None:
    play = a_play()
    order(play, "reduce-sizes bad fills")
    assert "Reduce order sizes: in force until 15:31 UTC, 1 h left" in play.panel()
    play.at(49)
    assert play.posts("action_lapse") == []
    play.at(50)
    (reminder,) = play.seen("action_lapse")
    assert "lapses in 10 m" in reminder.replace("**", "")
    play.at(60)
    assert "has lapsed at 15:31" in play.seen("action_lapse")[1].replace("**", "")
    assert "in force until" not in play.panel()
    play.at(300)
    assert len(play.posts("action_lapse")) == 2


def test_ordered_again_the_newest_counts_and_taken_back_none_does() -> None:
    play = a_play()
    order(play, "reduce-sizes x")
    play.at(30)
    order(play, "reduce-sizes y")
    play.at(70)
    assert play.posts("action_lapse") == []
    form = play.click("action.undo", f"{ID}|{play.incident.runs[-1].run}", RITA)
    assert form.about == f"{ID}|restore-sizes"
    page = play.send("action", form.about, RITA, reason="all well")
    play.send("action_confirm", page.about, RITA)
    assert len(acts(play, "restore-sizes")) == 1
    play.at(200)
    assert play.posts("action_lapse") == []


@pytest.mark.parametrize("outcome", ["failed", "unknown"])
def test_what_was_not_confirmed_is_not_in_force(outcome: str) -> None:
    play = a_play()
    play.world = ends({"reduce-sizes": outcome})
    order(play, "reduce-sizes x")
    said = play.seen("action_settled")[0]
    assert outcome.upper() in said
    assert "CONFIRMED" not in said
    assert "in force until" not in play.panel()


# automatic rules


def test_an_automatic_rule_acts_by_itself_once_and_says_so_in_room_and_channel() -> None:
    play = a_play(packs=a_toy((acts_in("reduce-sizes", parameters={"market": "{market}"}),)))
    (act,) = acts(play)
    assert act.data["parameters"] == {"factor": 0.5, "market": "FX", "style": "soft"}
    assert act.data["operator"] == "warroom"
    for message in ("action_ordered", "action_settled"):
        assert sorted(t.partition(":")[0] for t in play.seen(message)) == ["room", "war_room"]
    assert "automatic rule: Act at once" in play.seen("action_ordered")[0]
    play.at(30)
    play.hear("incident.resolved")
    play.hear("incident.reopened")
    assert len(acts(play)) == 1


@pytest.mark.parametrize(
    ("action", "title", "sent"),
    [
        ("reduce-sizes", "Reduce order sizes", "POST executioner/api/reduce"),
        ("halt-all", "Halt all trading", "POST executioner/api/halt"),
    ],
)
def test_switched_off_an_automatic_rule_sends_people_to_the_platform_and_to_no_command(
    action: str, title: str, sent: str
) -> None:
    play = a_play("off", packs=a_toy((acts_in(action),)))
    assert acts(play) == []
    told = play.seen("action_held")
    assert sorted(t.partition(":")[0] for t in told) == ["room", "war_room"]
    for part in (title, "switched off", "Do it on the platform itself, now", "/incident note TEXT", sent):
        assert part in told[0].replace("**", "")
    assert "REASON" not in told[0]


def test_an_automatic_rule_sends_nothing_half_filled() -> None:
    play = a_play(market="", packs=a_toy((acts_in("reduce-sizes", parameters={"market": "{market}"}),)))
    assert acts(play) == []
    assert "market is not known" in play.seen("action_held")[0]
    assert "by hand" in play.seen("action_held")[0]


def test_an_automatic_rule_asks_where_others_must_approve() -> None:
    play = a_play(packs=a_toy((acts_in("close-all"),)))
    assert acts(play) == []
    assert [a.by.id for a in play.incident.approvals] == ["warroom"]
    assert "Approval needed: Close all positions" in play.seen("approval_request")[0].replace("**", "")
    play.click("approval.approve", f"{ID}|{play.incident.approvals[0].request.run}", RITA)
    assert acts(play) == []  # a rule is no person, and this takes two
    play.click("approval.approve", f"{ID}|{play.incident.approvals[0].request.run}", CLARA)
    assert len(acts(play, "close-all")) == 1


def test_an_automatic_rule_obeys_the_gate() -> None:
    play = a_play(packs=a_toy((acts_in("gated"),)))
    assert acts(play) == []
    assert "its gate is closed" in play.seen("action_held")[0]
    assert "Do it by hand: /incident action gated REASON" in play.seen("action_held")[0].replace("**", "")


# words


@pytest.mark.parametrize(
    ("typed", "values", "reason"),
    [
        ("why not", {}, "why not"),
        ("a=1 b=two why a=3", {"a": "1", "b": "two"}, "why a=3"),
        ('a="two words" why', {"a": "two words"}, "why"),
        ("a=“two words” why", {"a": "two words"}, "why"),
        ("a=", {"a": ""}, ""),
        ("", {}, ""),
    ],
)
def test_values_stand_before_the_reason(typed: str, values: dict[str, str], reason: str) -> None:
    assert take_values(typed) == (values, reason)


def test_every_kind_of_request_is_shown_as_it_goes_out() -> None:
    given: Any = {"fields": {"market": "F X"}, "reason": "why?", "operator": "Rita", "incident": ID}
    http = an_action("A", http="base/path/{market}", method="DELETE", auth="TOKEN")
    assert sending(http, {}, **given).lines == ("DELETE base/path/F%20X", "with the bearer token TOKEN")
    command = an_action("A", http=None, command=("tool", "--of", "{market}"))
    assert sending(command, {}, **given).lines == ("RUN tool --of 'F X'",)
    assert sending(command, {}, **given, tools={"tool": ("ssh", "host", "tool")}).lines == (
        "RUN ssh host tool --of 'F X'",
    )
    sql = an_action("A", http=None, sql="UPDATE t SET a = :n\n WHERE m = :market", database="books")
    lines = ("SQL on books: UPDATE t SET a = :n WHERE m = :market", ":market = F X", ":n = 3")
    assert sending(sql, {"n": 3}, **given).lines == lines
    record = an_action("A", http=None, record="restart.log", body={"at": "{incident}", "n": "{n}"})
    assert sending(record, {}, **given).unknown == ("n",)
