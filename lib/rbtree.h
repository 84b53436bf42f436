/*
 * rbtree.h - an intrusive red-black tree: ordered, O(log n), no allocation.
 *
 *	struct rb_root root = RB_ROOT;
 *	rb_insert(&root, &job->node, job_before);
 *	for (struct rb_node *n = rb_first(&root); n != NULL; n = rb_next(n))
 *		use(rb_entry(n, struct job, node));
 *	rb_remove(&root, &job->node);
 *
 * `before(a, b)` is a strict order; what is equal to something in the tree goes
 * behind it, so that equals leave in the order in which they came. A key may not
 * change while its node is in a tree: remove, change, insert.
 *
 * Looking something up is the caller's loop from root->top through child[0]
 * (earlier) and child[1] (later); the same loop with rb_link() inserts under an
 * order that depends on more than the nodes.
 *
 * struct rb_queue keeps the first node at hand, for ready queues: rb_queue_first
 * is one load.
 *
 * Height at most 2 log2(n + 1). Not locked: the structure that embeds the root
 * says which lock guards it.
 */
#ifndef LIB_RBTREE_H
#define LIB_RBTREE_H

#include "lib/base.h"

struct rb_node {
	struct rb_node *parent; /* itself: in no tree */
	struct rb_node *child[2];
	bool red;
};

struct rb_root {
	struct rb_node *top;
};

struct rb_queue {
	struct rb_root root;
	struct rb_node *first;
};

#define RB_ROOT  ((struct rb_root){NULL})
#define RB_QUEUE ((struct rb_queue){{NULL}, NULL})

#define rb_entry(node, type, mem) container_of(node, type, mem)

typedef bool rb_before_fn(const struct rb_node *a, const struct rb_node *b);

/* A new node is in no tree: needed once, before rb_is_linked(); rb_remove() leaves it so. */
static inline void rb_node_init(struct rb_node *n)
{
	n->parent = n;
}

static inline bool rb_is_linked(const struct rb_node *n)
{
	return n->parent != n;
}

static inline bool rb_is_empty(const struct rb_root *root)
{
	return root->top == NULL;
}

/* Hangs the node below parent on side `side` (free), or at the top of an empty tree (NULL). */
void rb_link(struct rb_root *root, struct rb_node *n, struct rb_node *parent, int side);
void rb_remove(struct rb_root *root, struct rb_node *n);

/* NULL at either end. rb_next() over the whole tree costs O(1) on average. */
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *n);
struct rb_node *rb_prev(const struct rb_node *n);

/* True if colours, links and order are as they must be. Linear: for tests and debug builds. */
bool rb_check(const struct rb_root *root, rb_before_fn *before);
bool rb_queue_check(const struct rb_queue *q, rb_before_fn *before);

/* True if the node became the first. Inline, so that `before` is inlined as well. */
static always_inline bool rb_insert(struct rb_root *root, struct rb_node *n, rb_before_fn *before)
{
	struct rb_node *parent = NULL;
	struct rb_node *at = root->top;
	bool first = true;
	int side = 0;

	while (at != NULL) {
		parent = at;
		side = !before(n, at);
		first &= side == 0;
		at = at->child[side];
	}
	rb_link(root, n, parent, side);
	return first;
}

static always_inline bool rb_queue_insert(
	struct rb_queue *q, struct rb_node *n, rb_before_fn *before)
{
	bool first = rb_insert(&q->root, n, before);
	if (first)
		q->first = n;
	return first;
}

static inline void rb_queue_remove(struct rb_queue *q, struct rb_node *n)
{
	if (q->first == n)
		q->first = rb_next(n);
	rb_remove(&q->root, n);
}

static inline struct rb_node *rb_queue_first(const struct rb_queue *q)
{
	return q->first;
}

static inline bool rb_queue_is_empty(const struct rb_queue *q)
{
	return q->first == NULL;
}

#endif
