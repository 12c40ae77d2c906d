"""What a deployment adds to the packs: warroom.yaml as dataclasses, and its fit to the packs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from warroom.domain.policy import STRICT, Pack
from warroom.packs.document import Path
from warroom.packs.names import ENVIRONMENT_NAME, FROM_PAGERDUTY, Findings
from warroom.packs.platform_references import check_url
from warroom.packs.problems import nearest
from warroom.packs.references import check_channel

FROM_ENVIRONMENT = "env:"


@dataclass(frozen=True, kw_only=True)
class Binding:
    """One pack in this deployment.

    `services` are PagerDuty service ids. The others give a value to names of the pack: `urls`, `channels`, contact
    settings, the argument lists of `tools`, and SQLAlchemy addresses of `databases` (or `env:NAME`, the
    environment variable that holds it).
    `file` is a pack of your own, for an id that does not come with the product; `messages` is a folder of messages that
    go before those that come with the product. Both paths count from the folder of warroom.yaml.
    """

    __pydantic_config__ = STRICT
    file: str = ""
    messages: str = ""
    services: tuple[str, ...] = ()
    urls: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    contacts: Mapping[str, str] = field(default_factory=dict)
    tools: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    databases: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """warroom.yaml: the packs in use, and who is in the groups (e-mail, Slack member U… or user group S…)."""

    __pydantic_config__ = STRICT
    packs: Mapping[str, Binding]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def contact_settings(pack: Pack) -> frozenset[str]:
    """The contact settings that a pack names: those of its contacts, and of its bridge."""
    return frozenset(name for name in (*(contact.phone for contact in pack.contacts), pack.bridge) if name)


def bind(pack: Pack, binding: Binding) -> Pack:
    """The pack with the deployment's addresses, channels and tools in place."""
    return replace(
        pack,
        urls={**pack.urls, **binding.urls},
        channels={**pack.channels, **binding.channels},
        tools={**pack.tools, **binding.tools},
    )


def check_deployment(
    deployment: Deployment, packs: Mapping[str, Pack], known: Collection[str]
) -> list[tuple[Path, str]]:
    """What does not fit in `deployment`, given the packs it uses and the ids of those that come with the product."""
    f = Findings({})
    if not deployment.packs:
        f.add(("packs",), f"name at least one pack; there are {', '.join(sorted(known))}")
    services: dict[str, str] = {}
    for name, binding in deployment.packs.items():
        at: Path = ("packs", name)
        if name not in packs and name not in known and not binding.file:
            f.add(at, f"there is no pack {name!r}{nearest(name, known)}")
        _check_binding(f, at, binding)
        if name in packs:
            _check_names(f, at, binding, packs[name])
        for index, service in enumerate(binding.services):
            if service in services:
                said = f"PagerDuty service {service} belongs to {services[service]} already"
                f.add((*at, "services", index), said + "; each service has one pack")
            services[service] = name
    used = [packs[name] for name in deployment.packs if name in packs]
    _check_groups(f, deployment, used, whole=0 < len(used) == len(deployment.packs))
    return f.found


def _check_binding(f: Findings, at: Path, binding: Binding) -> None:
    """What is wrong whatever the pack says."""
    if not binding.services:
        f.add((*at, "services"), "name the PagerDuty service ids of this platform (the P… at the end of its address)")
    for index, service in enumerate(binding.services):
        if not (service.isalnum() and service.isupper()):
            f.add((*at, "services", index), f"{service!r} is no PagerDuty service id; it looks like PABC123")
    for name, url in binding.urls.items():
        check_url(f, (*at, "urls", name), url)
    for name, channel in binding.channels.items():
        check_channel(f, (*at, "channels", name), channel)
    for name, prefix in binding.tools.items():
        if not prefix:
            f.add((*at, "tools", name), "write the program, e.g. [docker]")
    for name, url in binding.databases.items():
        _check_database(f, (*at, "databases", name), url)


def _check_names(f: Findings, at: Path, binding: Binding, pack: Pack) -> None:
    known = {
        "urls": frozenset(pack.urls),
        "channels": frozenset(pack.channels),
        "contacts": contact_settings(pack),
        "tools": frozenset(pack.tools),
        "databases": frozenset(pack.databases),
    }
    for section, names in known.items():
        for name in getattr(binding, section):
            if name not in names:
                f.add((*at, section, name), f"{pack.id} has no {name!r} under {section}{nearest(name, names)}")


def _check_database(f: Findings, at: Path, url: str) -> None:
    if url.startswith(FROM_ENVIRONMENT):
        if not ENVIRONMENT_NAME.fullmatch(url.removeprefix(FROM_ENVIRONMENT)):
            f.add(at, "write env:NAME with the name of an environment variable in capitals")
    elif not url.startswith(("postgresql+asyncpg://", "sqlite+aiosqlite://")):
        f.add(at, "write postgresql+asyncpg://…, sqlite+aiosqlite://… or env:NAME")


def _check_groups(f: Findings, deployment: Deployment, packs: list[Pack], *, whole: bool) -> None:
    """`whole`: these are all the packs in use, so that no other group can be meant."""
    known = {name for pack in packs for name in pack.groups} - FROM_PAGERDUTY
    for name, members in deployment.groups.items():
        at: Path = ("groups", name)
        if name in FROM_PAGERDUTY:
            f.add(at, "PagerDuty knows who is on call; take this group away")
        elif whole and name not in known:
            f.add(at, f"no pack in use has a group {name!r}{nearest(name, known)}")
        for index, member in enumerate(members):
            if not _is_member(member):
                said = f"{member!r} is nobody; write an e-mail, a Slack member id (U…) or a user group id (S…)"
                f.add((*at, index), said)
    for name in sorted({name for pack in packs for action in pack.actions.values() for name in action.who}):
        if name in known and not deployment.groups.get(name):
            f.add(("groups", name), "nobody is in this group, so nobody may do its actions; list its people")


def _is_member(text: str) -> bool:
    if "@" in text:
        name, _, domain = text.partition("@")
        return bool(name) and "." in domain and not set(text) & set(" <>,;")
    return text[:1] in "UWS" and len(text) >= 3 and text.isalnum() and text.isupper()
