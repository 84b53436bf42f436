/*
 * web_reply_sim.c - what a reply says where there is nothing to send: the server over TCP, without a kernel.
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
