#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# toml11 3.7.1 (Debian 12: libtoml11-dev 3.7.1-3) takes a whole number that does
# not fit into 64 bits for the nearest one that does, and a long binary one for
# something else, without an error. TOML 1.0, "Integer": "If an integer cannot be
# represented losslessly, an error must be thrown."
#
# Seen with g++ 12.2:
#   9223372036854775808   -> 9223372036854775807
#   -9223372036854775809  -> -9223372036854775808
#   0xFFFFFFFFFFFFFFFFFF  -> 9223372036854775807
#   0b1 followed by 71 1s -> -1
#
# cli/config_file.cpp therefore reads the digits of the file itself.
# Needs Debian 12 with g++; installs nothing outside of a temporary folder.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download --quiet --quiet libtoml11-dev=3.7.1-3 >/dev/null
dpkg-deb --extract libtoml11-dev_*.deb .

cat >read.cpp <<'EOF'
#include <toml.hpp>
#include <iostream>
#include <sstream>
#include <string>

int main() {
  const std::string longest(71, '1');
  for (const std::string& number :
       {std::string{"9223372036854775808"}, std::string{"-9223372036854775809"},
        std::string{"0xFFFFFFFFFFFFFFFFFF"}, "0b1" + longest}) {
    std::istringstream in{"n = " + number + "\n"};
    try {
      std::cout << toml::parse(in, "numbers").at("n").as_integer() << '\n';
    } catch (const std::exception&) {
      std::cout << "error\n";
    }
  }
}
EOF
g++ -std=c++17 -isystem usr/include read.cpp -o read
seen=$(./read | tr '\n' ' ')
echo "toml11 3.7.1 reads: $seen"
expected="9223372036854775807 -9223372036854775808 9223372036854775807 -1 "
if [[ $seen != "$expected" ]]; then
  echo "this has changed; expected: $expected" >&2
  exit 1
fi
