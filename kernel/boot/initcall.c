/*
 * initcall.c - runs the table of init functions in the boot thread: all, or all but the applications.
 */
#include "kernel/boot/boot_priv.h"
#include "kernel/boot/initcall_core.h"
#include "kernel/diag/diag.h"
#include "lib/err.h"

extern const struct initcall initcall_start[], initcall_end[];

void initcalls_run(bool apps)
{
	static struct initcall_order order;
	initcall_sort(initcall_start, (size_t)(initcall_end - initcall_start), &order);
	if (order.err == ERR_NOENT)
		panic("init: %.*s needs %.*s, which is not there", STR_ARG(order.who), STR_ARG(order.need));
	if (order.err == ERR_DEADLK)
		panic("init: %.*s and %.*s need each other", STR_ARG(order.who), STR_ARG(order.need));
	if (order.err == ERR_EXIST)
		panic("init: two functions have the name %.*s", STR_ARG(order.who));
	if (order.err != OK)
		panic("init: more than %d functions", INITCALL_MAX);
	for (size_t i = 0; i < order.count; i++) {
		const struct initcall *c = &initcall_start[order.index[i]];
		if (!apps && str_starts(str_of_cstr(c->name, INITCALL_NAME_MAX), S("app_")))
			continue;
		ktime begin = arch_clock();
		enum err err = c->init();
		if (err != OK)
			boot_refuse("%s could not be initialized: %.*s", c->name, STR_ARG(err_text(err)));
		klog(LOG_DEBUG, "init: %s in %ld ns", c->name, ktime_diff(arch_clock(), begin));
	}
}
