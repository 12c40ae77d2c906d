"""`warroom check` on the command line: what is printed, and with which exit code."""

import json
from pathlib import Path

import pytest
from tests.test_settings import GIVEN

from warroom import cli

ROOT = Path(__file__).parents[2]


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """The exit code of `warroom WORDS`, and what it wrote to stdout and stderr."""
    monkeypatch.setattr("sys.argv", ["warroom", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine on which nothing was installed yet."""
    for name in (*GIVEN, "WARROOM_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_a_shipped_pack_is_explained_without_any_settings_in_plain_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(monkeypatch, capsys, "check", "--explain", "lav_adaf", "P1", "--against", "10:00")
    assert code == 0
    assert out.startswith("LAV/ADAF · P1 HIGH\n")
    assert "\x1b" not in out
    assert all(line == line.rstrip() and len(line) <= 100 for line in out.splitlines())


def test_a_pack_is_explained_by_its_file(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(ROOT / "docs" / "packs" / "minimal.yaml")
    code, out, _ = run(monkeypatch, capsys, "check", "--explain", path, "P1", "--playbook", "gateway_down")
    assert code == 0
    assert "Playbook: Order gateway down" in out


def test_an_own_pack_is_explained_by_its_id(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WARROOM_CONFIG", str(ROOT / "docs" / "packs" / "warroom.yaml"))
    code, out, _ = run(monkeypatch, capsys, "check", "--explain", "my_desk", "P0")
    assert code == 0
    assert out.startswith("My desk · P0 CRITICAL\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--explain", "lav_adf", "P0"),
            "there is no pack 'lav_adf' (one of your own is named by its file); did you mean lav_adaf?",
        ),
        (("--explain", "lav_adaf", "PO"), "there is no severity 'PO'; there is only P0, P1, P2, P3"),
        (
            ("--explain", "lav_adaf", "P0", "--against", "9"),
            "--against: '9' is no time of day; write one such as 10:00",
        ),
        (("--against", "10:00"), "--against and --playbook belong to --explain PACK SEVERITY"),
    ],
)
def test_a_wrong_word_ends_in_a_sentence(
    words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(monkeypatch, capsys, "check", *words)
    assert (code, out) == (1, "")
    assert err.startswith(said)
    assert "Traceback" not in err


def test_the_schema_is_printed_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(monkeypatch, capsys, "check", "--schema")
    assert code == 0
    assert json.loads(out)["$defs"]["Clock"]["additionalProperties"] is False


def test_a_deployment_in_order_is_told_with_its_packs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WARROOM_CONFIG", str(ROOT / "docs" / "packs" / "warroom.yaml"))
    code, out, _ = run(monkeypatch, capsys, "check")
    assert code == 0
    assert out.splitlines() == [
        "Everything is in order. --live also asks Slack and PagerDuty.",
        "Packs in use:",
        "  my_desk  4 severities, 1 playbook, 3 probes, 1 action · PMYDESK1",
    ]


def test_an_own_pack_with_a_mistake_is_refused_with_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)
    for name in ("minimal.yaml", "warroom.yaml"):
        (tmp_path / name).write_text(
            (ROOT / "docs" / "packs" / name).read_text().replace("tell: [on_call]", "tell: [cto]")
        )
    (tmp_path / "messages").symlink_to(ROOT / "docs" / "packs" / "messages")
    monkeypatch.setenv("WARROOM_CONFIG", str(tmp_path / "warroom.yaml"))
    code, out, _ = run(monkeypatch, capsys, "check")
    assert code == 1
    assert f"{tmp_path / 'minimal.yaml'}:" in out
    assert "clocks.acknowledge.tell[0]: 'cto' is not defined under `groups`; there is only on_call, operators" in out
    assert out.splitlines()[-1] == "2 mistakes."
