"""The command line."""

import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from warroom.app import compile_again, named, read_messages, running, shipped
from warroom.check import inventory, problems, report
from warroom.environment import ENVIRONMENT, database_url
from warroom.errors import ConfigError, WarroomError
from warroom.logs import configure
from warroom.packs.loader import json_schema
from warroom.packs.problems import Problem, nearest
from warroom.serving import listening
from warroom.settings import Settings, read_settings
from warroom.slack.manifest import check_manifest
from warroom.store.database import trouble
from warroom.store.database import upgrade as upgrade_database
from warroom.store.store import Store

app = typer.Typer(
    help="The incident room of a trading firm: Slack, PagerDuty, halts, clocks, post-mortems.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
db = typer.Typer(help="The database.", no_args_is_help=True)
app.add_typer(db, name="db")
out, err = Console(), Console(stderr=True)


@app.command()
def serve() -> None:
    """Run the bot against Slack and PagerDuty (settings: environment and WARROOM_CONFIG)."""
    _refuse(_everything_wrong(), "Nothing was started.")
    settings = Settings.load(os.environ)
    configure(settings.secrets(os.environ))
    asyncio.run(_serve(settings))


def _everything_wrong() -> list[Problem]:
    """What is wrong with settings, packs, messages and manifest."""
    return problems(
        os.environ,
        messages=shipped("messages"),
        manifest=shipped("manifest.yml"),
        check_manifest=check_manifest,
        read=lambda folder, own, packs: read_messages(folder, tuple(own.items()), frozenset(packs) if packs else None),
    )


def _refuse(found: Sequence[Problem], so: str = "") -> None:
    """Says everything in `found` and what follows from it, and ends, unless there is nothing."""
    if found:
        out.print(report(found, so), markup=False, emoji=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1)


def _say(text: str) -> None:
    """Prints text as it is."""
    out.print(text, markup=False, emoji=False, highlight=False, soft_wrap=True)


async def _serve(settings: Settings) -> None:
    environment = settings.environment
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with (
        running(settings, environ=os.environ) as warroom,
        listening(warroom.web, environment.warroom_host, environment.warroom_port) as url,
    ):
        connecting = asyncio.create_task(warroom.socket.start(), name="socket") if warroom.socket is not None else None
        gc.freeze()  # what there is now stays: later searches for garbage need not look at it
        err.print(f"warroom listens on {url} (actions: {environment.warroom_actions}). Ctrl-C stops it.")
        await stop.wait()
        if connecting is not None and warroom.socket is not None:
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
            await warroom.socket.stop()


@app.command()
def demo(
    scenario: Annotated[str, typer.Option(help="The story to play.")] = "market-sentinel-down",
    speed: Annotated[float, typer.Option(help="How many times as fast as life.", min=1, max=600)] = 20.0,
    out_dir: Annotated[Path, typer.Option("--out", help="Where the files go.")] = Path("warroom-demo"),
    leave: Annotated[bool, typer.Option("--exit", help="End after the story instead of staying up.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Name the stories and end.")] = False,
    port: Annotated[int, typer.Option(help="The port of the page; 0 takes a free one.", min=0, max=65535)] = 0,
) -> None:
    """Play an incident with people against a Slack, a PagerDuty and a trading platform on this machine."""
    from warroom import demo as demonstration  # only this command needs the sandbox
    from warroom.sandbox.stories import SCENARIOS

    if listed:
        for known in SCENARIOS.values():
            out.print(f"{known.name:24} {known.title}", markup=False, emoji=False, highlight=False, soft_wrap=True)
        return
    if scenario not in SCENARIOS:
        raise ConfigError([f"there is no scenario {scenario!r}{nearest(scenario, SCENARIOS)} (--list names all)"])
    configure([], level=demonstration.LOG_LEVEL)
    told = asyncio.run(
        demonstration.play(SCENARIOS[scenario], speed=speed, out=out_dir, port=port, stay=not leave, console=out)
    )
    if told.missing:
        raise typer.Exit(1)


@app.command()
def check(
    live: Annotated[bool, typer.Option("--live", help="Also ask Slack and PagerDuty.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of a pack, for editors.")] = False,
    explain: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="PACK SEVERITY", help="Tell what a severity sets going, minute by minute."),
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="HH:MM", help="With --explain: declared at this time of a trading day.")
    ] = None,
    playbook: Annotated[str | None, typer.Option(metavar="NAME", help="With --explain: with this playbook.")] = None,
) -> None:
    """Say everything that is wrong with settings, packs, messages and manifest.yml; exit 1 if anything is."""
    if explain is None and (against is not None or playbook is not None):
        raise ConfigError(["--against and --playbook belong to --explain PACK SEVERITY"])
    if schema:
        typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    elif explain is not None:
        _explain(explain[0], explain[1], against, playbook)
    else:
        _check(live)


