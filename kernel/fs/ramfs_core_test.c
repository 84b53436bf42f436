/*
 * ramfs_core_test.c - a tree that is changed is what a list of paths says it is; what was given away
 * stays as it was; each bound refuses and changes nothing.
 */
#include "tests/host/test.h"
#include "kernel/fs/ramfs_core.h"
#include "lib/crc32c.h"

/* "/", "/a" (5 bytes), "/d", "/secret", "/d/x" (3 bytes), "/d/y" (no bytes), "/secret/k" (3 bytes) */
static struct {
	struct ramfs_image_header h;
	struct ramfs_image_node node[7];
	char names[16];
	uint8_t data[32];
} aligned_to(16) file_image;

#define IMAGE_NODES 7
#define MADE_MAX    12
#define FILE_MAX    100

static struct ramfs_image image;
static struct ramfs_node nodes[IMAGE_NODES + MADE_MAX];
static struct ramfs_tree tree;

static void image_make(void)
{
	uint64_t data = offsetof(__typeof__(file_image), data);
	struct str why;
	memset(&file_image, 0, sizeof(file_image));
	file_image.h = (struct ramfs_image_header){.version = 1, .node_count = IMAGE_NODES,
		.total_len = sizeof(file_image), .nodes_off = 64, .names_off = 64 + IMAGE_NODES * 64, .names_len = 11,
		.data_off = data};
	memcpy(file_image.h.magic, RAMFS_MAGIC, 8);
	memcpy(file_image.names, "adsecretxyk", 11);
	memcpy(file_image.data, "hello", 5);
	memcpy(file_image.data + 16, "abc", 3);
	struct ramfs_image_node *n = file_image.node;
	n[0] = (struct ramfs_image_node){.type = RAMFS_DIR, .first_child = 1, .child_count = 3};
	n[1] = (struct ramfs_image_node){.type = RAMFS_FILE, .name_len = 1, .data_off = data, .data_len = 5, .digest = 7};
	n[2] = (struct ramfs_image_node){.type = RAMFS_DIR, .name_off = 1, .name_len = 1, .first_child = 4, .child_count = 2};
	n[3] = (struct ramfs_image_node){.type = RAMFS_DIR, .name_off = 2, .name_len = 6, .first_child = 6, .child_count = 1};
	n[4] = (struct ramfs_image_node){.type = RAMFS_FILE, .parent = 2, .name_off = 8, .name_len = 1,
		.data_off = data + 16, .data_len = 3, .digest = 8};
	n[5] = (struct ramfs_image_node){.type = RAMFS_FILE, .parent = 2, .name_off = 9, .name_len = 1, .data_off = data};
	n[6] = (struct ramfs_image_node){.type = RAMFS_FILE, .parent = 3, .name_off = 10, .name_len = 1,
		.data_off = data + 16, .data_len = 3, .flags = RAMFS_SECRET};
	file_image.h.data_crc = crc32c(0, file_image.data, sizeof(file_image.data));
	file_image.h.meta_crc = crc32c(0, &file_image, data);
	CHECK_EQ(ramfs_image_open(rbuf_of(&file_image, sizeof(file_image)), &image, &why), OK);
}

static void tree_make(void)
{
	image_make();
	ramfs_tree_init(&tree, &image, nodes, countof(nodes));
}

/* ---- memory with a count, as the kernel's: what is used after its end the sanitizer sees ---- */

struct run {
	unsigned refs;
	uint8_t bytes[];
};
static unsigned runs;

static struct run *run_of(const uint8_t *bytes)
{
	return (struct run *)((uintptr_t)bytes - offsetof(struct run, bytes));
}

static void run_put(const uint8_t *bytes)
{
	if (bytes && --run_of(bytes)->refs == 0) {
		__builtin_free(run_of(bytes));
		runs--;
	}
}

static bool is_held(uint32_t node)
{
	return nodes[node].cap && run_of(nodes[node].bytes)->refs > 1;
}

static void apply(uint32_t node, const struct ramfs_plan *plan, const void *from, size_t extra)
{
	struct wbuf fresh = {0};
	if (plan->need) {
		CHECK(plan->want >= plan->need && plan->want <= FILE_MAX);
		fresh.len = plan->need + extra;
		struct run *r = __builtin_malloc(sizeof(*r) + fresh.len);
		*r = (struct run){.refs = 1};
		fresh.ptr = r->bytes;
		runs++;
	}
	run_put(ramfs_commit(&tree, node, plan, from, fresh, 1));
}

