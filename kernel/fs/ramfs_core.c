/* ramfs_core.c - see ramfs_core.h. */
#include "kernel/fs/ramfs_core.h"
#include "lib/assert.h"

static bool ramfs_is_packed(const struct ramfs_tree *t, uint32_t node)
{
	return node < t->image_count;
}

static void ramfs_load(struct ramfs_tree *t, uint32_t i)
{
	const struct ramfs_image_node *p = &t->image->nodes[i];
	struct rbuf content = ramfs_image_content(t->image, i);
	bool dir = p->type == RAMFS_DIR, last = i == 0 || i + 1 == t->image->nodes[p->parent].first_child +
									t->image->nodes[p->parent].child_count;
	t->nodes[i] = (struct ramfs_node){
		.name = ramfs_image_name(t->image, i),
		.parent = i ? p->parent : RAMFS_NONE,
		.first = dir && p->child_count ? p->first_child : RAMFS_NONE,
		.next = last ? RAMFS_NONE : i + 1,
		.type = p->type,
		.flags = p->flags,
		.bytes = content.ptr,
		.size = content.len,
		.mtime_ns = p->mtime_ns,
		.digest = p->digest,
	};
	/* Directories stand before what is in them. */
	if (i)
		t->nodes[i].flags |= t->nodes[p->parent].flags & RAMFS_SECRET;
	if (dir && str_eq(t->nodes[i].name, S("secret")))
		t->nodes[i].flags |= RAMFS_SECRET;
}

void ramfs_tree_init(struct ramfs_tree *t, const struct ramfs_image *image, struct ramfs_node *nodes, uint32_t count)
{
	assert(count >= image->count && count < RAMFS_NONE);
	*t = (struct ramfs_tree){
		.image = image, .nodes = nodes, .count = count, .image_count = image->count, .free = RAMFS_NONE};
	for (uint32_t i = 0; i < t->image_count; i++)
		ramfs_load(t, i);
	for (uint32_t i = count; i-- > t->image_count;) {
		nodes[i] = (struct ramfs_node){.parent = RAMFS_NONE, .first = RAMFS_NONE, .next = t->free};
		t->free = i;
	}
	ramfs_tree_check(t);
}

/* ---- looking up ---- */

struct ramfs_index_result ramfs_tree_peek(const struct ramfs_tree *t, struct str path)
{
	struct ramfs_index_result at = OK_RESULT(ramfs_index_result, 0);
	uint32_t made;
	/* Pairs with the stores before anything of the image changes: what was found here was so at this load. */
	if (__atomic_load_n(&t->touched, __ATOMIC_ACQUIRE))
		return ERR_RESULT(ramfs_index_result, ERR_AGAIN);
	while (path.len) {
		if (t->image->nodes[at.value].type != RAMFS_DIR)
			return ERR_RESULT(ramfs_index_result, ERR_NOTDIR);
		made = __atomic_load_n(&t->nodes[at.value].made, __ATOMIC_ACQUIRE);
		at = ramfs_image_child(t->image, at.value, str_cut(&path, '/'));
		if (at.err != OK)
			return ERR_RESULT(ramfs_index_result, made ? ERR_AGAIN : at.err);
	}
	return at;
}

/* Where it stands, or would stand: *link is what refers to it, or to the one behind it. */
static bool ramfs_seek(const struct ramfs_tree *t, uint32_t dir, struct str name, uint32_t **link)
{
	uint32_t *at = &t->nodes[dir].first;
	int order = -1;
	while (*at != RAMFS_NONE && (order = str_cmp(t->nodes[*at].name, name)) < 0)
		at = &t->nodes[*at].next;
	*link = at;
	return *at != RAMFS_NONE && order == 0;
}

struct ramfs_index_result ramfs_tree_find(const struct ramfs_tree *t, struct str path)
{
	uint32_t at = 0, *link;
	while (path.len) {
		if (t->nodes[at].type != RAMFS_DIR)
			return ERR_RESULT(ramfs_index_result, ERR_NOTDIR);
		if (!ramfs_seek(t, at, str_cut(&path, '/'), &link))
			return ERR_RESULT(ramfs_index_result, ERR_NOENT);
		at = *link;
	}
	return OK_RESULT(ramfs_index_result, at);
}

uint32_t ramfs_tree_after(const struct ramfs_tree *t, uint32_t dir, struct str name)
{
	uint32_t *link;
	return ramfs_seek(t, dir, name, &link) ? t->nodes[*link].next : *link;
}

