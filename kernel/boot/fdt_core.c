/*
 * fdt_core.c - the reader of flattened device trees, after the Devicetree
 * Specification 0.4, chapter 5. Every length and offset is foreign: each is
 * compared with what is left before it is used.
 */
#include "kernel/boot/fdt_core.h"

#define TOKEN_NODE     1
#define TOKEN_NODE_END 2
#define TOKEN_PROP     3
#define TOKEN_NOP      4
#define TOKEN_END      9

uint32_t fdt_u32(struct rbuf value, size_t index)
{
	if (index >= value.len / 4)
		return 0;
	const uint8_t *p = value.ptr + index * 4;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

uint64_t fdt_cells(struct rbuf value, size_t index, uint32_t cells)
{
	uint64_t n = 0;
	for (uint32_t i = 0; i < cells; i++)
		n = n << 32 | fdt_u32(value, index + i);
	return n;
}

struct str fdt_str(struct rbuf value)
{
	struct str s = rbuf_str(value);
	return str_slice(s, 0, str_find_char(s, '\0'));
}

bool fdt_has_str(struct rbuf value, struct str s)
{
	struct str all = rbuf_str(value);
	while (all.len > 0)
		if (str_eq(str_cut(&all, '\0'), s))
			return true;
	return false;
}

size_t fdt_total_size(struct rbuf head)
{
	if (head.len < FDT_HEADER_SIZE || fdt_u32(head, 0) != FDT_MAGIC)
		return 0;
	size_t size = fdt_u32(head, 1);
	return size >= FDT_HEADER_SIZE && size <= FDT_SIZE_MAX ? size : 0;
}

/* [offset, offset + len) of blob; false when it does not lie inside. */
static bool fdt_part(struct rbuf blob, uint32_t offset, uint32_t len, struct rbuf *out)
{
	if (offset > blob.len || len > blob.len - offset)
		return false;
	*out = rbuf_of(blob.ptr + offset, len);
	return true;
}

static struct fdt_token fdt_bad(void)
{
	return (struct fdt_token){.kind = FDT_BAD};
}

static struct fdt_token fdt_read_node(const struct fdt *tree, size_t *at)
{
	struct str rest = rbuf_str(rbuf_slice(tree->structure, *at, tree->structure.len));
	size_t len = str_find_char(str_slice(rest, 0, FDT_NAME_MAX), '\0');
	if (len == rest.len || len == FDT_NAME_MAX)
		return fdt_bad();
	*at += align_up(len + 1, 4);
	return (struct fdt_token){.kind = FDT_NODE, .name = str_slice(rest, 0, len)};
}

static struct fdt_token fdt_read_prop(const struct fdt *tree, size_t *at)
{
	if (tree->structure.len - *at < 8)
		return fdt_bad();
	uint32_t len = fdt_u32(tree->structure, *at / 4);
	uint32_t name = fdt_u32(tree->structure, *at / 4 + 1);
	struct fdt_token t = {.kind = FDT_PROP};
	if (len > FDT_SIZE_MAX || !fdt_part(tree->structure, (uint32_t)*at + 8, len, &t.value) ||
		name >= tree->strings.len)
		return fdt_bad();
	struct str rest = rbuf_str(rbuf_slice(tree->strings, name, tree->strings.len));
	size_t name_len = str_find_char(str_slice(rest, 0, FDT_NAME_MAX), '\0');
	if (name_len == rest.len || name_len == FDT_NAME_MAX)
		return fdt_bad();
	t.name = str_slice(rest, 0, name_len);
	*at += 8 + align_up((size_t)len, 4);
	return t;
}

struct fdt_token fdt_next(const struct fdt *tree, size_t *at)
{
	for (;;) {
		if (*at > tree->structure.len || tree->structure.len - *at < 4)
			return fdt_bad();
		uint32_t token = fdt_u32(tree->structure, *at / 4);
		size_t next = *at + 4;
		struct fdt_token t;
		switch (token) {
		case TOKEN_NOP:
			*at = next;
			continue;
		case TOKEN_NODE:
			t = fdt_read_node(tree, &next);
			break;
		case TOKEN_PROP:
			t = fdt_read_prop(tree, &next);
			break;
		case TOKEN_NODE_END:
			t = (struct fdt_token){.kind = FDT_NODE_END};
			break;
		case TOKEN_END:
			return (struct fdt_token){.kind = FDT_END};
		default:
			return fdt_bad();
		}
		if (t.kind != FDT_BAD)
			*at = next;
		return t;
	}
}

/* Properties only inside a node and before its children, balanced, one root. */
static struct str fdt_check(const struct fdt *tree)
{
	bool may_have_props = false, had_root = false;
	size_t depth = 0, at = 0;
	for (;;) {
		struct fdt_token t = fdt_next(tree, &at);
		switch (t.kind) {
		case FDT_NODE:
			if (depth == 0 && had_root)
				return S("it has two roots");
			if (++depth > FDT_DEPTH_MAX)
				return S("its nodes are nested too deep");
			had_root = may_have_props = true;
			break;
		case FDT_NODE_END:
			if (depth-- == 0)
				return S("a node ends that has not begun");
			may_have_props = false;
			break;
		case FDT_PROP:
			if (!may_have_props)
				return S("a property stands outside of a node");
			break;
		case FDT_END:
			if (depth != 0 || !had_root)
				return S("it ends inside of a node");
			return STR_EMPTY;
		case FDT_BAD:
			return S("its structure is damaged");
		}
	}
}

#define RESERVATION_BYTES 16

/* The block ends with a pair of zeros; false when that does not come before the end of the blob. */
static bool fdt_find_reservations(struct rbuf blob, uint32_t offset, struct rbuf *out)
{
	struct rbuf rest;
	if (offset % 8 != 0 || !fdt_part(blob, offset, (uint32_t)(blob.len - min((size_t)offset, blob.len)), &rest))
		return false;
	for (size_t at = 0; rest.len - at >= RESERVATION_BYTES; at += RESERVATION_BYTES) {
		if (fdt_cells(rest, at / 4, 2) == 0 && fdt_cells(rest, at / 4 + 2, 2) == 0) {
			*out = rbuf_slice(rest, 0, at);
			return true;
		}
	}
	return false;
}

bool fdt_reservation(const struct fdt *tree, size_t i, uint64_t *base, uint64_t *size)
{
	if (i >= tree->reservations.len / RESERVATION_BYTES)
		return false;
	*base = fdt_cells(tree->reservations, 4 * i, 2);
	*size = fdt_cells(tree->reservations, 4 * i + 2, 2);
	return true;
}

struct str fdt_open(struct fdt *out, struct rbuf blob)
{
	size_t total = fdt_total_size(blob);
	if (total == 0)
		return S("its header is damaged");
	if (total > blob.len)
		return S("it is cut off");
	blob = rbuf_slice(blob, 0, total);
	if (fdt_u32(blob, 6) > 17 || fdt_u32(blob, 5) < 17)
		return S("its version is unknown");
	if (!fdt_part(blob, fdt_u32(blob, 2), fdt_u32(blob, 9), &out->structure) ||
		!fdt_part(blob, fdt_u32(blob, 3), fdt_u32(blob, 8), &out->strings))
		return S("its parts lie outside of it");
	if (fdt_u32(blob, 2) % 4 != 0)
		return S("its structure is not aligned");
	if (!fdt_find_reservations(blob, fdt_u32(blob, 4), &out->reservations))
		return S("its list of reserved memory has no end");
	return fdt_check(out);
}
