# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""Draws a results.json as SVG, a file per case."""

import argparse
import importlib.util
import json
import pathlib
import sys

from harness.results import number

COLOURS = {"measured": "#2a6fbb", "reference": "#b9c4cf"}


def missing():
    """Why nothing can be drawn, and what to do; "" if it can."""
    if importlib.util.find_spec("matplotlib"):
        return ""
    return "install the Debian package python3-matplotlib, then run script/bench plots"


def draw(report, output):
    """Writes <case>.svg for each case that has figures."""
    by_case = {}
    for result in report["results"]:
        by_case.setdefault(result["case"], []).append(result)
    for case, results in by_case.items():
        # What is counted in the same unit belongs on the same axis.
        by_unit = {}
        for result in results:
            by_unit.setdefault(result["unit"], []).append(result)
        draw_case(case, by_unit, output / f"{case}.svg")


def draw_case(case, by_unit, file):
    # Only who draws needs it.
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "fanfare", "font.size": 9})
    from matplotlib import pyplot

    heights = [sum(2 if r["reference"] else 1 for r in rows) for rows in by_unit.values()]
    figure, axes = pyplot.subplots(
        len(by_unit),
        1,
        figsize=(7, 0.6 * len(by_unit) + 0.3 * sum(heights) + 0.3),
        gridspec_kw={"height_ratios": heights},
        squeeze=False,
    )
    for axis, (unit, rows) in zip(axes[:, 0], by_unit.items()):
        draw_unit(axis, unit, rows)
    compared = any(r["reference"] for rows in by_unit.values() for r in rows)
    figure.suptitle(f"{case} (grey: the reference)" if compared else case, fontweight="bold")
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)


def draw_unit(axis, unit, rows):
    at, ticks, names = 0, [], []
    for row in rows:
        first = at
        for kind in ("measured", "reference"):
            if spread := row[kind]:
                middle = spread["median"]
                error = [[middle - spread["low"]], [spread["high"] - middle]]
                axis.barh(at, middle, 0.85, xerr=error, color=COLOURS[kind], ecolor="#333")
                label = f" {number(middle)}"
                if kind == "measured" and row["ratio"]:
                    label += f"  ({row['ratio']['median']:.2f})"
                axis.text(0, at, label, va="center", color="white" if kind == "measured" else "#333")
                at += 1
        ticks.append((first + at - 1) / 2)
        names.append(row["variant"] or row["case"])
        at += 0.4
    axis.set_yticks(ticks, names)
    axis.invert_yaxis()
    axis.set_xlabel(unit)
    axis.xaxis.set_major_formatter("{x:,g}")
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def main(arguments):
    parser = argparse.ArgumentParser(prog="script/bench plots")
    parser.add_argument("file", nargs="?", type=pathlib.Path, default="build/bench/results.json")
    parser.add_argument("--output", type=pathlib.Path, default="build/bench")
    options = parser.parse_args(arguments)
    if why := missing():
        print(f"script/bench: no plots: {why}", file=sys.stderr)
        return 1
    options.output.mkdir(parents=True, exist_ok=True)
    draw(json.loads(options.file.read_text()), options.output)
    return 0
