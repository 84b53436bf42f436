obj-y += procfs.o
