# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""What is installed, and whether others can use it: the public headers by themselves,
the symbols of the shared library, a project outside of this one that is built against an
installation in each way there is, and the Debian packages.

Run by CTest, which sets FANFARE_BUILD to a build directory where all is built. With CI
in the environment what a system does not permit is a failure, and is not skipped."""

import functools
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["FANFARE_BUILD"])
OUTSIDE = SOURCE / "tests/package/outside"
CXX = os.environ.get("CXX", "c++")
VERSION = re.search(r"VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text().split("project(")[1])[1]
CI = os.environ.get("CI", "").lower() not in ("", "0", "false", "off", "no")
SOVERSION = VERSION.rsplit(".", 1)[0] if VERSION.startswith("0.") else VERSION.split(".")[0]
LIBRARY = f"libfanfare{SOVERSION}"


def run(*words, seconds=300, **options):
    """Its output; fails with it otherwise."""
    done = subprocess.run(
        [str(word) for word in words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        **options,
    )
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout[-8000:]}")
    return done.stdout


@functools.cache
def installed():
    """This system's packages: their fields by name, and the names that provide one."""
    fields = "Package db:Status-Status binary:Package Section Provides Pre-Depends Depends"
    form = "\t".join("${%s}" % field for field in fields.split()) + "\n"
    packages, providers = {}, {}
    for line in run("dpkg-query", "--show", "--showformat", form).splitlines():
        package = dict(zip(fields.split(), line.split("\t"), strict=True))
        if package["db:Status-Status"] == "installed":
            packages[package["Package"]] = package
            for name in re.findall(r"(?:^|, )([^ ,]+)", package["Provides"]):
                providers.setdefault(name, []).append(package["Package"])
    return packages, providers


def with_what_they_need(names):
    """The installed ones of these packages and of all that they depend on."""
    packages, providers = installed()
    found, queue = set(), list(names)
    while queue:
        name = queue.pop()
        if name in found or name not in packages:
            continue
        found.add(name)
        for key in "Pre-Depends", "Depends":
            for clause in packages[name][key].split(","):
                # The first alternative that there is.
                for word in re.findall(r"(?:^|\|) *([a-z0-9][a-z0-9+.-]*)", clause):
                    these = [word] if word in packages else providers.get(word, [])
                    if these:
                        queue += these
                        break
    return found


def files_of(names):
    packages, _ = installed()
    names = [packages[name]["binary:Package"] for name in names]
    return set(run("dpkg", "--listfiles", *names).splitlines())


def not_of(names, files):
    """Those of the files that are not in these packages."""
    known = files_of(names)
    files = {os.path.normpath(file) for file in files}
    return sorted(f for f in files if f not in known and os.path.realpath(f) not in known)


def documented():
    """The packages that docs/embedding.md names, by the way to use the engine."""
    text = (SOURCE / "docs/embedding.md").read_text()
    table = re.search(r"^\|[^|]*\| Debian packages \|\n.*\n((?:\|.*\n)+)", text, re.M)[1]
    rows = re.findall(r"^\| ([^|]+) \| `([^`|]+)` \|$", table, re.M)
    assert len(rows) == table.count("\n"), table
    return {how: names.split() for how, names in rows}


class PackageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="fanfare-package-"))
        cls.addClassCleanup(shutil.rmtree, cls.dir, ignore_errors=True)

    def skip(self, why):
        if CI:
            self.fail(why)
        self.skipTest(why)

    def folder(self):
        return pathlib.Path(tempfile.mkdtemp(dir=self.dir))


