/*
 * offsets.c - offsets, widths and sizes of C structs for assembly. Never linked:
 * the build takes the "#define" lines out of its assembly output.
 */
#include "arch/riscv64/arch_priv.h"

#define DEFINE(name, value) __asm__ volatile("\n.ascii \"#define " #name " %c0\"" ::"i"(value))
#define FIELD(name, type, field)                                                                   \
	DEFINE(name, offsetof(type, field));                                                       \
	DEFINE(name##_WIDTH, sizeof(((type *)0)->field))

void offsets(void);
void offsets(void)
{
	FIELD(HART_ID, struct arch_hart, hart_id);
	FIELD(HART_CURRENT, struct arch_hart, current);
	FIELD(HART_NEED_RESCHED, struct arch_hart, need_resched);
	FIELD(HART_RESCHED_HELD, struct arch_hart, resched_held);
	FIELD(HART_HELD_SINCE, struct arch_hart, held_since);
	FIELD(HART_IRQ_SP, struct arch_hart, irq_sp);
	FIELD(HART_SCRATCH, struct arch_hart, scratch);
	FIELD(HART_EMERGENCY_TOP, struct arch_hart, emergency_top);
	FIELD(THREAD_CONTEXT, struct arch_thread, context);
	FIELD(THREAD_PREEMPT_COUNT, struct arch_thread, preempt_count);
	FIELD(THREAD_STACK_TOP, struct arch_thread, stack_top);
	FIELD(FRAME_PC, struct trap_frame, pc);
	FIELD(FRAME_STATUS, struct trap_frame, status);
	FIELD(FRAME_CAUSE, struct trap_frame, cause);
	FIELD(FRAME_VALUE, struct trap_frame, value);
	DEFINE(FRAME_SIZE, sizeof(struct trap_frame));
	DEFINE(CONTEXT_SIZE, sizeof(struct arch_context));
	DEFINE(STACK_SHIFT, __builtin_ctzl(CONFIG_STACK_SIZE));
	DEFINE(IRQ_RETURN_STATUS, SSTATUS_SPP | SSTATUS_SPIE);
	static_assert(is_pow2(CONFIG_STACK_SIZE), "a stack's size is a power of two");
	static_assert(sizeof(struct trap_frame) % 16 == 0, "the stack stays aligned");
	static_assert(sizeof(struct arch_context) <= sizeof(struct trap_frame), "a fault below sp is seen as an overflow");
}
