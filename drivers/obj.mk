obj-$(CONFIG_DRIVER_PLIC) += plic.o
obj-$(CONFIG_DRIVER_NS16550) += ns16550.o
obj-$(CONFIG_DRIVER_GOLDFISH_RTC) += goldfish_rtc.o
obj-y += probe.o
