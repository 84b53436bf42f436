/*
 * Host tests of trace_check_core.h: made-up traces of two harts, each right but for the one thing that its
 * test is about. Thread 1 is hart 0's idle thread, 2 hart 1's.
 */
#include "kernel/diag/trace_check_core.h"
#include "tests/host/test.h"

#define IDLE 1000
#define BOTH 3
#define DUE_STILL 0x100

static struct trace_check c;
static uint64_t seq;

static enum trace_verdict says(unsigned by, unsigned event, unsigned cpu, uint32_t tid, uint64_t a, uint64_t b)
{
	struct trace_record r = {.seq = seq++, .event = (uint8_t)event, .detail = (uint8_t)(event >> 8), .by = (uint8_t)by, .cpu = (uint8_t)cpu, .tid = tid,
		.a = a, .b = b};
	return trace_check_input(&c, &r);
}

#define GOOD(...) CHECK_EQ(says(__VA_ARGS__), TRACE_FINE)
#define BAD(verdict, ...) CHECK_EQ(says(__VA_ARGS__), verdict)

/* Both run idle, and have looked around. */
static void begin(void)
{
	seq = 0;
	trace_check_begin(&c, 2);
	for (uint32_t cpu = 0; cpu < 2; cpu++) {
		GOOD(0, TRACE_BEGIN, cpu, cpu + 1, 0, 0);
		GOOD(0, TRACE_ENQUEUE, cpu, cpu + 1, IDLE, 1u << cpu);
	}
	for (uint32_t cpu = 0; cpu < 2; cpu++) {
		GOOD(cpu, TRACE_STAY, cpu, cpu + 1, IDLE, 0);
		GOOD(cpu, TRACE_PULLED, cpu, 0, 0, 0);
	}
	CHECK_EQ(trace_check_end(&c), TRACE_FINE);
}

/* A thread is woken on that hart by itself, and runs. */
static void run(unsigned cpu, uint32_t tid, uint64_t rank, uint64_t affinity)
{
	GOOD(cpu, TRACE_ENQUEUE, cpu, tid, rank, affinity);
	GOOD(cpu, TRACE_LEAVE, cpu, 0, 1, 0);
	GOOD(cpu, TRACE_SWITCH, cpu, tid, rank, cpu + 1);
	GOOD(cpu, TRACE_PULLED, cpu, 0, 0, 0);
}

TEST(trace_check_knows_what_is_right)
{
	begin();
	run(0, 10, 50, 1);
	/* hart 1 wakes a better one on hart 0 */
	GOOD(1, TRACE_ENQUEUE, 0, 11, 40, 1);
	GOOD(1, TRACE_IPI_SENT, 0, 0, 0, 0);
	GOOD(1, TRACE_LEAVE, 1, 0, 1, 0);
	CHECK_EQ(trace_check_end(&c), TRACE_UNFINISHED);
	/* which comes to an end of an interrupt before the IPI does */
	GOOD(0, TRACE_IRQ_ENTER, 0, 0, 0, 0);
	GOOD(0, TRACE_IRQ_EXIT, 0, 0, 0, 0);
	GOOD(0, TRACE_IPI_RECEIVED, 0, 0, 0, 0);
	GOOD(0, TRACE_SWITCH, 0, 11, 40, 10);
	GOOD(0, TRACE_PULLED, 0, 0, 0, 0);
	GOOD(0, TRACE_DEQUEUE, 0, 11, 0, 0);
	GOOD(0, TRACE_SWITCH, 0, 10, 50, 11);
	GOOD(0, TRACE_PULLED, 0, 0, 0, 0);
	CHECK_EQ(trace_check_end(&c), TRACE_FINE);
	CHECK(c.stats.from_other_harts > 0 && c.stats.decisions == 5);
}

TEST(trace_check_sees_the_second_best_chosen)
{
	begin();
	run(0, 10, 50, 1);
	GOOD(0, TRACE_ENQUEUE, 0, 11, 60, 1);
	GOOD(0, TRACE_ENQUEUE, 0, 12, 70, 1);
	GOOD(0, TRACE_DEQUEUE, 0, 10, 0, 0);
	BAD(TRACE_WORSE, 0, TRACE_SWITCH, 0, 12, 70, 10);
	CHECK(c.tid == 11 && c.cpu == 0 && c.at.seq == seq - 1);
}

TEST(trace_check_sees_one_that_goes_on_and_is_outranked)
{
	begin();
	run(0, 10, 50, 1);
	GOOD(0, TRACE_ENQUEUE, 0, 11, 40, 1);
	BAD(TRACE_WORSE, 0, TRACE_STAY, 0, 10, 50, 0);
}

