/* sem.h - counting semaphore with direct handover. */
#ifndef KERNEL_SYNC_SEM_H
#define KERNEL_SYNC_SEM_H

#include "kernel/sync/waitq.h"

struct sem {
	int32_t count; /* negative: that many wait */
	int32_t max;
	struct waitq waiters;
};

void sem_init(struct sem *s, int32_t count, int32_t max);
/* Thread context. ERR_TIMEDOUT, ERR_INTR. */
must_check enum err sem_wait(struct sem *s, ktime deadline);
must_check bool sem_try(struct sem *s);
/* Any context, interrupts included. ERR_RANGE beyond max. */
enum err sem_post(struct sem *s);

#endif
