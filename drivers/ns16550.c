/*
 * ns16550.c - the UART: character device "console", and the sink of the log.
 *
 * Receiving and sending go through rings; the interrupt handler moves bytes between
 * rings and FIFO and wakes who waits. Its work is bounded by the FIFO and by
 * UART_RX_BATCH.
 *
 * Log: a thread writes new records through the ring like everybody, so klog() never
 * waits for the UART. In a panic, arch_console_write() writes to the UART by polling.
 *
 * Who writes the log in the middle of a row that others have begun (a prompt, and what is typed behind it) begins a
 * row of its own, and shows theirs again when it is through: so both stay readable, also in a file.
 *
 * Locks: LOCK_CONSOLE is held by who writes, so that rows are not torn. LOCK_CHAR guards rings and registers,
 * interrupts off. Waiters stand on two wait queues; they are woken after it is dropped.
 */
#include "kernel/dev/dev.h"
#include "kernel/diag/diag.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/mutex.h"
#include "lib/assert.h"

enum uart_reg { UART_DATA = 0, UART_IER = 1, UART_IIR = 2, UART_FCR = 2, UART_LCR = 3, UART_MCR = 4, UART_LSR = 5 };

#define UART_IER_RX        1
#define UART_IER_TX        2
#define UART_FCR_ENABLE    7 /* FIFOs on, both cleared */
#define UART_LCR_8N1       3
#define UART_MCR_ON        0x0b /* DTR, RTS, and OUT2, which gates the interrupt */
#define UART_LSR_RX        1
#define UART_LSR_TX_EMPTY  0x20
#define UART_FIFO_BYTES    16
#define UART_RX_BATCH      64
#define UART_LOG_PRIORITY  4 /* below everything that has work to do */
#define UART_LINE_MAX      (KLOG_TEXT_MAX + 60)
#define UART_PUT_MAX       128 /* bytes put into the ring in one hold of its lock, interrupts off */
#define UART_ROW_MAX       512 /* bytes that made a row, escape sequences included; a longer one is not shown again */

static_assert(is_pow2(CONFIG_UART_RX_RING) && is_pow2(CONFIG_UART_TX_RING), "ring indices wrap");

static struct {
	struct spinlock lock;
	volatile uint8_t *regs;
	uint32_t rx_head, rx_tail, tx_head, tx_tail; /* lock: bytes put and taken */
	uint64_t rx_dropped;                         /* lock */
	uint8_t rx[CONFIG_UART_RX_RING];
	uint8_t tx[CONFIG_UART_TX_RING];
	struct waitq rx_wait, tx_wait, log_wait;
	uint32_t log_pending; /* atomic */

	/* writers */
	struct mutex writers;
	size_t row_len; /* what was written since the row began; > UART_ROW_MAX: more than is kept */
	bool row_left;  /* the log stands behind it */
	uint8_t row[UART_ROW_MAX];
} uart;

static uint8_t uart_read_reg(enum uart_reg r)
{
	return uart.regs[r];
}

static void uart_write_reg(enum uart_reg r, uint8_t v)
{
	uart.regs[r] = v;
}

/* ---- between rings and FIFO ---- */

static bool uart_receive_locked(void)
{
	unsigned n = 0;
	for (; n < UART_RX_BATCH && (uart_read_reg(UART_LSR) & UART_LSR_RX) != 0; n++) {
		uint8_t byte = uart_read_reg(UART_DATA);
		if (uart.rx_head - uart.rx_tail == sizeof(uart.rx))
			uart.rx_dropped++;
		else
			uart.rx[uart.rx_head++ % sizeof(uart.rx)] = byte;
	}
	return n > 0;
}

/* Fills an empty FIFO; true when the ring has room again. */
static bool uart_send_locked(void)
{
	if ((uart_read_reg(UART_LSR) & UART_LSR_TX_EMPTY) == 0)
		return false;
	unsigned n = 0;
	for (; n < UART_FIFO_BYTES && uart.tx_tail != uart.tx_head; n++)
		uart_write_reg(UART_DATA, uart.tx[uart.tx_tail++ % sizeof(uart.tx)]);
	return n > 0;
}

