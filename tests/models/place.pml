/*
 * place.pml - no waiting thread that outranks what runs on a hart that it may use is left behind.
 *
 * Models kernel/sched/place.c with its callers, access by access:
 *
 *	inline		function
 *	publish		hart_publish()			place.c
 *	kick, kick_best	hart_kick(), hart_kick_best()
 *	pull_from	sched_pull_from()
 *	pull_one	sched_pull_one()
 *	pull		sched_pull()
 *	place		sched_place(), sched_lowest()
 *	resched, changed	hart_resched(), hart_changed()	sched.c
 *	queue_waiting	hart_queued_waiting(), hart_enqueue()
 *	arrive		sched_arrive(), its kick and pull with the callers
 *	ready		sched_ready_awake()
 *	wake		thread_wake(), from any hart
 *	block		thread_block_now()
 *	requeue		hart_requeue() under pi_set_effective(), from any hart; only with REQUEUE
 *	preempt		upcall_preempt(), repeated as trap.S does while need_resched
 *
 * Memory: each published word, and the release of the lock under which it was stored, may stay in
 * the store buffer of the hart that stored it, for as long as it likes; words leave the buffer in any
 * order, the release after all of them. The hart itself sees what it has stored. Emptied by a full
 * fence and by an IPI (amoor.aqrl), not by taking another lock (amoadd.aq). Loads happen in the order
 * of the program. Words of one hart are stored under its lock only, so one buffer for each lock does.
 * What is written under a lock and read under it only is one step with its neighbours.
 *
 * prio stands for the rank, upside down: more is better, 0 is idle or nobody. Threads that their domain or server bars, and
 * hence hart_best() and thread_unbarred(), are not modelled.
 *
 * An IPI is a bit here; how it is sent, and taken by who sleeps, is idle.pml.
 *
 * Checked whenever nobody is under way, no IPI pends and all buffers are empty (quiet):
 *	outranked	no thread that waits outranks what runs on a hart that it may use
 *	published	what is published is what is
 * and that harts come to rest at all: no deadlock.
 *
 * Bounds: EVENTS blocks, wakes and (REQUEUE) changes of one thread's priority, on any hart, at any time, from a start
 * in which nothing outranks: at 2 harts every thread queued or blocked on any hart (the last one on the
 * first: the harts are alike); with ONE_START, at 3, all five queued, three of
 * them running, one of the others not allowed on the third hart. FIFO order among equals that wait is not modelled.
 * BREAK_NO_SECOND_PULL needs three events; that many are not searched to the end without it.
 *
 * @run place_2_harts HARTS=2 EVENTS=2 REQUEUE
 * @run place_3_harts HARTS=3 EVENTS=2 ONE_START THREADS=5
 * @break place_2_harts BREAK_KICK_FENCE
 * @break place_2_harts BREAK_PULL_FENCE
 * @break place_2_harts BREAK_NO_KICK
 * @break place_2_harts BREAK_NO_PULL
 * @break place_2_harts BREAK_NO_KICK_NEXT
 * @break place_2_harts BREAK_NO_KICK_LEFT
 * @break place_2_harts BREAK_NO_KICK_BEST
 * @break place_2_harts BREAK_NO_FALL
 * @break place_3_harts BREAK_ONE_TRY
 * @break place_3_harts EVENTS=3 BREAK_NO_SECOND_PULL
 */
#ifndef HARTS
#define HARTS 2
#endif
#ifndef THREADS
#define THREADS 3
#endif
#ifndef EVENTS
#define EVENTS 2
#endif

#define IDLE THREADS /* every hart's own */
#define NONE 15
#define BIT(h) (1 << (h))

byte prio[THREADS + 1];     /* idle: 0 */
byte affinity[THREADS + 1];
byte at[THREADS];           /* t->hart */
bool queued[THREADS + 1];
bool blocked[THREADS];
byte current[HARTS];
byte lock[HARTS];           /* 0: free; who holds it, + 1 */
bool ipi[HARTS];
bool busy[HARTS];
byte events = EVENTS;

byte running[HARTS], waiting[HARTS];        /* memory: what the others see; 0: nothing waits */
byte s_running[HARTS], s_waiting[HARTS];    /* stored, not yet seen; NONE: nothing */
bool s_unlock[HARTS];