class Headers(PackageTest):
    """include/fanfare, of which a program includes any, in any order."""

    INCLUDES = ["-I", str(SOURCE / "include"), "-I", str(BUILD / "generated")]

    def headers(self):
        found = sorted(
            str(file.relative_to(file.parents[1]))
            for folder in (SOURCE / "include/fanfare", BUILD / "generated/fanfare")
            for file in folder.iterdir()
            if file.suffix in (".hpp", ".h")
        )
        self.assertIn("fanfare/engine.hpp", found)
        self.assertIn("fanfare/version.hpp", found)
        return found

    def foreign(self, text):
        """The files that `text` leads to, but for the standard library's and ours."""
        source = self.folder() / "a.cpp"
        source.write_text(text)
        made = run(CXX, "-std=c++20", "-M", *self.INCLUDES, source)
        files = made.partition(":")[2].replace("\\\n", " ").split()
        ours = (str(SOURCE / "include/fanfare/"), str(BUILD / "generated/fanfare/"))
        standard = re.compile(
            r"(libc6(\.1)?|linux-libc|libstdc\+\+-\d+|libgcc-\d+|libclang-common-\d+)-dev"
        )
        return not_of(
            [name for name in installed()[0] if standard.fullmatch(name)],
            [
                file
                for file in files
                if file != str(source) and not os.path.normpath(file).startswith(ours)
            ],
        )

    def test_each_compiles_by_itself(self):
        for header in self.headers():
            source = self.folder() / "a.cpp"
            source.write_text(f"#include <{header}>\n#include <{header}>\nint main() {{}}\n")
            for exceptions in "-fexceptions", "-fno-exceptions":
                with self.subTest(header, exceptions=exceptions):
                    run(
                        CXX, "-std=c++20", "-fsyntax-only", exceptions, "-Wall", "-Wextra",
                        "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror", *self.INCLUDES, source,
                    )  # fmt: skip

    def test_none_leads_to_anything_foreign(self):
        if not shutil.which("dpkg-query"):
            self.skip("needs dpkg to tell whose a header is")
        for header in self.headers():
            with self.subTest(header):
                self.assertEqual(self.foreign(f"#include <{header}>\n"), [])
        # This can fail.
        for other in (
            "ares.h", "boost/beast/core/error.hpp", "boost/json.hpp", "caf/all.hpp", "idn2.h",
            "lmdb.h", "openssl/sha.h", "sqlite3.h", "zlib.h",
        ):  # fmt: skip
            foreign = self.foreign(f"#include <{other}>\n")
            self.assertTrue([file for file in foreign if file.endswith(f"/{other}")], other)

    def test_the_engines_is_quick_to_compile(self):
        def seconds(text):
            source = self.folder() / "a.cpp"
            source.write_text(text)
            best = None
            for _ in range(3):
                start = time.monotonic()
                run(CXX, "-std=c++20", "-fsyntax-only", *self.INCLUDES, source)
                took = time.monotonic() - start
                best = min(took, best or took)
            return best

        ours = seconds("#include <fanfare/engine.hpp>\n")
        # What its own members need of the standard library.
        theirs = seconds(
            "".join(
                f"#include <{name}>\n"
                for name in "chrono filesystem functional future map memory string vector".split()
            )
        )
        print(f"engine.hpp: {ours:.2f} s; the standard headers in it: {theirs:.2f} s")
        self.assertLess(ours, 2 * theirs + 0.5)


class Symbols(PackageTest):
    """The shared library shows what FANFARE_API marks."""

    def test_only_the_interface_shows(self):
        library = BUILD / "libfanfare.so"
        shown = run("nm", "-DC", "--defined-only", library).splitlines()
        names = [line.split(maxsplit=2)[2] for line in shown]
        names = [re.sub(r"@@?FANFARE.*$", "", name) for name in names]
        allowed = re.compile(
            r"(vtable for |typeinfo for |typeinfo name for )?fanfare::"
            r"(engine|metrics_registry|backup_file|backup_sink)\b"
            r"|fanfare::(error_category|prometheus_text|openmetrics_text|raise)\b"
            r"|fanfare::(back_up_directory|check_data|restore_backup)\b"
            r"|fanfare_[a-z]"
        )
        self.assertEqual([name for name in names if not allowed.match(name)], [])
        self.assertTrue([n for n in names if n.startswith("fanfare::engine::start(")], names)

    def test_it_is_named_by_its_interface(self):
        dynamic = run("readelf", "-d", BUILD / "libfanfare.so")
        self.assertIn(f"Library soname: [libfanfare.so.{SOVERSION}]", dynamic)


