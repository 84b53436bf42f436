obj-y += sched.o preempt.o state.o place.o balance.o quantum.o thread.o control.o pi.o timeout.o boot.o stats.o watchdog.o
obj-y += account.o server.o notes.o domain.o mode.o deadline.o
obj-y += runq_core.o edf_core.o budget_core.o load_core.o admission_core.o admission_report_core.o
obj-$(CONFIG_DEBUG) += invariant.o
obj-$(CONFIG_TRACE) += trace.o
