#!/usr/bin/python3
"""A flood of frames: reception spends its budget and waits, and what is less urgent has the rest (lesson 1).

What was spent is compared with the time that has passed, both by the guest's clock: no matter how fast it is.
"""
import json
import threading
import unittest

import frames
from frames import ICMP, raw


def readings(wire):
    status, _, body = wire.http("/api/stats", timeout=120)
    assert status == 200, status
    stats = json.loads(body)
    net = next(d for d in stats["sched"]["domains"] if d["name"] == "net")
    others = sum(t["cpu_time_ns"] for t in stats["tasks"] if t["domain"] != "net")
    return stats["uptime_ns"], net, others, stats


class FloodTest(frames.WireTest):
    def flood(self, stop):
        frame = raw(self.wire.ether() / self.wire.ip_to() / ICMP(id=5, seq=1) / (b"f" * 1000))
        while not stop.is_set():
            try:
                self.wire.guest.send_frame(frame)
            except OSError:
                return

    def test_what_is_less_urgent_goes_on(self):
        """The server, a hart's idle thread: all that is not of the domain."""
        stop = threading.Event()
        thread = threading.Thread(target=self.flood, args=(stop,), daemon=True)
        began, before, others_before, _ = readings(self.wire)
        thread.start()
        try:
            for _ in range(200):
                # The request itself is served by a thread below reception, in the midst of the flood.
                _, net, _, stats = readings(self.wire)
                spent = net["harts"][0]["spent"] - before["harts"][0]["spent"]
                if spent >= 20:
                    break
        finally:
            stop.set()
            thread.join()
            self.wire.barrier()  # what it still had to take
        self.assertGreaterEqual(spent, 20, "the flood was never enough to spend the budget")
        # What was spent is read at some moment before this, what the others had at some moment after it.
        now, _, others, _ = readings(self.wire)
        used = net["harts"][0]["used_ns"] - before["harts"][0]["used_ns"]
        owed = max(0, -net["harts"][0]["remaining_ns"])
        periods = (now - began) // net["period_ns"] + 2
        self.assertLessEqual(used, periods * net["budget_ns"] + owed)
        # Each period that was spent left its rest to others.
        rest = net["period_ns"] - net["budget_ns"]
        self.assertGreaterEqual(others - others_before, (spent - 2) * rest - owed)
        web = [t for t in stats["tasks"] if t["name"].startswith("web/")]
        self.assertTrue(any(t["cpu_time_ns"] for t in web))


if __name__ == "__main__":
    unittest.main()
