#!/usr/bin/python3
"""Who may do what over the network: the access token, Host and Origin, and what is said to whom.

Three guests: one with a token made at its boot, one with a fixed token and one without, both by the secret
file in an initrd.
"""
import os
import re
import subprocess
import tempfile
import time
import unittest

import clients
import mazu

ELF = os.environ.get("MAZU_ELF_RELEASE") or os.environ.get("MAZU_ELF", "build/mazu.elf")
FIXED = "a-fixed-token_of-my-own"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SHELL = ("/api/shell/in", "/api/shell/in?session=" + 32 * "0", "/api/shell/out", "/api/shell/out?session=" + 32 * "0",
         "/api/shell/ws", "/api/shell/", "/api/shell/anything", "/api//shell/in", "/api/./shell/in", "/api/%73hell/in",
         "/web/../api/shell/in")
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
           "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}


def setUpModule():
    global folder, guest
    folder = tempfile.TemporaryDirectory()
    guest = mazu.Mazu(ELF, smp=2, net="tap", limit=1100)
    guest.wait_http("/")


def tearDownModule():
    guest.kill()
    folder.cleanup()


def with_file(content):
    """A guest whose secret file says that; on user networking, beside the other."""
    name = f"{folder.name}/{abs(hash(content))}"
    with open(name, "w", encoding="ascii") as f:
        f.write(content)
    subprocess.run(["/usr/bin/python3", "tools/mkramfs.py", "-o", f"{name}.img", f"token={name}"], check=True)
    other = mazu.Mazu(ELF, net="user", limit=600, initrd=f"{name}.img")
    other.wait_http("/")
    return other


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def cookie_of(headers):
    """NAME=VALUE of Set-Cookie, which must be kept from scripts and from other sites."""
    words = headers["Set-Cookie"].split("; ")
    assert set(words[1:]) == {"Path=/", "HttpOnly", "SameSite=Strict"}, words
    return {"Cookie": words[0]}


def security(name):
    return clients.json_of(guest, "/api/stats")["security"][name]


def sessions():
    http = clients.json_of(guest, "/api/stats")["http"]
    return http["terminals_opened"] + http["polled_shells_opened"]


