/*
 * arch.h - the contract between the kernel and the machine.
 *
 * arch/riscv64 fulfils it on the metal, arch/host in the simulator. Everything
 * above sees the machine only through this header.
 *
 * Harts: a hart has a hardware id and a dense logical number, its cpu, from 0
 * (the boot hart) to cpu_count() - 1. Each has a copy of the section .percpu,
 * found through gp. `current` and need_resched live there.
 *
 * Preemption: preempt_count is a field of the thread, so that it moves with it.
 * With preemption on, code may do single-instruction reads through gp only
 * (arch_current); a pointer to per-hart data exists only with preemption off.
 *
 * Upcalls: the functions named upcall_* are called by arch and defined above it.
 * There are at most eight, all declared here.
 */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include "lib/base.h"
#include "lib/buf.h"
#include "lib/ktime.h"
#include "lib/str.h"

#ifdef CONFIG_SMP
#define CPU_MAX CONFIG_CPU_MAX
#else
#define CPU_MAX 1
#endif
#define PAGE_SHIFT 12
#define PAGE_SIZE  ((size_t)1 << PAGE_SHIFT)

typedef struct {
	uintptr_t addr;
} paddr;

typedef struct {
	uintptr_t addr;
} vaddr;

/*
 * The part of a thread that arch knows; the first member of struct thread. The
 * offsets are generated for assembly from this definition.
 */
#define ARCH_THREAD_BOOT 1 /* not the scheduler's: what a hart runs before it has threads */

struct arch_thread {
	struct arch_context *context; /* says where arch_switch has saved it, on the thread's own stack */
	uint32_t preempt_count;       /* 0: may be preempted */
	uint32_t flags;               /* ARCH_THREAD_* */
	uintptr_t stack_base;         /* lowest usable byte; the guard page lies below */
	uintptr_t stack_top;
};

/* ---- what the device tree says about the machine; filled by boot before anything else ---- */

#define MACHINE_MEMORY_MAX 8
#define MACHINE_DEVICE_MAX 32

struct machine_region {
	uintptr_t base;
	size_t size;
};

struct machine_device {
	struct str node;       /* "virtio_mmio@10001000" */
	struct str compatible; /* all its strings, NUL-separated as in the tree */
	uintptr_t base;
	size_t size;
	uint32_t irq;         /* number at the interrupt controller, 0: none */
	uint32_t clock_hz;    /* UART input clock, else 0 */
	uint32_t first_param; /* PLIC: riscv,ndev, else 0 */
};

struct machine {
	struct str model;
	struct str cmdline;
	struct machine_region memory[MACHINE_MEMORY_MAX]; /* RAM */
	size_t memory_count;
	struct machine_region reserved[MACHINE_MEMORY_MAX]; /* firmware, device tree, initrd, image */
	size_t reserved_count;
	size_t firmware_count; /* so many of `reserved`, from the first, are the firmware's: not mapped */
	struct machine_region initrd; /* size 0: none */
	struct rbuf rng_seed;         /* the bootloader's random bytes; empty: none */
	uint64_t timebase_hz;
	uint32_t cpu_count;
	uint32_t hart_id[CPU_MAX]; /* by cpu; [0] is the boot hart */
	uint32_t plic_context[CPU_MAX];
	bool has_sstc;
	uintptr_t sswi_base; /* supervisor software-interrupt device, 0: use SBI */
	uint32_t sswi_index[CPU_MAX];
	struct str isa; /* of the boot hart, "rv64imafdc_zicsr..." */
	struct machine_device device[MACHINE_DEVICE_MAX];
	size_t device_count;
};

extern struct machine machine;

static inline uint32_t cpu_count(void)
{
	return CPU_MAX == 1 ? 1 : machine.cpu_count;
}

/* ---- harts and their data ---- */

/*
 * PERCPU(type, name): one `name` for each hart. this_cpu(name) is an lvalue,
 * with preemption off; cpu_of(name, cpu) is another hart's. PERCPU_NEAR and this_cpu_near(): for
 * the few small ones that every interrupt looks at, in fewer instructions.
 * Defined in the architecture's inline.h with arch_current() and the rest.
 */
static inline struct arch_thread *arch_current(void);
static inline void arch_current_set(struct arch_thread *t); /* the calling context becomes t's */
static inline uint32_t arch_cpu(void); /* preemption off, or a hint only */
static inline size_t arch_cpu_line(void); /* arch_cpu() * CACHE_LINE: of an array with a line for each hart */

/* On the first hart, after `machine` is filled: its per-hart data, traps, timer, the kernel's page table. */
void arch_init(void);

/*
 * Starts logical cpu (1..) on the given stack (STACK_SIZE long, from its lowest
 * byte, aligned as every stack); it enters upcall_secondary. The stack is its own.
 */
must_check enum err arch_cpu_start(uint32_t cpu, void *stack);
bool arch_cpu_online(uint32_t cpu);

/* ---- interrupts ---- */

