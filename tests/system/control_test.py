#!/usr/bin/python3
"""The example control loop as people see it: admitted, at work, its state in a file, as JSON and on a page."""
import json
import os
import time
import unittest

import clients
import mazu

ELF = os.environ.get("MAZU_ELF", "build/mazu.elf")
RELEASE = os.environ.get("MAZU_ELF_RELEASE", ELF)


def setUpModule():
    global guest
    guest = mazu.Mazu(ELF, smp=2, net="user", limit=600)
    guest.wait_http("/")


def tearDownModule():
    guest.kill()


def get(path):
    status, headers, body = guest.http(path)
    assert status == 200, f"{path}: {status}"
    return headers, body.decode()


def control():
    headers, body = get("/api/app/control")
    assert headers["Content-Type"] == "application/json", headers["Content-Type"]
    return json.loads(body)


def later(name, more):
    """Two readings between which that figure has grown by so much, however long it takes."""
    first = control()
    while (last := control())[name] < first[name] + more:
        time.sleep(0.05)  # the guest's limit ends this
    return first, last


class Control(unittest.TestCase):
    def test_it_was_admitted_and_says_so(self):
        guest.wait_for(r"control_loop: admitted on hart \d+: ")
        task, = (t for t in json.loads(get("/api/stats")[1])["tasks"] if t["name"] == "control_loop")
        self.assertEqual((task["class"], task["period_ns"], task["deadline_ns"]), ("deadline", 1000000, 1000000))
        self.assertEqual(control()["tid"], task["tid"])

    def test_jobs_advance_and_nothing_is_negative(self):
        first, last = later("jobs", 100)
        self.assertEqual(first.keys(), last.keys())
        for state in first, last:
            self.assertEqual(state.pop("state"), "runs")
            self.assertEqual([name for name, value in state.items() if not isinstance(value, int) or value < 0], [])
        for name in ("steps", "jobs", "misses", "overruns", "response_max_ns"):
            self.assertGreaterEqual(last[name], first[name], name)
        # A step for each job that ended, but for the one under way. In a reading the steps are the older figure,
        # however much older: so jobs are held against the steps of the next one.
        after = control()
        self.assertLessEqual(last["steps"], last["jobs"] + 2)
        self.assertLessEqual(last["jobs"], after["steps"] + 2)

    def test_the_motor_follows_what_is_wanted(self):
        """Within 100 steps of a change of the set point there is an error, long after it there is none."""
        for _ in range(2000):
            state = control()
            if 1500 < state["steps"] % 2000 < 1990:
                self.assertLess(abs(state["speed_millirps"] - state["set_point_millirps"]), 1000, state)
                return
            time.sleep(0.02)
        self.fail("it was never seen in its settled time")

    def test_the_kernel_tells_the_loop_what_it_counts(self):
        """Whatever this machine made it miss; events of the last moment may still be on their way."""
        state, after = later("jobs", 10)
        self.assertLessEqual(state["overrun_events"], after["overruns"])
        self.assertLessEqual(state["miss_events"], after["misses"])

    def test_the_file_says_the_same(self):
        state = control()
        words = dict(line.split(" ") for line in get("/api/fs/read?path=/app/control/status")[1].splitlines())
        self.assertEqual(list(words), list(state))
        self.assertEqual((words["state"], int(words["period_ns"])), (state["state"], state["period_ns"]))
        self.assertGreaterEqual(int(words["jobs"]), state["jobs"])
        self.assertIn("control", [e["name"] for e in json.loads(get("/api/fs?path=/app")[1])["entries"]])

    def test_the_page_is_there(self):
        self.assertIn("control.js", get("/control.html")[1])
        self.assertIn("/api/app/control", get("/control.js")[1])

    def test_no_other_file_is_an_application(self):
        for path in ("/api/app/", "/api/app/none", "/api/app/control/json", "/api/app/..%2f..%2fproc"):
            self.assertIn(guest.http(path)[0], (400, 404), path)


class Again(unittest.TestCase):
    """Killed it is gone, everywhere, and may be started again; or refused, as at boot."""

    def says(self, line, pattern):
        self.lines += 1
        self.machine.type(f"{line}; echo e''nd{self.lines}\n")
        return self.machine.wait_for(rf"{pattern}(?:.|\n)*^end{self.lines}$")

    def state(self, wanted):
        while (state := json.loads(self.machine.http("/api/app/control")[2]))["state"] != wanted:
            time.sleep(0.05)  # the guest's limit ends this
        self.assertEqual("jobs" in state, wanted == "runs", state)
        return state["tid"]

    def test_it_ends_and_is_started_again(self):
        self.lines = 0
        with mazu.Mazu(ELF, smp=1, net="user", limit=600) as self.machine:
            self.machine.wait_http("/")
            tid = self.state("runs")
            self.says("echo start > /app/control/ctl", r"^echo: /app/control/ctl: refused: it runs$")
            self.says("echo stop > /app/control/ctl", r"^echo: /app/control/ctl: refused: expected start$")
            self.says("kill control_loop", "")
            self.machine.wait_for(r"control_loop: ended; echo start > /app/control/ctl starts it again$")
            self.assertEqual(self.state("ended"), tid)
            self.says("echo '<'; ps | grep -c control_loop; sched | grep -c control_loop; echo '>'", r"^<\n0\n0\n>$")
            self.says("sleep 100ms; sched demo start 850us 1ms 1ms", "^admitted on hart 0")
            self.says("echo start > /app/control/ctl", r"^echo: /app/control/ctl: refused on hart 0: 1\.06 ms are due within 1 ms")
            self.state("refused")
            self.says("cat /app/control/status", "^state refused$")
            self.says("sched demo stop; sleep 100ms; echo start > /app/control/ctl && echo go''ne", "^gone$")
            self.assertGreater(self.state("runs"), tid)
            self.says("sched", r"^ *\d+ control_loop ")


class Instructions(unittest.TestCase):
    """`make run ICOUNT=1`: instructions are the time, so nothing of the host's makes the loop late."""

    def test_no_deadline_is_missed_while_the_page_is_served(self):
        with mazu.Mazu(ELF, smp=1, net="user", icount="network", append="idle=busy", limit=600) as machine:
            machine.wait_http("/")
            state, served = {"jobs": 0}, 0
            while state["jobs"] < 1500:
                for path in "/", "/control.js", "/api/stats", "/api/app/control":
                    status, _, body = machine.http(path)
                    self.assertEqual(status, 200, path)
                    served += 1
                state = json.loads(body)
            self.assertGreater(served, 20)
            self.assertEqual((state["misses"], state["overruns"]), (0, 0), state)
            self.assertLess(state["response_max_ns"], state["deadline_ns"] // 4, state)

    def test_no_job_waits_for_what_the_device_has_sent(self):
        """A file taken again and again by eight: the response is a few microseconds, some more where invariants are
        checked, and not what a full queue holds."""
        with mazu.Mazu(RELEASE, smp=1, net="tap", icount="network", append="idle=busy", limit=600) as machine:
            machine.wait_http("/")
            clients.wrk(machine, c=8, seconds=3, path="/app.js")
            state = json.loads(machine.http("/api/app/control")[2])
            self.assertEqual((state["misses"], state["overruns"]), (0, 0), state)
            checked = json.loads(machine.http("/api/stats")[2])["sched"]["invariants"]
            self.assertLess(state["response_max_ns"], 60000 if checked else 20000, state)


if __name__ == "__main__":
    mazu.own_network()
    unittest.main()
