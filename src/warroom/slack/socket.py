"""Socket Mode: Slack reaches the same Bolt app over a connection that we open, for places without a public URL."""

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from warroom.slack.api import Api


class Socket:
    """The connection for an app-level token (xapp-…, scope connections:write)."""

    def __init__(self, app: AsyncApp, api: Api, app_token: str) -> None:
        self._app = app
        self._api = api
        self._app_token = app_token
        self._handler: AsyncSocketModeHandler | None = None

    async def connected(self) -> bool:
        """Whether Slack can reach us this way now."""
        return self._handler is not None and await self._handler.client.is_connected()

    async def start(self) -> None:
        """Connect, trying until Slack takes it; the connection then keeps itself alive."""
        if self._handler is None:
            self._handler = AsyncSocketModeHandler(
                self._app, self._app_token, web_client=self._api.client(), proxy=self._api.proxy
            )
            await self._handler.connect_async()  # type: ignore[no-untyped-call]

    async def stop(self) -> None:
        """Disconnect. What was not acknowledged Slack sends again."""
        handler, self._handler = self._handler, None
        if handler is not None:
            await handler.close_async()  # type: ignore[no-untyped-call]