typedef unsigned long irqflags;
static inline irqflags arch_irq_save(void);
static inline void arch_irq_restore(irqflags flags);
static inline void arch_irq_enable(void);
static inline void arch_irq_disable(void);
/* The interrupt controller has something for this hart, as far as the hart has heard. Interrupts off. */
static inline bool arch_irq_external(void);
static inline bool arch_irqs_enabled(void);
static inline bool irqflags_enabled(irqflags flags); /* what they restore */

/* ---- preemption ---- */

static inline void preempt_disable(void);
static inline void preempt_enable(void); /* calls upcall_preempt when one is due */
static inline void preempt_enable_irqs_off(void); /* with interrupts off: whoever turns them on does the rest */
static inline bool preempt_is_enabled(void); /* count is 0 and interrupts are on */
static inline void arch_need_resched_set(void);   /* this hart, interrupts or preemption off */
static inline void arch_need_resched_clear(void);
static inline bool arch_need_resched(void);

/* Interrupt context: between trap entry and exit of an interrupt on this hart. */
static inline bool arch_in_interrupt(void);

/* In a handler, between two pieces of bounded work: lets what is pending in, without preemption. */
void arch_irq_window(void);

/* ---- how long interrupts and preemption are held off ---- */

/* In a handler: what it interrupted, if the instruction before that turned interrupts on; otherwise 0. */
uintptr_t arch_irq_enabler(void);
/*
 * Since when this hart has had a switch due that an interrupt could not make because preemption was off;
 * KTIME_NEVER: it has not. Interrupts or preemption off.
 */
ktime arch_held_since(void);
/* held(since, pc): the code that returns to pc turns preemption on, and the switch is made. Interrupts off. */
void arch_on_held(void (*held)(ktime since, uintptr_t pc));

/* Sections that CONFIG_LATENCY_TRACE measures, in instructions (what arch_instret() counts). */
enum arch_section_kind {
	SECTION_IRQS_OFF,    /* from an interrupt's entry or a disable to the enable, over switches; not asleep */
	SECTION_PREEMPT_OFF, /* no switch is possible: count not 0, or interrupts off; less the handlers that come in between */
	SECTION_PREEMPT_HELD, /* the same with them */
	SECTION_FIRMWARE,    /* calls of the firmware, which are not counted in the other two */
	SECTION_KINDS
};
struct arch_section {
	uint64_t longest, count;
	uintptr_t from, to; /* code addresses: where the longest one began and ended */
};
#ifdef CONFIG_LATENCY_TRACE
/* The i-th longest of those that began in different places; false: no more. Any context; a hint. */
bool arch_section_at(uint32_t cpu, enum arch_section_kind kind, size_t i, struct arch_section *out);
void arch_section_reset(void); /* this hart; interrupts off */
#else
static inline bool arch_section_at(unused uint32_t cpu, unused enum arch_section_kind kind, unused size_t i,
	unused struct arch_section *out)
{
	return false;
}
static inline void arch_section_reset(void)
{
}
#endif

/* ---- switching ---- */

/*
 * What comes first on the other side of a switch: drops the lock that covered it and turns interrupts
 * on. What it returns is returned by the call of arch_switch() that `entered` has made.
 */
typedef int arch_finish_fn(struct arch_thread *left, struct arch_thread *entered);

/*
 * Prepares a thread that, when first switched to, runs finish() and then entry(arg), which does not return. preempt_count is as the caller has set it.
 */
void arch_thread_init(struct arch_thread *t, uintptr_t stack_base, uintptr_t stack_top,
	noreturn void (*entry)(void *arg), void *arg);

/*
 * Saves what a C call must preserve; moves to `to`, makes it current, and there tail-calls
 * finish(from, to), which returns to whoever called this for `to`. Interrupts off; on when it returns.
 */
int arch_switch(struct arch_thread *from, struct arch_thread *to, arch_finish_fn *finish);

/* Waits for an interrupt; interrupts off on entry and on return, one may be pending. */
void arch_idle(void);

/* In a spin loop, n counts the rounds: gives way to other harts on an oversubscribed host. */
void arch_spin_relax(uint32_t n);

/* ---- atomic steps for which the compilers take more instructions than the machine ---- */

/* Takes one off if *p > 0, acquire; whether it did. */
static inline bool arch_take_positive(int32_t *p);
/* Adds one if 0 <= *p and *p != max, release, and is 1; 0: it is max, -1: it is negative. */
static inline int arch_give_below(int32_t *p, int32_t max);
/* Adds n. Acquire, and what *p was; release. */
static inline uint64_t arch_add_acquire(uint64_t *p, uint64_t n);
static inline void arch_add_release(uint32_t *p, uint32_t n);
static inline bool arch_halves_differ(uint64_t word);

/* ---- calls off the hot path ---- */

/*
 * fn(a, b), which the compiler does not see as a call: who makes it in a branch that is seldom
 * taken keeps the rest free of a stack frame and of saved registers.
 */
static inline void arch_call_rare(void (*fn)(void *a, uintptr_t b), void *a, uintptr_t b);

/* ---- time ---- */

