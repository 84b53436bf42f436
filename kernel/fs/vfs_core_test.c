/* vfs_core_test.c - paths become normal, the longest mount wins. */
#include "tests/host/test.h"
#include "kernel/fs/vfs_core.h"

static void check_path(struct str in, struct str expected)
{
	char buffer[64];
	struct abuf out = abuf_of(buffer, sizeof(buffer));
	CHECK_EQ(path_normalize(in, &out), OK);
	CHECK_STR(abuf_str(&out), expected);
}

TEST(path_normal_forms)
{
	check_path(S("/"), S("/"));
	check_path(S("//"), S("/"));
	check_path(S("/."), S("/"));
	check_path(S("/.."), S("/"));
	check_path(S("/../.."), S("/"));
	check_path(S("/a"), S("/a"));
	check_path(S("/a/"), S("/a"));
	check_path(S("//a///b//"), S("/a/b"));
	check_path(S("/a/./b"), S("/a/b"));
	check_path(S("/a/../b"), S("/b"));
	check_path(S("/a/b/.."), S("/a"));
	check_path(S("/a/b/../.."), S("/"));
	check_path(S("/a/b/../../../c"), S("/c"));
	check_path(S("/..."), S("/..."));
	check_path(S("/.a/..b"), S("/.a/..b"));
}

TEST(path_refusals)
{
	char buffer[8], name[300];
	struct abuf out = abuf_of(buffer, sizeof(buffer));
	CHECK_EQ(path_normalize(S(""), &out), ERR_INVAL);
	CHECK_EQ(path_normalize(S("a"), &out), ERR_INVAL);
	CHECK_EQ(path_normalize(S("/a\0b"), &out), ERR_INVAL);
	CHECK_EQ(path_normalize(S("/aaaaaaaa"), &out), ERR_NAMETOOLONG);
	char large[600];
	memset(name, 'a', sizeof(name));
	name[0] = '/';
	out = abuf_of(large, sizeof(large));
	CHECK_EQ(path_normalize(str_of(name, 257), &out), ERR_NAMETOOLONG);
	out = abuf_of(large, sizeof(large));
	CHECK_EQ(path_normalize(str_of(name, 256), &out), OK);
}

TEST(path_normal_form_is_stable)
{
	struct test_rng rng = test_rng(test_seed());
	for (unsigned round = 0; round < 50000; round++) {
		char raw[40] = "/", a[64], b[64];
		size_t len = 1 + test_below(&rng, sizeof(raw) - 1);
		for (size_t i = 1; i < len; i++)
			raw[i] = "/..ab"[test_below(&rng, 5)];
		struct abuf one = abuf_of(a, sizeof(a)), two = abuf_of(b, sizeof(b));
		CHECK_EQ(path_normalize(str_of(raw, len), &one), OK);
		CHECK_EQ(path_normalize(abuf_str(&one), &two), OK);
		CHECK_STR(abuf_str(&one), abuf_str(&two));
	}
}

static void check_mount(const struct mount_table *t, struct str path, size_t i, struct str rest)
{
	struct str got = STR_EMPTY;
	CHECK_EQ(mount_table_find(t, path, &got), i);
	if (i < MOUNT_MAX)
		CHECK_STR(got, rest);
}

TEST(mount_longest_prefix_by_segments)
{
	struct mount_table t = {0};
	check_mount(&t, S("/a"), MOUNT_MAX, S(""));
	CHECK_EQ(mount_table_add(&t, S("/net")), OK);
	CHECK_EQ(mount_table_add(&t, S("/")), OK);
	CHECK_EQ(mount_table_add(&t, S("/net/tcp")), OK);
	CHECK_EQ(mount_table_add(&t, S("/net")), ERR_EXIST);
	check_mount(&t, S("/"), 1, S(""));
	check_mount(&t, S("/a/b"), 1, S("a/b"));
	check_mount(&t, S("/network"), 1, S("network"));
	check_mount(&t, S("/net"), 0, S(""));
	check_mount(&t, S("/net/arp"), 0, S("arp"));
	check_mount(&t, S("/net/tcp"), 2, S(""));
	check_mount(&t, S("/net/tcp/0/ctl"), 2, S("0/ctl"));
	CHECK_EQ(mount_table_children(&t, S("/")), 1);
	CHECK_EQ(mount_table_children(&t, S("/net")), 4);
	CHECK_EQ(mount_table_children(&t, S("/a")), 0);
	CHECK(mount_table_pins(&t, S("/")) && mount_table_pins(&t, S("/net")) && mount_table_pins(&t, S("/net/tcp")));
	CHECK(!mount_table_pins(&t, S("/ne")) && !mount_table_pins(&t, S("/net/t")));
	CHECK(!mount_table_pins(&t, S("/net/tcp/0")) && !mount_table_pins(&t, S("/network")));
	CHECK_STR(mount_table_name(&t, 0), S("net"));
	CHECK_STR(mount_table_name(&t, 2), S("tcp"));
}

TEST(mount_table_is_bounded)
{
	struct mount_table t = {0};
	char names[MOUNT_MAX][2];
	for (unsigned i = 0; i < MOUNT_MAX; i++) {
		names[i][0] = '/';
		names[i][1] = (char)('a' + i);
		CHECK_EQ(mount_table_add(&t, str_of(names[i], 2)), OK);
	}
	CHECK_EQ(mount_table_add(&t, S("/z")), ERR_NOSPC);
}
