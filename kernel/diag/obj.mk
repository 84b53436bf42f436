obj-y += klog.o
obj-y += latency.o
obj-y += panic.o
obj-y += stack_protector.o
obj-y += symbols.o
obj-$(CONFIG_BENCH) += bench.o
obj-$(CONFIG_SELFTEST) += selftest.o
obj-$(CONFIG_TRACE) += trace.o trace_core.o trace_check_core.o
