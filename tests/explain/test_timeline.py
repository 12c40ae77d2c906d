"""`warroom check --explain`: what a severity sets going, in the order of time, in and out of market hours."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.packs.toys import pack_with

from warroom.errors import ConfigError
from warroom.explain.ask import asked
from warroom.explain.text import WIDTH, explanation
from warroom.packs.loader import shipped_ids

MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)  # the next trading day is Tuesday 17 November 2026
THANKSGIVING_EVE = datetime(2026, 11, 25, 20, tzinfo=UTC)
P0 = """
  P0:
    title: CRITICAL
    definition: Trading is down.
    emoji: ":fire:"
    announce: {channel: main, message: alert, broadcast: channel}
    clocks:
      acknowledge: {title: Acknowledge, start: declared, end: acknowledged, within: 5m, warn_before: 1m}
      repair:
        title: Repair
        start: declared
        end: resolved
        within: 2h
        counting: market_hours
        warn_before: 30m
        tell: [cto]
      hold: {title: Hold the line, start: declared, end: contained, within: 10m, market: open}
      report: {title: Report, start: declared, end: validated, within: 1d, counting: business_days}
    steps:
      - id: call_desk
        title: Phone the trading desk
        owner: commander
        start: 0m
        end: 5m
        when: [{field: market, equals: open}, {field: details.loss, over: 50000}]
        call: {whom: Trading desk}
        remind_before: 2m
        if_late: [{kind: page, groups: [on_call]}]
      - id: office
        title: Write to the broker
        owner: commander
        start: 30m
        end: 1h
        hours: business
        ask: Write to the broker.
      - id: outage_only
        title: Fail over
        owner: commander
        start: 2h
        when: [{field: playbook, equals: outage}]
        ask: Fail over.
      - id: wake
        title: Wake the owner
        owner: commander
        start: 3h
        market: closed
        when: [{field: title, matches: '\\b(down|lost)\\b'}]
        ask: Wake them.
      - id: once_contained
        title: Assess the damage
        owner: commander
        start: 10m
        after: contained
        done_on: [update]
        reaches: validated
        ask: Say it in an update.
    cadences:
      - {id: updates, title: Status update, every: 15m, message: update, channels: [main, room]}
    communications:
      - {id: desk, at: declared, message: desk_notice, audiences: [desk], market: open}
      - {id: management, at: declared, after: 30m, message: summary, audiences: [board], hours: next_business_day}
      - {id: done, at: resolved, message: notice, channels: [main]}
"""
TIMELINE = (
    """groups: {on_call: the engineers on call, operators: the operators, cto: the CTO}
contacts:
  - {title: Trading desk, phone: desk_phone}
follow_ups:
  - {id: review, title: Hold the review, within: 24h, items: [Timeline, Cause]}
audiences:
  desk: {title: The desk, channels: [main], mail: [operators]}
  board: {title: The board, mail: [cto], external: true, approvers: [cto]}
teams:
  emergency: {title: Emergency team, severities: [P0], roles: [commander]}
checklists:
  during:
    title: While the market is open
    at: declared
    market: open
    items:
      - {id: stop, title: Stop trading, within: 5m, owner: commander}
      - {id: check, title: Check positions}
watches:
  pnl: {title: "P&L", probe: health, every: 10s, steady_for: 1m, moves_over: 1000}
gates:
  ready:
    title: Ready to trade
    criteria:
      - {title: Services, probes: health}
      - {title: The desk agrees, sign_off: [operators]}
      - {title: Quiet, watch: pnl}
