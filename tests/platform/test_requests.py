"""Previews of actions: what will be sent, and what is wrong with the values."""

from typing import Any

import httpx
import pytest
from tests.platform.support import TOKEN, surroundings

from warroom.domain.policy import Action, Expect, Parameter, Probe, ReadBack
from warroom.platform.actions import Order, ParametersError, Request, preview
from warroom.platform.requests import expected

REDUCTION = Parameter(title="Reduction", type="number", default=0.5, minimum=0.1, maximum=1.0)
VENUE = Parameter(title="Venue", choices=("NYSE", "ARCA"))
BODY = {
    "by": "{operator}",
    "note": "ordered by {operator}: {reason}",
    "pct": "{pct}",
    "venues": ("{venue}",),
    "frame": 300,
    "hard": True,
}


def an_action(**given: Any) -> Action:
    fields: dict[str, Any] = {
        "title": "Reduce",
        "http": "warden/api/reduce",
        "danger": "extreme",
        "who": ("risk",),
        "read_back": ReadBack(probe="reduced"),
        "auth": "EMERGENCY_TOKEN",
        "parameters": {"pct": REDUCTION, "venue": VENUE},
        "body": BODY,
    }
    return Action(**(fields | given))


async def see(client: httpx.AsyncClient, values: dict[str, object], /, **given: Any) -> Request:
    here = surroundings(
        client, urls={"warden": "https://me:hunter22@warden.example"}, environ={"EMERGENCY_TOKEN": TOKEN}
    )
    action = an_action(**given)
    return preview(
        Order(action=action, read_back=None, parameters=values, reason="limits breached", operator="Ana"), here
    )


async def test_the_preview_is_exactly_what_will_be_sent_with_the_token_hidden(http: httpx.AsyncClient) -> None:
    request = await see(http, {"pct": "0.25", "venue": "ARCA"})
    assert request.to_dict() == {
        "method": "POST",
        "url": "https://***@warden.example/api/reduce",
        "headers": {
            "Accept": "application/json",
            "Connection": "close",
            "Content-Type": "application/json",
            "Authorization": "Bearer ***",
        },
        "body": {
            "by": "Ana",
            "note": "ordered by Ana: limits breached",
            "pct": 0.25,
            "venues": ["ARCA"],
            "frame": 300,
            "hard": True,
        },
    }


async def test_without_auth_and_body_neither_is_sent(http: httpx.AsyncClient) -> None:
    request = await see(http, {}, auth=None, body={}, parameters={}, method="DELETE")
    assert (request.method, dict(request.headers), request.body) == (
        "DELETE",
        {"Accept": "application/json", "Connection": "close"},
        None,
    )


@pytest.mark.parametrize(("given", "sent"), [(0.1, 0.1), (1, 1), ("1.0", 1), (" 0.3 ", 0.3), ("", 0.5), (None, 0.5)])
async def test_numbers_are_read_and_defaults_filled_in(given: object, sent: float, http: httpx.AsyncClient) -> None:
    request = await see(http, {"pct": given, "venue": "NYSE"})
    assert request.body is not None
    assert request.body["pct"] == sent


@pytest.mark.parametrize("given", [0.09, 1.01, "50 %", "half", "nan", "inf", True, [0.5]])
async def test_a_number_out_of_bounds_or_no_number_is_refused(given: object, http: httpx.AsyncClient) -> None:
    with pytest.raises(ParametersError) as caught:
        await see(http, {"pct": given, "venue": "NYSE"})
    assert caught.value.errors == {"pct": f"Reduction cannot be {str(given)!r}: give a number from 0.1 to 1."}


async def test_all_mistakes_are_told_at_once_with_the_nearest_right_word(http: httpx.AsyncClient) -> None:
    with pytest.raises(ParametersError) as caught:
        await see(http, {"pcd": 0.5, "pct": 7, "venue": "ARCS"}, http="wardn/api/reduce")
    assert caught.value.errors == {
        "pcd": "There is no parameter pcd here. Did you mean pct?",
        "pct": "Reduction cannot be '7': give a number from 0.1 to 1.",
        "venue": "Venue cannot be 'ARCS': give one of NYSE, ARCA. Did you mean ARCA?",
        "action": "wardn has no address: set it under urls: in warroom.yaml. Did you mean warden?",
    }
    assert isinstance(caught.value, ValueError)
    assert "Did you mean pct?" in str(caught.value)


async def test_a_needed_value_that_is_missing_is_asked_for(http: httpx.AsyncClient) -> None:
    with pytest.raises(ParametersError) as caught:
        await see(http, {"venue": "  "})
    assert caught.value.errors == {"venue": "Venue is needed: give one of NYSE, ARCA."}


async def test_text_that_looks_like_a_slot_is_not_filled_in_again(http: httpx.AsyncClient) -> None:
    parameters = {"pct": Parameter(title="Text")}
    request = await see(http, {"pct": "{reason}"}, parameters=parameters, body={"pct": "{pct}"})
    assert request.body == {"pct": "{reason}"}


async def test_the_read_back_expects_the_value_that_was_ordered() -> None:
    probe = Probe(
        title="P", http="x/y", expect=(Expect(value="p", equals="{pct}"), Expect(value="v", contains="{venue}"))
    )
    filled = expected(probe, {"pct": 0.25, "venue": "ARCA"})
    assert filled.expect == (Expect(value="p", equals=0.25), Expect(value="v", contains="ARCA"))
