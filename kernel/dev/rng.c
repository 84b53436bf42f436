/*
 * rng.c - random bytes: ChaCha20 with fast key erasure. Each request makes a
 * block from the key, of which the first half becomes the next key at once: who
 * reads the memory later learns nothing about what was handed out before.
 *
 * Entropy is hashed into the key: the block function is run over the key with the
 * bytes folded in, 32 at a time, so that nothing that was there before is lost.
 * Sources: the device tree's rng-seed, virtio-rng, the time of each call.
 *
 * Locks: LOCK_RNG, interrupts off for a copy of the key (CHACHA20_KEY_BYTES); the block is computed
 * outside, see rng_core.h.
 * Reference: D. J. Bernstein, "Fast-key-erasure random-number generators" (2017).
 */
#include "kernel/dev/dev.h"
#include "kernel/dev/rng_core.h"
#include "kernel/diag/diag.h"
#include "lib/initcall.h"

static struct spinlock rng_lock = SPINLOCK_INIT(LOCK_RNG);
static struct rng_core rng; /* rng_lock */

/* Not optimized away, as a memset of what is not read again would be. */
static void rng_erase(void *secret, size_t len)
{
	memset(secret, 0, len);
	__asm__ volatile("" : : "r"(secret) : "memory");
}

/* A block, into which and into the next key goes what is added; NULL: nothing. */
static void rng_draw(uint8_t block[CHACHA20_BLOCK_BYTES], const struct rng_key *added)
{
	struct rng_ticket t;
	struct rng_key next;
	irqflags flags = spin_lock_irqsave(&rng_lock);
	if (added)
		rng_fold(&rng, added);
	rng_begin(&rng, &t);
	spin_unlock_irqrestore(&rng_lock, flags);
	rng_block(&t, arch_instret() ^ (uint64_t)arch_clock().ns << 20, block, &next);
	flags = spin_lock_irqsave(&rng_lock);
	rng_end(&rng, &next, t.epoch);
	spin_unlock_irqrestore(&rng_lock, flags);
	rng_erase(&t, sizeof(t));
	rng_erase(&next, sizeof(next));
}

void rng_add_entropy(struct rbuf bytes)
{
	uint8_t block[CHACHA20_BLOCK_BYTES];
	for (size_t at = 0; at < bytes.len; at += CHACHA20_KEY_BYTES) {
		struct rbuf piece = rbuf_slice(bytes, at, at + CHACHA20_KEY_BYTES);
		struct rng_key added = {{0}};
		memcpy(&added, piece.ptr, piece.len);
		rng_draw(block, &added);
		rng_erase(block, sizeof(block));
		rng_erase(&added, sizeof(added));
	}
}

void rng_fill(void *out, size_t len)
{
	uint8_t *to = out;
	while (len > 0) {
		uint8_t block[CHACHA20_BLOCK_BYTES];
		size_t n = min(len, sizeof(block) - CHACHA20_KEY_BYTES);
		rng_draw(block, NULL);
		memcpy(to, block + CHACHA20_KEY_BYTES, n);
		rng_erase(block, sizeof(block));
		to += n;
		len -= n;
	}
}

uint64_t rng_u64(void)
{
	uint64_t v;
	rng_fill(&v, sizeof(v));
	return v;
}

static enum err rng_init(void)
{
	if (machine.rng_seed.len == 0)
		klog(LOG_WARN, "rng: the device tree has no rng-seed; only timing until a device is found");
	rng_add_entropy(machine.rng_seed);
	return OK;
}
INITCALL(rng, rng_init, NULL);