severities:"""
    + P0
    + "".join(
        f'  {n}: {{title: T, definition: d, emoji: ":fire:", announce: {{channel: main, message: alert}}}}\n'
        for n in ("P1", "P2", "P3")
    )
)


@pytest.fixture
def pack(tmp_path: Path) -> str:
    path = tmp_path / "toy.yaml"
    path.write_text(pack_with(TIMELINE))
    return str(path)


def told(pack: str, severity: str = "P0", now: datetime = MONDAY, **more: str) -> str:
    return "\n".join("".join(text for text, _ in line) for line in explanation(asked(pack, severity, now=now, **more)))


def row(text: str, what: str) -> str:
    """The row with `what`: when, kind, what with its details, who, if late, separated by bars."""
    lines = text.splitlines()
    first = next(n for n, line in enumerate(lines) if what in line)
    head = next(line for line in reversed(lines[:first]) if line.startswith("after"))
    marks = [
        0,
        head.index("what happens") - 8,
        *(head.index(name) for name in ("what happens", "who", "if it is late")),
    ]
    cells = [[line[a:b].strip() for a, b in zip(marks, [*marks[1:], None], strict=True)] for line in lines[first:]]
    below = [n for n, cell in enumerate(cells) if n and (cell[1] or not any(cell))]
    mine = cells[: below[0] if below else None]
    return " | ".join(" ".join(" ".join(words).split()) for words in zip(*mine, strict=True))


@pytest.mark.parametrize("pack_id", shipped_ids())
@pytest.mark.parametrize("severity", ["P0", "P1", "P2", "P3"])
@pytest.mark.parametrize("at", [None, "10:00", "20:00"])
def test_every_severity_of_every_pack_can_be_explained_within_100_columns(
    pack_id: str, severity: str, at: str | None
) -> None:
    case = asked(pack_id, severity, now=MONDAY, at=at)
    lines = ["".join(text for text, _ in line) for line in explanation(case)]
    assert len(lines) > 5
    assert [line for line in lines if len(line) > WIDTH or line != line.rstrip()] == []


@pytest.mark.row("L2")
def test_the_p0_of_lav_adaf_minute_by_minute() -> None:
    text = told("lav_adaf")
    assert row(text, "Announced in #war-room") == (
        "0m | tell | Announced in #war-room, ringing @channel (p0_initial_alert) | warroom | "
    )
    assert row(text, "Engage the circuit breakers").endswith(
        " | step | Engage the circuit breakers Decide whether trading must stop; if it may go on, "
        "skip this step with the reason. done when “Halt all trading” is confirmed | Risk manager | "
        "at 5m: escalate in PagerDuty; page the risk managers and the CTO; tell #risk-alerts (step_late)"
    )
    assert "| step | Preserve the evidence take the readings of" in row(text, "Preserve the evidence")
    assert row(text, "The room is asked for").endswith(
        " | ask | The room is asked for the status update | whoever knows best | at 15m: it goes out with what is known"
    )
    assert row(text, "(p0_update)").endswith(
        " | update | Status update (p0_update) then every 15m until resolved | to #war-room and the room | "
    )
    order = [text.index(f"\n{minute} ") for minute in ("0m", "2m", "5m", "10m", "12m", "15m", "2h", "4h")]
    assert order == sorted(order)
    assert text.index("\n2m ") < text.index("Engage the circuit") < text.index("\n5m ") < text.index("Preserve the")
    assert "| clock | Resolve (MTTR target) resolved within 2h" in row(text, "Resolve (MTTR target)")
    assert text.index("After it is resolved") < text.index("Announce the resolution")


def test_the_p0_of_eafix_in_and_out_of_market_hours() -> None:
    day, evening = told("eafix", at="10:00"), told("eafix", at="20:00")
    for text in (day, evening):
        assert row(text, "Acknowledge").endswith("| the engineers on call | page the engineers on call")
        assert "(incident_update) then every 30m until resolved" in row(text, "(incident_update)")
        assert text.index("0m ") < text.index("\n5m ") < text.index("\n15m ") < text.index("\n30m ")
    assert row(day, "desk_alert").startswith(" | tell | desk_alert | to Trading desk (#trading-operations")
    assert "desk_alert" not in evening
    assert "Checklist: During market hours" in day
    assert "Checklist: After market hours" in evening
    assert "Checklist: During market hours" not in evening
    # two hours of market time: the same day in the morning, the next trading day in the evening
    assert row(day, "Resolve ").startswith("2h 12:00 | clock | Resolve resolved within 2h of market time")
    assert row(evening, "Resolve ").startswith("15h 30m Wed 11:30 | clock | Resolve resolved within 2h of market time")
    assert "☐ The trading desk approves: signed off by one of the trading desk" in day


def test_without_a_time_both_cases_are_shown_and_said_to_be(pack: str) -> None:
    text = told(pack)
    assert "Shown for any time of day" in text
    assert "only if the market is open" in row(text, "Hold the line")
    assert "only if the market is open or loss is over 50000" in row(text, "Phone the trading desk")
    assert "only if the market is closed, and title has “down” or “lost”" in row(text, "Wake the owner")
    assert row(text, "Repair").startswith(" | clock | Repair resolved within 2h of market time warned at 1h 30m of")
    assert row(text, "Write to the broker").startswith(" | step | Write to the broker begins in business hours")


def test_in_market_hours_everything_has_its_real_time(pack: str) -> None:
    text = told(pack, at="10:00")
    assert "Declared Tuesday 17 November 2026, 10:00 America/New_York (15:00 UTC)." in text
    assert "The market is open (it opens at 09:30 and closes at 16:00)." in text
    assert row(text, "Phone the trading desk") == (
        " | call | Phone the trading desk calls Trading desk, with the words of call_script "
        "done when somebody presses Done | Incident commander | reminded at 10:03; at 10:05: page the engineers on call"
    )
    assert row(text, "Hold the line").startswith("10m 10:10 | clock | Hold the line contained")
    assert row(text, "Repair").startswith(" | clock | Repair resolved")
    assert row(text, "Fail over").startswith("2h 12:00 | step | Fail over")
    assert row(text, "desk_notice") == " | tell | desk_notice | to The desk (#main, mail to the operators) | "
    assert row(text, "Checklist: While the market") == (
        " | list | Checklist: While the market is open ☐ Stop trading (Incident commander, within 5m) "
        "☐ Check positions | the room | named as late"
    )


def test_out_of_market_hours_what_waits_for_them_comes_on_the_next_day(pack: str) -> None:
    text = told(pack, at="20:00")
    assert "The market is closed (it opens at 09:30 and closes at 16:00)." in text
    for gone in ("Hold the line", "desk_notice", "Checklist: While"):
        assert gone not in text
    assert "only if loss is over 50000" in row(text, "Phone the trading desk")
    # two hours of market time from Wednesday's opening
    assert row(text, "Repair").startswith("15h 30m Wed 11:30 | clock | Repair")
    assert "warned at Wed 11:00" in row(text, "Repair")
    assert row(text, "summary").startswith("13h Wed 09:00 | tell | summary at the beginning of the next business day")
    assert row(text, "Write to the broker").endswith("| Incident commander | at Wed 09:30: named as late")
    assert row(text, "Report").startswith("1d Wed 20:00 | clock | Report")


def test_a_half_day_and_a_holiday_count_as_they_are(pack: str) -> None:
    text = told(pack, now=THANKSGIVING_EVE, at="14:00")
    assert "Declared Friday 27 November 2026, 14:00" in text
    assert "The market is closed (it opens at 09:30 and closes at 13:00)." in text
    assert "2d 21h Mon 11:30 | clock | Repair" in row(text, "Repair")


def test_a_playbook_answers_its_conditions(pack: str) -> None:
    assert "only if playbook is outage" in row(told(pack), "Fail over")
    assert "only if" not in row(told(pack, playbook="outage"), "Fail over")


def test_watches_teams_gates_and_what_comes_after_are_told(pack: str) -> None:
    text = told(pack)
    assert "its state changes, it moves by more than 1000 or it was healthy for 1m" in row(text, "P&L, read every 10s")
    assert row(text, "Emergency team") == " | team | Emergency team Incident commander |  | "
    assert "☐ Services: readings of “health” healthy, not older than 15m" in text
    assert "☐ The desk agrees: signed off by one of the operators" in text
    assert "Once it is contained" in text
    assert row(text, "Assess the damage").startswith(
        "10m | step | Assess the damage Say it in an update. done when somebody writes an update; then it is validated"
    )
    assert row(text, "Hold the review") == "1d | review | Hold the review Timeline; Cause | its owner | reminded"
    assert "to The board (mail to the CTO, once approved by the CTO)" in row(text, "summary")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"pack": "lav_adf"},
            "there is no pack 'lav_adf' (one of your own is named by its file); did you mean lav_adaf?",
        ),
        ({"severity": "P9"}, "there is no severity 'P9'; there is only P0, P1, P2, P3"),
        ({"at": "25:00"}, "--against: '25:00' is no time of day; write one such as 10:00"),
        ({"at": "ten"}, "--against: 'ten' is no time of day; write one such as 10:00"),
        ({"playbook": "kafka_backlg"}, "lav_adaf has no playbook 'kafka_backlg'; did you mean kafka_backlog?"),
        (
            {"pack": "nowhere.yaml"},
            "nowhere.yaml: this file cannot be read (No such file or directory); check its name",
        ),
    ],
)
def test_a_wrong_word_gets_the_nearest_right_one(given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        asked(**{"pack": "lav_adaf", "severity": "P0", "now": MONDAY, **given})  # type: ignore[arg-type]
    assert refused.value.problems[0].startswith(said)


def test_a_severity_is_known_in_small_letters() -> None:
    assert asked("lav_adaf", "p0", now=MONDAY).severity == "P0"
