/* web_no_shell.c - /api/shell in an image that has no shell. */
#include "user/net/web_priv.h"

static struct web_verdict web_no_shell(void)
{
	return (struct web_verdict){404, S("this image has no shell"), 0};
}

struct web_verdict api_shell_in(unused struct web_conn *c, unused struct abuf *out)
{
	return web_no_shell();
}

struct web_verdict api_shell_out(unused struct web_conn *c, unused struct abuf *out)
{
	return web_no_shell();
}

static enum err web_no_terminal(unused struct web_conn *c)
{
	return ERR_NOTSUP;
}

const struct web_socket_kind web_terminal_kind = {.open = web_no_terminal};

void web_polled_init(void)
{
}

void web_polled_sweep(unused ktime now)
{
}

uint32_t web_polled_open(void)
{
	return 0;
}
