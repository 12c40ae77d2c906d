from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from shutil import copytree

import pytest

from tests.packs.toys import pack_with
from tests.test_settings import GIVEN
from warroom.check import explain, problems, report
from warroom.domain.messages import MESSAGES
from warroom.packs.durations import parse_duration
from warroom.packs.loader import SHIPPED, shipped
from warroom.packs.problems import Problem
from warroom.packs.used_messages import messages_used
from warroom.slack.manifest import check_manifest

ROOT = Path(__file__).parents[1]


def fine(_: Path) -> Sequence[str]:
    return []


def test_what_is_shipped_is_in_order() -> None:
    found = problems(GIVEN, messages=ROOT / "messages", manifest=ROOT / "manifest.yml", check_manifest=check_manifest)
    assert report(found) == "Everything is in order."


def test_mistakes_of_every_kind_are_told_at_once(tmp_path: Path) -> None:
    messages = tmp_path / "messages"
    copytree(ROOT / "messages", messages)
    (messages / "common" / "broken.md").write_text("no front matter")
    packs = tmp_path / "packs"
    (packs / "toy").mkdir(parents=True)
    (packs / "toy" / "pack.yaml").write_text(pack_with("title: 15m\n"))
    found = problems(
        {**GIVEN, "WARROOM_PORT": "x"},
        messages=messages,
        manifest=tmp_path / "manifest.yml",
        check_manifest=lambda path: [f"{path.name} is not there"],
        packs=packs,
    )
    said = report(found)
    assert "environment: WARROOM_PORT: " in said
    assert f"{packs / 'toy' / 'pack.yaml'}:1: title: write text here" in said
    assert "broken.md:1: " in said
    assert "manifest.yml is not there" in said
    assert said.endswith("mistakes. Nothing was started.")


def test_a_pack_that_is_not_text_is_told_beside_the_others(tmp_path: Path) -> None:
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "pack.yaml").write_bytes(b"\xff\xfe")
    manifest = ROOT / "manifest.yml"
    found = problems(GIVEN, messages=ROOT / "messages", manifest=manifest, check_manifest=fine, packs=tmp_path)
    assert [str(p) for p in found] == [f"{tmp_path / 'toy' / 'pack.yaml'}: this file is not UTF-8; save it as UTF-8"]


def test_a_message_that_nobody_wrote_is_told_with_the_line_that_names_it(tmp_path: Path) -> None:
    packs = tmp_path / "packs"
    copytree(SHIPPED / "lav_adaf", packs / "lav_adaf")
    path = packs / "lav_adaf" / "pack.yaml"
    text = path.read_text().replace("message: p0_update", "message: p0_updat")
    path.write_text(text)
    line = text[: text.index("message: p0_updat")].count("\n") + 1
    found = problems(
        GIVEN, messages=ROOT / "messages", manifest=ROOT / "manifest.yml", check_manifest=fine, packs=packs
    )
    assert found == [
        Problem(
            str(path),
            line,
            "severities.P0.cadences[0].message",
            "there is no message 'p0_updat' in messages/lav_adaf or messages/common; did you mean p0_update?",
        )
    ]


def test_a_message_file_that_is_gone_is_told(tmp_path: Path) -> None:
    copytree(ROOT / "messages", tmp_path / "messages")
    panel = tmp_path / "messages" / "common" / "panel.md"
    panel.unlink()
    found = problems(
        GIVEN, messages=tmp_path / "messages", manifest=ROOT / "manifest.yml", check_manifest=fine, packs=SHIPPED
    )
    assert [(p.file, "is missing" in p.sentence) for p in found] == [(str(panel), True)]


def test_the_rules_own_messages_are_those_that_no_pack_names() -> None:
    common = {path.stem for path in (ROOT / "messages" / "common").glob("*.md")}
    rules = "".join(p.read_text() for p in (SHIPPED.parent / "domain").glob("*.py") if p.stem != "messages")
    assert common - {"incident_announcement"} == MESSAGES
    assert [name for name in MESSAGES if f'"{name}"' not in rules] == []


def test_one_mistake_is_one_mistake() -> None:
    assert report([Problem("a.yaml", 3, "x.y", "write z")]) == "a.yaml:3: x.y: write z\n1 mistake. Nothing was started."


def test_the_messages_a_pack_uses() -> None:
    assert {name for _, name in messages_used(shipped("lav_adaf"))} == {
        "p0_initial_alert",
        "p1_initial_alert",
        "incident_announcement",
        "p0_update",
        "p1_status_update",
        "resolution_notice",
        "step_late",
        "executive_brief",
    }


@pytest.mark.row("L2")
def test_a_severity_is_explained_minute_by_minute() -> None:
    lines = explain(shipped("lav_adaf"), "P0").splitlines()
    told = [line.strip() for line in lines]
    for wanted in (
        "0m  p0_initial_alert to #war-room, ringing @channel",
        "2m  step: Engage the circuit breakers, owner: Risk manager",
        "5m  step: Preserve the evidence, by itself: run the probes evidence",
        "12m  the room is asked for the status update",
        "15m  p0_update to #war-room, the room",
        "15m  clock ends: Respond, responding by now; else page the engineers on call, the senior engineers",
        "2h  clock ends: Resolve (MTTR target), resolved by now; else page the senior engineers, the CTO",
    ):
        assert wanted in told
    assert any("done by action:halt-all; if late escalate in PagerDuty" in line for line in told)
    assert any(line.startswith("after resolved") and "within 30m" in line for line in told)


def test_the_explanation_is_in_the_order_of_time() -> None:
    times = [line[2:11].strip() for line in explain(shipped("lav_adaf"), "P1").splitlines()[1:] if line[2:4] == "  "]
    spans: list[timedelta] = [parse_duration(at) for at in times]
    assert len(spans) > 10
    assert spans == sorted(spans)