class Configuring(PackageTest):
    """As what a project that is not this one configures it; nothing is compiled."""

    def configure(self, source, *options):
        build = self.folder()
        run("cmake", "-S", source, "-B", build, f"-DCMAKE_CXX_COMPILER={CXX}", *options)
        return build

    def compiled(self, build):
        """What the compiler is called with, by source."""
        return json.loads((build / "compile_commands.json").read_text())

    def test_it_keeps_to_itself_in_another_project(self):
        project = self.folder()
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\n"
            "project(other LANGUAGES CXX)\n"
            "set(CMAKE_EXPORT_COMPILE_COMMANDS ON)\n"
            "add_custom_target(fanfare)\n"
            f'add_subdirectory("{SOURCE}" engine)\n'
            "add_executable(other a.cpp)\n"
        )
        (project / "a.cpp").write_text("int main() {}\n")
        build = self.configure(
            project, "-G", "Ninja", "-DFANFARE_INSTALL=ON", "-DCMAKE_UNITY_BUILD=ON"
        )
        # Its target of that name is not our program, its packages are not ours.
        script = (build / "engine/cmake_install.cmake").read_text()
        self.assertIn("libfanfare", script)
        self.assertNotIn("fanfare.service", script)
        self.assertFalse((build / "CPackConfig.cmake").exists())
        # Ours is no unity build, its own is.
        united = [
            item["file"] for item in self.compiled(build) if "/Unity/" in item["file"]
        ]
        self.assertEqual([file for file in united if "/engine/" in file], [])
        self.assertNotEqual(united, [])

    def test_each_configuration_is_compiled_as_it_is_called(self):
        build = self.configure(SOURCE, "-G", "Ninja Multi-Config", "-DFANFARE_BUILD_TESTS=OFF")
        asserting = {
            kind: {
                "-D_GLIBCXX_ASSERTIONS" in item["command"]
                for item in self.compiled(build)
                if f"/{kind}/" in item["command"]
            }
            for kind in ("Debug", "RelWithDebInfo", "Release")
        }
        self.assertEqual(asserting, {"Debug": {True}, "RelWithDebInfo": {True}, "Release": {False}})

    def test_each_folder_can_be_chosen(self):
        place = self.folder()
        build = self.configure(
            SOURCE, "-G", "Ninja", "-DFANFARE_BUILD_TESTS=OFF", "-DCMAKE_BUILD_TYPE=Release",
            f"-DCMAKE_INSTALL_LIBDIR={place}/libraries", "-DCMAKE_INSTALL_SYSCONFDIR=settings",
        )  # fmt: skip
        for file in (BUILD / "fanfare", *BUILD.glob("libfanfare.*")):
            shutil.copy(file, build, follow_symlinks=False)
        shutil.copytree(BUILD / "share", build / "share")
        prefix = place / "prefix"
        run("cmake", "--install", build, "--prefix", prefix)
        self.assertTrue((prefix / "settings/fanfare/fanfare.toml").exists())
        unit = (prefix / "lib/systemd/system/fanfare.service").read_text()
        self.assertIn(f" --config {prefix}/settings/fanfare/fanfare.toml\n", unit)
        environment = {**os.environ, "PKG_CONFIG_PATH": f"{place}/libraries/pkgconfig"}
        flags = run("pkg-config", "--cflags", "--libs", "fanfare", env=environment)
        self.assertEqual(
            flags.split(), [f"-I{prefix}/include", f"-L{place}/libraries", "-lfanfare"]
        )


