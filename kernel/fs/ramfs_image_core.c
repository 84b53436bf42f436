/* ramfs_image_core.c - a packed file tree, checked once and then read. */
#include "kernel/fs/ramfs_image_core.h"
#include "lib/assert.h"
#include "lib/crc32c.h"

static const struct ramfs_image_header *ramfs_header(const struct ramfs_image *image)
{
	return (const struct ramfs_image_header *)image->bytes.ptr;
}

static uint32_t ramfs_meta_crc(const struct ramfs_image_header *h)
{
	struct ramfs_image_header blank = *h;
	blank.meta_crc = 0;
	uint32_t crc = crc32c(0, &blank, sizeof(blank));
	return crc32c(crc, h + 1, h->data_off - sizeof(*h));
}

/* What is wrong with the header; empty: nothing. */
static struct str ramfs_header_fault(struct rbuf bytes)
{
	const struct ramfs_image_header *h = (const struct ramfs_image_header *)bytes.ptr;
	if ((uintptr_t)bytes.ptr % 8)
		return S("the image is not aligned to 8 bytes");
	if (bytes.len < sizeof(*h) || memcmp(h->magic, RAMFS_MAGIC, sizeof(h->magic)) != 0)
		return S("this is no file tree made by mkramfs.py");
	if (h->version != RAMFS_VERSION)
		return S("the format's version is another");
	if (h->total_len > bytes.len)
		return S("the image is cut off");
	/* Each bound is checked before it is used in the next. */
	if (h->node_count == 0 || h->nodes_off != sizeof(*h) || h->data_off > h->total_len ||
		h->data_off % 16 || h->names_off > h->data_off ||
		h->names_len > h->data_off - h->names_off ||
		h->node_count > (h->data_off - sizeof(*h)) / sizeof(struct ramfs_image_node) ||
		h->names_off != h->nodes_off + h->node_count * sizeof(struct ramfs_image_node))
		return S("the header's sizes contradict each other");
	if (ramfs_meta_crc(h) != h->meta_crc)
		return S("the checksum of names and structure is wrong");
	return STR_EMPTY;
}

bool ramfs_name_is_valid(struct str name)
{
	return name.len >= 1 && name.len <= 255 && str_find_char(name, '/') == name.len &&
	       str_find_char(name, '\0') == name.len && !str_eq(name, S(".")) &&
	       !str_eq(name, S(".."));
}

static bool ramfs_node_is_sound(const struct ramfs_image *image, uint32_t i)
{
	const struct ramfs_image_header *h = ramfs_header(image);
	const struct ramfs_image_node *n = &image->nodes[i];
	if (n->name_off > h->names_len || n->name_len > h->names_len - n->name_off)
		return false;
	if (i == 0)
		return n->type == RAMFS_DIR && n->parent == 0 && n->name_len == 0;
	if (n->parent >= i || image->nodes[n->parent].type != RAMFS_DIR)
		return false;
	if (!ramfs_name_is_valid(ramfs_image_name(image, i)))
		return false;
	if (n->type == RAMFS_DIR)
		return n->data_len == 0;
	return n->type == RAMFS_FILE && n->child_count == 0 && n->data_off >= h->data_off &&
	       n->data_off <= h->total_len && n->data_len <= h->total_len - n->data_off;
}

/* The children of directory i begin at `next`, are its own, and are sorted. */
static bool ramfs_children_are_sound(const struct ramfs_image *image, uint32_t i, uint32_t next)
{
	const struct ramfs_image_node *n = &image->nodes[i];
	if (n->child_count == 0)
		return true;
	if (n->first_child != next || next <= i || n->child_count > image->count - next)
		return false;
	for (uint32_t k = next; k < next + n->child_count; k++) {
		if (image->nodes[k].parent != i)
			return false;
		if (k > next && str_cmp(ramfs_image_name(image, k - 1), ramfs_image_name(image, k)) >= 0)
			return false;
	}
	return true;
}

/* One pass: every node is sound, and each but the root is the child of one directory. */
static struct str ramfs_tree_fault(const struct ramfs_image *image)
{
	uint32_t next = 1;
	for (uint32_t i = 0; i < image->count; i++) {
		if (!ramfs_node_is_sound(image, i))
			return S("an entry is damaged");
	}
	for (uint32_t i = 0; i < image->count; i++) {
		if (image->nodes[i].type != RAMFS_DIR)
			continue;
		if (!ramfs_children_are_sound(image, i, next))
			return S("a directory is damaged");
		next += image->nodes[i].child_count;
	}
	return next == image->count ? STR_EMPTY : S("entries belong to no directory");
}

enum err ramfs_image_open(struct rbuf bytes, struct ramfs_image *out, struct str *why)
{
	*out = (struct ramfs_image){0};
	*why = ramfs_header_fault(bytes);
	if (why->len)
		return ERR_INVAL;
	const struct ramfs_image_header *h = (const struct ramfs_image_header *)bytes.ptr;
	struct ramfs_image image = {
		.bytes = rbuf_of(bytes.ptr, h->total_len),
		.nodes = (const struct ramfs_image_node *)(bytes.ptr + h->nodes_off),
		.names = (const char *)bytes.ptr + h->names_off,
		.count = h->node_count,
	};
	*why = ramfs_tree_fault(&image);
	if (why->len)
		return ERR_INVAL;
	*out = image;
	return OK;
}

bool ramfs_image_data_ok(const struct ramfs_image *image)
{
	const struct ramfs_image_header *h = ramfs_header(image);
	return crc32c(0, image->bytes.ptr + h->data_off, h->total_len - h->data_off) == h->data_crc;
}

/* Binary search among the children of a directory. */
struct ramfs_index_result ramfs_image_child(const struct ramfs_image *image, uint32_t dir, struct str name)
{
	uint32_t low = image->nodes[dir].first_child;
	uint32_t high = low + image->nodes[dir].child_count;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int order = str_cmp(ramfs_image_name(image, mid), name);
		if (order == 0)
			return OK_RESULT(ramfs_index_result, mid);
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return ERR_RESULT(ramfs_index_result, ERR_NOENT);
}

struct ramfs_index_result ramfs_image_find(const struct ramfs_image *image, struct str path)
{
	struct ramfs_index_result at = OK_RESULT(ramfs_index_result, 0);
	while (path.len && at.err == OK) {
		if (image->nodes[at.value].type != RAMFS_DIR)
			return ERR_RESULT(ramfs_index_result, ERR_NOTDIR);
		at = ramfs_image_child(image, at.value, str_cut(&path, '/'));
	}
	return at;
}

struct str ramfs_image_name(const struct ramfs_image *image, uint32_t node)
{
	assert(node < image->count);
	return str_of(image->names + image->nodes[node].name_off, image->nodes[node].name_len);
}

struct rbuf ramfs_image_content(const struct ramfs_image *image, uint32_t node)
{
	assert(node < image->count);
	const struct ramfs_image_node *n = &image->nodes[node];
	if (n->type != RAMFS_FILE)
		return rbuf_of(NULL, 0);
	return rbuf_of(image->bytes.ptr + n->data_off, n->data_len);
}
