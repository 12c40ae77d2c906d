"""JSON bodies of requests to the trading platforms: refused with a sentence when they are not as they must be."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

Json = dict[str, Any]


class BadRequestError(Exception):
    """What the platform answers with a 4xx; the message says why."""


async def json_object(request: Request) -> Json:
    """The JSON object of a request, {} when empty; raises BadRequestError."""
    raw = await request.body()
    if not raw:
        return {}
    try:
        loaded = await request.json()
    except ValueError as exc:
        raise BadRequestError("the body is not JSON") from exc
    if not isinstance(loaded, dict):
        raise BadRequestError("the body is not an object")
    return loaded


async def exact_object(request: Request, wanted: Mapping[str, type]) -> Json:
    """The JSON object with exactly these keys, each of its type (a float may be whole); raises BadRequestError."""
    body = await json_object(request)
    if set(body) != set(wanted):
        raise BadRequestError(f"the body has exactly these fields: {', '.join(wanted) or 'none'}")
    for name, kind in wanted.items():
        number = kind is float and isinstance(body[name], int | float) and not isinstance(body[name], bool)
        if not number and not isinstance(body[name], kind):
            raise BadRequestError(f"{name} must be {kind.__name__}")
    return body
