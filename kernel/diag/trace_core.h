/*
 * trace_core.h - the trace: records of what happened, in one ring for each hart, the oldest
 * overwritten by the newest.
 *
 *	trace_ring_put(&ring, &record);           its hart, interrupts off
 *	trace_ring_get(&ring, n, &record);        anybody, while it is written
 *	trace_merge_begin(&m, rings, count, seq); all rings as one, in the order in which things happened
 *	while (trace_merge_next(&m, &record)) ...
 *
 * The sequence number of a record is one more than that of the record before it on whatever hart.
 * Who holds a lock takes it under that lock, so it orders records as the lock ordered the events, and an
 * IPI's sending before its arrival, which times, a tick of 100 ns, do not.
 *
 * Numbers of records in a ring count from 0 and never wrap (2^64). The newest size - 1 can be read: the
 * slot behind them may be in the middle of being written.
 *
 * Pure. Bounds: a put is one copy; a get two loads and one copy; a merge looks once at each ring and
 * passes over what was overwritten in one step.
 */
#ifndef KERNEL_DIAG_TRACE_CORE_H
#define KERNEL_DIAG_TRACE_CORE_H

#include "lib/base.h"
#include "lib/str.h"

/*
 * What happened: X(name, text). `cpu` is the hart that it concerns, `by` the one that did it. Ranks are
 * the scheduler's: the less, the more urgent (kernel/sched/runq_core.h).
 *
 *	               tid      a                         b          detail
 *	SWITCH         entered  its rank                  tid left   1: another decision is due
 *	STAY           running  its rank                             the same; it could have been preempted, and was not
 *	ENQUEUE        which    its rank                  affinity   domain; now in the queue of `cpu`
 *	DEQUEUE        which                                         in it no more
 *	MIGRATE        which    hart that it comes from              before its ENQUEUE
 *	RANK           which    rank, by inheritance or a change of its own
 *	PUT_OFF                                                      too many to park at once: the next decision is idle
 *	PARK, UNPARK   which                                         domain; READY, but may not run: or may again
 *	THROTTLE       which                                         its server has nothing left
 *	REPLENISH      which                                         its server is active
 *	BARS                    bit per domain that may not run on `cpu`
 *	RESCHED                                                      `by` has to decide anew
 *	IPI_SENT                                                     that `cpu` is to decide anew; before it is sent
 *	IPI_RECEIVED            how often preemption is off
 *	IRQ_ENTER
 *	IRQ_EXIT                how often preemption is off
 *	WINDOW                  1: begins, 0: ends                   interrupts are let in on the way to a decision
 *	LEAVE                   1: may be preempted here             an operation of the scheduler ends
 *	PULLED                                                       `cpu` has looked at what waits elsewhere
 *	BEGIN          running                                       what follows, `by` the same, is how `cpu` stands
 */
#define TRACE_EVENTS(X)                                                                            \
	X(TRACE_SWITCH, "switch")                                                                  \
	X(TRACE_STAY, "stay")                                                                      \
	X(TRACE_ENQUEUE, "enqueue")                                                                \
	X(TRACE_DEQUEUE, "dequeue")                                                                \
	X(TRACE_MIGRATE, "migrate")                                                                \
	X(TRACE_RANK, "rank")                                                                      \
	X(TRACE_PUT_OFF, "put_off")                                                                \
	X(TRACE_PARK, "park")                                                                      \
	X(TRACE_UNPARK, "unpark")                                                                  \
	X(TRACE_THROTTLE, "throttle")                                                              \
	X(TRACE_REPLENISH, "replenish")                                                            \
	X(TRACE_BARS, "bars")                                                                      \
	X(TRACE_RESCHED, "resched")                                                                \
	X(TRACE_IPI_SENT, "ipi_sent")                                                              \
	X(TRACE_IPI_RECEIVED, "ipi_received")                                                      \
	X(TRACE_IRQ_ENTER, "irq_enter")                                                            \
	X(TRACE_IRQ_EXIT, "irq_exit")                                                              \
	X(TRACE_WINDOW, "window")                                                                  \
	X(TRACE_LEAVE, "leave")                                                                    \
	X(TRACE_PULLED, "pulled")                                                                  \
	X(TRACE_BEGIN, "begin")

#define TRACE_EVENT_NAME(name, text) name,
enum trace_event { TRACE_EVENTS(TRACE_EVENT_NAME) TRACE_EVENT_COUNT };
#undef TRACE_EVENT_NAME

struct trace_record {
	uint64_t seq;
	int64_t time_ns;
	uint64_t a, b;
	uint32_t tid;
	uint8_t event;
	uint8_t detail;
	uint8_t cpu, by;
};

struct trace_ring {
	uint64_t head; /* atomic: how many were written */
	uint64_t size; /* a power of two */
	struct trace_record *slots;
} aligned_to(CACHE_LINE);

struct str trace_event_name(unsigned event);

static inline void trace_ring_put(struct trace_ring *r, const struct trace_record *record)
{
	uint64_t head = r->head;
	__atomic_thread_fence(__ATOMIC_RELEASE); /* the head of before is seen by whoever sees this: pairs with trace_ring_get */
	r->slots[head & (r->size - 1)] = *record;
	__atomic_store_n(&r->head, head + 1, __ATOMIC_RELEASE); /* pairs with trace_ring_get */
}

enum trace_got { TRACE_GOT, TRACE_NOT_YET, TRACE_GONE };
enum trace_got trace_ring_get(const struct trace_ring *r, uint64_t n, struct trace_record *out);
/* The number of the oldest record that can be read, which is also how many were overwritten. */
uint64_t trace_ring_oldest(const struct trace_ring *r);

#define TRACE_RINGS_MAX 64

struct trace_merge {
	const struct trace_ring *rings;
	uint32_t count;
	uint64_t expected;              /* sequence number of the next */
	uint64_t next[TRACE_RINGS_MAX]; /* number in each ring */
	uint64_t missed;                /* overwritten before they were read, and not yet passed over here */
	uint64_t lost;                  /* passed over, all together */
};

/* From sequence number `seq` on; what is older is passed over. */
void trace_merge_begin(struct trace_merge *m, const struct trace_ring *rings, uint32_t count, uint64_t seq);
/*
 * The next. False: there is none yet, or its hart is just writing it. What was overwritten is passed over and counted in
 * `lost`; a record that is being written in the same moment may then be taken for one of those.
 */
must_check bool trace_merge_next(struct trace_merge *m, struct trace_record *out);

#endif