/* ---- memory ---- */

#define PENDS(h) (s_running[h] != NONE || s_waiting[h] != NONE)
#if HARTS == 2
#define PENDS_OF(p) ((lock[0] == p + 1 && PENDS(0)) || (lock[1] == p + 1 && PENDS(1)))
#else
#define PENDS_OF(p) ((lock[0] == p + 1 && PENDS(0)) || (lock[1] == p + 1 && PENDS(1)) || (lock[2] == p + 1 && PENDS(2)))
#endif

#define LOAD_RUNNING(p, h) ((lock[h] == p + 1 && s_running[h] != NONE) -> s_running[h] : running[h])
#define LOAD_WAITING(p, h) ((lock[h] == p + 1 && s_waiting[h] != NONE) -> s_waiting[h] : waiting[h])

hidden byte i, j, k, hi, top; /* inside of d_step only */

/* What hart p has released and nothing that it stored before holds back. */
inline released(who)
{
	if
	:: !PENDS_OF(who) ->
		for (i : 0 .. HARTS - 1) {
			if
			:: lock[i] == who + 1 && s_unlock[i] -> lock[i] = 0; s_unlock[i] = false
			:: else
			fi
		};
		skip
	:: else
	fi;
	skip
}

inline flush()
{
	for (i : 0 .. HARTS - 1) {
		if
		:: lock[i] == p + 1 ->
			if :: s_running[i] != NONE -> running[i] = s_running[i]; s_running[i] = NONE :: else fi;
			if :: s_waiting[i] != NONE -> waiting[i] = s_waiting[i]; s_waiting[i] = NONE :: else fi;
			if :: s_unlock[i] -> lock[i] = 0; s_unlock[i] = false :: else fi
		:: else
		fi
	};
	skip
}

/* What a full fence of hart p waits for. */
#ifdef BREAK_KICK_FENCE
#define FENCED_KICK true
#else
#define FENCED_KICK (!PENDS_OF(p))
#endif
#ifdef BREAK_PULL_FENCE
#define FENCED_PULL true
#else
#define FENCED_PULL (!PENDS_OF(p))
#endif

inline take(h)
{
	lock[h] == 0 -> lock[h] = p + 1
}

/* hart_lock_pair() */
#define MIN(a, b) (a < b -> a : b)
#define MAX(a, b) (a < b -> b : a)
inline take_first(a, b)
{
	atomic { lock[MIN(a, b)] == 0 -> lock[MIN(a, b)] = p + 1 }
}

inline take_second(a, b)
{
	lock[MAX(a, b)] == 0 -> lock[MAX(a, b)] = p + 1
}

inline drop(h)
{
	d_step { s_unlock[h] = true; released(p) }
}

inline drop_pair(a, b)
{
	d_step { s_unlock[a] = true; s_unlock[b] = true; released(p) }
}

/* ---- the queue of hart h; inside of d_step ---- */

/* Sets hi: what runs next; the running thread before its equals. */
inline best(h)
{
	hi = current[h];
	if :: hi != IDLE && !queued[hi] -> hi = IDLE :: else fi;
	for (i : 0 .. THREADS - 1) {
		if
		:: queued[i] && at[i] == h && prio[i] > prio[hi] -> hi = i
		:: else
		fi
	};
	skip
}

/* Sets hi: the best that is not `but` and may run elsewhere (mask: there) too; IDLE: none. */
inline best_movable(h, mask, but)
{
	hi = IDLE;
	for (i : 0 .. THREADS - 1) {
		if
		:: queued[i] && at[i] == h && i != but && prio[i] > prio[hi] &&
		   (affinity[i] & (affinity[i] - 1)) && (affinity[i] & mask) == mask -> hi = i
		:: else
		fi
	};
	skip
}

inline publish(h)
{
	if
	:: prio[current[h]] != (s_running[h] != NONE -> s_running[h] : running[h]) -> s_running[h] = prio[current[h]]
	:: else
	fi;
	best_movable(h, 0, current[h]);
	if
	:: prio[hi] != (s_waiting[h] != NONE -> s_waiting[h] : waiting[h]) -> s_waiting[h] = prio[hi]
	:: else
	fi
}

