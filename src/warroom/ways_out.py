"""The services outside Slack and PagerDuty that a deployment tells people by, as far as they are set."""

import httpx

from warroom.environment import Environment
from warroom.outlets.confluence import Confluence
from warroom.outlets.smtp import Smtp
from warroom.outlets.statuspage import Statuspage


def mailer(environment: Environment) -> Smtp | None:
    """The mail server; None when it is not set."""
    return Smtp(environment.warroom_smtp_url.get_secret_value()) if environment.warroom_smtp_url else None


def status_page(environment: Environment, http: httpx.AsyncClient) -> Statuspage | None:
    """The public status page; None when any of its settings is missing."""
    page, key = environment.warroom_statuspage_page, environment.warroom_statuspage_key
    if page is None or key is None:
        return None
    components = [c.strip() for c in environment.warroom_statuspage_components.split(",") if c.strip()]
    url = environment.warroom_statuspage_url
    return Statuspage(http, page, key.get_secret_value(), url=url, components=components)


def wiki(environment: Environment, http: httpx.AsyncClient) -> Confluence | None:
    """The wiki; None when any of its settings is missing."""
    url, space = environment.warroom_confluence_url, environment.warroom_confluence_space
    user, token = environment.warroom_confluence_user, environment.warroom_confluence_token
    if url is None or space is None or user is None or token is None:
        return None
    parent = environment.warroom_confluence_parent
    return Confluence(http, url, space, user, token.get_secret_value(), parent=parent)
