/*
 * sections.c - how many instructions interrupts and preemption are off, each section of them.
 * Only with CONFIG_LATENCY_TRACE.
 *
 * sections_trace.S calls in from every place that turns one of them off or on: at is arch_instret() there,
 * pc the place. What the tracing itself executes is summed up in `hidden` and taken off, so that a
 * section has the length that it has in a build without tracing, but for what the compiler makes of
 * a call in the way. Firmware calls are hidden likewise and have a list of their own.
 *
 * State, not nesting: a section begins with the first that turns something off and ends with whoever
 * turns it on, also on the other side of a switch.
 *
 * A handler that comes while the count of its thread is not 0 returns to where it came: the section with preemption
 * off goes on without it on one clock (SECTION_PREEMPT_OFF), and with it on the other (SECTION_PREEMPT_HELD).
 *
 * Locks: none. This hart, interrupts off.
 */
#include "arch/riscv64/arch_priv.h"

/* Of one call in sections_trace.S: what it executes before it reads instret, and behind the last read here. */
#define TRACE_HEAD 6
#define TRACE_TAIL 27
/* Of a trap: before the call behind its entry, and behind the call before its return. */
#define TRAP_HEAD  22
#define TRAP_TAIL  18

#define LIST_MAX 8
#define HANDLERS_MAX 4 /* one in another: each opens a window; those beyond count as what they interrupt */

struct section_open {
	uint64_t at; /* 0: none; otherwise by its clock */
	uintptr_t pc;
};

struct section_list {
	uint32_t count;
	struct arch_section longest[LIST_MAX]; /* longest first, each from another place */
};

struct section_trace {
	uint64_t hidden;
	uint64_t handled; /* by handlers that came while preemption was off */
	uint32_t handlers; /* of them, those that have not returned */
	struct {
		uint64_t at, handled; /* when it came */
	} handler[HANDLERS_MAX];
	struct section_open open[SECTION_FIRMWARE];
	struct section_list list[SECTION_KINDS];
};

static PERCPU(struct section_trace, section_trace);

static struct section_trace *section_here(void)
{
	return arch_percpu_here(section_trace);
}

/* The place of what began at `from`: its own, a free one, or the last one's. */
static size_t section_place(struct section_list *l, uintptr_t from)
{
	size_t i = 0;
	while (i < l->count && l->longest[i].from != from)
		i++;
	if (i < l->count)
		return i;
	if (l->count < LIST_MAX)
		return l->count++;
	return LIST_MAX - 1;
}

static void section_note(struct section_list *l, uint64_t length, uintptr_t from, uintptr_t to)
{
	if (l->count == LIST_MAX && length <= l->longest[LIST_MAX - 1].longest)
		return;
	size_t i = section_place(l, from);
	struct arch_section *s = &l->longest[i];
	if (s->from != from)
		*s = (struct arch_section){.from = from};
	s->count++;
	if (length <= s->longest)
		return;
	s->longest = length;
	s->to = to;
	for (; i > 0 && l->longest[i - 1].longest < length; i--) {
		struct arch_section other = l->longest[i - 1];
		l->longest[i - 1] = l->longest[i];
		l->longest[i] = other;
	}
}

static uint64_t section_clock(const struct section_trace *t, enum arch_section_kind kind, uint64_t at)
{
	return at - t->hidden - (kind == SECTION_PREEMPT_OFF ? t->handled : 0);
}

static void section_begin(
	struct section_trace *t, enum arch_section_kind kind, uint64_t at, uintptr_t pc)
{
	if (t->open[kind].at == 0)
		t->open[kind] = (struct section_open){section_clock(t, kind, at), pc};
}

static void section_end(
	struct section_trace *t, enum arch_section_kind kind, uint64_t at, uintptr_t pc)
{
	struct section_open *o = &t->open[kind];
	if (o->at != 0)
		section_note(&t->list[kind], section_clock(t, kind, at) - o->at, o->pc, pc);
	o->at = 0;
}

static void section_preempt_begin(struct section_trace *t, uint64_t at, uintptr_t pc)
{
	section_begin(t, SECTION_PREEMPT_OFF, at, pc);
	section_begin(t, SECTION_PREEMPT_HELD, at, pc);
}

static void section_preempt_end(struct section_trace *t, uint64_t at, uintptr_t pc)
{
	section_end(t, SECTION_PREEMPT_OFF, at, pc);
	section_end(t, SECTION_PREEMPT_HELD, at, pc);
}