static enum err put(uint32_t node, uint64_t at, const void *bytes, size_t len, size_t extra)
{
	struct ramfs_plan plan;
	enum err err = ramfs_plan_write(&nodes[node], at, len, FILE_MAX, is_held(node), &plan);
	if (err == OK)
		apply(node, &plan, bytes, extra);
	return err;
}

static enum err cut(uint32_t node, uint64_t size)
{
	struct ramfs_plan plan;
	enum err err = ramfs_plan_truncate(&nodes[node], size, FILE_MAX, is_held(node), &plan);
	if (err == OK)
		apply(node, &plan, NULL, 0);
	return err;
}

static uint32_t at(struct str path)
{
	struct ramfs_index_result r = ramfs_tree_find(&tree, path);
	CHECK_EQ(r.err, OK);
	return r.value;
}

static void check_content(struct str path, struct str expected)
{
	uint8_t bytes[FILE_MAX + 1];
	size_t n = ramfs_node_read(&nodes[at(path)], 0, wbuf_of(bytes, sizeof(bytes)));
	CHECK_STR(str_of(bytes, n), expected);
}

static enum err make(struct str path, enum ramfs_node_type type)
{
	return ramfs_tree_make(&tree, path, type, 5).err;
}

static enum err take(struct str path)
{
	struct ramfs_index_result r = ramfs_tree_remove(&tree, path);
	if (r.err == OK)
		run_put(ramfs_tree_reap(&tree, r.value));
	return r.err;
}

static enum err move(struct str from, struct str to)
{
	struct ramfs_index_result r = ramfs_tree_rename(&tree, from, to);
	if (r.err == OK && r.value != RAMFS_NONE)
		run_put(ramfs_tree_reap(&tree, r.value));
	return r.err;
}

/* ---- one by one ---- */

TEST(ramfs_a_packed_file_is_written_beside_the_image)
{
	tree_make();
	CHECK_EQ(put(at(S("a")), 1, "EL", 2, 0), OK);
	check_content(S("a"), S("hELlo"));
	CHECK_MEM(file_image.data, "hello", 5);
	CHECK_EQ(nodes[at(S("a"))].digest, 0);
	CHECK_EQ(nodes[at(S("a"))].mtime_ns, 1);
	CHECK_EQ(put(at(S("a")), 7, "!", 1, 0), OK);
	check_content(S("a"), S("hELlo\0\0!"));
	CHECK_EQ(cut(at(S("a")), 2), OK);
	CHECK_EQ(cut(at(S("a")), 4), OK); /* what was cut off does not come back */
	check_content(S("a"), S("hE\0\0"));
	CHECK_EQ(cut(at(S("a")), 0), OK);
	check_content(S("a"), S(""));
	CHECK_EQ(runs, 0);
	/* Cut short, a packed file stays where it is; what is added then is not the rest of it. */
	CHECK_EQ(cut(at(S("d/x")), 1), OK);
	CHECK_EQ(runs, 0);
	CHECK_EQ(nodes[at(S("d/x"))].digest, 0);
	CHECK_EQ(put(at(S("d/x")), 2, "Z", 1, 0), OK);
	check_content(S("d/x"), S("a\0Z"));
	uint8_t bytes[4];
	uint32_t x = at(S("d/x"));
	CHECK_EQ(take(S("d/x")), OK);
	CHECK_EQ(runs, 0);
	/* For who opened it without a lock, before all of this. */
	CHECK_EQ(ramfs_node_read(&nodes[x], 0, wbuf_of(bytes, 4)), 3);
	CHECK_MEM(bytes, "abc", 3);
}