class Installation(PackageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.prefix = cls.dir / "prefix"
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)
        cls.environment = {
            **os.environ,
            "CMAKE_PREFIX_PATH": str(cls.prefix),
            "PKG_CONFIG_PATH": ":".join(
                str(file.parent) for file in cls.prefix.rglob("fanfare.pc")
            ),
            "LD_LIBRARY_PATH": ":".join(
                sorted({str(file.parent) for file in cls.prefix.rglob("libfanfare.so*")})
            ),
        }

    def use(self, how, *options, seconds=300):
        """Builds the outside project, and lets it publish."""
        build = self.folder()
        run(
            "cmake", "-G", "Ninja", "-S", OUTSIDE, "-B", build, f"-DHOW={how}", *options,
            env=self.environment,
        )  # fmt: skip
        run("cmake", "--build", build, env=self.environment, seconds=seconds)
        said = run(build / "outside", self.folder() / "data", env=self.environment, seconds=60)
        self.assertIn(f"fanfare {VERSION}: ", said)
        self.assertIn("\nfanfare_notifications_total 1\n", said)
        return build / "outside"

    def test_a_project_finds_the_shared_library(self):
        program = self.use("shared")
        needed = run("readelf", "-d", program)
        self.assertIn(f"libfanfare.so.{SOVERSION}", needed)
        for other in ("caf", "lmdb", "ssl", "boost", "cares"):
            self.assertNotIn(f"lib{other}", needed)

    def test_the_examples_are_built_against_it(self):
        build = self.folder()
        run(
            "cmake", "-G", "Ninja", "-S", SOURCE / "examples", "-B", build, env=self.environment
        )  # fmt: skip
        run("cmake", "--build", build, env=self.environment)
        for name in "minimal", "outbox", "metrics":
            needed = run("readelf", "-d", build / f"example_{name}")
            self.assertIn(f"libfanfare.so.{SOVERSION}", needed)

    def test_a_project_finds_the_static_library(self):
        self.assertNotIn("libfanfare", run("readelf", "-d", self.use("static")))

    def test_pkg_config_knows_it(self):
        self.use("pkgconfig")

    def test_pkg_config_needs_no_other_packages(self):
        # Those of what the shared library is made with need not be installed.
        folders = self.environment["PKG_CONFIG_PATH"]
        alone = {**self.environment, "PKG_CONFIG_LIBDIR": folders}
        self.assertIn("-lfanfare", run("pkg-config", "--cflags", "--libs", "fanfare", env=alone))

    def test_pkg_config_names_all_that_the_static_library_needs(self):
        flags = run("pkg-config", "--cflags", "--libs", "--static", "fanfare", env=self.environment)
        flags = flags.replace("-lfanfare", "-l:libfanfare.a").split()
        program = self.folder() / "outside"
        run(CXX, "-std=c++20", OUTSIDE / "main.cpp", "-o", program, *flags)
        self.assertNotIn("libfanfare", run("readelf", "-d", program))

    def test_a_c_program_needs_no_more_than_that(self):
        flags = run("pkg-config", "--cflags", "--libs", "--static", "fanfare", env=self.environment)
        flags = flags.replace("-lfanfare", "-l:libfanfare.a").split()
        run(
            "cc", "-std=c99", "-D_POSIX_C_SOURCE=200809L", SOURCE / "tests/c/c_interface_test.c",
            "-o", self.folder() / "a", *flags,
        )  # fmt: skip

    def find(self, prefix, words, *options):
        """What find_package(fanfare 0.1 <words>) makes of a project."""
        project = self.folder()
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\n"
            "project(other LANGUAGES CXX)\n"
            "set(CMAKE_MODULE_PATH /mine)\n"
            f"find_package(fanfare 0.1 {words})\n"
            "foreach(name IN ITEMS fanfare_FOUND fanfare_shared_FOUND fanfare_static_FOUND\n"
            "                      fanfare_NOT_FOUND_MESSAGE CMAKE_MODULE_PATH)\n"
            '  message("-> ${name} ${${name}}")\n'
            "endforeach()\n"
            "foreach(name IN ITEMS engine engine_static)\n"
            "  if(TARGET fanfare::${name})\n"
            '    message("-> ${name} is there")\n'
            "  endif()\n"
            "endforeach()\n"
        )
        said = run(
            "cmake", "-G", "Ninja", "-S", project, "-B", project / "b", *options,
            env={**os.environ, "CMAKE_PREFIX_PATH": str(prefix)},
        )  # fmt: skip
        told = re.findall(r"^-> (\S+) (.*)$", said, re.M)
        self.assertIn(("CMAKE_MODULE_PATH", "/mine"), told)
        found = {name for name, value in told if value in ("1", "TRUE", "is there")}
        return found, dict(told)["fanfare_NOT_FOUND_MESSAGE"]

    def test_a_project_is_told_what_there_is(self):
        without = "-DCMAKE_DISABLE_FIND_PACKAGE_LMDB=ON"
        shared = {"fanfare_FOUND", "fanfare_shared_FOUND", "engine"}
        both = {*shared, "fanfare_static_FOUND", "engine_static"}
        self.assertEqual(self.find(self.prefix, ""), (shared, ""))
        self.assertEqual(self.find(self.prefix, "COMPONENTS static"), (both, ""))
        optional = "OPTIONAL_COMPONENTS static"
        self.assertEqual(self.find(self.prefix, optional), (both, ""))
        self.assertEqual(self.find(self.prefix, optional, without), (shared, ""))
        found, why = self.find(self.prefix, "COMPONENTS static", without)
        self.assertEqual(found, {"fanfare_shared_FOUND"})
        self.assertRegex(why, "needs LMDB")
        found, why = self.find(self.prefix, "COMPONENTS shared other")
        self.assertEqual(found, {"fanfare_shared_FOUND"})
        self.assertRegex(why, 'not "other"')

    def test_a_project_is_told_that_there_is_no_shared_library(self):
        prefix = self.folder() / "prefix"
        run("cmake", "--install", BUILD, "--prefix", prefix, "--component", "development")
        found, why = self.find(prefix, "")
        self.assertEqual(
            (found, why), ({"fanfare_FOUND", "fanfare_static_FOUND", "engine", "engine_static"}, "")
        )
        found, why = self.find(prefix, "COMPONENTS shared")
        self.assertEqual((found, why), ({"fanfare_static_FOUND"}, "libfanfare.so is not installed"))
        found, why = self.find(prefix, "", "-DCMAKE_DISABLE_FIND_PACKAGE_LMDB=ON")
        self.assertEqual(found, set())
        self.assertRegex(why, "not installed, and .* needs LMDB")

    def test_a_project_can_build_it_as_a_part_of_itself(self):
        # With the same options the compiler's cache has most of it.
        program = self.use(
            "fetched", f"-DFANFARE_SOURCE_DIR={SOURCE}", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
            "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1 -g1", seconds=1200,
        )  # fmt: skip
        if not shutil.which("dpkg-query"):
            return
        # And needs no other headers than those of the packages that are said to be needed.
        build = program.parent
        files = {
            os.path.normpath(build / line.strip())
            for line in run("ninja", "-C", build, "-t", "deps").splitlines()
            if line.startswith(" ")
        }
        files = {f for f in files if not f.startswith((f"{SOURCE}/", f"{build}/"))}
        self.assertTrue([file for file in files if file.endswith("/caf/actor_system.hpp")])
        packages = with_what_they_need(documented()["its sources, as a part of your project"])
        self.assertEqual(not_of(packages, files), [])

    def test_what_the_readme_and_the_header_show_works(self):
        readme = re.search(r"```cpp\n(.*?)```", (SOURCE / "README.md").read_text(), re.S)[1]
        head = (SOURCE / "include/fanfare/engine.hpp").read_text().partition("#include")[0]
        head = "\n".join(re.findall(r"^///     (.*)$", head, re.M))
        for text in (readme, head):
            with self.subTest(text):
                source = self.folder() / "a.cpp"
                # To nobody: without allow_networks this machine is not called.
                text = text.replace("https://example.com/", "http://127.0.0.1:9/")
                self.assertIn("127.0.0.1", text)
                source.write_text(f"#include <fanfare/engine.hpp>\nint main() {{\n{text}\n}}\n")
                flags = run("pkg-config", "--cflags", "--libs", "fanfare", env=self.environment)
                program = source.with_suffix("")
                run(CXX, "-std=c++20", "-Wall", "-Wextra", "-Werror", source, "-o", program, *flags.split())
                run(program, cwd=source.parent, env=self.environment, seconds=60)
                self.assertTrue((source.parent / "data/fanfare.mdb").exists())

    def test_an_older_interface_is_not_taken_for_it(self):
        text = (OUTSIDE / "CMakeLists.txt").read_text().replace("fanfare 0.1 ", "fanfare 0.0 ")
        other = self.folder()
        (other / "CMakeLists.txt").write_text(text)
        shutil.copy(OUTSIDE / "main.cpp", other)
        with self.assertRaisesRegex(AssertionError, "compatible"):
            run("cmake", "-S", other, "-B", other / "b", "-DHOW=shared", env=self.environment)

    def test_the_program_and_its_unit_name_where_they_are(self):
        self.assertIn(VERSION, run(self.prefix / "bin/fanfare", "--version"))
        unit = (self.prefix / "lib/systemd/system/fanfare.service").read_text()
        self.assertIn(f"ExecStart={self.prefix}/bin/fanfare serve --config {self.prefix}/etc/", unit)

    def test_manual_pages_are_sound(self):
        """Made of the help, with every option, and without what troff complains of."""
        pages = sorted((self.prefix / "share/man/man1").glob("*.1"))
        self.assertIn("fanfare-serve.1", [page.name for page in pages])
        for page in pages:
            with self.subTest(page.name):
                formatted = subprocess.run(
                    ["man", "--warnings", "--encoding=UTF-8", "--local-file", page],
                    capture_output=True, text=True, timeout=60,
                    env={**os.environ, "MANPAGER": "cat", "MANWIDTH": "80", "MANROFFOPT": "", "LC_ALL": "C.UTF-8"},
                )  # fmt: skip
                self.assertEqual((formatted.returncode, formatted.stderr), (0, ""))
                text = re.sub(r".\x08|\x1b\[[0-9;]*m", "", formatted.stdout)
                command = page.stem.split("-", 1)[1:]
                # That of the program would be of all commands.
                told = run(self.prefix / "bin/fanfare", *command, "--help-all" if command else "--help")
                for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", told)):
                    self.assertIn(option, text)

    def test_shells_complete_commands_and_options(self):
        share = self.prefix / "share"
        asked = {
            "bash": f"source {share}/bash-completion/completions/fanfare; "
            "COMP_WORDS=(fanfare webhooks cr) COMP_CWORD=2; _fanfare; echo ${COMPREPLY[@]}; "
            "COMP_WORDS=(fanfare serve --trusted) COMP_CWORD=2; _fanfare; echo ${COMPREPLY[@]}",
            "fish": f"source {share}/fish/vendor_completions.d/fanfare.fish; "
            "complete -C 'fanfare webhooks cr' | cut -f1; complete -C 'fanfare serve --trusted' | cut -f1",
            # Its own machinery runs on a terminal only: here it prints what it is given.
            "zsh": "_describe() { print -rl -- ${(P)2%%:*} }; compdef() { }; "
            f"source {share}/zsh/site-functions/_fanfare; "
            "words=(fanfare webhooks cr) CURRENT=3; _fanfare | grep '^cr'; "
            "words=(fanfare serve --trusted) CURRENT=3; _fanfare | grep '^--trusted'",
        }
        for shell, script in asked.items():
            with self.subTest(shell):
                if not shutil.which(shell):
                    self.skip(f"there is no {shell}")
                environment = {**os.environ, "HOME": str(self.folder())}
                said = run(shell, "-c", script, env=environment, cwd=self.folder())
                self.assertEqual(said.split(), ["create", "--trusted-proxy"])

    def test_the_readmes_line_installs_what_the_server_needs(self):
        """After script/server, which builds the program and nothing else."""
        line = re.search(r"^cmake --install build/release.*$", (SOURCE / "README.md").read_text(), re.M)[0]
        words = shlex.split(line, comments=True)
        clone = self.folder()
        build = clone / "build/release"
        run("cmake", "-G", "Ninja", "-S", SOURCE, "-B", build, "-DFANFARE_BUILD_TESTS=OFF",
            "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_CXX_COMPILER={CXX}")  # fmt: skip
        shutil.copy(BUILD / "fanfare", build)
        shutil.copytree(BUILD / "share", build / "share")
        prefix = self.folder()
        run(*words, "--prefix", prefix, cwd=clone)
        self.assertIn(VERSION, run(prefix / "bin/fanfare", "--version"))
        self.assertTrue((prefix / "lib/systemd/system/fanfare.service").exists())
        self.assertTrue((prefix / "share/man/man1/fanfare.1").exists())

    def test_the_unit_and_its_configuration_name_one_directory(self):
        unit = (self.prefix / "lib/systemd/system/fanfare.service").read_text()
        settings = (self.prefix / "etc/fanfare/fanfare.toml").read_text()
        directory = re.search(r"^StateDirectory=(\S+)$", unit, re.M)[1]
        self.assertIn(f'\ndata = "/var/lib/{directory}"\n', settings)

    def test_the_prefix_may_be_relative_and_have_a_space(self):
        folder = self.folder()
        run("cmake", "--install", BUILD, "--prefix", "./a stage", cwd=folder)
        prefix = folder / "a stage"
        package = next(prefix.rglob("fanfare.pc"))
        environment = {**os.environ, "PKG_CONFIG_PATH": str(package.parent)}
        flags = run("pkg-config", "--cflags", "--libs", "fanfare", env=environment)
        self.assertEqual(
            shlex.split(flags),
            [f"-I{prefix}/include", f"-L{package.parents[1]}", "-lfanfare"],
        )
        unit = (prefix / "lib/systemd/system/fanfare.service").read_text()
        escaped = str(prefix).replace(" ", r"\x20")
        self.assertIn(f"ExecStart={escaped}/bin/fanfare serve --config {escaped}/etc/", unit)


