obj-y += irq.o irq_pace_core.o
