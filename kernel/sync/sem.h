/*
 * sem.h - counting semaphore with direct handover: a post while somebody waits goes
 * to the best waiter and to nobody else. Without contention, wait and post are one
 * compare-and-swap each.
 */
#ifndef KERNEL_SYNC_SEM_H
#define KERNEL_SYNC_SEM_H

#include "kernel/sync/waitq.h"

struct sem {
	int32_t count; /* atomic; negative: that many wait */
	int32_t max;
	struct waitq waiters;
};

/* 0 <= count <= max, max > 0. */
void sem_init(struct sem *s, int32_t count, int32_t max);
/* Thread context; may sleep. ERR_TIMEDOUT, ERR_INTR. */
must_check enum err sem_wait(struct sem *s, ktime deadline);
must_check bool sem_try(struct sem *s);
/* Any context, interrupts included. ERR_RANGE when the count is at max; nothing changes then. */
enum err sem_post(struct sem *s);

#endif
