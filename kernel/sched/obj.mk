obj-y += sched.o preempt.o state.o runq_core.o edf_core.o load_core.o place.o balance.o quantum.o thread.o control.o pi.o boot.o stats.o
obj-$(CONFIG_DEBUG) += invariant.o
