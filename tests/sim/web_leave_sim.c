/*
 * web_leave_sim.c - the machine starts again: how the web server takes leave of its clients, and what is done about
 * those who do not answer. The stages are gone through by hand, as machine_restart() does in time.
 */
#include "tests/sim/web_world.h"

static const struct restart_row *const server = &restart_web, *const flush = &restart_tcp_flush, *const cut = &restart_tcp_cut;

/* As after a boot. */
static void web_come_back(void)
{
	web_leaving = false;
	for (size_t i = 0; i < CONFIG_WEB_WORKERS; i++)
		web_workers[i].left = false;
	struct tcp_listener_result l = tcp_listen(0, CONFIG_WEB_PORT, CONFIG_WEB_CONNECTIONS);
	CHECK_EQ(l.err, OK);
	web_listener = l.value;
	tcp_pollset_add_listener(web_workers[0].poll, web_listener, NULL);
}

static void leave_begin(void)
{
	CHECK_EQ(server->stage, RESTART_LEAVE);
	server->begin();
	CHECK(!server->over());
	world_serve_for(NS_PER_MS);
}

/* Everybody hears of it at once, and in order; only who has something to say still is waited for. */
TEST(web_sim_leaves_its_clients_in_order)
{
	static struct client idle, stream, half, loader;
	web_begin();
	static const struct {
		struct client *c;
		struct str says;
	} clients[] = {{&idle, STR_INIT(GET("/small"))}, {&stream, STR_INIT(GET("/api/events"))},
		{&half, STR_INIT("GET /small HTTP/1.1\r\nHost: loc")}, {&loader, STR_INIT(GET("/large"))},
		{&one, STR_INIT("GET /api/ws HTTP/1.1\r\n" SOCKET_FIELDS)}};
	for (size_t i = 0; i < countof(clients); i++) {
		client_open(clients[i].c);
		client_say(clients[i].c, clients[i].says);
		world_serve_for(NS_PER_MS);
		if (clients[i].c != &loader)
			client_take(clients[i].c, SIZE_MAX);
	}
	struct str text = client_text(&one);
	socket_at = str_find(text, S("\r\n\r\n")) + 4;
	leave_begin();
	CHECK_EQ(tcp_connect(IPV4_LOOPBACK, CONFIG_WEB_PORT, ktime_add(world_now, NS_PER_S)).err, ERR_CONNREFUSED);
	client_take(&idle, SIZE_MAX);
	client_take(&stream, SIZE_MAX);
	CHECK_EQ(idle.err, ERR_PIPE);
	CHECK_EQ(stream.err, ERR_PIPE);
	CHECK(str_ends(client_text(&stream), S("\r\n0\r\n\r\n")));
	client_wait(&loader, NS_PER_S / 10);
	CHECK_EQ(loader.err, ERR_PIPE);
	CHECK(loader.len > WORLD_FILE_BYTES);

	CHECK(!server->over());
	client_take(&half, SIZE_MAX);
	client_take(&one, SIZE_MAX);
	CHECK_EQ(half.err, OK);
	CHECK_EQ(one.err, OK);
	client_say(&half, S("alhost\r\n\r\n"));
	client_wait(&half, NS_PER_MS);
	CHECK_EQ(client_count(&half, S("HTTP/1.1 200 OK\r\n")), 1);
	CHECK_EQ(client_count(&half, S("Connection: close\r\n")), 1);
	CHECK_EQ(half.err, ERR_PIPE);
	CHECK(!server->over());
	client_say(&one, S("\x88\x82" MASK "\x03\xe9"));
	client_wait(&one, NS_PER_MS);
	socket_closed_with(1001);
	CHECK(server->over());
	for (size_t i = 0; i < countof(clients); i++)
		if (clients[i].c != &one)
			client_close(clients[i].c);
	world_serve_for(NS_PER_MS);
	CHECK(flush->over());
	web_end();
	web_come_back();
}

/* Handed to a worker who has left already: as the others. */
TEST(web_sim_leaves_whom_it_has_just_accepted)
{
	web_begin();
	struct tcp_conn_result r = tcp_connect(IPV4_LOOPBACK, CONFIG_WEB_PORT, KTIME_ZERO);
	CHECK_EQ(r.err, OK);
	one = (struct client){.tcp = r.value};
	while (tcp_pollset_has_news(web_workers[0].poll) || world_turn(world_now))
		if (tcp_pollset_has_news(web_workers[0].poll))
			break;
	web_workers[web_next % CONFIG_WEB_WORKERS].left = true;
	web_leave();
	client_wait(&one, NS_PER_MS);
	CHECK_EQ(one.err, ERR_PIPE);
	CHECK(server->over());
	client_close(&one);
	web_end();
	web_come_back();
}

/* They would keep it for seconds; the stage that cuts ends them. */
TEST(web_sim_resets_who_does_not_answer)
{
	enum { SILENT_SOCKET, HALF_A_REQUEST, NO_ACKNOWLEDGEMENT, STRANGERS };
	static const struct str says[STRANGERS] = {STR_INIT("GET /api/ws HTTP/1.1\r\n" SOCKET_FIELDS),
		STR_INIT("GET /small HTTP/1.1\r\n"), STR_INIT("GET /small HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")};
	for (uint16_t i = 0; i < STRANGERS; i++) {
		web_begin();
		struct stranger p = stranger_open(0x0a000001 + i, (uint16_t)(2000 + i));
		world_serve_for(0);
		stranger_send(&p, TCP_ACK, 0, rbuf_of_str(says[i]));
		world_serve_for(0);
		leave_begin();
		world_serve_for(NS_PER_S);
		CHECK_EQ(server->over(), i == NO_ACKNOWLEDGEMENT);
		CHECK_EQ(flush->over(), i != NO_ACKNOWLEDGEMENT);
		size_t before = world_answers;
		CHECK(!(world_answer.flags & TCP_RST));
		cut->begin();
		CHECK(world_answers > before && world_answer.flags & TCP_RST);
		world_serve_for(NS_PER_MS);
		struct tcp_stats st;
		tcp_stats(&st);
		CHECK_EQ(st.connections, 0);
		CHECK(server->over() && flush->over());
		web_end();
		web_come_back();
	}
}

/* The peer has all, and has acknowledged our end: no reset takes it from him. */
TEST(web_sim_does_not_reset_who_has_all)
{
	web_begin();
	struct stranger p = stranger_open(0x0a000009, 2009);
	world_serve_for(0);
	leave_begin();
	CHECK(world_answer.flags & TCP_FIN);
	CHECK(!flush->over());
	p.ack = seq_add(world_answer.seq, 1);
	stranger_send(&p, TCP_ACK, 0, rbuf_of(NULL, 0));
	CHECK(server->over() && flush->over());
	size_t before = world_answers;
	cut->begin();
	CHECK_EQ(world_answers, before);
	web_end();
	web_come_back();
}
