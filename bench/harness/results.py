# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""What a case finds out: figures with their spread, and whether they meet a goal."""

import statistics
from dataclasses import asdict, dataclass, field


@dataclass
class Spread:
    """The figures of several rounds."""

    median: float
    low: float
    high: float
    rounds: int

    @staticmethod
    def of(values):
        values = list(values)
        return Spread(statistics.median(values), min(values), max(values), len(values))


@dataclass
class Result:
    """One line of the table."""

    case: str
    variant: str  # e.g. "N = 1,000"; "" if there is but one
    unit: str  # e.g. "deliveries/s"
    measured: Spread
    goal: str = ""  # as it is shown, e.g. ">= 0.60 x limit"; "" if there is none
    met: bool | None = None  # None: no goal, or the sizes of a quick run
    reference: Spread | None = None  # of the same rounds, in the same unit
    ratio: Spread | None = None  # measured / reference, round by round
    # What it cost, e.g. "cpu_s_per_1000", "peak_mib", "disk_bytes_per_delivery",
    # "connections_per_1000"; of all processes where several take part.
    cost: dict = field(default_factory=dict)
    settings: dict = field(default_factory=dict)  # sizes and options of the run
    note: str = ""  # what a reader must know about this figure

    @staticmethod
    def beside(measured, reference, *, holds, **fields):
        """Of rounds that were measured side by side. `holds` tells from the median
        ratio whether the goal is met."""
        ratio = ratio_of(measured, reference)
        return Result(
            measured=Spread.of(measured),
            reference=Spread.of(reference),
            ratio=ratio,
            met=holds(ratio.median),
            **fields,
        )

    def to_json(self):
        return asdict(self)


def ratio_of(measured, reference):
    """Of rounds that were measured side by side."""
    return Spread.of(m / r for m, r in zip(measured, reference, strict=True))


def rounded(number):
    """Three digits that count; whole numbers stay as they are."""
    if number is None or isinstance(number, (bool, int, str)):
        return number
    if abs(number) >= 100:
        return round(number)
    return float(f"{number:.3g}")


def plain(value):
    """Makes what JSON is written of: all floats rounded."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return rounded(value)


def number(value):
    """For the table."""
    value = rounded(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def table(results):
    """Lines of a Markdown table that is also readable as it is."""
    head = ["case", "measured (median; low … high)", "reference", "ratio", "goal", "met", "cost"]
    rows = [head]
    for one in results:
        name = f"{one.case}, {one.variant}" if one.variant else one.case
        m = one.measured
        measured = number(m.median)
        if m.rounds > 1:
            measured += f"; {number(m.low)} … {number(m.high)}"
        rows.append(
            [
                name,
                f"{measured} {one.unit}",
                number(one.reference.median) if one.reference else "",
                f"{one.ratio.median:.2f}" if one.ratio else "",
                one.goal,
                {True: "yes", False: "no", None: ""}[one.met],
                ", ".join(f"{key} {number(value)}" for key, value in one.cost.items()),
            ]
        )
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
        for row in rows
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines)
