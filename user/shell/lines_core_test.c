/* lines_core_test.c - pieces become whole lines, and nothing is lost. */
#include "tests/host/test.h"
#include "user/shell/lines_core.h"

static uint8_t room[16];

static void put(struct lines *l, struct str s)
{
	struct wbuf w = lines_room(l);
	CHECK(w.len >= s.len);
	memcpy(w.ptr, s.ptr, s.len);
	lines_add(l, s.len);
}

static void goes(struct lines *l, bool end, struct str s)
{
	struct rbuf r = lines_ready(l, end);
	CHECK_STR(rbuf_str(r), s);
	lines_take(l, r.len);
}

TEST(lines_go_whole)
{
	struct lines l = lines_of(room, sizeof(room));
	goes(&l, false, S(""));
	goes(&l, true, S(""));
	put(&l, S("level"));
	goes(&l, false, S(""));
	put(&l, S(" info"));
	put(&l, S("\n"));
	goes(&l, false, S("level info\n"));
	put(&l, S("a\nb\nc"));
	goes(&l, false, S("a\nb\n"));
	goes(&l, false, S(""));
	put(&l, S("d\n\ne"));
	goes(&l, true, S("cd\n\ne"));
	goes(&l, true, S(""));
}

TEST(lines_that_are_taken_in_parts)
{
	struct lines l = lines_of(room, sizeof(room));
	put(&l, S("ab\ncd\nef"));
	lines_take(&l, 1);
	CHECK_STR(rbuf_str(lines_ready(&l, false)), S("b\ncd\n"));
	lines_take(&l, 4);
	put(&l, S("x"));
	goes(&l, false, S("\n"));
	goes(&l, false, S(""));
	goes(&l, true, S("efx"));
}

TEST(lines_longer_than_the_room_go_in_pieces)
{
	struct lines l = lines_of(room, sizeof(room));
	put(&l, S("0123456789abcde"));
	goes(&l, false, S(""));
	put(&l, S("f"));
	CHECK_EQ(lines_room(&l).len, 0);
	goes(&l, false, S("0123456789abcdef"));
	put(&l, S("x\n0123456789abcd"));
	goes(&l, false, S("x\n"));
	CHECK_EQ(lines_room(&l).len, 2);
}

/* Takes what is ready, in parts; each time it is whole lines, the end, or all that the room holds. */
static size_t random_take(struct test_rng *r, struct lines *l, bool end, uint8_t *out)
{
	size_t went = 0;
	for (struct rbuf ready; (ready = lines_ready(l, end)).len;) {
		size_t part = 1 + test_below(r, ready.len);
		CHECK(ready.ptr[ready.len - 1] == '\n' || end || ready.len == l->cap);
		memcpy(out + went, ready.ptr, part);
		went += part;
		lines_take(l, part);
	}
	CHECK(lines_room(l).len > 0);
	return went;
}

/* What goes, one after another, is what came. */
TEST(lines_random_pieces_against_a_copy)
{
	struct test_rng r = test_rng(test_seed());
	uint8_t in[600], out[600];
	for (size_t round = 0; round < 2000; round++) {
		struct lines l = lines_of(room, 1 + test_below(&r, sizeof(room)));
		size_t size = test_below(&r, sizeof(in)), came = 0, went = 0;
		uint64_t rare = 1 + test_below(&r, 20);
		for (size_t i = 0; i < size; i++)
			in[i] = test_below(&r, rare) ? 'x' : '\n';
		do {
			struct wbuf w = lines_room(&l);
			size_t n = min((size_t)test_below(&r, w.len + 1), size - came);
			memcpy(w.ptr, in + came, n);
			lines_add(&l, n);
			came += n;
			went += random_take(&r, &l, came == size, out + went);
		} while (came < size);
		CHECK_EQ(went, size);
		CHECK(memcmp(in, out, size) == 0);
	}
}
