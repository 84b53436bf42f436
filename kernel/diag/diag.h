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
#include "kernel/diag/trace.h"
#include "lib/assert.h"
#include "lib/buf.h"
#include "lib/fmt.h"
#include "lib/histogram.h"

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

/* ---- latency.c: for how long a hart could not do what was due, and where ---- */

/*
 * Sampled where it hurts, in every build, at no cost where nothing is late. What no interrupt hits is not
 * seen; arch_section_at() sees every section, in builds with CONFIG_LATENCY_TRACE. To a tick of the clock.
 *
 *	LATENCY_IRQS_OFF     the timer interrupt came so long after the instant it was set to. Noted from
 *	                     LATENCY_FLOOR_NS on; `at` is what the enable was followed by, 0 where interrupts
 *	                     were on and a handler, or the machine, was in the way
 *	LATENCY_PREEMPT_OFF  a switch that an interrupt wanted to make waited so long for preemption; `at`
 *	                     is behind the call that turned it on
 *	LATENCY_WAKE         a timed wait was over, and its thread ran again so much later; `at` is 0
 */
enum latency_kind { LATENCY_IRQS_OFF, LATENCY_PREEMPT_OFF, LATENCY_WAKE, LATENCY_KINDS };

#define LATENCY_FLOOR_NS   256
#define LATENCY_THREAD_MAX 32

/* Any context. */
void latency_note(enum latency_kind kind, int64_t ns, uintptr_t at);

/*
 * What interrupts have taken of a hart's time, for which no thread is to pay: it only grows, by the hart, interrupts off.
 * Around what an interrupt does, nested ones included: before = interrupt_begin(&began); interrupt_end(before, began).
 */
PERCPU_DECLARE(int64_t, interrupt_ns);
#define INTERRUPT_TRAP_NS 150 /* to the handler and back, the timer, and a tick of the clock that is cut off; some 100 instructions */

static inline int64_t interrupt_begin(ktime *began)
{
	*began = arch_clock();
	return this_cpu_near(interrupt_ns);
}

static inline void interrupt_end(int64_t before, ktime began)
{
	int64_t took = ktime_diff(arch_clock(), began) + INTERRUPT_TRAP_NS;
	__atomic_store_n(&this_cpu_near(interrupt_ns), before + took, __ATOMIC_RELAXED);
}

/* When it ended, where, and who ran. */
struct latency_longest {
	int64_t ns;
	ktime when;
	uintptr_t at; /* for symbol_describe_return(); 0: not known */
	uint32_t tid;
	uint32_t name_len;
	char name[LATENCY_THREAD_MAX];
};

/* latency.c's own, but for what stands here inline. */
struct latency {
	struct histogram ns; /* atomic: a thread may have left this hart before it counts */
	struct latency_longest longest;
};
PERCPU_DECLARE(struct latency, latency)[LATENCY_KINDS];
extern int64_t latency_limit[LATENCY_KINDS]; /* atomic; 0: none */
void latency_remark_wake(void *l, uintptr_t ns);

/* LATENCY_WAKE, of a wait that was over at `due`. No call in the plain case: the way out of a wait needs no frame. */
static inline void latency_note_wake(ktime due)
{
	struct latency *l = &(*arch_percpu_here(latency))[LATENCY_WAKE];
	int64_t ns = ktime_diff(arch_clock(), due);
	bool longest = histogram_add_shared(&l->ns, ns);
	if (unlikely(longest || __atomic_load_n(&latency_limit[LATENCY_WAKE], __ATOMIC_RELAXED) != 0))
		arch_call_rare(latency_remark_wake, l, (uintptr_t)ns);
}

struct latency_stats {
	struct histogram ns;
	struct latency_longest longest;
};
void latency_stats(uint32_t cpu, enum latency_kind kind, struct latency_stats *out);
/* Forgets the maxima and counts of all harts; what is noted at the same time may stay. */
void latency_reset(void);
struct str latency_name(enum latency_kind kind); /* "irqs_off" */

/* How the scheduler says who that is. Once; and the question: 0 and "-" where nobody is. */
void diag_set_namer(uint32_t (*namer)(const struct arch_thread *t, struct str *name));
uint32_t diag_thread(const struct arch_thread *t, struct str *name);
/* late(kind, ns, at) for everything noted that is longer than ns[kind] (0: no limit), in its context. */
void latency_set_limits(const int64_t ns[LATENCY_KINDS],
	void (*late)(enum latency_kind kind, int64_t ns, uintptr_t at));

#endif
