/* trace_core.c - rings of records, and all rings as one; see trace_core.h. */
#include "kernel/diag/trace_core.h"
#include "lib/assert.h"

struct str trace_event_name(unsigned event)
{
#define NAME(name, text) STR_INIT(text),
	static const struct str names[] = {TRACE_EVENTS(NAME)};
#undef NAME
	return event < TRACE_EVENT_COUNT ? names[event] : S("unknown");
}

static uint64_t trace_head(const struct trace_ring *r)
{
	return __atomic_load_n(&r->head, __ATOMIC_ACQUIRE); /* pairs with trace_ring_put */
}

uint64_t trace_ring_oldest(const struct trace_ring *r)
{
	uint64_t head = trace_head(r);
	return head < r->size ? 0 : head - r->size + 1;
}

enum trace_got trace_ring_get(const struct trace_ring *r, uint64_t n, struct trace_record *out)
{
	if (n >= trace_head(r))
		return TRACE_NOT_YET;
	*out = r->slots[n & (r->size - 1)];
	__atomic_thread_fence(__ATOMIC_ACQUIRE); /* pairs with trace_ring_put: was it overwritten meanwhile? */
	return n < trace_ring_oldest(r) ? TRACE_GONE : TRACE_GOT;
}

void trace_merge_begin(struct trace_merge *m, const struct trace_ring *rings, uint32_t count, uint64_t seq)
{
	assert(count <= TRACE_RINGS_MAX);
	*m = (struct trace_merge){.rings = rings, .count = count, .expected = seq};
}

/* The next of ring i that was not passed over already; false: none yet. */
static bool trace_merge_peek(struct trace_merge *m, uint32_t i, struct trace_record *out)
{
	const struct trace_ring *r = &m->rings[i];
	for (;;) {
		switch (trace_ring_get(r, m->next[i], out)) {
		case TRACE_NOT_YET:
			return false;
		case TRACE_GONE: {
			uint64_t oldest = trace_ring_oldest(r);
			m->missed += oldest - m->next[i];
			m->next[i] = oldest;
			break;
		}
		case TRACE_GOT:
			if (out->seq >= m->expected)
				return true;
			m->next[i]++;
		}
	}
}

bool trace_merge_next(struct trace_merge *m, struct trace_record *out)
{
	struct trace_record r;
	uint32_t from = m->count;
	for (uint32_t i = 0; i < m->count; i++) {
		if (trace_merge_peek(m, i, &r) && (from == m->count || r.seq < out->seq)) {
			*out = r;
			from = i;
			if (r.seq == m->expected)
				break;
		}
	}
	if (from == m->count)
		return false;
	uint64_t missing = out->seq - m->expected;
	if (missing > m->missed)
		return false;
	m->missed -= missing;
	m->lost += missing;
	m->expected = out->seq + 1;
	m->next[from]++;
	return true;
}
