"""manifest.yml is complete, least, and what the code really needs."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.slack.support import Watch

import warroom.slack
from warroom.sandbox import Sandbox, serve
from warroom.slack.api import Api
from warroom.slack.errors import SlackRefused
from warroom.slack.limits import KINDS
from warroom.slack.manifest import EVENT_SCOPES, KNOWN_SCOPES, METHOD_SCOPES, NEEDED, check_manifest, missing_scopes
from warroom.slack.methods import METHODS

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]


@pytest.fixture
def manifest() -> Json:
    return copy.deepcopy(yaml.safe_load((ROOT / "manifest.yml").read_text("utf-8")))


def problems(tmp_path: Path, manifest: Any) -> str:
    path = tmp_path / "manifest.yml"
    path.write_text(yaml.safe_dump(manifest), "utf-8")
    return "\n".join(map(str, check_manifest(path)))


def test_our_manifest_is_right() -> None:
    assert check_manifest(ROOT / "manifest.yml") == []


def command(m: Json, number: int = 0) -> Json:
    return m["features"]["slash_commands"][number]  # type: ignore[no-any-return]


def scopes(m: Json) -> list[str]:
    return m["oauth_config"]["scopes"]["bot"]  # type: ignore[no-any-return]


MISTAKES: dict[str, tuple[Callable[[Json], object], str]] = {
    "unknown key": (lambda m: m["settings"].update(sockets=True), "Slack knows no 'sockets' in settings"),
    "missing part": (lambda m: m.pop("oauth_config"), "oauth_config.scopes: this is missing"),
    "wrong shape": (lambda m: m.update(settings=[]), "settings: write `key: value` lines"),
    "no list": (lambda m: m["oauth_config"]["scopes"].update(bot="x"), "oauth_config.scopes.bot: write a list here"),
    "long name": (lambda m: m["display_information"].update(name="x" * 36), "36 characters, Slack takes 35"),
    "no name": (lambda m: m["display_information"].pop("name"), "display_information.name: this is missing"),
    "long description": (lambda m: m["display_information"].update(description="x" * 141), "Slack takes 140"),
    "short long description": (lambda m: m["display_information"].update(long_description="x"), "the least is 175"),
    "colour": (lambda m: m["display_information"].update(background_color="red"), "is no colour"),
    "bot name": (
        lambda m: m["features"]["bot_user"].update(display_name="Wär!"),
        "display_name: write letters, digits",
    ),
    "command format": (lambda m: command(m).update(command="incident"), "is no command; write / and small letters"),
    "capitals": (lambda m: command(m).update(command="/Incident"), "is no command; write / and small letters"),
    "no description": (lambda m: command(m).pop("description"), "/incident has no description"),
    "long hint": (lambda m: command(m).update(usage_hint="x" * 1001), "Slack takes 1000"),
    "unhandled command": (lambda m: command(m).update(command="/other"), "nothing in warroom handles it"),
    "missing command": (lambda m: m["features"]["slash_commands"].pop(), "lacks the command /incident-status"),
    "doubled command": (lambda m: m["features"]["slash_commands"].append(dict(command(m))), "declared twice"),
    "no url": (lambda m: command(m).pop("url"), "slash_commands[0].url: this needs an https address"),
    "plain http": (
        lambda m: command(m).update(url="http://x.example/y"),
        "slash_commands[0].url: this needs an https address",
    ),
    "shortcut type": (lambda m: m["features"]["shortcuts"][0].update(type="button"), "type: write message or global"),
    "shortcut id": (
        lambda m: m["features"]["shortcuts"][0].update(callback_id="x"),
        "lacks the shortcut add_to_timeline",
    ),
    "shortcut name": (lambda m: m["features"]["shortcuts"][0].update(name="x" * 25), "Slack takes 24"),
    "no buttons": (lambda m: m["settings"]["interactivity"].update(is_enabled=False), "the buttons need it"),
    "no switch": (
        lambda m: m["settings"].pop("token_rotation_enabled"),
        "token_rotation_enabled: write true or false",
    ),
    "no event": (
        lambda m: m["settings"]["event_subscriptions"].update(bot_events=[]),
        "lacks the event reaction_added",
    ),
    "odd event": (
        lambda m: m["settings"]["event_subscriptions"]["bot_events"].append("message.im"),
        "message.im is declared",
    ),
    "user events": (
        lambda m: m["settings"]["event_subscriptions"].update(user_events=["x"]),
        "user_events: no user events are used",
    ),
    "unknown scope": (lambda m: scopes(m).append("chat:shout"), "chat:shout is no bot scope"),
    "superfluous scope": (lambda m: scopes(m).append("groups:write"), "groups:write is not needed"),
    "doubled scope": (lambda m: scopes(m).append("chat:write"), "listed twice"),
    "missing scope": (lambda m: scopes(m).remove("pins:read"), "pins:read is missing, needed by pins.list"),
    "missing event scope": (lambda m: scopes(m).remove("reactions:read"), "needed by event reaction_added"),
    "user scope": (lambda m: m["oauth_config"]["scopes"].update(user=["search:read"]), "no user scopes"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_named(tmp_path: Path, manifest: Json, mistake: str) -> None:
    change, said = MISTAKES[mistake]
    change(manifest)
    assert said in problems(tmp_path, manifest)


def test_socket_mode_needs_no_addresses(tmp_path: Path, manifest: Json) -> None:
    for entry in manifest["features"]["slash_commands"]:
        del entry["url"]
    del manifest["settings"]["interactivity"]["request_url"]
    del manifest["settings"]["event_subscriptions"]["request_url"]
    assert "https address" in problems(tmp_path, manifest)
    manifest["settings"]["socket_mode_enabled"] = True
    assert problems(tmp_path, manifest) == ""


def test_a_file_that_is_no_manifest_is_said(tmp_path: Path) -> None:
    assert "manifest.yml:1: write `key: value` lines" in problems(tmp_path, ["x"])
    assert "none.yml: this file cannot be read (No such file" in str(check_manifest(tmp_path / "none.yml")[0])
    (tmp_path / "bad.yml").write_text("a: [", "utf-8")
    assert "bad.yml:2: this is not YAML" in str(check_manifest(tmp_path / "bad.yml")[0])


def test_mistakes_of_several_kinds_are_told_at_once_each_with_its_line(tmp_path: Path, manifest: Json) -> None:
    manifest["settings"].update(sockets=True)
    command(manifest).update(command="/Halt It")
    scopes(manifest)[scopes(manifest).index("chat:write")] = "chat:wrote"
    found = problems(tmp_path, manifest).splitlines()
    lines = (tmp_path / "manifest.yml").read_text("utf-8").splitlines()
    for word, said in (
        ("sockets", "Slack knows no 'sockets' in settings"),
        ("/Halt It", "'/Halt It' is no command"),
        ("chat:wrote", "chat:wrote is no bot scope of Slack; did you mean chat:write?"),
    ):
        line = next(n for n, text in enumerate(lines, 1) if word in text)
        assert any(f"manifest.yml:{line}: " in problem and said in problem for problem in found), found
    assert not [problem for problem in found if "nothing in warroom handles it" in problem]


def test_missing_scopes_are_what_is_needed_and_not_granted() -> None:
    assert missing_scopes(NEEDED) == ()
    assert missing_scopes(NEEDED - {"chat:write", "commands"}) == ("chat:write", "commands")
    assert NEEDED <= KNOWN_SCOPES


def test_every_method_called_has_its_scopes_listed_and_every_listed_one_is_called() -> None:
    source = "".join(p.read_text("utf-8") for p in Path(warroom.slack.__path__[0]).glob("*.py") if p.stem != "methods")
    named = {name for name in METHODS if f'"{name}"' in source}
    assert named == set(METHODS) == set(METHOD_SCOPES)
    called = set(re.findall(r'(?:call|pages)\(\s*"([a-zA-Z.]+)"', source))
    assert called <= set(METHODS)
    assert {method for methods in KINDS.values() for method in methods} <= set(METHODS)
    assert set(EVENT_SCOPES) == {"reaction_added"}


ARGUMENTS: dict[str, Json] = {
    "bookmarks.add": {"channel_id": "C1", "title": "x", "type": "link", "link": "https://x"},
    "bookmarks.list": {"channel_id": "C1"},
    "chat.postEphemeral": {"channel": "C1", "user": "U1", "text": "x"},
    "chat.postMessage": {"channel": "C1", "text": "x"},
    "chat.update": {"channel": "C1", "ts": "1.1", "text": "x"},
    "conversations.create": {"name": "x"},
    "conversations.invite": {"channel": "C1", "users": "U1"},
    "conversations.list": {"types": "public_channel,private_channel"},
    "conversations.replies": {"channel": "C1", "ts": "1.1"},
    "conversations.setPurpose": {"channel": "C1", "purpose": "x"},
    "conversations.setTopic": {"channel": "C1", "topic": "x"},
    "files.completeUploadExternal": {"files": [{"id": "F1", "title": "x"}]},
    "files.getUploadURLExternal": {"filename": "x", "length": 1},
    "files.info": {"file": "F1"},
    "pins.add": {"channel": "C1", "timestamp": "1.1"},
    "usergroups.users.list": {"usergroup": "S1"},
    "users.info": {"user": "U1"},
    "users.lookupByEmail": {"email": "x@y"},
    "views.open": {"trigger_id": "x", "view": {"type": "modal"}},
    "auth.test": {},
}
"""what each method needs at least; a channel is the default"""


@pytest.mark.parametrize("private", [False, True])
async def test_the_manifest_s_scopes_are_enough_for_a_strict_slack(manifest: Json, watch: Watch, private: bool) -> None:
    sandbox = Sandbox(watch, scopes=frozenset(scopes(manifest)), speed=1000)
    channel = sandbox.slack.add_channel("room", ["U0WARROOM1"], private=private).id
    async with serve(sandbox) as url, Api("xoxb-sandbox-bot-token", f"{url}/slack/api/") as api:
        refused: dict[str, str] = {}
        for name in METHODS:
            arguments = ARGUMENTS.get(name, {"channel": "C1"})
            given = {k: channel if v == "C1" else v for k, v in arguments.items()}
            try:
                await api.call(name, **given)
            except SlackRefused as error:
                refused[name] = error.code
        assert "missing_scope" not in refused.values(), refused
        assert await api.granted() == set(scopes(manifest))
        assert missing_scopes(await api.granted()) == ()
