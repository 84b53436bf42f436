obj-y += procfs.o procfs_latency.o procfs_deadline.o
obj-y += threadctl_core.o threadfs.o
obj-$(CONFIG_PROC_CONFIG) += config.o
obj-$(CONFIG_TRACE) += procfs_trace.o