/* ---- the checks ---- */

#if HARTS == 2
#define QUIET (!busy[0] && !busy[1] && !ipi[0] && !ipi[1] && lock[0] == 0 && lock[1] == 0)
#else
#define QUIET (!busy[0] && !busy[1] && !busy[2] && !ipi[0] && !ipi[1] && !ipi[2] && \
	lock[0] == 0 && lock[1] == 0 && lock[2] == 0)
#endif

/* Sets j: nothing that waits outranks what runs where it may run. */
inline nothing_outranks()
{
	j = 1;
	for (k : 0 .. THREADS - 1) {
		for (i : 0 .. HARTS - 1) {
			if
			:: queued[k] && current[at[k]] != k && (affinity[k] & BIT(i)) && prio[k] > prio[current[i]] -> j = 0
			:: else
			fi
		}
	};
	skip
}

inline check_quiet()
{
	if
	:: QUIET ->
		nothing_outranks();
		assert(j); /* outranked */
		for (k : 0 .. HARTS - 1) {
			assert(running[k] == prio[current[k]]); /* published */
			best_movable(k, 0, current[k]);
			assert(waiting[k] == prio[hi])
		};
		skip
	:: else
	fi;
	skip
}

#define LEAVES(h) \
	:: d_step { s_running[h] != NONE -> running[h] = s_running[h]; s_running[h] = NONE; seen(h) } \
	:: d_step { s_waiting[h] != NONE -> waiting[h] = s_waiting[h]; s_waiting[h] = NONE; seen(h) }

/* A word of hart h has become visible. */
inline seen(h)
{
	top = lock[h] - 1;
	released(top);
	check_quiet()
}

proctype memory()
{
end:	do
	LEAVES(0)
	LEAVES(1)
#if HARTS > 2
	LEAVES(2)
#endif
	od
}

/*
 * ---- kernel/sched; p is this hart ----
 *
 * One step each: an access that others can see; with it what follows and is this hart's own (locals, what its
 * lock guards, a store, which stays in the buffer), a lock taken just before and one dropped just after.
 */

inline resched(h)
{
	if
	:: h == p -> need = true
	:: else -> flush(); ipi[h] = true
	fi
}

inline changed(h)
{
	best(h);
	if
	:: prio[hi] > prio[current[h]] -> resched(h)
	:: else
	fi;
	publish(h)
}

#define KICKS(h, t) (cpu != h && (affinity[t] & BIT(cpu)))

/* The loads and IPIs; the fence is a condition of the first. */
inline kick(h, t)
{
	cpu = (affinity[t] & ~BIT(h) -> 0 : HARTS);
#ifndef BREAK_NO_KICK
	do
	:: atomic { cpu == HARTS -> cpu = 0; break }
	:: atomic { cpu < HARTS && !KICKS(h, t) -> cpu++ }
	:: atomic {
			cpu < HARTS && KICKS(h, t) && FENCED_KICK ->
			if
			:: LOAD_RUNNING(p, cpu) < prio[t] -> resched(cpu)
			:: else
			fi;
			cpu++
		}
	od
#else
	cpu = 0
#endif
}

/* In one step with what is before: the queue; sets next: whom to kick for. */
inline queue_waiting_step(h, t)
{
	best(h);
	next = hi;
	queued[t] = true;
	changed(h);
	if
	:: prio[t] <= prio[next] -> next = t
	:: prio[t] > prio[next] && next == current[h] -> next = IDLE
	:: else
#ifdef BREAK_NO_KICK_NEXT
		-> next = IDLE
#endif
	fi
}

inline kick_next(h)
{
	if
	:: next != IDLE -> kick(h, next)
	:: else
	fi;
	next = 0
}

/* Sets from. */
inline pull_from()
{
	do
	:: atomic { cpu == HARTS -> cpu = 0; above = 0; break }
	:: atomic { cpu < HARTS && (tried & BIT(cpu)) -> cpu++ }
	:: atomic {
			cpu < HARTS && !(tried & BIT(cpu)) && FENCED_PULL ->
			if
			:: LOAD_WAITING(p, cpu) > above -> above = LOAD_WAITING(p, cpu); from = cpu
			:: else
			fi;
			cpu++
		}
	od
}

