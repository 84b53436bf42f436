/*
 * rng.c - random bytes: ChaCha20 with fast key erasure. Each request makes a
 * block from the key, of which the first half becomes the next key at once: who
 * reads the memory later learns nothing about what was handed out before.
 *
 * Entropy is hashed into the key: the block function is run over the key with the
 * bytes folded in, 32 at a time, so that nothing that was there before is lost.
 * Sources: the device tree's rng-seed, virtio-rng, the time of each call.
 *
 * Locks: LOCK_RNG, interrupts off for one block (about 1,000 instructions) at a time.
 * Reference: D. J. Bernstein, "Fast-key-erasure random-number generators" (2017).
 */
#include "kernel/dev/dev.h"
#include "kernel/diag/diag.h"
#include "lib/chacha20.h"
#include "lib/initcall.h"
#include "lib/unaligned.h"

static struct spinlock rng_lock = SPINLOCK_INIT(LOCK_RNG);
static uint8_t rng_key[CHACHA20_KEY_BYTES]; /* rng_lock */

/* Not optimized away, as a memset of what is not read again would be. */
static void rng_erase(uint8_t block[CHACHA20_BLOCK_BYTES])
{
	memset(block, 0, CHACHA20_BLOCK_BYTES);
	__asm__ volatile("" : : "r"(block) : "memory");
}

/* A block; its first half replaces the key. */
static void rng_block_locked(uint8_t block[CHACHA20_BLOCK_BYTES], uint32_t counter)
{
	uint8_t nonce[CHACHA20_NONCE_BYTES] = {0};
	store_le64(nonce, arch_instret() ^ (uint64_t)arch_clock().ns << 20);
	chacha20_block(rng_key, nonce, counter, block);
	memcpy(rng_key, block, sizeof(rng_key));
}

void rng_add_entropy(struct rbuf bytes)
{
	uint8_t block[CHACHA20_BLOCK_BYTES];
	for (size_t at = 0; at < bytes.len; at += sizeof(rng_key)) {
		struct rbuf piece = rbuf_slice(bytes, at, at + sizeof(rng_key));
		irqflags flags = spin_lock_irqsave(&rng_lock);
		for (size_t i = 0; i < piece.len; i++)
			rng_key[i] ^= piece.ptr[i];
		rng_block_locked(block, (uint32_t)piece.len + 1);
		spin_unlock_irqrestore(&rng_lock, flags);
		rng_erase(block);
	}
}

void rng_fill(void *out, size_t len)
{
	uint8_t *to = out;
	while (len > 0) {
		uint8_t block[CHACHA20_BLOCK_BYTES];
		size_t n = min(len, sizeof(block) - sizeof(rng_key));
		irqflags flags = spin_lock_irqsave(&rng_lock);
		rng_block_locked(block, 0);
		spin_unlock_irqrestore(&rng_lock, flags);
		memcpy(to, block + sizeof(rng_key), n);
		rng_erase(block);
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
