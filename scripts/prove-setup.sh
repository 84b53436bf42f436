#!/usr/bin/env bash
# prove-setup.sh [GOAL]: a fresh Debian 12 with git and make only, a clean clone of this commit, and
# `make GOAL` (check-host, check, run, ...) in it, with nothing done by hand. For `run` the page is
# fetched. Needs root, debootstrap and Debian sources in this machine's /etc/apt. ROOT=DIR keeps the
# system that it makes; otherwise it is removed.
set -eu
goal=${1:-check}
here=$(cd "$(dirname "$0")/.." && pwd)
[ "$(id -u)" = 0 ] || { echo "prove-setup: must be root to make a chroot" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "prove-setup: apt-get install debootstrap" >&2; exit 1; }

# The mirror is the one that this machine uses itself.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    sed -nE -e 's/^deb +(\[[^]]*\] +)?([^ ]+) +bookworm .*/\2/p' -e 's/^URIs: *([^ ]+).*/\1/p' | head -n 1)
[ -n "$mirror" ] || { echo "prove-setup: no source for bookworm in /etc/apt" >&2; exit 1; }

root=${ROOT:-$(mktemp -d)}
mounts=
finish() {
    [ -z "${guest:-}" ] || kill -- "-$guest" 2>/dev/null || true
    for m in $mounts; do umount -l "$m" 2>/dev/null || true; done
    [ -n "${ROOT:-}" ] || rm -rf --one-file-system "$root"
}
trap finish EXIT

echo "prove-setup: Debian 12 with git and make in $root"
debootstrap --variant=minbase --include=git,make,ca-certificates bookworm "$root" "$mirror" \
    >"$root.log" 2>&1 || { tail -n 20 "$root.log" "$root/debootstrap/debootstrap.log" 2>/dev/null; exit 1; }
rm -rf "$root/etc/apt"
cp -a /etc/apt "$root/etc/apt"
cp -L /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
# Keys and certificates that the sources refer to.
for d in /usr/share/keyrings /usr/local/share/ca-certificates /etc/ssl/certs; do
    [ -d "$d" ] && mkdir -p "$root$d" && cp -aL "$d/." "$root$d/" 2>/dev/null || true
done
for d in proc sys dev; do
    mount --rbind "/$d" "$root/$d" && mount --make-rslave "$root/$d"
    mounts="$root/$d $mounts"
done
git clone -q --no-hardlinks "$here" "$root/root/mazu"
inside() { chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
    make -C /root/mazu "$@"; }

if [ "$goal" != run ]; then
    inside "$goal"
    echo "prove-setup: make $goal passed on a bare Debian 12"
    exit 0
fi

port=18080
set -m
inside run PORT=$port </dev/null >"$root.log" 2>&1 &
guest=$!
set +m
for _ in $(seq 900); do
    if body=$(curl -fsS --max-time 5 "http://127.0.0.1:$port/" 2>/dev/null); then
        echo "prove-setup: make run serves ${#body} bytes at / on a bare Debian 12"
        exit 0
    fi
    kill -0 "$guest" 2>/dev/null || break
    sleep 1
done
tail -n 40 "$root.log" >&2
echo "prove-setup: make run did not serve its page" >&2
exit 1
