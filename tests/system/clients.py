"""clients.py - real clients for a booted Mazu, and what they leave behind in it.

    clients.ab(guest, "-k", n=10000, c=64)      # ab, wrk, curl; fail on one failed request
    clients.wrk(guest, c=64, seconds=3)
    before = clients.Levels(guest)
    ...
    before.wait()                               # every pool, and free memory, at its level again
    assert before.grown("http", "timeouts") == 0

Limits of time only end what hangs.
"""
import json
import re
import subprocess
import time

import mazu

LIMIT_S = 400


def _no_twins(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), f"a name comes twice among {names}"
    return dict(pairs)


def json_of(guest, path):
    """The document, which must be JSON, with each name once in an object."""
    status, headers, body = guest.http(path, timeout=120)
    assert status == 200, f"{path}: {status}"
    assert headers["Content-Type"] == "application/json", f"{path}: {headers['Content-Type']}"
    assert int(headers["Content-Length"]) == len(body), path
    return json.loads(body, object_pairs_hook=_no_twins)


def start(command):
    return subprocess.Popen(mazu.DIE_WITH_PARENT + command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True)


def finish(process):
    try:
        out = process.communicate(timeout=LIMIT_S)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(f"{process.args[3:]} did not end:\n{process.communicate()[0]}") from None
    assert process.returncode == 0, f"{process.args[3:]} ended with {process.returncode}:\n{out}"
    return out


def ab_command(guest, *options, n, c, path="/icon.svg"):
    # -r would hide a socket error; without it ab ends at the first.
    return ["ab", "-q", "-s", str(LIMIT_S), "-n", str(n), "-c", str(c), *options, guest.url(path)]


def ab_check(out, n):
    figure = {name: int(v) for name, v in re.findall(r"^([A-Z][\w -]+):\s+(\d+)$", out, re.M)}
    assert figure.get("Failed requests") == 0 and figure.get("Complete requests") == n, out
    assert not figure.get("Write errors") and "Non-2xx" not in out, out


def ab(guest, *options, n, c, path="/icon.svg"):
    """n requests over c connections at once, all answered with 2xx."""
    ab_check(finish(start(ab_command(guest, *options, n=n, c=c, path=path))), n)


def wrk_command(guest, *options, c, seconds, path="/icon.svg"):
    return ["wrk", "-t1", f"-c{c}", f"-d{seconds}s", "--timeout", f"{LIMIT_S}s", *options, guest.url(path)]


def wrk_check(out):
    done = int(re.search(r"(\d+) requests in", out).group(1))
    assert done > 0 and "Socket errors" not in out and "Non-2xx" not in out, out


def wrk(guest, *options, c, seconds, path="/icon.svg"):
    wrk_check(finish(start(wrk_command(guest, *options, c=c, seconds=seconds, path=path))))


def curl(guest, *words, paths=("/icon.svg",)):
    """(what -v says, the output as bytes) of a curl that succeeds."""
    command = ["curl", "-sv", "--noproxy", "*", "--max-time", str(LIMIT_S), *words,
               *(guest.url(path) for path in paths)]
    done = subprocess.run(mazu.DIE_WITH_PARENT + command, capture_output=True, check=False)
    said = done.stderr.decode(errors="replace")
    assert done.returncode == 0, f"curl ended with {done.returncode}:\n{said}"
    return said, done.stdout


def counters(stats, tcp):
    """Every counter, by (section, name), of the documents /api/stats and /api/tcp."""
    return {"http": stats["http"], "net": stats["net"]["counters"], "tcp": tcp["stats"],
            "eth0": next(i for i in stats["net"]["interfaces"] if i["name"] == "eth0"),
            "pools": {"failures": stats["memory"]["failures"] + sum(p["failures"] for p in stats["memory"]["pools"])}}


class Levels:
    """What is in use and what was counted, at the time it was made. The question itself is part of both times.

    Made while nobody else is connected: what earlier connections still hold would hide as much of later ones.
    """

    def __init__(self, guest):
        self.guest = guest
        end = time.monotonic() + LIMIT_S
        self.use, self.count = self._look()
        while any(self.use[name] > 1 for name in ("connections", "http_conn", "tcp_conn")):
            assert time.monotonic() < end, f"connections that nobody has: {self.use}\n{guest.serial()[-2000:]}"
            time.sleep(0.05)
            self.use, self.count = self._look()

    def _look(self):
        stats = json_of(self.guest, "/api/stats")
        use = {pool["name"]: pool["used"] for pool in stats["memory"]["pools"]}
        use["bytes"] = stats["memory"]["total_bytes"] - stats["memory"]["free_bytes"]
        use["connections"] = stats["http"]["connections"]
        return use, counters(stats, json_of(self.guest, "/api/tcp"))

    def grown(self, section, name):
        """By how much a counter is above its value at the time."""
        return self._look()[1][section][name] - self.count[section][name]

    def above(self):
        """What is in use beyond the level, by name."""
        use = self._look()[0]
        return {name: (self.use[name], use[name]) for name in use if use[name] > self.use[name]}

    def wait(self, seconds=120):
        """Until nothing is in use that was not then."""
        end, pause = time.monotonic() + seconds, 0.1
        while above := self.above():
            assert time.monotonic() < end, f"in use (then, now): {above}\n{self.guest.serial()[-2000:]}"
            time.sleep(pause)
            pause = min(2, pause * 1.5)