bool ramfs_tree_is_secret(const struct ramfs_tree *t, uint32_t node)
{
	for (; node != RAMFS_NONE; node = t->nodes[node].parent)
		if (t->nodes[node].flags & RAMFS_SECRET)
			return true;
	return false;
}

bool ramfs_tree_would_be_secret(const struct ramfs_tree *t, struct str path)
{
	uint32_t at = 0, *link;
	while (path.len && ramfs_seek(t, at, str_cut(&path, '/'), &link))
		at = *link;
	return ramfs_tree_is_secret(t, at);
}

/* ---- changing the tree ---- */

static void ramfs_touch(struct ramfs_tree *t, uint32_t node)
{
	if (ramfs_is_packed(t, node))
		__atomic_store_n(&t->touched, true, __ATOMIC_SEQ_CST);
}

static uint32_t ramfs_depth(const struct ramfs_tree *t, uint32_t node)
{
	uint32_t depth = 0;
	for (; node != 0; node = t->nodes[node].parent)
		depth++;
	return depth;
}

/* How many levels there are below a node. */
static uint32_t ramfs_height(const struct ramfs_tree *t, uint32_t top)
{
	uint32_t node = top, level = 0, highest = 0;
	for (;;) {
		if (t->nodes[node].first != RAMFS_NONE) {
			node = t->nodes[node].first;
			highest = max(highest, ++level);
			continue;
		}
		for (; node != top && t->nodes[node].next == RAMFS_NONE; level--)
			node = t->nodes[node].parent;
		if (node == top)
			return highest;
		node = t->nodes[node].next;
	}
}

static enum err ramfs_name_judge(struct str name)
{
	if (name.len > RAMFS_NAME_MAX)
		return ERR_NAMETOOLONG;
	return ramfs_name_is_valid(name) ? OK : ERR_INVAL;
}

/* The directory of a path, *name its last segment. ERR_BUSY: the path is the root. */
static struct ramfs_index_result ramfs_parent(const struct ramfs_tree *t, struct str path, struct str *name)
{
	size_t at = path.len;
	while (at && path.ptr[at - 1] != '/')
		at--;
	*name = str_slice(path, at, path.len);
	if (path.len == 0)
		return ERR_RESULT(ramfs_index_result, ERR_BUSY);
	struct ramfs_index_result dir = ramfs_tree_find(t, str_slice(path, 0, at ? at - 1 : 0));
	if (dir.err == OK && t->nodes[dir.value].type != RAMFS_DIR)
		dir.err = ERR_NOTDIR;
	return dir;
}

static void ramfs_link(struct ramfs_tree *t, uint32_t dir, uint32_t node, uint32_t *link)
{
	if (!ramfs_is_packed(t, node)) /* where a packed one moves, `touched` is set already */
		__atomic_store_n(&t->nodes[dir].made, t->nodes[dir].made + 1, __ATOMIC_RELEASE);
	t->nodes[node].parent = dir;
	t->nodes[node].next = *link;
	*link = node;
}

static void ramfs_unlink(struct ramfs_tree *t, uint32_t node)
{
	uint32_t dir = t->nodes[node].parent, *link;
	bool found = ramfs_seek(t, dir, t->nodes[node].name, &link);
	assert(found && *link == node);
	ramfs_touch(t, node);
	*link = t->nodes[node].next;
	if (!ramfs_is_packed(t, node))
		__atomic_store_n(&t->nodes[dir].made, t->nodes[dir].made - 1, __ATOMIC_RELEASE);
	t->nodes[node].parent = t->nodes[node].next = RAMFS_NONE;
}

static void ramfs_set_name(struct ramfs_node *n, struct str name)
{
	memmove(n->own, name.ptr, name.len);
	n->name = str_of(n->own, name.len);
	if (n->type == RAMFS_DIR && str_eq(name, S("secret")))
		n->flags |= RAMFS_SECRET;
}

struct ramfs_index_result ramfs_tree_make(
	struct ramfs_tree *t, struct str path, enum ramfs_node_type type, uint64_t now_ns)
{
	struct str name;
	uint32_t *link, node = t->free;
	struct ramfs_index_result dir = ramfs_parent(t, path, &name);
	if (dir.err != OK)
		return ERR_RESULT(ramfs_index_result, dir.err == ERR_BUSY ? ERR_EXIST : dir.err);
	enum err err = ramfs_name_judge(name);
	if (err == OK && ramfs_seek(t, dir.value, name, &link))
		err = ERR_EXIST;
	if (err == OK && ramfs_depth(t, dir.value) >= RAMFS_DEPTH_MAX)
		err = ERR_NAMETOOLONG;
	if (err == OK && node == RAMFS_NONE)
		err = ERR_NOSPC;
	if (err != OK)
		return ERR_RESULT(ramfs_index_result, err);
	struct ramfs_node *n = &t->nodes[node];
	t->free = n->next;
	t->used++;
	*n = (struct ramfs_node){.type = (uint8_t)type, .first = RAMFS_NONE, .mtime_ns = now_ns};
	ramfs_set_name(n, name);
	ramfs_link(t, dir.value, node, link);
	ramfs_tree_check(t);
	return OK_RESULT(ramfs_index_result, node);
}

