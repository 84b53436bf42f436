/* proc_priv.h - what the files of this folder share. */
#ifndef KERNEL_PROC_PROC_PRIV_H
#define KERNEL_PROC_PROC_PRIV_H

#include "lib/buf.h"
#include "lib/histogram.h"

#define U(x) ((unsigned long long)(x)) /* for fmt(), which has no length of uint64_t */

/* config.c, with CONFIG_PROC_CONFIG */
void procfs_config(struct abuf *out);

/* procfs_deadline.c: tables of /proc/sched, and /proc/domains */
void procfs_deadline(struct abuf *out);
void procfs_domains(struct abuf *out);

/* procfs_latency.c: tables of /proc/sched, and the last columns of any row */
void procfs_watchdog(struct abuf *out);
void procfs_latency(struct abuf *out);
/* " 12 name function+0x34", with - for what is not known */
void procfs_who(struct abuf *out, uint32_t tid, const char *name, size_t len, uintptr_t at);
void procfs_histogram_head(struct abuf *out);
void procfs_histogram(struct abuf *out, const struct histogram *h);

/* procfs_trace.c, with CONFIG_TRACE */
void procfs_trace(struct abuf *out);

#endif
