/*
 * order.h - the lock order of the whole kernel, outermost first. lockdep reads
 * this list: a thread that holds a lock may only take one further down. Two of
 * one class are never held at once, except where X2 marks a class as nesting by
 * address (lower address first).
 *
 * The classes of LOCK_UNORDERED have no place in the list: for them only the order
 * counts that lockdep has seen so far.
 *
 * What lies below kernel/lock has an arch_lock, which lockdep does not see: the log ring,
 * the console, the page table. They are leaves below all of these.
 */
#ifndef KERNEL_LOCK_ORDER_H
#define KERNEL_LOCK_ORDER_H

/* X(class). Wherever they stand, no mutex is taken under a spinlock: lockdep reports that by itself. */
#define LOCK_ORDER(X)                                                                              \
	X(LOCK_SOFTCALL)      /* mutex: around each soft callout of a hart */                     \
	X(LOCK_WEB_POLLED)    /* mutex: sessions of the shell over the polling API */              \
	X(LOCK_SHELL_CONSOLE) /* mutex: which session the console carries */                       \
	X(LOCK_SHELL_READY)   /* spin: around what tells the carrier of a session */               \
	X(LOCK_DEMO)          /* mutex: the shell's demonstration loop */                          \
	X(LOCK_WEB)           /* spin: connections handed to a worker */                           \
	X(LOCK_WEB_ACCESS)    /* spin: who tried a wrong token, and how often */                   \
	X(LOCK_VFS_MOUNT)     /* spin: writers of the mount table */                               \
	X(LOCK_RAMFS)         /* mutex: the tree of files in memory */                             \
	X(LOCK_NETCTL)        /* mutex: a line that is written to /net/ctl */                      \
	X(LOCK_TCP_CONN)      /* mutex: one connection */                                          \
	X(LOCK_PIPE)          /* mutex: one pipe */                                                \
	X(LOCK_CONSOLE)       /* mutex: who writes on the console */                               \
	X(LOCK_SHELL)         /* spin: the terminal of one session */                              \
	X(LOCK_ARP)           /* spin: the neighbour table */                                      \
	X2(LOCK_TEST_MUTEX)   /* self-tests */                                                     \
	X(LOCK_NET_IFACE)     /* spin: writers of interface addresses */                           \
	X(LOCK_TCP_TABLE)     /* spin: hash, listeners, TIME_WAIT records */                       \
	X(LOCK_TCP_READY)     /* spin: the ready list of a pollset */                              \
	X(LOCK_NETDEV)        /* spin: transmit queue of one device */                             \
	X(LOCK_CHAR)          /* spin: one character device */                                     \
	X(LOCK_RNG)           /* spin: the random pool */                                          \
	X(LOCK_TEST_OUTER)    /* self-tests */                                                     \
	X(LOCK_TEST_INNER)                                                                         \
	X(LOCK_THREADS)       /* spin: the thread table */                                         \
	X(LOCK_ADMISSION)     /* spin: what is admitted, the table of domains */                   \
	X(LOCK_PI)            /* spin: the priority-inheritance graph */                           \
	X(LOCK_WAITQ)         /* spin: one wait queue */                                           \
	X(LOCK_STACK)         /* spin: the stacks not in use */                                    \
	X(LOCK_POOL)          /* spin: one object pool */                                          \
	X(LOCK_BUDDY)         /* spin: the page allocator */                                       \
	X(LOCK_IRQ)           /* spin: one interrupt descriptor */                                 \
	X(LOCK_IRQCHIP)       /* spin: registers of the interrupt controller */                    \
	X(LOCK_CALLOUT)       /* spin: the callout heap of one hart */                             \
	X2(LOCK_RUNQ)         /* spin: the run queue of one hart */

#define LOCK_UNORDERED(X)                                                                          \
	X(LOCK_TEST_A)        /* self-tests provoke reports with these */                          \
	X(LOCK_TEST_B)                                                                             \
	X(LOCK_TEST_C)                                                                             \
	X(LOCK_TEST_IRQ)                                                                           \
	X(LOCK_TEST_IRQ_B)

#define LOCK_ENUM(name) name,
#define X2(name)        LOCK_ENUM(name)
enum lock_class {
	LOCK_ORDER(LOCK_ENUM) LOCK_ORDERED_COUNT,
	LOCK_UNORDERED_BEFORE = LOCK_ORDERED_COUNT - 1,
	LOCK_UNORDERED(LOCK_ENUM) LOCK_CLASS_COUNT
};
#undef X2
#undef LOCK_ENUM

#endif
