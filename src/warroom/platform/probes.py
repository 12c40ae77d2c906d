"""Running probes: side by side, each with its own time limit, changing nothing."""

import asyncio
import time
from collections.abc import Mapping

import structlog

from warroom.domain.policy import Probe
from warroom.platform import command_probe, http_probe, sql_probe, tcp_probe
from warroom.platform.answers import Answer, Seen, Verdict, judge
from warroom.platform.evidence import archive, table
from warroom.platform.filled import filled
from warroom.platform.results import ProbeResult, one_line, raw_text, shown_value
from warroom.platform.surroundings import NoAnswerError, Surroundings
from warroom.platform.words import span

__all__ = ["ProbeResult", "Surroundings", "archive", "broken", "run_all", "run_probe", "table"]

log = structlog.get_logger(__name__)


async def run_probe(name: str, probe: Probe, surroundings: Surroundings) -> ProbeResult:
    """One reading, over after `probe.timeout` (real time) at the latest. Whatever the other side does is a result."""
    started = surroundings.clock.now()
    begin = time.monotonic()
    seen = Seen()
    try:
        async with asyncio.timeout(probe.timeout.total_seconds()):
            answer = await _ask(filled(probe, surroundings.known), surroundings, seen)
        verdict = judge(probe, answer, span(time.monotonic() - begin))
    except TimeoutError:
        verdict = Verdict(state="error", summary=f"no answer within {span(probe.timeout.total_seconds())}")
    except NoAnswerError as exc:
        verdict = Verdict(state="error", summary=str(exc))
    redactor = surroundings.redactor(probe.auth)
    return ProbeResult(
        probe=name,
        title=probe.title,
        state=verdict.state,
        summary=one_line(verdict.summary, redactor),
        value=shown_value(verdict.value, redactor),
        elapsed_s=round(time.monotonic() - begin, 4),
        started=started.isoformat(),
        raw=raw_text(seen, redactor),
        status=seen.status,
        judged=verdict.judged,
    )


async def run_all(probes: Mapping[str, Probe], surroundings: Surroundings) -> tuple[ProbeResult, ...]:
    """All readings at the same time, in the order given. One that breaks is a result and does not harm the others."""
    found = await asyncio.gather(
        *(run_probe(name, probe, surroundings) for name, probe in probes.items()), return_exceptions=True
    )
    results = []
    for (name, probe), result in zip(probes.items(), found, strict=True):
        if isinstance(result, Exception):
            log.error("probe.broke", probe=name, error=type(result).__name__, exc_info=result)
            reason = f"the probe itself broke ({type(result).__name__}): see the log of warroom"
            results.append(broken(name, probe.title, reason, surroundings))
        elif isinstance(result, BaseException):
            raise result
        else:
            results.append(result)
    return tuple(results)


def broken(name: str, title: str, reason: str, surroundings: Surroundings) -> ProbeResult:
    """The result of a probe that could not be run at all."""
    return ProbeResult(
        probe=name,
        title=title,
        state="error",
        summary=reason,
        value=None,
        elapsed_s=0.0,
        started=surroundings.clock.now().isoformat(),
        raw="",
        status=None,
        judged=False,
    )


async def _ask(probe: Probe, surroundings: Surroundings, seen: Seen) -> Answer:
    kinds = (
        (probe.http, http_probe.ask),
        (probe.tcp, tcp_probe.ask),
        (probe.command, command_probe.ask),
        (probe.sql, sql_probe.ask),
    )
    asked = [ask for value, ask in kinds if value is not None]
    if len(asked) != 1:
        raise NoAnswerError("the pack does not say how to read this: set exactly one of http, tcp, command and sql")
    return await asked[0](probe, surroundings, seen)
