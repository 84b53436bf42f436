obj-y += procfs.o
obj-$(CONFIG_PROC_CONFIG) += config.o
