/*
 * console_selftest.c - /dev/console, with the UART in its loopback mode: what is written
 * comes back as if it had been typed. What fails meanwhile is said afterwards.
 */
#include "kernel/diag/diag.h"
#include "kernel/diag/selftest.h"
#include "kernel/fs/fs.h"
#include "lib/str.h"
#include "tests/kernel/sync_selftest.h"

#define UART_MCR  4
#define UART_LSR  5
#define MCR_LOOP  0x10
#define LSR_TEMT  0x40
#define TYPED_MAX 200

#define PATIENCE_NS (60 * NS_PER_S) /* ends what hangs */

static struct {
	struct file *file;
	enum err err;
	size_t len;
	uint8_t bytes[TYPED_MAX];
} console;

static volatile uint8_t *console_uart(void)
{
	for (size_t i = 0; i < machine.device_count; i++)
		if (str_starts(machine.device[i].compatible, S("ns16550a")))
			return (volatile uint8_t *)machine.device[i].base;
	return NULL;
}

static bool console_has(const struct str *line)
{
	struct str read = str_of((const char *)console.bytes, console.len);
	return str_find(read, *line) < read.len;
}

/* Reads until it has read that line. A line of the log may be under way, and come before it. */
static void console_reader(void *line)
{
	while (!console_has(line)) {
		if (console.len == TYPED_MAX) {
			console.len /= 2;
			memmove(console.bytes, console.bytes + console.len, console.len);
		}
		struct size_result n = vfs_read(console.file, 0,
			wbuf_of(console.bytes + console.len, TYPED_MAX - console.len));
		console.err = n.err;
		if (n.err != OK)
			return;
		console.len += n.value;
	}
}

static bool console_waits(const struct thread *t)
{
	ktime until = ktime_add(clock_now(), PATIENCE_NS);
	while (__atomic_load_n(&t->state, __ATOMIC_RELAXED) != THREAD_BLOCKED) {
		if (ktime_before(until, clock_now()) || sleep_ns(NS_PER_MS) != OK)
			return false;
	}
	return true;
}

/* Everything that was to be sent has left. */
static bool console_drained(const volatile uint8_t *uart)
{
	ktime until = ktime_add(clock_now(), PATIENCE_NS);
	while (!(uart[UART_LSR] & LSR_TEMT)) {
		if (ktime_before(until, clock_now()) || sleep_ns(NS_PER_MS) != OK)
			return false;
	}
	return true;
}

SELFTEST(console_file_waits_reads_and_writes)
{
	static const struct str line =
		STR_INIT("a line that is longer than the FIFO of the UART, so that it comes in parts\n");
	volatile uint8_t *uart = console_uart();
	struct file_result f = vfs_open(S("/dev/console"), OPEN_READ | OPEN_WRITE);
	ST_REQUIRE(uart && f.err == OK && line.len <= TYPED_MAX / 2);
	console.file = f.value;
	console.len = 0;
	enum log_level level = klog_console_level();
	klog_set_console_level(LOG_ERR);
	struct thread *t = st_thread(S("reader"), console_reader, (void *)&line, PRIO_NORMAL + 1, 0);
	ST_REQUIRE(t);
	bool waited = console_waits(t), drained = console_drained(uart);
	uart[UART_MCR] |= MCR_LOOP;
	size_t sent = 0;
	while (sent < line.len) {
		struct size_result n = vfs_write(f.value, 0, rbuf_slice(rbuf_of_str(line), sent, line.len));
		if (n.err != OK)
			break;
		sent += n.value;
	}
	enum err joined = thread_join(t, ktime_add(clock_now(), PATIENCE_NS));
	uart[UART_MCR] &= (uint8_t)~MCR_LOOP;
	klog_set_console_level(level);
	ST_CHECK(waited && drained && sent == line.len);
	if (joined != OK) {
		ST_CHECK(joined == OK);
		ST_CHECK(thread_cancel(t) == OK && thread_join(t, KTIME_NEVER) == OK);
	}
	ST_CHECK(console.err == OK && console_has(&line));
	vfs_close(f.value);
}

/* A wait that nobody ends by typing can be cancelled. */
SELFTEST(console_file_read_is_cancellable)
{
	static const struct str never = STR_INIT("nobody types this");
	struct file_result f = vfs_open(S("/dev/console"), OPEN_READ);
	ST_REQUIRE(f.err == OK);
	console.file = f.value;
	console.len = 0;
	struct thread *t = st_thread(S("reader"), console_reader, (void *)&never, PRIO_NORMAL + 1, 0);
	ST_REQUIRE(t);
	ST_CHECK(console_waits(t) && thread_cancel(t) == OK && thread_join(t, KTIME_NEVER) == OK);
	ST_CHECK(console.err == ERR_INTR && console.len == 0);
	vfs_close(f.value);
}
