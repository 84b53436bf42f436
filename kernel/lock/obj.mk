obj-y += lock.o stats.o
obj-$(CONFIG_LOCK_TRACE) += trace.o
obj-$(CONFIG_LOCKDEP) += lockdep.o
obj-$(CONFIG_LOCKDEP) += lockdep_core.o
