"""Figures with their bounds, as a small table."""

import argparse
import math
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured value. `bound` None means that it is told and not judged; `value` None makes it a heading."""

    what: str
    value: float | None
    unit: str = ""
    bound: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the bound is kept."""
        return self.bound is None or (self.value is not None and self.value <= self.bound)


def show(title: str, figures: Sequence[Figure]) -> None:
    """Prints the table."""
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"\n{title}   (load of the machine: {load}; {os.cpu_count()} cores)")
    rows = [(f.what, _number(f.value, f.unit), _bound(f), _verdict(f)) for f in figures]
    widths = [max(len(row[n]) for row in rows) for n in range(4)]
    for figure, row in zip(figures, rows, strict=True):
        if figure.value is None:
            print(f" {figure.what}")
            continue
        cells = [row[0].ljust(widths[0]), row[1].rjust(widths[1]), row[2].rjust(widths[2]), row[3].ljust(widths[3])]
        print("  " + "   ".join(cells).rstrip())


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that `part` (0 to 1) of the values do not exceed; NaN for none."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def median(values: Sequence[float]) -> float:
    """The value in the middle (the lower of two); NaN for none."""
    return percentile(values, 0.5)


def main(title: str, measure: Callable[[], Sequence[Figure]]) -> None:
    """The command line of one benchmark: with --strict a missed bound is exit code 1."""
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--strict", action="store_true", help="exit 1 when a bound is missed")
    options = parser.parse_args()
    figures = measure()
    show(title, figures)
    sys.exit(1 if options.strict and not all(figure.holds for figure in figures) else 0)


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    digits = 0 if float(value).is_integer() else 2 if abs(value) < 100 else 0
    return f"{value:,.{digits}f}{' ' + unit if unit else ''}"


def _bound(figure: Figure) -> str:
    return "" if figure.bound is None else f"≤ {_number(figure.bound, figure.unit)}"


def _verdict(figure: Figure) -> str:
    return "" if figure.bound is None else "PASS" if figure.holds else "FAIL"
