"""Asking by running a command of the deployment."""

from warroom.domain.policy import Probe
from warroom.platform import commands
from warroom.platform.answers import Answer, Seen
from warroom.platform.surroundings import Surroundings


async def ask(probe: Probe, surroundings: Surroundings, seen: Seen) -> Answer:
    """The command's output; exit code 0 is good. Raises NoAnswerError."""
    code = await commands.run(surroundings.tool(probe.command or ()), surroundings.environ, seen)
    lines = seen.err.text.strip().splitlines()
    note = lines[-1] if lines else ""
    return Answer(said=commands.said(code), good=code == 0, text=seen.out.text, note=note, cut=seen.out.cut)