TEST(ramfs_what_was_given_away_does_not_change)
{
	tree_make();
	CHECK_EQ(make(S("n"), RAMFS_FILE), OK);
	uint32_t n = at(S("n"));
	CHECK_EQ(put(n, 0, "abcd", 4, 40), OK);
	const uint8_t *given = nodes[n].bytes;
	run_of(given)->refs++;
	nodes[n].given = 4;
	CHECK_EQ(put(n, 4, "ef", 2, 0), OK); /* behind it there is room */
	CHECK_EQ(nodes[n].bytes, given);
	CHECK_EQ(put(n, 3, "X", 1, 0), OK);
	CHECK(nodes[n].bytes != given && nodes[n].given == 0);
	check_content(S("n"), S("abcXef"));
	CHECK_MEM(given, "abcd", 4);
	run_put(given);
	/* Cut and lengthened again: its zeros would be in what was given. */
	given = nodes[n].bytes;
	run_of(given)->refs++;
	nodes[n].given = 6;
	CHECK_EQ(cut(n, 2), OK);
	CHECK_EQ(put(n, 5, "Y", 1, 0), OK);
	check_content(S("n"), S("ab\0\0\0Y"));
	CHECK_MEM(given, "abcXef", 6);
	run_put(given);
	CHECK_EQ(take(S("n")), OK);
	CHECK_EQ(runs, 0);
}

TEST(ramfs_tree_refusals)
{
	tree_make();
	CHECK_EQ(make(S(""), RAMFS_DIR), ERR_EXIST);
	CHECK_EQ(make(S("a"), RAMFS_FILE), ERR_EXIST);
	CHECK_EQ(make(S("d"), RAMFS_FILE), ERR_EXIST);
	CHECK_EQ(make(S("a/b"), RAMFS_FILE), ERR_NOTDIR);
	CHECK_EQ(make(S("none/b"), RAMFS_FILE), ERR_NOENT);
	CHECK_EQ(make(S(".."), RAMFS_FILE), ERR_INVAL);
	CHECK_EQ(make(S("d/"), RAMFS_FILE), ERR_INVAL);
	CHECK_EQ(take(S("")), ERR_BUSY);
	CHECK_EQ(take(S("d")), ERR_NOTEMPTY);
	CHECK_EQ(take(S("none")), ERR_NOENT);
	CHECK_EQ(take(S("a/b")), ERR_NOTDIR);
	CHECK_EQ(move(S("none"), S("b")), ERR_NOENT);
	CHECK_EQ(move(S("a"), S("none/b")), ERR_NOENT);
	CHECK_EQ(move(S("a"), S("d")), ERR_ISDIR);
	CHECK_EQ(move(S("d"), S("a")), ERR_NOTDIR);
	CHECK_EQ(move(S("d"), S("secret")), ERR_NOTEMPTY);
	CHECK_EQ(move(S("d"), S("d/z")), ERR_INVAL);
	CHECK_EQ(move(S("d/x"), S("d")), ERR_ISDIR);
	CHECK_EQ(move(S(""), S("z")), ERR_BUSY);
	CHECK_EQ(move(S("a"), S("")), ERR_BUSY);
	CHECK_EQ(move(S("a"), S("a")), OK);
	CHECK_EQ(move(S("d"), S("d")), OK);
	CHECK(!tree.touched && tree.used == 0);
	CHECK_EQ(put(at(S("a")), FILE_MAX, "x", 1, 0), ERR_FBIG);
	CHECK_EQ(put(at(S("a")), UINT64_MAX, "x", 1, 0), ERR_FBIG);
	CHECK_EQ(put(at(S("a")), FILE_MAX - 1, "xy", 2, 0), ERR_FBIG);
	CHECK_EQ(cut(at(S("a")), FILE_MAX + 1), ERR_FBIG);
	check_content(S("a"), S("hello"));
}

