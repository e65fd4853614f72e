#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# inside.sh --probe DIR                ends with 0 if it could do its work
# inside.sh DIR OUTSIDE PACKAGE.deb…   installs the packages, builds the project OUTSIDE
#   against them, runs the server as its unit would, removes it, installs it again,
#   and purges it
#
# To be started in a mount namespace of its own: it lays folders of DIR over the
# system's, so that nothing of it is changed.
set -euo pipefail

probe=
if [[ $1 == --probe ]]; then
  probe=1
  shift
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
[[ -z $probe ]] || exit 0
mount -t tmpfs -o mode=0755 tmpfs /run # no systemd in here
outside=$1
shift
for package in "$@"; do
  [[ $package != */fanfare-server_* ]] || server=$package
done

export DEBIAN_FRONTEND=noninteractive
before=$(dpkg --get-selections | sort)
dpkg --install "$@"
dpkg --status libfanfare libfanfare-dev fanfare-server | grep '^Status: install ok installed' | wc -l \
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
[[ $needs == *'libfanfare (>= '* ]]

# The server as its user, with its configuration.
id fanfare
[[ $(stat -c '%U %a' /var/lib/fanfare) == 'fanfare 700' ]]
[[ $(stat -c '%G %a' /etc/fanfare/fanfare.toml) == 'fanfare 640' ]]
wants=/etc/systemd/system/multi-user.target.wants/fanfare.service
[[ -L $wants ]] # also where systemd does not run, as in an image
if command -v systemd-analyze >/dev/null; then
  systemd-analyze verify --man=no /usr/lib/systemd/system/fanfare.service
fi
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

dpkg --remove fanfare-server libfanfare-dev libfanfare
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

dpkg --purge fanfare-server libfanfare-dev libfanfare
[[ ! -e /etc/fanfare/fanfare.toml && ! -e /var/lib/fanfare ]]
[[ -z $(find /etc/systemd /var/lib/systemd -name '*fanfare*') ]]
[[ $(dpkg --get-selections | sort) == "$before" ]]
echo "all is as it was"
