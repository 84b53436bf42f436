obj-y += packet_core.o
