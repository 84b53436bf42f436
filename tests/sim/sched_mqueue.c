/*
 * sched_mqueue.c - message queues on virtual harts: with deadlines, cancellations and interrupts that send, nothing is
 * lost, doubled, torn or out of order. A sender's messages reach each receiver in the order in which they were sent.
 */
#include "kernel/sync/mqueue.h"
#include "tests/sim/world.h"

#define SENDERS   3
#define RECEIVERS 3
#define MESSAGES  20
#define SOURCES   (SENDERS + CPU_MAX) /* a hart's interrupt is a sender of its own */

struct message {
	uint32_t sender, number, check, more; /* the last one is not sent when the size is odd */
};

static struct mqueue queue;
static uint8_t queue_memory[3 * sizeof(struct message)];
static uint32_t accepted[SOURCES], taken_count;
static bool sending_ended;

static struct message message_make(uint32_t sender)
{
	uint32_t number = accepted[sender] + 1;
	return (struct message){sender, number, sender * 1000 ^ number, number};
}

static void queue_irq(void)
{
	uint32_t sender = SENDERS + arch_cpu();
	struct message m = message_make(sender);
	accepted[sender] += mqueue_try_send(&queue, &m);
}

static void sends(struct sim_thread *self)
{
	while (accepted[self->index] < MESSAGES) {
		if (sim_chance(4))
			host_irq_raise(sim_below(cpu_count()));
		struct message m = message_make(self->index);
		ktime deadline = sim_some_deadline();
		bool sent = false;
		if (sim_chance(4)) {
			sent = mqueue_try_send(&queue, &m);
		} else {
			enum err err = mqueue_send(&queue, &m, deadline);
			CHECK(err == OK || err == ERR_TIMEDOUT || err == ERR_INTR);
			CHECK(err != ERR_TIMEDOUT || !ktime_before(clock_now(), deadline));
			sent = err == OK;
		}
		accepted[self->index] += sent;
		if (!sent || sim_chance(4))
			CHECK_EQ(sleep_until(sim_soon()), OK);
	}
}

static void message_taken(const struct message *m, uint32_t *last)
{
	CHECK(m->sender < SOURCES);
	CHECK_EQ(m->check, (m->sender * 1000 ^ m->number));
	CHECK(queue.size < sizeof(*m) || m->more == m->number);
	CHECK(m->number > last[m->sender]);
	last[m->sender] = m->number;
	taken_count++;
}

static void receives(unused struct sim_thread *self)
{
	uint32_t last[SOURCES] = {0};
	for (;;) {
		struct message m = {.sender = SOURCES};
		ktime deadline = sim_some_deadline();
		enum err err = OK;
		if (sim_chance(4))
			err = mqueue_try_receive(&queue, &m) ? OK : ERR_AGAIN;
		else
			err = mqueue_receive(&queue, &m, deadline);
		CHECK(err == OK || err == ERR_TIMEDOUT || err == ERR_INTR || err == ERR_AGAIN);
		CHECK(err != ERR_TIMEDOUT || !ktime_before(clock_now(), deadline));
		if (err == OK)
			message_taken(&m, last);
		else
			CHECK_EQ(m.sender, SOURCES); /* nothing was written */
		if (err != OK && sending_ended)
			return;
		if (err == ERR_AGAIN || sim_chance(3))
			CHECK(sleep_until(sim_soon()) != ERR_NOSPC); /* may be cancelled */
	}
}

static uint32_t accepted_in_all(void)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < SOURCES; i++)
		sum += accepted[i];
	return sum;
}

static void queue_run(uint64_t cancels)
{
	bool odd = sim_chance(2);
	mqueue_init(&queue, queue_memory, sizeof(struct message) - (odd ? 4 : 0), 1 + sim_below(3));
	sim_on_irq = queue_irq;
	for (unsigned i = 0; i < SENDERS; i++)
		sim_spawn(sends, NULL, sim_some_priority(), sim_some_class(), sim_some_harts());
	for (unsigned i = 0; i < RECEIVERS; i++)
		sim_spawn(receives, NULL, sim_some_priority(), sim_some_class(), sim_some_harts());
	sim_begin();
	for (unsigned i = 0; i < SENDERS; i++)
		while (!sim_threads[i].ended) {
			if (cancels) {
				CHECK_EQ(thread_cancel(
						 sim_threads[SENDERS + sim_below(RECEIVERS)].t),
					OK);
				cancels--;
			}
			CHECK_EQ(sleep_ns(20000), OK);
		}
	CHECK_EQ(sleep_ns(100000), OK); /* interrupts that were raised have come */
	sending_ended = true;
	for (unsigned i = SENDERS; i < sim_thread_count; i++)
		while (!sim_threads[i].ended) {
			CHECK_EQ(thread_cancel(sim_threads[i].t), OK);
			CHECK_EQ(sleep_ns(20000), OK);
		}
	CHECK_EQ(taken_count + mqueue_count(&queue), accepted_in_all());
}

/* Without a cancellation that would cover up for a lost wake. */
SIMULATION(queue_loses_and_makes_nothing, 60)
{
	queue_run(0);
}

SIMULATION(queue_bears_cancellations, 60)
{
	queue_run(30);
}
