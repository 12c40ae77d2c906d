"""All benchmarks, one after the other, and one table at the end."""

import commands
import first_alert
import footprint
import storm
from table import Figure, main

import violations

TITLE = "warroom, measured against its sandbox on this machine"
BENCHMARKS = (first_alert, storm, commands, violations, footprint)


def measure() -> list[Figure]:
    """The figures of every benchmark."""
    figures: list[Figure] = []
    for benchmark in BENCHMARKS:
        print(f"{benchmark.TITLE} …", flush=True)
        figures += [Figure(benchmark.TITLE, None), *benchmark.measure()]
    return figures


if __name__ == "__main__":
    main(TITLE, measure)
