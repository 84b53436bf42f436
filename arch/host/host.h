/*
 * host.h - what a simulation asks of the virtual machine. Everything else it reaches, as the
 * kernel does, through arch.h.
 *
 *	struct host_options o = {.seed = 7, .harts = 4, .observe = oracle, .stuck = stuck};
 *	int status = host_run(&o);
 *
 * host_run() starts hart 0 in upcall_boot(), as the firmware would, and returns when some hart
 * calls arch_exit(). The same seed gives the same run, whatever the machine. Once a
 * process: the kernel's own variables cannot be set back.
 *
 * Context of the hooks: between two steps of the kernel, on whatever stack that was. They
 * may read everything and call nothing that is a point.
 */
#ifndef ARCH_HOST_HOST_H
#define ARCH_HOST_HOST_H

#include "arch/arch.h"

/*
 * A stack's lowest byte is not the end here: code built with sanitizers needs more than
 * STACK_SIZE, so whoever allocates stacks leaves so much below each.
 */
#define HOST_STACK_EXTRA ((size_t)256 * 1024)

struct host_options {
	uint64_t seed;
	uint32_t harts;
	ktime start;           /* what the clock shows at first */
	void (*observe)(void); /* now and then while the machine is quiet, and whenever all harts wait */
	void (*stuck)(void);   /* all harts wait and nothing will ever come; does not return */
};

must_check int host_run(const struct host_options *o);

/*
 * No hart is in the middle of a decision: interrupts are on or it waits, it is not in an
 * interrupt, nobody turned its preemption off, and neither IPI nor need_resched is pending.
 */
bool host_is_quiet(void);

/* The caller computes for so long, if nobody else gets its hart; other harts may compute at the same time. */
void host_compute(int64_t ns);

/* From now on no hart is left behind for long: for what is measured in virtual time. */
void host_even(void);

/* The interrupt controller's line to that hart goes up; upcall_irq() there is called once for it. */
void host_irq_raise(uint32_t cpu);

#endif
