/*
 * diag.h - what tells people what happens: log, panic, counters, backtraces.
 *
 * Log: one line a record, kept in a ring in memory (klog) and, from a level on,
 * written to the console by a thread of its own: klog() itself never waits for
 * the UART. Usable from boot on, in every context.
 *
 * Panic stops every hart, prints the reason, the registers and a symbolized
 * backtrace of each, and ends the machine with a failure code.
 */
#ifndef KERNEL_DIAG_DIAG_H
#define KERNEL_DIAG_DIAG_H

#include "arch/arch.h"
#include "lib/assert.h"
#include "lib/buf.h"
#include "lib/fmt.h"

/* ---- klog.c ---- */

enum log_level { LOG_ERR, LOG_WARN, LOG_INFO, LOG_DEBUG };
#define KLOG_TEXT_MAX 120

struct klog_entry {
	uint64_t seq; /* from 1, no gaps */
	ktime time;
	uint32_t cpu;
	enum log_level level;
	size_t len;
	char text[KLOG_TEXT_MAX];
};

/* One record; "subsystem: what happened", without a line end. Truncated at KLOG_TEXT_MAX. Any context. */
printf_like(2, 3) void klog(enum log_level level, const char *format, ...);

/* Copies the first record with seq > since and level <= max_level; false when there is none. Any context. */
bool klog_read(uint64_t since, enum log_level max_level, struct klog_entry *out);
uint64_t klog_last_seq(void);
struct str log_level_name(enum log_level level);

/* Records up to this level go to the console too; `loglevel=` on the command line. */
void klog_set_console_level(enum log_level level);
enum log_level klog_console_level(void);
/*
 * Until the console's thread registers here, records are written to the console at once.
 * Afterwards wake is called when there is something new: in interrupt context, no lock held
 * (klog sends its hart an IPI for it), so it may wake a thread, wherever klog was called.
 */
void klog_set_wake(void (*wake)(void));
/* The console's thread has shown all records up to seq: a panic writes what comes behind it. */
void klog_shown(uint64_t seq);
/* For self-tests and benchmarks: every record is written at once, so that lines stand in order. */
void klog_set_polled(void);
/* One record as the line that people see, with its line end. */
void klog_format(const struct klog_entry *e, struct abuf *out);

/* ---- panic.c ---- */

/* Never returns. Any context, any lock held. */
noreturn cold printf_like(1, 2) void panic(const char *format, ...);
/* How the scheduler says which thread a hart was running. */
void panic_set_describe(void (*describe)(const struct arch_thread *t, struct abuf *out));
/* Stops a boot that cannot go on, with one sentence and no backtrace. */
noreturn cold printf_like(1, 2) void boot_refuse(const char *format, ...);

/* Seeds the stack protector's canary; its caller must not return through a checked frame. */
void stack_protector_seed(uint64_t seed);
void diag_init(void); /* once per boot, before the other harts start */

#define EXIT_REFUSED 2   /* boot_refuse */
#define EXIT_PANIC   125 /* panic */

/* ---- symbols.c ---- */

/* "name+0x12" or the bare address. Any context. */
void symbol_describe(uintptr_t pc, struct abuf *out);
/* The same for a return address: the function that called. */
void symbol_describe_return(uintptr_t pc, struct abuf *out);

#endif
