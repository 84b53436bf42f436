#!/usr/bin/python3
"""Clients that vanish, crash, crowd in, flood or dawdle, over TAP: what they held comes back, others are served.

Whether something came back by itself or only when a time-out took it away is told by counters, not by
clocks: a time-out counts.
"""
import os
import random
import re
import socket
import struct
import subprocess
import threading
import time
import unittest

import clients
import mazu

ELF = os.environ.get("MAZU_ELF_RELEASE") or os.environ.get("MAZU_ELF", "build/mazu.elf")
CROWD = 64
PINGS = 20000
GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"
PART = b"GET /icon.svg HTTP/1.1\r\nHost: loc"
EXPECT = b"GET /icon.svg HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST = b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
VANISHING = "192.168.100.3"  # a second host on the wire, that can be switched off


def setUpModule():
    global guest
    guest = mazu.Mazu(ELF, smp=2, net="tap", limit=1100)
    guest.wait_http("/")


def tearDownModule():
    guest.kill()


def reset(s):
    """The machine's answer to a crashed program: RST instead of FIN."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def read_reply(s):
    """One reply with a Content-Length: its status; None when the connection ended instead."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = s.recv(65536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    left = int(re.search(rb"(?i)content-length: (\d+)", head)[1]) - len(body)
    while left > 0:
        part = s.recv(left)
        if not part:
            return None
        left -= len(part)
    return int(re.match(rb"HTTP/1\.1 (\d+)", head)[1])


def read_exactly(s, count):
    data = b""
    while len(data) < count and (part := s.recv(count - len(data))):
        data += part
    return data


def listed():
    return clients.json_of(guest, "/api/tcp")["connections"]


def listed_of(crowd):
    """What the guest lists of these connections; they are open, so nobody else has their ports."""
    ours = {"{}:{}".format(*s.getsockname()) for s in crowd}
    return [c for c in listed() if c["remote"] in ours]


def until(what, seconds=120, pause=0.05):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "that did not come about\n" + guest.serial()[-2000:]
        time.sleep(pause)


class Hostile(unittest.TestCase):
    def setUp(self):
        self.before = clients.Levels(guest)

    def tearDown(self):
        self.before.wait()
        self.assertEqual(guest.http("/icon.svg")[0], 200)

    def no_time_out(self):
        """Whatever ended until now did so without waiting for a deadline."""
        for name in ("timeouts", "idle_closed"):
            self.assertEqual(self.before.grown("http", name), 0, name)

    def crowd_that_sent(self, what, answer=b""):
        """CROWD connections of which the guest has all that they sent, and they what it answers."""
        crowd = [guest.connect() for _ in range(CROWD)]
        for s in crowd:
            s.sendall(what)
        for s in crowd:
            self.assertEqual(read_exactly(s, len(answer)), answer)
        until(lambda: [c["rx_bytes"] for c in listed_of(crowd)] == CROWD * [len(what)])
        return crowd

    def reset_all(self, crowd):
        """None of these connections is left in any state, and no deadline had to pass for it."""
        ids = {c["id"] for c in listed_of(crowd)}
        self.assertEqual(len(ids), CROWD)
        for s in crowd:
            reset(s)
        self.before.wait()
        self.no_time_out()
        self.assertEqual(self.before.grown("tcp", "ended_by_error"), CROWD)
        self.assertEqual([c for c in listed() if c["id"] in ids], [])

    def test_64_connections_reset_in_a_head(self):
        self.reset_all(self.crowd_that_sent(PART))

    def test_64_connections_reset_in_a_content(self):
        """The server has said that it reads on, so each is one that it finds broken."""
        self.reset_all(self.crowd_that_sent(EXPECT, CONTINUE))
        self.assertEqual(self.before.grown("http", "ended_by_peer"), CROWD)

    def test_64_connections_reset_while_they_are_sent_to(self):
        crowd = []
        for _ in range(CROWD):
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)  # the reply waits in the guest
            s.settimeout(60)
            s.connect((guest.host, guest.port))
            s.sendall(GET % b"/app.js" * 8)
            crowd.append(s)
        until(lambda: sum(c["tx_bytes"] > 0 for c in listed_of(crowd)) == CROWD)
        self.reset_all(crowd)

    def test_killed_wrk_and_ab_leave_nothing(self):
        for command in (clients.wrk_command(guest, c=CROWD, seconds=300),
                        clients.ab_command(guest, "-k", n=10**8, c=CROWD)):
            process = clients.start(command)
            served = self.before.grown("http", "requests")
            until(lambda: self.before.grown("http", "requests") > served + 1000)
            process.kill()
            process.communicate()
            self.before.wait()
        self.no_time_out()

    def test_whoever_closes_late_holds_no_connection(self):
        """A request that was read to its end, with Connection: close, is TCP's alone once answered."""
        most = guest_limit()
        late = []
        for _ in range(2 * most):
            s = guest.connect()
            s.sendall(LAST % b"/icon.svg")
            self.assertEqual(read_reply(s), 200)
            late.append(s)
        for s in late:
            s.close()
        self.no_time_out()

    def test_the_surplus_gets_503_and_the_others_are_served(self):
        most, crowd = guest_limit(), []
        for _ in range(most):
            s = guest.connect()
            s.sendall(GET % b"/icon.svg")
            crowd.append(s)
        for s in crowd:
            self.assertEqual(read_reply(s), 200)
        for i in range(20):
            with guest.connect() as s:
                if i % 2:
                    s.sendall(GET % b"/icon.svg")
                self.assertEqual(read_reply(s), 503)
                self.assertEqual(s.recv(1), b"")
        for s in crowd:
            s.sendall(GET % b"/icon.svg")
            self.assertEqual(read_reply(s), 200)
        for s in crowd[:10]:
            s.close()
        until(lambda: guest.http("/icon.svg")[0] == 200)
        for s in crowd[10:]:
            s.close()
        self.assertGreaterEqual(self.before.grown("http", "refused_connections_full"), 20)
        self.assertEqual(self.before.grown("http", "timeouts"), 0)

    def test_a_ping_flood_beside_requests(self):
        before = clients.Levels(guest)
        dropped = int(host_statistic("tx_dropped"))
        flood = threading.Thread(target=ping, args=(PINGS,))
        flood.start()
        clients.ab(guest, "-k", n=4000, c=8)
        flood.join()
        clients.ab(guest, n=500, c=8)
        net, eth0 = (lambda n: before.grown("net", n)), (lambda n: before.grown("eth0", n))
        self.assertEqual(net("icmp_rx_echo"), net("icmp_tx_echo_reply") + net("icmp_drop_echo_rate_limited") +
                         net("icmp_drop_no_buffer"))
        self.assertGreater(net("icmp_tx_echo_reply"), 0)
        self.assertGreater(net("icmp_drop_echo_rate_limited"), 0)
        lost = int(host_statistic("tx_dropped")) - dropped + eth0("rx_dropped")
        self.assertGreaterEqual(net("icmp_rx_echo"), PINGS - lost)
        self.assertLessEqual(net("icmp_rx_echo"), PINGS)
        self.no_time_out()

    def test_slow_clients_beside_fast_ones(self):
        """Requests that come byte by byte; between two bytes, now and then, others are answered."""
        slow = [guest.connect() for _ in range(8)]
        for i, byte in enumerate(LAST % b"/icon.svg"):
            for s in slow:
                s.sendall(bytes([byte]))
            if i % 4 == 0:  # for all there is one deadline
                self.assertEqual(guest.http("/icon.svg")[0], 200)
        for s in slow:
            self.assertEqual(read_reply(s), 200)
            s.close()
        self.no_time_out()


