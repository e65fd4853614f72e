#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# layering.sh [ROOT]      checks that the sources under ROOT include only what
#                         their folder may; prints each include that it may not
# layering.sh --self-test shows that each rule can fail
#
# The compiler cannot do this: all libraries' headers are in /usr/include.
set -euo pipefail

# What a folder may include of the others, and which libraries only some
# folders may include. Anything under storage/lmdb counts as both storage and
# storage/lmdb.
allowed_folders() {
  case $1 in
    model) echo model ;;
    protocol) echo protocol model ;;
    storage) echo storage model ;;
    actors) echo actors model protocol storage ;;
    cli) echo cli model protocol actors ;;
  esac
}

# Prints the folders that may include the library header, nothing if any may.
library_folders() {
  case $1 in
    caf/*) echo actors ;;
    lmdb.h) echo storage/lmdb ;;
    boost/beast.hpp | boost/beast/*) echo protocol ;;
    boost/asio.hpp | boost/asio/*) echo protocol actors cli ;;
    boost/system/* | boost/json/*) ;; # results, and filters on what a body says
    boost/*) echo protocol storage storage/lmdb actors cli ;; # not model
  esac
}

folders="model protocol storage actors cli"

contains() { # WORD LIST
  [[ " $2 " == *" $1 "* ]]
}

# Prints "FILE:LINE:KIND NAME" of each include; KIND is < or ".
includes() {
  grep -HnoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"][^>"]+' "$@" \
    | sed -E 's/^([^:]+:[0-9]+:)[^<"]*([<"])(.*)$/\1\2 \3/' || true
}

# The headers of ours that FILES include, directly or not, and FILES.
closure() {
  local todo=("$@") seen=" " file name
  while ((${#todo[@]})); do
    file=${todo[0]}
    todo=("${todo[@]:1}")
    [[ -f $file && $seen != *" $file "* ]] || continue
    seen+="$file "
    while read -r _ name; do
      todo+=("$name")
    done < <(includes "$file" | grep '"' || true)
  done
  echo "$seen"
}

check() { # in the root; prints faults
  local folder file place name home
  for folder in $folders; do
    [[ -d $folder ]] || continue
    while IFS= read -r file; do
      home=$folder
      [[ $file == storage/lmdb/* ]] && home=storage/lmdb
      while read -r place name; do
        if [[ $place == *'"' ]]; then
          check_ours "$file" "$folder" "${place%:\"}" "$name"
        else
          check_library "$home" "${place%:<}" "$name"
        fi
      done < <(includes "$file")
    done < <(find "$folder" -type f \
      \( -name '*.hpp' -o -name '*.cpp' -o -name '*.h' -o -name '*.hpp.in' \) | sort)
  done
  check_engine
}

check_ours() { # FILE FOLDER PLACE NAME
  local target=${4%%/*}
  if [[ $4 != */* ]] || ! contains "$target" "$folders"; then
    echo "$3: \"$4\" does not start with one of our folders"
  elif ! contains "$target" "$(allowed_folders "$2")"; then
    echo "$3: $2/ must not include $target/ (\"$4\")"
  elif [[ $1 == storage/*.hpp && $1 != storage/lmdb/* && $4 == storage/lmdb/* ]]; then
    echo "$3: an interface of storage/ must not include its implementation (\"$4\")"
  fi
}

check_library() { # HOME PLACE NAME
  local only
  if contains "${3%%/*}" "$folders" && [[ $3 == */* ]]; then
    echo "$2: our own <$3> is to be included with quotes"
    return
  fi
  only=$(library_folders "$3")
  if [[ -n $only ]] && ! contains "$1" "$only"; then
    echo "$2: <$3> is only for ${only// /, }, not for $1"
  fi
}