TEST(trace_check_lets_idle_in_for_a_moment)
{
	begin();
	run(0, 10, 50, 1);
	GOOD(0, TRACE_ENQUEUE, 0, 11, 40, 1);
	GOOD(0, TRACE_PUT_OFF, 0, 0, 0, 0);
	GOOD(0, TRACE_SWITCH | DUE_STILL, 0, 1, IDLE, 10);
	GOOD(0, TRACE_PULLED, 0, 0, 0, 0);
	GOOD(0, TRACE_IRQ_ENTER, 0, 0, 0, 0);
	GOOD(0, TRACE_IRQ_EXIT, 0, 0, 0, 0);
	BAD(TRACE_LATE, 0, TRACE_IRQ_ENTER, 0, 0, 0, 0);
}

/* An end of an interrupt is the chance; with preemption off it is not. */
TEST(trace_check_sees_a_chance_passed)
{
	begin();
	run(0, 10, 50, 1);
	GOOD(0, TRACE_IRQ_ENTER, 0, 0, 0, 0);
	GOOD(0, TRACE_ENQUEUE, 0, 11, 40, 1);
	GOOD(0, TRACE_IRQ_EXIT, 0, 0, 1, 0);
	GOOD(0, TRACE_IRQ_ENTER, 0, 0, 0, 0);
	GOOD(0, TRACE_IRQ_EXIT, 0, 0, 0, 0);
	BAD(TRACE_LATE, 0, TRACE_IRQ_ENTER, 0, 0, 0, 0);
	CHECK_EQ(c.tid, 11);
}

TEST(trace_check_sees_an_ipi_ignored)
{
	begin();
	run(0, 10, 50, 1);
	GOOD(0, TRACE_IPI_RECEIVED, 0, 0, 1, 0); /* preemption is off */
	GOOD(0, TRACE_LEAVE, 0, 0, 0, 0);
	GOOD(0, TRACE_IPI_RECEIVED, 0, 0, 0, 0);
	GOOD(0, TRACE_LEAVE, 0, 0, 0, 0); /* of a wait that is ended on the way */
	BAD(TRACE_LATE, 0, TRACE_LEAVE, 0, 0, 1, 0);
}

/* On the way to a decision errands are run, and interrupts let in. */
TEST(trace_check_knows_the_way_to_a_decision)
{
	begin();
	run(0, 10, 50, 1);
	GOOD(0, TRACE_IPI_RECEIVED, 0, 0, 0, 0);
	GOOD(0, TRACE_WINDOW, 0, 0, 1, 0);
	GOOD(0, TRACE_IRQ_ENTER, 0, 0, 0, 0);
	GOOD(0, TRACE_IRQ_EXIT, 0, 0, 1, 0);
	GOOD(0, TRACE_WINDOW, 0, 0, 0, 0);
	BAD(TRACE_LATE, 0, TRACE_IRQ_ENTER, 0, 0, 0, 0);
}

/* An interrupt may get in between the end of an operation and the switch; another operation may not. */
TEST(trace_check_sees_a_wake_that_does_not_preempt)
{
	begin();
	run(0, 10, 50, 1);
	GOOD(0, TRACE_ENQUEUE, 0, 11, 40, 1);
	GOOD(0, TRACE_LEAVE, 0, 0, 1, 0);
	GOOD(0, TRACE_IRQ_ENTER, 0, 0, 0, 0);
	GOOD(0, TRACE_IRQ_EXIT, 0, 0, 1, 0);
	BAD(TRACE_LATE, 0, TRACE_LEAVE, 0, 0, 1, 0);
}

TEST(trace_check_sees_an_ipi_not_sent)
{
	begin();
	run(0, 10, 50, 1);
	GOOD(1, TRACE_ENQUEUE, 0, 11, 40, 1);
	BAD(TRACE_UNANNOUNCED, 1, TRACE_LEAVE, 1, 0, 1, 0);
	CHECK_EQ(c.cpu, 0);
	begin();
	run(0, 10, 50, 1);
	GOOD(1, TRACE_ENQUEUE, 0, 11, 60, 1); /* does not outrank what runs: nothing to be sent */
	GOOD(1, TRACE_LEAVE, 1, 0, 1, 0);
}

