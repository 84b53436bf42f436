/*
 * mutex.pml - a mutex goes from hand to hand, while waits time out and are cancelled.
 *
 * Models, access by access:
 *
 *	inline		function
 *	mutex_take	mutex_take()				kernel/sync/mutex.h
 *	lock_slow	mutex_lock_slow(), mutex_take_or_mark()	kernel/sync/mutex.c
 *	unlock		mutex_unlock(), mutex_unlock_slow()
 *	pi_wait, pi_cancel, pi_hand_over	pi_wait_locked(), pi_cancel_locked(), pi_hand_over_locked()
 *	pi_propagate	pi_propagate(), pi_effective(), of one link	kernel/sched/pi.c
 *	thread_block	thread_block_now(), thread_block_until()	kernel/sched/sched.c
 *	end_wait	sched_end_wait_unlock()
 *	proctype clock	timeout_end_due(), for any waiter, at any time from its deadline on
 *	proctype cancel	thread_cancel(), once for each thread
 *
 * What pi_lock or a thread's run queue guards is one step with the taking of that lock; the owner word,
 * which newcomers touch without one, is a step for each access. The atomic operations on the word acquire
 * and release, so interleavings are enough. That a thread runs on only one hart is block.pml.
 * Thread t's base priority is t + 1. Thread 0 waits for good (mutex_lock), the others until a
 * deadline, which may be past, and cancellable (mutex_lock_until).
 *
 * Checked:
 *	exclusion	at most one thread is between lock and unlock, and the word names it
 *	never free	LTL: while somebody stands in the queue, the word is not 0
 *	contended	with pi_lock free: who waits has set MUTEX_CONTENDED
 *	woken once	whoever ends a wait finds the thread BLOCKED; one end for each wait
 *	in order	handed over to the waiter with the highest priority
 *	nothing lost	all threads come to their end (no invalid end state); then the word is 0, nobody is queued, and a
 *			cancellation is either the result of one wait or still pending
 *	priority	with pi_lock free: the owner of a contended mutex has the highest priority of itself and
 *			its waiters, everybody else his own
 *
 * Bounds: THREADS threads, each takes the mutex ROUNDS times.
 *
 * @run mutex_3_threads THREADS=3 ROUNDS=1
 * @run mutex_2_threads THREADS=2 ROUNDS=3
 * @always mutex_never_free THREADS=3 ROUNDS=1
 * @break mutex_never_free BREAK_UNLOCK
 * @break mutex_never_free BREAK_MARK
 * @break mutex_3_threads BREAK_TAKE
 * @break mutex_3_threads BREAK_GUARD
 * @break mutex_3_threads BREAK_FREE
 * @break mutex_3_threads BREAK_HANDED
 * @break mutex_3_threads BREAK_WAKE
 * @break mutex_3_threads BREAK_KEEP
 * @break mutex_3_threads BREAK_ORDER
 * @break mutex_3_threads BREAK_WORD
 * @break mutex_3_threads BREAK_PROPAGATE
 */
#ifndef THREADS
#define THREADS 3
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif

#define NOBODY 15
mtype = { OK, TIMEDOUT, INTR };

/* The mutex: the word, owner + 1 and the bit. */
byte word;
bool contended_bit;
#define WORD_FREE (word == 0 && !contended_bit)

/* pi_lock */
byte pi_lock;                  /* who holds it + 1 */
byte queue_owner = NOBODY;
bool waits[THREADS];           /* t->blocked_on, and in the queue */
byte effective[THREADS];       /* t->run.priority */

/* The run queue's lock of each thread, taken and dropped in one step. */
bool blocked[THREADS];
mtype result[THREADS];
bool cancellable[THREADS], cancel_pending[THREADS];
bool past[THREADS];            /* now is not before t->wait_deadline */

/* For the checks. */
byte inside;
byte ends[THREADS];            /* of the present wait */
bool cancelled[THREADS], interrupted[THREADS];
byte done;

hidden byte i, k;

