#!/usr/bin/python3
"""RFC 9110, 9112 and 6455, case by case: the tables of tests/conformance, over TAP.

Each case is said in one piece, the short ones again byte by byte, those of WebSocket also together with the
handshake. CASE=TEXT: only those whose name has the text in it.
"""
import os
import sys
import time
import unittest

import clients
import mazu

sys.path.insert(0, "tests/conformance")
import http_cases  # noqa: E402
import http_run  # noqa: E402
import ws_cases  # noqa: E402
import ws_run  # noqa: E402

ELF = os.environ.get("MAZU_ELF_RELEASE") or os.environ.get("MAZU_ELF", "build/mazu.elf")
TEXT = os.environ.get("CASE", "")


def setUpModule():
    global guest
    for cases in (http_cases.CASES, ws_cases.CASES, ws_cases.SHAKES):
        names = {case.name for case in cases}
        assert len(names) == len(cases), "a name comes twice"
        cases[:] = [case for case in cases if TEXT in case.name]
    guest = mazu.Mazu(ELF, smp=2, net="tap", limit=1100)
    guest.wait_http("/")


def tearDownModule():
    guest.kill()


class Conform(unittest.TestCase):
    def setUp(self):
        self.before = clients.Levels(guest)
        self.began = time.monotonic()

    def tearDown(self):
        print(f"{self.id()}: {time.monotonic() - self.began:.1f} s")
        self.before.wait()
        for name in ("timeouts", "idle_closed", "websockets_silent"):
            self.assertEqual(self.before.grown("http", name), 0, name)
        self.assertEqual(self.before.grown("pools", "failures"), 0)

    def none(self, failed):
        self.assertEqual(failed, {}, "\n" + "\n".join(f"{name}: {why}" for name, why in failed.items()))

    def test_http(self):
        with open(f"{os.path.dirname(ELF)}/web{http_cases.FILE}", "rb") as f:  # as it was bundled beside the image
            run = http_run.Run((guest.host, guest.port), f.read(), guest.token())
        for piece in (0, 1):
            with self.subTest(piece=piece):
                self.none(run.failed(piece))

    def test_websocket_frames(self):
        run = ws_run.Run((guest.host, guest.port))
        for how in ({}, {"together": True}, {"piece": 1}):
            with self.subTest(**how):
                self.none(run.failed(**how))

    def test_websocket_handshakes(self):
        self.none(ws_run.Run((guest.host, guest.port)).failed_shakes())


if __name__ == "__main__":
    mazu.own_network()
    unittest.main()
