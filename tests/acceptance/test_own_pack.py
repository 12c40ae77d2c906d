"""The minimal pack of the documentation, in a file of the deployment's own, really runs."""

import shutil
from pathlib import Path

import yaml
from tests.acceptance.world import SENTINEL, World, a_world

from warroom.check import problems
from warroom.slack.manifest import check_manifest

ROOT = Path(__file__).parents[2]
DOCUMENTED = ROOT / "docs" / "packs"


def write(folder: Path, url: str, service: str) -> None:
    """The documented deployment with the sandbox's addresses: its files, and warroom.yaml beside them."""
    shutil.copytree(DOCUMENTED, folder, dirs_exist_ok=True)
    config = yaml.safe_load((DOCUMENTED / "warroom.yaml").read_text())
    config["packs"]["my_desk"] |= {
        "services": [service],
        "urls": {"orders": f"{url}/platform/executioner"},
        "channels": {"incidents": "#war-room"},
    }
    config["groups"] = {"operators": ["rita@sandbox.example"]}
    (folder / "warroom.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


async def test_a_p1_on_the_minimal_pack(folder: Path) -> None:
    def change(environ: dict[str, str]) -> None:
        given = yaml.safe_load((folder / "warroom.yaml").read_text())["packs"]["lav_adaf"]
        write(folder, given["urls"]["executioner"].removesuffix("/platform/executioner"), given["services"][0])
        assert found(environ) == []

    async with a_world(folder, change=change) as world:
        await plays(world)


def found(environ: dict[str, str]) -> list[str]:
    wrong = problems(environ, messages=ROOT / "messages", manifest=ROOT / "manifest.yml", check_manifest=check_manifest)
    return [str(problem) for problem in wrong]


async def plays(world: World) -> None:
    incident = await world.alert("Order gateway slow", service=SENTINEL, urgency="high")
    world.saw("war-room", "P1 incident: Orders cannot be sent")
    assert {"Ana Souza"} <= set(world.paged())
    await world.at("3:00")
    await world.types("ana", world.room, "/incident take")
    assert incident.status == "acknowledged"
    await world.types("ana", world.room, "/diagnostics health")
    # the pack is edited and the bot restarted: what runs keeps the pack it opened with
    own = world.folder / "minimal.yaml"
    own.write_text(own.read_text().replace("every: 30m", "every: 10m").replace("start: 15m", "start: 20m"))
    await world.restarts(seconds=10)
    world.saw(world.room, "Diagnostics: health", "Gateway health")
    await world.at("15:00")
    world.saw(world.room, ":point_right:", "Say what is affected (Incident commander: @Ana Souza)")
    await world.at("30:00")
    world.saw("war-room", "Orders cannot be sent: investigating", "The next word comes by")
    world.sandbox.pagerduty.resolve(incident, {"id": "PUSRANA", "type": "user_reference", "summary": "Ana Souza"})
    await world.settles()
    world.saw("war-room", "RESOLVED: Orders cannot be sent", "no halt of this incident is in force")
    assert await world.audited()
