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
# storage/lmdb. "fanfare" are the public headers, in include/fanfare: all may
# include them, and they nothing but the standard library.
allowed_folders() {
  case $1 in
    include) echo fanfare ;;
    model) echo fanfare model ;;
    protocol) echo fanfare protocol model ;;
    storage) echo fanfare storage model ;;
    actors) echo fanfare actors model protocol storage ;;
    engine) echo fanfare engine actors model protocol storage ;;
    cli) echo fanfare cli protocol ;;
    examples) echo fanfare ;;
  esac
}

# Prints the folders that may include the library header, nothing if any may.
library_folders() {
  case $1 in
    caf/*) echo actors engine ;;
    lmdb.h) echo storage/lmdb ;;
    toml.hpp | toml/* | yaml-cpp/*) echo cli ;;
    boost/beast.hpp | boost/beast/*) echo protocol ;;
    boost/asio.hpp | boost/asio/*) echo protocol actors engine cli ;;
    boost/json/*) echo model protocol storage actors engine cli ;; # filters on bodies
    boost/*) echo protocol storage storage/lmdb actors engine cli ;; # not model
    */*) echo model protocol storage storage/lmdb actors engine cli examples ;; # not include
  esac
}

# What the REST API may include besides the public interface and its own folder:
# rules and texts without state, and the values that it alone has to do with. It
# reaches the engine by its interface alone.
rest_may_include="model/action_name.hpp model/feed.hpp model/idempotency.hpp model/payload_filter.hpp model/search.hpp model/token.hpp model/without_signals.hpp protocol/text.hpp protocol/client/egress.hpp
protocol/client/tls.hpp protocol/payload/composed_body.hpp
protocol/payload/json_slices.hpp protocol/payload/json_text.hpp
protocol/payload/publication.hpp protocol/payload/trace_context.hpp protocol/rules/action_types.hpp
protocol/rules/delivery_rules.hpp protocol/rules/header_rules.hpp
protocol/rules/slug.hpp protocol/security/credentials.hpp
protocol/server/body_stream.hpp
protocol/server/http_handler.hpp protocol/target/network.hpp protocol/target/target.hpp
protocol/target/target_url.hpp"

folders="fanfare include model protocol storage actors engine cli examples"

contains() { # WORD LIST
  [[ " $2 " == *" $1 "* ]]
}

# Prints "FILE:LINE:KIND NAME" of each include; KIND is < or ".
includes() {
  grep -HnoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"][^>"]+' "$@" \
    | sed -E 's/^([^:]+:[0-9]+:)[^<"]*([<"])(.*)$/\1\2 \3/' || true
}

# Prints FILE:LINE of each change of a table by LMDB itself. They all go through
# one place, where it is seen what a commit changes.
writes_elsewhere() {
  grep -rnE 'mdb_(put|del|cursor_put|cursor_del|drop)[[:space:]]*\(' storage \
    --include='*.hpp' --include='*.cpp' 2>/dev/null \
    | grep -v '^storage/lmdb/file/transaction.cpp:' | cut -d: -f1,2 || true
}

check() { # in the root; prints faults
  local folder file place name home
  while read -r place; do
    echo "$place: a table is changed only in storage/lmdb/file/transaction.cpp"
  done < <(writes_elsewhere)
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
}