/* Sets n: what was pulled; IDLE: nothing. */
inline pull_one()
{
	take_first(p, from);
	atomic {
		take_second(p, from);
		d_step {
			best(p);
			top = prio[hi];
			best_movable(from, BIT(p), current[from]);
			n = IDLE;
			next = IDLE;
			if
			:: prio[hi] > top ->
				n = hi;
				queued[n] = false;
				changed(from);
				at[n] = p;
				queue_waiting_step(p, n)
			:: else
			fi;
			skip
		}
	}
	kick_next(p);
	drop_pair(p, from)
}

inline pull()
{
	atomic { tried = BIT(p); n = IDLE; }
	do
	:: atomic { from = NONE; above = LOAD_RUNNING(p, p) }
		pull_from();
		if
		:: atomic { from == NONE -> break }
		:: else -> pull_one();
#ifdef BREAK_ONE_TRY
			break
#endif
			if
			:: atomic { n != IDLE -> break }
			:: else -> tried = tried | BIT(from)
			fi
		fi
	od;
	atomic { tried = 0; from = 0; n = 0 }
}

/* With p locked, `left` left, current[p] entered; up to the kick. */
inline arrive()
{
	d_step {
		publish(p);
		next = (left != IDLE && queued[left] -> left : IDLE);
		left = 0;
#ifdef BREAK_NO_KICK_LEFT
		next = IDLE
#endif
	}
}

#ifdef BREAK_NO_SECOND_PULL
#define STAYS(x) stays = x
#else
#define STAYS(x) skip
#endif

inline preempt()
{
	do
	:: need ->
		need = false;
		pull();
		atomic {
			take(p);
			d_step { best(p); left = current[p]; next = hi; skip }
			if
			:: next != left -> current[p] = next; next = 0; arrive()
			:: else ->
				d_step { left = 0; changed(p); best_movable(p, 0, current[p]); next = hi; STAYS(true) }
#ifdef BREAK_NO_KICK_BEST
				next = IDLE
#endif
			fi
		}
		kick_next(p);
		drop(p);
#ifdef BREAK_NO_SECOND_PULL
		if
		:: stays
		:: else -> pull()
		fi;
#else
		pull();
#endif
		STAYS(false)
	:: else -> break
	od
}

inline block()
{
	atomic {
		take(p);
		d_step {
			left = current[p];
			blocked[left] = true;
			queued[left] = false;
			best(p);
			current[p] = hi
		}
		arrive()
	}
	kick_next(p);
	drop(p);
#ifndef BREAK_NO_PULL
	pull()
#endif
}

/* With `home` locked, t neither blocked nor queued: where it should run; drops the lock. */
inline ready(t)
{
	to = home;
	do
	:: atomic { cpu == HARTS -> cpu = 0; above = 0; break }
	:: atomic { cpu < HARTS && !(affinity[t] & BIT(cpu)) -> cpu++ }
	:: atomic {
			cpu < HARTS && (affinity[t] & BIT(cpu)) ->
			if
			:: LOAD_RUNNING(p, cpu) < above -> above = LOAD_RUNNING(p, cpu); to = cpu
			:: else
			fi;
			cpu++
		}
	od;
	atomic {
		if
		:: to != home ->
			drop(home);
			take_first(home, to);
			take_second(home, to)
		:: else
		fi;
		d_step { at[t] = to; queue_waiting_step(to, t); skip }
	}
	kick_next(to);
	atomic { drop_pair(home, to); to = 0 }
}

/* thread_lock() is where `home` is loaded, and looked at again. */
inline wake(t)
{
	do
	:: atomic {
			take(home);
			if
			:: at[t] == home && blocked[t] ->
				blocked[t] = false;
				above = ((affinity[t] & BIT(home)) ->
					(LOAD_RUNNING(p, home) < prio[t] -> LOAD_RUNNING(p, home) : prio[t]) : NONE);
				break
			:: at[t] == home && !blocked[t] -> drop(home); goto woken
			:: else -> drop(home); home = at[t]
			fi
		}
	od;
	ready(t);
woken:	home = 0
}

