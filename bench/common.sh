# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the benchmarks share; to be sourced from the root of the repository. It
# makes the directory $dir, and removes it and ends what was started at exit.

# Sets the variables that are named by options: --seconds 5 sets $seconds, if it
# is one of $1 ("seconds rounds").
read_options() {
  local known=" $1 "
  shift
  while (($# > 0)); do
    if [[ $1 != --* || $known != *" ${1#--} "* ]]; then
      echo "script/bench: unexpected '$1', see --help" >&2
      exit 2
    fi
    if [[ ! ${2:-} =~ ^[0-9]+$ ]]; then
      echo "script/bench: $1 needs a number" >&2
      exit 2
    fi
    declare -g "${1#--}=$2"
    shift 2
  done
}

build() {
  {
    script/bootstrap
    cmake --preset release
    cmake --build --preset release --target fanfare --parallel "$(nproc)"
  } >&2
}

dir=$(mktemp -d)
pids=()
clean_up() {
  if ((${#pids[@]})); then
    kill "${pids[@]}" 2>/dev/null || true
    wait "${pids[@]}" 2>/dev/null || true
  fi
  rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

free_port() { # one that nobody listens on
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}

# nginx, at $receiver.
start_receiver() {
  local port
  port=$(free_port)
  receiver=http://127.0.0.1:$port
  sed -e "s|@DIR@|$dir|g" -e "s|@PORT@|$port|g" bench/receiver.conf.in >"$dir/nginx.conf"
  nginx -c "$dir/nginx.conf" -e "$dir/nginx-error.log" &
  pids+=($!)
  for _ in {1..100}; do
    curl -sf -o "$dir/ignore" "$receiver/status" && return
    sleep 0.05
  done
  echo "script/bench: nginx does not start: $(cat "$dir/nginx-error.log")" >&2
  exit 1
}

# The server ($FANFARE_BINARY, else the release that was built) with an organizer "bench", at $server (process) and $api. Options
# go to "fanfare serve".
start_server() {
  export FANFARE_ADMIN_TOKEN=bench-admin-token-0123456789
  "${FANFARE_BINARY:-build/release/fanfare}" serve --data "$dir/data" --listen 127.0.0.1:0 \
    --allow-network 127.0.0.0/8 --log-level warning "$@" >"$dir/server.out" &
  server=$!
  pids+=("$server")
  for _ in {1..200}; do
    grep -q '^listening on ' "$dir/server.out" && break
    sleep 0.05
  done
  api=$(sed -n 's/^listening on //p' "$dir/server.out")/api/v1
  call POST /organizers/ '{"slug": "bench", "name": "Bench"}' >/dev/null
}

# Processor time of the server so far, in hundredths of a second.
server_ticks() {
  awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/$server/stat"
}

stop_server() {
  kill -TERM "$server"
  wait "$server"
}

call() { # METHOD PATH [BODY]
  curl -sf -X "$1" -H "Authorization: Token $FANFARE_ADMIN_TOKEN" \
    -H 'Content-Type: application/json' "$api$2" ${3:+-d "$3"}
}

# "commit" and "cpu" of the line of results.
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
cpu="$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1) x $(nproc)"
