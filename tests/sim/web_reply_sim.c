/*
 * web_reply_sim.c - what a reply says where there is none, and how much memory those that are on their way may take:
 * the server over TCP, without a kernel.
 */
#include "tests/sim/web_world.h"

TEST(web_sim_problems_say_what_is_wrong)
{
	static const struct {
		struct str request, detail;
	} cases[] = {
		{STR_INIT("TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n"), STR_INIT("this method or transfer coding is not known")},
		{STR_INIT("GET / HTTP/2.0\r\n\r\n"), STR_INIT("HTTP/1.1 is spoken")},
		{STR_INIT("GET / HTTP/1.1\r\nHost: localhost\r\nExpect: rain\r\n\r\n"), STR_INIT("nothing but 100-continue")},
		{STR_INIT("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65537\r\n\r\n"), STR_INIT("the content is more")},
		{STR_INIT("GET /\r\n\r\n"), STR_INIT("not well-formed")},
		{STR_INIT(GET("/api/fs/read?path=/none")), STR_INIT("there is nothing of that name")},
		{STR_INIT(GET("/none")), STR_INIT("there is nothing at this address")},
	};
	web_begin();
	for (size_t i = 0; i < countof(cases); i++) {
		ask(cases[i].request, NS_PER_S);
		CHECK_EQ(client_count(&one, S("application/problem+json")), 1);
		CHECK_EQ(client_count(&one, cases[i].detail), 1);
		client_close(&one);
	}
	web_end();
}

TEST(web_sim_replies_say_when_they_were_made)
{
	static const struct {
		struct str request, date;
	} cases[] = {
		{STR_INIT(GET("/small")), STR_INIT("\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n")},
		{STR_INIT(GET("/none")), STR_INIT("\r\nDate: Sun, 06 Nov 1994 08:49:38 GMT\r\n")},
		{STR_INIT(GET("/api/stats")), STR_INIT("\r\nDate: Sun, 06 Nov 1994 08:49:39 GMT\r\n")},
		{STR_INIT(GET("/api/sse/test?count=1")), STR_INIT("\r\nDate: Sun, 06 Nov 1994 08:49:40 GMT\r\n")},
	};
	int64_t born_ns = world_born_ns;
	web_begin();
	for (size_t i = 0; i < countof(cases); i++) {
		world_born_ns = born_ns - world_now.ns + (int64_t)i * NS_PER_S;
		ask(cases[i].request, NS_PER_S - 1);
		CHECK_EQ(client_count(&one, cases[i].date), 1);
		client_close(&one);
		world_born_ns = 0;
		ask(cases[i].request, NS_PER_S - 1);
		CHECK(client_count(&one, S("HTTP/1.1 ")) == 1 && client_count(&one, S("Date:")) == 0);
		client_close(&one);
	}
	world_born_ns = born_ns;
	web_end();
}

/* Who asks for large documents and takes little of them leaves the memory to others, and small documents too. */
TEST(web_sim_large_documents_are_bounded)
{
	static struct stranger crowd[CONFIG_WEB_LARGE_KB / 1024 + 8];
	struct str request = S(GET("/api/klog"));
	web_begin();
	uint64_t refused = web_counter(WEB_REFUSED_MEMORY);
	world_klog_bytes = 300000; /* a block of a MiB */
	for (size_t i = 0; i < countof(crowd); i++) {
		crowd[i] = stranger_open(0x0a000001, (uint16_t)(2000 + i));
		world_serve_for(0);
		crowd[i].wnd = 1000;
		stranger_send(&crowd[i], TCP_ACK, 0, rbuf_of_str(request));
		world_serve_for(0);
	}
	CHECK_EQ(web_counter(WEB_REFUSED_MEMORY), refused + 8);
	CHECK_EQ(world_pages, CONFIG_WEB_LARGE_KB / 1024);
	ask(request, NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 503 ")), 1);
	client_close(&one);
	ask(S(GET("/api/klog?100")), NS_PER_S); /* where the last one was large */
	CHECK_EQ(client_count(&one, S("HTTP/1.1 200 ")), 1);
	client_close(&one);
	ask(S(GET("/api/stats")), NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 200 ")), 1);
	client_close(&one);
	for (size_t i = 0; i < countof(crowd); i++)
		stranger_send(&crowd[i], TCP_RST, (int32_t)request.len, rbuf_of(NULL, 0));
	world_serve_for(NS_PER_S);
	CHECK_EQ(world_pages, 0);
	ask(request, 10 * NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 200 ")), 1);
	client_close(&one);
	world_klog_bytes = 50000;
	web_end();
}

TEST(web_sim_without_pages_says_503)
{
	web_begin();
	uint64_t refused = web_counter(WEB_REFUSED_MEMORY);
	world_no_pages = true;
	ask(S(GET("/small")), NS_PER_S);
	world_no_pages = false;
	CHECK_EQ(client_count(&one, S("HTTP/1.1 503 ")), 1);
	CHECK_EQ(one.err, ERR_PIPE);
	CHECK_EQ(web_counter(WEB_REFUSED_MEMORY), refused + 1);
	client_close(&one);
	ask(S(GET("/small")), NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 200 ")), 1);
	client_close(&one);
	web_end();
}
