"""Many probes side by side, the table, and the sealed archive."""

import hashlib
import io
import json
import time
import zipfile
from datetime import timedelta

import httpx
import pytest
from tests.platform.support import Says, Service, surroundings

from warroom.domain.policy import Expect, Probe
from warroom.platform import http_probe
from warroom.platform.evidence import check, seal
from warroom.platform.probes import ProbeResult, archive, run_all, run_probe, table


def a_result(**given: object) -> ProbeResult:
    fields = {
        "probe": "sentinel-health",
        "title": "Market Sentinel health",
        "state": "ok",
        "summary": "HTTP 200 in 12 ms",
        "value": None,
        "elapsed_s": 0.012,
        "started": "2026-03-02T12:00:00+00:00",
        "raw": "fine",
        "status": 200,
        "judged": False,
    }
    return ProbeResult.from_dict(fields | given)


async def test_probes_run_side_by_side_in_the_order_given(service: Service, http: httpx.AsyncClient) -> None:
    names = [f"p{n}" for n in range(5)]
    service.answers |= {f"/{name}": Says(name, delay_s=0.4) for name in names}
    probes = {name: Probe(title=name, http=f"svc/{name}") for name in names}
    begin = time.monotonic()
    results = await run_all(probes, surroundings(http, urls={"svc": service.url}))
    assert time.monotonic() - begin < 2 * 0.4
    assert [(r.probe, r.state, r.raw) for r in results] == [(name, "ok", name) for name in names]


async def test_each_probe_has_its_own_time_limit(service: Service, http: httpx.AsyncClient) -> None:
    service.answers |= {"/slow": Says(how="hang"), "/slower": Says("late", delay_s=0.3)}
    probes = {
        "slow": Probe(title="Slow", http="svc/slow", timeout=timedelta(seconds=0.1)),
        "slower": Probe(title="Slower", http="svc/slower", timeout=timedelta(seconds=5)),
    }
    results = await run_all(probes, surroundings(http, urls={"svc": service.url}))
    assert [(r.state, r.raw) for r in results] == [("error", ""), ("ok", "late")]


async def test_a_probe_that_breaks_does_not_harm_the_others(
    service: Service, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.answers["/fine"] = Says("fine")
    ask = http_probe.ask

    async def breaks_once(probe: Probe, *rest: object) -> object:
        if probe.title == "Broken":
            raise KeyError("a mistake of ours")
        return await ask(probe, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(http_probe, "ask", breaks_once)
    probes = {"broken": Probe(title="Broken", http="svc/fine"), "fine": Probe(title="Fine", http="svc/fine")}
    broken, fine = await run_all(probes, surroundings(http, urls={"svc": service.url}))
    assert (broken.state, fine.state) == ("error", "ok")
    assert broken.summary == "the probe itself broke (KeyError): see the log of warroom"


async def test_a_probe_that_says_no_way_to_read_is_an_error(http: httpx.AsyncClient) -> None:
    result = await run_probe("none", Probe(title="None", expect=(Expect(contains="x"),)), surroundings(http))
    assert (result.state, "exactly one of http, tcp, command and sql" in result.summary) == ("error", True)


def test_the_table_is_aligned() -> None:
    results = [
        a_result(),
        a_result(title="Kafka lag", state="failed", summary="lag 1,240 is over 1,000", elapsed_s=1.5),
    ]
    assert table(results).splitlines() == [
        "STATE   PROBE                   RESULT                   TOOK",
        "------  ----------------------  -----------------------  -----",
        "ok      Market Sentinel health  HTTP 200 in 12 ms        12 ms",
        "failed  Kafka lag               lag 1,240 is over 1,000  1.5 s",
    ]


def test_line_breaks_in_an_answer_do_not_break_the_table() -> None:
    assert len(table([a_result(summary="one\ntwo\x1b[31m\u202e")]).splitlines()) == 3


def test_the_archive_holds_every_raw_answer_and_a_manifest_of_their_hashes() -> None:
    sealed = archive([a_result(), a_result(probe="../lag", raw="LAG 3")], {"incident": "INC-2026-0042"})
    with zipfile.ZipFile(io.BytesIO(sealed)) as bundle:
        files = {name: bundle.read(name) for name in bundle.namelist()}
    assert set(files) == {"raw/01-sentinel-health.txt", "raw/02-lag.txt", "results.json", "MANIFEST"}
    assert files["raw/02-lag.txt"] == b"LAG 3"
    listed = json.loads(files["results.json"])
    assert listed["meta"] == {"incident": "INC-2026-0042"}
    assert listed["results"][1]["sha256"] == hashlib.sha256(b"LAG 3").hexdigest()
    lines = [line.split("  ") for line in files["MANIFEST"].decode().splitlines()]
    digests = {path: digest for digest, path in lines}
    assert digests == {n: hashlib.sha256(c).hexdigest() for n, c in files.items() if n != "MANIFEST"}


def test_the_same_evidence_gives_the_same_bytes() -> None:
    one, two = (archive([a_result(), a_result(raw="x")], {"b": 1, "a": 2}) for _ in range(2))
    assert one == two
    assert archive([a_result(), a_result(raw="y")], {"b": 1, "a": 2}) != one


def rewritten(sealed: bytes, **changes: bytes | None) -> bytes:
    """The archive with files changed, added, or (None) taken out."""
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sealed)) as old, zipfile.ZipFile(held, "w") as new:
        files = {name: old.read(name) for name in old.namelist()} | changes
        for name, content in files.items():
            if content is not None:
                new.writestr(name, content)
    return held.getvalue()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, []),
        ({"results.json": b"{}"}, ["results.json was changed after it was sealed"]),
        ({"results.json": None}, ["results.json is missing from the archive"]),
        ({"more.txt": b"x"}, ["more.txt is not in the manifest: it was added later"]),
    ],
)
def test_tampering_with_an_archive_shows(changes: dict[str, bytes | None], problem: list[str]) -> None:
    assert check(rewritten(archive([a_result()], {}), **changes)) == problem


def test_the_seal_changes_with_any_evidence() -> None:
    seals = {seal(archive([a_result(raw=raw)], {"n": n})) for raw in "ab" for n in (1, 2)}
    assert len(seals) == 4
