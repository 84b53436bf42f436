/* access_core_test.c - tokens, cookies, tries, Host and Origin. */
#include "tests/host/test.h"
#include "lib/prng.h"
#include "user/net/access_core.h"

#define SECRET_TEXT S("0123456789abcdef0123456789abcdef")
#define SECRET      test_secret()

static const struct access_secret *test_secret(void)
{
	static struct access_secret secret;
	secret = access_secret(SECRET_TEXT);
	return &secret;
}

TEST(access_setting_is_a_token_or_off)
{
	static const struct {
		struct str content;
		enum access_setting setting;
	} cases[] = {
		{STR_INIT("off"), ACCESS_OFF},
		{STR_INIT(" off\r\n"), ACCESS_OFF},
		{STR_INIT("OFF"), ACCESS_INVALID},
		{STR_INIT(""), ACCESS_INVALID},
		{STR_INIT("\n"), ACCESS_INVALID},
		{STR_INIT("0123456789abcde"), ACCESS_INVALID},
		{STR_INIT("0123456789abcdef"), ACCESS_FIXED},
		{STR_INIT("0123456789ABC_-Z\n"), ACCESS_FIXED},
		{STR_INIT("0123456789abc def"), ACCESS_INVALID},
		{STR_INIT("0123456789abcdef\0"), ACCESS_INVALID},
		{STR_INIT("0123456789abcdef=="), ACCESS_INVALID},
		{STR_INIT("0123456789abcde\xc3\xa4"), ACCESS_INVALID},
	};
	struct str token;
	for (size_t i = 0; i < countof(cases); i++)
		CHECK_EQ(access_setting_parse(cases[i].content, &token), cases[i].setting);
	char longest[ACCESS_TOKEN_MAX + 1];
	memset(longest, 'x', sizeof(longest));
	CHECK_EQ(access_setting_parse(str_of(longest, ACCESS_TOKEN_MAX), &token), ACCESS_FIXED);
	CHECK_EQ(token.len, ACCESS_TOKEN_MAX);
	CHECK_EQ(access_setting_parse(str_of(longest, ACCESS_TOKEN_MAX + 1), &token), ACCESS_INVALID);
}

TEST(access_equal_is_all_or_nothing)
{
	char other[ACCESS_TOKEN_MAX + 8] = {0};
	CHECK(access_equal(SECRET_TEXT, SECRET));
	CHECK_STR(access_secret_text(SECRET), SECRET_TEXT);
	CHECK(!access_equal(STR_EMPTY, SECRET));
	CHECK(!access_equal(S("0123456789abcdef0123456789abcde"), SECRET));
	CHECK(!access_equal(S("0123456789abcdef0123456789abcdef0"), SECRET));
	memcpy(other, SECRET_TEXT.ptr, SECRET_TEXT.len);
	CHECK(!access_equal(str_of(other, SECRET_TEXT.len + 1), SECRET)); /* a NUL is a character, too */
	CHECK(!access_equal(str_of(other, sizeof(other)), SECRET));
	for (size_t i = 0; i < SECRET_TEXT.len; i++) {
		other[i] ^= 1;
		CHECK(!access_equal(str_of(other, SECRET_TEXT.len), SECRET));
		other[i] ^= 1;
	}
	CHECK(access_equal(str_of(other, SECRET_TEXT.len), SECRET));
}

#define VALUE "0123456789abcdef0123456789abcdef"

TEST(access_cookie_is_found_among_others)
{
	static const struct str right[] = {
		STR_INIT("t=" VALUE),
		STR_INIT("a=b; t=" VALUE "; c=d"),
		STR_INIT("a=b;t=" VALUE ";c"),
		STR_INIT("  t=" VALUE "  "),
		STR_INIT(";;; ;t=" VALUE ";"),
		STR_INIT("t=another; t=" VALUE),
		STR_INIT("t=" VALUE "; t=another"),
		STR_INIT("a=\"x; t=" VALUE), /* quotes mean nothing here */
	};
	static const struct str wrong[] = {
		STR_INIT(""),
		STR_INIT("t"),
		STR_INIT("t="),
		STR_INIT("=" VALUE),
		STR_INIT(VALUE),
		STR_INIT("T=" VALUE),
		STR_INIT("tt=" VALUE),
		STR_INIT("x_t=" VALUE),
		STR_INIT("t=\"" VALUE "\""),
		STR_INIT("t =" VALUE),
		STR_INIT("t=" VALUE "0"),
		STR_INIT("t=" VALUE ",t=" VALUE),
		STR_INIT("a=t=" VALUE),
	};
	for (size_t i = 0; i < countof(right); i++)
		CHECK(access_cookie_has(right[i], S("t"), SECRET));
	for (size_t i = 0; i < countof(wrong); i++)
		CHECK(!access_cookie_has(wrong[i], S("t"), SECRET));
}

