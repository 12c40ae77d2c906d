"""What must hold for a pack's addresses, probes and actions."""

import re
from urllib.parse import urlsplit

from warroom.domain.policy import Action, Expect, Pack, Parameter, Probe
from warroom.packs.document import Path
from warroom.packs.names import ENVIRONMENT_NAME, Findings
from warroom.packs.problems import nearest

GIVEN = ("reason", "operator")
_PLACE = re.compile(r"\{([^{}]*)\}")
_HOST_PORT = re.compile(r"[A-Za-z0-9.-]+:\d{1,5}")
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
    for group, probes in pack.probe_groups.items():
        f.all_names(("probe_groups", group), probes, "probes")
        _check_readable(f, ("probe_groups", group), probes, pack)
        if not probes:
            f.add(("probe_groups", group), "name at least one probe")
    for name, playbook in pack.playbooks.items():
        _check_readable(f, ("playbooks", name, "diagnosis"), playbook.diagnosis, pack)
    for name, prefix in pack.tools.items():
        if not prefix:
            f.add(("tools", name), "write the program, e.g. [docker]")


def _check_readable(f: Findings, at: Path, names: tuple[str, ...], pack: Pack) -> None:
    for index, name in enumerate(names):
        if name in pack.probes and places(pack.probes[name]):
            said = f"{name} expects a parameter of an action; it can only read back that action"
            f.add((*at, index), said)


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
        if not _READS.match(probe.sql) or ";" in probe.sql.rstrip().rstrip(";"):
            f.add((*at, "sql"), "a probe only reads: write one SELECT")
    if probe.timeout.total_seconds() <= 0:
        f.add((*at, "timeout"), "a probe needs some time; write 5s or more than 0s")
    check_auth(f, (*at, "auth"), probe.auth)
    f.jmespath((*at, "shows"), probe.shows)
    for index, expect in enumerate(probe.expect):
        _check_expect(f, (*at, "expect", index), expect, probe)


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


def check_actions(f: Findings, pack: Pack) -> None:
    """Every action can be sent, verified and authorised."""
    for name, action in pack.actions.items():
        at: Path = ("actions", name)
        if action.http is not None:
            check_path(f, (*at, "http"), action.http, pack)
        check_auth(f, (*at, "auth"), action.auth)
        f.all_names((*at, "who"), action.who, "groups")
        if not action.who:
            f.add((*at, "who"), "name the groups that may do this")
        if action.scope is not None and action.danger != "contain":
            f.add((*at, "scope"), "a halt has `danger: contain` and a `scope`")
        if action.record is None:
            f.name((*at, "read_back", "probe"), action.read_back.probe, "probes")
        every, within = action.read_back.every.total_seconds(), action.read_back.within.total_seconds()
        if not 0 < every <= within:
            f.add((*at, "read_back", "every"), "read back at least once within `within`, and not all the time")
        if action.timeout.total_seconds() <= 0:
            f.add((*at, "timeout"), "an action needs some time; write 10s or more than 0s")
        if action.undo is not None:
            f.name((*at, "undo"), action.undo, "actions")
        _check_parameters(f, at, action, pack)


def places(probe: Probe) -> frozenset[str]:
    """The {name}s in a probe's expectations, filled when it reads back an action."""
    texts = (text for e in probe.expect for text in (e.contains, e.equals))
    return frozenset(place for text in texts if isinstance(text, str) for place in _PLACE.findall(text))


def _check_places_read(f: Findings, at: Path, action: Action, pack: Pack) -> None:
    probe = pack.probes.get(action.read_back.probe)
    for place in sorted(places(probe) - set(action.parameters)) if probe else ():
        said = f"{action.read_back.probe} expects {{{place}}}, which is no parameter of this action"
        f.add(at, said + nearest(place, action.parameters))


def _check_parameters(f: Findings, at: Path, action: Action, pack: Pack) -> None:
    used: set[str] = set()
    known = {*action.parameters, *GIVEN}
    for path, value in [((*at, "body", key), value) for key, value in action.body.items()]:
        for place in _PLACE.findall(str(value)):
            used.add(place)
            if place not in known:
                f.add(path, f"{{{place}}} is neither a parameter, reason nor operator{nearest(place, known)}")
    _check_places_read(f, (*at, "read_back", "probe"), action, pack)
    for name, parameter in action.parameters.items():
        here: Path = (*at, "parameters", name)
        if name not in used:
            f.add(here, f"nothing uses this parameter; write {{{name}}} in `body`")
        _check_parameter(f, here, parameter)


def _check_parameter(f: Findings, at: Path, parameter: Parameter) -> None:
    low, high, default = parameter.minimum, parameter.maximum, parameter.default
    number = parameter.type == "number"
    if not number and (low is not None or high is not None):
        f.add(at, "only a number has a minimum and a maximum; write `type: number`")
    if low is not None and high is not None and low > high:
        f.add((*at, "minimum"), "the minimum is over the maximum")
    if default is None:
        return
    if isinstance(default, str) == number:
        f.add((*at, "default"), f"the default is no {parameter.type}")
    elif parameter.choices and default not in parameter.choices:
        f.add((*at, "default"), f"the default is not a choice{nearest(str(default), parameter.choices)}")
    elif isinstance(default, float) and ((low is not None and default < low) or (high is not None and default > high)):
        f.add((*at, "default"), "the default lies outside of minimum and maximum")
