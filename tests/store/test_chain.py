"""Any change, deletion, insertion or swap of facts shows."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from warroom.domain.chain import BEGIN, End, Link, gone, link, verify


def chain(payloads: list[str], incident: str = "INC-2026-0001") -> list[Link]:
    """An intact chain."""
    links: list[Link] = []
    prev = BEGIN.head
    for seq, payload in enumerate(payloads, 1):
        links.append(Link(incident, seq, payload, prev, link(prev, incident, seq, payload)))
        prev = links[-1].hash
    return links


def end(links: list[Link]) -> dict[str, End]:
    return {"INC-2026-0001": End(len(links), links[-1].hash if links else BEGIN.head)}


texts = st.lists(st.text(max_size=5), min_size=1, max_size=8)


@given(texts)
def test_an_untouched_chain_holds(payloads: list[str]) -> None:
    links = chain(payloads)
    assert verify(links, end(links)) == []


def test_chains_of_several_incidents_may_be_mixed() -> None:
    one, other = chain(["a", "b"]), chain(["c", "d"], "INC-2026-0002")
    assert verify([one[0], other[0], one[1], other[1]]) == []


@given(texts, st.data())
def test_a_changed_payload_shows_where_it_is(payloads: list[str], data: st.DataObject) -> None:
    links = chain(payloads)
    at = data.draw(st.integers(0, len(links) - 1))
    links[at] = replace(links[at], payload=links[at].payload + "x")
    assert [b.seq for b in verify(links)] == [at + 1]


@given(texts, st.data())
def test_a_fact_changed_together_with_its_hash_shows(payloads: list[str], data: st.DataObject) -> None:
    links = chain(payloads)
    before = end(links)
    at = data.draw(st.integers(0, len(links) - 1))
    forged = links[at].payload + "x"
    links[at] = replace(links[at], payload=forged, hash=link(links[at].prev, links[at].incident, at + 1, forged))
    assert verify(links, before)


@given(texts, st.data())
def test_a_deleted_fact_shows_even_the_last(payloads: list[str], data: st.DataObject) -> None:
    links = chain(payloads)
    before = end(links)
    del links[data.draw(st.integers(0, len(links) - 1))]
    assert verify(links, before)


@given(texts, st.data())
def test_an_inserted_fact_shows(payloads: list[str], data: st.DataObject) -> None:
    links = chain(payloads)
    before = end(links)
    at = data.draw(st.integers(0, len(links)))
    prev = links[at - 1].hash if at else BEGIN.head
    links.insert(at, Link("INC-2026-0001", at + 1, "forged", prev, link(prev, "INC-2026-0001", at + 1, "forged")))
    assert verify(links, before)


@given(st.lists(st.text(max_size=5), min_size=2, max_size=8), st.data())
def test_two_facts_that_changed_places_show(payloads: list[str], data: st.DataObject) -> None:
    links = chain(payloads)
    one, other = sorted(data.draw(st.lists(st.integers(0, len(links) - 1), min_size=2, max_size=2, unique=True)))
    links[one], links[other] = links[other], links[one]
    assert verify(links)


def test_an_incident_of_which_only_other_tables_tell_is_gone() -> None:
    (only,) = gone([], {"inbox": ["INC-2026-0001", "INC-2026-0001"], "effect": ["INC-2026-0001"], "timer": []})
    assert (only.incident, only.seq, only.reason) == (
        "INC-2026-0001",
        0,
        "it was deleted, but is told of in inbox, effect",
    )
    assert gone(["INC-2026-0001"], {"inbox": ["INC-2026-0001"]}) == []


def test_a_number_left_out_is_an_incident_that_is_gone() -> None:
    found = gone(["system", "INC-2026-0002", "INC-2026-0004", "INC-2027-0001"], {})
    assert [b.incident for b in found] == ["INC-2026-0001", "INC-2026-0003"]
    assert {b.reason for b in found} == {"it was deleted: later ones of its year are there"}