/* A header full of wrong ones costs no more than a few comparisons. */
TEST(access_cookies_of_a_name_are_bounded)
{
	for (size_t before = 0; before <= ACCESS_COOKIES_MAX; before++) {
		char bytes[200];
		struct abuf header = abuf_of(bytes, sizeof(bytes));
		for (size_t i = 0; i < before; i++)
			abuf_str_add(&header, i % 2 ? S("t=; a=b; ") : S("t=x;"));
		abuf_str_add(&header, S("t=" VALUE));
		CHECK(abuf_ok(&header));
		CHECK_EQ(access_cookie_has(abuf_str(&header), S("t"), SECRET), before < ACCESS_COOKIES_MAX);
	}
}

TEST(access_bearer_has_its_scheme)
{
	struct str token;
	CHECK(access_bearer(S("Bearer abc"), &token));
	CHECK_STR(token, S("abc"));
	CHECK(access_bearer(S("bEARER   abc "), &token));
	CHECK_STR(token, S("abc"));
	CHECK(access_bearer(S("Bearer a b"), &token) && !access_equal(token, SECRET));
	static const struct str wrong[] = {STR_INIT(""), STR_INIT("Bearer"), STR_INIT("Bearer "),
		STR_INIT("Basic abc"), STR_INIT("Bearerabc"), STR_INIT("abc")};
	for (size_t i = 0; i < countof(wrong); i++)
		CHECK(!access_bearer(wrong[i], &token));
	CHECK(!access_bearer((struct str){0}, &token));
}

/* ---- tries ---- */

static const struct access_limits limits = {
	.peer_every_ns = NS_PER_S, .peer_burst = 5, .all_every_ns = NS_PER_S / 10, .all_burst = 50};

static struct access_limiter limiter;

static ktime at_ms(int64_t ms)
{
	return (ktime){ms * NS_PER_MS};
}

/* One try of a wrong token: whether it was looked at. */
static bool try_wrong(uint32_t peer, ktime now)
{
	bool may = access_wait_ns(&limiter, peer, now) == 0;
	if (may)
		access_failed(&limiter, peer, now);
	return may;
}

TEST(access_tries_come_back_one_by_one)
{
	limiter = (struct access_limiter){.limits = &limits};
	for (uint32_t i = 0; i < limits.peer_burst; i++)
		CHECK(try_wrong(1, at_ms(1000)));
	CHECK(!try_wrong(1, at_ms(1000)));
	CHECK_EQ(access_wait_ns(&limiter, 1, at_ms(1000)), NS_PER_S);
	CHECK_EQ(access_wait_ns(&limiter, 1, at_ms(1400)), 600 * NS_PER_MS);
	CHECK(!try_wrong(1, at_ms(1999)));
	CHECK(try_wrong(1, at_ms(2000)));
	CHECK(!try_wrong(1, at_ms(2001)));
	for (uint32_t i = 0; i < limits.peer_burst; i++) /* all are back */
		CHECK(try_wrong(1, at_ms(20000)));
	CHECK(!try_wrong(1, at_ms(20000)));
}

/* A flood of one peer, a try each millisecond: another has all of his, at any time. */
TEST(access_flood_of_one_locks_no_other_out)
{
	limiter = (struct access_limiter){.limits = &limits};
	unsigned looked_at = 0;
	for (int64_t ms = 0; ms < 60000; ms++) {
		looked_at += try_wrong(1, at_ms(ms));
		if (ms % 10000 == 9999)
			for (uint32_t i = 0; i < limits.peer_burst; i++)
				CHECK(try_wrong(2, at_ms(ms)));
	}
	CHECK_EQ(looked_at, limits.peer_burst + 59);
}

/* Many peers: all of them together have what all may have; the table does not forget who floods. */
TEST(access_tries_of_all_are_bounded)
{
	limiter = (struct access_limiter){.limits = &limits};
	unsigned looked_at = 0;
	for (int64_t ms = 0; ms < 10000; ms++)
		looked_at += try_wrong((uint32_t)(100 + ms % 1000), at_ms(ms));
	CHECK(looked_at >= limits.all_burst + 98 && looked_at <= limits.all_burst + 101);
	limiter = (struct access_limiter){.limits = &limits};
	for (uint32_t i = 0; i < limits.peer_burst; i++)
		CHECK(try_wrong(7, at_ms(0)));
	for (uint32_t p = 0; p < ACCESS_PEERS + 8; p++)
		CHECK(try_wrong(1000 + p, at_ms(0)));
	CHECK(!try_wrong(7, at_ms(0)));
}

