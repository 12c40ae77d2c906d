"""What must hold for a pack's addresses and probes."""

import re
from urllib.parse import urlsplit

from warroom.domain.policy import Expect, Pack, Probe
from warroom.domain.slots import binds, slots
from warroom.packs.document import Path
from warroom.packs.names import ENVIRONMENT_NAME, Findings
from warroom.packs.problems import nearest
from warroom.packs.slots import asked_with, expected_with

_HOST_PORT = re.compile(r"[A-Za-z0-9.-]+:\d{1,5}")
_QUOTED = re.compile(r"'(?:[^']|'')*'")
_READS = re.compile(r"\s*(?:select|with|show|explain)\b", re.IGNORECASE)


def check_urls(f: Findings, pack: Pack) -> None:
    """Every address of the pack is one."""
    for name, url in pack.urls.items():
        check_url(f, ("urls", name), url)


def check_url(f: Findings, at: Path, url: str) -> None:
    """`url` is an address, and carries no password."""
    if said := wrong_url(url):
        f.add(at, said)


def wrong_url(url: str) -> str:
    """What is wrong with an address: it is http(s)://host… or host:port, without a password; "" for nothing.

    Never repeats a password.
    """
    if _HOST_PORT.fullmatch(url):
        return ""
    try:
        parts = urlsplit(url)
        host, user = parts.hostname, parts.username or parts.password
    except ValueError:
        host, user = None, None
    if user:
        return "no user or password in an address; name its environment variable with `auth` of the probe"
    if not host or not url.startswith(("http://", "https://")):
        return "this is no address; write http://host:port, https://host or host:port"
    return ""


def check_probes(f: Findings, pack: Pack) -> None:
    """Every probe says one way to read, and can be made."""
    for name, probe in pack.probes.items():
        _check_probe(f, ("probes", name), probe, pack)
        if not any(action.read_back.probe == name for action in pack.actions.values()):
            _check_slots(f, ("probes", name), probe)
    for group, probes in pack.probe_groups.items():
        f.all_names(("probe_groups", group), probes, "probes")
        for index, name in enumerate(probes):
            check_readable(f, ("probe_groups", group, index), name, pack)
        if not probes:
            f.add(("probe_groups", group), "name at least one probe")
    for name, playbook in pack.playbooks.items():
        for index, probe_id in enumerate(playbook.diagnosis):
            check_readable(f, ("playbooks", name, "diagnosis", index), probe_id, pack)
    for name, prefix in pack.tools.items():
        if not prefix:
            f.add(("tools", name), "write the program, e.g. [docker]")


def check_readable(f: Findings, at: Path, name: str, pack: Pack) -> None:
    """Probe `name` can be read by itself: it expects nothing that only an order knows, and asks for known fields."""
    probe = pack.probes.get(name)
    if probe is None:
        return
    if expected_with(probe):
        f.add(at, f"{name} expects a parameter of an action; it can only read back that action")
    elif any(action.read_back.probe == name for action in pack.actions.values()):
        for place in sorted(asked_with(probe) - f.names["fields"]):
            f.add(at, f"{name} needs {{{place}}}, which only an order knows{nearest(place, f.names['fields'])}")


def _check_probe(f: Findings, at: Path, probe: Probe, pack: Pack) -> None:
    ways = {"http": probe.http, "tcp": probe.tcp, "command": probe.command, "sql": probe.sql}
    f.one_of(at, ways, "a probe")
    if probe.http is not None:
        check_path(f, (*at, "http"), probe.http, pack)
    if probe.tcp is not None:
        f.name((*at, "tcp"), probe.tcp, "urls")
        if pack.urls.get(probe.tcp, "").startswith("http"):
            f.add((*at, "tcp"), f"the address of {probe.tcp} must be host:port")
    if probe.command is not None:
        if not probe.command:
            f.add((*at, "command"), "write the command, its first word a name of `tools`")
        f.all_names((*at, "command"), probe.command[:1], "tools")
    if probe.sql is not None:
        f.name((*at, "database"), probe.database, "databases")
        if not _READS.match(probe.sql) or ";" in _QUOTED.sub("''", probe.sql).rstrip().rstrip(";"):
            f.add((*at, "sql"), "a probe only reads: write one SELECT")
    if probe.timeout.total_seconds() <= 0:
        f.add((*at, "timeout"), "a probe needs some time; write 5s or more than 0s")
    _check_method(f, at, probe)
    check_auth(f, (*at, "auth"), probe.auth)
    f.jmespath((*at, "shows"), probe.shows)
    for index, expect in enumerate(probe.expect):
        _check_expect(f, (*at, "expect", index), expect, probe)


def _check_method(f: Findings, at: Path, probe: Probe) -> None:
    if probe.http is not None and probe.method == "POST":
        if not probe.changes_nothing:
            f.add((*at, "changes_nothing"), "a probe only reads: say why this POST changes nothing, or use GET")
    elif probe.body:
        f.add((*at, "body"), "only a POST has a body; write `method: POST` and why it `changes_nothing`")


def _check_slots(f: Findings, at: Path, probe: Probe) -> None:
    """Every {name} and :name of a probe that no action reads back is a field of the incident."""
    texts: list[tuple[Path, frozenset[str]]] = [(("http",), slots(probe.http)), (("sql",), binds(probe.sql or ""))]
    texts += [(("command", index), slots(argument)) for index, argument in enumerate(probe.command or ())]
    texts += [(("body", key), slots(value)) for key, value in probe.body.items()]
    for path, places in texts:
        for place in sorted(places - f.names["fields"]):
            f.add((*at, *path), f"{{{place}}} is no field of this pack{nearest(place, f.names['fields'])}")


def _check_expect(f: Findings, at: Path, expect: Expect, probe: Probe) -> None:
    f.jmespath((*at, "value"), expect.value)
    limits = expect.over is not None or expect.under is not None
    tests = {"equals": expect.equals, "over/under": limits or None, "contains": expect.contains}
    f.one_of(at, tests, "an expectation")
    if probe.http is not None and expect.contains is None and expect.value is None:
        f.add((*at, "value"), "say which value of the answer is compared: a JMESPath")


def check_path(f: Findings, at: Path, http: str, pack: Pack) -> None:
    """`http` is BASE/path with BASE a name of `urls` that is a web address."""
    base, slash, _ = http.partition("/")
    f.name(at, base, "urls")
    if not slash:
        f.add(at, f"write {base}/path, the path as the service has it")
    if _HOST_PORT.fullmatch(pack.urls.get(base, "")):
        f.add(at, f"the address of {base} must begin with http:// or https://")


def check_auth(f: Findings, at: Path, name: str | None) -> None:
    """`name`, when given, is the name of an environment variable, not a secret."""
    if name is not None and not ENVIRONMENT_NAME.fullmatch(name):
        f.add(at, "write the NAME of the environment variable that holds the token, never the token itself")
