/*
 * rbtree.c - rebalancing of the red-black tree (contract: lib/rbtree.h).
 *
 * Invariants
 *	the top is black; a red node has no red child;
 *	every way from a node down to a missing child meets as many black nodes.
 * A missing child counts as black. Left and right are child[0] and child[1], so
 * that each case is written once, for a side and its opposite.
 *
 * Reference: Cormen, Leiserson, Rivest, Stein, "Introduction to Algorithms", ch. 13.
 */
#include "lib/assert.h"
#include "lib/rbtree.h"

/* Height of a tree that fills a 64-bit address space. */
#define RB_HEIGHT_MAX 128

static bool rb_is_red(const struct rb_node *n)
{
	return n != NULL && n->red;
}

/* Puts `with` (may be NULL) where n hangs. n keeps its own links. */
static void rb_replace(struct rb_root *root, struct rb_node *n, struct rb_node *with)
{
	struct rb_node *parent = n->parent;

	if (parent == NULL)
		root->top = with;
	else
		parent->child[parent->child[1] == n] = with;
	if (with != NULL)
		with->parent = parent;
}

/* n goes down on side `side`; its other child takes its place. */
static void rb_rotate(struct rb_root *root, struct rb_node *n, int side)
{
	struct rb_node *up = n->child[!side];

	rb_replace(root, n, up);
	n->child[!side] = up->child[side];
	if (up->child[side] != NULL)
		up->child[side]->parent = n;
	up->child[side] = n;
	n->parent = up;
}

void rb_link(struct rb_root *root, struct rb_node *n, struct rb_node *parent, int side)
{
	n->parent = parent;
	n->child[0] = NULL;
	n->child[1] = NULL;
	n->red = true;
	if (parent == NULL) {
		debug_assert(root->top == NULL);
		root->top = n;
	} else {
		debug_assert(parent->child[side] == NULL);
		parent->child[side] = n;
	}

	/* The only thing that can be wrong: n and its parent are both red. */
	while (rb_is_red(n->parent)) {
		parent = n->parent;
		struct rb_node *grand = parent->parent; /* a red node is not the top */
		side = parent == grand->child[1];
		struct rb_node *uncle = grand->child[!side];
		if (rb_is_red(uncle)) {
			parent->red = false;
			uncle->red = false;
			grand->red = true;
			n = grand;
			continue;
		}
		if (n == parent->child[!side]) {
			rb_rotate(root, parent, side);
			parent = n;
		}
		parent->red = false;
		grand->red = true;
		rb_rotate(root, grand, !side);
		break;
	}
	root->top->red = false;
}

/* The ways through n, a child of parent or missing, are one black node short. */
static void rb_fix_short(struct rb_root *root, struct rb_node *n, struct rb_node *parent)
{
	while (n != root->top && !rb_is_red(n)) {
		/* The sibling exists: ways through it have a black node at least. */
		int side = n != parent->child[0];
		struct rb_node *sibling = parent->child[!side];
		if (sibling->red) {
			sibling->red = false;
			parent->red = true;
			rb_rotate(root, parent, side);
			sibling = parent->child[!side];
		}
		if (!rb_is_red(sibling->child[0]) && !rb_is_red(sibling->child[1])) {
			sibling->red = true;
			n = parent;
			parent = n->parent;
			continue;
		}
		if (!rb_is_red(sibling->child[!side])) {
			sibling->child[side]->red = false;
			sibling->red = true;
			rb_rotate(root, sibling, !side);
			sibling = parent->child[!side];
		}
		sibling->red = parent->red;
		parent->red = false;
		sibling->child[!side]->red = false;
		rb_rotate(root, parent, side);
		return;
	}
	if (n != NULL)
		n->red = false;
}

void rb_remove(struct rb_root *root, struct rb_node *n)
{
	struct rb_node *filler; /* takes the place that becomes free; may be NULL */
	struct rb_node *parent; /* of that place */
	bool lost_black;

	debug_assert(rb_is_linked(n));
	if (n->child[0] == NULL || n->child[1] == NULL) {
		filler = n->child[n->child[0] == NULL];
		parent = n->parent;
		lost_black = !n->red;
		rb_replace(root, n, filler);
	} else {
		/* The successor takes n's place and colour; its own becomes free. */
		struct rb_node *next = n->child[1];
		while (next->child[0] != NULL)
			next = next->child[0];
		filler = next->child[1];
		lost_black = !next->red;
		if (next == n->child[1]) {
			parent = next;
		} else {
			parent = next->parent;
			rb_replace(root, next, filler);
			next->child[1] = n->child[1];
			next->child[1]->parent = next;
		}
		rb_replace(root, n, next);
		next->child[0] = n->child[0];
		next->child[0]->parent = next;
		next->red = n->red;
	}
	if (lost_black)
		rb_fix_short(root, filler, parent);
	rb_node_init(n);
}

static struct rb_node *rb_end(struct rb_node *n, int side)
{
	if (n == NULL)
		return NULL;
	while (n->child[side] != NULL)
		n = n->child[side];
	return n;
}

static struct rb_node *rb_neighbour(const struct rb_node *n, int side)
{
	if (n->child[side] != NULL)
		return rb_end(n->child[side], !side);
	while (n->parent != NULL && n == n->parent->child[side])
		n = n->parent;
	return n->parent;
}

struct rb_node *rb_first(const struct rb_root *root)
{
	return rb_end(root->top, 0);
}

struct rb_node *rb_last(const struct rb_root *root)
{
	return rb_end(root->top, 1);
}

struct rb_node *rb_next(const struct rb_node *n)
{
	return rb_neighbour(n, 1);
}

struct rb_node *rb_prev(const struct rb_node *n)
{
	return rb_neighbour(n, 0);
}

/* Black nodes on every way down from n, or -1 if something is wrong. */
static int rb_black_height(const struct rb_node *n, const struct rb_node *parent, int height_left)
{
	if (n == NULL)
		return 0;
	if (height_left == 0 || n->parent != parent || (n->red && rb_is_red(parent)))
		return -1;
	int left = rb_black_height(n->child[0], n, height_left - 1);
	int right = rb_black_height(n->child[1], n, height_left - 1);
	if (left < 0 || left != right)
		return -1;
	return left + !n->red;
}

bool rb_check(const struct rb_root *root, rb_before_fn *before)
{
	if (rb_is_red(root->top) || rb_black_height(root->top, NULL, RB_HEIGHT_MAX) < 0)
		return false;
	const struct rb_node *last = NULL;
	for (const struct rb_node *n = rb_first(root); n != NULL; last = n, n = rb_next(n)) {
		if (last != NULL && before(n, last))
			return false;
	}
	return true;
}

bool rb_queue_check(const struct rb_queue *q, rb_before_fn *before)
{
	return q->first == rb_first(&q->root) && rb_check(&q->root, before);
}
