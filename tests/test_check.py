from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import copytree

import pytest

from tests.packs.toys import pack_with
from tests.test_settings import GIVEN
from warroom.check import inventory, problems, report, unwritten
from warroom.domain.messages import MESSAGES
from warroom.packs.loader import SHIPPED, read_shipped, shipped, shipped_file, shipped_ids
from warroom.packs.problems import Problem
from warroom.packs.used_messages import messages_used
from warroom.rendering import Catalog
from warroom.settings import Settings
from warroom.slack.manifest import check_manifest

ROOT = Path(__file__).parents[1]
MANIFEST = ROOT / "manifest.yml"
TOY = pack_with("").replace("message: alert", "message: incident_announcement")


def fine(_: Path) -> Sequence[Problem]:
    return []


def own_pack(folder: Path, text: str | bytes, name: str = "toy") -> dict[str, str]:
    """The environment of a deployment that has one pack, of its own."""
    (folder / "toy.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    config = folder / "warroom.yaml"
    config.write_text(f"packs:\n  {name}:\n    file: toy.yaml\n    services: [PTOY1]\ngroups:\n  operators: [U0OPER]\n")
    return {**GIVEN, "WARROOM_CONFIG": str(config)}


def told(environ: Mapping[str, str], messages: Path = ROOT / "messages") -> list[str]:
    return [str(p) for p in problems(environ, messages=messages, manifest=MANIFEST, check_manifest=fine)]


def test_what_is_shipped_is_in_order() -> None:
    found = problems(GIVEN, messages=ROOT / "messages", manifest=MANIFEST, check_manifest=check_manifest)
    assert report(found) == "Everything is in order."


@pytest.mark.parametrize("pack_id", shipped_ids())
def test_every_message_that_a_shipped_pack_names_is_there(pack_id: str) -> None:
    pack, found = read_shipped(pack_id)
    assert pack is not None
    assert found == ()
    catalog = Catalog.load(ROOT / "messages")
    assert unwritten(pack, shipped_file(pack_id), catalog.names(pack_id), ROOT / "messages" / pack_id) == []


def test_mistakes_of_every_kind_are_told_at_once(tmp_path: Path) -> None:
    messages = tmp_path / "messages"
    copytree(ROOT / "messages", messages)
    (messages / "common" / "broken.md").write_text("no front matter")
    found = problems(
        {**own_pack(tmp_path, pack_with("title: 15m\n")), "WARROOM_PORT": "x"},
        messages=messages,
        manifest=tmp_path / "manifest.yml",
        check_manifest=check_manifest,
    )
    said = report(found)
    assert "environment: WARROOM_PORT: " in said
    assert f"{tmp_path / 'toy.yaml'}:1: title: write text here" in said
    assert "broken.md:1: " in said
    assert f"{tmp_path / 'manifest.yml'}: this file cannot be read" in said
    assert said.endswith(" mistakes.")


def test_no_mistake_hides_another_and_none_is_told_that_is_not_one(tmp_path: Path) -> None:
    copytree(ROOT / "messages" / "common", tmp_path / "messages" / "common")
    (tmp_path / "messages" / "common" / "acknowledged.md").unlink()
    (tmp_path / "messages" / "common" / "note.md").write_text("no front matter")
    pack = (
        pack_with("")
        .replace('open: "09:30"', 'open: "25:30"')
        .replace("message: alert", "message: incident_announcemen", 1)
        .replace("message: alert", "message: incident_announcement")
        .replace("danger: contain", "danger: containn")
        .replace("who: [operators]", "who: [operator]")
    )
    config = (
        "packs:\n  toy:\n    file: toy.yaml\n    services: PTOY1\n    channels: {main: '#main', other: '#other'}\n"
        "    databases: {main: env:NO_SUCH}\n  toyy: {services: [P2]}\ngroups:\n  operators: [nobody]\n"
        "  strangers: []\n"
    )
    environ = {
        **own_pack(tmp_path, pack),
        "WARROOM_URL_PLATFORM": "http://platform:1",
        "WARROOM_URL_OTHER": "http://other:1",
        "PAGERDUTY_ROUTING_KEY_TOYS": "key",
        "WARROOM_PORT": "x",
    }
    (tmp_path / "warroom.yaml").write_text(config)
    said = [line.removeprefix(f"{tmp_path}/").partition(";")[0] for line in told(environ, tmp_path / "messages")]
    assert said == [
        "messages/common/acknowledged.md: this message is missing, and people would not be told: put the file back",
        "messages/common/note.md:1: begin the file with front matter: ---, then summary: and fields:, then ---",
        'toy.yaml:16: calendar.open: write a time of day such as "09:30"',
        "toy.yaml:22: severities.P0.announce.message: there is no message 'incident_announcemen' in messages/toy or "
        "messages/common",
        "toy.yaml:46: actions.halt.danger: 'containn' is not possible here",
        "toy.yaml:48: actions.halt.who[0]: 'operator' is not defined under `groups`",
        "warroom.yaml:4: packs.toy.services: write a list here: [a, b] or lines that begin with `-`",
        "warroom.yaml:5: packs.toy.channels.other: toy has no 'other' under channels",
        "warroom.yaml:6: packs.toy.databases.main: NO_SUCH is not set in the environment",
        "warroom.yaml:7: packs.toyy: there is no pack 'toyy'",
        "warroom.yaml:9: groups.operators[0]: 'nobody' is nobody",
        "environment: WARROOM_PORT: this value is not possible",
    ]


def test_a_warroom_yaml_that_says_nothing_is_told_without_what_follows_from_it(tmp_path: Path) -> None:
    environ = own_pack(tmp_path, TOY) | {"WARROOM_URL_X": "http://x:1", "PAGERDUTY_ROUTING_KEY_X": "key"}
    (tmp_path / "warroom.yaml").write_text("packs: x\ngroups: {operators: [U0OPER]}\n")
    assert told(environ) == [f"{tmp_path / 'warroom.yaml'}:1: packs: write `key: value` lines here"]


def test_a_pack_that_is_not_text_is_told_where_warroom_yaml_names_it(tmp_path: Path) -> None:
    (said,) = told(own_pack(tmp_path, b"\xff\xfe"))
    assert said == (
        f"{tmp_path / 'warroom.yaml'}:3: packs.toy.file: "
        f"{tmp_path / 'toy.yaml'}: this file is not UTF-8; save it as UTF-8"
    )


def test_an_own_pack_may_not_take_the_name_of_a_shipped_one(tmp_path: Path) -> None:
    (said,) = told(own_pack(tmp_path, TOY, name="lav_adaf"))
    assert said.startswith(f"{tmp_path / 'warroom.yaml'}:3: packs.lav_adaf.file: lav_adaf comes with warroom; give")


def test_an_own_pack_goes_by_its_own_name(tmp_path: Path) -> None:
    said = told(own_pack(tmp_path, TOY, name="toys"))
    assert f"{tmp_path / 'warroom.yaml'}:3: packs.toys.file: the pack in this file has the id 'toy'; " in said[0]


def test_a_folder_of_messages_that_is_not_there_is_told(tmp_path: Path) -> None:
    environ = own_pack(tmp_path, TOY)
    config = tmp_path / "warroom.yaml"
    config.write_text(config.read_text().replace("    services", "    messages: words\n    services"))
    assert f"{config}:4: packs.toy.messages: there is no folder {tmp_path / 'words'}" in told(environ)[0]


def test_a_message_that_nobody_wrote_is_told_with_the_line_that_names_it(tmp_path: Path) -> None:
    text = pack_with("").replace("message: alert", "message: incident_announcement", 3)
    line = text[: text.index("message: alert")].count("\n") + 1
    assert told(own_pack(tmp_path, text)) == [
        f"{tmp_path / 'toy.yaml'}:{line}: severities.P3.announce.message: "
        "there is no message 'alert' in messages/toy or messages/common"
    ]


def test_a_message_of_an_own_folder_counts_and_its_mistakes_are_told(tmp_path: Path) -> None:
    environ = own_pack(tmp_path, pack_with(""))
    config = tmp_path / "warroom.yaml"
    config.write_text(config.read_text().replace("    services", "    messages: words\n    services"))
    (tmp_path / "words").mkdir()
    alert = tmp_path / "words" / "alert.md"
    alert.write_text("---\nabout: An alert.\nsummary: An alert\nfields: []\n---\n# Alert\n")
    assert told(environ) == []
    alert.write_text("---\nabout: An alert.\nsummary: An alert\nfields: []\n---\n# {{ alert }}\n")
    assert told(environ)[0].startswith(f"{alert}:")


def test_the_packs_in_use_are_listed_with_what_is_in_them() -> None:
    lines = inventory(Settings.load(GIVEN)).splitlines()
    assert lines[0] == "Packs in use:"
    pack = shipped("lav_adaf")
    assert f"lav_adaf  4 severities, {len(pack.playbooks)} playbooks, {len(pack.probes)} probes" in lines[1]
    assert lines[1].endswith("· PLAVADF")


def test_a_message_file_that_is_gone_is_told(tmp_path: Path) -> None:
    copytree(ROOT / "messages", tmp_path / "messages")
    panel = tmp_path / "messages" / "common" / "panel.md"
    panel.unlink()
    (said,) = told(GIVEN, tmp_path / "messages")
    assert said == f"{panel}: this message is missing, and people would not be told: put the file back"


def test_the_rules_own_messages_are_those_that_no_pack_names() -> None:
    common = {path.stem for path in (ROOT / "messages" / "common").glob("*.md")}
    rules = "".join(p.read_text() for p in (SHIPPED.parent / "domain").glob("*.py") if p.stem != "messages")
    assert common - {"incident_announcement"} == MESSAGES
    assert [name for name in MESSAGES if f'"{name}"' not in rules] == []


def test_one_mistake_is_one_mistake() -> None:
    assert report([Problem("a.yaml", 3, "x.y", "write z")]) == "a.yaml:3: x.y: write z\n1 mistake."


def test_the_messages_a_pack_uses() -> None:
    assert {name for _, name in messages_used(shipped("lav_adaf"))} == {
        "p0_initial_alert",
        "p1_initial_alert",
        "incident_announcement",
        "p0_update",
        "p1_status_update",
        "risk_escalation",
        "security_notice",
        "technical_escalation",
        "resolution_notice",
        "step_late",
        "executive_brief",
    }


def test_an_audience_that_nothing_reaches_is_told_with_the_setting_it_needs(tmp_path: Path) -> None:
    audience = "audiences:\n  desk: {title: Trading desk, mail: [operators], status_page: true, wiki: true}\n"
    given = own_pack(tmp_path, pack_with(audience).replace("message: alert", "message: incident_announcement"))
    assert {said.partition(": this")[0].rpartition(" ")[2] for said in told(given)} == {
        "WARROOM_SMTP_URL",
        "WARROOM_MAIL_FROM",
        "WARROOM_STATUSPAGE_PAGE",
        "WARROOM_STATUSPAGE_KEY",
        "WARROOM_CONFLUENCE_URL",
        "WARROOM_CONFLUENCE_SPACE",
        "WARROOM_CONFLUENCE_USER",
        "WARROOM_CONFLUENCE_TOKEN",
    }
    assert any("“Trading desk” of toy is told by e-mail" in said for said in told(given))
    Settings.load(given)  # it runs all the same
    ready = given | {
        "WARROOM_SMTP_URL": "smtp://mail.firm.example",
        "WARROOM_MAIL_FROM": "warroom@firm.example",
        "WARROOM_STATUSPAGE_PAGE": "page",
        "WARROOM_STATUSPAGE_KEY": "key",
        "WARROOM_CONFLUENCE_URL": "https://firm.atlassian.net/wiki",
        "WARROOM_CONFLUENCE_SPACE": "OPS",
        "WARROOM_CONFLUENCE_USER": "warroom@firm.example",
        "WARROOM_CONFLUENCE_TOKEN": "token",
    }
    assert told(ready) == []


def test_an_audience_whose_group_is_empty_is_told(tmp_path: Path) -> None:
    sections = (
        "groups: {on_call: the engineers on call, operators: the operators, customers: the customers}\n"
        "audiences:\n  customers: {title: Customers, mail: [customers]}\n"
    )
    mail = {"WARROOM_SMTP_URL": "smtp://mail.firm.example", "WARROOM_MAIL_FROM": "warroom@firm.example"}
    given = own_pack(tmp_path, pack_with(sections).replace("message: alert", "message: incident_announcement"))
    (said,) = told(given | mail)
    assert "groups.customers: nobody is in this group, which “Customers” of toy needs" in said
