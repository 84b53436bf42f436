/*
 * pool.c - objects of one size, O(1). In front of each pool every hart has a
 * magazine: the fast path turns interrupts off for about ten instructions and
 * takes no lock. Beyond it, batches of POOL_BATCH move under the pool's lock.
 *
 * A pool so small that the magazines of idle harts could hold a good part of it has
 * none: every call takes the lock. The others have spare objects for what lies in them.
 *
 * Locks: pool->lock (LOCK_POOL), interrupts off; registry_lock (LOCK_POOL), alone.
 * A pool without magazines keeps every hart's head NULL and its count at
 * MAGAZINE_MAX, so that the fast paths need no test for it.
 */
#include "kernel/diag/diag.h"
#include "kernel/mm/mm_priv.h"

static struct spinlock registry_lock = SPINLOCK_INIT(LOCK_POOL);
static struct pool *registry[CONFIG_POOL_MAX]; /* no holes before registry_count */
static size_t registry_count;

/* They stand at the beginning of the pool, a line each. */
static inline struct magazine *pool_magazine(struct pool *p)
{
	static_assert(offsetof(struct pool, magazine) == 0, "");
	return (struct magazine *)((char *)p + (CPU_MAX == 1 ? 0 : arch_cpu_line()));
}

static void *pool_take(struct pool *p)
{
	void *obj = p->free;
	if (obj) {
		p->free = *(void **)obj;
		p->free_count--;
	}
	return obj;
}

static inline void *pool_handed_out(struct pool *p, void *obj)
{
	if (config_on(CONFIG_DEBUG) && obj)
		pool_check_alloc(p, obj);
	return obj;
}

/*
 * The magazine is empty: an object from the pool, and a batch for the magazine. Interrupts
 * are off and restored here: tail-called, so that the fast path has no frame; `none` is
 * where the fast path has its result.
 */
static noinline void *pool_alloc_slow(unused void *none, struct magazine *m, irqflags flags)
{
	struct pool *p = m->pool;
	spin_lock_raw(&p->lock);
	void *obj = pool_take(p);
	if (!obj)
		p->failures++;
	else if (!p->has_magazines)
		p->direct_allocs++;
	else
		m->counts += MAGAZINE_ALLOC, m->moved++; /* through the magazine */
	for (int i = 1; i < POOL_BATCH && p->has_magazines && p->free; i++) {
		void *more = pool_take(p);
		*(void **)more = m->head;
		m->head = more;
		m->counts += MAGAZINE_HERE;
		m->moved++;
	}
	p->free_min = min(p->free_min, p->free_count);
	spin_unlock_irqrestore(&p->lock, flags);
	return pool_handed_out(p, obj);
}

static void pool_give(struct pool *p, void *obj)
{
	*(void **)obj = p->free;
	p->free = obj;
	p->free_count++;
}

/* The magazine is full: the object and a batch go to the pool. Interrupts as above. */
static noinline void pool_free_slow(struct pool *p, struct magazine *m, void *obj, irqflags flags)
{
	spin_lock_raw(&p->lock);
	if (p->has_magazines)
		m->moved--; /* one more free that left nothing here */
	else
		p->direct_frees++;
	pool_give(p, obj);
	for (int i = 1; i < POOL_BATCH && m->head; i++) {
		void *more = m->head;
		m->head = *(void **)more;
		m->counts -= MAGAZINE_HERE;
		m->moved--;
		pool_give(p, more);
	}
	spin_unlock_irqrestore(&p->lock, flags);
}