#define BASE(t) (t + 1)
#if THREADS == 2
#define SOMEBODY_WAITS (waits[0] || waits[1])
#else
#define SOMEBODY_WAITS (waits[0] || waits[1] || waits[2])
#endif

/* The end of what pi_lock guards. */
inline pi_check()
{
	assert(!SOMEBODY_WAITS || contended_bit); /* contended */
	for (i : 0 .. THREADS - 1) {
		k = BASE(i);
		if
		:: SOMEBODY_WAITS && queue_owner == i -> highest_waiter(k)
		:: else
		fi;
		assert(effective[i] == k) /* priority */
	};
	k = 0
}

inline highest_waiter(p)
{
	if :: waits[0] && BASE(0) > p -> p = BASE(0) :: else fi;
	if :: waits[1] && BASE(1) > p -> p = BASE(1) :: else fi;
#if THREADS > 2
	if :: waits[2] && BASE(2) > p -> p = BASE(2) :: else fi
#endif
}

#define PI_LOCK   pi_lock == 0 -> pi_lock = me + 1
#define PI_UNLOCK pi_check(); pi_lock = 0

/* ---- pi.c; pi_lock is held, inside of a step ---- */

inline pi_propagate(t)
{
	if
	:: t != NOBODY ->
		k = BASE(t);
		if :: queue_owner == t -> highest_waiter(k) :: else fi;
		effective[t] = k;
		k = 0
	:: else
	fi
}

inline pi_wait()
{
	waits[me] = true;
	pi_propagate(queue_owner)
}

inline pi_cancel()
{
	waits[me] = false;
#ifndef BREAK_PROPAGATE
	pi_propagate(queue_owner)
#endif
}

/* Sets next; NOBODY: nobody waits. */
inline pi_hand_over()
{
	next = NOBODY;
	for (i : 0 .. THREADS - 1) {
		if
#ifdef BREAK_ORDER
		:: waits[i] && next == NOBODY -> next = i
#else
		:: waits[i] -> next = i
#endif
		:: else
		fi
	};
	k = 0;
	highest_waiter(k);
	assert(next == NOBODY || BASE(next) == k); /* in order */
	queue_owner = next;
	if
	:: next != NOBODY -> waits[next] = false
	:: else
	fi;
	pi_propagate(next);
	pi_propagate(me)
}

/* ---- sched.c ---- */

inline end_wait(t, why)
{
	assert(blocked[t]); /* woken once */
	blocked[t] = false;
	result[t] = why;
	ends[t]++;
	assert(ends[t] == 1)
}

/* pi_lock is held; drops it. Sets err. */
inline thread_block()
{
	if
	:: me != 0 -> /* timed: what clock_now() says */
		if
		:: past[me] = true
		:: skip
		fi
	:: else
	fi;
#ifdef BREAK_GUARD
	atomic { d_step { PI_UNLOCK } }
#endif
	d_step {
		ends[me] = 0;
		if
		:: me != 0 && cancel_pending[me] -> cancel_pending[me] = false; err = INTR
		:: !(me != 0 && cancel_pending[me]) && me != 0 && past[me] -> err = TIMEDOUT
		:: else ->
			err = OK;
			cancellable[me] = (me != 0);
			blocked[me] = true
		fi;
#ifndef BREAK_GUARD
		PI_UNLOCK
#endif
	}
	if
	:: err == OK ->
		/* switched away and back */
		d_step { !blocked[me] -> err = result[me]; assert(ends[me] == 1) }
	:: else
	fi;
	d_step { cancellable[me] = false; past[me] = false; ends[me] = 0 }
}

/* ---- mutex.c ---- */

/* Sets got. */
inline mutex_take()
{
#ifdef BREAK_TAKE
	got = WORD_FREE;
	if
	:: got -> word = me + 1
	:: else
	fi
#else
	atomic {
		got = WORD_FREE;
		if
		:: got -> word = me + 1
		:: else
		fi
	}
#endif
}

