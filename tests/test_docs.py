"""The documents tell the truth about names."""

import re
from pathlib import Path

from warroom.domain.commands import INCIDENT
from warroom.environment import variables

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_in_the_readme() -> None:
    missing = [name for name in variables() if f"`{name}`" not in README]
    assert not missing


def test_the_readme_names_no_setting_that_does_not_exist() -> None:
    named = set(re.findall(r"`((?:SLACK|PAGERDUTY|WARROOM|DATABASE)_[A-Z_]+)`", README))
    by_pack = ("WARROOM_URL_", "PAGERDUTY_ROUTING_KEY_")
    assert {name for name in named if not name.startswith(by_pack)} <= set(variables())


def test_every_incident_command_is_in_the_readme() -> None:
    table = README.split("## Commands")[1].split("## Installing it")[0]
    missing = [word for word in INCIDENT if not re.search(rf"[` ]{word}\b", table)]
    assert not missing


def test_the_architecture_names_files_that_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:domain|slack|pagerduty|platform|engine|postmortem)/[a-z_/]+\.py)`", text))
    assert named
    assert not [name for name in named if not (ROOT / "src" / "warroom" / name).exists()]
