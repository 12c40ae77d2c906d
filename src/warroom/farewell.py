"""How a demo ends: what came of it, where the files are, what to try next."""

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from warroom.sandbox.people import BOT_USER_ID
from warroom.sandbox.sandbox import Sandbox
from warroom.sandbox.slack_state import HIDDEN_SUBTYPES

FILES: Mapping[str, str] = {
    "transcript.jsonl": "what everybody could read, a message a line",
    "postmortem.md": "the post-mortem draft, with its questions to people",
    "incident.json": "the facts it was made from",
}


def summary(console: Console, sandbox: Sandbox, out: Path, ending: str) -> None:
    """Prints how it ended, what was said and called, and the files in `out`."""
    said = [m for m in sandbox.transcript() if m["subtype"] not in HIDDEN_SUBTYPES]
    by_bot = sum(m["author_id"] == BOT_USER_ID for m in said)
    calls = {name: len(sandbox.journal.of(name)) for name in ("slack", "pagerduty")}
    pages = sandbox.pagerduty.pages
    console.print(f"[bold]{ending}[/bold]", highlight=False)
    _line(console, f"Messages: {by_bot} by the bot, {len(said) - by_bot} by people.")
    _line(console, f"Calls of the bot: {calls['slack']} to Slack, {calls['pagerduty']} to PagerDuty.")
    _line(console, f"PagerDuty called {len({page['to'] for page in pages})} people, {len(pages)} times in all.")
    console.print(f"\n[bold]Files[/bold] in {escape(str(out))}:", highlight=False, soft_wrap=True)
    for name, about in FILES.items():
        if (out / name).exists():
            _line(console, f"[cyan]{name:<17}[/cyan] {about}")


def next_without_page(console: Console, out: Path) -> None:
    """Prints what to try when the bot has ended."""
    console.print("\n[bold]Next[/bold]: prove that nobody has changed the record since:")
    audit = f"DATABASE_URL='sqlite+aiosqlite:///{out / 'warroom.db'}' warroom audit"
    console.print(f"  [cyan]{escape(audit)}[/cyan]", highlight=False, soft_wrap=True)
    console.print("or leave out --exit, and take part on the demo's page.")


def next_on_page(console: Console, sandbox: Sandbox, page: str) -> None:
    """Prints what to try on the page while the bot is running."""
    rooms = [c.name for c in sandbox.slack.channels.values() if c.creator == BOT_USER_ID and not c.im_with]
    console.print("\n[bold]Next[/bold]: the bot is still running, and a minute now takes a minute. Open")
    console.print(f"  [cyan]{page}[/cyan]", highlight=False, soft_wrap=True)
    for room in rooms[:1]:
        _line(console, f"In #{room} type [cyan]/incident timeline[/cyan] or [cyan]/incident help[/cyan].")
    _line(console, "Press “Raise an alert” under PagerDuty. In the new room type [cyan]/diagnostics[/cyan].")
    _line(console, "Become Rita Okafor (top left), set “Halt” to “drops” under Trading platform, and type there")
    _line(console, "[cyan]/halt all trying it out[/cyan]. The answer is lost; what is read back decides what is told.")
    _line(console, "Become Sam Stranger, who may not halt, and type the same.")
    console.print("Ctrl-C ends it.")


def _line(console: Console, text: str) -> None:
    console.print(Padding(Text.from_markup(text), (0, 0, 0, 2), expand=False))
