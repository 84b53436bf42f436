#!/usr/bin/python3
"""/api/stats against what it counts: each refusal moves its counter, and only that one."""
import json
import os
import re
import socket
import unittest

import mazu

ELF = os.environ.get("MAZU_ELF", "build/mazu.elf")
SMP = 2


def setUpModule():
    global guest
    guest = mazu.Mazu(ELF, smp=SMP, net="user", limit=240)
    guest.wait_http("/")


def tearDownModule():
    guest.kill()


def unique(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), f"a name twice in {names}"
    return dict(pairs)


def get_json(path):
    status, _, body = guest.http(path)
    assert status == 200, f"{path}: {status}"
    return json.loads(body, object_pairs_hook=unique)


def get_file(path):
    status, _, body = guest.http(f"/api/fs/read?path={path}")
    assert status == 200, f"{path}: {status}"
    return body.decode()


def ask(*fields):
    """The status of GET /icon.svg with these fields and no other."""
    with socket.create_connection(("127.0.0.1", guest.port), timeout=60) as s:
        s.sendall("\r\n".join(["GET /icon.svg HTTP/1.1", *fields, "Connection: close", "", ""]).encode())
        got = b""
        while part := s.recv(65536):
            got += part
    return int(re.match(rb"HTTP/1\.1 (\d{3}) ", got)[1])


class Stats(unittest.TestCase):
    def test_no_document_has_a_name_twice(self):
        for path in ("/api/stats", "/api/tcp", "/api/arp", "/api/klog", "/api/fs?path=/"):
            get_json(path)

    def test_sched_sums_what_the_harts_count(self):
        stats = get_json("/api/stats")
        sched = stats["sched"]
        self.assertEqual(len(sched["harts"]), SMP)
        self.assertEqual(sched["priorities"], 64)
        self.assertGreater(sched["quantum_ns"], 0)
        self.assertIn("fifo", sched["classes"])
        now = get_json("/api/stats")
        for total, each in (("switches", "switches"), ("preemptions", "preemptions"), ("migrations", "migrations_in")):
            before = sum(cpu[each] for cpu in stats["cpus"])
            after = sum(cpu[each] for cpu in now["cpus"])
            self.assertTrue(before <= sched[total] <= after, f"{before} <= {sched[total]} <= {after}")
        self.assertGreater(now["sched"]["switches"], sched["switches"])
        # This document is rendered by a thread of the server, which runs on one of the harts.
        self.assertTrue(any(h["running_name"].startswith("web/") for h in sched["harts"]), sched["harts"])
        for hart in sched["harts"]:
            self.assertTrue(0 <= hart["load_permille"] <= 1000)

    def test_the_file_says_the_same(self):
        words = dict(line.split(" ", 1) for line in get_file("/proc/sched").splitlines())
        sched = get_json("/api/stats")["sched"]
        self.assertEqual(int(words["quantum_ns"]), sched["quantum_ns"])
        self.assertEqual(words["classes"].split(), sched["classes"])
        self.assertEqual(words["invariants"] == "on", sched["invariants"])
        memory = dict(line.split(" ") for line in get_file("/proc/meminfo").splitlines())
        security = get_json("/api/stats")["security"]
        self.assertEqual(int(memory["executable_bytes"]), security["executable_bytes"])
        self.assertEqual(int(memory["stacks"]) + SMP, security["guard_pages"])

    def test_no_memory_is_writable_and_executable(self):
        security = get_json("/api/stats")["security"]
        self.assertIs(security["wx"], True)
        self.assertEqual(security["writable_executable_bytes"], 0)
        self.assertGreater(security["executable_bytes"], 65536)
        self.assertGreater(security["read_only_bytes"], 4096)
        self.assertIs(security["stack_protector"], "CONFIG_STACKPROTECTOR=y" in get_file("/proc/config"))

    def test_a_refused_name_is_counted_where_it_is_refused(self):
        before = get_json("/api/stats")["security"]
        self.assertEqual(ask("Host: evil.example"), 403)
        self.assertEqual(ask("Host: localhost", "Origin: http://evil.example"), 403)
        self.assertEqual(ask("Host: localhost", "Origin: http://evil.example"), 403)
        after = get_json("/api/stats")["security"]
        self.assertEqual(after["refused_host"], before["refused_host"] + 1)
        self.assertEqual(after["refused_origin"], before["refused_origin"] + 2)
        self.assertEqual(get_json("/api/stats")["http"]["refused_origin"], after["refused_origin"])

    def test_interrupts_are_counted_by_hart(self):
        for irq in get_json("/api/stats")["irqs"]:
            self.assertEqual(len(irq["cpu_counts"]), SMP)
            self.assertEqual(sum(irq["cpu_counts"]), irq["count"])


if __name__ == "__main__":
    unittest.main()