class Vanish(unittest.TestCase):
    """64 clients whose machine is gone from one moment to the next: no FIN, no RST, no ARP."""

    def test_a_machine_that_vanishes(self):
        before = clients.Levels(guest)
        ip("addr", "add", f"{VANISHING}/32", "dev", mazu.TAP)
        crowd = []
        for i in range(CROWD):
            s = socket.socket()
            if i % 4 == 3:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            s.settimeout(60)
            s.bind((VANISHING, 0))
            s.connect((guest.host, guest.port))
            crowd.append(s)
        for i, s in enumerate(crowd):
            if i % 4 == 1:  # idle after a request
                s.sendall(GET % b"/icon.svg")
                self.assertEqual(read_reply(s), 200)
            elif i % 4 == 2:  # in the middle of one
                s.sendall(PART)
            elif i % 4 == 3:  # in the middle of a reply
                s.sendall(GET % b"/app.js" * 8)
        until(lambda: before.above().get("connections", (0, 0))[1] >= CROWD)
        ip("addr", "del", f"{VANISHING}/32", "dev", mazu.TAP)
        for s in crowd:
            reset(s)  # it reaches nobody: the machine has no such address now

        def gone():
            self.assertEqual(guest.http("/icon.svg")[0], 200)
            above = before.above()
            for name in ("connections", "tcp_conn"):
                self.assertLessEqual(above.get(name, (0, 0))[1], CROWD + 16, name)
            return "connections" not in above
        until(gone, pause=1)
        self.assertGreaterEqual(before.grown("http", "timeouts"), CROWD // 2)
        self.assertEqual(before.grown("http", "idle_closed"), CROWD // 2)
        # What they were sent TCP still offers them; then the machine is there again and knows nothing of it.
        ip("addr", "add", f"{VANISHING}/32", "dev", mazu.TAP)
        before.wait(300)
        self.assertEqual(before.grown("pools", "failures"), 0)
        ip("addr", "del", f"{VANISHING}/32", "dev", mazu.TAP)


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def host_statistic(name):
    out = subprocess.run(["ip", "-s", "-j", "link", "show", mazu.TAP], check=True, capture_output=True, text=True).stdout
    side, what = name.split("_")
    return re.search(rf'"{side}":\{{[^}}]*"{what}":(\d+)', out)[1]


def guest_limit():
    """CONFIG_WEB_CONNECTIONS of the image."""
    with open(f"{os.path.dirname(ELF)}/generated/auto.conf", encoding="ascii") as f:
        return int(re.search(r"^CONFIG_WEB_CONNECTIONS := (\d+)$", f.read(), re.M)[1])


def ping(count):
    """Echo requests as fast as they go, answers unread."""
    data = bytes(random.Random(1).randrange(256) for _ in range(56))
    packet = bytearray(struct.pack(">BBHHH", 8, 0, 0, 0x4d61, 0) + data)
    total = sum(struct.unpack(f">{len(packet) // 2}H", packet))
    total = (total >> 16) + (total & 0xffff)
    total += total >> 16
    struct.pack_into(">H", packet, 2, ~total & 0xffff)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as s:
        for _ in range(count):
            s.sendto(packet, (guest.host, 0))


if __name__ == "__main__":
    mazu.own_network()
    unittest.main()
