#!/usr/bin/python3
"""/metrics: by the letter of the format, against /api/stats, by promtool, and scraped by a real Prometheus."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

import clients
import mazu

ELF = os.environ.get("MAZU_ELF", "build/mazu.elf")
TOOLS = ".tools/usr/bin"  # scripts/setup.sh unpacks Debian's package there
SMP = 2
NAME = r"[a-z_][a-z0-9_]*"
SAMPLE = re.compile(rf'^({NAME})(?:\{{((?:{NAME}="(?:[^"\\\n]|\\["\\n])*",?)+)\}})? (\d+(?:\.\d+)?)$')
LABEL = re.compile(rf'({NAME})="((?:[^"\\]|\\.)*)"')


def setUpModule():
    global guest
    guest = mazu.Mazu(ELF, smp=SMP, net="user", limit=600)
    guest.wait_http("/")


def tearDownModule():
    guest.kill()


def scrape():
    status, headers, body = guest.http("/metrics", timeout=120)
    assert status == 200, status
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", headers["Content-Type"]
    assert body.endswith(b"\n")
    return body.decode()


def families(text):
    """{name: (type, [(name of the sample, labels, value)])}; each line must be what the format allows, in order."""
    found, name = {}, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, words = line[7:].split(" ", 1)
            assert words and name not in found, line
            found[name] = (None, [])
        elif line.startswith("# TYPE "):
            assert line.split(" ")[2] == name and found[name] == (None, []), line
            found[name] = (line.split(" ")[3], [])
        else:
            sample = SAMPLE.match(line)
            assert sample, line
            kind = found[name][0]
            assert sample[1] in ([f"{name}_bucket", f"{name}_count"] if kind == "histogram" else [name]), line
            found[name][1].append((sample[1], dict(LABEL.findall(sample[2] or "")), float(sample[3])))
    for name, (kind, samples) in found.items():
        assert kind in ("counter", "gauge", "histogram"), name
        assert (kind == "counter") == name.endswith("_total"), name
        keys = [(n, tuple(sorted(labels.items()))) for n, labels, _ in samples]
        assert len(keys) == len(set(keys)), f"{name}: a sample comes twice"
    return found


def free_of(samples, **labels):
    """The value of the only sample with these labels."""
    found = [value for _, have, value in samples if labels.items() <= have.items()]
    assert len(found) == 1, (labels, found)
    return found[0]


class Prometheus:
    """A server of its own, on a port and in a folder of its own, that scrapes the guest.

    It gives up a scrape that is not over when the next is due, as on a slow machine it may not be after a second.
    """

    def __init__(self, folder):
        self.reserved = mazu.reserved_port()
        self.port = self.reserved.getsockname()[1]
        config = f"{folder}/prometheus.yml"
        with open(config, "w", encoding="ascii") as f:
            f.write("global:\n  scrape_interval: 4s\n  scrape_timeout: 4s\nscrape_configs:\n  - job_name: mazu\n"
                    "    static_configs:\n      - targets: ['127.0.0.1:%d']\n" % guest.port)
        self.log = open(f"{folder}/log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(mazu.DIE_WITH_PARENT + [
            f"{TOOLS}/prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}"], stdout=self.log, stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()
        self.reserved.close()

    def query(self, expression):
        """The result, or None while it does not answer yet."""
        url = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(url, timeout=30) as reply:
                return json.load(reply)["data"]["result"]
        except OSError:
            return None

    def until(self, expression, good, seconds=240):
        end = time.monotonic() + seconds
        while True:
            result = self.query(expression)
            if result and good(result):
                return result
            if time.monotonic() > end or self.process.poll() is not None:
                self.log.seek(0)
                raise AssertionError(f"{expression}: {result}\n{self.log.read()[-2000:]}")
            time.sleep(0.2)


class Metrics(unittest.TestCase):
    def test_each_family_is_by_the_letter(self):
        self.assertGreater(len(families(scrape())), 100)

    def test_promtool_has_nothing_to_say(self):
        done = subprocess.run([f"{TOOLS}/promtool", "check", "metrics"], input=scrape(), capture_output=True, text=True,
                              timeout=120, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        done = subprocess.run([f"{TOOLS}/promtool", "check", "metrics"], input="# TYPE a counter\na 1\n",
                              capture_output=True, text=True, timeout=120, check=False)
        self.assertNotEqual(done.returncode, 0)  # it has when something is wrong

    def test_histograms_add_up(self):
        """For each set of labels: buckets in order, from 127 ns on, none below the one before, the last one the count."""
        found = families(scrape())
        kinds = {name: samples for name, (kind, samples) in found.items() if kind == "histogram"}
        self.assertEqual(set(kinds), {"mazu_latency_seconds", "mazu_deadline_response_seconds",
                                      "mazu_callout_lateness_seconds"})
        self.assertTrue(all(kinds.values()))
        for name, samples in kinds.items():
            rows = {}
            for sample, labels, value in samples:
                le = labels.pop("le", None)
                rows.setdefault(tuple(sorted(labels.items())), []).append((sample, le, value))
            for key, row in rows.items():
                with self.subTest(name, labels=key):
                    buckets, count = row[:-1], row[-1]
                    self.assertEqual(count[0], f"{name}_count")
                    ends = [float(le) for _, le, _ in buckets]
                    self.assertEqual(ends[:2] + ends[-1:], [127e-9, 255e-9, float("inf")])
                    self.assertEqual(ends, sorted(set(ends)))
                    values = [value for *_, value in buckets]
                    self.assertEqual(values, sorted(values))
                    self.assertEqual(values[-1], count[2])
        self.assertEqual({(labels["kind"], labels["cpu"]) for _, labels, _ in kinds["mazu_latency_seconds"]},
                         {(kind, str(cpu)) for kind in ("irqs_off", "preempt_off", "wake") for cpu in range(SMP)})

    def test_figures_are_those_of_the_documents(self):
        """Each lies between what /api/stats said before and says behind it."""
        a, first, b = clients.json_of(guest, "/api/stats"), families(scrape()), clients.json_of(guest, "/api/stats")

        def value(name, **labels):
            return free_of(first[name][1], **labels)

        def lies_between(name, pick, scale=1, **labels):
            with self.subTest(name, **labels):
                have = value(name, **labels) * scale
                self.assertTrue(pick(a) - 1 <= have <= pick(b) + 1, (pick(a), have, pick(b)))

        self.assertEqual(first["mazu_build_info"][1], [("mazu_build_info", {"version": a["version"]}, 1)])
        lies_between("mazu_uptime_seconds", lambda d: d["uptime_ns"], 1e9)
        for cpu in range(SMP):
            for name, key, scale in (("mazu_context_switches_total", "switches", 1), ("mazu_cpu_busy_seconds_total", "busy_ns", 1e9),
                                     ("mazu_cpu_idle_seconds_total", "idle_ns", 1e9), ("mazu_preemptions_total", "preemptions", 1)):
                lies_between(name, lambda d, key=key, cpu=cpu: d["cpus"][cpu][key], scale, cpu=str(cpu))
            self.assertTrue(0 <= value("mazu_cpu_load_ratio", cpu=str(cpu)) <= 1)
            self.assertEqual(value("mazu_deadline_capacity_ratio", cpu=str(cpu)), a["sched"]["admission"][cpu]["capacity_ppm"] / 1e6)
            lies_between("mazu_callouts_expired_total", lambda d, cpu=cpu: d["callouts"]["harts"][2 * cpu]["expired"],
                         kind="hard", cpu=str(cpu))
            lies_between("mazu_latency_seconds", lambda d, cpu=cpu: next(
                row["total"] for row in d["sched"]["latency"] if row["kind"] == "wake" and row["cpu"] == cpu),
                         kind="wake", cpu=str(cpu), le="+Inf")
            lies_between("mazu_domain_used_seconds_total", lambda d, cpu=cpu: next(
                row["harts"][cpu]["used_ns"] for row in d["sched"]["domains"] if row["name"] == "web"), 1e9,
                         domain="web", cpu=str(cpu))
        for key, name in (("jobs", "jobs"), ("misses", "misses"), ("overruns", "overruns")):
            lies_between(f"mazu_deadline_{name}_total", lambda d, key=key: next(
                t[key] for t in d["tasks"] if t["name"] == "control_loop"), thread="control_loop")
        self.assertEqual(value("mazu_memory_size_bytes"), a["memory"]["total_bytes"])
        for pool in a["memory"]["pools"]:
            self.assertEqual(value("mazu_pool_capacity", pool=pool["name"]), pool["capacity"])
        lies_between("mazu_pool_allocations_total", lambda d: next(
            p["allocs"] for p in d["memory"]["pools"] if p["name"] == "http_conn"), pool="http_conn")
        lies_between("mazu_network_receive_packets_total", lambda d: next(
            i["rx_packets"] for i in d["net"]["interfaces"] if i["name"] == "eth0"), device="eth0")
        for counter in a["net"]["counters"]:
            lies_between(f"mazu_net_{counter}_total", lambda d, counter=counter: d["net"]["counters"][counter])
        for counter, kind in a["http"].items():
            if isinstance(kind, int) and counter not in ("connections", "websockets", "streams"):
                lies_between(f"mazu_http_{counter}_total", lambda d, counter=counter: d["http"][counter])
        lies_between("mazu_http_replies_total", lambda d: next(
            r["count"] for r in d["http"]["replies"] if r["status"] == 200), status="200")
        for counter in clients.json_of(guest, "/api/tcp")["stats"]:
            self.assertIn(f"mazu_tcp_{counter}" + ("" if f"mazu_tcp_{counter}" in first else "_total"), first)
        for lock in a["locks"]:
            lies_between("mazu_lock_contended_total", lambda d, lock=lock: next(
                row["contended"] for row in d["locks"] if row["class"] == lock["class"]), **{"class": lock["class"]})
        for irq in a["irqs"]:
            lies_between("mazu_interrupts_total", lambda d, irq=irq: next(
                row["cpu_counts"][0] for row in d["irqs"] if row["irq"] == irq["irq"]), irq=str(irq["irq"]), cpu="0")

    def test_counters_grow(self):
        before = families(scrape())
        self.assertEqual(guest.http("/no/such/page")[0], 404)
        after = families(scrape())
        counted = [free_of(m["mazu_http_replies_total"][1], status="404") if any(
            labels["status"] == "404" for _, labels, _ in m["mazu_http_replies_total"][1]) else 0 for m in (before, after)]
        self.assertEqual(counted[1], counted[0] + 1)
        for name, (kind, samples) in before.items():
            if kind != "counter" or name.startswith("mazu_thread_"):
                continue
            now = {tuple(sorted(labels.items())): value for _, labels, value in after[name][1]}
            for _, labels, value in samples:
                self.assertGreaterEqual(now[tuple(sorted(labels.items()))], value, (name, labels))

    def test_prometheus_scrapes_it(self):
        folder = tempfile.mkdtemp()
        try:
            with Prometheus(folder) as server:
                up = server.until('up{job="mazu"}', lambda r: r[0]["value"][1] == "1")
                self.assertEqual(up[0]["metric"]["instance"], f"127.0.0.1:{guest.port}")
                switches = server.until("sum(mazu_context_switches_total)", lambda r: float(r[0]["value"][1]) > 0)
                was = float(switches[0]["value"][1])
                server.until("sum(mazu_context_switches_total)", lambda r: float(r[0]["value"][1]) > was)
                server.until('histogram_quantile(0.5, sum by (le) (mazu_latency_seconds_bucket{kind="irqs_off"}))',
                             lambda r: 0 < float(r[0]["value"][1]) < 10)
                build = server.until("mazu_build_info", bool)
                self.assertEqual(build[0]["metric"]["version"], clients.json_of(guest, "/api/stats")["version"])
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    unittest.main()