TEST(ramfs_bounds_of_names_depth_and_files)
{
	char name[300], path[RAMFS_DEPTH_MAX * 2 + 8];
	tree_make();
	memset(name, 'n', sizeof(name));
	CHECK_EQ(make(str_of(name, RAMFS_NAME_MAX + 1), RAMFS_FILE), ERR_NAMETOOLONG);
	CHECK_EQ(make(str_of(name, RAMFS_NAME_MAX), RAMFS_FILE), OK);
	CHECK_EQ(move(S("a"), str_of(name, RAMFS_NAME_MAX + 1)), ERR_NAMETOOLONG);
	CHECK_EQ(take(str_of(name, RAMFS_NAME_MAX)), OK);
	for (unsigned i = 0; i < MADE_MAX; i++)
		CHECK_EQ(make(str_of(name, i + 1), RAMFS_FILE), OK);
	CHECK_EQ(make(S("more"), RAMFS_FILE), ERR_NOSPC);
	CHECK_EQ(tree.used, MADE_MAX);
	CHECK_EQ(take(S("n")), OK);
	CHECK_EQ(make(S("more"), RAMFS_DIR), OK);
	static struct ramfs_node many[IMAGE_NODES + 2 * RAMFS_DEPTH_MAX];
	ramfs_tree_init(&tree, &image, many, countof(many));
	for (unsigned depth = 1; depth <= RAMFS_DEPTH_MAX; depth++) {
		path[2 * depth - 2] = 'p';
		path[2 * depth - 1] = '/';
		CHECK_EQ(make(str_of(path, 2 * depth - 1), RAMFS_DIR), OK);
	}
	path[2 * RAMFS_DEPTH_MAX] = 'q';
	CHECK_EQ(make(str_of(path, 2 * RAMFS_DEPTH_MAX + 1), RAMFS_FILE), ERR_NAMETOOLONG);
	CHECK_EQ(move(S("d/x"), str_of(path, 2 * RAMFS_DEPTH_MAX + 1)), ERR_NAMETOOLONG);
	CHECK_EQ(move(S("d"), str_of(path, 2 * RAMFS_DEPTH_MAX - 1)), ERR_NAMETOOLONG); /* with what is in it */
	CHECK_EQ(move(S("p"), S("d/p")), ERR_NAMETOOLONG);
	CHECK_EQ(move(S("d/x"), str_of(path, 2 * RAMFS_DEPTH_MAX - 1)), ERR_ISDIR);
}

TEST(ramfs_secrets_stay_secret)
{
	tree_make();
	CHECK(ramfs_tree_is_secret(&tree, at(S("secret/k"))) && !ramfs_tree_is_secret(&tree, at(S("a"))));
	CHECK(ramfs_tree_would_be_secret(&tree, S("secret/none")) && ramfs_tree_would_be_secret(&tree, S("secret/k")));
	CHECK(!ramfs_tree_would_be_secret(&tree, S("none")) && !ramfs_tree_would_be_secret(&tree, S("a")));
	CHECK_EQ(make(S("secret/new"), RAMFS_FILE), OK);
	CHECK_EQ(make(S("secret/sub"), RAMFS_DIR), OK);
	CHECK_EQ(make(S("secret/sub/new"), RAMFS_FILE), OK);
	CHECK(ramfs_tree_is_secret(&tree, at(S("secret/new"))) && ramfs_tree_is_secret(&tree, at(S("secret/sub/new"))));
	/* What is moved out keeps it, what is moved in has it while it is there, what replaces one takes it over. */
	CHECK_EQ(move(S("secret/new"), S("out")), OK);
	CHECK_EQ(move(S("secret/sub"), S("sub")), OK);
	CHECK(ramfs_tree_is_secret(&tree, at(S("out"))) && ramfs_tree_is_secret(&tree, at(S("sub/new"))));
	CHECK_EQ(move(S("a"), S("secret/a")), OK);
	CHECK(ramfs_tree_is_secret(&tree, at(S("secret/a"))));
	CHECK_EQ(move(S("d/x"), S("out")), OK);
	CHECK(ramfs_tree_is_secret(&tree, at(S("out"))));
	CHECK_EQ(move(S("d"), S("e")), OK);
	CHECK(!ramfs_tree_is_secret(&tree, at(S("e/y"))));
	CHECK_EQ(move(S("secret"), S("public")), OK);
	CHECK(ramfs_tree_is_secret(&tree, at(S("public/k"))));
	CHECK_EQ(make(S("e/secret"), RAMFS_DIR), OK);
	CHECK_EQ(make(S("e/secret/f"), RAMFS_FILE), OK);
	CHECK(ramfs_tree_is_secret(&tree, at(S("e/secret/f"))) && !ramfs_tree_is_secret(&tree, at(S("e"))));
}