#define OTHER_PRIORITY(t) (prio[t] == 1 -> 4 : 1)

inline requeue(t)
{
	do
	:: atomic {
			take(home);
			if
			:: at[t] == home -> break
			:: else -> drop(home); home = at[t]
			fi
		}
	od;
	atomic {
		next = IDLE;
		if
		:: queued[t] && current[home] != t ->
			d_step { queued[t] = false; prio[t] = OTHER_PRIORITY(t); queue_waiting_step(home, t); skip }
		:: queued[t] && current[home] == t ->
			d_step {
				top = prio[t];
				prio[t] = OTHER_PRIORITY(t);
				changed(home);
				if
#ifndef BREAK_NO_FALL
				:: prio[t] < top -> resched(home)
#endif
				:: else
				fi;
				skip
			}
		:: !queued[t] -> prio[t] = OTHER_PRIORITY(t)
		fi
	}
	kick_next(home);
	atomic { drop(home); home = 0 }
}

#if THREADS > 3
#define ANY_BLOCKED (blocked[0] || blocked[1] || blocked[2] || blocked[3] || blocked[4])
#else
#define ANY_BLOCKED (blocked[0] || blocked[1] || blocked[2])
#endif

proctype hart(byte p)
{
	bool need;
#ifdef BREAK_NO_SECOND_PULL
	bool stays;
#endif
	byte cpu, above, from, tried, n, next, left, to, home, who;
end:	do
	:: d_step { ipi[p] -> busy[p] = true; ipi[p] = false; flush(); need = true }
		preempt();
		goto rest
	:: atomic { events > 0 && current[p] != IDLE -> events--; busy[p] = true }
		block();
		preempt();
		goto rest
	:: atomic {
			events > 0 && ANY_BLOCKED -> events--; busy[p] = true;
			if
			:: blocked[0] -> who = 0
			:: blocked[1] -> who = 1
			:: blocked[2] -> who = 2
#if THREADS > 3
			:: blocked[3] -> who = 3
			:: blocked[4] -> who = 4
#endif
			fi;
			home = at[who]
		}
		wake(who);
		preempt();
		goto rest
#ifdef REQUEUE
	:: atomic { events > 0 -> events--; busy[p] = true; who = 2; home = at[who] }
		requeue(who);
		preempt();
		goto rest
#endif
	od;
rest:	atomic { who = 0; d_step { busy[p] = false; check_quiet() } }
	goto end
}

#ifdef ONE_START
#define CHOOSE_HART(t)     h = t % HARTS
#define CHOOSE_AFFINITY(t) affinity[t] = (t == 1 -> 3 : BIT(HARTS) - 1)
#else
#define CHOOSE_HART(t)     if :: t == 2 -> h = 0 :: t != 2 -> h = 0 :: t != 2 -> h = 1 fi
#define CHOOSE_AFFINITY(t) affinity[t] = BIT(HARTS) - 1
#endif

init {
	byte t, h;
	atomic {
		for (t : 0 .. THREADS - 1) {
			prio[t] = t + 2;
#ifdef REQUEUE
			if
			:: t == 2 -> prio[t] = 1
			:: true
			fi;
#endif
			CHOOSE_AFFINITY(t);
			CHOOSE_HART(t);
			at[t] = h;
			if
#ifdef ONE_START
			:: queued[t] = true
#else
			:: !(affinity[t] & BIT(h)) -> blocked[t] = true /* it was moved while it was blocked */
			:: else -> if :: queued[t] = true :: blocked[t] = true fi
#endif
			fi
		};
		skip;
		d_step {
			for (h : 0 .. HARTS - 1) {
				current[h] = IDLE;
				best(h);
				current[h] = hi;
				s_running[h] = NONE;
				s_waiting[h] = NONE
			}
			for (h : 0 .. HARTS - 1) {
				running[h] = prio[current[h]];
				best_movable(h, 0, current[h]);
				waiting[h] = prio[hi]
			}
			nothing_outranks();
			skip
		}
		if
		:: j -> skip
		:: else -> goto nothing
		fi;
		t = 0; h = 0;
		run memory();
		for (h : 0 .. HARTS - 1) {
			run hart(h)
		}
	}
nothing: skip
}
