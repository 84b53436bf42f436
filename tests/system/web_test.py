#!/usr/bin/python3
"""The web server as `make run` shows it, behind QEMU's user networking: what it answers, and 10,000 connections.

That network ends TCP itself, and its listener takes one connection at a time: load and hostile clients
are in web_clients_test.py and web_hostile_test.py, every rule of HTTP in web_conform_test.py, over TAP.
"""
import os
import re
import unittest

import clients
import mazu

ELF = os.environ.get("MAZU_ELF_RELEASE") or os.environ.get("MAZU_ELF", "build/mazu.elf")
SHORT_CONNECTIONS = 10000


def setUpModule():
    global guest
    guest = mazu.Mazu(ELF, smp=2, net="user", limit=1100)
    guest.wait_http("/")


def tearDownModule():
    guest.kill()


class Load(unittest.TestCase):
    def test_short_connections_one_after_another(self):
        clients.ab(guest, n=SHORT_CONNECTIONS, c=1)


class Content(unittest.TestCase):
    def test_the_page_and_its_parts_are_there(self):
        page = guest.http("/")[2].decode()
        parts = re.findall(r'(?:src|href)="(/?[\w./-]+)"', page)
        self.assertTrue(parts)
        for part in parts:
            self.assertEqual(guest.http("/" + part.lstrip("/"))[0], 200, part)

    def test_the_api_answers(self):
        stats = clients.json_of(guest, "/api/stats")
        for key in "uptime_ns version cpus tasks memory irqs sched callouts net security".split():
            self.assertIn(key, stats)
        self.assertEqual(len(stats["cpus"]), 2)
        self.assertTrue(any(c["state"] == "ESTABLISHED" for c in clients.json_of(guest, "/api/tcp")["connections"]))
        self.assertTrue(clients.json_of(guest, "/api/arp")["entries"])
        self.assertTrue(clients.json_of(guest, "/api/klog")["entries"])


if __name__ == "__main__":
    unittest.main()
