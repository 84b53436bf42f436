/* Host tests of lib/chacha20.h: the vectors of RFC 8439. */
#include "tests/host/test.h"
#include "lib/chacha20.h"
#include "lib/unaligned.h"

/* Section 2.3.2 */
TEST(chacha20_block_of_rfc8439)
{
	static const uint8_t nonce[12] = {0, 0, 0, 9, 0, 0, 0, 0x4a};
	static const uint32_t expected[16] = {0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3,
		0xc7f4d1c7, 0x0368c033, 0x9aaa2204, 0x4e6cd4c3, 0x466482d2, 0x09aa9f07, 0x05d7c214,
		0xa2028bd9, 0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2};
	uint8_t key[32], out[64];
	for (uint8_t i = 0; i < 32; i++)
		key[i] = i;
	chacha20_block(key, nonce, 1, out);
	for (int i = 0; i < 16; i++)
		CHECK_EQ(load_le32(out + 4 * i), expected[i]);
}

/* Appendix A.1, vectors 1, 2 and 3: some of their words. */
TEST(chacha20_appendix)
{
	static const uint8_t zero[32];
	uint8_t key[32] = {0}, out[64];
	chacha20_block(zero, zero, 0, out);
	CHECK_EQ(load_le32(out), 0xade0b876u);
	CHECK_EQ(load_le32(out + 60), 0x8665eeb2u);
	chacha20_block(zero, zero, 1, out);
	CHECK_EQ(load_le32(out), 0xbee7079fu);
	key[31] = 1;
	chacha20_block(key, zero, 1, out);
	CHECK_EQ(load_le32(out), 0x2452eb3au);
}