static void uart_interrupt(void *arg)
{
	(void)arg;
	irqflags flags = spin_lock_irqsave(&uart.lock);
	(void)uart_read_reg(UART_IIR); /* acknowledges the transmit interrupt */
	bool received = uart_receive_locked();
	bool sent = uart_send_locked();
	spin_unlock_irqrestore(&uart.lock, flags);
	if (received)
		waitq_wake_all(&uart.rx_wait);
	if (sent)
		waitq_wake_all(&uart.tx_wait);
}

/* ---- the character device ---- */

static size_t uart_take(struct wbuf to)
{
	size_t n = 0;
	irqflags flags = spin_lock_irqsave(&uart.lock);
	while (n < to.len && uart.rx_tail != uart.rx_head)
		to.ptr[n++] = uart.rx[uart.rx_tail++ % sizeof(uart.rx)];
	spin_unlock_irqrestore(&uart.lock, flags);
	return n;
}

static size_t uart_put(struct rbuf from)
{
	size_t n = 0;
	irqflags flags = spin_lock_irqsave(&uart.lock);
	while (n < from.len && n < UART_PUT_MAX && uart.tx_head - uart.tx_tail < sizeof(uart.tx))
		uart.tx[uart.tx_head++ % sizeof(uart.tx)] = from.ptr[n++];
	(void)uart_send_locked(); /* the writer itself made room */
	spin_unlock_irqrestore(&uart.lock, flags);
	return n;
}

static struct size_result uart_read(struct chardev *c, struct wbuf to, ktime deadline)
{
	(void)c;
	for (;;) {
		size_t n = uart_take(to);
		if (n > 0 || to.len == 0)
			return OK_RESULT(size_result, n);
		enum err e = waitq_wait_until(&uart.rx_wait,
			__atomic_load_n(&uart.rx_head, __ATOMIC_RELAXED) !=
				__atomic_load_n(&uart.rx_tail, __ATOMIC_RELAXED),
			deadline, S("console"));
		if (e != OK)
			return ERR_RESULT(size_result, e);
	}
}

/* Waits for room for a byte at least. */
static struct size_result uart_send(struct rbuf from, ktime deadline)
{
	for (;;) {
		size_t n = uart_put(from);
		if (n > 0 || from.len == 0)
			return OK_RESULT(size_result, n);
		enum err e = waitq_wait_until(&uart.tx_wait,
			__atomic_load_n(&uart.tx_head, __ATOMIC_RELAXED) -
					__atomic_load_n(&uart.tx_tail, __ATOMIC_RELAXED) <
				sizeof(uart.tx),
			deadline, S("console"));
		if (e != OK)
			return ERR_RESULT(size_result, e);
	}
}

static enum err uart_send_all(struct rbuf bytes, ktime deadline)
{
	struct size_result r = OK_RESULT(size_result, 0);
	while (bytes.len > 0 && r.err == OK) {
		r = uart_send(bytes, deadline);
		bytes = rbuf_slice(bytes, r.err == OK ? r.value : 0, bytes.len);
	}
	return r.err;
}

/* ---- rows: with the writers' mutex held ---- */

/* A row begins behind a newline, and where it is written anew from its left. */
static void uart_row_note(struct rbuf bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		if (bytes.ptr[i] == '\n' || bytes.ptr[i] == '\r')
			uart.row_len = 0;
		else if (uart.row_len < UART_ROW_MAX)
			uart.row[uart.row_len++] = bytes.ptr[i];
		else
			uart.row_len = UART_ROW_MAX + 1;
	}
}

/* The log comes: it begins a row of its own. */
static enum err uart_row_leave(void)
{
	if (uart.row_len == 0 || uart.row_left)
		return OK;
	uart.row_left = true;
	return uart_send_all(rbuf_of("\n", 1), KTIME_NEVER);
}

/* The log is through, or somebody writes on: the row is there again. */
static enum err uart_row_return(ktime deadline)
{
	if (!uart.row_left)
		return OK;
	uart.row_left = false;
	return uart_send_all(rbuf_of(uart.row, uart.row_len <= UART_ROW_MAX ? uart.row_len : 0), deadline);
}