def _explain(pack: str, severity: str, against: str | None, playbook: str | None) -> None:
    from warroom.explain.ask import asked  # only this command needs it
    from warroom.explain.text import explanation

    own = read_settings(os.environ).library.files if os.environ.get("WARROOM_CONFIG") else {}
    case = asked(pack, severity, now=datetime.now(UTC), at=against, playbook=playbook, own=own)
    for line in explanation(case):
        out.print(Text.assemble(*line), no_wrap=True, overflow="ignore", crop=False)


def _check(live: bool) -> None:
    from warroom.live import live_problems  # only this command needs it

    _refuse([*_everything_wrong(), *asyncio.run(_database_wrong())])
    settings = Settings.load(os.environ)
    if live:
        _refuse(asyncio.run(live_problems(settings)))
    _say("Everything is in order." if live else "Everything is in order. --live also asks Slack and PagerDuty.")
    _say(inventory(settings))


async def _database_wrong() -> list[Problem]:
    """Why the database cannot be opened or made, if its address can be read at all."""
    try:
        url = database_url(os.environ)
    except ConfigError:
        return []  # told with the settings
    said = await trouble(url)
    return [Problem(ENVIRONMENT, 0, "DATABASE_URL", said)] if said else []


@app.command()
def postmortem(incident: Annotated[str, typer.Argument(help="42, or INC-2026-0042")]) -> None:
    """Compile the post-mortem draft of an incident again, from Slack's history and the facts; prints its path."""
    settings = Settings.load(os.environ)
    configure(settings.secrets(os.environ))
    out.print(str(asyncio.run(compile_again(settings, incident))), markup=False, emoji=False, soft_wrap=True)


@app.command()
def audit(
    incident: Annotated[str | None, typer.Argument(help="42, or INC-2026-0042; all when left out")] = None,
) -> None:
    """Walk the hash chain of the facts; exit 1 where it does not hold or an incident is gone."""
    breaks = asyncio.run(_audit(database_url(os.environ), incident))
    for found in breaks:
        out.print(found, markup=False, emoji=False, highlight=False, soft_wrap=True)
    if breaks:
        raise typer.Exit(1)


async def _audit(url: str, typed: str | None) -> list[str]:
    store = await Store.open(url, writer=False)
    try:
        ids, breaks = await store.incidents(), await store.audit()
        if typed:
            ids = [named(typed, sorted({*ids, *(b.incident for b in breaks)}))]
            breaks = [b for b in breaks if b.incident in ids]
        if not breaks:
            out.print(f"{len(ids)} incident{'s' if len(ids) != 1 else ''}: every fact is where its hash says.")
        return [f"{b.incident}, fact {b.seq}: {b.reason}" if b.seq else f"{b.incident}: {b.reason}" for b in breaks]
    finally:
        await store.close()


@db.command()
def upgrade() -> None:
    """Bring the tables up to date (`serve` does it at start, too)."""
    asyncio.run(upgrade_database(database_url(os.environ)))
    out.print("The tables are up to date.")


def main() -> None:
    """The entry point: mistakes are told in sentences, without a traceback."""
    try:
        app()
    except ConfigError as error:
        for problem in error.problems:
            err.print(problem, markup=False, emoji=False, highlight=False, soft_wrap=True)
        sys.exit(1)
    except WarroomError as error:
        err.print(str(error), markup=False, emoji=False, highlight=False, soft_wrap=True)
        sys.exit(1)
