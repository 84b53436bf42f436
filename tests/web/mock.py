#!/usr/bin/python3
"""mock.py [PORT]: serves web/ and made-up answers of /api, to work on the page without a board."""
import http.server
import json
import math
import os
import random
import sys
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../web")
BEGAN = time.monotonic()
CPUS = 4
CSP = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
NAMES = [("idle/0", 0, "idle"), ("idle/1", 0, "idle"), ("idle/2", 0, "idle"), ("idle/3", 0, "idle"),
         ("softirq/0", 48, "fifo"), ("softirq/1", 48, "fifo"), ("net-rx", 40, "fifo"), ("uart", 48, "fifo"),
         ("klog", 8, "rr"), ("balance", 20, "fifo"), ("web/0", 16, "rr"), ("web/1", 16, "rr"), ("control", 60, "fifo")]
POOLS = [("thread", 1024, 128, 13), ("file", 64, 256, 2), ("packet_rx", 512, 512, 64), ("packet_rx_buf", 2048, 512, 64),
         ("packet_tx", 512, 512, 9), ("tcp_conn", 896, 256, 5), ("tcp_timewait", 64, 1024, 31), ("http_conn", 704, 256, 4)]
LOG = ["boot: 4 harts, 256 MiB, timebase 10 MHz", "plic: 96 sources, 4 contexts", "virtio: net at 0x10008000, 256 descriptors",
       "eth0: 52:54:00:12:34:56, link up", "net: 10.0.2.15/24 by configuration", "ramfs: 14 files, 61 KiB",
       "web: serving on port 80 with 2 workers"]


def busy(cpu, t):
    """Nanoseconds that a hart was busy up to t."""
    return int(1e9 * (t * (0.18 + 0.1 * cpu) + 1.4 * math.sin(t / (5 + cpu)) + 1.4))


def stats():
    t = time.monotonic() - BEGAN + 4000
    return {
        "uptime_ns": int(t * 1e9), "version": "mock",
        "cpus": [{"id": c, "load_permille": 200, "busy_ns": busy(c, t), "idle_ns": int(t * 1e9) - busy(c, t)}
                 for c in range(CPUS)],
        "tasks": [{"tid": i + 1, "pid": 0, "name": n, "state": "running" if i % 4 == 0 else "blocked", "class": k,
                   "priority": p, "cpu": i % CPUS, "cpu_time_ns": int(t * 1e9 * (0.7 if k == "idle" else 0.002 * i)),
                   "stack_bytes": 16384, "stack_peak_bytes": 1200 + 640 * i if n != "control" else 14000}
                  for i, (n, p, k) in enumerate(NAMES)],
        "memory": {"total_bytes": 266338304, "free_bytes": 251000000 - random.randrange(9000) * 64, "free_min_bytes": 249000000,
                   "kernel_bytes": 1430000, "failures": 0,
                   "pools": [{"name": n, "object_bytes": s, "capacity": c, "used": u, "peak": u * 3, "failures": 0}
                             for n, s, c, u in POOLS]},
        "net": {"interfaces": [
            {"name": "lo", "address": "127.0.0.1/8", "rx_bytes": 8200, "tx_bytes": 8200, "rx_dropped": 0, "tx_dropped": 0,
             "rx_errors": 0, "tx_errors": 0, "tx_stalls": 0},
            {"name": "eth0", "address": "10.0.2.15/24", "rx_bytes": int(t * 5120), "tx_bytes": int(t * 91000), "rx_dropped": 2,
             "tx_dropped": 0, "rx_errors": 0, "tx_errors": 0, "tx_stalls": 0}]},
        "sched": {"switches": int(t * 900), "preemptions": int(t * 40), "migrations": int(t * 3), "quantum_ns": 5000000,
                  "invariants": True},
        "security": {"wx": True, "writable_executable_bytes": 0, "guard_pages": 68, "stack_protector": True, "refused_host": 1,
                     "refused_origin": 2, "bad_frames": 7, "refused_connections": 0},
        "http": {"requests": int(t * 4.2), "connections": 4, "refused": 3, "timeouts": 1, "sent_bytes": int(t * 81000)},
    }


def answer(path):
    if path == "/api/stats":
        return stats()
    if path == "/api/tcp":
        return {"stats": {"connections": 5}, "connections": [{"id": i, "state": "established", "local": "10.0.2.15:80", "remote": f"10.0.2.2:{40000 + 7 * i}",
                                 "cwnd_bytes": 14600 + 1460 * i, "ssthresh_bytes": 4294967295, "srtt_ns": 312000 + 9000 * i,
                                 "rto_ns": 200000000, "rx_bytes": 4100 * i, "tx_bytes": 81000 * i, "retransmits": int(i == 3)}
                                for i in range(5)]}
    if path == "/api/arp":
        return {"entries": [{"ip": "10.0.2.2", "mac": "52:55:0a:00:02:02", "iface": "eth0", "state": "reachable", "age_ns": 4100000000},
                            {"ip": "10.0.2.3", "mac": "52:55:0a:00:02:03", "iface": "eth0", "state": "stale", "age_ns": 64100000000}]}
    if path == "/api/klog":
        return {"entries": [{"seq": i + 1, "time_ns": 1200000 * (i + 1) ** 2, "cpu": i % CPUS, "level": "warn" if i == 4 else "info",
                             "text": line} for i, line in enumerate(LOG)]}
    return None


class Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *args):
        super().__init__(*args, directory=ROOT)

    def end_headers(self):
        self.send_header("Content-Security-Policy", CSP)
        super().end_headers()

    def do_GET(self):
        data = answer(self.path.split("?")[0])
        if data is None:
            super().do_GET()
            return
        body = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8090), Handler).serve_forever()
