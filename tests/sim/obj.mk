# Further sources of each simulation, from the root of the tree.

sched_sim-y := $(addprefix arch/host/,absent.c explore.c fiber.c hart.c)
sched_sim-y += kernel/diag/latency.c
sched_sim-y += $(addprefix kernel/lock/,lock.c lockdep.c stats.c trace.c)
sched_sim-y += $(addprefix kernel/time/,callout.c deadline.c)
sched_sim-y += $(addprefix kernel/sched/,account.c balance.c boot.c control.c deadline.c domain.c \
	invariant.c mode.c notes.c pi.c place.c preempt.c quantum.c sched.c server.c state.c stats.c thread.c timeout.c watchdog.c)
sched_sim-y += $(addprefix kernel/sync/,condvar.c event.c mqueue.c mutex.c sem.c softcall.c waitq.c)
sched_sim-y += $(addprefix tests/sim/,world.c oracle.c sched_locks.c sched_waits.c sched_mqueue.c \
	sched_mix.c sched_balance.c sched_deadline.c sched_rules.c sched_storm.c)