void *pool_alloc(struct pool *p)
{
	if (config_on(CONFIG_FAIL_ALLOC) && mm_should_fail()) {
		__atomic_fetch_add(&p->failures, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	debug_assert(p->flags & POOL_IRQ || !arch_in_interrupt());
	irqflags flags = arch_irq_save();
	struct magazine *m = pool_magazine(p);
	void *obj = m->head;
	if (unlikely(!obj))
		return pool_alloc_slow(obj, m, flags);
	m->head = *(void **)obj;
	m->counts += MAGAZINE_ALLOC - MAGAZINE_HERE;
	arch_irq_restore(flags);
	return pool_handed_out(p, obj);
}

void pool_free(struct pool *p, void *obj)
{
	debug_assert(p->flags & POOL_IRQ || !arch_in_interrupt());
	if (config_on(CONFIG_DEBUG))
		pool_check_free(p, obj);
	irqflags flags = arch_irq_save();
	struct magazine *m = pool_magazine(p);
	uint64_t counts = m->counts;
	if (unlikely(counts & MAGAZINE_MAX)) {
		pool_free_slow(p, m, obj, flags);
		return;
	}
	*(void **)obj = m->head;
	m->head = obj;
	m->counts = counts + MAGAZINE_HERE;
	arch_irq_restore(flags);
}

/* ---- making and ending ---- */

static size_t pool_chunk_objects(const struct pool *p, size_t head, size_t wanted)
{
	size_t room = ((PAGE_SIZE << PAGE_ORDER_MAX) - head) / p->stride;
	return min(room, wanted);
}

/* Where the first object of a chunk stands: behind the pool and its bitmap in the first one. */
static size_t pool_head_bytes(const struct pool *p, size_t align)
{
	size_t bytes = p->chunk_count ? 0 : sizeof(*p);
	if (config_on(CONFIG_DEBUG) && p->chunk_count == 0)
		bytes += div_up(p->objects, 64) * sizeof(uint64_t);
	return align_up(bytes, max(align, (size_t)CACHE_LINE));
}

/* One more chunk of memory; the pool's own place in it is at the beginning of the first. */
static bool pool_add_chunk(struct pool *p, size_t align, size_t wanted)
{
	size_t head = pool_head_bytes(p, align);
	if (p->chunk_count == POOL_CHUNK_MAX || head + p->stride > PAGE_SIZE << PAGE_ORDER_MAX)
		return false;
	size_t count = pool_chunk_objects(p, head, wanted);
	size_t pages = div_up(head + count * p->stride, PAGE_SIZE);
	uint8_t *mem = page_alloc_run(pages);
	if (!mem)
		return false;
	p->chunk[p->chunk_count++] = (struct pool_chunk){mem + head, count, mem, pages};
	return true;
}

static void pool_release(struct pool *p)
{
	for (size_t i = p->chunk_count; i-- > 0;) {
		struct pool_chunk c = p->chunk[i];
		page_free_run(c.pages, c.page_count); /* the first, freed last, holds p */
	}
}

/* With magazines, what idle harts may keep is there on top. */
static void pool_size(struct pool *p, size_t capacity)
{
	size_t kept = (size_t)MAGAZINE_MAX * (cpu_count() - 1);
	p->has_magazines = kept == 0 || capacity >= 2 * kept;
	p->capacity = capacity;
	p->objects = capacity + (p->has_magazines ? kept : 0);
}

static void pool_fill(struct pool *p)
{
	for (size_t i = 0; i < CPU_MAX; i++) {
		p->magazine[i].pool = p;
		if (!p->has_magazines)
			p->magazine[i].counts = MAGAZINE_MAX;
	}
	for (size_t c = p->chunk_count; c-- > 0;)
		for (size_t i = p->chunk[c].count; i-- > 0;) {
			void *obj = p->chunk[c].objects + i * p->stride;
			pool_check_made(p, obj);
			pool_give(p, obj);
		}
	p->free_min = p->free_count;
}

static bool pool_register(struct pool *p)
{
	irqflags flags = spin_lock_irqsave(&registry_lock);
	bool room = registry_count < CONFIG_POOL_MAX;
	if (room)
		registry[registry_count++] = p;
	spin_unlock_irqrestore(&registry_lock, flags);
	return room;
}

struct pool *pool_create(struct str name, size_t size, size_t align, size_t capacity, unsigned flags)
{
	assert(is_pow2(align) && align <= PAGE_SIZE && size > 0 && size <= PAGE_SIZE && capacity > 0);
	struct pool made = {.name = name, .size = size, .flags = flags};
	align = max(align, sizeof(void *));
	made.stride = align_up(max(size, sizeof(void *)) + POOL_TAIL, align);
	pool_size(&made, capacity);
	for (size_t left = made.objects; left > 0; left -= made.chunk[made.chunk_count - 1].count)
		if (!pool_add_chunk(&made, align, left)) {
			pool_release(&made);
			return NULL;
		}

	struct pool *p = made.chunk[0].pages;
	assert(p); /* the loop made a chunk at least: there are objects */
	*p = made;
	spin_init(&p->lock, LOCK_POOL);
	if (config_on(CONFIG_DEBUG)) {
		p->in_use = (uint64_t *)(p + 1);
		memset(p->in_use, 0, div_up(p->objects, 64) * sizeof(uint64_t));
	}
	pool_fill(p);
	if (!pool_register(p)) {
		pool_release(&made);
		return NULL;
	}
	return p;
}

void pool_destroy(struct pool *p)
{
	struct pool_stats s;
	pool_stats(p, &s);
	assert(s.used == 0);
	irqflags flags = spin_lock_irqsave(&registry_lock);
	for (size_t i = 0; i < registry_count; i++)
		if (registry[i] == p) {
			registry[i] = registry[--registry_count];
			break;
		}
	spin_unlock_irqrestore(&registry_lock, flags);
	struct pool gone = *p;
	pool_release(&gone);
}

void pool_stats(const struct pool *p, struct pool_stats *out)
{
	uint64_t allocs = p->direct_allocs, used = p->direct_allocs - p->direct_frees;
	for (uint32_t cpu = 0; p->has_magazines && cpu < cpu_count(); cpu++) {
		const struct magazine *m = &p->magazine[cpu];
		allocs += m->counts / MAGAZINE_ALLOC;
		used += m->moved - magazine_here(m);
	}
	*out = (struct pool_stats){
		.name = p->name,
		.object_bytes = p->size,
		.capacity = p->capacity,
		.used = (int64_t)used > 0 ? used : 0, /* harts go on while they are counted */
		.peak = p->objects - p->free_min,
		.allocs = allocs,
		.failures = p->failures,
	};
}

bool pool_stats_at(size_t i, struct pool_stats *out)
{
	irqflags flags = spin_lock_irqsave(&registry_lock);
	bool there = i < registry_count;
	if (there)
		pool_stats(registry[i], out);
	spin_unlock_irqrestore(&registry_lock, flags);
	return there;
}
