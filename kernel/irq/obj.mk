obj-y += irq.o
