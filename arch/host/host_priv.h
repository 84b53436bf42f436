/* host_priv.h - between the files of arch/host. */
#ifndef ARCH_HOST_HOST_PRIV_H
#define ARCH_HOST_HOST_PRIV_H

#include "arch/host/host.h"

/* ---- fiber.c: moving between stacks ---- */

struct arch_context {
	void *sp;
	void *fake_stack; /* AddressSanitizer's */
};

/* The context from which t's stack begins in entry(arg), behind finish() when it is switched to. */
struct arch_context *fiber_prepare(struct arch_thread *t, noreturn void (*entry)(void *arg), void *arg);
/* Saves the caller at `from` and goes on at `to`, on the stack of t; NULL: on that of host_run(). */
void fiber_enter(struct arch_context *from, struct arch_context *to, const struct arch_thread *t);

/* ---- hart.c ---- */

bool hart_has_interrupt(const struct arch_hart *h);
bool hart_can_run(const struct arch_hart *h); /* started, and not waiting for what has not come */
/* On this hart, interrupts on: serves all that is pending. */
void hart_interrupt(void);
/* Its code goes on; returns when somebody enters this hart again. */
void hart_enter(struct arch_hart *to);

/* ---- explore.c: the seeded choices ---- */

void explore_start(const struct host_options *o);
bool explore_leaves_interrupt(void);
/* This hart waits: until something is pending for it, the others run or time passes. */
void explore_wait(void);

#endif
