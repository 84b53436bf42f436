obj-y += netctl.o netctl_core.o
obj-y += ether_core.o arp_wire_core.o ipv4_core.o ipv4_text_core.o icmp_core.o
obj-y += arp_core.o arp.o ether.o ipv4.o icmp.o echo_core.o echo.o iface.o loopback.o counters.o
obj-y += names.o netfs.o
