/* Host tests of lib/checksum.h: against the definition, 16 bits at a time. */
#include <string.h>
#include "tests/host/test.h"
#include "lib/checksum.h"
#include "lib/unaligned.h"

static uint16_t naive(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < n; i++) {
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)~sum;
}

TEST(checksum_example_of_rfc1071)
{
	static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	CHECK_EQ(checksum_of(bytes, sizeof(bytes)), (uint16_t)~0xddf2);
	CHECK_EQ(checksum_of(NULL, 0), 0xffff);
}

TEST(checksum_of_an_ip_header)
{
	uint8_t header[] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0x00, 0x00,
		0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
	CHECK_EQ(checksum_of(header, sizeof(header)), 0xb861);
	store_be16(header + 10, 0xb861);
	CHECK_EQ(checksum_of(header, sizeof(header)), 0);
	/* One hop less to live. */
	uint16_t updated = checksum_update16(0xb861, 0x4011, 0x3f11);
	header[8]--;
	store_be16(header + 10, updated);
	CHECK_EQ(checksum_of(header, sizeof(header)), 0);
}

/* Random bytes, or all ones and zeros, which make the most carries. */
static void fill(struct test_rng *rng, uint8_t *p, size_t n)
{
	uint64_t kind = test_below(rng, 3);
	for (size_t i = 0; i < n; i++)
		p[i] = kind == 0 ? 0xff : kind == 1 ? -(test_u64(rng) & 1) : test_u64(rng);
}

TEST(checksum_in_pieces_at_any_address)
{
	struct test_rng rng = test_rng(test_seed());
	uint8_t area[600];

	for (int round = 0; round < 50000; round++) {
		size_t at = test_below(&rng, 9);
		size_t n = test_below(&rng, test_below(&rng, 2) ? 40 : 590);
		uint8_t *data = area + at;
		fill(&rng, data, n);
		CHECK_EQ(checksum_of(data, n), naive(data, n));

		struct checksum c = CHECKSUM_INIT;
		for (size_t done = 0; done < n;) {
			size_t piece = 1 + test_below(&rng, n - done);
			checksum_add(&c, data + done, piece);
			checksum_add(&c, NULL, 0);
			done += piece;
		}
		CHECK_EQ(checksum_finish(&c), naive(data, n));
	}
}

TEST(checksum_of_fields)
{
	struct test_rng rng = test_rng(test_seed());
	for (int round = 0; round < 10000; round++) {
		uint8_t data[19];
		fill(&rng, data, sizeof(data));
		struct checksum c = CHECKSUM_INIT;
		checksum_add_be32(&c, load_be32(data));
		checksum_add_be16(&c, load_be16(data + 4));
		checksum_add_be32(&c, load_be32(data + 6));
		checksum_add(&c, data + 10, 9);
		CHECK_EQ(checksum_finish(&c), naive(data, sizeof(data)));
	}
}

TEST(checksum_long_data)
{
	static uint8_t data[1 << 20];
	memset(data, 0xff, sizeof(data));
	data[7] = 0x12;
	CHECK_EQ(checksum_of(data, sizeof(data)), naive(data, sizeof(data)));
	struct checksum c = CHECKSUM_INIT;
	for (int i = 0; i < 64; i++)
		checksum_add(&c, data + 8, sizeof(data) - 8);
	CHECK_EQ(checksum_finish(&c), 0);
}

TEST(checksum_update_equals_recomputation)
{
	struct test_rng rng = test_rng(test_seed());
	for (int round = 0; round < 50000; round++) {
		uint8_t data[20];
		fill(&rng, data, sizeof(data));
		data[0] = 0x45; /* as in any header: not all zero, where two checksums are right */
		store_be16(data + 18, 0);
		uint16_t before = checksum_of(data, sizeof(data));
		size_t at = 2 + 2 * test_below(&rng, 6);
		uint32_t to = (uint32_t)test_u64(&rng), from = load_be32(data + at);
		uint16_t after;
		if (round & 1) {
			store_be32(data + at, to);
			after = checksum_update32(before, from, to);
		} else {
			store_be16(data + at, (uint16_t)to);
			after = checksum_update16(before, (uint16_t)(from >> 16), (uint16_t)to);
		}
		store_be16(data + 18, after);
		CHECK_EQ(checksum_of(data, sizeof(data)), 0);
	}
}
