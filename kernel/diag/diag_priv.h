/*
 * diag_priv.h - what the files of kernel/diag share.
 */
#ifndef KERNEL_DIAG_DIAG_PRIV_H
#define KERNEL_DIAG_DIAG_PRIV_H

#include "lib/base.h"
#include "lib/str.h"

/* panic.c: is the machine going down? Then locks are not taken any more. */
bool panic_is_on(void);
/* panic.c: text to the polled console, whole lines at a time. Any context. */
void console_line(struct str s);

/* klog.c: writes, polled, what the console has not shown; one hart at the end of the machine. */
void klog_flush(void);

/* latency.c */
void latency_init(void);

/* trace.c, with CONFIG_TRACE */
void trace_init(void);

#endif