/* Sets err. */
inline lock_slow()
{
	atomic { PI_LOCK }
	/* The load and the compare-and-swap that agrees with it. */
	atomic {
		if
		:: WORD_FREE -> word = me + 1; got = true
		:: else ->
#ifndef BREAK_MARK
			contended_bit = true;
#endif
			queue_owner = word - 1
		fi
	}
	if
	:: got -> d_step { err = OK; PI_UNLOCK }
	:: else ->
		d_step { pi_wait() }
		thread_block();
		if
		:: err == OK
		:: else ->
			atomic { PI_LOCK }
			d_step {
				if
#ifdef BREAK_HANDED
				:: true -> pi_cancel()
#else
				:: waits[me] -> pi_cancel()
#endif
				:: else ->
#ifndef BREAK_KEEP
					if
					:: err == INTR -> cancel_pending[me] = true
					:: else
					fi;
#endif
					err = OK
				fi;
				PI_UNLOCK
			}
		fi
	fi
}

inline unlock()
{
#ifdef BREAK_UNLOCK
	got = (word == me + 1 && !contended_bit);
	if
	:: got -> d_step { word = 0; contended_bit = false }
	:: else
	fi;
#else
	atomic {
		got = (word == me + 1 && !contended_bit);
		if
		:: got -> word = 0
		:: else
		fi
	}
#endif
	if
	:: got
	:: else ->
		atomic { PI_LOCK }
		d_step { queue_owner = me; pi_hand_over() }
#ifdef BREAK_FREE
		d_step { word = 0; contended_bit = SOMEBODY_WAITS }
#endif
#ifdef BREAK_WORD
		d_step { word = (next == NOBODY -> 0 : next + 1); contended_bit = false }
#else
		d_step { word = (next == NOBODY -> 0 : next + 1); contended_bit = SOMEBODY_WAITS }
#endif
		/* thread_wake(); then pi_lock is dropped */
		d_step {
			if
#ifdef BREAK_WAKE
			:: next != NOBODY -> end_wait(next, OK)
#else
			:: next != NOBODY && blocked[next] -> end_wait(next, OK)
#endif
			:: else
			fi;
			next = 0
		}
		d_step { PI_UNLOCK }
	fi
}

proctype thread(byte me)
{
	byte next, round;
	bool got;
	mtype err = OK;
	do
	:: round < ROUNDS ->
		mutex_take();
		if
		:: got -> err = OK
		:: else -> lock_slow()
		fi;
		got = false;
		if
		:: err == OK ->
			atomic { inside++; assert(inside == 1 && word == me + 1) } /* exclusion */
			inside--;
			unlock();
			got = false
		:: err == INTR -> d_step { assert(!interrupted[me]); interrupted[me] = true }
		:: else
		fi;
		atomic { err = OK; round++ }
	:: else -> break
	od;
	done++
}

/* A deadline passes; then the callout. */
proctype clock(byte t)
{
end:	do
	:: d_step { blocked[t] && t != 0 && !past[t] -> past[t] = true }
	:: d_step { blocked[t] && past[t] -> end_wait(t, TIMEDOUT) }
	od
}

proctype cancel(byte t)
{
	d_step {
		cancelled[t] = true;
		if
		:: blocked[t] && cancellable[t] -> end_wait(t, INTR)
		:: else -> cancel_pending[t] = true
		fi;
		done++
	}
}

init {
	byte t;
	atomic {
		for (t : 0 .. THREADS - 1) {
			effective[t] = BASE(t);
			run thread(t);
			run clock(t);
			run cancel(t)
		}
	}
	done == 2 * THREADS;
	d_step {
		assert(WORD_FREE && !SOMEBODY_WAITS && pi_lock == 0);
		for (t : 0 .. THREADS - 1) {
			assert(cancelled[t] == (interrupted[t] || cancel_pending[t]));
			assert(!(interrupted[t] && cancel_pending[t]))
		};
		skip
	}
}

#ifdef LTL
ltl never_free { [] !(WORD_FREE && SOMEBODY_WAITS) }
#endif
