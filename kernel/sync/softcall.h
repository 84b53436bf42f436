/*
 * softcall.h - the threads that run soft callouts, one on each hart: to whom their time belongs.
 *
 * All soft callouts are the network's, so that its domain (kernel/dev/netdev.c) takes them in. A callout that
 * somebody waits for the end of goes on by what he lends, also while the domain is barred.
 */
#ifndef KERNEL_SYNC_SOFTCALL_H
#define KERNEL_SYNC_SOFTCALL_H

#include "kernel/sched/deadline.h"

/* ERR_INVAL: no such domain. Thread context, behind the initcall "softcall". */
must_check enum err softcall_set_domain(uint8_t domain);

#endif