static inline ktime arch_clock(void);   /* since boot, monotonic over all harts */
void arch_timer_set(ktime deadline);    /* this hart; KTIME_NEVER: none. Interrupts off */
static inline void arch_timer_stop(void); /* the same with KTIME_NEVER */
static inline uint64_t arch_instret(void);

/* ---- inter-processor interrupts ---- */

/* RESCHED sets need_resched, FLUSH is paging's; what the others do their owners say: panic, the log, tests. */
enum ipi { IPI_RESCHED, IPI_FLUSH, IPI_STOP, IPI_CALL, IPI_TEST, IPI_COUNT };
void arch_ipi_send(uint32_t cpu, enum ipi reason); /* any context; idempotent until taken */
void arch_on_ipi(enum ipi reason, void (*handler)(void)); /* runs in interrupt context */

/* ---- paging (Sv39, identity-mapped kernel) ---- */

enum prot { PROT_NONE = 0, PROT_R = 1, PROT_W = 2, PROT_X = 4, PROT_USER = 8, PROT_DEVICE = 16 };

/* Tables come from here once mm is up; before, from a static pool. Called with no lock held. */
void arch_paging_set_allocator(void *(*page_alloc)(void));
must_check enum err arch_map(vaddr va, paddr pa, size_t size, unsigned prot);
must_check enum err arch_protect(vaddr va, size_t size, unsigned prot);
void arch_unmap(vaddr va, size_t size); /* this hart's TLB is flushed; others at their next entry */
/* The protection in force at va; PROT_NONE when unmapped. Any context. */
unsigned arch_prot_at(vaddr va);

/* How much of the address space is mapped with which rights. A walk of all tables: some thousand entries. */
struct arch_rights {
	size_t read_only_bytes, writable_bytes, executable_bytes;
	size_t writable_executable_bytes; /* counted in the two before it too; never anything but 0 */
};
void arch_rights(struct arch_rights *out); /* thread context */

/*
 * What was unmapped up to a generation may be used again once every hart has
 * flushed since: nobody waits for it, who frees asks later.
 */
uint64_t arch_flush_generation(void);
bool arch_flush_reached(uint64_t generation);

/*
 * Reads, writes or calls an address that may fault; false when it did. For tests of
 * protection, and later for user memory. A called page holds a function without arguments.
 */
must_check bool arch_probe_read(const void *at, uint8_t *out);
must_check bool arch_probe_write(void *at, uint8_t value);
must_check bool arch_probe_exec(const void *at);

/* ---- console, end ---- */

void arch_console_write(struct str s); /* early and panic output: polled, any context */
noreturn void arch_exit(int status);   /* semihosting when there, else power off by SBI */
noreturn void arch_reboot(void);
noreturn void arch_halt(void);         /* this hart, for ever */
void arch_console_uart(uintptr_t base); /* an ns16550 to write to from now on, instead of through the firmware */

/* ---- backtrace ---- */

struct trap_frame; /* registers of the interrupted code */

/*
 * Where the code of a frame was, or the caller when frame is NULL, and the return
 * addresses from there outwards; how many. By frame pointer when the build keeps them;
 * otherwise by looking through the stack for what may be a return address, which also
 * finds stale ones: `exact` tells.
 */
size_t arch_backtrace(const struct trap_frame *frame, uintptr_t *out, size_t max, bool *exact);

/* In a handler: of what it interrupted only. */
size_t arch_backtrace_interrupted(uintptr_t *out, size_t max, bool *exact);
/*
 * Of a thread that runs on another hart meanwhile: what on its stack may be return addresses, those of the
 * outermost frames last; some are stale, and the innermost may be missing.
 */
size_t arch_backtrace_stack(const struct arch_thread *t, uintptr_t *out, size_t max);

/* ---- upcalls ---- */

noreturn void upcall_boot(const void *fdt);     /* first hart; kernel/boot */
noreturn void upcall_secondary(void);           /* every other hart; kernel/boot */
void upcall_irq(void);                          /* external interrupt; kernel/irq */
void upcall_timer(void);                        /* timer interrupt; kernel/time */
void upcall_preempt(void);                      /* need_resched and preemptible; kernel/sched. Interrupts off; on return
                                                   they may be on. Called from preempt_enable and from interrupt exit,
                                                   again as long as need_resched is set, with preempt_count raised: so an
                                                   interrupt in the moment in which they are on does not call it again,
                                                   and the depth is bounded */
void upcall_fault(struct trap_frame *frame);    /* exception in the kernel; kernel/diag. Does not return */
void upcall_user(struct trap_frame *frame);     /* system call or exception of user mode; kernel/proc */

/* Registers as text into `out`, for panic. */
void arch_frame_describe(const struct trap_frame *frame, struct abuf *out);
uintptr_t arch_frame_pc(const struct trap_frame *frame);
/* Says in one line what the fault is: "store page fault at 0x..." */
void arch_frame_cause(const struct trap_frame *frame, struct abuf *out);

#ifdef CONFIG_ARCH_HOST
#include "arch/host/inline.h"
#else
#include "arch/riscv64/inline.h"
#endif

#endif
