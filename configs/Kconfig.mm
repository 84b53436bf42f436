menu "Memory"

config STACK_MAX
	int "Kernel stacks"
	range 4 1024
	default 176
	help
	  So many threads can exist, with the boot stacks of the harts among them. Each takes
	  STACK_SIZE bytes and one guard page; a further thread_create is refused and counted.

config POOL_MAX
	int "Object pools"
	range 8 256
	default 64
	help
	  pool_create refuses beyond it.

config STACK_PAINT
	bool "Paint a stack anew for each thread that gets it"
	depends on DEBUG
	default y
	help
	  Off: stacks are painted once at boot, and the high-water mark of a stack is that of all the
	  threads that had it. Painting costs some 2,000 instructions when a thread ends.

config FAIL_ALLOC
	bool "Let every N-th allocation fail on request"
	depends on DEBUG
	default y
	help
	  The boot option failalloc=N and a function for self-tests. Shows what a lack of memory does.

endmenu
