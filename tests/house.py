#!/usr/bin/python3
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks that no file and no class outgrows its reader.

  house.py [--report] [ROOT]
  house.py --self-test

  --report     prints the faults and succeeds
  --self-test  shows that each rule can fail

The rules:
  lines    a product file has at most 700 lines; openapi.json may have more
  members  a class has at most 20 data members of its own, inherited ones aside;
           the structs of the C interface may have more
  circles  files do not include each other in a circle; x.hpp and x.cpp count as
           one file
  actors   a file of actors/ is an actor, or actors include it
"""

import collections
import pathlib
import re
import sys
import tempfile

PRODUCT = ("include", "model", "protocol", "storage", "actors", "engine", "cli")
CXX = (".hpp", ".cpp", ".h", ".hpp.in")
MOST_LINES = 700
MOST_MEMBERS = 20
LONG_BY_NATURE = {"openapi.json"}

# -- C++ as nested lists -------------------------------------------------------

TOKEN = re.compile(
    r"""
    (?P<gap> //[^\n]* | /\*.*?\*/ )
  | (?P<text> R"(?P<end>[^(\s]*)\(.*?\)(?P=end)" | "(?:[^"\\\n]|\\.)*"
            | '(?:[^'\\\n]|\\.)+' )
  | (?P<number> \.?[0-9](?:[\w.]|'\w)* )
  | (?P<word> [A-Za-z_]\w* )
  | (?P<sign> :: | -> | <=> | << | <= | >= | == | && | \|\| | \S )
    """,
    re.VERBOSE | re.DOTALL,
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
CLOSING = {"(": ")", "[": "]", "{": "}"}


class Group(list):
    """What stands between two brackets."""

    def __init__(self, bracket, line):
        super().__init__()
        self.bracket, self.line = bracket, line


def parse(text):
    """The source's tokens; what is in brackets is a Group of its own. Comments,
    directives and the contents of literals are left out."""
    text = DIRECTIVE.sub(lambda found: "\n" * found[0].count("\n"), text)
    stack = [Group("", 1)]
    line, at = 1, 0
    for found in TOKEN.finditer(text):
        line += text.count("\n", at, found.start())
        at = found.start()
        token = found[0]
        if found["gap"]:
            continue
        if found["text"]:
            stack[-1].append('""')
        elif token in CLOSING:
            stack.append(Group(token, line))
        elif token in CLOSING.values():
            if len(stack) > 1:
                group = stack.pop()
                stack[-1].append(group)
        else:
            stack[-1].append(token)
    while len(stack) > 1:
        group = stack.pop()
        stack[-1].append(group)
    return stack[0]


def is_group(item, bracket):
    return isinstance(item, Group) and item.bracket == bracket


def is_word(item):
    return isinstance(item, str) and re.match(r"[A-Za-z_]", item) is not None


def outside_angles(items):
    """The items and their positions, but for template arguments."""
    depth = 0
    for at, item in enumerate(items):
        if item == "<":
            depth += 1
        elif item == ">":
            depth = max(0, depth - 1)
        elif depth == 0:
            yield at, item


# -- data members --------------------------------------------------------------

KEYS = ("class", "struct", "union")
NOT_DATA = {"using", "typedef", "friend", "static", "static_assert", "template"}
NOT_PARAMETERS = ("alignas", "decltype", "noexcept", "explicit", "__attribute__")


def parameters_at(items):
    """The position of a function's parameters in its declaration, or None."""
    before = None
    for at, item in outside_angles(items):
        if item == "=" or is_group(item, "{"):
            return None
        if is_group(item, "(") and before not in NOT_PARAMETERS:
            # (*name)(…) is a pointer, which is data.
            return None if item[:1] in (["*"], ["&"]) else at
        before = item
    return None


def declarations(body):
    """Splits the body of a class into its declarations."""
    out, now = [], []
    for at, item in enumerate(body):
        if item == ";":
            out.append(now)
            now = []
            continue
        if item == ":" and len(now) == 1 and now[0] in (
            "public", "protected", "private",
        ):  # fmt: skip
            now = []
            continue
        now.append(item)
        if is_group(item, "{"):
            parameters = parameters_at(now)
            if parameters is None:
                continue
            # x{…} in the initializers of a constructor is not its body.
            if ":" in now[parameters:] and (is_word(now[-2]) or now[-2] == ">"):
                continue
            out.append(now)
            now = []
    return [one for one in out if one]


def defined_type(items):
    """The position of the body of the class or enumeration that a declaration
    defines, or None."""
    if not any(key in items for key in (*KEYS, "enum")):
        return None
    for at, item in outside_angles(items):
        if item == "=" or is_group(item, "("):
            return None
        if is_group(item, "{"):
            return at
    return None


def data_members(body):
    """How many a class with this body has."""
    count = 0
    for items in declarations(body):
        if NOT_DATA & {item for item in items if isinstance(item, str)}:
            continue
        if parameters_at(items) is not None or "operator" in items:
            continue
        at = defined_type(items)
        if at is not None and at + 1 == len(items):
            # A nested type; the members of an unnamed one are the outer class's.
            if "enum" not in items and at == 1:
                count += data_members(items[at])
            continue
        count += 1 + sum(item == "," for _, item in outside_angles(items[(at or 0) :]))
    return count


def class_at(items, at):
    """(name, body) of the class that is defined from `at` on, or None."""
    if at > 0 and items[at - 1] in ("enum", "friend"):
        return None
    name, in_bases = "", False
    for _, item in outside_angles(items[at + 1 :]):
        if is_group(item, "{"):
            return name or "(unnamed)", item
        if item == ":":
            in_bases = True
        elif in_bases or is_group(item, "["):
            continue
        elif is_group(item, "(") and not name:
            continue  # alignas(…)
        elif is_word(item):
            if item in ("final", "alignas") or item.isupper():
                continue
            if name and not name.endswith("::"):
                return None  # struct name variable{…}
            name += item
        elif item == "::":
            name += item
        else:
            return None
    return None


def classes(items):
    """(name, line, number of data members) of all classes, nested ones too."""
    for at, item in enumerate(items):
        if isinstance(item, Group):
            yield from classes(item)
        elif item in KEYS:
            if found := class_at(items, at):
                name, body = found
                yield name, body.line, data_members(body)


# -- the rules -----------------------------------------------------------------


def group_of(path):
    """x of x.hpp and x.cpp."""
    return re.sub(r"\.(hpp\.in|hpp|cpp|h)$", "", path)


def include_graph(sources):
    """Which groups of files include which; `sources` are texts by path."""
    graph = {group_of(path): set() for path in sources}
    known = {path.removeprefix("include/"): group_of(path) for path in sources}
    for path, text in sources.items():
        for name in re.findall(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', text, re.M):
            target = known.get(name)
            if target is not None and target != group_of(path):
                graph[group_of(path)].add(target)
    return graph


def reached(graph, start):
    """All that is included from `start` on, without it unless by a circle."""
    seen, waiting = set(), [start]
    while waiting:
        for target in graph[waiting.pop()] - seen:
            seen.add(target)
            waiting.append(target)
    return seen


def circles(graph):
    """The strongly connected components that have more than one member."""
    closure = {start: reached(graph, start) for start in graph}
    found = {
        frozenset(other for other in closure[start] if start in closure[other])
        for start in graph
        if start in closure[start]
    }
    return sorted(sorted(circle) for circle in found)


def shortest_circle(graph, circle):
    """A way round that shows how its first member includes itself."""
    start = circle[0]
    before, waiting = {}, collections.deque([start])
    while waiting:
        at = waiting.popleft()
        for target in sorted(graph[at] & set(circle)):
            if target == start:
                way = [start]
                while at != start:
                    way.append(at)
                    at = before[at]
                return [start, *reversed(way)]
            if target not in before:
                before[target] = at
                waiting.append(target)
    return circle


ACTOR = re.compile(r"\bclass\s[^;{]*:\s*public\s+(?:lane_actor<|\w+_actor::base\b)")


def faults_of(files):
    """The faults of the product files, whose texts are given by path."""
    for path, text in files.items():
        lines = text.count("\n")
        if lines > MOST_LINES and pathlib.PurePath(path).name not in LONG_BY_NATURE:
            yield f"lines: {path} has {lines} lines, {MOST_LINES} are allowed"

    sources = {path: text for path, text in files.items() if path.endswith(CXX)}
    for path, text in sources.items():
        if path.endswith(".h"):
            continue
        for name, line, count in classes(parse(text)):
            if count > MOST_MEMBERS:
                yield (
                    f"members: {path}:{line}: {name} has {count} data members, "
                    f"{MOST_MEMBERS} are allowed"
                )

    graph = include_graph(sources)
    for circle in circles(graph):
        way = " -> ".join(shortest_circle(graph, circle))
        yield f"circles: {len(circle)} files include each other: {way}"

    actors = {
        group_of(path)
        for path, text in sources.items()
        if path.startswith("actors/") and ACTOR.search(text)
    }
    used = actors.union(*(reached(graph, actor) for actor in actors))
    for group in graph:
        if group.startswith("actors/") and group not in used:
            yield f"actors: no actor includes {group}; it belongs to whoever does"


def read_product(root):
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for folder in PRODUCT
        for path in sorted((root / folder).rglob("*"))
        if path.is_file()
    }


# -- self-test -----------------------------------------------------------------

COUNTED = [
    ("class x { int a; };", 1),
    ("class x { int a, b = 1, *c{nullptr}; };", 3),
    ("struct x { std::map<int, std::function<void(int)>> a; };", 1),
    ("struct x { std::array<int, (1 << 2)> a{}; int b = 1 << 3, c; };", 3),
    ("struct x { bool a : 1; bool b : 1 = true; };", 2),
    ("struct x { [[no_unique_address]] a b; alignas(64) int c = f(1, 2); };", 2),
    ("struct x { void (*a)(int, int); void* b[2]; };", 2),
    ("struct x { int f(int a, int b); int g() { int c; return 1; } int d; };", 1),
    ("class x { x() : a_{1}, b_(2) { f(); } int a_; int b_; };", 2),
    ("class x { template <class T> explicit x(T t) : a{t} {} int a; };", 1),
    ("class x { bool operator<(const x&) const; auto operator<=>(const x&) "
     "const = default; };", 0),
    ("struct x { static int a; static constexpr int b = 1; using c = int; "
     "friend class y; enum class e { f, g }; };", 0),
    ("struct x { struct y { int a; int b; }; y c; };", 1),
    ("struct x { struct { int a; int b; } c; union { int d; int e; }; };", 3),
    ("class x : public y<int, z>, w { public: int a; private: int b; };", 2),
    ("class FANFARE_API x final { int a; virtual void f() = 0; };", 1),
    ("class x { auto f() const noexcept(g(1)) -> int { return 1; } int b; };", 1),
    ("class x { result<void> f(); std::unique_ptr<int> b = make(1, 2); };", 1),
    ('class x { const char* a = "int b; int c;"; /* int d; */ // int e;\n};', 1),
    ("void f() { struct tm a{}; } template <class T> struct x { T a; };", 1),
    ("class x { std::atomic<int> a{0}; std::function<void()> b = [] { "
     "int c; }; };", 2),
]  # fmt: skip

PLAIN = {"model/a.hpp": "", "model/b.hpp": "", "model/a.cpp": ""}
AN_ACTOR = "class a final : public lane_actor<a_actor> {};\n"
# Files, and the rule that they break.
BROKEN = [
    ({"model/a.cpp": "\n" * 700}, None),
    ({"model/a.cpp": "\n" * 701}, "lines"),
    ({"protocol/rest/openapi.json": "\n" * 701}, None),
    ({"protocol/rest/api_docs.css": "\n" * 701}, "lines"),
    ({"include/fanfare/a.hpp": "struct a {" + "int b;" * 20 + "};"}, None),
    ({"include/fanfare/a.hpp": "struct a {" + "int b;" * 21 + "};"}, "members"),
    ({"cli/a.cpp": "namespace { class a {" + "int b;" * 21 + "}; }"}, "members"),
    ({"include/fanfare/a.h": "struct a {" + "int b;" * 21 + "};"}, None),
    ({"model/a.hpp": '#include "model/b.hpp"\n'}, None),
    (
        {
            "model/a.hpp": '#include "model/b.hpp"\n',
            "model/b.hpp": '#include "model/a.hpp"\n',
        },
        "circles",
    ),
    (
        {
            "model/a.cpp": '#include "model/a.hpp"\n#include "model/b.hpp"\n',
            "model/b.hpp": '#include "model/a.hpp"\n',
        },
        "circles",
    ),
    (
        {
            "include/fanfare/a.hpp": '#  include "fanfare/b.hpp"\n',
            "include/fanfare/b.hpp": '#include "fanfare/c.hpp"\n',
            "include/fanfare/c.hpp": '#include "fanfare/a.hpp"\n',
        },
        "circles",
    ),
    ({"actors/a.hpp": AN_ACTOR}, None),
    ({"actors/a.hpp": AN_ACTOR, "actors/b.hpp": "", "engine/c.cpp": ""}, "actors"),
    (
        {
            "actors/a.cpp": AN_ACTOR + '#include "actors/b.hpp"\n',
            "actors/b.hpp": '#include "actors/x/c.hpp"\n',
            "actors/x/c.hpp": "",
        },
        None,
    ),
    ({"actors/a.hpp": "", "engine/c.cpp": '#include "actors/a.hpp"\n'}, "actors"),
]


def self_test():
    failed = False
    for text, expected in COUNTED:
        found = [count for name, _, count in classes(parse(text)) if name == "x"]
        if found != [expected]:
            print(f"self-test: {found} members counted, not {expected}: {text}")
            failed = True
    for files, rule in BROKEN:
        with tempfile.TemporaryDirectory() as folder:
            for path, text in (PLAIN | files).items():
                file = pathlib.Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            faults = list(faults_of(read_product(pathlib.Path(folder))))
        if [fault.split(":")[0] for fault in faults] != ([rule] if rule else []):
            print(f"self-test: {faults} instead of {rule} for {list(files)}")
            failed = True
    if not failed:
        print("house: each rule can fail")
    return failed


def main(arguments):
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    if arguments[:1] == ["--self-test"]:
        return self_test()
    report = arguments[:1] == ["--report"]
    root = arguments[report:] or [pathlib.Path(__file__).parent.parent]
    faults = list(faults_of(read_product(pathlib.Path(root[0]))))
    for fault in faults:
        print(fault)
    if not faults:
        print("house: every file and every class can be read in one sitting")
    return bool(faults) and not report


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
