/*
 * initcall.h - a subsystem's init function and what must have run before it.
 *
 *	INITCALL(net_arp, net_arp_init, "net_packet", "callout");
 *
 * The table is a linker section. kernel/boot sorts it at each boot; a missing or
 * circular need stops the boot with its name. An init function runs once, on the
 * boot hart, in the boot thread (it may sleep), and returns an error that stops the boot.
 * Those whose id begins with app_ run in normal mode only: self-tests and benchmarks have the machine to themselves.
 */
#ifndef LIB_INITCALL_H
#define LIB_INITCALL_H

#include "lib/base.h"

#define INITCALL_NEEDS_MAX 8

struct initcall {
	const char *name;
	enum err (*init)(void);
	const char *needs[INITCALL_NEEDS_MAX]; /* ends with NULL */
};

#define INITCALL(id, fn, ...)                                                                      \
	static const struct initcall initcall_##id aligned_to(8) section("initcall") = {           \
		.name = #id, .init = fn, .needs = {__VA_ARGS__}}

#endif
