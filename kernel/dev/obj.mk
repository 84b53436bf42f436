obj-y += packet_core.o
obj-y += synth_core.o
