#!/usr/bin/env bash
# run.sh ELF: boots Mazu in QEMU with the serial console on this terminal. `make run` calls it; the
# variables PORT SMP MEM APPEND GDB DISK INITRD TAP ICOUNT are those of docs/build.md. Ctrl-A X ends QEMU.
set -eu
elf=${1:?usage: run.sh ELF}
PORT=${PORT:-8080} SMP=${SMP:-1} MEM=${MEM:-256M}

args=(-M virt,aclint=on -smp "$SMP" -m "$MEM" -kernel "$elf" -nographic
    -global virtio-mmio.force-legacy=false
    -device virtio-rng-device
    -semihosting-config enable=on,target=native)

if [ -n "${TAP:-}" ]; then
    tap=mazu0 # guest 192.168.100.2, this machine 192.168.100.1
    tun=/dev/net/tun
    if [ ! -e $tun ] && ! { [ "$(id -u)" = 0 ] && mkdir -p ${tun%/*} && mknod -m 666 $tun c 10 200; } 2>/dev/null; then
        echo "run: there is no $tun: load the module tun, or as root: mkdir -p ${tun%/*} && mknod -m 666 $tun c 10 200" >&2
        exit 1
    fi
    setup="ip tuntap add dev $tap mode tap user $(id -un) && ip addr add 192.168.100.1/24 dev $tap && ip link set $tap up"
    if [ -n "${IF:-}" ]; then # the guest reaches the world through that interface
        setup="$setup && sysctl -qw net.ipv4.ip_forward=1 && nft add table ip mazu && \
nft 'add chain ip mazu out { type nat hook postrouting priority 100 ; }' && nft add rule ip mazu out oifname $IF masquerade"
    fi
    if ! ip link show "$tap" >/dev/null 2>&1; then
        if [ "$(id -u)" = 0 ]; then
            sh -c "$setup"
        elif ! sudo -n sh -c "$setup" 2>/dev/null; then
            echo "run: there is no $tap; as root, once:" >&2
            echo "  $setup" >&2
            exit 1
        fi
    fi
    args+=(-netdev "tap,id=n0,ifname=$tap,script=no,downscript=no")
    url=http://192.168.100.2/
    APPEND="ip=192.168.100.2/24,192.168.100.1 ${APPEND:-}"
else
    if (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then
        echo "run: port $PORT of this machine is in use; choose another: make run PORT=$((PORT + 1))" >&2
        exit 1
    fi
    args+=(-netdev "user,id=n0,hostfwd=tcp:127.0.0.1:$PORT-:80")
    url=http://localhost:$PORT/
fi
args+=(-device virtio-net-device,netdev=n0)
APPEND="url=$url ${APPEND:-}" # what the console says where to go

if [ -n "${ICOUNT:-}" ]; then # a nanosecond of guest time for each instruction, and none while the guest sleeps
    args+=(-icount shift=0)
    APPEND="idle=busy ${APPEND:-}"
fi
[ -z "${DISK:-}" ] || args+=(-drive "file=$DISK,format=raw,if=none,id=d0" -device virtio-blk-device,drive=d0)
[ -z "${INITRD:-}" ] || args+=(-initrd "$INITRD")
args+=(-append "${APPEND% }")
if [ -n "${GDB:-}" ]; then
    args+=(-S -s)
    echo "run: waiting for gdb: gdb-multiarch $elf -ex 'target remote :1234'"
fi
echo "run: $SMP harts, $MEM, dashboard at $url (Ctrl-A X ends)"
exec qemu-system-riscv64 "${args[@]}"