static void section_handler_comes(struct section_trace *t, uint64_t at)
{
	uint32_t i = t->handlers++;
	if (i >= HANDLERS_MAX)
		return;
	t->handler[i].at = at - t->hidden;
	t->handler[i].handled = t->handled;
}

/* Those that came in it are part of it. */
static void section_handler_goes(struct section_trace *t, uint64_t at)
{
	uint32_t i = --t->handlers;
	if (i < HANDLERS_MAX)
		t->handled = t->handler[i].handled + (at - t->hidden - t->handler[i].at);
}

/* What has run since `at` is not to be seen. The last thing that a handler here does. */
static void section_hide(struct section_trace *t, uint64_t at)
{
	t->hidden += arch_instret() - at + TRACE_TAIL;
}

void section_irqs_off(uint64_t at, uintptr_t pc)
{
	struct section_trace *t = section_here();
	at -= TRACE_HEAD;
	section_begin(t, SECTION_IRQS_OFF, at, pc);
	section_preempt_begin(t, at, pc);
	section_hide(t, at);
}

void section_trap_entry(uint64_t at, uintptr_t pc)
{
	struct section_trace *t = section_here();
	at -= TRACE_HEAD;
	/* Between what turned them on and its call in here there may be a few instructions. */
	section_end(t, SECTION_IRQS_OFF, at - TRAP_HEAD, pc);
	if (arch_current()->preempt_count != 0)
		section_handler_comes(t, at - TRAP_HEAD);
	else
		section_preempt_end(t, at - TRAP_HEAD, pc);
	section_begin(t, SECTION_IRQS_OFF, at - TRAP_HEAD, pc);
	section_preempt_begin(t, at - TRAP_HEAD, pc);
	section_hide(t, at);
}

static void section_irqs_on_at(struct section_trace *t, uint64_t at, uintptr_t pc)
{
	section_end(t, SECTION_IRQS_OFF, at, pc);
	if (arch_current()->preempt_count == 0)
		section_preempt_end(t, at, pc);
}

void section_irqs_on(uint64_t at, uintptr_t pc)
{
	struct section_trace *t = section_here();
	at -= TRACE_HEAD;
	section_irqs_on_at(t, at, pc);
	section_hide(t, at);
}

void section_trap_exit(uint64_t at, uintptr_t pc)
{
	struct section_trace *t = section_here();
	at -= TRACE_HEAD;
	section_irqs_on_at(t, at + TRAP_TAIL, pc);
	if (arch_current()->preempt_count != 0)
		section_handler_goes(t, at + TRAP_TAIL);
	section_hide(t, at);
}

void section_preempt_off(uint64_t at, uintptr_t pc)
{
	struct section_trace *t = section_here();
	at -= TRACE_HEAD;
	section_preempt_begin(t, at, pc);
	section_hide(t, at);
}

void section_preempt_on(uint64_t at, uintptr_t pc)
{
	struct section_trace *t = section_here();
	at -= TRACE_HEAD;
	if (t->open[SECTION_IRQS_OFF].at == 0)
		section_preempt_end(t, at, pc);
	section_hide(t, at);
}

/* Interrupts and preemption are off, and stay off, but what has wanted a switch since is looked for here. */
void section_preempt_point(uint64_t at, uintptr_t pc)
{
	struct section_trace *t = section_here();
	at -= TRACE_HEAD;
	section_preempt_end(t, at, pc);
	section_preempt_begin(t, at, pc);
	section_hide(t, at);
}

void arch_trace_firmware(uint64_t begin)
{
	struct section_trace *t = section_here();
	uintptr_t here = (uintptr_t)__builtin_return_address(0);
	section_note(&t->list[SECTION_FIRMWARE], arch_instret() - begin, here, here);
	t->hidden += arch_instret() - begin;
}

bool arch_section_at(uint32_t cpu, enum arch_section_kind kind, size_t i, struct arch_section *out)
{
	const struct section_list *l = &cpu_of(section_trace, cpu).list[kind];
	if (i >= l->count)
		return false;
	*out = l->longest[i];
	return true;
}

void arch_section_reset(void)
{
	struct section_trace *t = section_here();
	for (unsigned kind = 0; kind < SECTION_KINDS; kind++)
		t->list[kind] = (struct section_list){0};
}