TEST(trace_check_sees_an_ipi_that_never_comes)
{
	begin();
	run(0, 10, 50, 1);
	GOOD(1, TRACE_ENQUEUE, 0, 11, 40, 1);
	GOOD(1, TRACE_IPI_SENT, 0, 0, 0, 0);
	GOOD(1, TRACE_LEAVE, 1, 0, 1, 0);
	CHECK_EQ(trace_check_end(&c), TRACE_UNFINISHED);
}

/* It waits on hart 0, may run on hart 1, which idles. */
TEST(trace_check_sees_one_that_nobody_pulls)
{
	begin();
	run(0, 10, 50, 1);
	GOOD(0, TRACE_ENQUEUE, 0, 11, 60, BOTH);
	BAD(TRACE_PASSED_OVER, 0, TRACE_LEAVE, 0, 0, 1, 0);
	CHECK(c.tid == 11 && c.cpu == 1);
}

TEST(trace_check_waits_for_a_pull)
{
	begin();
	run(0, 10, 50, 1);
	GOOD(0, TRACE_ENQUEUE, 0, 11, 60, BOTH);
	GOOD(0, TRACE_IPI_SENT, 1, 0, 0, 0);
	GOOD(0, TRACE_LEAVE, 0, 0, 1, 0);
	GOOD(1, TRACE_IPI_RECEIVED, 1, 0, 0, 0);
	GOOD(1, TRACE_STAY, 1, 2, IDLE, 0);
	BAD(TRACE_PASSED_OVER, 1, TRACE_PULLED, 1, 0, 0, 0); /* and did not take it */
}

TEST(trace_check_lets_wait_who_may_not_go_there)
{
	begin();
	run(0, 10, 50, 1);
	GOOD(0, TRACE_ENQUEUE, 0, 11, 60, 1);
	GOOD(0, TRACE_LEAVE, 0, 0, 1, 0);
	GOOD(1, TRACE_BARS, 1, 0, 1, 0); /* domain 0 may not run on hart 1 */
	GOOD(0, TRACE_DEQUEUE, 0, 11, 0, 0);
	GOOD(0, TRACE_ENQUEUE, 0, 11, 60, BOTH);
	GOOD(0, TRACE_LEAVE, 0, 0, 1, 0);
	GOOD(1, TRACE_BARS, 1, 0, 0, 0); /* now it may: hart 1 has to look */
	GOOD(1, TRACE_IRQ_ENTER, 1, 0, 0, 0);
	GOOD(1, TRACE_IRQ_EXIT, 1, 0, 0, 0);
	BAD(TRACE_LATE, 1, TRACE_IRQ_ENTER, 1, 0, 0, 0);
}

/* The best of a queue that outranks what runs is about to run there, where that is decided. The next one waits. */
TEST(trace_check_best_does_not_wait)
{
	begin();
	run(0, 10, 50, 1);
	GOOD(0, TRACE_ENQUEUE, 0, 11, 40, BOTH);
	GOOD(0, TRACE_LEAVE, 0, 0, 0, 0);
	GOOD(0, TRACE_ENQUEUE, 0, 12, 45, BOTH);
	GOOD(0, TRACE_LEAVE, 0, 0, 0, 0);
	GOOD(0, TRACE_SWITCH, 0, 11, 40, 10);
	BAD(TRACE_PASSED_OVER, 0, TRACE_PULLED, 0, 0, 0, 0);
	CHECK_EQ(c.tid, 12);
}

/* It yields to an equal, although what waits was to run and what runs was boosted since: it decides again. */
TEST(trace_check_waits_for_another_decision)
{
	begin();
	run(0, 10, 30, 1);
	GOOD(0, TRACE_ENQUEUE, 0, 12, 30, 1);
	GOOD(0, TRACE_LEAVE, 0, 0, 0, 0);
	GOOD(0, TRACE_RESCHED, 0, 0, 0, 0);
	GOOD(0, TRACE_ENQUEUE, 0, 11, 40, BOTH);
	GOOD(0, TRACE_LEAVE, 0, 0, 0, 0);
	GOOD(0, TRACE_SWITCH | DUE_STILL, 0, 12, 30, 10);
	GOOD(0, TRACE_PULLED, 0, 0, 0, 0);
	GOOD(0, TRACE_IRQ_ENTER, 0, 0, 0, 0);
	GOOD(0, TRACE_IRQ_EXIT, 0, 0, 0, 0);
	BAD(TRACE_LATE, 0, TRACE_LEAVE, 0, 0, 1, 0);
}

