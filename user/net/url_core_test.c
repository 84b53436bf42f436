/* url_core_test.c - URLs that are, and that are not. */
#include "tests/host/test.h"
#include "user/net/url_core.h"

static void url_is(struct str text, struct str host, uint16_t port, struct str target, struct str authority)
{
	struct url u;
	CHECK(url_parse(text, &u) == NULL);
	CHECK_STR(u.host, host);
	CHECK_EQ(u.port, port);
	CHECK_STR(u.target, target);
	CHECK_STR(u.authority, authority);
}

TEST(url_parts)
{
	url_is(S("http://10.0.2.2:8000/a/b?c=d#e"), S("10.0.2.2"), 8000, S("/a/b?c=d"), S("10.0.2.2:8000"));
	url_is(S("HTTP://localhost"), S("localhost"), 80, S(""), S("localhost"));
	url_is(S("mazu.local/x"), S("mazu.local"), 80, S("/x"), S("mazu.local"));
	url_is(S("http://h?q"), S("h"), 80, S("?q"), S("h"));
	url_is(S("http://h/a:b"), S("h"), 80, S("/a:b"), S("h"));
}

TEST(url_refusals)
{
	static const struct str wrong[] = {STR_INIT(""), STR_INIT("http://"), STR_INIT("http:///x"), STR_INIT("https://h/"),
		STR_INIT("ftp://h/"), STR_INIT("http://u@h/"), STR_INIT("http://h:0/"), STR_INIT("http://h:65536/"),
		STR_INIT("http://h:/"), STR_INIT("http://h:x/"), STR_INIT("http://h/a b"), STR_INIT("http://h/\r\nX: y"),
		STR_INIT("http://h\r\n/"), STR_INIT("http://[::1]/"), STR_INIT("http://h/\x7f")};
	struct url u;
	for (size_t i = 0; i < countof(wrong); i++)
		if (url_parse(wrong[i], &u) == NULL)
			test_fail(__FILE__, __LINE__, "taken: %.*s", STR_ARG(wrong[i]));
}
