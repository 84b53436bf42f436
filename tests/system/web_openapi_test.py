#!/usr/bin/python3
"""/api/openapi.json: served as a file, valid, complete in both directions, and true of what a booted machine says.

tests/web/openapi_check.mjs judges documents and replies, with validators that know nothing of Mazu.
"""
import glob
import http.client
import json
import os
import re
import socket
import subprocess
import unittest

import mazu

ELF = os.environ.get("MAZU_ELF", "build/mazu.elf")
SOURCE = "rootfs/web/api/openapi.json"
CHECK = "tests/web/openapi_check.mjs"
WEBSOCKET = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
             "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}


def setUpModule():
    global guest, document
    guest = mazu.Mazu(ELF, smp=2, net="user", limit=600)
    guest.wait_http("/")
    with open(SOURCE, encoding="utf-8") as f:
        document = json.load(f)


def tearDownModule():
    guest.kill()


def routes():
    """Every address that the server's sources name as one of the API's, as the document writes it."""
    found = set()
    for path in glob.glob("user/net/*.c"):
        with open(path, encoding="utf-8") as f:
            found.update(re.findall(r'\bSTR_INIT\("(/api/[^"]+|/metrics)"\)', f.read()))
    return {path + "{name}" if path.endswith("/") else path for path in found}


def check(replies, description=None):
    """(exit status, what the checker says) of replies: (name, schema, value)."""
    words = {"document": description or document,
             "replies": [{"name": n, "schema": s, "value": v} for n, s, v in replies]}
    done = subprocess.run(["node", CHECK], input=json.dumps(words), capture_output=True, text=True, timeout=120, check=False)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def has_shell():
    try:
        with open(f"{os.path.dirname(ELF)}/generated/auto.conf", encoding="ascii") as f:
            return "CONFIG_SHELL := y\n" in f.read()
    except OSError:
        return False


def token():
    """The access token, from the console; None: there is none."""
    found = re.search(r"^Open \S*\?token=(\S+)$", guest.serial(), re.M)
    return found and found[1]


def reference(schema):
    return schema["$ref"].rpartition("/")[2] if "$ref" in schema else None


def response_of(path, status, method="get"):
    """What the document says of a reply; it must say something."""
    responses = document["paths"][path][method]["responses"]
    assert str(status) in responses, f"{method} {path} answers with {status}, which is not described"
    response = responses[str(status)]
    return document["components"]["responses"][reference(response)] if "$ref" in response else response


