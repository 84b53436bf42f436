#!/usr/bin/env bash
# setup.sh GOAL: installs what `build`, `run`, `check` or `bench` needs on Debian 12, or prints the
# one command that does. Looks for files only, so that it costs nothing when all is there.
set -eu

# package=file that shows that it is installed
build='gcc-riscv64-unknown-elf=/usr/bin/riscv64-unknown-elf-gcc
python3-kconfiglib=/usr/lib/python3/dist-packages/kconfiglib.py'
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
apache2-utils=/usr/bin/ab"
bench="$check"

case "${1:-}" in
build | run | check | bench) wanted=${!1} ;;
*) echo "usage: setup.sh build|run|check|bench" >&2; exit 2 ;;
esac

missing=
for entry in $wanted; do
    [ -e "${entry#*=}" ] || missing="$missing ${entry%%=*}"
done
[ -n "$missing" ] || exit 0

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
