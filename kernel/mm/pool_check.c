/*
 * pool_check.c - debug builds: whether what comes back to a pool was handed out by
 * it, and whether anybody wrote where he must not.
 *
 * A bit for each object says that it is in use; a magic word stands behind each;
 * with CONFIG_DEBUG_POISON a free object is filled, all but its first word.
 */
#include "kernel/diag/diag.h"
#include "kernel/mm/mm_priv.h"

#define POOL_MAGIC  UINT64_C(0x6d617a75706f6f6c)
#define POOL_POISON 0x5a

static uint64_t *pool_magic(const struct pool *p, const void *obj)
{
	return (uint64_t *)((uintptr_t)obj + p->stride - sizeof(uint64_t));
}

/* The object's number; p->objects when it is none of the pool's. */
static size_t pool_index(const struct pool *p, const void *obj)
{
	size_t first = 0;
	for (size_t c = 0; c < p->chunk_count; first += p->chunk[c++].count) {
		size_t offset = (uintptr_t)obj - (uintptr_t)p->chunk[c].objects;
		if (offset < p->chunk[c].count * p->stride)
			return offset % p->stride ? p->objects : first + offset / p->stride;
	}
	return p->objects;
}

static void pool_poison(const struct pool *p, void *obj)
{
	if (config_on(CONFIG_DEBUG_POISON) && p->size > sizeof(void *))
		memset((uint8_t *)obj + sizeof(void *), POOL_POISON, p->size - sizeof(void *));
}

void pool_check_made(struct pool *p, void *obj)
{
	*pool_magic(p, obj) = POOL_MAGIC;
	pool_poison(p, obj);
}

void pool_check_alloc(struct pool *p, void *obj)
{
	size_t i = pool_index(p, obj);
	if (i == p->objects)
		panic("pool %.*s: its list of free objects is destroyed", STR_ARG(p->name));
	uint64_t bit = UINT64_C(1) << i % 64;
	assert(!(__atomic_fetch_or(&p->in_use[i / 64], bit, __ATOMIC_RELAXED) & bit));
	for (size_t k = sizeof(void *); config_on(CONFIG_DEBUG_POISON) && k < p->size; k++)
		if (((uint8_t *)obj)[k] != POOL_POISON)
			panic("pool %.*s: object %p was written at byte %zu after its free",
				STR_ARG(p->name), obj, k);
	if (*pool_magic(p, obj) != POOL_MAGIC)
		panic("pool %.*s: something wrote behind %p", STR_ARG(p->name), obj);
}

enum pool_verdict pool_judge_free(const struct pool *p, const void *obj)
{
	size_t i = pool_index(p, obj);
	if (i == p->objects)
		return POOL_FOREIGN;
	if (!(__atomic_load_n(&p->in_use[i / 64], __ATOMIC_RELAXED) >> i % 64 & 1))
		return POOL_NOT_IN_USE;
	return *pool_magic(p, obj) == POOL_MAGIC ? POOL_FINE : POOL_OVERRUN;
}

void pool_check_free(struct pool *p, void *obj)
{
	static const char *const text[] = {
		[POOL_FOREIGN] = "is none of its objects",
		[POOL_NOT_IN_USE] = "is freed twice",
		[POOL_OVERRUN] = "was written beyond its end",
	};
	enum pool_verdict v = pool_judge_free(p, obj);
	if (v != POOL_FINE)
		panic("pool %.*s: %p %s", STR_ARG(p->name), obj, text[v]);
	size_t i = pool_index(p, obj);
	__atomic_fetch_and(&p->in_use[i / 64], ~(UINT64_C(1) << i % 64), __ATOMIC_RELAXED);
	pool_poison(p, obj);
}
