obj-y += packet_core.o packet.o netdev.o driver.o threaded.o irq_pace.o char.o rng.o
obj-y += rng_core.o rtc.o restart.o
obj-y += synth_core.o
obj-y += synth.o
obj-y += devfs.o