@unittest.skipUnless(
    CI or shutil.which("dpkg-deb") and shutil.which("cpack"), "needs cpack and dpkg-deb"
)
class DebianPackages(PackageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        run("cpack", "-G", "DEB", "-B", cls.dir / "packages", cwd=BUILD)
        cls.packages = {
            file.name.split("_")[0]: file for file in (cls.dir / "packages").glob("*.deb")
        }

    def content(self, name):
        lines = run("dpkg-deb", "--contents", self.packages[name]).splitlines()
        return {line.split()[5].removeprefix("."): line.split()[:2] for line in lines}

    def field(self, name, key):
        return run("dpkg-deb", "--field", self.packages[name], key).strip()

    def test_there_are_three(self):
        self.assertEqual(sorted(self.packages), ["fanfare-server", "libfanfare-dev", LIBRARY])

    def test_each_holds_its_part(self):
        library = self.content(LIBRARY)
        self.assertTrue([f for f in library if f.endswith(f"/libfanfare.so.{VERSION}")], library)
        self.assertFalse([f for f in library if f.endswith((".so", ".hpp", ".a"))], library)
        development = self.content("libfanfare-dev")
        for end in ("/fanfare/engine.hpp", "/fanfare/version.hpp", "/libfanfare.a", "/fanfare.pc"):
            self.assertTrue([f for f in development if f.endswith(end)], end)
        server = self.content("fanfare-server")
        for file in (
            "/usr/bin/fanfare",
            "/etc/fanfare/fanfare.toml",
            "/usr/lib/systemd/system/fanfare.service",
            "/usr/share/man/man1/fanfare.1.gz",
            "/usr/share/man/man1/fanfare-webhooks.1.gz",
            "/usr/share/bash-completion/completions/fanfare",
            "/usr/share/zsh/vendor-completions/_fanfare",
            "/usr/share/fish/vendor_completions.d/fanfare.fish",
            "/usr/share/doc/fanfare-server/README.md",
            "/usr/share/doc/fanfare-server/openapi.json",
            "/usr/share/doc/fanfare-server/docs/operations.md",
            "/usr/share/fanfare/grafana/fanfare.json",
            "/usr/share/fanfare/prometheus/alerts.yml",
        ):
            self.assertIn(file, server)
        self.assertIn("/usr/share/doc/libfanfare-dev/docs/embedding.md", development)
        for name in self.packages:
            self.assertIn(f"/usr/share/doc/{name}/copyright", self.content(name))

    def test_lintian_finds_no_errors(self):
        if not shutil.which("lintian"):
            self.skip("there is no lintian")
        said = subprocess.run(
            ["lintian", "--allow-root", "--fail-on", "error", *self.packages.values()],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
        )  # fmt: skip
        self.assertEqual(said.returncode, 0, said.stdout)

    def test_they_say_what_they_need(self):
        self.assertIn("libcaf-core", self.field(LIBRARY, "Depends"))
        self.assertIn("libc6", self.field("fanfare-server", "Depends"))
        self.assertIn(f"{LIBRARY} (= {VERSION}-1)", self.field("libfanfare-dev", "Depends"))
        self.assertIn("/etc/fanfare/fanfare.toml", run(
            "dpkg-deb", "--info", self.packages["fanfare-server"], "conffiles"))  # fmt: skip

    def test_the_library_says_what_needs_it(self):
        shlibs = run("dpkg-deb", "--info", self.packages[LIBRARY], "shlibs")
        self.assertEqual(shlibs.strip(), f"libfanfare {SOVERSION} {LIBRARY} (>= {VERSION}-1)")

    def inside(self, *words):
        """What inside.sh says in a system of its own: what it writes goes to a folder over
        this one."""
        script = SOURCE / "tests/package/inside.sh"
        unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        if os.geteuid() != 0:
            unshare += ["--user", "--map-root-user"]
        probe = subprocess.run(
            [*unshare, str(script), "--probe", str(self.folder())],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        if probe.returncode != 0:
            self.skip("this system permits no mounts of its own: " + probe.stderr.strip()[-200:])
        return run(*unshare, script, *words, seconds=300)

    def test_they_are_installed_used_and_removed(self):
        said = self.inside(self.folder(), OUTSIDE, *self.packages.values())
        self.assertIn("all is as it was", said)

    WAYS = {
        "the shared library, by CMake": "shared",
        "the shared library, by pkg-config": "shared-pkg-config",
        "the static library, by CMake": "static",
        "the static library, by pkg-config": "static-pkg-config",
        "its sources, as a part of your project": "sources",
    }

    def test_the_documented_packages_are_those_suggested(self):
        ways = documented()
        self.assertEqual(ways.keys(), self.WAYS.keys())
        more = set(ways["the static library, by CMake"]) - set(ways["the shared library, by CMake"])
        suggested = self.field("libfanfare-dev", "Suggests").split(", ")
        self.assertEqual(sorted(more), sorted(suggested))

    def test_the_documented_packages_are_enough(self):
        """For each way to use the engine all others are purged: what is for developing, and
        what another way needs."""
        packages, _ = installed()
        ways = documented()
        removable = set().union(*ways.values()) | {
            name
            for name, package in packages.items()
            if name.endswith("-dev") or package["Section"].split("/")[-1] in ("devel", "libdevel")
        }
        for line in run("dpkg", "--search", "/usr/include/*").splitlines():
            if not line.startswith("diversion by "):
                owners = line.rpartition(": ")[0].split(", ")
                removable |= {owner.partition(":")[0] for owner in owners}
        ours = {
            name: file for name, file in self.packages.items() if name.startswith("libfanfare")
        }

        def use(how, names):
            self.assertEqual([name for name in names if name not in {*packages, *ours}], [])
            kept = with_what_they_need(names)
            purged = self.folder() / "purged"
            purged.write_text(
                "".join(
                    packages[name]["binary:Package"] + "\n"
                    for name in sorted((removable - kept) & packages.keys())
                )
            )
            self.inside(
                "--without", purged, how, self.folder(), OUTSIDE, SOURCE,
                *(ours.values() if "libfanfare-dev" in names else ()),
            )  # fmt: skip

        for way, how in self.WAYS.items():
            with self.subTest(way):
                use(how, ways[way])
        # This can fail.
        with self.assertRaisesRegex(AssertionError, "(?s)library of fanfare needs .*CAF"):
            use("static", ways["the shared library, by CMake"])


class Container(PackageTest):
    """What the Dockerfile and compose.yaml name; nothing here needs Docker."""

    FOLDER = SOURCE / "packaging/docker"

    def words_of(self, instruction):
        text = (self.FOLDER / "Dockerfile").read_text()
        return json.loads(re.search(rf"^{instruction}.*?(\[.*\])$", text, re.M)[1])

    def test_the_image_runs_a_server_that_its_check_finds_healthy(self):
        self.assertEqual(self.words_of("ENTRYPOINT"), ["fanfare"])
        data = self.folder() / "data"
        words = self.words_of("CMD")
        self.assertEqual(words[words.index("--data") + 1], "/var/lib/fanfare")
        self.assertEqual(words[words.index("--listen") + 1], "0.0.0.0:8080")
        words = [str(data) if word == "/var/lib/fanfare" else word for word in words]
        words = ["127.0.0.1:0" if word == "0.0.0.0:8080" else word for word in words]
        check, *asked = self.words_of("HEALTHCHECK")
        self.assertEqual(check, "fanfare")
        server = subprocess.Popen([BUILD / "fanfare", *words], stdout=subprocess.PIPE, text=True)
        try:
            url = server.stdout.readline().split()[-1]
            self.assertIn('"ready"', run(BUILD / "fanfare", *asked, "--url", url, seconds=30))
        finally:
            server.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait(60), 0)
            server.stdout.close()
        sick = subprocess.run([BUILD / "fanfare", *asked, "--url", url], capture_output=True, timeout=60)
        self.assertNotEqual(sick.returncode, 0)

    def test_its_package_is_made_alone(self):
        if not shutil.which("dpkg-deb"):
            self.skip("needs dpkg-deb")
        text = (self.FOLDER / "Dockerfile").read_text()
        words = shlex.split(re.search(r"cpack (.*)$", text, re.M)[1])
        place = self.folder()
        words = [str(place) if word == "/packages" else word for word in words]
        run("cpack", *words, cwd=BUILD)
        self.assertEqual([file.name.split("_")[0] for file in place.glob("*.deb")], ["fanfare-server"])

    def test_what_compose_mounts_is_there(self):
        mounts = re.findall(r"^ +- (\./\S+?):", (self.FOLDER / "compose.yaml").read_text(), re.M)
        self.assertGreaterEqual(len(mounts), 3)
        for mount in mounts:
            self.assertTrue((self.FOLDER / mount).is_file(), mount)


if __name__ == "__main__":
    unittest.main()
