"""The engine's hands on the trading platform: probes and actions."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from warroom.domain.policy import Probe
from warroom.engine.ports import Job
from warroom.errors import Refused
from warroom.platform.actions import Order, act, look_again
from warroom.platform.evidence import archive, file_name, seal
from warroom.platform.probes import broken, run_all
from warroom.platform.readback import Sleep
from warroom.platform.results import ProbeResult
from warroom.platform.surroundings import Surroundings
from warroom.platform.words import nearest

PROBES = "platform.probes"
ACT = "platform.act"
WATCH = "platform.watch"


class PlatformPerformer:
    """Performs platform.probes, platform.watch and platform.act, with the surroundings of each pack by its id.

    `allow_live` is a second lock: without it a live act is refused whatever the rules decided. With `evidence`,
    a run that asks for it is also sealed into an archive: evidence/INCIDENT/RUN.zip.
    """

    kinds = frozenset({PROBES, ACT, WATCH})

    def __init__(
        self,
        surroundings: Mapping[str, Surroundings],
        *,
        allow_live: bool = False,
        sleep: Sleep = asyncio.sleep,
        evidence: Path | None = None,
    ) -> None:
        self._surroundings = surroundings
        self._allow_live = allow_live
        self._sleep = sleep
        self._evidence = evidence

    def buckets(self, job: Job) -> tuple[str, ...]:
        """No rate limits."""
        return ()

    async def perform(self, job: Job) -> Mapping[str, object]:
        """Run the probes, or do the act. Raises Refused when the job makes no sense here; nothing was sent then."""
        if job.effect.kind == PROBES:
            return await self._probe(job)
        if job.effect.kind == WATCH:
            (result,) = await self._read(job, [str(job.effect.data["probe"])])
            return {name: value for name, value in result.to_dict().items() if name != "raw"}
        mode = job.effect.data.get("mode")
        if mode not in ("dry_run", "live"):
            raise Refused(f"Nothing was sent: the mode of an action is dry_run or live, not {mode!r}.")
        if mode == "live" and not self._allow_live:
            raise Refused("Nothing was sent: live actions are off. Set WARROOM_ACTIONS=live and restart warroom.")
        if mode == "live" and job.attempt > 1:
            return await self._look_again(job)
        surroundings, order = self._here(job), _order(job)
        settled = await act(order, mode, surroundings, self._sleep)
        return {"run": job.effect.data["run"], **settled}

    async def find(self, job: Job) -> Mapping[str, object] | None:
        """After an attempt of unknown outcome: None for probes (reading again is harmless), a result for acts.

        An act is never repeated: what the reading does not prove is unknown.
        """
        if job.effect.kind in (PROBES, WATCH):
            return None
        if job.effect.data.get("mode") == "dry_run":
            return await self.perform(job)
        return await self._look_again(job)

    async def _probe(self, job: Job) -> Mapping[str, object]:
        results = await self._read(job, cast(list[str], job.effect.data["probes"]))
        reported: dict[str, object] = {"results": [r.to_dict() for r in results]}
        if self._evidence is None or not job.effect.data.get("seal"):
            return reported
        return reported | await asyncio.to_thread(_seal, self._evidence, job, results)

    async def _read(self, job: Job, wished: Sequence[str]) -> list[ProbeResult]:
        """The readings of these probes, each once, in this order, one that the pack lacks among them."""
        surroundings, known = self._here(job), job.pack.pack.probes
        names = tuple(dict.fromkeys(wished))
        wanted: dict[str, Probe] = {name: known[name] for name in names if name in known}
        here = surroundings.knowing({**job.incident.fields, "incident": job.incident.id})
        found = {r.probe: r for r in await run_all(wanted, here)}
        return [
            found.get(name)
            or broken(name, name, f"this pack has no probe {name}. {nearest(name, known)}", surroundings)
            for name in names
        ]

    async def _look_again(self, job: Job) -> Mapping[str, object]:
        try:
            settled = await look_again(_order(job), self._here(job), self._sleep)
        except Refused as exc:
            detail = (
                "warroom stopped between sending and reading back, and the action was not repeated. "
                f"It cannot be read back either: {exc} Look at the platform itself before ordering it again."
            )
            settled = {"outcome": "unknown", "detail": detail, "request": None, "readings": []}
        return {"run": job.effect.data.get("run"), **settled}

    def _here(self, job: Job) -> Surroundings:
        pack = job.pack.pack.id
        if pack not in self._surroundings:
            raise Refused(f"Pack {pack} is not set up here: add it under packs: in warroom.yaml.")
        return self._surroundings[pack]


def _seal(folder: Path, job: Job, results: Sequence[ProbeResult]) -> dict[str, object]:
    """Write the archive of a run; gives its path and the seal that proves it. Raises OSError."""
    run, title = str(job.effect.data["run"]), str(job.effect.data.get("title", ""))
    meta = {"incident": job.incident.id, "run": run, "title": title, "pack": job.pack.hash, "at": job.now.isoformat()}
    sealed = archive(results, meta)
    path = folder / file_name(job.incident.id) / f"{file_name(run)}.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(sealed)
    unfinished.replace(path)
    return {"archive": str(path), "seal": seal(sealed)}


def _order(job: Job) -> Order:
    """The order an effect carries. Raises Refused when its action or read-back probe is not in the pack."""
    data: Mapping[str, Any] = job.effect.data
    pack = job.pack.pack
    name = str(data.get("action"))
    action = pack.actions.get(name)
    if action is None:
        raise Refused(f"There is no action {name} in pack {pack.id}. {nearest(name, pack.actions)}")
    probe = pack.probes.get(action.read_back.probe)
    if probe is None and action.record is None:
        raise Refused(f"Action {name} is read back by probe {action.read_back.probe}, which pack {pack.id} lacks.")
    return Order(
        action=action,
        read_back=probe,
        parameters=data.get("parameters") or {},
        reason=str(data.get("reason", "")),
        operator=str(data.get("operator", "")),
        incident=job.incident.id,
        run=str(data.get("run", "")),
        fields=data.get("fields", job.incident.fields),  # as they were when it was ordered
    )
