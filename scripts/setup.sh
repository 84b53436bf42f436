#!/usr/bin/env bash
# setup.sh GOAL: installs what `build`, `run`, `check` or `bench` needs on Debian 12, or prints the
# one command that does. Looks for files only, so that it costs nothing when all is there.
set -eu

# package=file that shows that it is installed
build='gcc-riscv64-unknown-elf=/usr/bin/riscv64-unknown-elf-gcc
python3-kconfiglib=/usr/lib/python3/dist-packages/kconfiglib.py
nodejs=/usr/bin/node
npm=/usr/bin/npm'
run="$build
qemu-system-misc=/usr/bin/qemu-system-riscv64
opensbi=/usr/share/qemu/opensbi-riscv64-generic-fw_dynamic.bin"
ip=iproute2=/bin/ip
[ -z "${TAP:-}" ] || run="$run
$ip"
[ -z "${TAP:-}" ] || [ -z "${IF:-}" ] || run="$run
nftables=/usr/sbin/nft
procps=/sbin/sysctl"
check="$run
$ip
gcc=/usr/bin/gcc
libc6-dev=/usr/include/stdio.h
binutils=/usr/bin/nm
spin=/usr/bin/spin
clang=/usr/bin/clang
lld=/usr/bin/ld.lld
llvm=/usr/bin/llvm-nm
clang-tidy=/usr/bin/clang-tidy
clang-format=/usr/bin/clang-format
libclang-rt-14-dev=/usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.fuzzer-x86_64.a
python3-scapy=/usr/lib/python3/dist-packages/scapy/__init__.py
curl=/usr/bin/curl
wrk=/usr/bin/wrk
apache2-utils=/usr/bin/ab
slowhttptest=/usr/bin/slowhttptest
chromium=/usr/bin/chromium
fonts-dejavu-core=/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
bench="$check"

case "${1:-}" in
build | run | check | bench) wanted=${!1} ;;
*) echo "usage: setup.sh build|run|check|bench" >&2; exit 2 ;;
esac

# --- Debian's packages

install() {
    local entry missing= command sudo log
    for entry in $wanted; do
        [ -e "${entry#*=}" ] || missing="$missing ${entry%%=*}"
    done
    [ -n "$missing" ] || return 0

    command="apt-get install -y --no-install-recommends$missing"
    if [ ! -e /etc/debian_version ]; then
        echo "setup: this machine is not Debian; missing here are the equivalents of:$missing" >&2
        exit 1
    fi
    if [ "$(id -u)" = 0 ]; then
        sudo=
    elif sudo -n true 2>/dev/null; then
        sudo='sudo -n'
    else
        echo "setup: packages are missing; run this once, then repeat:" >&2
        echo "  sudo $command" >&2
        exit 1
    fi
    echo "setup: installing$missing"
    log=$(mktemp)
    if ! { $sudo apt-get update && DEBIAN_FRONTEND=noninteractive $sudo $command; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "setup: that failed; try: $command" >&2
        exit 1
    fi
    rm -f "$log"
}

# --- what the page is made with, from npm: web/package-lock.json says what, to the byte

# The lock that node_modules/ was made by stands in it. Tests need more packages than the page.
lock=web/package-lock.json
stamp=web/node_modules/.mazu-lock
omit=--omit=dev
case "$1" in check | bench) omit= ;; esac

fetch() {
    local log
    if cmp -s $lock $stamp && { [ -n "$omit" ] || [ -e web/node_modules/playwright-core ]; }; then
        return 0
    fi
    echo "setup: fetching what the page is made with (npm ci in web/)"
    log=$(mktemp)
    if ! (cd web && npm ci --ignore-scripts --prefer-offline --no-audit --no-fund $omit) >"$log" 2>&1; then
        tail -n 10 "$log" >&2
        echo "setup: the packages of the page could not be fetched, and web/node_modules is missing or outdated." >&2
        echo "  With network, once:    (cd web && npm ci --ignore-scripts)" >&2
        echo "  Without, and a page:   copy web/node_modules from a tree of the same commit" >&2
        echo "  Without either:        switch CONFIG_WEB off in make config" >&2
        exit 1
    fi
    rm -f "$log"
    cp $lock $stamp
}

# --- what is not installed but unpacked into .tools/: its package would start a server on this machine

unpack() {
    local log
    echo "setup: unpacking $1 into .tools/"
    log=$(mktemp)
    rm -rf .tools && mkdir .tools
    if ! { [ "$(id -u)" != 0 ] || apt-get update; } >"$log" 2>&1 ||
        ! (cd .tools && apt-get download "$1" && dpkg-deb -x ./*.deb . && rm ./*.deb) >>"$log" 2>&1; then
        tail -n 10 "$log" >&2
        echo "setup: Debian's package $1 could not be fetched" >&2
        exit 1
    fi
    rm -f "$log"
}

install
[ ! -e $lock ] || fetch
case "$1" in
check | bench) [ -e .tools/usr/bin/promtool ] || unpack prometheus ;;
esac
