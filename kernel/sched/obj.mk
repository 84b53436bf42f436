obj-y += account.o server.o domain.o mode.o deadline.o admission_core.o admission_report_core.o budget_core.o sched.o preempt.o state.o runq_core.o edf_core.o load_core.o place.o balance.o quantum.o thread.o control.o pi.o boot.o stats.o
obj-$(CONFIG_DEBUG) += invariant.o
