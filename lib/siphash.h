/*
 * siphash.h - SipHash-2-4: a keyed 64-bit hash. Who does not know the key can
 * neither predict nor collide it: for hash tables that are filled by strangers,
 * initial sequence numbers, SYN cookies.
 *
 * Context: any. Reference: Aumasson, Bernstein, "SipHash: a fast short-input PRF".
 */
#ifndef LIB_SIPHASH_H
#define LIB_SIPHASH_H

#include "lib/base.h"

struct siphash_key {
	uint64_t k[2];
};

must_check uint64_t siphash(const struct siphash_key *key, const void *ptr, size_t len);

#endif
