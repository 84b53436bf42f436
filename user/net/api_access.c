/* api_access.c - /api/access: whether who asks may run and change things, so that a page can say so beforehand. */
#include "user/net/web_priv.h"

struct web_verdict api_access(struct web_conn *c, struct abuf *out)
{
	struct json_writer w;
	bool allowed = web_access_allows(&c->parser.req, tcp_remote(c->tcp).addr);
	json_write_to_buf(&w, out);
	json_object_open(&w);
	json_key_bool(&w, S("token_required"), web_access_is_on());
	json_key_bool(&w, S("allowed"), allowed);
	json_object_close(&w);
	return (struct web_verdict){.status = api_finish(&w)};
}
