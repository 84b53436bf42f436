obj-y += procfs.o procfs_latency.o
obj-$(CONFIG_PROC_CONFIG) += config.o
