"""Slack over HTTP: the Web API, answers to response urls, uploads, downloads and permalinks."""

from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from warroom.sandbox import slack_chat, slack_conversations, slack_directory
from warroom.sandbox.door import OUTCOME
from warroom.sandbox.slack_answers import show_answer
from warroom.sandbox.slack_blocks import check_message_blocks
from warroom.sandbox.slack_call import Args, Call, Method
from warroom.sandbox.slack_errors import RateLimitedError, SlackError
from warroom.sandbox.slack_limits import Limits
from warroom.sandbox.slack_state import Workspace

Json = dict[str, Any]
METHODS: dict[str, Method] = {
    **slack_chat.METHODS,
    **slack_conversations.METHODS,
    **slack_directory.METHODS,
}
OPTIONAL_SCOPES = frozenset({"chat:write.public", "chat:write.customize"})
ALL_SCOPES = frozenset(scope for method in METHODS.values() for scope in method.scopes) | {"commands"}


class SlackApi:
    """Answers the bot's calls. ``scopes`` None grants all that methods and commands need, but not OPTIONAL_SCOPES."""

    def __init__(self, workspace: Workspace, token: str, scopes: frozenset[str] | None, limits: Limits | None) -> None:
        self.workspace = workspace
        self.token = token
        self.scopes = ALL_SCOPES if scopes is None else scopes
        self.limits = limits

    def routes(self) -> list[Route]:
        return [
            Route("/api/{method}", self.web_api, methods=["GET", "POST"]),
            Route("/response/{id}", self.response_url, methods=["POST"]),
            Route("/upload/{id}", self.upload, methods=["POST"]),
            Route("/files/{id}", self.download),
            Route("/archives/{channel}/{p}", self.archives),
        ]

    async def web_api(self, request: Request) -> Response:
        """One method call: always 200 with ``ok``, except 429."""
        name = request.path_params["method"]
        try:
            raw = await _arguments(request)
            answer = {"ok": True, **self._call(name, request, raw)}
        except SlackError as error:
            answer = error.as_json()
            request.scope[OUTCOME] = error.code
        except RateLimitedError as limited:
            request.scope[OUTCOME] = "ratelimited"
            headers = {"Retry-After": str(limited.retry_after)}
            return JSONResponse({"ok": False, "error": "ratelimited"}, 429, headers)
        accepted = ",".join(METHODS[name].scopes) if name in METHODS else ""
        return JSONResponse(
            answer,
            headers={"x-oauth-scopes": ",".join(sorted(self.scopes)), "x-accepted-oauth-scopes": accepted},
        )

    def _call(self, name: str, request: Request, raw: Json) -> Json:
        method = METHODS.get(name)
        if method is None:
            raise SlackError("unknown_method", req_method=name)
        form_token = raw.pop("token", None)
        header = request.headers.get("authorization", "")
        token = header.removeprefix("Bearer ").strip() if header else form_token
        if name != "api.test":
            if not token:
                raise SlackError("not_authed")
            if token != self.token:
                raise SlackError("invalid_auth")
        call = Call(self.workspace, Args(raw), self.scopes)
        if method.scopes:
            call.need_scope(*method.scopes)
        if self.limits and method.per_minute:
            self.limits.count(name, method.per_minute)
        if self.limits and name == "chat.postMessage":
            self.limits.count_post(call.args.text("channel"))
        return method.handle(call)

    async def response_url(self, request: Request) -> Response:
        """A bot's later answer to a command or a click."""
        target = self.workspace.surfaces.response_urls.get(request.path_params["id"])
        if target is None:
            return PlainTextResponse("No service", 404)
        refused = target.use(self.workspace.now())
        if refused:
            request.scope[OUTCOME] = refused
            return JSONResponse({"ok": False, "error": refused}, 404)
        try:
            body = Args(await _arguments(request))
            blocks = body.json("blocks") or []
            if blocks:
                check_message_blocks(blocks)
            if not (body.text("text") or blocks or body.flag("delete_original")):
                raise SlackError("no_text")
            show_answer(self.workspace, target.id, body, blocks)
        except SlackError as error:
            request.scope[OUTCOME] = error.code
            return JSONResponse(error.as_json(), 400)
        return PlainTextResponse("ok")

    async def upload(self, request: Request) -> Response:
        """The bytes of a file, raw or as the part of a form; the length must be the announced one."""
        file = self.workspace.files.get(request.path_params["id"])
        if file is None:
            return PlainTextResponse("Not found", 404)
        data = _file_of(request.headers.get("content-type", ""), await request.body())
        if len(data) != file["size"]:
            return PlainTextResponse(f"Expected {file['size']} bytes, got {len(data)}", 400)
        self.workspace.contents[file["id"]] = data
        return PlainTextResponse(f"OK - {len(data)}")

    async def download(self, request: Request) -> Response:
        """What was uploaded; open to everybody on loopback, so that the page can link to it."""
        file_id = request.path_params["id"]
        if file_id not in self.workspace.contents:
            return PlainTextResponse("Not found", 404)
        mimetype = self.workspace.files[file_id]["mimetype"]
        safe = mimetype if mimetype != "image/svg+xml" else "text/plain"
        return Response(self.workspace.contents[file_id], media_type=safe)

    async def archives(self, request: Request) -> Response:
        """A permalink: the text of the message it points at."""
        channel = self.workspace.channels.get(request.path_params["channel"])
        digits = str(request.path_params["p"]).removeprefix("p")
        message = channel.messages.get(f"{digits[:-6]}.{digits[-6:]}") if channel else None
        if message is None:
            return PlainTextResponse("Not found", 404)
        return PlainTextResponse(self.workspace.readable(message))


async def _arguments(request: Request) -> Json:
    """Query, form or JSON arguments; raises SlackError for a body that is neither."""
    raw: Json = dict(request.query_params)
    body = await request.body()
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not body:
        return raw
    if content_type == "application/json":
        try:
            loaded = await request.json()
        except ValueError as exc:
            raise SlackError("invalid_json") from exc
        if not isinstance(loaded, dict):
            raise SlackError("json_not_object")
        return raw | loaded
    if content_type == "application/x-www-form-urlencoded":
        try:
            return raw | dict(parse_qsl(body.decode(), keep_blank_values=True))
        except UnicodeDecodeError as exc:
            raise SlackError("invalid_charset") from exc
    if content_type == "multipart/form-data":
        async with request.form() as form:
            return raw | {k: v for k, v in form.items() if isinstance(v, str)}
    raise SlackError("invalid_post_type")


def _file_of(content_type: str, body: bytes) -> bytes:
    """The first file of a multipart form, or the body itself."""
    if not content_type.startswith("multipart/form-data"):
        return body
    mail = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    for part in mail.walk():
        if part.get_filename():
            payload = part.get_payload(decode=True)
            return payload if isinstance(payload, bytes) else b""
    return b""
