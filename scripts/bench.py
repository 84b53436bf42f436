#!/usr/bin/python3
"""bench.py: measures Mazu, writes $O/bench.json and prints a table with targets and peers.

Six sources:
  - benchmarks inside the kernel (tests/bench), under icount on one hart, where instructions repeat
    exactly: lines "bench NAME UNIT N MIN MEDIAN P99 MAX" on the serial console;
  - the same under load in a second image (fragment `latency`), which traces how long interrupts and
    preemption are off;
  - what a record of the trace costs, in a third image (fragments `bench trace`);
  - the image: sizes of its sections;
  - the running system, wall clock, one hart and two: time to the first reply, and wrk's requests per
    second over QEMU's user networking, as the peers were measured, and over TAP (in a network namespace
    of its own, which bench.py starts itself in). These depend on the machine; the peers' figures beside
    them are from one machine too.

Names of the serving figures: http_get_ROW[_tap][_2], `_tap` over TAP, `_2` on two harts; http_p99_* is the
99th percentile with 64 connections, http_p99_close_* the same with a connection for each request, http_errors_*
all that failed in that configuration, a time-out of two seconds included.

  - deadlines missed with 95% of one hart admitted, while wrk and a flood of pings come over TAP: under icount, with
    the clock bound to the host's while the guest idles, which it therefore never does. edf_misses_network; 20 seconds here.

What takes long runs when asked for, and prints its own figures:
    bench.py long                  10^6 wakes and 10^6 jobs inside the kernel
    bench.py misses-network 600    ten minutes of the network run
    bench.py serving 60 [HARTS]    each row of wrk over TAP, once, for so many seconds, on one hart or so many
O names the folder; the image is built by a run without words.

A source that fails makes the exit status 1 and says why; the others are measured all the same.
"""
import json
import os
import platform
import re
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, "tests/system")
import mazu  # noqa: E402

O = os.environ.get("O", "build")
DIR = f"{O}/bench"
ELF = f"{DIR}/mazu.elf"
# The same with every section traced that has interrupts or preemption off; for their lengths only.
LATENCY_DIR = f"{O}/bench-latency"
LATENCY_ELF = f"{LATENCY_DIR}/mazu.elf"
TRACE_DIR = f"{O}/bench-trace"
TRACE_ELF = f"{TRACE_DIR}/mazu.elf"
LINE = re.compile(r"^bench (\w+) (\S+) (\d+) (\d+) (\d+) (\d+) (\d+)$", re.M)
BOOTS = 5
WRK_SECONDS = 4
# A connection for each request keeps a port of this machine for a minute; of 28,000 some must be left.
WRK_CLOSE_SECONDS = 2
WRK_RUNS = 3
MISSES_SECONDS = 20
PAGE = "/control.html"  # asked for compressed: nearest to the 549 bytes of the peers' page
CLOSE = "Connection: close"
# row: wrk's words. A connection for each request is closed by the server.
ROWS = {
    "keepalive": ("-c1",),
    "keepalive_c8": ("-c8",),
    "keepalive_c64": ("-c64",),
    "keepalive_c256": ("-c256",),
    "close": ("-c1", "-H", CLOSE),
    "close_c8": ("-c8", "-H", CLOSE),
    "close_c64": ("-c64", "-H", CLOSE),
    "close_c256": ("-c256", "-H", CLOSE),
}
P99 = {"keepalive_c64": "http_p99", "close_c64": "http_p99_close"}
BACKLOG = """\
http_p99 and http_errors without _tap are of QEMU's user networking too: it listens with a backlog of one,
so that of 64 connections at once this machine's kernel drops most, and they come when the clients' TCP sends
its SYNs again. wrk charges such a pause to the requests that it would have made meanwhile.
"""