/* Against a plain count of what was looked at: within any time t no peer has more than burst + t / every. */
TEST(access_random_tries_stay_within_the_limits)
{
	struct prng r = prng_of(test_seed());
	for (int round = 0; round < 50; round++) {
		limiter = (struct access_limiter){.limits = &limits};
		int64_t ms = 0;
		uint64_t all = 0, own[8] = {0};
		for (int i = 0; i < 2000; i++) {
			ms += (int64_t)prng_below(&r, 100);
			uint32_t peer = (uint32_t)prng_below(&r, 8);
			if (!try_wrong(peer + 1, at_ms(ms)))
				continue;
			all++;
			own[peer]++;
			CHECK(own[peer] <= limits.peer_burst + (uint64_t)ms / 1000);
			CHECK(all <= limits.all_burst + (uint64_t)ms / 100);
		}
	}
}

/* ---- Host and Origin ---- */

TEST(access_host_names)
{
	static const struct str ours[] = {STR_INIT("localhost"), STR_INIT("LocalHost:8080"), STR_INIT("localhost:"),
		STR_INIT("mazu.local"), STR_INIT("MAZU.LOCAL:1"), STR_INIT("[::1]"), STR_INIT("[::1]:8080"),
		STR_INIT("lab.example"), STR_INIT("Lab.Example:443")};
	static const struct str others[] = {STR_INIT("localhost."), STR_INIT("localhost.evil.example"),
		STR_INIT("xlocalhost"), STR_INIT("localhost2"), STR_INIT("mazu.local.evil"), STR_INIT("evil.mazu.local"),
		STR_INIT("mazu"), STR_INIT("[::]"), STR_INIT("[::2]"), STR_INIT("[0:0:0:0:0:0:0:1]"), STR_INIT("[::1]x"), STR_INIT("[::1"),
		STR_INIT("::1"), STR_INIT("[127.0.0.1]"), STR_INIT("lab.example.evil"), STR_INIT("10.0.2.15"), STR_INIT("")};
	for (size_t i = 0; i < countof(ours); i++)
		CHECK(access_host_is_named(ours[i], S("lab.example")));
	for (size_t i = 0; i < countof(others); i++)
		CHECK(!access_host_is_named(others[i], S("lab.example")));
	CHECK(!access_host_is_named(S("lab.example"), STR_EMPTY));
	CHECK(!access_host_is_named(S(":80"), STR_EMPTY));
}

TEST(access_origin_is_scheme_host_and_port)
{
	static const struct {
		struct str origin, authority;
		bool is;
	} cases[] = {
		{STR_INIT("http://localhost:8080"), STR_INIT("localhost:8080"), true},
		{STR_INIT("http://LOCALHOST:8080"), STR_INIT("localhost:8080"), true},
		{STR_INIT("http://localhost"), STR_INIT("localhost"), true},
		{STR_INIT("http://localhost"), STR_INIT("localhost:80"), true},
		{STR_INIT("http://localhost:80"), STR_INIT("localhost"), true},
		{STR_INIT("http://[::1]:8080"), STR_INIT("[::1]:8080"), true},
		{STR_INIT("http://[::1]"), STR_INIT("[::1]:80"), true},
		{STR_INIT("http://[::1]x80"), STR_INIT("[::1]"), false},
		{STR_INIT("http://[::1]x8080"), STR_INIT("[::1]:8080"), false},
		{STR_INIT("http://[::1"), STR_INIT("[::1]"), false},
		{STR_INIT("http://["), STR_INIT("[::1]"), false},
		{STR_INIT("http://10.0.2.15"), STR_INIT("10.0.2.15"), true},
		{STR_INIT("https://localhost:8080"), STR_INIT("localhost:8080"), false},
		{STR_INIT("http://localhost:8081"), STR_INIT("localhost:8080"), false},
		{STR_INIT("http://localhost"), STR_INIT("localhost:8080"), false},
		{STR_INIT("http://127.0.0.1:8080"), STR_INIT("localhost:8080"), false},
		{STR_INIT("http://localhost:8080.evil.example"), STR_INIT("localhost:8080"), false},
		{STR_INIT("http://localhost.:8080"), STR_INIT("localhost:8080"), false},
		{STR_INIT("http://evil.example"), STR_INIT("localhost"), false},
		{STR_INIT("http://localhost@evil.example"), STR_INIT("localhost"), false},
		{STR_INIT("http://localhost/"), STR_INIT("localhost"), false},
		{STR_INIT("http://localhost http://evil"), STR_INIT("localhost"), false},
		{STR_INIT("http://::1"), STR_INIT("[::1]"), false},
		{STR_INIT("null"), STR_INIT("localhost"), false},
		{STR_INIT("null"), STR_INIT("null"), false},
		{STR_INIT(""), STR_INIT("localhost"), false},
		{STR_INIT("http://"), STR_INIT(""), false},
		{STR_INIT("http://"), STR_INIT("localhost"), false},
		{STR_INIT("localhost"), STR_INIT("localhost"), false},
		{STR_INIT("ws://localhost"), STR_INIT("localhost"), false},
		{STR_INIT("file://"), STR_INIT("localhost"), false},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		if (access_origin_is(cases[i].origin, cases[i].authority) != cases[i].is)
			CHECK_STR(cases[i].origin, cases[i].authority);
	}
}
