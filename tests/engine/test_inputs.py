"""What we said yes to is on disk, decided once, and hurt by nobody else."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.engine.running import ID, run_sql, running
from tests.engine.toys import ANNA, PACK, RULES, START, Player, ask, decide, opened

from warroom.domain.decision import Context, Decision
from warroom.domain.effects import Reply
from warroom.domain.evolve import fold
from warroom.domain.facts import Denied, Fact, IncidentOpened, NoteAdded
from warroom.domain.incident import Incident
from warroom.domain.inputs import Click, Input
from warroom.domain.people import WARROOM
from warroom.engine.clock import ManualClock
from warroom.engine.memory import PackShelf
from warroom.engine.work import DecisionFailedError, Rules, Tuning
from warroom.errors import StoreError

CLICK = Click(actor=ANNA, channel="C1", message_ts="1", action="x", value="", trigger="t")


async def test_an_input_is_decided_and_answered(url: str) -> None:
    async with running(url) as run:
        receipt = await run.engine.submit(ask("1", open="down", say="hello"))
        assert receipt.incident_id == ID
        assert receipt.answer == Reply("done", {"id": ID})
        assert not receipt.duplicate
        assert [type(x.what) for x in await run.facts()] == [IncidentOpened, NoteAdded]
        assert [(c.id, c.title, c.is_open) for c in run.engine.cards()] == [(ID, "down", True)]
        incident = await run.engine.incident(ID)
        assert incident == fold(await run.facts())


async def test_incidents_are_numbered_one_after_the_other(url: str) -> None:
    async with running(url) as run:
        several = await asyncio.gather(*(run.engine.submit(ask(str(n), open="x")) for n in range(3)))
        last = await run.engine.submit(ask("last", open="x"))
        assert [r.incident_id for r in (*several, last)] == [f"INC-2026-000{n}" for n in (1, 2, 3, 4)]


@pytest.mark.row("S1")
async def test_a_repeat_is_answered_as_the_first_time_and_decided_once(url: str) -> None:
    async with running(url) as run:
        first = await run.engine.submit(ask("1", open="down"))
        again = await run.engine.submit(ask("1", open="down"))
        assert again == replace(first, duplicate=True)
        assert len(run.engine.cards()) == 1


@pytest.mark.row("S1")
async def test_a_repeat_within_one_group_is_answered_as_the_first_time(url: str) -> None:
    async with running(url) as run:
        receipts = await asyncio.gather(*(run.engine.submit(ask("1", open="down")) for _ in range(5)))
        assert [r.duplicate for r in receipts] == [False, True, True, True, True]
        assert {r.incident_id for r in receipts} == {ID}
        assert len(await run.facts()) == 1


@pytest.mark.row("S1")
async def test_a_repeat_after_a_restart_is_answered_as_the_first_time(url: str) -> None:
    async with running(url) as run:
        first = await run.engine.submit(ask("1", open="down"))
    async with running(url) as run:
        assert await run.engine.submit(ask("1", open="down")) == replace(first, duplicate=True)
        await run.engine.submit(ask("2", ID, say="still here"))
        assert await run.notes() == ["note still here"]
        assert await run.store.audit() == []


@pytest.mark.row("S1")
async def test_an_input_that_cannot_be_decided_hurts_nobody_else(url: str) -> None:
    async with running(url) as run:
        good, bad, click, other = await asyncio.gather(
            run.engine.submit(ask("1", open="down")),
            run.engine.submit(ask("2", fail=True)),
            run.engine.submit(Input(source="slack", source_id="3", received=START, body=CLICK)),
            run.engine.submit(ask("4", ID, say="fine")),
            return_exceptions=True,
        )
        assert isinstance(bad, DecisionFailedError)
        assert isinstance(click, DecisionFailedError)
        assert good.incident_id == other.incident_id == ID
        failed = (await run.engine.backlog()).failed
        assert {(source, id_) for source, id_, _ in failed} == {("slack", "2"), ("slack", "3")}
        assert "the toy is broken" in str(failed)


@pytest.mark.row("S1")
async def test_an_input_that_failed_is_tried_again_when_it_is_sent_again(url: str) -> None:
    broken = True

    def fragile(incident: Incident | None, given: Input, ctx: Context) -> Decision:
        if broken:
            raise RuntimeError("not yet")
        return decide(incident, given, ctx)

    async with running(url, rules=Rules(RULES.route, fragile)) as run:
        for _ in range(2):
            with pytest.raises(DecisionFailedError):
                await run.engine.submit(ask("1", open="down"))
        broken = False
        receipt = await run.engine.submit(ask("1", open="down"))
        assert not receipt.duplicate
        assert receipt.incident_id == ID
        assert (await run.engine.backlog()).failed == ()
        assert (await run.engine.submit(ask("1", open="down"))).duplicate


async def test_a_decision_that_does_not_fit_its_incident_is_not_written(url: str) -> None:
    def forgetful(incident: Incident | None, given: Input, ctx: Context) -> Decision:
        return replace(decide(incident, given, ctx), facts=())

    async with running(url, rules=Rules(RULES.route, forgetful)) as run:
        with pytest.raises(DecisionFailedError, match="not what its state was folded from"):
            await run.engine.submit(ask("1", open="down"))
        assert run.engine.cards() == ()


async def test_a_value_that_cannot_be_written_hurts_nobody_else(url: str) -> None:
    """An object in a fact fails on every database; a NUL in a key only when PostgreSQL is told to store it."""

    def odd(incident: Incident | None, given: Input, ctx: Context) -> Decision:
        decision = decide(incident, given, ctx)
        if given.source_id != "odd":
            return decision
        note = Fact(at=ctx.now, recorded=ctx.now, by=WARROOM, what=NoteAdded(text=object()))  # type: ignore[arg-type]
        return replace(decision, stray=(note,))

    nul = ask("nul", open="nul", effects=[{"key": "a\0b"}])
    async with running(url, rules=Rules(RULES.route, odd)) as run:
        good, bad, _, other = await asyncio.gather(
            run.engine.submit(ask("1", open="down")),
            run.engine.submit(ask("odd", open="odd")),
            run.engine.submit(nul),
            run.engine.submit(ask("2", ID, say="fine")),
            return_exceptions=True,
        )
        assert isinstance(bad, DecisionFailedError)
        assert good.incident_id == other.incident_id == ID
        assert await run.store.audit() == []


async def test_text_with_characters_no_database_takes_is_kept(url: str) -> None:
    async with running(url) as run:
        await run.engine.submit(ask("1", open="half \ud800 nil \0"))
        assert run.engine.cards()[0].title.startswith("half")
    async with running(url) as run:
        assert run.engine.cards()[0].title == "half ? nil "


async def test_when_the_commit_fails_senders_are_told_and_nothing_has_changed(url: str) -> None:
    player = Player()
    effect = {"key": "a", "lane": "room"}
    async with running(url, player) as run:
        await run.engine.submit(ask("1", open="down"))
        await run_sql(url, "ALTER TABLE fact RENAME TO hidden")
        refused = await asyncio.gather(
            run.engine.submit(ask("2", ID, say="lost", effects=[effect])),
            run.engine.submit(ask("3", open="other")),
            return_exceptions=True,
        )
        assert [type(r) for r in refused] == [StoreError, StoreError]
        assert len(run.engine.cards()) == 1
        incident = await run.engine.incident(ID)
        assert incident is not None
        assert incident.count == 1
        await run_sql(url, "ALTER TABLE hidden RENAME TO fact")
        await run.engine.submit(ask("2", ID, say="said again", effects=[effect]))
        await run.engine.settled()
        assert player.sent == ["a"]
        assert await run.notes() == ["note said again"]
        assert await run.store.audit() == []


@pytest.mark.row("S5")
async def test_facts_about_no_incident_go_to_a_chain_of_their_own(url: str) -> None:
    async with running(url) as run:
        await run.engine.submit(ask("1", stray="a stranger"))
        await run.engine.submit(ask("2", stray="another"))
        assert run.engine.cards() == ()
    async with running(url) as run:
        await run.engine.submit(ask("3", stray="a third"))
        whys = [x.what.why for x in await run.facts("system") if isinstance(x.what, Denied)]
        assert whys == ["a stranger", "another", "a third"]
        assert await run.store.audit() == []
        assert await run.store.incidents() == []


async def test_a_pack_is_frozen_into_the_incident_that_opens_with_it(url: str) -> None:
    thawed: list[tuple[str, str]] = []

    def thaw(text: str, hash: str) -> object:
        thawed.append((text, hash))
        return PACK

    async with running(url) as run:
        await run.engine.submit(ask("1", open="down"))
        await run.engine.submit(ask("2", open="down"))
        assert await run.rows("SELECT hash, text FROM pack") == [("toy", "frozen")]
    edited = {"toy": replace(PACK, hash="edited")}
    later = PackShelf(edited, freeze=lambda pack: "edited", thaw=thaw)  # type: ignore[arg-type]
    async with running(url, packs=later) as run:
        await run.engine.submit(ask("3", ID, say="x"))
        assert thawed == [("frozen", "toy")]


async def test_an_incident_with_a_pack_that_is_not_on_the_shelf_is_not_opened(url: str) -> None:
    def strange(incident: Incident | None, given: Input, ctx: Context) -> Decision:
        what = replace(opened(ctx.new_id, "x"), pack_hash="strange")
        fact = Fact(at=ctx.now, recorded=ctx.now, by=WARROOM, what=what)
        return Decision(incident=fold([fact]), facts=(fact,))

    async with running(url, rules=Rules(RULES.route, strange)) as run:
        with pytest.raises(DecisionFailedError, match="pack strange"):
            await run.engine.submit(ask("1", open="x"))


async def test_a_closed_incident_leaves_the_cards_after_a_month_but_can_still_be_asked_about(url: str) -> None:
    clock = ManualClock(START)
    async with running(url, clock=clock) as run:
        await run.engine.submit(ask("1", open="over", resolve=True))
        await run.engine.submit(ask("2", open="going on"))
        await run.engine.settled()
        assert [c.title for c in run.engine.cards()] == ["over", "going on"]
        clock.advance(timedelta(days=31))
        await run.engine.settled()
        await run.engine.submit(ask("3", "INC-2026-0002", say="x", received=clock.now()))
        assert [c.title for c in run.engine.cards()] == ["going on"]
        incident = await run.engine.incident(ID)
        assert incident is not None
        assert not incident.is_open
        await run.engine.submit(ask("4", ID, say="late insight", received=clock.now()))
        assert await run.notes() == ["note late insight"]
    async with running(url, clock=clock) as run:
        assert [c.title for c in run.engine.cards()] == ["going on"]
        assert await run.store.audit() == []


async def test_a_naive_time_is_refused_before_anything_is_written(url: str) -> None:
    async with running(url) as run:
        with pytest.raises(ValueError, match="aware"):
            await run.engine.submit(ask("1", received=START.replace(tzinfo=None), open="x"))


async def test_after_the_end_nothing_is_taken(url: str) -> None:
    async with running(url) as run:
        pass
    with pytest.raises(StoreError, match="not running"):
        await run.engine.submit(ask("1", open="x"))


async def test_a_thousand_inputs_are_decided_in_few_commits(tmp_path_factory: pytest.TempPathFactory) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('many')}/warroom.db"
    async with running(url, tuning=Tuning(group=50)) as run:
        await run.engine.submit(ask("0", open="x"))
        await asyncio.gather(*(run.engine.submit(ask(f"n{n}", ID, say=str(n))) for n in range(500)))
        assert await run.notes() == [f"note {n}" for n in range(500)]
        count = run.engine.metrics.registry.get_sample_value("warroom_commit_group_size_count")
        assert count is not None
        assert count <= 15


async def test_the_inbox_tells_what_was_asked_and_answered(url: str) -> None:
    async with running(url, clock=ManualClock(START)) as run:
        await run.engine.submit(ask("1", open="down"))
        (row,) = await run.rows("SELECT source, source_id, kind, state, incident_id FROM inbox")
        assert row == ("slack", "1", "Command", "decided", ID)