class Token(unittest.TestCase):
    def setUp(self):
        self.token = guest.token()
        time.sleep(1)  # a try has come back since the last test

    def enter(self):
        status, headers, body = guest.http(f"/?token={self.token}")
        self.assertEqual((status, headers["Location"], body), (303, "/", b""))
        self.assertEqual(headers["Cache-Control"], "no-store")
        return cookie_of(headers)

    def test_nothing_runs_without_it(self):
        before = sessions()
        cookie = self.enter()["Cookie"]
        bad = ({}, {"Cookie": "mazu_token="}, {"Cookie": f"mazu_token={self.token}"}, {"Cookie": cookie + "0"},
               {"Cookie": cookie[:-1]}, {"Cookie": "x" + cookie}, {"Cookie": cookie.replace("mazu", "MAZU")},
               {"Authorization": self.token}, {"Authorization": f"Basic {self.token}"}, {"Authorization": "Bearer"},
               {"X-Token": self.token, "X-Authorization": f"Bearer {self.token}"})
        for path in SHELL:
            for method in METHODS:
                for headers in bad if method in ("GET", "POST") and path == SHELL[0] else bad[:1]:
                    with self.subTest(path=path, method=method, headers=headers):
                        body = b"echo x" if method in ("POST", "PUT", "PATCH") else None
                        status, got, _ = guest.http(path, method=method, headers=headers, body=body)
                        self.assertEqual(status, 401)
                        self.assertEqual(got["WWW-Authenticate"].split()[0], "Bearer")
            with self.subTest(path=path, upgrade=True):
                self.assertEqual(guest.http(path, headers=UPGRADE)[0], 401)
        for path in (f"/api/shell/in?token={self.token}", f"/api/shell/in?access_token={self.token}",
                     f"/api/shell/ws?token={self.token}"):
            self.assertEqual(guest.http(path, headers=UPGRADE)[0], 401, path)
        self.assertEqual(sessions(), before)

    def test_nothing_is_changed_without_it(self):
        """Whatever is not for reading is refused on every address."""
        for path in ("/", "/index.html", "/new.txt", "/api/stats", "/api/tcp", "/api/arp", "/api/klog", "/api/fs?path=/",
                     "/api/fs/read?path=/hello.txt", "/api/access", "/api/app/control"):
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                with self.subTest(path=path, method=method):
                    status, headers, _ = guest.http(path, method=method, body=b"x")
                    self.assertEqual(status, 405)
                    self.assertNotIn("POST", headers["Allow"])

    def test_who_has_it_is_let_in(self):
        cookie = self.enter()
        for headers in (bearer(self.token), {"Authorization": f"bearer   {self.token}"}, cookie,
                        {"Cookie": f"a=b; {cookie['Cookie']}; c=d"}, {"Cookie": f"mazu_token=x; {cookie['Cookie']}"},
                        {**bearer("wrong"), **cookie}):
            with self.subTest(headers=headers):
                self.assertEqual(guest.http("/api/shell/out?session=x", headers=headers)[0], 404)
                self.assertEqual(guest.http("/api/access", headers=headers)[2],
                                 b'{"token_required":true,"allowed":true}')
        self.assertEqual(guest.http("/api/access")[2], b'{"token_required":true,"allowed":false}')
        self.assertEqual(guest.http("/?token=wrong", headers=cookie)[0], 303)
        self.assertEqual(guest.http("/?other=x")[0], 200)
        self.assertTrue(security("token_required"))

    def test_it_is_told_nowhere_but_on_the_console(self):
        cookie = self.enter()["Cookie"].split("=")[1]
        secrets = (self.token.encode(), cookie.encode())
        self.assertNotEqual(*secrets)
        self.assertGreaterEqual(len(self.token), 32)
        seen = [guest.http(path)[2] for path in ("/api/klog", "/api/stats", "/api/tcp", "/api/access", "/api/fs?path=/")]
        files = ["/dev/klog"]
        for folder_path in ("/proc", "/net", "/net/tcp", "/net/ip"):
            for e in clients.json_of(guest, f"/api/fs?path={folder_path}")["entries"]:
                files.append(f"{folder_path}/{e['name']}")
        for path in files:
            status, headers, body = guest.http(f"/api/fs/read?path={path}")
            seen += [body, str(headers).encode()]
            self.assertIn(status, (200, 403, 404, 500), path)
        self.assertGreater(len(seen), 40)
        for text in seen:
            for secret in secrets:
                self.assertNotIn(secret, text)
        log = [line for line in guest.serial().splitlines() if re.match(r"\[ *\d+\.\d+\]", line)]
        self.assertFalse([line for line in log if self.token in line or cookie in line])
        self.assertNotIn(cookie, guest.serial())

    def test_wrong_ones_are_limited(self):
        cookie = self.enter()
        wrong, limited = security("token_wrong"), security("refused_token_rate")
        statuses = []
        for i in range(200):
            status, headers, _ = guest.http(f"/?token={i:032}") if i % 2 else \
                guest.http("/api/shell/in", headers=bearer(f"{i:032}"))
            statuses.append(status)
            if status == 429:
                self.assertGreaterEqual(int(headers["Retry-After"]), 1)
        self.assertEqual(set(statuses), {401, 429})
        self.assertEqual(security("token_wrong") - wrong, statuses.count(401))
        self.assertEqual(security("refused_token_rate") - limited, statuses.count(429))
        # Neither who has the cookie, nor who has a token that cannot be guessed, nor anybody elsewhere is locked out.
        self.assertEqual(guest.http("/api/shell/out?session=x", headers=cookie)[0], 404)
        self.assertEqual(guest.http("/api/shell/out?session=x", headers=bearer(self.token))[0], 404)
        self.assertEqual(self.elsewhere("/?token=wrong"), 401)
        self.assertEqual(guest.http("/")[0], 200)

    def elsewhere(self, path):
        """The status that a client of another address gets."""
        subprocess.run(["ip", "addr", "add", "192.168.100.7/32", "dev", mazu.TAP], check=True)
        try:
            out = clients.curl(guest, "--interface", "192.168.100.7", "-o", "/dev/null", "-w", "%{http_code}", paths=(path,))
        finally:
            subprocess.run(["ip", "addr", "del", "192.168.100.7/32", "dev", mazu.TAP], check=True)
        return int(out[1])