struct ramfs_index_result ramfs_tree_remove(struct ramfs_tree *t, struct str path)
{
	struct ramfs_index_result node = ramfs_tree_find(t, path);
	if (node.err != OK)
		return node;
	if (node.value == 0)
		return ERR_RESULT(ramfs_index_result, ERR_BUSY);
	if (t->nodes[node.value].first != RAMFS_NONE)
		return ERR_RESULT(ramfs_index_result, ERR_NOTEMPTY);
	ramfs_unlink(t, node.value);
	ramfs_tree_check(t);
	return node;
}

static bool ramfs_is_below(const struct ramfs_tree *t, uint32_t node, uint32_t top)
{
	while (node != RAMFS_NONE && node != top)
		node = t->nodes[node].parent;
	return node == top;
}

/* Whether `node` may come into `dir`, in place of `old` (RAMFS_NONE: of nothing). */
static enum err ramfs_judge_move(const struct ramfs_tree *t, uint32_t node, uint32_t dir, uint32_t old)
{
	bool is_dir = t->nodes[node].type == RAMFS_DIR;
	if (ramfs_is_below(t, dir, node))
		return ERR_INVAL;
	if (old != RAMFS_NONE && is_dir != (t->nodes[old].type == RAMFS_DIR))
		return is_dir ? ERR_NOTDIR : ERR_ISDIR;
	if (old != RAMFS_NONE && t->nodes[old].first != RAMFS_NONE)
		return ERR_NOTEMPTY;
	if (ramfs_depth(t, dir) + 1 + ramfs_height(t, node) > RAMFS_DEPTH_MAX)
		return ERR_NAMETOOLONG;
	return OK;
}

struct ramfs_index_result ramfs_tree_rename(struct ramfs_tree *t, struct str from, struct str to)
{
	struct str name;
	uint32_t *link, old = RAMFS_NONE;
	struct ramfs_index_result node = ramfs_tree_find(t, from);
	if (node.err != OK)
		return node;
	struct ramfs_index_result dir = ramfs_parent(t, to, &name);
	enum err err = node.value == 0 ? ERR_BUSY : dir.err;
	if (err == OK && ramfs_seek(t, dir.value, name, &link))
		old = *link;
	if (err == OK && old == node.value)
		return OK_RESULT(ramfs_index_result, RAMFS_NONE);
	if (err == OK)
		err = ramfs_name_judge(name);
	if (err == OK)
		err = ramfs_judge_move(t, node.value, dir.value, old);
	if (err != OK)
		return ERR_RESULT(ramfs_index_result, err);
	struct ramfs_node *n = &t->nodes[node.value];
	if (ramfs_tree_is_secret(t, node.value) || (old != RAMFS_NONE && ramfs_tree_is_secret(t, old)))
		n->flags |= RAMFS_SECRET;
	if (old != RAMFS_NONE)
		ramfs_unlink(t, old);
	ramfs_unlink(t, node.value);
	ramfs_set_name(n, name);
	(void)ramfs_seek(t, dir.value, n->name, &link);
	ramfs_link(t, dir.value, node.value, link);
	ramfs_tree_check(t);
	return OK_RESULT(ramfs_index_result, old);
}

const uint8_t *ramfs_tree_reap(struct ramfs_tree *t, uint32_t node)
{
	struct ramfs_node *n = &t->nodes[node];
	const uint8_t *memory = n->cap ? n->bytes : NULL;
	assert(n->parent == RAMFS_NONE && n->first == RAMFS_NONE && node != 0);
	if (ramfs_is_packed(t, node)) {
		/* Whoever opened it before it was touched goes on reading what was packed. */
		struct rbuf content = ramfs_image_content(t->image, node);
		n->bytes = content.ptr;
		n->size = content.len;
		n->cap = n->given = 0;
		return memory;
	}
	*n = (struct ramfs_node){.parent = RAMFS_NONE, .first = RAMFS_NONE, .next = t->free};
	t->free = node;
	assert(t->used > 0);
	t->used--;
	return memory;
}

