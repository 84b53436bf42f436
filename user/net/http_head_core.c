/*
 * http_head_core.c - what the complete head of a request means: where its body
 * ends, for which host it is, whether the connection stays.
 *
 * Reference: RFC 9112 sections 3.2, 6.1, 6.3, 9.3; RFC 9110 sections 7.2, 8.6, 10.1.1.
 */
#include "user/net/http_core.h"

/* The next element of a comma-separated list, trimmed; false at the end. */
static bool http_list_next(struct str *list, struct str *element)
{
	if (list->len == 0)
		return false;
	*element = str_trim(str_cut(list, ','));
	return true;
}

bool http_list_has(struct str list, struct str token)
{
	struct str element;
	while (http_list_next(&list, &element)) {
		if (str_eq_nocase(element, token))
			return true;
	}
	return false;
}

/*
 * "chunked", once and last. A coding that is not known is 501; a list in which
 * chunked is not last, or comes twice, has no end that is agreed on: 400. So has
 * one with an empty element, wherever it stands: not all readers skip those.
 */
static uint16_t http_judge_transfer_encoding(struct http_request *req)
{
	struct str list = req->field[HTTP_TRANSFER_ENCODING];
	struct str element;
	bool chunked = false;
	bool other = false;
	if (req->minor == 0 || req->field[HTTP_CONTENT_LENGTH].ptr || str_ends(list, S(",")))
		return 400;
	while (http_list_next(&list, &element)) {
		if (chunked || element.len == 0)
			return 400;
		if (str_eq_nocase(element, S("chunked")))
			chunked = true;
		else
			other = true;
	}
	if (other)
		return 501;
	req->body = HTTP_BODY_CHUNKED;
	return chunked ? 0 : 400;
}

static uint16_t http_judge_content_length(struct http_request *req, uint64_t body_max)
{
	struct str text = req->field[HTTP_CONTENT_LENGTH];
	uint64_t n = 0;
	if (text.len == 0)
		return 400;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return 400;
		if (n < UINT64_C(1) << 56) /* beyond, it is too large for any limit */
			n = n * 10 + (unsigned)(text.ptr[i] - '0');
	}
	req->body = HTTP_BODY_LENGTH;
	req->content_length = n;
	return n > body_max ? 413 : 0;
}

/* The target's authority, if it has one, stands above Host; Host must be sound all the same. */
static uint16_t http_judge_host(struct http_request *req)
{
	struct str host = req->field[HTTP_HOST];
	if (!host.ptr)
		return req->minor == 0 ? 0 : 400;
	if (!http_authority_is_valid(host))
		return 400;
	if (!req->host.ptr)
		req->host = host;
	return 0;
}

/* An expectation in a request of HTTP/1.0 is ignored, and so are empty elements of the list. */
static uint16_t http_judge_expect(struct http_request *req)
{
	struct str list = req->field[HTTP_EXPECT];
	struct str element;
	if (req->minor == 0)
		return 0;
	while (http_list_next(&list, &element)) {
		if (element.len == 0)
			continue;
		if (!str_eq_nocase(element, S("100-continue")))
			return 417;
		req->expect_continue = req->body == HTTP_BODY_CHUNKED || req->content_length > 0;
	}
	return 0;
}

static bool http_judge_keep_alive(const struct http_request *req)
{
	struct str connection = req->field[HTTP_CONNECTION];
	if (http_list_has(connection, S("close")))
		return false;
	return req->minor >= 1 || http_list_has(connection, S("keep-alive"));
}

uint16_t http_head_judge(struct http_request *req, uint64_t body_max)
{
	uint16_t status = http_judge_host(req);
	if (!status && req->field[HTTP_TRANSFER_ENCODING].ptr)
		status = http_judge_transfer_encoding(req);
	else if (!status && req->field[HTTP_CONTENT_LENGTH].ptr)
		status = http_judge_content_length(req, body_max);
	if (!status)
		status = http_judge_expect(req);
	req->keep_alive = !status && http_judge_keep_alive(req);
	return status;
}
