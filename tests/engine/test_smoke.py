import time
from warroom.engine.engine import Engine
from warroom.engine.clock import SystemClock, ManualClock
from warroom.engine.limits import Unlimited
from warroom.store.store import Store
from tests.engine.toys import *


async def test_smoke(url):
    store = await Store.open(url)
    clock = ManualClock(START)
    p = Player()
    async with Engine(
        store, rules=RULES, shelf=shelf(), performers=[p], clock=clock, limits=Unlimited(clock.seconds)
    ) as e:
        r = await e.submit(ask("1", open="boo", effects=[{"key": "a"}, {"key": "b", "after": ["a"]}], timers={"t": 5}))
        print(r)
        await e.settled()
        print(p.sent, e.cards())
        clock.advance(timedelta(seconds=6))
        await e.settled()
        print(p.sent)
        print([x.what for x in await e.facts(r.incident_id)])
        print(await e.submit(ask("1", open="boo")))
        print(await e.backlog(), await store.audit())
    await store.close()
