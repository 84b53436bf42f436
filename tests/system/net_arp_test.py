#!/usr/bin/python3
"""ARP over the wire: requests, replies, conflicts, aging by silence, floods and malformed messages."""
import unittest

import frames
from frames import ARP, BROADCAST, Ether, ICMP, IP, raw

OTHER = "02:00:00:00:00:99"


def is_reply(packet):
    return ARP in packet and packet[ARP].op == 2


class ArpTest(frames.WireTest):
    def question(self, src=None, mac=None, dst=BROADCAST, target=None):
        mac = mac or self.wire.mac
        return raw(Ether(src=mac, dst=dst) / ARP(op=1, hwsrc=mac, psrc=src or self.wire.ip,
                                                 pdst=target or self.wire.guest_ip))

    def ask(self, **what):
        self.wire.guest.send_frame(self.question(**what))

    def test_request_is_answered(self):
        for dst in BROADCAST, self.wire.guest_mac:
            self.ask(dst=dst)
            reply = self.wire.expect(is_reply)
            self.assertEqual(reply.dst, self.wire.mac)
            self.assertEqual((reply[ARP].hwsrc, reply[ARP].psrc), (self.wire.guest_mac, "10.0.2.15"))
            self.assertEqual((reply[ARP].hwdst, reply[ARP].pdst), (self.wire.mac, self.wire.ip))

    def test_request_for_another_is_not(self):
        self.ask(target="10.0.2.77")
        self.wire.silent(is_reply)

    def test_probe_of_our_address_is_answered(self):
        self.ask(src="0.0.0.0", mac=OTHER)
        self.assertEqual(self.wire.expect(is_reply)[ARP].hwdst, OTHER)

    def test_claim_of_our_address_is_logged_and_defended(self):
        self.wire.send(Ether(src=OTHER, dst=BROADCAST) /
                       ARP(op=2, hwsrc=OTHER, psrc="10.0.2.15", hwdst=BROADCAST, pdst="10.0.2.15"))
        claim = self.wire.expect(lambda p: ARP in p and p[ARP].psrc == p[ARP].pdst == "10.0.2.15")
        self.assertEqual((claim.dst, claim[ARP].hwsrc), (BROADCAST, self.wire.guest_mac))
        self.wire.guest.wait_for(r"arp: our address is claimed: 10\.0\.2\.15 by 02:00:00:00:00:99")
        for _ in range(5):  # once in ten seconds, not once a claim
            self.wire.send(Ether(src=OTHER, dst=BROADCAST) /
                           ARP(op=1, hwsrc=OTHER, psrc="10.0.2.15", pdst="10.0.2.15"))
        self.wire.silent(lambda p: ARP in p and p[ARP].psrc == p[ARP].pdst)

    def test_malformed_messages_are_dropped(self):
        good = raw(ARP(op=1, hwsrc=self.wire.mac, psrc=self.wire.ip, pdst=self.wire.guest_ip))
        bad = [good[:n] for n in (0, 1, 7, 8, 27)]
        for at in range(8):
            bad.append(good[:at] + bytes([good[at] ^ 0x40]) + good[at + 1:])
        for message in bad:
            self.wire.send(Ether(src=self.wire.mac, dst=BROADCAST, type=0x806) / message)
        self.wire.silent(is_reply)

    def test_senders_that_cannot_be_are_dropped(self):
        for mac, ip in (("01:00:5e:00:00:01", "10.0.2.9"), ("00:00:00:00:00:00", "10.0.2.9"),
                        (OTHER, "127.0.0.1"), (OTHER, "224.0.0.1"), (OTHER, "255.255.255.255")):
            self.wire.send(Ether(src=OTHER, dst=BROADCAST) /
                           ARP(op=1, hwsrc=mac, psrc=ip, pdst=self.wire.guest_ip))
        self.wire.silent(is_reply)

    def test_unknown_sender_of_an_echo_is_resolved(self):
        """The reply waits for the address and then comes."""
        self.wire.ip, was = "10.0.2.40", self.wire.ip
        try:
            self.wire.ping()
        finally:
            self.wire.ip = was

    def test_silent_neighbour_is_asked_three_times(self):
        self.wire.send(IP(src="10.0.2.50", dst=self.wire.guest_ip) / ICMP(id=50))
        for _ in range(3):
            asked = self.wire.expect(lambda p: ARP in p and p[ARP].pdst == "10.0.2.50")
            self.assertEqual(asked.dst, BROADCAST)
        self.wire.silent(lambda p: ICMP in p and p[ICMP].id == 50)

    def test_flood_of_strangers_does_not_push_out_the_neighbour(self):
        self.wire.ping()
        asked = [self.question(src=f"10.0.2.{100 + i % 150}", mac=f"02:00:00:01:{i >> 8 & 255:02x}:{i & 255:02x}")
                 for i in range(3000)]  # made before, as what is limited is the rate
        for frame in asked:
            self.wire.guest.send_frame(frame)
        replies = [p for p in self.wire.barrier() if is_reply(p)]
        self.assertLess(len(replies), 3000)
        self.wire.answers_arp = False       # it must still know us
        self.wire.ping()


if __name__ == "__main__":
    unittest.main()