# The facade of all shows no library behind it, not even through other headers.
check_engine() {
  local place name
  [[ -f actors/engine.hpp ]] || return 0
  while read -r place name; do
    case $name in
      caf/* | lmdb.h | boost/beast* | boost/asio*)
        echo "${place%:<}: actors/engine.hpp must not lead to <$name>"
        ;;
    esac
  done < <(includes $(closure actors/engine.hpp) /dev/null)
}

self_test() {
  local here dir faults=0
  here=$(realpath "$0")
  dir=$(mktemp -d)
  trap "rm -rf '$dir'" EXIT
  try() { # FILE LINE good|bad
    rm -rf "$dir/tree"
    mkdir -p "$dir/tree/$(dirname "$1")"
    printf '%s\n' "$2" >"$dir/tree/$1"
    local verdict=good
    "$here" "$dir/tree" >/dev/null || verdict=bad
    if [[ $verdict != "$3" ]]; then
      echo "self-test: '$2' in $1 was found $verdict instead of $3"
      faults=$((faults + 1))
    fi
  }
  try model/a.hpp '#include "protocol/b.hpp"' bad
  try model/a.hpp '#include "storage/b.hpp"' bad
  try model/a.hpp '#include <boost/json.hpp>' bad
  try model/a.hpp '#include <boost/asio.hpp>' bad
  try model/a.hpp '#include <boost/system/result.hpp>' good
  try model/version.hpp.in '#include "actors/b.hpp"' bad
  try protocol/a.cpp '#include "storage/b.hpp"' bad
  try protocol/a.cpp '#include "actors/b.hpp"' bad
  try protocol/a.cpp '#include <caf/all.hpp>' bad
  try protocol/a.cpp '#include <lmdb.h>' bad
  try protocol/a.cpp '  #  include "cli/b.hpp"' bad
  try protocol/sub/a.cpp '#include <boost/beast/http.hpp>' good
  try protocol/a.cpp '#include "model/b.hpp"' good
  try protocol/a.cpp '// #include "storage/b.hpp"' good
  try storage/a.hpp '#include "protocol/b.hpp"' bad
  try storage/a.hpp '#include "storage/lmdb/b.hpp"' bad
  try storage/a.cpp '#include "storage/lmdb/b.hpp"' good
  try storage/a.cpp '#include <lmdb.h>' bad
  try storage/a.cpp '#include <boost/asio.hpp>' bad
  try storage/a.cpp '#include <boost/beast/core.hpp>' bad
  try storage/lmdb/a.cpp '#include <lmdb.h>' good
  try storage/lmdb/a.cpp '#include <caf/all.hpp>' bad
  try actors/a.cpp '#include "cli/b.hpp"' bad
  try actors/a.cpp '#include "storage/b.hpp"' good
  try actors/a.cpp '#include <caf/all.hpp>' good
  try actors/a.cpp '#include <boost/asio/post.hpp>' good
  try actors/a.cpp '#include <boost/beast/http.hpp>' bad
  try actors/a.cpp '#include <lmdb.h>' bad
  try actors/engine.hpp '#include <caf/fwd.hpp>' bad
  try actors/engine.hpp '#include <boost/asio/io_context.hpp>' bad
  try actors/engine.hpp '#include "actors/engine.hpp"' good
  try cli/main.cpp '#include "storage/b.hpp"' bad
  try cli/main.cpp '#include <caf/all.hpp>' bad
  try cli/main.cpp '#include <lmdb.h>' bad
  try cli/main.cpp '#include "actors/engine.hpp"' good
  try cli/main.cpp '#include "engine.hpp"' bad
  try cli/main.cpp '#include <actors/engine.hpp>' bad
  # A fault behind a header that the facade includes.
  rm -rf "$dir/tree"
  mkdir -p "$dir/tree/actors"
  echo '#include "actors/ids.hpp"' >"$dir/tree/actors/engine.hpp"
  echo '#include <caf/all.hpp>' >"$dir/tree/actors/ids.hpp"
  if "$here" "$dir/tree" >/dev/null; then
    echo "self-test: CAF behind actors/engine.hpp was not found"
    faults=$((faults + 1))
  fi
  ((faults == 0)) && echo "layering: each rule can fail"
}

case ${1:-} in
  --self-test)
    self_test
    ;;
  -h | --help)
    sed -n '5,7p' "$0" | cut -c3-
    ;;
  *)
    cd "${1:-$(dirname "$0")/..}"
    faults=$(check)
    if [[ -n $faults ]]; then
      printf '%s\n' "$faults"
      exit 1
    fi
    echo "layering: all includes go the right way"
    ;;
esac