/* Without a lock: exactly as long as the image alone can tell. */
TEST(ramfs_peek_knows_what_it_does_not_know)
{
	tree_make();
	CHECK(ramfs_tree_peek(&tree, S("d/x")).err == OK && ramfs_tree_peek(&tree, S("d/x")).value == at(S("d/x")));
	CHECK_EQ(ramfs_tree_peek(&tree, S("d/none")).err, ERR_NOENT);
	CHECK_EQ(ramfs_tree_peek(&tree, S("a/x")).err, ERR_NOTDIR);
	CHECK_EQ(make(S("tmp"), RAMFS_DIR), OK);
	CHECK_EQ(make(S("tmp/f"), RAMFS_FILE), OK);
	CHECK_EQ(ramfs_tree_peek(&tree, S("tmp/f")).err, ERR_AGAIN);
	CHECK_EQ(ramfs_tree_peek(&tree, S("none")).err, ERR_AGAIN);
	CHECK_EQ(ramfs_tree_peek(&tree, S("d/none")).err, ERR_NOENT);
	CHECK_EQ(ramfs_tree_peek(&tree, S("d/x")).err, OK);
	CHECK_EQ(move(S("tmp/f"), S("d/f")), OK);
	CHECK_EQ(ramfs_tree_peek(&tree, S("d/none")).err, ERR_AGAIN);
	CHECK_EQ(take(S("d/f")), OK);
	CHECK_EQ(take(S("tmp")), OK);
	CHECK_EQ(ramfs_tree_peek(&tree, S("none")).err, ERR_NOENT);
	CHECK_EQ(cut(at(S("a")), 1), OK);
	CHECK_EQ(ramfs_tree_peek(&tree, S("d/x")).err, ERR_AGAIN);
}

/* ---- against a list of paths ---- */

struct model_file {
	bool used, dir;
	char path[64];
	size_t path_len;
	unsigned object; /* who it is, under whatever name */
};
#define MODEL_FILES (IMAGE_NODES + MADE_MAX)
static struct model_file model[MODEL_FILES];
static struct {
	size_t size;
	uint8_t bytes[FILE_MAX];
} model_content[100000];
static unsigned model_objects, model_made;

/* Somebody to whom a content was given, and what it was then; or who has a file open that may be removed. */
static struct holder {
	const uint8_t *bytes;
	size_t len;
	uint8_t copy[FILE_MAX];
} holders[4];
static struct {
	bool used;
	uint32_t node;
	unsigned object;
} opened[3];

static struct str model_path(const struct model_file *f)
{
	return str_of(f->path, f->path_len);
}

static struct model_file *model_find(struct str path)
{
	for (size_t i = 0; i < MODEL_FILES; i++)
		if (model[i].used && str_eq(model_path(&model[i]), path))
			return &model[i];
	return NULL;
}

static bool model_is_below(struct str path, struct str dir)
{
	return path.len > dir.len && str_starts(path, dir) && (dir.len == 0 || path.ptr[dir.len] == '/');
}

static bool model_is_empty(struct str dir)
{
	for (size_t i = 0; i < MODEL_FILES; i++)
		if (model[i].used && model_is_below(model_path(&model[i]), dir))
			return false;
	return true;
}

static void model_add(struct str path, bool dir, struct str content)
{
	struct model_file *f = model;
	while (f->used)
		f++;
	CHECK(f < model + MODEL_FILES);
	CHECK(model_objects < countof(model_content));
	*f = (struct model_file){.used = true, .dir = dir, .path_len = path.len, .object = model_objects++};
	memcpy(f->path, path.ptr, path.len);
	model_content[f->object].size = content.len;
	memcpy(model_content[f->object].bytes, content.ptr, content.len);
}

static struct str parent_of(struct str path)
{
	size_t n = path.len;
	while (n && path.ptr[n - 1] != '/')
		n--;
	return str_slice(path, 0, n ? n - 1 : 0);
}

/* Whether the parent of a path is a directory. */
static bool model_has_parent(struct str path)
{
	struct str up = parent_of(path);
	struct model_file *f = model_find(up);
	return up.len == 0 || (f && f->dir);
}

/* One to three segments of few names. */
static struct str random_path(struct test_rng *rng, char *out)
{
	static const char names[] = "adxyzk";
	size_t len = 0;
	for (unsigned n = 1 + (unsigned)test_below(rng, 3); n; n--) {
		if (len)
			out[len++] = '/';
		out[len++] = names[test_below(rng, 6)];
	}
	return str_of(out, len);
}

static bool is_open(uint32_t node)
{
	for (size_t i = 0; i < countof(opened); i++)
		if (opened[i].used && opened[i].node == node)
			return true;
	return false;
}

static bool node_counts(uint32_t node)
{
	return node >= IMAGE_NODES;
}

/* A node was taken out of the tree: gone now, or when it is closed. */
static void gone(uint32_t node)
{
	if (is_open(node))
		return;
	model_made -= node_counts(node);
	run_put(ramfs_tree_reap(&tree, node));
}

