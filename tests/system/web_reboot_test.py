#!/usr/bin/python3
"""`reboot` as the clients of the web server see it: each is told, over user networking and over TAP, while QEMU goes on
and the machine comes back. Whoever hears nothing waits until SILENT_S, which no machine is too slow for.
"""
import http.client
import os
import re
import struct
import time
import unittest

import mazu

ELF = os.environ.get("MAZU_ELF", "build/mazu.elf")
SILENT_S = 100
SOCKET = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
GOING_AWAY = b"\x88\x02" + struct.pack(">H", 1001)


class Client:
    """A request, and all that comes of it."""

    def __init__(self, guest, path, *fields, whole=True, until=b"\r\n\r\n"):
        self.s = guest.connect(timeout=SILENT_S)
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", *fields]
        self.s.sendall(("\r\n".join(lines) + ("\r\n\r\n" if whole else "\r\n")).encode())
        self.data = b""
        while whole and until not in self.data:
            self.data += self.s.recv(65536)

    def end(self):
        """What it hears until the end: all of it, and whether that was an end in order."""
        try:
            while part := self.s.recv(65536):
                self.data += part
            return self.data, True
        except ConnectionResetError:
            return self.data, False
        finally:
            self.s.close()


class Reboot(unittest.TestCase):
    def clients_are_told(self, net):
        with mazu.Mazu(ELF, smp=2, net=net, extra=("-action", "reboot=reset"), limit=600) as guest:
            guest.wait_http("/")
            bearer = {"Authorization": f"Bearer {guest.token()}"}
            idle = Client(guest, "/api/arp", until=b"]}")
            stream = Client(guest, "/api/events", until=b"event: stats")
            pushed = Client(guest, "/api/ws", *SOCKET)
            terminal = Client(guest, "/api/shell/ws", *SOCKET, *(f"{n}: {v}" for n, v in bearer.items()))
            begun = Client(guest, "/api/arp", whole=False)
            status, _, body = guest.http("/api/shell/in", headers=bearer)
            self.assertEqual(status, 200)
            session = re.search(rb'"session":\s*"(\w+)"', body)[1].decode()

            # Who asks for it gets the reply to that, and what it says.
            control = http.client.HTTPConnection(guest.host, guest.port, timeout=SILENT_S)
            control.request("POST", f"/api/shell/in?session={session}", b"reboot", bearer)
            reply = control.getresponse()
            reply.read()
            self.assertLess(reply.status, 300)
            said, last = b"", time.monotonic()
            try:
                while b"the machine starts again" not in said:
                    asked = time.monotonic()
                    status, _, body = guest.http(f"/api/shell/out?session={session}&since=0", headers=bearer)
                    self.assertEqual(status, 200)
                    said, last = body, asked
            except (OSError, http.client.HTTPException):
                # It is said for half a second, which is missed only by who does not ask for as long.
                self.assertGreater(time.monotonic() - last, 0.4)

            self.assertEqual(control.sock.recv(1), b"")
            data, ordered = idle.end()
            self.assertTrue(ordered)
            data, ordered = stream.end()
            self.assertTrue(ordered and data.endswith(b"\r\n0\r\n\r\n"), data[-100:])
            for socket_ in (pushed, terminal):
                data, _ = socket_.end()
                self.assertTrue(data.endswith(GOING_AWAY), data[-100:])
            begun.end()

            guest.wait_for(r"web: serving(.|\n)*web: serving")
            self.assertEqual(guest.http("/", timeout=SILENT_S)[0], 200)

    def test_over_user_networking(self):
        self.clients_are_told("user")

    def test_over_tap(self):
        self.clients_are_told("tap")


if __name__ == "__main__":
    mazu.own_network()
    unittest.main()
