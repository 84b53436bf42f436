/*
 * stack.c - kernel stacks: 2^n bytes aligned to 2^(n+1), so that one bit of sp tells
 * an overflow, and an unmapped page below each. All are made at boot from large
 * blocks; what lies between two stacks and is no guard goes back to the pages.
 *
 * A block is slots of twice the stack's size: the stack is the lower half, its
 * guard the last page of the slot before, so the first slot has no stack.
 *
 * Painting: a new thread's stack is full of PAINT; the high-water mark is where it ends. The
 * stacks on which the harts begin are not from here; boot paints them in the same way.
 *
 * Locks: stack_lock (LOCK_STACK), preemption off; nothing is painted under it.
 */
#include "kernel/diag/diag.h"
#include "kernel/mm/mm_priv.h"

#define SLOT_SIZE (2 * STACK_SIZE)
#define PAINT     UINT64_C(0x5354414b53544143)
#define OWN_FRAME 256 /* bytes: more than stack_paint_below() itself stands on */
#define CLEAN_BYTES 6144 /* the longest frame: frame-max in scripts/build.mk */
#define BLOCK_WORDS 8 /* looked at together */

static_assert(is_pow2(CONFIG_STACK_SIZE) && CONFIG_STACK_SIZE >= 8192, "a power of two, over a page");
static_assert(2 * 2 * CONFIG_STACK_SIZE <= 4096 << PAGE_ORDER_MAX, "two slots fit one block");

static struct spinlock stack_lock = SPINLOCK_INIT(LOCK_STACK);
static void *stack_idle[CONFIG_STACK_MAX]; /* those not in use; last in, first out */
static size_t idle_count, stack_total, idle_min;
static uint64_t stack_failures;

static void stack_paint_up_to(void *stack, const void *end)
{
	for (uint64_t *word = stack; (const void *)word < end; word++)
		*word = PAINT;
}

void stack_paint(void *stack)
{
	stack_paint_up_to(stack, (const uint8_t *)stack + STACK_SIZE);
}

/* What lies between the mark and the caller's frame counts as used, which it is at once. */
void stack_paint_below(void)
{
	const uint8_t *frame = __builtin_frame_address(0);
	stack_paint_up_to((void *)arch_current()->stack_base, frame - OWN_FRAME);
}

/*
 * Down from the top until a stretch as long as no frame leaves unwritten: the rest still has its paint. A frame
 * has its return address above what it leaves, and the compiler refuses one that is longer.
 * So a short thread costs little, and is not paid for with interrupts off when it ends.
 */
static void stack_repaint(void *stack)
{
	uint64_t *block = (uint64_t *)((uint8_t *)stack + STACK_SIZE);
	for (size_t clean = 0; (void *)block > stack && clean < CLEAN_BYTES;) {
		uint64_t differs = 0;
		block -= BLOCK_WORDS;
		for (size_t i = 0; i < BLOCK_WORDS; i++)
			differs |= block[i] ^ PAINT;
		clean = differs ? 0 : clean + BLOCK_WORDS * sizeof(*block);
		for (size_t i = 0; differs && i < BLOCK_WORDS; i++)
			block[i] = PAINT;
	}
}

void *stack_alloc(void)
{
	bool fail = mm_should_fail();
	spin_lock(&stack_lock);
	void *stack = idle_count && !fail ? stack_idle[--idle_count] : NULL;
	stack_failures += !stack;
	idle_min = min(idle_min, idle_count);
	spin_unlock(&stack_lock);
	if (stack && config_on(CONFIG_STACK_PAINT))
		stack_repaint(stack);
	return stack;
}

void stack_free(void *stack)
{
	assert((uintptr_t)stack % SLOT_SIZE == 0);
	spin_lock(&stack_lock);
	assert(idle_count < stack_total);
	for (size_t i = 0; config_on(CONFIG_DEBUG) && i < idle_count; i++)
		assert(stack_idle[i] != stack);
	stack_idle[idle_count++] = stack;
	spin_unlock(&stack_lock);
}

size_t stack_peak(const void *stack)
{
	const uint64_t *word = stack;
	size_t i = 0, n = STACK_SIZE / sizeof(*word);
	while (i < n && __atomic_load_n(&word[i], __ATOMIC_RELAXED) == PAINT)
		i++;
	return (n - i) * sizeof(*word);
}

void stack_stats(struct stack_stats *out)
{
	spin_lock(&stack_lock);
	*out = (struct stack_stats){
		.total = stack_total,
		.used = stack_total - idle_count,
		.peak = stack_total - idle_min,
		.failures = stack_failures,
	};
	spin_unlock(&stack_lock);
}

/* ---- at boot ---- */

static void stack_give_pages(uintptr_t from, uintptr_t to)
{
	for (uintptr_t page = from; page < to; page += PAGE_SIZE)
		page_free((void *)page, 0);
}

/* Stacks from one block; what is left over goes back to the pages. */
static void stack_split(uintptr_t block, size_t size)
{
	uintptr_t done = block; /* everything below is a stack, a guard, or given back */
	for (uintptr_t stack = block + SLOT_SIZE; stack < block + size; stack += SLOT_SIZE) {
		if (stack_total == CONFIG_STACK_MAX)
			break;
		stack_give_pages(done, stack - PAGE_SIZE);
		arch_unmap((vaddr){stack - PAGE_SIZE}, PAGE_SIZE);
		stack_paint((void *)stack);
		stack_idle[idle_count++] = (void *)stack;
		stack_total++;
		done = stack + STACK_SIZE;
	}
	stack_give_pages(done, block + size);
}

void stack_init(void)
{
	unsigned order = PAGE_ORDER_MAX;
	while (stack_total < CONFIG_STACK_MAX && PAGE_SIZE << order >= 2 * SLOT_SIZE) {
		size_t slots = CONFIG_STACK_MAX - stack_total + 1;
		bool smaller_will_do = (PAGE_SIZE << order) / 2 >= slots * SLOT_SIZE;
		void *block = smaller_will_do ? NULL : page_alloc_carved(order);
		if (block)
			stack_split((uintptr_t)block, PAGE_SIZE << order);
		else
			order--;
	}
	if (stack_total < CONFIG_STACK_MAX)
		boot_refuse("no memory: only %zu of %d kernel stacks fit", stack_total,
			CONFIG_STACK_MAX);
	idle_min = idle_count;
}