static void random_make(struct test_rng *rng)
{
	char bytes[64];
	struct str path = random_path(rng, bytes);
	bool dir = test_below(rng, 2);
	bool may = model_has_parent(path) && !model_find(path) && model_made < MADE_MAX;
	CHECK_EQ(make(path, dir ? RAMFS_DIR : RAMFS_FILE) == OK, may);
	if (may) {
		model_add(path, dir, S(""));
		model_made++;
	}
}

static void random_remove(struct test_rng *rng)
{
	char bytes[64];
	struct str path = random_path(rng, bytes);
	struct model_file *f = model_find(path);
	bool may = f && model_is_empty(path);
	struct ramfs_index_result r = ramfs_tree_remove(&tree, path);
	CHECK_EQ(r.err == OK, may);
	if (may) {
		f->used = false;
		gone(r.value);
	}
}

static bool model_may_rename(struct str from, struct str to)
{
	const struct model_file *f = model_find(from), *t = model_find(to);
	if (!f || !model_has_parent(to) || model_is_below(to, from))
		return false;
	return !t || t == f || (t->dir == f->dir && model_is_empty(to));
}

static void random_rename(struct test_rng *rng)
{
	char from_bytes[64], to_bytes[64];
	struct str from = random_path(rng, from_bytes), to = random_path(rng, to_bytes);
	bool may = model_may_rename(from, to);
	struct ramfs_index_result r = ramfs_tree_rename(&tree, from, to);
	CHECK_EQ(r.err == OK, may);
	if (!may || str_eq(from, to))
		return;
	struct model_file *old = model_find(to);
	CHECK_EQ(r.value != RAMFS_NONE, old != NULL);
	if (old) {
		old->used = false;
		gone(r.value);
	}
	for (size_t i = 0; i < MODEL_FILES; i++) {
		struct model_file *f = &model[i];
		if (!f->used || !(str_eq(model_path(f), from) || model_is_below(model_path(f), from)))
			continue;
		CHECK(f->path_len - from.len + to.len <= sizeof(f->path));
		memmove(f->path + to.len, f->path + from.len, f->path_len - from.len);
		memcpy(f->path, to.ptr, to.len);
		f->path_len = f->path_len - from.len + to.len;
	}
}

/* A file by a path, or one that is open, perhaps removed; false: none there. */
static bool random_file(struct test_rng *rng, uint32_t *node, unsigned *object)
{
	char bytes[64];
	size_t i = test_below(rng, 2 * countof(opened));
	if (i < countof(opened)) {
		*node = opened[i].node;
		*object = opened[i].object;
		return opened[i].used;
	}
	struct str path = random_path(rng, bytes);
	const struct model_file *f = model_find(path);
	if (!f || f->dir)
		return false;
	*node = at(path);
	*object = f->object;
	return true;
}

static void random_write(struct test_rng *rng)
{
	uint32_t node;
	unsigned object;
	uint8_t bytes[24];
	if (!random_file(rng, &node, &object))
		return;
	size_t size = model_content[object].size, len = 1 + test_below(rng, sizeof(bytes));
	uint64_t offset = test_below(rng, 2) ? size : test_below(rng, FILE_MAX);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)test_u64(rng);
	bool may = offset + len <= FILE_MAX;
	CHECK_EQ(put(node, offset, bytes, len, test_below(rng, 20)) == OK, may);
	if (!may)
		return;
	uint8_t *content = model_content[object].bytes;
	if (offset > size)
		memset(content + size, 0, offset - size);
	memcpy(content + offset, bytes, len);
	model_content[object].size = max(size, (size_t)offset + len);
}

static void random_truncate(struct test_rng *rng)
{
	uint32_t node;
	unsigned object;
	if (!random_file(rng, &node, &object))
		return;
	size_t old = model_content[object].size, size = test_below(rng, FILE_MAX + 10);
	CHECK_EQ(cut(node, size) == OK, size <= FILE_MAX);
	if (size > FILE_MAX)
		return;
	if (size > old)
		memset(model_content[object].bytes + old, 0, size - old);
	model_content[object].size = size;
}