# name: (target, {peer: figure}); docs/build.md says how the peers were measured.
KNOWN = {
    "tm_basic": (10245, {"zephyr": 10245, "threadx": 10246}),
    "tm_cooperative": (80, {"zephyr": 105, "zephyr_smp": 213, "threadx": 101}),
    "tm_preemptive": (145, {"zephyr": 201, "zephyr_smp": 432, "threadx": 252}),
    "tm_interrupt": (115, {"zephyr": 191, "zephyr_smp": 330, "threadx": 174}),
    "tm_interrupt_preemption": (285, {"zephyr": 360, "zephyr_smp": 649, "threadx": 411}),
    "tm_message": (105, {"zephyr": 222, "zephyr_smp": 289, "threadx": 157}),
    "tm_memory": (38, {"zephyr": 77, "zephyr_smp": 115, "threadx": 64}),
    "tm_synchronization": (26, {"zephyr": 75, "zephyr_smp": 138, "threadx": 63}),
    "switch_yield": (80, {"nuttx": 366, "nuttx_smp": 667}),
    "mutex_pair": (20, {"nuttx": 132, "nuttx_smp": 155}),
    "sem_pair": (24, {"nuttx": 79, "nuttx_smp": 83}),
    "sem_ping_pong": (370, {"nuttx": 1139, "nuttx_smp": 2507}),
    "thread_create_join": (2500, {"nuttx": 9090, "nuttx_smp": 14673}),
    "syscall_null": (110, {}),
    "trace_event": (60, {}),
    "edf_wake_idle": (400, {}),
    "edf_wake_loaded": (1000, {}),
    "edf_misses_loopback": (0, {}),
    "edf_misses_network": (0, {}),
    "irq_off_max": (350, {}),
    "irq_off_mode": (None, {}),
    "preempt_off_max": (1000, {}),
    "http_get_keepalive": (3400, {"nuttx": 682, "nuttx_smp": 255}),
    "http_get_keepalive_c64": (2400, {"nuttx": 481, "nuttx_smp": 281}),
    "http_get_close_c8": (330, {"nuttx": 52, "nuttx_smp": 66}),
    "http_get_close": (None, {"nuttx": 305, "nuttx_smp": 268}),
    "http_p99": (50_000_000, {}),
    "http_p99_close": (50_000_000, {}),
    "http_errors": (0, {}),
    "boot_to_http": (None, {"nuttx_to_prompt": 105_000_000}),
    "image_text": (None, {"nuttx": 256 * 1024}),
    "ram_used": (None, {"nuttx_heap": 127 * 1024}),
}


def build(folder, fragments):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "DEBUG", "LLVM")}
    env.update(O=folder, KCONFIG_CONFIG=f"{folder}/.config", RELEASE="1")
    subprocess.run(["make", "defconfig", f"CONFIG_FRAGMENTS={fragments}"], check=True, env=env)
    subprocess.run(["make", "-j2", f"{folder}/mazu.elf"], check=True, env=env)