static struct size_result uart_write(struct chardev *c, struct rbuf from, ktime deadline)
{
	(void)c;
	enum err err = mutex_lock_until(&uart.writers, deadline);
	if (err != OK)
		return ERR_RESULT(size_result, err);
	err = uart_row_return(deadline);
	struct size_result r = err == OK ? uart_send(from, deadline) : ERR_RESULT(size_result, err);
	if (r.err == OK)
		uart_row_note(rbuf_slice(from, 0, r.value));
	mutex_unlock(&uart.writers);
	return r;
}

static const struct chardev_ops uart_ops = {.read = uart_read, .write = uart_write};
static struct chardev uart_console = {.name = STR_INIT("console"), .ops = &uart_ops};

/* ---- the log ---- */

static void uart_log_wake(void)
{
	__atomic_store_n(&uart.log_pending, 1, __ATOMIC_RELEASE);
	waitq_wake_one(&uart.log_wait);
}

static void uart_log_line(const struct klog_entry *e)
{
	char room[UART_LINE_MAX];
	struct abuf line = abuf_of(room, sizeof(room));
	klog_format(e, &line);
	mutex_lock(&uart.writers);
	enum err err = uart_row_leave();
	if (err == OK)
		err = uart_send_all(abuf_bytes(&line), KTIME_NEVER);
	mutex_unlock(&uart.writers);
	assert(err == OK); /* a system thread is not cancelled */
}

static void uart_log_through(void)
{
	mutex_lock(&uart.writers);
	enum err err = uart_row_return(KTIME_NEVER);
	mutex_unlock(&uart.writers);
	assert(err == OK);
}

static void uart_log_thread(void *arg)
{
	uint64_t seen = (uint64_t)(uintptr_t)arg;
	for (;;) {
		struct klog_entry e;
		__atomic_store_n(&uart.log_pending, 0, __ATOMIC_SEQ_CST);
		while (klog_read(seen, klog_console_level(), &e)) {
			seen = e.seq;
			uart_log_line(&e);
			klog_shown(seen);
		}
		uart_log_through();
		enum err err = waitq_wait_until(&uart.log_wait,
			__atomic_load_n(&uart.log_pending, __ATOMIC_ACQUIRE) != 0, KTIME_NEVER,
			S("log"));
		assert(err == OK);
	}
}

static enum err uart_log_start(void)
{
	struct thread_attr attr = {.name = S("klog"), .entry = uart_log_thread,
		.arg = (void *)(uintptr_t)klog_last_seq(), .priority = UART_LOG_PRIORITY,
		.class = SCHED_FIFO, .system = true};
	struct thread_result r = thread_create(&attr);
	if (r.err != OK)
		return r.err;
	thread_detach(r.value);
	klog_set_wake(uart_log_wake);
	return OK;
}

/* ---- probing ---- */

static void uart_reset(void)
{
	uart_write_reg(UART_IER, 0);
	uart_write_reg(UART_LCR, UART_LCR_8N1); /* the firmware has set the rate */
	uart_write_reg(UART_FCR, UART_FCR_ENABLE);
	uart_write_reg(UART_MCR, UART_MCR_ON);
}

static enum err uart_probe(const struct machine_device *d)
{
	if (uart.regs != NULL)
		return ERR_BUSY; /* the first is the console */
	if (d->size < 8 || d->irq == 0)
		return ERR_INVAL;
	spin_init(&uart.lock, LOCK_CHAR);
	waitq_init(&uart.rx_wait);
	waitq_init(&uart.tx_wait);
	waitq_init(&uart.log_wait);
	mutex_init(&uart.writers, LOCK_CONSOLE);
	uart.regs = (volatile uint8_t *)d->base;
	uart_reset();
	enum err e = irq_request(d->irq, S("uart"), uart_interrupt, NULL);
	if (e != OK)
		return e;
	irq_enable(d->irq);
	uart_write_reg(UART_IER, UART_IER_RX | UART_IER_TX);
	e = chardev_register(&uart_console);
	if (e == OK)
		e = uart_log_start();
	if (e == OK)
		klog(LOG_INFO, "uart: console at 0x%lx, interrupt %u", (unsigned long)d->base, d->irq);
	return e;
}
DRIVER(ns16550, .compatible = "ns16550a", .probe = uart_probe);