class Setting(unittest.TestCase):
    def test_a_fixed_token(self):
        with with_file(FIXED + "\n") as other:
            self.assertEqual(other.token(), FIXED)
            self.assertEqual(other.http("/api/shell/out", headers=bearer(FIXED))[0], 404)
            status, headers, _ = other.http(f"/?token={FIXED}")
            self.assertEqual(status, 303)
            cookie = cookie_of(headers)
            self.assertNotIn(FIXED, cookie["Cookie"])
            statuses = [other.http("/api/access", headers=bearer(f"guess-{i}"))[0] for i in range(60)]
            self.assertEqual(set(statuses), {200})
            for path in ("/api/fs/read?path=/initrd/token", "/api/fs/read?path=/initrd//token", "/initrd/token", "/token",
                         "/../token", "/web/token"):
                status, _, body = other.http(path)
                self.assertIn(status, (400, 403, 404), path)
                self.assertNotIn(FIXED.encode(), body)
            entries = clients.json_of(other, "/api/fs?path=/initrd")["entries"]
            self.assertEqual([(e["name"], e["size_bytes"]) for e in entries], [("token", 0)])
            # Who guesses on is not listened to, even when he is right; the cookie is another secret.
            statuses = [other.http("/api/shell/out", headers=bearer(f"guess-{i}"))[0] for i in range(100)]
            self.assertIn(429, statuses)
            self.assertLessEqual(set(statuses), {401, 429})  # another try comes back each second, or none has yet
            self.assertEqual(other.http("/api/shell/out", headers=cookie)[0], 404)
            self.assertNotIn(FIXED.encode(), other.http("/api/klog")[2])

    def test_no_token(self):
        with with_file("off") as other:
            other.wait_for(r"access token is off")
            self.assertNotIn("token=", other.serial())
            self.assertEqual(other.http("/api/access")[2], b'{"token_required":false,"allowed":true}')
            self.assertEqual(other.http("/api/shell/out?session=x")[0], 404)
            status, headers, _ = other.http("/?token=anything")
            self.assertEqual((status, headers["Set-Cookie"]), (303, None))
            self.assertEqual(other.http("/api/shell/in", headers={"Origin": "http://evil.example"})[0], 403)

    def test_what_is_no_token_is_not_used(self):
        with with_file("short") as other:
            other.wait_for(r"token is no secret file")
            self.assertRegex(other.token(), r"^[0-9a-f]{32}$")


