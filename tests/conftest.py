"""`pytest --rows`: the rows the product owes and the tests that prove them."""

from collections import defaultdict
from collections.abc import Generator

import pytest

from tests.rows import ROWS


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rows", action="store_true", help="print each row with the tests that prove it; runs nothing")


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
