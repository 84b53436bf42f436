#!/usr/bin/python3
"""TCP over the wire, against the web server's port: handshake, resets, bad segments, floods (RFC 9293, 5961)."""
import unittest

from scapy.layers.inet import TCP

import frames
from frames import IP, raw

PORT = 80


class TcpTest(frames.WireTest):
    port = 20000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.wire.guest.wait_for(r"http|listen|:80|web")

    def setUp(self):
        super().setUp()
        TcpTest.port += 1
        self.sport = TcpTest.port
        self.is_open = False

    def seg(self, flags, seq, ack=0, data=b"", **fields):
        tcp = {"sport": self.sport, "dport": PORT, "flags": flags, "seq": seq & 0xffffffff,
               "ack": ack & 0xffffffff, "window": 64000, **fields}
        return self.wire.ip_to() / TCP(**tcp) / data

    def mine(self, packet):
        return TCP in packet and packet[TCP].dport == self.sport

    def expect(self):
        """The next segment, but for another SYN,ACK of a handshake that took long."""
        packet = self.wire.expect(lambda p: self.mine(p) and not (self.is_open and p[TCP].flags == "SA"))
        frames.check_ip(packet)
        return packet[TCP]

    def open(self, **fields):
        """Sequence numbers of an established connection: ours next, theirs next."""
        self.wire.send(self.seg("S", 1000, options=[("MSS", 1460)], **fields))
        reply = self.expect()
        self.assertEqual((str(reply.flags), reply.ack), ("SA", 1001))
        self.wire.send(self.seg("A", 1001, reply.seq + 1))
        self.is_open = True
        return 1001, reply.seq + 1

    def reset(self, seq):
        self.wire.send(self.seg("R", seq))

    def test_handshake_options(self):
        self.wire.send(self.seg("S", 7, options=[("MSS", 1400), ("SAckOK", b""), ("Timestamp", (77, 0)),
                                                 ("NOP", None), ("WScale", 4)]))
        options = dict(o for o in self.expect().options if len(o) == 2)
        self.assertEqual(options["MSS"], 1460)
        self.assertEqual(options["Timestamp"][1], 77)
        self.assertIn("WScale", options)
        self.reset(8)
        self.wire.send(self.seg("S", 7, options=[("MSS", 536)]))
        options = dict(o for o in self.expect().options if len(o) == 2)
        self.assertNotIn("WScale", options)
        self.assertNotIn("Timestamp", options)
        self.reset(8)

    def test_closed_port_resets(self):
        self.wire.send(self.seg("S", 50, dport=81))
        reply = self.expect()
        self.assertEqual((str(reply.flags), reply.seq, reply.ack), ("RA", 0, 51))
        self.wire.send(self.seg("A", 50, 99, dport=81))
        reply = self.expect()
        self.assertEqual((str(reply.flags), reply.seq), ("R", 99))
        self.wire.send(self.seg("R", 50, dport=81))
        self.wire.silent(self.mine)

    def test_request_is_answered_and_closed(self):
        seq, ack = self.open()
        request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        self.wire.send(self.seg("PA", seq, ack, request))
        seq += len(request)
        body = b""
        while True:
            reply = self.expect()
            data = raw(reply.payload)[:reply.underlayer.len - 20 - reply.dataofs * 4]
            if reply.seq == ack & 0xffffffff:
                body += data
                ack += len(data)
            if "F" in str(reply.flags):
                break
            if data:
                self.wire.send(self.seg("A", seq, ack))
        self.wire.send(self.seg("FA", seq, ack + 1))
        self.assertTrue(body.startswith(b"HTTP/1.1 200"), body[:100])

    def test_bad_segments_are_dropped(self):
        good = raw(TCP(sport=self.sport, dport=PORT, flags="S", seq=5))
        for bad in (good[:n] for n in range(20)):
            self.wire.send(self.wire.ip_to(proto=6) / bad)
        self.wire.send(self.seg("S", 5, chksum=0x1234))
        self.wire.send(self.seg("S", 5, dataofs=4))
        self.wire.send(self.seg("S", 5, dataofs=15))
        self.wire.send(self.wire.ip_to(dst="10.0.2.255") / TCP(sport=self.sport, dport=PORT, flags="S"))
        self.wire.silent(self.mine)

    def test_reset_inside_the_window_is_challenged(self):
        seq, ack = self.open()
        self.wire.send(self.seg("R", seq + 100))
        challenge = self.expect()
        self.assertEqual((str(challenge.flags), challenge.ack), ("A", seq))
        self.wire.send(self.seg("R", seq - 100000))
        self.wire.silent(self.mine)
        self.reset(seq)
        self.wire.send(self.seg("A", seq, ack))
        self.assertIn("R", str(self.expect().flags))

    def test_syn_inside_a_connection_is_challenged(self):
        seq, _ = self.open()
        self.wire.send(self.seg("S", seq + 10))
        challenge = self.expect()
        self.assertEqual((str(challenge.flags), challenge.ack), ("A", seq))
        self.reset(seq)

    def test_segment_out_of_the_window_is_acknowledged_and_dropped(self):
        seq, ack = self.open()
        self.wire.send(self.seg("PA", seq - 5000, ack, b"old"))
        reply = self.expect()
        self.assertEqual((str(reply.flags), reply.ack), ("A", seq))
        self.reset(seq)


class FloodTest(frames.WireTest):
    def test_syn_flood_is_survived(self):
        for i in range(3000):
            self.wire.send(frames.Ether(src=self.wire.mac, dst=self.wire.guest_mac) /
                           IP(src=f"10.0.2.{100 + i % 100}", dst=self.wire.guest_ip) /
                           TCP(sport=1024 + i, dport=PORT, flags="S", seq=i))
        self.wire.barrier()

    def test_syn_flood_locks_nobody_out(self):
        """Connections that were never meant give way to those that come, and do not keep them out for a minute."""
        for i in range(500):
            self.wire.send(frames.Ether(src=self.wire.mac, dst=self.wire.guest_mac) /
                           IP(src=f"10.0.2.{100 + i % 30}", dst=self.wire.guest_ip) /
                           TCP(sport=2000 + i, dport=PORT, flags="S", seq=i))
        self.assertEqual(self.wire.http("/icon.svg", syns=20)[0], 200)  # a second between two


if __name__ == "__main__":
    unittest.main()
