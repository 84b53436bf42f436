/* Host tests of lib/sha1.h: the vectors of RFC 3174, and lengths around the block's end. */
#include <stdlib.h>
#include <string.h>
#include "tests/host/test.h"
#include "lib/fmt.h"
#include "lib/sha1.h"

static void sha1_check(struct rbuf text, struct str expected)
{
	uint8_t digest[SHA1_BYTES];
	char hex_bytes[2 * SHA1_BYTES];
	struct abuf hex = abuf_of(hex_bytes, sizeof(hex_bytes));
	sha1(text, digest);
	for (size_t i = 0; i < SHA1_BYTES; i++)
		fmt(&hex, "%02x", digest[i]);
	CHECK_STR(abuf_str(&hex), expected);
}

/* Section 7.3; the last two are one text repeated. */
TEST(sha1_vectors_of_rfc3174)
{
	sha1_check(rbuf_of_str(S("abc")), S("a9993e364706816aba3e25717850c26c9cd0d89d"));
	sha1_check(rbuf_of_str(S("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
		S("84983e441c3bd26ebaae4aa1f95129e5e54670f1"));
	uint8_t *many = malloc(1000000);
	memset(many, 'a', 1000000);
	sha1_check(rbuf_of(many, 1000000), S("34aa973cd4c4daa4f61eeb2bdbad27316534016f"));
	for (size_t i = 0; i < 640; i++)
		many[i] = (uint8_t)('0' + i % 8);
	sha1_check(rbuf_of(many, 640), S("dea356a2cddd90c7a7ecedc5ebb563934f460452"));
	free(many);
}

/* Where padding and length still fit, and where they take one more block. */
TEST(sha1_lengths_around_a_block)
{
	static const struct {
		size_t len;
		struct str digest;
	} cases[] = {
		{0, STR_INIT("da39a3ee5e6b4b0d3255bfef95601890afd80709")},
		{55, STR_INIT("c1c8bbdc22796e28c0e15163d20899b65621d65a")},
		{56, STR_INIT("c2db330f6083854c99d4b5bfb6e8f29f201be699")},
		{63, STR_INIT("03f09f5b158a7a8cdad920bddc29b81c18a551f5")},
		{64, STR_INIT("0098ba824b5c16427bd7a1122a5a442a25ec644d")},
		{65, STR_INIT("11655326c708d70319be2610e8a57d9a5b959d3b")},
		{119, STR_INIT("ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56")},
		{120, STR_INIT("f34c1488385346a55709ba056ddd08280dd4c6d6")},
		{128, STR_INIT("ad5b3fdbcb526778c2839d2f151ea753995e26a0")},
	};
	uint8_t area[136];
	memset(area, 'a', sizeof(area));
	for (size_t at = 0; at < 8; at++)
		for (size_t i = 0; i < countof(cases); i++)
			sha1_check(rbuf_of(area + at, cases[i].len), cases[i].digest);
	sha1_check(rbuf_of(NULL, 0), cases[0].digest);
}
