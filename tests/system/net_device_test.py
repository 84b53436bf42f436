#!/usr/bin/python3
"""The network device in its variants: without each feature, legacy, absent, and set by ip=."""
import unittest

import frames
import mazu
from frames import ICMP


def without(*features):
    return [word for f in features for word in ("-global", f"virtio-net-device.{f}=off")]


class DeviceTest(unittest.TestCase):
    def works(self, **options):
        with frames.boot(**options) as wire:
            for size in 0, 57, 1472:
                wire.ping(size)
            frame = frames.raw(wire.ether() / wire.ip_to() / ICMP(id=1) / (b"d" * 500))
            for _ in range(1000):  # several times round both rings
                wire.guest.send_frame(frame)
            wire.barrier()
            wire.ping(1001)

    def test_without_each_feature(self):
        for features in (("event_idx",), ("indirect_desc",), ("csum", "guest_csum"),
                         ("event_idx", "indirect_desc", "csum", "guest_csum")):
            with self.subTest(off=features):
                self.works(extra=without(*features))

    def test_on_several_harts(self):
        self.works(smp=4)

    def test_legacy_device_is_refused_with_a_reason(self):
        with mazu.Mazu(frames.ELF, net="frames",
                       extra=["-global", "virtio-mmio.force-legacy=true"]) as guest:
            guest.wait_for(r"virtio: virtio_mmio@\w+ is a legacy device \(version 1\)")
            guest.wait_for(r"net: no network device, only loopback")

    def test_no_device(self):
        with mazu.Mazu(frames.ELF) as guest:
            guest.wait_for(r"net: no network device, only loopback")

    def test_address_on_the_command_line(self):
        with mazu.Mazu(frames.ELF, net="frames", append="ip=10.9.9.9/24 ip=192.168.100.2/24,192.168.100.1") as guest:  # the last one counts
            guest.wait_for(r"net: eth0 has 192\.168\.100\.2/24")
            wire = frames.Wire(guest, ip="192.168.100.1")
            wire.guest_ip = "192.168.100.2"
            wire.ping()

    def test_wrong_address_is_refused_with_a_reason(self):
        for bad in "10.0.2.300", "10.0.2.255/24", "10.0.2.15/24,10.0.9.1", "x":
            with mazu.Mazu(frames.ELF, net="frames", append=f"ip={bad}") as guest:
                guest.wait_for(r'net: "' + bad.replace(".", r"\.") + '" is no address for eth0')


if __name__ == "__main__":
    unittest.main()