static void random_hold(struct test_rng *rng)
{
	struct holder *h = &holders[test_below(rng, countof(holders))];
	uint32_t node;
	unsigned object;
	if (h->bytes) {
		CHECK_MEM(h->bytes, h->copy, h->len);
		run_put(h->bytes);
		h->bytes = NULL;
	} else if (random_file(rng, &node, &object) && nodes[node].cap) {
		struct ramfs_node *n = &nodes[node];
		n->given = is_held(node) ? max(n->given, n->size) : n->size;
		run_of(n->bytes)->refs++;
		*h = (struct holder){.bytes = n->bytes, .len = n->size};
		memcpy(h->copy, n->bytes, n->size);
	}
}

static void random_open(struct test_rng *rng)
{
	size_t i = test_below(rng, countof(opened));
	if (opened[i].used) {
		uint32_t node = opened[i].node;
		opened[i].used = false;
		if (nodes[node].parent == RAMFS_NONE)
			gone(node);
	} else {
		opened[i].used = random_file(rng, &opened[i].node, &opened[i].object);
	}
}

static void check_holders(void)
{
	for (size_t i = 0; i < countof(holders); i++)
		if (holders[i].bytes)
			CHECK_MEM(holders[i].bytes, holders[i].copy, holders[i].len);
	for (size_t i = 0; i < countof(opened); i++)
		if (opened[i].used)
			CHECK_MEM(nodes[opened[i].node].bytes, model_content[opened[i].object].bytes,
				model_content[opened[i].object].size);
}

/* Everything in the list is there, and nothing else: as many entries, enumerated by name. */
static void check_all(void)
{
	size_t listed = 0, in_model = 0;
	for (size_t i = 0; i < MODEL_FILES; i++) {
		if (!model[i].used)
			continue;
		in_model++;
		uint32_t node = at(model_path(&model[i]));
		CHECK_EQ(nodes[node].type == RAMFS_DIR, model[i].dir);
		if (!model[i].dir)
			check_content(model_path(&model[i]), str_of(model_content[model[i].object].bytes,
				model_content[model[i].object].size));
		for (uint32_t k = model[i].dir ? ramfs_tree_after(&tree, node, S("")) : RAMFS_NONE; k != RAMFS_NONE;
			k = ramfs_tree_after(&tree, node, nodes[k].name))
			listed++;
	}
	for (uint32_t k = ramfs_tree_after(&tree, 0, S("")); k != RAMFS_NONE;
		k = ramfs_tree_after(&tree, 0, nodes[k].name))
		listed++;
	CHECK_EQ(listed, in_model);
	CHECK_EQ(tree.used, model_made);
}

TEST(ramfs_tree_against_a_model)
{
	static void (*const does[])(struct test_rng *) = {random_make, random_make, random_remove, random_rename,
		random_write, random_write, random_truncate, random_hold, random_open};
	struct test_rng rng = test_rng(test_seed());
	for (unsigned life = 0; life < 60; life++) {
		tree_make();
		memset(model, 0, sizeof(model));
		model_made = model_objects = 0;
		model_add(S("a"), false, S("hello"));
		model_add(S("d"), true, S(""));
		model_add(S("secret"), true, S(""));
		model_add(S("d/x"), false, S("abc"));
		model_add(S("d/y"), false, S(""));
		model_add(S("secret/k"), false, S("abc"));
		for (unsigned step = 0; step < 2500; step++) {
			does[test_below(&rng, countof(does))](&rng);
			check_holders();
			if (step % 16 == 0)
				check_all();
		}
		check_all();
		/* And all of it goes: what is removed, what was given, what is open. */
		for (size_t i = 0; i < countof(holders); i++) {
			run_put(holders[i].bytes);
			holders[i].bytes = NULL;
		}
		while (!model_is_empty(S(""))) {
			struct model_file *f = &model[test_below(&rng, MODEL_FILES)];
			if (!f->used || !model_is_empty(model_path(f)))
				continue;
			struct ramfs_index_result r = ramfs_tree_remove(&tree, model_path(f));
			CHECK_EQ(r.err, OK);
			f->used = false;
			gone(r.value);
		}
		for (size_t i = 0; i < countof(opened); i++) {
			uint32_t node = opened[i].node;
			bool was = opened[i].used;
			opened[i].used = false;
			if (was && !is_open(node))
				gone(node);
		}
		CHECK_EQ(tree.used, 0);
		CHECK_EQ(runs, 0);
	}
}
