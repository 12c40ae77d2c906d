"""`pytest --rows`: the rows the product owes and the tests that prove them; and what makes all tests quicker."""

import gc
import sys
import tempfile
from collections import defaultdict
from collections.abc import Generator, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.rows import ROWS

gc.set_threshold(50_000, 20, 20)  # collecting and importing leave no garbage, and tests little
if find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]  # httpcore asks at every request, and each search is long


MEMORY = Path("/dev/shm")  # where there is one, the database need not wait for a disk


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where a bot keeps its database and its drafts."""
    if not MEMORY.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="warroom-test-") as name:
        yield Path(name)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rows", action="store_true", help="print each row with the tests that prove it; runs nothing")
    parser.addoption("--thorough", action="store_true", help="four times as many plays from chance, as in .ci/run")


def pytest_configure(config: pytest.Config) -> None:
    """No property has a deadline, for the machine may be busy; a profile for those whose examples are whole plays."""
    settings.register_profile("unhurried", deadline=None)
    settings.load_profile("unhurried")
    many = 60 if config.getoption("thorough") else 15
    settings.register_profile("plays", max_examples=many, suppress_health_check=list(HealthCheck))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    unknown = {(i.nodeid, m.args[0]) for i in items for m in i.iter_markers("row") if m.args[0] not in ROWS}
    if unknown:
        raise pytest.UsageError(f"rows that do not exist: {sorted(unknown)}")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    if config.getoption("rows"):  # one process collects, and nothing runs: slow tests count, too
        config.option.numprocesses, config.option.dist, config.option.markexpr = 0, "no", ""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> Generator[None, None, None]:
    yield
    gc.freeze()  # what is loaded by now stays to the end: it need not be looked through for garbage
    if not session.config.getoption("rows"):
        return
    proofs: dict[str, list[str]] = defaultdict(list)
    for item in session.items:
        for mark in item.iter_markers("row"):
            name = item.nodeid.partition("[")[0]
            if name not in proofs[mark.args[0]]:
                proofs[mark.args[0]].append(name)
    for row, text in ROWS.items():
        print(f"{row:4} {'proved' if proofs[row] else '-     '} {text}")
        for name in proofs[row]:
            print(f"            {name}")
    print(f"{sum(1 for row in ROWS if proofs[row])} of {len(ROWS)} rows have a test")
    session.items.clear()