/* It was to run here, but what runs is boosted: the decision that is due announces it, or nobody does. */
TEST(trace_check_best_waits_once_it_is_decided)
{
	begin();
	run(0, 10, 50, 1);
	GOOD(0, TRACE_ENQUEUE, 0, 11, 40, BOTH);
	GOOD(0, TRACE_DEQUEUE, 0, 10, 0, 0);
	GOOD(0, TRACE_ENQUEUE, 0, 10, 30, 1);
	GOOD(0, TRACE_LEAVE, 0, 0, 1, 0);
	GOOD(0, TRACE_STAY, 0, 10, 30, 0);
	BAD(TRACE_PASSED_OVER, 0, TRACE_PULLED, 0, 0, 0, 0);
	CHECK_EQ(c.tid, 11);
}

TEST(trace_check_sees_a_fall_that_nobody_acts_on)
{
	begin();
	run(0, 10, 50, 1);
	GOOD(1, TRACE_DEQUEUE, 0, 10, 0, 0);
	GOOD(1, TRACE_ENQUEUE, 0, 10, 70, 1);
	BAD(TRACE_UNANNOUNCED, 1, TRACE_LEAVE, 1, 0, 1, 0);
}

TEST(trace_check_sees_one_parked_for_nothing)
{
	begin();
	run(0, 10, 50, 1);
	GOOD(0, TRACE_THROTTLE, 0, 10, 0, 0);
	GOOD(0, TRACE_DEQUEUE, 0, 10, 0, 0);
	GOOD(0, TRACE_PARK, 0, 10, 0, 0);
	GOOD(0, TRACE_SWITCH, 0, 1, IDLE, 10);
	GOOD(0, TRACE_PULLED, 0, 0, 0, 0);
	GOOD(0, TRACE_REPLENISH, 0, 10, 0, 0);
	for (unsigned i = 0; i < TRACE_CHECK_PARKED_MAX; i++) {
		GOOD(0, TRACE_IRQ_ENTER, 0, 0, 0, 0);
		GOOD(0, TRACE_IRQ_EXIT, 0, 0, 1, 0);
	}
	GOOD(0, TRACE_IRQ_ENTER, 0, 0, 0, 0);
	BAD(TRACE_PARKED, 0, TRACE_IRQ_EXIT, 0, 0, 1, 0);
	begin();
	run(0, 10, 50, 1);
	GOOD(0, TRACE_DEQUEUE, 0, 10, 0, 0);
	BAD(TRACE_PARKED, 0, TRACE_PARK, 0, 10, 0, 0);
}

TEST(trace_check_sees_two_queues)
{
	begin();
	run(0, 10, 50, 1);
	BAD(TRACE_TWICE, 1, TRACE_ENQUEUE, 1, 10, 50, BOTH);
	begin();
	BAD(TRACE_TWICE, 0, TRACE_DEQUEUE, 0, 10, 0, 0);
	begin();
	BAD(TRACE_TWICE, 0, TRACE_SWITCH, 0, 10, 50, 1);
}

TEST(trace_check_judges_from_the_beginning_of_a_hart)
{
	seq = 0;
	trace_check_begin(&c, 2);
	GOOD(1, TRACE_DEQUEUE, 1, 99, 0, 0);
	GOOD(1, TRACE_SWITCH, 1, 98, 5, 99);
	GOOD(1, TRACE_IPI_RECEIVED, 1, 0, 0, 0);
	GOOD(1, TRACE_IPI_RECEIVED, 1, 0, 0, 0);
	CHECK_EQ(trace_check_end(&c), TRACE_UNFINISHED);
}

/* On a machine of one hart there is nowhere to look around. */
TEST(trace_check_of_one_hart)
{
	seq = 0;
	trace_check_begin(&c, 1);
	GOOD(0, TRACE_BEGIN, 0, 1, 0, 0);
	GOOD(0, TRACE_ENQUEUE, 0, 1, IDLE, 1);
	CHECK_EQ(trace_check_end(&c), TRACE_UNFINISHED);
	GOOD(0, TRACE_STAY, 0, 1, IDLE, 0);
	CHECK_EQ(trace_check_end(&c), TRACE_FINE);
}

TEST(trace_check_has_room_or_says_so)
{
	begin();
	for (uint32_t i = 0; i < TRACE_CHECK_THREADS - 2; i++)
		GOOD(0, TRACE_ENQUEUE, 0, 10 + i, IDLE + 1, 1);
	BAD(TRACE_FULL, 0, TRACE_ENQUEUE, 0, 9999, IDLE + 1, 1);
	CHECK_STR(trace_verdict_name(TRACE_FULL), S("full"));
}