class Origins(unittest.TestCase):
    """Whoever is refused here has the token: it is the page that must not use it."""

    def setUp(self):
        self.token = guest.token()

    def ask(self, path="/api/stats", **fields):
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        return guest.http(path, headers={**bearer(self.token), **headers})

    def test_host(self):
        for host in ("localhost", "LOCALHOST", "localhost:8080", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8080",
                     "mazu.local", "Mazu.Local:80", guest.host, f"{guest.host}:80", "localhost:"):
            self.assertEqual(self.ask(Host=host)[0], 200, host)
        before = security("refused_host")
        others = ("evil.example", "localhost.", "localhost.evil.example", "xlocalhost", "mazu.local.", "mazu", "0.0.0.0",
                  "8.8.8.8", "192.168.100.1", "[::]", "[::ffff:127.0.0.1]", "[127.0.0.1]", "127.1", "2130706433",
                  "0x7f.0.0.1", "127.0.0.1.evil.example", "local-host")
        for host in others:
            self.assertEqual(self.ask(Host=host)[0], 403, host)
            self.assertEqual(self.ask("/", Host=host)[0], 403, host)
            self.assertEqual(self.ask("/api/ws", Host=host, **{k.replace("-", "_"): v for k, v in UPGRADE.items()})[0], 403)
        self.assertEqual(security("refused_host") - before, 3 * len(others))
        for host in ("localhost@evil", "a b", "local/host", "::1", "[::1", "localhost:80:80", "localhost:x", "[evil]", ""):
            self.assertEqual(self.ask(Host=host)[0], 400, host)

    def raw(self, text):
        with guest.connect() as s:
            s.sendall(text.encode())
            return int(s.recv(65536).split()[1])

    def test_host_and_target(self):
        end = "Connection: close\r\n\r\n"
        for status, text in (
                (400, "GET / HTTP/1.1\r\n"), (200, "GET / HTTP/1.0\r\n"),
                (400, "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n"),
                (403, "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n"),
                (200, "GET http://localhost:8080/ HTTP/1.1\r\nHost: evil.example\r\n"),
                (403, "GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n"),
                (403, "GET http://localhost/ HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n"),
                (400, "GET https://localhost/ HTTP/1.1\r\nHost: localhost\r\n"),
                (403, "GET / HTTP/1.0\r\nOrigin: http://localhost\r\n"),
                (403, "GET / HTTP/1.0\r\nHost: evil.example\r\n")):
            self.assertEqual(self.raw(text + end), status, text)

    def test_origin(self):
        for host, origin in (("localhost", "http://localhost"), ("localhost:8080", "http://localhost:8080"),
                             ("localhost:80", "http://localhost"), ("[::1]:8080", "http://[::1]:8080"),
                             ("mazu.local", "http://MAZU.local"), (guest.host, f"http://{guest.host}")):
            self.assertEqual(self.ask(Host=host, Origin=origin)[0], 200, origin)
            self.assertEqual(self.ask("/api/ws", Host=host, Origin=origin, **{
                k.replace("-", "_"): v for k, v in UPGRADE.items()})[0], 101, origin)
        before, opened = security("refused_origin"), sessions()
        others = ("http://evil.example", "null", "", "http://localhost:8081", "http://localhost", "https://localhost:8080",
                  "http://localhost:8080.evil.example", "http://localhost.:8080", "http://127.0.0.1:8080", "http://",
                  "http://localhost:8080/", "http://localhost:8080 http://evil.example", "localhost:8080", "ws://localhost:8080",
                  "http://user@localhost:8080", "http://localhost:08080", "file://")
        for origin in others:
            for path in ("/api/stats", "/", "/api/access", "/api/shell/in", "/api/ws", "/api/ws/test", "/api/shell/ws"):
                with self.subTest(origin=origin, path=path):
                    upgrade = {k.replace("-", "_"): v for k, v in UPGRADE.items()} if "ws" in path else {}
                    status, headers, body = self.ask(path, Host="localhost:8080", Origin=origin, **upgrade)
                    self.assertEqual(status, 403)
                    self.assertLess(len(body), 200)
        self.assertEqual(security("refused_origin") - before, 7 * len(others))
        self.assertEqual(sessions(), opened)

    def test_other_pages(self):
        """What a browser asks for on behalf of a page of another origin, without saying which."""
        before, opened = security("refused_cross_site"), sessions()
        refused = [(site, dest, path) for site in ("cross-site", "same-site") for dest, paths in (
            ("image", ("/", "/icon.svg", "/api/stats", "/api/events", "/api/shell/in", "/api/shell/out", "/?token=x")),
            ("document", ("/api/shell/in", "/api/shell/out", "/api/shell/ws"))) for path in paths]
        for site, dest, path in refused:
            self.assertEqual(self.ask(path, Sec_Fetch_Site=site, Sec_Fetch_Dest=dest)[0], 403, (site, dest, path))
        self.assertEqual(security("refused_cross_site") - before, len(refused))
        self.assertEqual(sessions(), opened)
        for site, dest, path, status in (
                ("cross-site", "document", "/", 200), ("same-site", "document", "/api/stats", 200),
                ("cross-site", "document", f"/?token={self.token}", 303), ("same-origin", "empty", "/api/stats", 200),
                ("same-origin", "empty", "/api/shell/out", 404), ("none", "document", "/api/shell/out", 404)):
            self.assertEqual(self.ask(path, Sec_Fetch_Site=site, Sec_Fetch_Dest=dest)[0], status, (site, dest, path))

    def test_no_reply_is_for_another_origin(self):
        """No CORS field on any reply, and no reply but with what keeps it from others."""
        replies = [guest.http(path, method=method, headers=headers)
                   for path in ("/", "/none", "/api/stats", "/api/none", "/api/shell/in", "/api/ws", "/icon.svg",
                                f"/?token={self.token}", "/api/fs/read?path=/hello.txt")
                   for method in ("GET", "HEAD", "OPTIONS", "POST")
                   for headers in ({}, {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"},
                                   {"Host": "evil.example"}, {"Range": "bytes=0-1"})]
        statuses = {status for status, _, _ in replies}
        self.assertLessEqual({200, 204, 206, 303, 401, 403, 404, 405, 426}, statuses)
        for _, headers, _ in replies:
            self.assertFalse([name for name in headers if name.lower().startswith("access-control-")])
            policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
            self.assertEqual(policy["default-src"], "'none'")
            self.assertEqual(policy["frame-ancestors"], "'none'")
            for name in ("script-src", "style-src", "connect-src"):
                self.assertEqual(policy[name], "'self'")
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(headers["X-Frame-Options"], "DENY")
            self.assertEqual(headers["Referrer-Policy"], "no-referrer")
            self.assertEqual(headers["Cross-Origin-Opener-Policy"], "same-origin")
            self.assertEqual(headers["Cross-Origin-Resource-Policy"], "same-origin")


if __name__ == "__main__":
    mazu.own_network()
    unittest.main()