def metric(unit, values):
    values = sorted(values)
    return {"unit": unit, "n": len(values), "min": values[0], "median": values[len(values) // 2],
            "p99": values[min(len(values) - 1, len(values) * 99 // 100)], "max": values[-1]}


def in_kernel(elf=ELF, append="bench", limit=600):
    with mazu.Mazu(elf, smp=1, append=append, icount=True, limit=limit) as guest:
        status = guest.wait()
        rows = LINE.findall(guest.serial())
    if not rows or status != 0:
        raise ValueError(f"the kernel ended with {status} and {len(rows)} figures:\n" + guest.serial()[-2000:])
    return {name: dict(zip(("unit", "n", "min", "median", "p99", "max"), (unit, *map(int, numbers))))
            for name, unit, *numbers in rows}


def latency():
    build(LATENCY_DIR, "latency")
    return in_kernel(LATENCY_ELF, "bench=latency")


def trace():
    build(TRACE_DIR, "bench trace")
    return in_kernel(TRACE_ELF, "bench=trace")


def image():
    text = subprocess.run(["size", "-A", ELF], check=True, capture_output=True, text=True).stdout
    size = {f[0]: int(f[1]) for f in (line.split() for line in text.splitlines())
            if len(f) == 3 and f[1].isdigit()}
    groups = {"image_text": (".text",), "image_data": (".rodata", ".data", ".percpu"),
              "image_bss": (".bss",)}
    return {name: metric("bytes", [sum(n for section, n in size.items() if section.startswith(prefixes))])
            for name, prefixes in groups.items()}


def boot_to_http():
    times = []
    for _ in range(BOOTS):
        start = time.monotonic_ns()
        with mazu.Mazu(ELF, smp=1, net="user", limit=60) as guest:
            guest.wait_http("/api/stats")
            times.append(time.monotonic_ns() - start)
    return {"boot_to_http": metric("ns", times)}


def wrk(guest, *words, seconds=None):
    """(requests per second, 99th percentile of latency in ns, errors) of one run."""
    seconds = seconds or (WRK_CLOSE_SECONDS if CLOSE in words else WRK_SECONDS)
    text = subprocess.run(["wrk", "-t1", f"-d{seconds}s", "--latency", "-H", "Accept-Encoding: gzip", *words,
                           guest.url(PAGE)], check=True, capture_output=True, text=True).stdout
    if " 0 requests in" in text:
        raise ValueError(f"no request of wrk {' '.join(words)} was answered by {guest.url(PAGE)}")
    value, unit = re.search(r"^\s+99%\s+([\d.]+)(us|ms|s|m)$", text, re.M).groups()
    p99 = round(float(value) * {"us": 1e3, "ms": 1e6, "s": 1e9, "m": 6e10}[unit])
    errors = sum(map(int, re.findall(r"(?:connect|read|write|timeout|responses:) (\d+)", text)))
    return round(float(re.search(r"Requests/sec:\s*([\d.]+)", text).group(1))), p99, errors


def page_bytes(guest):
    status, headers, body = guest.http(PAGE, headers={"Accept-Encoding": "gzip"})
    if status != 200 or not body:
        raise ValueError(f"GET {PAGE} gave {status} with {len(body)} bytes")
    return len(body) if headers["Content-Encoding"] == "gzip" else f"{len(body)}, not compressed"


def serving_rows(guest, suffix, runs=WRK_RUNS, seconds=None):
    metrics, errors = {}, []
    for row, words in ROWS.items():
        guest.wait_http()  # what the row before left in the network has come through
        rates, p99s, failed = zip(*(wrk(guest, *words, seconds=seconds) for _ in range(runs)))
        metrics[f"http_get_{row}{suffix}"] = metric("1/s", rates)
        if row in P99:
            metrics[f"{P99[row]}{suffix}"] = metric("ns", p99s)
        errors += failed
    metrics[f"http_errors{suffix}"] = metric("count", [sum(errors)])
    return metrics


def serving(net="user"):
    metrics = {}
    for smp in (1, 2):
        suffix = ("_tap" if net == "tap" else "") + ("" if smp == 1 else "_2")
        with mazu.Mazu(ELF, smp=smp, net=net, limit=300) as guest:
            _, _, body = guest.wait_http("/api/stats")
            memory = json.loads(body)["memory"]
            if smp == 1 and net == "user":
                metrics["ram_used"] = metric("bytes", [memory["total_bytes"] - memory["free_bytes"]])
            metrics["http_page"] = metric("bytes", [page_bytes(guest)])
            metrics.update(serving_rows(guest, suffix))
    return metrics


def serving_tap():
    return in_namespace("serving-tap")


def serving_long(seconds, harts):
    with mazu.Mazu(ELF, smp=harts, net="tap", limit=len(ROWS) * (seconds + 10) + 60) as guest:
        return serving_rows(guest, "_tap" if harts == 1 else f"_tap_{harts}", runs=1, seconds=seconds)


class PingFlood(threading.Thread):
    """Echo requests: a thousand a second at least, and as many as are answered. `sent`, `answered`."""

    def __init__(self):
        super().__init__(daemon=True)
        self.sent = self.answered = 0
        self.ended = threading.Event()

    def run(self):
        body = struct.pack("!HH", 0x4d61, 1) + bytes(56)
        words = struct.unpack("!30H", body)
        total = 0x0800 + sum(words)
        check = ~((total & 0xffff) + (total >> 16)) & 0xffff
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as s:
            s.settimeout(0.001)
            while not self.ended.is_set():
                try:  # the guest may take nothing for a while, too
                    s.sendto(struct.pack("!BBH", 8, 0, check) + body, (mazu.TAP_GUEST, 0))
                    self.sent += 1
                    self.answered += s.recv(2048)[20] == 0
                except TimeoutError:
                    pass


def misses_under_load(guest, seconds):
    """The counts of the guest after so many seconds of wrk with 64 connections and a flood of pings."""
    guest.wait_for(r"bench: so far")
    flood = PingFlood()
    flood.start()
    text = subprocess.run(["wrk", "-t1", "-c64", f"-d{seconds}s", "--timeout", "60s", guest.url(PAGE)], check=True,
                          capture_output=True, text=True).stdout
    flood.ended.set()
    flood.join()
    requests = int(re.search(r"(\d+) requests in", text).group(1))
    if flood.answered == 0 or requests == 0:
        raise ValueError(f"no load came through: {flood.answered} of {flood.sent} pings, {requests} requests")
    counts = re.findall(r"bench: so far (\d+) jobs, (\d+) misses, (\d+) overruns", guest.serial())[-1]
    print(f"misses-network: {seconds} s, {counts[0]} jobs, {counts[1]} misses, {counts[2]} overruns; {requests} requests, "
          f"{flood.answered} of {flood.sent} pings answered", file=sys.stderr)
    return {"edf_misses_network": metric("count", [int(counts[1])]),
            "edf_misses_network_jobs": metric("count", [int(counts[0])])}


def misses_tap(seconds):
    with mazu.Mazu(ELF, smp=1, net="tap", icount="network", limit=seconds + 120,
                   append="bench=long_edf_misses_network") as guest:
        return misses_under_load(guest, seconds)


def in_namespace(*words):
    """What this program prints with these words, in a process of its own, which goes into a network namespace."""
    done = subprocess.run([sys.executable, __file__, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise ValueError(done.stderr.strip())
    return json.loads(done.stdout)


def misses_network():
    return in_namespace("misses-network", str(MISSES_SECONDS))


def known(name):
    """Target and peers; a figure of another network or number of harts has those of its row."""
    for suffix in ("", "_2", "_tap", "_tap_2"):
        if name.endswith(suffix) and (row := name[:len(name) - len(suffix)]) in KNOWN:
            return KNOWN[row]
    return None, {}


def compare(metrics):
    for name, m in metrics.items():
        m["target"], m["peer"] = known(name)


def table(metrics):
    print(f"{'metric':28} {'median':>12} {'max':>12} {'target':>8} unit          peers")
    for name, m in metrics.items():
        peers = "  ".join(f"{k} {v}" for k, v in m["peer"].items())
        target = "" if m["target"] is None else m["target"]
        print(f"{name:28} {m['median']:12} {m['max']:12} {target:>8} {m['unit']:13} {peers}")


def main():
    build(DIR, "bench")
    metrics, status = {}, 0
    for source in (in_kernel, latency, trace, image, boot_to_http, serving, serving_tap, misses_network):
        try:
            metrics.update(source())
        except (mazu.MazuError, OSError, subprocess.CalledProcessError, ValueError, KeyError) as error:
            print(f"bench: {source.__name__}: {error}", file=sys.stderr)
            status = 1
    compare(metrics)
    qemu = subprocess.run(["qemu-system-riscv64", "--version"], capture_output=True, text=True,
                          check=True).stdout.splitlines()[0]
    with open(f"{O}/bench.json", "w") as f:
        json.dump({"meta": {"qemu": qemu, "host": platform.machine(), "cpus": os.cpu_count()},
                   "metrics": metrics}, f, indent=1)
    table(metrics)
    print(BACKLOG, end="")
    return status


if __name__ == "__main__":
    if sys.argv[1:] == ["serving-tap"]:
        mazu.own_network()
        print(json.dumps(serving("tap")))
        sys.exit()
    if sys.argv[1:2] == ["serving"]:
        mazu.own_network()
        figures = serving_long(int(sys.argv[2]), int((sys.argv[3:] or [1])[0]))
        compare(figures)
        table(figures)
        sys.exit()
    if sys.argv[1:2] == ["misses-network"]:
        mazu.own_network()
        print(json.dumps(misses_tap(int(sys.argv[2]))))
        sys.exit()
    if sys.argv[1:] == ["long"]:
        print(json.dumps(in_kernel(append="bench=long_edf_wake", limit=3600) |
                         in_kernel(append="bench=long_edf_misses_loopback", limit=3600), indent=1))
        sys.exit()
    sys.exit(main())
