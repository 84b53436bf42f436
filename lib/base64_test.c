/* Host tests of lib/base64.h: the vectors of RFC 4648, what is refused, random bytes there and back. */
#include "tests/host/test.h"
#include "lib/base64.h"

static uint8_t area[256];

static struct str base64_text(struct rbuf bytes)
{
	static char text[512];
	struct abuf out = abuf_of(text, sizeof(text));
	base64_encode(bytes, &out);
	CHECK(abuf_ok(&out));
	return abuf_str(&out);
}

static enum err base64_bytes(struct str text, struct abuf *out)
{
	*out = abuf_of(area, sizeof(area));
	return base64_decode(text, out);
}

/* Section 10 */
TEST(base64_vectors_of_rfc4648)
{
	static const struct {
		struct str bytes, text;
	} cases[] = {
		{STR_INIT(""), STR_INIT("")},
		{STR_INIT("f"), STR_INIT("Zg==")},
		{STR_INIT("fo"), STR_INIT("Zm8=")},
		{STR_INIT("foo"), STR_INIT("Zm9v")},
		{STR_INIT("foob"), STR_INIT("Zm9vYg==")},
		{STR_INIT("fooba"), STR_INIT("Zm9vYmE=")},
		{STR_INIT("foobar"), STR_INIT("Zm9vYmFy")},
		{STR_INIT("\x14\xfb\x9c\x03\xd9\x7e"), STR_INIT("FPucA9l+")},
		{STR_INIT("\xff\xff\xfe"), STR_INIT("///+")},
	};
	struct abuf out;
	for (size_t i = 0; i < countof(cases); i++) {
		CHECK_STR(base64_text(rbuf_of_str(cases[i].bytes)), cases[i].text);
		CHECK_EQ(base64_bytes(cases[i].text, &out), OK);
		CHECK_STR(abuf_str(&out), cases[i].bytes);
	}
}

TEST(base64_refuses_what_is_none)
{
	static const struct str bad[] = {
		STR_INIT("Z"), STR_INIT("Zg"), STR_INIT("Zg="), STR_INIT("Zm9vY"), STR_INIT("===="),
		STR_INIT("Z==="), STR_INIT("=g=="), STR_INIT("Zg=g"), STR_INIT("Zg==Zg=="), STR_INIT("Zm8=Zm9v"),
		STR_INIT("Zh=="), STR_INIT("Zm9="), /* bits behind the last byte */
		STR_INIT("Zm9-"), STR_INIT("Zm9_"), STR_INIT("Zm 9"), STR_INIT("Zm9\n"), STR_INIT("Zm9\0"),
		STR_INIT("Zm9\x80"), STR_INIT("Zm9@"), STR_INIT("Zm9["), STR_INIT("Zm9`"), STR_INIT("Zm9{"),
		STR_INIT("Zm9:"), STR_INIT("Zm9."),
	};
	struct abuf out;
	for (size_t i = 0; i < countof(bad); i++)
		CHECK_EQ(base64_bytes(bad[i], &out), ERR_INVAL);
}

TEST(base64_says_when_it_does_not_fit)
{
	uint8_t few[5];
	struct abuf out = abuf_of(few, sizeof(few));
	CHECK_EQ(base64_decode(S("Zm9vYmFy"), &out), ERR_NOSPC);
	CHECK_EQ(out.len, 3);
	out = abuf_of(few, sizeof(few));
	CHECK_EQ(base64_decode(S("Zm9vYmE="), &out), OK);
	out = abuf_of(few, sizeof(few));
	base64_encode(rbuf_of_str(S("foob")), &out);
	CHECK(!abuf_ok(&out));
}

TEST(base64_random_bytes_come_back)
{
	struct test_rng rng = test_rng(test_seed());
	uint8_t bytes[200];
	struct abuf out;
	for (int round = 0; round < 2000; round++) {
		size_t len = test_below(&rng, sizeof(bytes) + 1);
		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)test_u64(&rng);
		struct str text = base64_text(rbuf_of(bytes, len));
		CHECK_EQ(text.len, BASE64_CHARS(len));
		CHECK_EQ(base64_bytes(text, &out), OK);
		CHECK_MEM(out.ptr, bytes, len);
		CHECK_EQ(out.len, len);
	}
}
