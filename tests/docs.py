#!/usr/bin/python3
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks that the pages of documentation speak of what exists.

  docs.py [ROOT]
  docs.py --self-test   shows that each rule can fail

The rules:
  links     a link to a file of ours leads to a file, and to a heading in it
  paths     a path in backticks that begins with one of our folders exists; a
            pattern ("storage/lmdb/codec.*") matches something
  stations  docs/life-of-a-notification.md has 15 stations in order, and each
            names a function that its file defines or calls
"""

import pathlib
import re
import sys
import tempfile

FOLDERS = (
    "include model protocol storage actors engine cli tests bench docs examples "
    "packaging script cmake .ci"
).split()
LIFE = "docs/life-of-a-notification.md"
STATIONS = 15

FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(rf"(?:{'|'.join(map(re.escape, FOLDERS))})/[\w./*-]*")
STATION = re.compile(r"^\| (\d+) \| `([^`]+)` \| `([^`]+)` \|", re.MULTILINE)
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def anchor(heading):
    """As GitHub makes them."""
    text = re.sub(r"[^\w\- ]", "", heading.lower())
    return text.replace(" ", "-")


def anchors(page):
    return {anchor(heading) for heading in HEADING.findall(FENCE.sub("", page))}


def faults_of_links(root, path, text):
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, heading = target.partition("#")
        file = (path.parent / name) if name else path
        if not file.exists():
            yield f"links: {path.relative_to(root)}: there is no {target}"
        elif heading and heading not in anchors(file.read_text(encoding="utf-8")):
            yield f"links: {path.relative_to(root)}: {target} has no such heading"


def faults_of_paths(root, path, text):
    for code in CODE.findall(FENCE.sub("", text)):
        if PATH.fullmatch(code) and not any(root.glob(code.rstrip("/"))):
            yield f"paths: {path.relative_to(root)}: there is no {code}"


def faults_of_stations(root):
    if not (root / LIFE).exists():
        return
    found = STATION.findall((root / LIFE).read_text(encoding="utf-8"))
    if [number for number, _, _ in found] != [str(n + 1) for n in range(STATIONS)]:
        yield f"stations: {LIFE} has the stations {[n for n, _, _ in found]}"
    for number, file, function in found:
        source = root / file
        if not source.exists():
            yield f"stations: station {number}: there is no {file}"
            continue
        text = source.read_text(encoding="utf-8")
        *_, owner, name = ["", *function.split("::")]
        if not re.search(rf"\b{re.escape(name)}\(", text):
            yield f"stations: station {number}: {file} knows no {name}()"
        elif owner and not re.search(rf"\b{re.escape(owner)}\b", text):
            yield f"stations: station {number}: {file} knows no {owner}"


def faults_of(root):
    pages = [path for path in root.glob("*.md")]
    for folder in FOLDERS:
        pages += [
            path
            for path in (root / folder).rglob("*.md")
            if "node_modules" not in path.parts
        ]
    for path in sorted(pages):
        text = path.read_text(encoding="utf-8")
        # A template shows what to write.
        if not path.name.startswith("0000-"):
            yield from faults_of_links(root, path, text)
        yield from faults_of_paths(root, path, text)
    yield from faults_of_stations(root)


# -- self-test -----------------------------------------------------------------

PLAIN = {"docs/a.md": "# A page\n\n## What it's for?\n", "model/a.cpp": "int f() {}\n"}
ROWS = [f"| {n + 1} | `model/a.cpp` | `f` | x |\n" for n in range(STATIONS)]
# Files, and the rule that they break.
BROKEN = [
    ({"b.md": "[a](docs/a.md) [b](docs/a.md#a-page) [c](docs/a.md#what-its-for)"}, None),
    ({"b.md": "[a](https://example.com/x#y) [b](#b)\n# B"}, None),
    ({"b.md": "[a](docs/b.md)"}, "links"),
    ({"b.md": "[a](docs/a.md#another)"}, "links"),
    ({"model/README.md": "[a](../docs/b.md)"}, "links"),
    ({"b.md": "`model/a.cpp` `model/a.*` `model/` `cli/…` `x/y` `model/<x>`"}, None),
    ({"b.md": "`model/b.cpp`"}, "paths"),
    ({"b.md": "`model/b.*`"}, "paths"),
    ({"b.md": "```\n`model/b.cpp` [a](docs/b.md)\n```\n"}, None),
    ({LIFE: "".join(ROWS)}, None),
    ({LIFE: "".join(ROWS[1:])}, "stations"),
    ({LIFE: "".join(ROWS[:-1]) + "| 15 | `x.cpp` | `f` | x |\n"}, "stations"),
    ({LIFE: "".join(ROWS[:-1]) + "| 15 | `model/a.cpp` | `g` | x |\n"}, "stations"),
    ({LIFE: "".join(ROWS[:-1]) + "| 15 | `model/a.cpp` | `c::f` | x |\n"}, "stations"),
]


def self_test():
    failed = False
    for files, rule in BROKEN:
        with tempfile.TemporaryDirectory() as folder:
            for path, text in (PLAIN | files).items():
                file = pathlib.Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            faults = list(faults_of(pathlib.Path(folder)))
        if [fault.split(":")[0] for fault in faults] != ([rule] if rule else []):
            print(f"self-test: {faults} instead of {rule} for {files}")
            failed = True
    if not failed:
        print("docs: each rule can fail")
    return failed


def main(arguments):
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    if arguments[:1] == ["--self-test"]:
        return self_test()
    root = pathlib.Path(arguments[0] if arguments else pathlib.Path(__file__).parent.parent)
    faults = list(faults_of(root.resolve()))
    for fault in faults:
        print(fault)
    if not faults:
        print("docs: the pages speak of what exists")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
