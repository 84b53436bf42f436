/*
 * packet_core.c - the fragments of a packet: pushing, pulling, cutting, counting
 * references. Allocation is in packet.c.
 *
 * Invariants: len is the sum of the fragments' lengths; a fragment has memory, and
 * only frag[0] may be empty.
 */
#include "kernel/dev/packet.h"
#include "lib/assert.h"

void packet_mem_get(struct packet_mem *m)
{
	uint32_t before = __atomic_fetch_add(&m->refs, 1, __ATOMIC_RELAXED);
	assert(before != 0 && before != UINT32_MAX);
}

/* Release pairs with acquire below: what other holders did to the bytes is done when they are freed. */
void packet_mem_put(struct packet_mem *m)
{
	uint32_t before = __atomic_fetch_sub(&m->refs, 1, __ATOMIC_ACQ_REL);
	assert(before != 0);
	if (before == 1)
		m->free(m);
}

void packet_check(const struct packet *p)
{
	size_t len = 0;
	if (!config_on(CONFIG_DEBUG))
		return;
	debug_assert(p->frag_count >= 1 && p->frag_count <= PACKET_FRAGS);
	for (size_t i = 0; i < p->frag_count; i++) {
		debug_assert(p->frag[i].mem != NULL && (i == 0 || p->frag[i].len != 0));
		len += p->frag[i].len;
	}
	debug_assert(len == p->len);
}

uint8_t *packet_push(struct packet *p, size_t n)
{
	assert(n <= p->headroom);
	p->headroom -= (uint16_t)n;
	p->frag[0].ptr -= n;
	p->frag[0].len += (uint32_t)n;
	p->len += (uint32_t)n;
	return p->frag[0].ptr;
}

uint8_t *packet_pull(struct packet *p, size_t n)
{
	struct packet_frag *f = &p->frag[0];
	if (n > f->len)
		return NULL;
	uint8_t *was = f->ptr;
	f->ptr += n;
	f->len -= (uint32_t)n;
	p->len -= (uint32_t)n;
	p->headroom += (uint16_t)n;
	return was;
}

uint8_t *packet_append(struct packet *p, size_t n)
{
	assert(p->frag_count == 1);
	if (n > p->tailroom)
		return NULL;
	uint8_t *at = p->frag[0].ptr + p->frag[0].len;
	p->tailroom -= (uint16_t)n;
	p->frag[0].len += (uint32_t)n;
	p->len += (uint32_t)n;
	return at;
}

enum err packet_add_ref(struct packet *p, struct packet_mem *mem, const uint8_t *ptr, size_t len)
{
	assert(len <= UINT16_MAX);
	if (len == 0)
		return OK;
	if (p->frag_count == PACKET_FRAGS)
		return ERR_NOSPC;
	packet_mem_get(mem);
	p->frag[p->frag_count++] = (struct packet_frag){mem, (uint8_t *)(uintptr_t)ptr, (uint32_t)len};
	p->len += (uint32_t)len;
	packet_check(p);
	return OK;
}

void packet_trim(struct packet *p, size_t len)
{
	while (p->len > len) {
		struct packet_frag *f = &p->frag[p->frag_count - 1];
		uint32_t cut = (uint32_t)min((size_t)f->len, (size_t)(p->len - len));
		f->len -= cut;
		p->len -= cut;
		if (p->frag_count == 1)
			p->tailroom += (uint16_t)cut;
		else if (f->len == 0) {
			packet_mem_put(f->mem);
			p->frag_count--;
		}
	}
	packet_check(p);
}

size_t packet_copy_out(const struct packet *p, size_t offset, struct wbuf to)
{
	size_t done = 0;
	for (size_t i = 0; i < p->frag_count && done < to.len; i++) {
		const struct packet_frag *f = &p->frag[i];
		if (offset >= f->len) {
			offset -= f->len;
			continue;
		}
		size_t n = min(f->len - offset, to.len - done);
		memcpy(to.ptr + done, f->ptr + offset, n);
		done += n;
		offset = 0;
	}
	return done;
}

void packet_release_frags(struct packet *p)
{
	for (size_t i = 0; i < p->frag_count; i++)
		if (p->frag[i].mem != &p->self)
			packet_mem_put(p->frag[i].mem);
	p->frag_count = 0;
	p->len = 0;
}
