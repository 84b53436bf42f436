/*
 * klog.c - the log: a ring of records, the oldest overwritten by the newest.
 *
 * A writer formats on its own stack and copies under the lock; a reader copies
 * out under the lock: both bounded by the size of a record, whatever is in it.
 *
 * Locks: klog_lock, a leaf, interrupts off. After a panic it is ignored: one hart
 * runs then, and the one that held it may be stopped.
 *
 * Invariants: record seq stands at ring[seq % count]; seq 0 does not exist.
 */
#include "kernel/diag/diag.h"
#include "kernel/diag/diag_priv.h"

#define LINE_MAX (KLOG_TEXT_MAX + 48)

static_assert(is_pow2(CONFIG_KLOG_RECORDS), "the ring's index is a mask");

static struct klog_entry ring[CONFIG_KLOG_RECORDS];
static struct arch_lock klog_lock;
static uint64_t klog_seq; /* of the newest; atomic, written under klog_lock */
static enum log_level console_level = LOG_INFO;
static void (*klog_wake)(void);
static bool klog_polled;
static uint64_t console_seq; /* of the newest that the console has shown; atomic */

static irqflags klog_lock_take(void)
{
	return panic_is_on() ? arch_irq_save() : arch_lock_irqsave(&klog_lock);
}

static void klog_lock_drop(irqflags flags)
{
	if (panic_is_on())
		arch_irq_restore(flags);
	else
		arch_unlock_irqrestore(&klog_lock, flags);
}

struct str log_level_name(enum log_level level)
{
	static const struct str names[] = {
		STR_INIT("error"), STR_INIT("warning"), STR_INIT("info"), STR_INIT("debug")};
	return names[level];
}

void klog_format(const struct klog_entry *e, struct abuf *out)
{
	uint64_t us = (uint64_t)e->time.ns / NS_PER_US;
	fmt(out, "[%5lu.%06lu] %u ", us / 1000000, us % 1000000, e->cpu);
	if (e->level <= LOG_WARN)
		fmt(out, "%.*s: ", STR_ARG(log_level_name(e->level)));
	abuf_str_add(out, str_of(e->text, e->len));
	abuf_char_add(out, '\n');
}

static void klog_print(const struct klog_entry *e)
{
	uint8_t line[LINE_MAX];
	struct abuf out = abuf_of(line, sizeof(line));
	klog_format(e, &out);
	console_line(abuf_str(&out));
}

void klog(enum log_level level, const char *format, ...)
{
#ifndef CONFIG_DEBUG_VERBOSE
	if (level > LOG_INFO && level > console_level)
		return;
#endif
	struct klog_entry e = {.level = level, .cpu = arch_cpu(), .time = arch_clock()};
	struct abuf text = abuf_of(e.text, KLOG_TEXT_MAX);
	va_list ap;
	va_start(ap, format);
	fmt_v(&text, format, ap);
	va_end(ap);
	e.len = text.len;

	irqflags flags = klog_lock_take();
	e.seq = klog_seq + 1;
	ring[e.seq & (CONFIG_KLOG_RECORDS - 1)] = e;
	__atomic_store_n(&klog_seq, e.seq, __ATOMIC_RELEASE);
	bool print = level <= console_level && (!klog_wake || klog_polled || panic_is_on());
	klog_lock_drop(flags);

	if (print) {
		klog_print(&e);
		klog_shown(e.seq);
	} else if (level <= console_level) {
		flags = arch_irq_save();
		arch_ipi_send(arch_cpu(), IPI_CALL);
		arch_irq_restore(flags);
	}
}

void klog_shown(uint64_t seq)
{
	__atomic_store_n(&console_seq, seq, __ATOMIC_RELAXED);
}

void klog_set_polled(void)
{
	klog_polled = true;
}

void klog_flush(void)
{
	static struct klog_entry e; /* the last hart's */
	uint64_t seq = __atomic_load_n(&console_seq, __ATOMIC_RELAXED);
	while (klog_read(seq, console_level, &e)) {
		klog_print(&e);
		seq = e.seq;
	}
	klog_shown(seq);
}

uint64_t klog_last_seq(void)
{
	return __atomic_load_n(&klog_seq, __ATOMIC_ACQUIRE);
}

bool klog_read(uint64_t since, enum log_level max_level, struct klog_entry *out)
{
	for (;;) {
		irqflags flags = klog_lock_take();
		uint64_t last = klog_seq;
		uint64_t oldest = last > CONFIG_KLOG_RECORDS ? last - CONFIG_KLOG_RECORDS + 1 : 1;
		uint64_t seq = max(since + 1, oldest);
		if (seq <= last)
			*out = ring[seq & (CONFIG_KLOG_RECORDS - 1)];
		klog_lock_drop(flags);
		if (seq > last)
			return false;
		if (out->level <= max_level)
			return true;
		since = seq;
	}
}

enum log_level klog_console_level(void)
{
	return console_level;
}

void klog_set_console_level(enum log_level level)
{
	console_level = level;
}

static void klog_called(void)
{
	if (klog_wake)
		klog_wake();
}

void klog_set_wake(void (*wake)(void))
{
	arch_on_ipi(IPI_CALL, klog_called);
	klog_wake = wake;
}
