#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# inside.sh --probe DIR                ends with 0 if it could do its work
# inside.sh DIR OUTSIDE PACKAGE.deb…   installs the packages, builds the project OUTSIDE
#   against them, runs the server as its unit would, removes it, installs it again,
#   and purges it
# inside.sh --without LIST HOW DIR OUTSIDE SOURCE PACKAGE.deb…   installs the packages,
#   purges those that the file LIST names, and builds OUTSIDE in the way HOW with what
#   is left; if that is of the sources (in SOURCE), it only configures it
#
# To be started in a mount namespace of its own: it lays folders of DIR over the
# system's, so that nothing of it is changed.
set -euo pipefail

probe= without= how=
if [[ $1 == --probe ]]; then
  probe=1
  shift
elif [[ $1 == --without ]]; then
  without=$2 how=$3
  shift 3
fi
dir=$1
shift
mount --make-rprivate /
# An overlay cannot lie on another one: its changes go to a file system of its own.
mount -t tmpfs -o size=1g tmpfs "$dir"
for folder in etc usr var; do
  mkdir -p "$dir/$folder/upper" "$dir/$folder/work"
  mount -t overlay overlay \
    -o "lowerdir=/$folder,upperdir=$dir/$folder/upper,workdir=$dir/$folder/work" "/$folder"
done
if [[ $probe ]]; then
  if [[ ! -w /var/lib/dpkg ]]; then
    echo "dpkg needs root, also in here" >&2
    exit 1
  fi
  exit 0
fi
mount -t tmpfs -o mode=0755 tmpfs /run # no systemd in here
outside=$1
shift
export DEBIAN_FRONTEND=noninteractive

# -- with few packages ----------------------------------------------------------

# Words that start a program as in a new shell: the caller's variables and home
# lead to nothing.
alone=(env -i PATH=/usr/bin:/bin LANG=C.UTF-8 "HOME=$dir/home" CXX=g++)

build() { # OPTION…: configures OUTSIDE with CMake, and builds it
  "${alone[@]}" cmake -G 'Unix Makefiles' -S "$outside" -B "$dir/build" "$@" >/dev/null
  "${alone[@]}" cmake --build "$dir/build" >/dev/null
}

build_by_pkg_config() { # EXPRESSION OPTION…: with what sed makes of the flags
  local expression=$1 flags
  shift
  flags=$("${alone[@]}" pkg-config --cflags --libs "$@" fanfare | sed "$expression")
  mkdir "$dir/build"
  # shellcheck disable=SC2086
  "${alone[@]}" g++ -std=c++20 "$outside/main.cpp" -o "$dir/build/outside" $flags
}

if [[ $without ]]; then
  source=$1
  shift
  mount -t tmpfs tmpfs /usr/local
  if (($#)); then
    dpkg --install "$@" >/dev/null
  fi
  xargs dpkg --purge --force-depends <"$without" >/dev/null 2>"$dir/warnings" \
    || { cat "$dir/warnings"; exit 1; }
  case $how in
    shared) build -DHOW=shared ;;
    static) build -DHOW=static ;;
    shared-pkg-config) build_by_pkg_config '' ;;
    static-pkg-config) build_by_pkg_config 's/-lfanfare/-l:libfanfare.a/' --static ;;
    sources)
      "${alone[@]}" cmake -G 'Unix Makefiles' -S "$outside" -B "$dir/build" \
        -DHOW=fetched "-DFANFARE_SOURCE_DIR=$source"
      exit
      ;;
  esac
  needed=$(readelf -d "$dir/build/outside")
  if [[ $how == shared* ]]; then
    [[ $needed == *libfanfare.so* ]]
  else
    [[ $needed != *libfanfare* ]]
  fi
  "$dir/build/outside" "$dir/data"
  exit
fi

# -- all that there is ------------------------------------------------------------

library=
for package in "$@"; do
  [[ $package != */fanfare-server_* ]] || server=$package
  if [[ $package =~ /(libfanfare[0-9.]+)_ ]]; then
    library=${BASH_REMATCH[1]}
  fi
done
before=$(dpkg --get-selections | sort)
dpkg --install "$@" | tee "$dir/notes"
# The notes say where the token is, and what leads on is there.
grep -q ' cat /var/lib/fanfare/admin.token | fanfare login$' "$dir/notes"
[[ -f /usr/share/doc/fanfare-server/README.md ]]
man --local-file --pager=cat /usr/share/man/man1/fanfare-serve.1.gz >"$dir/page"
grep -q -e '--trusted-proxy' "$dir/page"
dpkg --status "$library" libfanfare-dev fanfare-server | grep '^Status: install ok installed' | wc -l \
  | grep -qx 3