class OpenApi(unittest.TestCase):
    def ask(self, path, url=None, status=200, method="GET", body=None, **headers):
        """A reply, with a status and type that the document knows: (name, schema, value) if it is JSON."""
        have, fields, content = guest.http(url or path, method, body, headers, timeout=120)
        self.assertEqual(have, status, (url, content))
        types = response_of(path, status, method.lower()).get("content", {})
        if not types:
            self.assertEqual(content, b"")
            return None
        self.assertIn(fields["Content-Type"], types)
        schema = reference(types[fields["Content-Type"]]["schema"])
        if "json" not in fields["Content-Type"]:
            content.decode()
            return None
        return f"{method} {url or path}: {status}", schema, json.loads(content)

    def test_it_is_served_as_a_file(self):
        status, headers, body = guest.http("/api/openapi.json")
        self.assertEqual((status, headers["Content-Type"]), (200, "application/json"))
        with open(SOURCE, "rb") as f:
            self.assertEqual(body, f.read())
        self.assertEqual(guest.http("/api/openapi.json", headers={"If-None-Match": headers["ETag"]})[0], 304)
        status, headers, packed = guest.http("/api/openapi.json", headers={"Accept-Encoding": "gzip"})
        self.assertEqual(headers["Content-Encoding"], "gzip")
        self.assertLess(len(packed), len(body) / 3)

    def test_every_route_is_described_and_the_other_way_round(self):
        self.assertGreater(len(routes()), 10)
        self.assertEqual(routes(), set(document["paths"]))

    def test_every_described_address_is_there(self):
        for path, item in document["paths"].items():
            with self.subTest(path):
                for method in item:
                    key = {"Authorization": f"Bearer {token()}"} if item["get"]["security"] else {}
                    status, headers, _ = guest.http(path.replace("{name}", "control"), "OPTIONS", headers=key)
                    self.assertEqual(status, 204)
                    self.assertIn(method.upper(), headers["Allow"].split(", "))
                connection = http.client.HTTPConnection(guest.host, guest.port, timeout=60)
                connection.request("HEAD", path.replace("{name}", "control"), headers={"Connection": "close"})
                status = connection.getresponse().status
                connection.close()
                self.assertNotEqual(status, 404)
                self.assertIn(str(status), item["get"]["responses"])

    def test_every_reference_leads_somewhere_and_every_schema_is_used(self):
        words = json.dumps(document)
        for target in set(re.findall(r'"\$ref": "#/([^"]+)"', words)):
            part = document
            for name in target.split("/"):
                part = part[name]
        used = set(re.findall(r"#/components/schemas/(\w+)", words))
        # A stream's and a terminal's messages are named in words.
        self.assertEqual(used, set(document["components"]["schemas"]))
        identities = re.findall(r'"operationId": "(\w+)"', words)
        self.assertEqual(len(identities), len(set(identities)))

    def test_replies_are_as_described(self):
        replies = [self.ask(path) for path in ("/api/stats", "/api/tcp", "/api/arp", "/api/klog", "/api/openapi.json")]
        replies += [self.ask("/api/klog", "/api/klog?since=3&level=info"),
                    self.ask("/api/app/{name}", "/api/app/control"),
                    *(self.ask("/api/fs", f"/api/fs?path={path}") for path in ("/", "/proc", "/dev", "/net/tcp"))]
        app = replies[6]
        replies += [(app[0], "ControlLoop", app[2])]
        for path, url, status, more in (
                ("/api/klog", "/api/klog?level=loud", 400, {}), ("/api/fs", "/api/fs", 400, {}),
                ("/api/fs", "/api/fs?path=/none", 404, {}), ("/api/fs/read", "/api/fs/read?path=/none", 404, {}),
                ("/api/fs/read", "/api/fs/read?path=/dev/console", 403, {}),
                ("/api/app/{name}", "/api/app/none", 404, {}), ("/api/stats", None, 403, {"Host": "evil.example"}),
                ("/api/events", "/api/events?only=x", 400, {}), ("/api/sse/test", "/api/sse/test?count=x", 400, {}),
                ("/api/sse/test", "/api/sse/test?count=1&last=1", 204, {}), ("/api/ws", None, 426, {}),
                ("/api/ws", None, 400, {**WEBSOCKET, "Sec-WebSocket-Key": "short"})):
            replies.append(self.ask(path, url, status, **more))
        for path in ("/api/fs/read", "/metrics"):
            self.assertIsNone(self.ask(path, "/api/fs/read?path=/hello.txt" if path != "/metrics" else None))
        replies = [reply for reply in replies if reply and reply[1]]
        status, said = check(replies)
        self.assertEqual(status, 0, said)
        self.assertIn(f"{len(replies) + 1 + len(document['components']['schemas'])} passed, 0 failed", said)

    def test_methods_that_are_refused(self):
        replies = []
        for path, item in document["paths"].items():
            method = next(m for m in ("PATCH", "DELETE") if m.lower() not in item)
            status, headers, body = guest.http(path.replace("{name}", "control"), method)
            # Who has no token does not learn more.
            self.assertEqual(status, 401 if item["get"]["security"] else 405, path)
            self.assertEqual(headers["Content-Type"], "application/problem+json")
            self.assertIn(str(status), item["get"]["responses"])
            replies.append((f"{method} {path}", "Problem", json.loads(body)))
        self.assertEqual(check(replies)[0], 0)

    def test_events_are_as_described(self):
        kinds = document["paths"]["/api/events"]["get"]["x-events"]
        replies, seen = [], set()
        connection = http.client.HTTPConnection(guest.host, guest.port, timeout=60)
        connection.request("GET", "/api/events?last=0")
        reply = connection.getresponse()
        self.assertEqual(reply.status, 200)
        self.assertIn(reply.headers["Content-Type"], response_of("/api/events", 200)["content"])
        kind = None
        while seen != {"stats", "log"}:
            name, _, value = reply.readline().decode().rstrip("\n").partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                seen.add(kind)
                replies.append((kind, reference(kinds[kind]), json.loads(value)))
        connection.close()
        replies.append(("gap", reference(kinds["gap"]), {"since": 3, "lost": 4}))  # as tests/sim/web_sse_sim.c sees it
        status, said = check(replies)
        self.assertEqual(status, 0, said)

    def test_messages_are_as_described(self):
        request = "".join(f"{k}: {v}\r\n" for k, v in {"Host": "localhost", **WEBSOCKET}.items())
        with socket.create_connection((guest.host, guest.port), timeout=60) as s, s.makefile("rb") as f:
            s.sendall(f"GET /api/ws HTTP/1.1\r\n{request}\r\n".encode())
            self.assertIn(b" 101 ", f.readline())
            while f.readline() != b"\r\n":
                pass
            first, length = f.read(2)
            self.assertEqual((first, length), (0x81, 126))
            message = json.loads(f.read(int.from_bytes(f.read(2), "big")))
        schema = reference(document["paths"]["/api/ws"]["get"]["x-messages"]["text"])
        status, said = check([("a push", schema, message)])
        self.assertEqual(status, 0, said)

    def test_access_is_as_described(self):
        self.assertEqual(check([self.ask("/api/access")])[0], 0)

    @unittest.skipUnless(has_shell(), "there is no shell here")
    def test_the_shell_is_as_described(self):
        guest.wait_for(r"^Open \S")
        replies = [self.ask(path, status=401) for path in ("/api/shell/in", "/api/shell/out", "/api/shell/ws")]
        key = {"Authorization": f"Bearer {token()}"}
        replies.append(self.ask("/api/shell/in", **key))
        session = replies[-1][2]["session"]
        replies += [self.ask("/api/shell/in", f"/api/shell/in?session={session}", method="POST", body=b"help", **key),
                    self.ask("/api/shell/out", f"/api/shell/out?session={session}&since=0", **key),
                    self.ask("/api/shell/out", "/api/shell/out?session=none", 404, **key),
                    self.ask("/api/shell/ws", None, 426, **key)]
        self.ask("/api/shell/in", f"/api/shell/in?session={session}", method="POST", body=b"exit", **key)
        status, said = check(replies)
        self.assertEqual(status, 0, said)

    def test_the_checker_finds_what_is_wrong(self):
        stats = self.ask("/api/stats")
        less, more, other = (json.loads(json.dumps(stats[2])) for _ in range(3))
        del less["tasks"][0]["cpu_time_ns"]
        more["cpus"][0]["surprise"] = 1
        other["sched"]["latency"][0]["total"] = "many"
        for value in (less, more, other):
            status, said = check([("stats", "Stats", value)])
            self.assertEqual(status, 1)
            self.assertIn(" 1 failed", said)
        idle = next(t for t in stats[2]["tasks"] if t["class"] == "idle")
        self.assertEqual(check([("an idle thread with jobs", "Task", {**idle, "jobs": 1})])[0], 1)
        for change in ({"openapi": "2.0"}, {"paths": {"no slash": {}}}, {"surprise": 1}):
            self.assertEqual(check([], {**document, **change})[0], 1, change)


if __name__ == "__main__":
    unittest.main()