/* ---- content ---- */

/* Fills in the memory: bytes from `changed` on will be others than they are. */
static void ramfs_plan_memory(
	const struct ramfs_node *n, size_t changed, size_t most, bool held, struct ramfs_plan *out)
{
	bool in_place = out->size <= n->cap && (!held || changed >= n->given);
	/* What grows will grow on: twice the room, so that n bytes added one by one cost a copy of 2n. */
	out->need = in_place ? 0 : out->size;
	out->want = out->need && out->size > n->cap ? min(max(out->size, 2 * n->cap), most) : out->need;
}

enum err ramfs_plan_write(const struct ramfs_node *n, uint64_t offset, size_t len, size_t most, bool held,
	struct ramfs_plan *out)
{
	assert(n->type == RAMFS_FILE && len > 0);
	if (offset > most || len > most - (size_t)offset)
		return ERR_FBIG;
	*out = (struct ramfs_plan){.at = offset, .len = len, .size = max(n->size, (size_t)offset + len)};
	ramfs_plan_memory(n, min((size_t)offset, n->size), most, held, out);
	return OK;
}

enum err ramfs_plan_truncate(
	const struct ramfs_node *n, uint64_t size, size_t most, bool held, struct ramfs_plan *out)
{
	assert(n->type == RAMFS_FILE);
	if (size > most)
		return ERR_FBIG;
	*out = (struct ramfs_plan){.at = size, .size = (size_t)size};
	if (size > n->size)
		ramfs_plan_memory(n, n->size, most, held, out);
	return OK;
}

/* Another memory for the content, with what stays of it. The old one, if it was not the image's. */
static const uint8_t *ramfs_move_content(struct ramfs_node *n, const struct ramfs_plan *plan, struct wbuf fresh)
{
	const uint8_t *old = n->cap ? n->bytes : NULL;
	assert(fresh.len >= plan->need);
	if (n->size)
		memcpy(fresh.ptr, n->bytes, min(n->size, plan->size));
	n->bytes = fresh.ptr;
	n->cap = fresh.len;
	n->given = 0;
	return old;
}

const uint8_t *ramfs_commit(struct ramfs_tree *t, uint32_t node, const struct ramfs_plan *plan, const uint8_t *from,
	struct wbuf fresh, uint64_t now_ns)
{
	struct ramfs_node *n = &t->nodes[node];
	const uint8_t *old = NULL;
	ramfs_touch(t, node);
	if (plan->need)
		old = ramfs_move_content(n, plan, fresh);
	/* The memory is the caller's, lent for writing with cap; what of it must not change ramfs_plan() has seen to. */
	uint8_t *bytes = (uint8_t *)(uintptr_t)n->bytes;
	if (plan->at > n->size)
		memset(bytes + n->size, 0, (size_t)plan->at - n->size);
	if (plan->len)
		memcpy(bytes + plan->at, from, plan->len);
	n->size = plan->size;
	n->digest = 0;
	n->mtime_ns = now_ns;
	if (n->size == 0) {
		old = n->cap ? n->bytes : NULL;
		n->bytes = NULL;
		n->cap = n->given = 0;
	}
	return old;
}

size_t ramfs_node_read(const struct ramfs_node *n, uint64_t offset, struct wbuf to)
{
	size_t from = (size_t)min(offset, (uint64_t)n->size);
	size_t len = min(to.len, n->size - from);
	if (len)
		memcpy(to.ptr, n->bytes + from, len);
	return len;
}

/* ---- invariants ---- */

void ramfs_tree_check(const struct ramfs_tree *t)
{
	if (!config_on(CONFIG_DEBUG))
		return;
	/* Each directory's entries are its own and sorted; together they are all that has a parent. */
	uint32_t listed = 0, linked = 0, made = 0;
	for (uint32_t i = 0; i < t->count; i++) {
		const struct ramfs_node *n = &t->nodes[i];
		linked += n->parent != RAMFS_NONE;
		made += i >= t->image_count && n->type != 0;
		assert(n->given <= n->cap && (n->cap == 0 || n->size <= n->cap));
		if (i >= t->image_count && n->type == 0)
			continue;
		for (uint32_t k = n->first; k != RAMFS_NONE; k = t->nodes[k].next) {
			assert(k < t->count && listed < t->count && t->nodes[k].parent == i && n->type == RAMFS_DIR);
			uint32_t next = t->nodes[k].next;
			assert(next == RAMFS_NONE || str_cmp(t->nodes[k].name, t->nodes[next].name) < 0);
			listed++;
		}
	}
	assert(listed == linked && made == t->used);
}