check_ours() { # FILE FOLDER PLACE NAME
  local target=${4%%/*}
  if [[ $4 != */* ]] || ! contains "$target" "$folders"; then
    echo "$3: \"$4\" does not start with one of our folders"
  elif [[ $1 == cli/* && $4 == engine/rest_service.hpp ]]; then
    : # what the server hands to the REST API; else the program is like any other
  elif ! contains "$target" "$(allowed_folders "$2")"; then
    echo "$3: $2/ must not include $target/ (\"$4\")"
  elif [[ $1 == protocol/* && $4 == model/records.hpp ]]; then
    echo "$3: the API sees the public values, not what is stored (\"$4\")"
  elif [[ $1 == protocol/rest/* && $target != fanfare && $4 != protocol/rest/* ]] \
    && ! contains "$4" "${rest_may_include//$'\n'/ }"; then
    echo "$3: the API is written on the public interface (\"$4\")"
  elif [[ $1 == storage/*.hpp && $1 != storage/lmdb/* && $4 == storage/lmdb/* ]]; then
    echo "$3: an interface of storage/ must not include its implementation (\"$4\")"
  fi
}

check_library() { # HOME PLACE NAME
  local only
  [[ $1 == examples && $3 == fanfare/* ]] && return # as from outside
  if contains "${3%%/*}" "$folders" && [[ $3 == */* ]]; then
    echo "$2: our own <$3> is to be included with quotes"
    return
  fi
  only=$(library_folders "$3")
  if [[ -n $only ]] && ! contains "$1" "$only"; then
    echo "$2: <$3> is only for ${only// /, }, not for $1"
  fi
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
  try model/a.hpp '#include "fanfare/b.hpp"' good
  try include/fanfare/version.hpp.in '#include "actors/b.hpp"' bad
  try include/fanfare/a.hpp '#include "model/b.hpp"' bad
  try include/fanfare/a.hpp '#include <boost/system/result.hpp>' bad
  try include/fanfare/a.hpp '#include <openssl/sha.h>' bad
  try include/fanfare/a.hpp '#include <caf/fwd.hpp>' bad
  try include/fanfare/a.hpp '#include <lmdb.h>' bad
  try include/fanfare/a.hpp '#include <memory>' good
  try include/fanfare/a.hpp '#include "fanfare/b.hpp"' good
  try include/fanfare/fanfare.h '#include <stdint.h>' good
  try protocol/a.cpp '#include "storage/b.hpp"' bad
  try protocol/a.cpp '#include "actors/b.hpp"' bad
  try protocol/a.cpp '#include <caf/all.hpp>' bad
  try protocol/a.cpp '#include <lmdb.h>' bad
  try protocol/a.cpp '  #  include "cli/b.hpp"' bad
  try protocol/sub/a.cpp '#include <boost/beast/http.hpp>' good
  try protocol/a.cpp '#include "model/b.hpp"' good
  try protocol/rest/a.cpp '#include "model/records.hpp"' bad
  try protocol/rest/a.cpp '#include "model/subscription.hpp"' bad
  try protocol/rest/a.cpp '#include "protocol/client/http_client.hpp"' bad
  try protocol/rest/a.cpp '#include "protocol/text.hpp"' good
  try protocol/rest/a.cpp '#include "protocol/rest/b.hpp"' good
  try protocol/rest/a.cpp '#include "fanfare/b.hpp"' good
  try protocol/a.cpp '// #include "storage/b.hpp"' good
  try storage/a.hpp '#include "protocol/b.hpp"' bad
  try storage/a.hpp '#include "storage/lmdb/b.hpp"' bad
  try storage/a.cpp '#include "storage/lmdb/b.hpp"' good
  try storage/a.cpp '#include <lmdb.h>' bad
  try storage/a.cpp '#include <boost/asio.hpp>' bad
  try storage/a.cpp '#include <boost/beast/core.hpp>' bad
  try storage/lmdb/a.cpp '#include <lmdb.h>' good
  try storage/lmdb/a.cpp '#include <caf/all.hpp>' bad
  try storage/lmdb/a.cpp 'mdb_cursor_put(at, &key, &value, 0);' bad
  try storage/lmdb/file/transaction.cpp 'mdb_put(txn, in, &key, &value, 0);' good
  try storage/lmdb/a.cpp 'mdb_get(txn, in, &key, &value);' good
  try actors/a.cpp '#include "cli/b.hpp"' bad
  try actors/a.cpp '#include "storage/b.hpp"' good
  try actors/a.cpp '#include <caf/all.hpp>' good
  try actors/a.cpp '#include <boost/asio/post.hpp>' good
  try actors/a.cpp '#include <boost/beast/http.hpp>' bad
  try actors/a.cpp '#include <lmdb.h>' bad
  try actors/a.cpp '#include "engine/b.hpp"' bad
  try engine/a.cpp '#include "actors/b.hpp"' good
  try engine/a.cpp '#include "cli/b.hpp"' bad
  try engine/a.cpp '#include <caf/all.hpp>' good
  try engine/a.cpp '#include <lmdb.h>' bad
  try cli/main.cpp '#include "storage/b.hpp"' bad
  try cli/main.cpp '#include "model/b.hpp"' bad
  try cli/main.cpp '#include <caf/all.hpp>' bad
  try cli/main.cpp '#include <lmdb.h>' bad
  try cli/main.cpp '#include <toml.hpp>' good
  try engine/a.cpp '#include <toml.hpp>' bad
  try cli/main.cpp '#include "fanfare/engine.hpp"' good
  try cli/main.cpp '#include "engine/engine.hpp"' bad
  try cli/main.cpp '#include "engine/rest_service.hpp"' good
  try cli/main.cpp '#include "engine.hpp"' bad
  try examples/a/main.cpp '#include <fanfare/engine.hpp>' good
  try examples/a/main.cpp '#include "engine/engine.hpp"' bad
  try examples/a/main.cpp '#include <engine/engine.hpp>' bad
  try examples/a/main.cpp '#include <boost/asio.hpp>' bad
  try examples/a/main.cpp '#include <prometheus/exposer.h>' good
  try cli/main.cpp '#include <engine/engine.hpp>' bad
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
