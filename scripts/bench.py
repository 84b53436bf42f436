#!/usr/bin/python3
"""bench.py: measures Mazu, writes $O/bench.json and prints a table with targets and peers.

Three sources:
  - benchmarks inside the kernel (tests/bench), under icount on one hart, where instructions repeat
    exactly: lines "bench NAME UNIT N MIN MEDIAN P99 MAX" on the serial console;
  - the image: sizes of its sections;
  - the running system, wall clock, one hart and two: time to the first reply, requests per second.
    These depend on the machine; the peers' figures beside them are from one machine too.
"""
import json
import os
import platform
import re
import subprocess
import sys
import time

sys.path.insert(0, "tests/system")
import mazu  # noqa: E402

O = os.environ.get("O", "build")
DIR = f"{O}/bench"
ELF = f"{DIR}/mazu.elf"
LINE = re.compile(r"^bench (\w+) (\S+) (\d+) (\d+) (\d+) (\d+) (\d+)$", re.M)
BOOTS = 5
WRK_SECONDS = 5

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
    "http_get_keepalive": (3400, {"nuttx": 682}),
    "http_get_keepalive_2": (3400, {"nuttx": 682}),
    "boot_to_http": (None, {"nuttx_to_prompt": 105_000_000}),
    "image_text": (None, {"nuttx": 256 * 1024}),
    "ram_used": (None, {"nuttx_heap": 127 * 1024}),
}


def build():
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "DEBUG", "LLVM")}
    env.update(O=DIR, KCONFIG_CONFIG=f"{DIR}/.config", RELEASE="1")
    subprocess.run(["make", "defconfig", "CONFIG_FRAGMENTS=bench"], check=True, env=env)
    subprocess.run(["make", "-j2", ELF], check=True, env=env)


def metric(unit, values):
    values = sorted(values)
    return {"unit": unit, "n": len(values), "min": values[0], "median": values[len(values) // 2],
            "p99": values[min(len(values) - 1, len(values) * 99 // 100)], "max": values[-1]}


def in_kernel():
    with mazu.Mazu(ELF, smp=1, append="bench", icount=True, limit=600) as guest:
        guest.wait()
        rows = LINE.findall(guest.serial())
    if not rows:
        print("bench: the kernel reported nothing:\n" + guest.serial()[-2000:])
    return {name: dict(zip(("unit", "n", "min", "median", "p99", "max"), (unit, *map(int, numbers))))
            for name, unit, *numbers in rows}


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


def requests_per_second(guest):
    rates = []
    for _ in range(3):
        text = subprocess.run(["wrk", "-t1", "-c1", f"-d{WRK_SECONDS}s",
                               f"http://127.0.0.1:{guest.port}/format.js"],
                              check=True, capture_output=True, text=True).stdout
        rates.append(round(float(re.search(r"Requests/sec:\s*([\d.]+)", text).group(1))))
    return metric("1/s", rates)


def serving():
    metrics = {}
    for smp in (1, 2):
        with mazu.Mazu(ELF, smp=smp, net="user", limit=300) as guest:
            _, _, body = guest.wait_http("/api/stats")
            if smp == 1:
                memory = json.loads(body)["memory"]
                used = memory["total_bytes"] - memory["free_bytes"]
                metrics["ram_used"] = metric("bytes", [used])
            metrics["http_get_keepalive" + ("" if smp == 1 else "_2")] = requests_per_second(guest)
    return metrics


def table(metrics):
    print(f"{'metric':26} {'median':>12} {'max':>12} {'target':>8} unit          peers")
    for name, m in metrics.items():
        peers = "  ".join(f"{k} {v}" for k, v in m["peer"].items())
        target = "" if m["target"] is None else m["target"]
        print(f"{name:26} {m['median']:12} {m['max']:12} {target:>8} {m['unit']:13} {peers}")


def main():
    build()
    metrics, status = {}, 0
    for source in (in_kernel, image, boot_to_http, serving):
        try:
            metrics.update(source())
        except (mazu.MazuError, OSError, subprocess.CalledProcessError, ValueError, KeyError) as error:
            print(f"bench: {source.__name__}: {error}", file=sys.stderr)
            status = 1
    for name, m in metrics.items():
        m["target"], m["peer"] = KNOWN.get(name, (None, {}))
    qemu = subprocess.run(["qemu-system-riscv64", "--version"], capture_output=True, text=True,
                          check=True).stdout.splitlines()[0]
    with open(f"{O}/bench.json", "w") as f:
        json.dump({"meta": {"qemu": qemu, "host": platform.machine(), "cpus": os.cpu_count()},
                   "metrics": metrics}, f, indent=1)
    table(metrics)
    return status


if __name__ == "__main__":
    sys.exit(main())