# A project finds what is installed, without being told where.
cmake -G Ninja -S "$outside" -B "$dir/build" -DHOW=shared >/dev/null
cmake --build "$dir/build" >/dev/null
"$dir/build/outside" "$dir/data"

# And a package of that project would depend on the right one of ours.
mkdir -p "$dir/build/debian"
printf 'Source: outside\n\nPackage: outside\nArchitecture: any\n' \
  >"$dir/build/debian/control"
needs=$(cd "$dir/build" && dpkg-shlibdeps -O outside)
[[ $needs == *"$library (>= "* ]]

# The server as its user, with its configuration.
id fanfare
[[ $(stat -c '%U %a' /var/lib/fanfare) == 'fanfare 700' ]]
[[ $(stat -c '%G %a' /etc/fanfare/fanfare.toml) == 'fanfare 640' ]]
wants=/etc/systemd/system/multi-user.target.wants/fanfare.service
[[ -L $wants ]] # also where systemd does not run, as in an image
# What it does not know it names, and leaves out.
unit=/usr/lib/systemd/system/fanfare.service
warnings=$(systemd-analyze verify --man=no "$unit" 2>&1) || {
  echo "$warnings"
  exit 1
}
if grep -F fanfare.service <<<"$warnings"; then
  exit 1
fi
# In tenths of what `systemd-analyze security` shows: 1.3 with systemd 252. Without
# a filter of system calls, say, it is 1.7.
systemd-analyze security --no-pager --offline=true --threshold=16 "$unit" | tail -n 1
sed -i 's/^listen = .*/listen = "127.0.0.1:0"/' /etc/fanfare/fanfare.toml
exec {said}< <(exec setpriv --reuid fanfare --regid fanfare --clear-groups \
  fanfare serve --config /etc/fanfare/fanfare.toml 2>&1 & echo "pid $!"; wait)
url= pid=
while [[ -z $url ]] && read -r -t 30 line <&"$said"; do
  echo "$line"
  [[ $line == 'pid '* ]] && pid=${line#pid }
  [[ $line == 'listening on '* ]] && url=${line#listening on }
done
[[ -n $url ]]
curl --silent --fail "$url/readyz" >/dev/null
[[ $(stat -c '%U' /var/lib/fanfare/fanfare.mdb) == fanfare ]]
kill -TERM "$pid"
for _ in $(seq 200); do
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.1
done
if kill -0 "$pid" 2>/dev/null; then
  exit 1
fi

dpkg --remove fanfare-server libfanfare-dev "$library"
[[ -f /etc/fanfare/fanfare.toml && -f /var/lib/fanfare/fanfare.mdb ]]
[[ ! -e /usr/bin/fanfare ]]

# Where systemd runs, here one that only writes down what it is told: installed
# again, the server starts.
told=/run/told
cat >"$dir/systemctl" <<END
#!/bin/sh
echo "\$*" >>$told
case "\$*" in
  *is-enabled*) [ -L $wants ] && echo enabled ;;
  *is-active*) false ;;
esac
END
chmod +x "$dir/systemctl"
cp "$dir/systemctl" /usr/bin/systemctl
mkdir -p /run/systemd/system
rm -f /usr/sbin/policy-rc.d # containers forbid starting anything
dpkg --install "$@"
grep -qw 'restart fanfare.service' "$told"
[[ -L $wants ]]
rm "$told"
dpkg --remove fanfare-server
grep -qw 'stop fanfare.service' "$told"
# But not if the administrator has disabled it; and one may do without the file.
rm "$wants" /etc/fanfare/fanfare.toml "$told"
dpkg --install "$server"
if grep -w 'start\|restart' "$told"; then
  exit 1
fi
[[ ! -L $wants && ! -e /etc/fanfare/fanfare.toml ]]

dpkg --purge fanfare-server libfanfare-dev "$library"
[[ ! -e /etc/fanfare/fanfare.toml && ! -e /var/lib/fanfare ]]
[[ -z $(find /etc/systemd /var/lib/systemd -name '*fanfare*') ]]
[[ $(dpkg --get-selections | sort) == "$before" ]]
echo "all is as it was"
