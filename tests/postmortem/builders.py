"""A small pack, people, facts at story time, and messages: what the tests of the post-mortem are made of."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from warroom.domain import facts as f
from warroom.domain.decision import LoadedPack
from warroom.domain.evolve import fold
from warroom.domain.incident import Incident
from warroom.domain.market import Sessions
from warroom.domain.people import PAGERDUTY, WARROOM, By
from warroom.domain.policy import (
    Action,
    Announcement,
    Cadence,
    Calendar,
    Clock,
    FollowUp,
    Objective,
    Pack,
    Playbook,
    Probe,
    ReadBack,
    Role,
    Severity,
    Step,
)
from warroom.postmortem.document import compile, render
from warroom.slack.history import Line, permalink

START = datetime(2026, 3, 2, 14, 31, 5, tzinfo=UTC)
ANA, RAJ, RITA = By("slack:U1", "Ana Souza"), By("slack:U2", "Raj Patel"), By("slack:U3", "Rita Okafor")
ROOM = "C0ROOM"


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def a_clock(title: str, start: Any, end: Any, within: timedelta) -> Clock:
    return Clock(title=title, start=start, end=end, within=within)


P0 = Severity(
    title="CRITICAL",
    definition="Trading is down",
    emoji=":rotating_light:",
    announce=Announcement(channel="war_room", message="p0_initial_alert", broadcast="channel"),
    clocks={
        "announce": a_clock("Announce in the war room", "declared", "announced", minutes(2)),
        "acknowledge": a_clock("Acknowledge", "declared", "acknowledged", minutes(5)),
        "resolve": a_clock("Resolve", "declared", "resolved", minutes(120)),
    },
    steps=(
        Step(
            id="breakers",
            title="Engage the circuit breakers",
            owner="risk_manager",
            start=minutes(2),
            end=minutes(5),
            done_on=("action:halt-all",),
        ),
        Step(
            id="evidence",
            title="Preserve the evidence",
            owner="system",
            start=minutes(5),
            end=minutes(10),
            done_on=("probes:evidence",),
        ),
        Step(
            id="commander",
            title="Assign the incident commander",
            owner="technical_lead",
            start=minutes(10),
            end=minutes(15),
            done_on=("commander_assigned",),
        ),
        Step(
            id="brief",
            title="Brief the executive team",
            owner="commander",
            start=minutes(10),
            end=minutes(15),
        ),
    ),
    cadences=(
        Cadence(id="p0", title="Status update", every=minutes(15), message="p0_update", channels=("war_room", "room")),
    ),
)

PACK = Pack(
    id="lav_adaf",
    title="LAV/ADAF",
    version="1",
    source="lav-adaf-playbook.md",
    services=(),
    urls={"platform": "http://127.0.0.1:1"},
    channels={"war_room": "#war-room"},
    groups={},
    roles={
        "commander": Role(title="Incident commander", milestone="commander_assigned"),
        "risk_manager": Role(title="Risk manager"),
        "technical_lead": Role(title="Technical lead"),
    },
    calendar=Calendar(timezone="America/New_York", open=time(9, 30), close=time(16)),
    severities={"P0": P0, "P1": replace(P0, title="HIGH", steps=(), cadences=())},
    severity_rules=(),
    priorities={},
    urgencies={},
    playbooks={
        "market_sentinel_down": Playbook(
            title="Market Sentinel down",
            match=(),
            symptoms=("No regime updates for over 5 minutes",),
            diagnosis=("sentinel",),
            resolution=(),
            prevention=("Health checks with automatic restart", "Redundant data sources"),
            systems=("Market Sentinel", "Regime feed"),
        )
    },
    probes={
        "sentinel": Probe(title="Market Sentinel health", http="platform/health"),
        "halted": Probe(title="Trading halt in force", http="platform/halted"),
    },
    probe_groups={"evidence": ("sentinel",)},
    actions={
        "halt-all": Action(
            title="Halt all trading",
            http="platform/halt",
            danger="contain",
            who=("halt_operators",),
            read_back=ReadBack(probe="halted"),
            scope="all",
            undo="resume-all",
        ),
        "resume-all": Action(
            title="Resume trading",
            http="platform/resume",
            danger="extreme",
            who=("halt_operators",),
            read_back=ReadBack(probe="halted"),
        ),
    },
    follow_ups=(
        FollowUp(
            id="impact",
            title="Assess the impact",
            within=timedelta(hours=24),
            items=("Financial impact (P&L, costs)", "Reputational impact"),
        ),
        FollowUp(id="cause", title="Analyse the root cause", within=timedelta(days=7)),
    ),
    objectives={
        "rto": Objective(title="Recovery time (RTO)", target=timedelta(hours=4)),
        "rpo": Objective(title="Data loss (RPO)", target=minutes(15)),
        "mttr": Objective(title="Mean time to repair (MTTR)", target=timedelta(hours=2)),
        "communication": Objective(title="Word to the stakeholders", target=minutes(30)),
    },
)
LOADED = LoadedPack(
    pack=PACK, hash="h", sessions=Sessions(timezone="America/New_York", open=time(9, 30), close=time(16))
)


@dataclass
class Story:
    """Facts and messages of one incident, told by seconds since START."""

    facts: list[f.Fact] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    pack: LoadedPack = LOADED
    now: datetime = START + timedelta(hours=3)

    def fact(self, second: float, what: f.What, by: By = WARROOM, *, heard: float | None = None) -> "Story":
        recorded = START + timedelta(seconds=second if heard is None else heard)
        self.facts.append(f.Fact(at=START + timedelta(seconds=second), recorded=recorded, by=by, what=what))
        return self

    def reached(self, second: float, milestone: Any, by: By = WARROOM, source: Any = "slack") -> "Story":
        return self.fact(second, f.MilestoneReached(milestone=milestone, source=source), by)

    def says(self, second: float, who: By, text: str, **more: Any) -> "Story":
        at = START + timedelta(seconds=second)
        ts = f"{int(at.timestamp())}.{at.microsecond:06d}"
        line = Line(
            ts=ts,
            thread_ts=None,
            at=at,
            author_id=who.slack_id or "UBOT",
            author=who.name,
            text=text,
            by_bot=who == WARROOM,
            files=(),
            reactions=(),
            effect_id=None,
            edited=False,
            subtype="",
            permalink=permalink("https://firm.slack.com/", ROOM, ts),
        )
        self.lines.append(replace(line, **more))
        return self

    def posts(self, second: float, text: str, **more: Any) -> "Story":
        return self.says(second, WARROOM, text, effect_id=f"e{len(self.lines)}", **more)

    @property
    def incident(self) -> Incident:
        found = fold(self.facts)
        assert found
        return found

    def document(self, **more: Any) -> Any:
        return compile(self.incident, self.facts, self.lines, self.pack, self.now, **more)

    def markdown(self, **more: Any) -> str:
        return render(self.document(**more))


def opened(title: str = "Market Sentinel down", by: By = PAGERDUTY, **more: Any) -> Story:
    """An incident just opened and declared, with its room."""
    what = f.IncidentOpened(
        **{
            "id": "INC-2026-0042",
            "title": title,
            "severity": "P0",
            "severity_reason": "critical service down while the market is open",
            "pack": "lav_adaf",
            "pack_hash": "h",
            "playbook": "market_sentinel_down",
            "service": "market-sentinel",
            "description": "Health check of market-sentinel fails.",
            "origin": "pagerduty" if by == PAGERDUTY else "slack",
            "market_open": True,
            **more,
        }
    )
    story = Story().fact(0, what, by).reached(0, "declared", by, "warroom")
    room = {"channel": ROOM, "name": "inc-2026-0042-market-sentinel-down"}
    return story.fact(2, f.EffectDone(key="room", kind="slack.room", result=room))


def resolved(story: Story, second: float = 3600, **said: str) -> Story:
    """The story with its end."""
    form = {"summary": "Sentinel restarted", "root_cause": "Disk full", "actions_taken": "Restarted it", **said}
    story.fact(second, f.Resolved(**form), RAJ).reached(second, "resolved", RAJ)
    return story.reached(second + 60, "resolution_announced")


def rehearsed() -> Story:
    """A whole P0: late commander, one unwritten update, a confirmed halt."""
    story = opened()
    story.fact(
        1, f.PagerDutyLinked(pagerduty_id="PINC1", url="https://firm.pagerduty.com/incidents/PINC1", service_id="PS")
    )
    story.reached(-45, "detected", PAGERDUTY, "pagerduty").reached(1, "announced")
    story.posts(3, "P0 · Market Sentinel down · investigating")
    story.reached(62, "acknowledged", ANA, "pagerduty").reached(62, "responding", ANA, "pagerduty")
    story.says(95, ANA, "Health endpoint refuses connections, regime feed stale since 14:24. Looking at the logs.")
    story.fact(110, f.ProbesRequested(run="d1", what="market_sentinel_down", probes=("sentinel", "feed")), ANA)
    readings = (
        {"probe": "redis", "title": "Redis answers PING", "state": "ok", "summary": "PONG in 2 ms"},
        {"probe": "sentinel", "title": "Market Sentinel health", "state": "error", "summary": "connection refused"},
        {"probe": "age", "title": "Age of the last regime update", "state": "failed", "summary": "431 s is over 300 s"},
    )
    story.fact(112, f.ProbesReported(run="d1", results=readings))
    story.posts(113, "Diagnostics market sentinel down: 2 of 3 not healthy")
    story.fact(120, f.StepStarted(step="breakers"))
    story.says(170, RITA, "We are quoting on a stale regime, I am halting until we know more")
    halt: dict[str, Any] = {"run": "r1", "action": "halt-all", "scope": "all"}
    story.fact(221, f.ActionRequested(**halt, reason="Quoting on a stale regime", mode="live"), RITA)
    detail = "HTTP 200 in 41 ms; GET /api/emergency/status reads halted = true after 1 s"
    story.fact(225, f.ActionSettled(**halt, outcome="confirmed", detail=detail))
    story.posts(226, f"Halt all trading: CONFIRMED. {detail}")
    story.fact(225, f.StepDone(step="breakers", how="halt-all confirmed"))
    story.fact(300, f.StepStarted(step="evidence"))
    story.fact(301, f.ProbesRequested(run="d2", what="evidence", probes=("log", "metrics")))
    evidence = ({"probe": "log", "title": "Market Sentinel log, 100 lines", "state": "ok", "summary": "100 lines"},)
    story.fact(305, f.ProbesReported(run="d2", results=evidence))
    story.fact(305, f.StepDone(step="evidence", how="readings collected"))
    story.says(
        410,
        RAJ,
        "Log says: OSError(28, 'No space left on device') | partition /var/lib at 100%",
        reactions=(("eyes", 3),),
    )
    story.says(425, ANA, "ok")
    story.says(431, ANA, ":+1:")
    story.fact(840, f.UpdateAsked(cadence="p0", due=START + minutes(15)))
    story.fact(900, f.StepLate(step="commander", due=START + minutes(15)))
    story.posts(902, "Step LATE: Assign the incident commander. Senior engineers were paged.")
    page = {"paged": ["Raj Patel", "Mei Tanaka"], "missing": []}
    story.fact(903, f.EffectDone(key="late:commander:0:page", kind="pagerduty.page", result=page))
    blank = {"next_steps": "", "eta": "", "impact": ""}
    story.fact(
        900,
        f.UpdateGiven(human=False, status="investigating", summary="", due=START + minutes(15), cadence="p0", **blank),
    )
    story.posts(901, "P0 update: nothing new was reported")
    story.fact(1090, f.RoleAssigned(role="commander", person=RAJ), RAJ).reached(1090, "commander_assigned", RAJ)
    story.fact(1090, f.StepDone(step="commander", how="commander assigned"))
    story.fact(1120, f.StepSkipped(step="brief", reason="CTO is in the room"), RAJ)
    story.fact(
        1500,
        f.UpdateGiven(
            human=True,
            status="identified",
            summary="The log partition of market-sentinel is full",
            next_steps="Free space and restart",
            eta="20 min",
            impact="No regime updates since 14:24; trading halted on all venues",
        ),
        RAJ,
    )
    story.posts(1502, "P0 update by Raj: The log partition of market-sentinel is full")
    story.says(1700, RAJ, "Rotated the logs, 40 GB free. Restarting now.", ts="1772463065.000100")
    story.fact(1710, f.NoteAdded(text="Rotated the logs, 40 GB free. Restarting now.", ts="1772463065.000100"), ANA)
    story.fact(
        1820,
        f.EffectFailed(
            key="update:2:#x", kind="slack.post", outcome="refused", error="channel_not_found: #risk-alerts"
        ),
    )
    story.reached(2040, "validated", RAJ)
    return resolved(
        story,
        2100,
        summary="Market Sentinel is back; regime updates flow again.",
        root_cause="The log partition filled up after debug logging was left on by the last release.\n"
        "Market Sentinel exits when it cannot write.",
        actions_taken="- Halted all trading\n- Rotated the logs\n- Restarted market-sentinel",
        impact="All desks without regime updates for 42 minutes",
    )
