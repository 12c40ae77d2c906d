import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.packs.toys import pack_with

from warroom.domain.policy import Pack
from warroom.errors import ConfigError
from warroom.packs.bindings import Binding
from warroom.packs.loader import (
    content_hash,
    freeze,
    json_schema,
    loaded_pack,
    read_pack,
    shipped,
    shipped_ids,
    thaw,
    thaw_loaded,
)


def read(text: str) -> Pack:
    pack, problems = read_pack(text, "pack.yaml")
    assert problems == []
    assert pack is not None
    return pack


@pytest.mark.parametrize("pack_id", shipped_ids())
def test_a_frozen_pack_thaws_to_the_same_pack(pack_id: str) -> None:
    pack = shipped(pack_id)
    assert thaw(freeze(pack)) == pack
    assert freeze(thaw(freeze(pack))) == freeze(pack)


def test_the_frozen_text_is_canonical() -> None:
    text = freeze(shipped("lav_adaf"))
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def test_the_hash_follows_the_content_and_nothing_else() -> None:
    one = read(pack_with("title: Toy\n"))
    assert content_hash(one) == content_hash(read(pack_with("# a comment\ntitle:   'Toy'\n")))
    assert content_hash(one) != content_hash(replace(one, storm_window=timedelta(minutes=11)))
    assert re.fullmatch("[0-9a-f]{64}", content_hash(one))


def test_the_surprises_of_yaml_1_1_are_gone() -> None:
    pack = read(pack_with("title: on\nversion: 16:00\nsource: 2026-01-01\n"))
    assert (pack.title, pack.version, pack.source) == ("on", "16:00", "2026-01-01")


def test_whole_numbers_in_a_body_stay_whole() -> None:
    body = shipped("lav_adaf").actions["reduce-positions"].body
    assert json.dumps(dict(thaw(freeze(shipped("lav_adaf"))).actions["reduce-positions"].body)) == json.dumps(
        {"reduction_pct": 0.5, "timeframe": 300}
    )
    assert body["timeframe"] == 300


def test_a_deployment_overrides_addresses_channels_and_tools_but_not_the_rest() -> None:
    binding = Binding(
        services=("PABC123",),
        urls={"redis": "redis.internal:6380"},
        channels={"war_room": "#fire"},
        contacts={"cloud_support": "case 7"},
        tools={"docker": ("podman",)},
    )
    loaded = loaded_pack(shipped("lav_adaf"), binding)
    plain = shipped("lav_adaf")
    assert loaded.pack.urls["redis"] == "redis.internal:6380"
    assert loaded.pack.channels["war_room"] == "#fire"
    assert loaded.pack.tools["docker"] == ("podman",)
    assert loaded.services == ("PABC123",)
    assert loaded.contacts == {"cloud_support": "case 7"}
    assert loaded.hash == content_hash(loaded.pack) != content_hash(plain)
    assert replace(loaded.pack, urls=plain.urls, channels=plain.channels, tools=plain.tools) == plain, (
        "nothing else changed"
    )


def test_a_thawed_pack_keeps_its_policy_and_takes_the_contacts_of_today() -> None:
    loaded = loaded_pack(shipped("lav_adaf"), Binding(services=("POLD",), channels={"war_room": "#then"}))
    again = thaw_loaded(freeze(loaded.pack), Binding(services=("PNEW",), contacts={"cloud_support": "new"}))
    assert (again.pack, again.hash, again.sessions) == (loaded.pack, loaded.hash, loaded.sessions)
    assert (again.services, again.contacts) == (("PNEW",), {"cloud_support": "new"})


def test_an_unknown_pack_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="there is no pack 'lav_adf'; did you mean lav_adaf"):
        shipped("lav_adf")


def test_the_schema_for_editors_knows_durations_times_and_forbids_unknown_keys() -> None:
    schema = json_schema()
    clock = schema["$defs"]["Clock"]
    assert clock["additionalProperties"] is False
    assert re.search(clock["properties"]["within"]["pattern"], "1h 30m")
    assert not re.search(clock["properties"]["within"]["pattern"], "90")
    assert re.search(schema["$defs"]["Calendar"]["properties"]["open"]["pattern"], "09:30")
    assert schema["$defs"]["Probe"]["properties"]["timeout"]["default"] == "5s"
    json.dumps(schema)
