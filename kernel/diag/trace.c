/*
 * trace.c - the rings of this machine's harts.
 *
 * Locks: none. A hart writes its own ring, interrupts off, so that no handler writes in the middle of a
 * record. The sequence is one counter for all harts: that is what makes one order of all, and is the part that harts
 * share.
 */
#include "kernel/diag/trace.h"
#include "kernel/diag/diag_priv.h"

static_assert(is_pow2(CONFIG_TRACE_RECORDS), "the ring's index is a mask");
static_assert(sizeof(struct trace_ring) == CACHE_LINE, "found by arch_cpu_line()");
static_assert(CPU_MAX <= TRACE_RINGS_MAX, "a merge has a place for each");

static struct trace_record records[CPU_MAX][CONFIG_TRACE_RECORDS];
static struct trace_ring rings[CPU_MAX];
static uint64_t began_at[CPU_MAX]; /* what head was when the mode was set, */
static uint64_t began_seq;         /* and the sequence number */
static uint64_t next_seq;           /* atomic */
static uint32_t mode;               /* atomic: enum trace_mode */

/* ONCE: there is room for one more. */
static bool trace_has_room(const struct trace_ring *r)
{
	return r->head - began_at[r - rings] < CONFIG_TRACE_RECORDS - 1;
}

void trace_event(unsigned what, uint32_t cpu, uint32_t tid, uint64_t a, uint64_t b)
{
	uint32_t now = __atomic_load_n(&mode, __ATOMIC_RELAXED);
	if (now == TRACE_OFF)
		return;
	irqflags flags = arch_irq_save();
	struct trace_ring *r = (struct trace_ring *)((char *)rings + arch_cpu_line());
	struct trace_record record = {
		.seq = __atomic_fetch_add(&next_seq, 1, __ATOMIC_ACQ_REL),
		.time_ns = arch_clock().ns,
		.a = a,
		.b = b,
		.tid = tid,
		.event = (uint8_t)what,
		.detail = (uint8_t)(what >> 8),
		.cpu = (uint8_t)cpu,
		.by = (uint8_t)arch_cpu(),
	};
	if (likely(now == TRACE_ON || trace_has_room(r)))
		trace_ring_put(r, &record);
	else
		__atomic_store_n(&mode, TRACE_OFF, __ATOMIC_RELAXED);
	arch_irq_restore(flags);
}

uint64_t trace_set_mode(enum trace_mode wanted)
{
	uint64_t end = __atomic_load_n(&next_seq, __ATOMIC_ACQUIRE);
	__atomic_store_n(&mode, TRACE_OFF, __ATOMIC_SEQ_CST);
	if (wanted == TRACE_OFF)
		return end;
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		began_at[cpu] = __atomic_load_n(&rings[cpu].head, __ATOMIC_ACQUIRE);
	began_seq = __atomic_load_n(&next_seq, __ATOMIC_ACQUIRE);
	__atomic_store_n(&mode, wanted, __ATOMIC_RELEASE);
	return end;
}

unsigned trace_fill(void)
{
	uint64_t most = 0;
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		most = max(most, __atomic_load_n(&rings[cpu].head, __ATOMIC_RELAXED) - began_at[cpu]);
	return (unsigned)(most * 100 / CONFIG_TRACE_RECORDS);
}

void trace_read_begin(struct trace_merge *m)
{
	trace_merge_begin(m, rings, cpu_count(), began_seq);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		m->next[cpu] = began_at[cpu];
}

uint64_t trace_overwritten(void)
{
	uint64_t sum = 0;
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		sum += trace_ring_oldest(&rings[cpu]);
	return sum;
}

void trace_init(void)
{
	for (uint32_t cpu = 0; cpu < CPU_MAX; cpu++)
		rings[cpu] = (struct trace_ring){.size = CONFIG_TRACE_RECORDS, .slots = records[cpu]};
	__atomic_store_n(&mode, TRACE_ON, __ATOMIC_RELEASE);
}
