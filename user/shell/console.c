/*
 * console.c - the serial console as the carrier of a session, and the script at boot.
 *
 * Two threads: one reads the character device and feeds, one takes output and writes it. The latter opens and hangs up
 * sessions: one at boot; when it is over, another as soon as somebody presses a key.
 *
 * The log is written on the same line, by the device itself, which shows again what stood in the row (drivers/ns16550.c).
 *
 * The script is /init of the image, in a session of its own, whose output goes to the log.
 *
 * Locks: LOCK_SHELL_CONSOLE guards which session is carried, so that none is fed when it is hung up.
 */
#include "kernel/dev/dev.h"
#include "kernel/diag/diag.h"
#include "kernel/sync/event.h"
#include "kernel/sync/mutex.h"
#include "lib/assert.h"
#include "lib/initcall.h"
#include "user/shell/shell_priv.h"

#define CONSOLE_BYTES   256
#define CONSOLE_RETRY   NS_PER_S         /* until a session is to be had */
#define CONSOLE_BEHIND  (20 * NS_PER_MS) /* until one that is behind is fed again */
#define INIT_PATH       "/init"

enum { CONSOLE_READY = 1, CONSOLE_KEY = 2 };

static struct {
	struct chardev *device;
	struct event events; /* CONSOLE_* */
	struct mutex lock;
	struct shell_session *session; /* lock; NULL: none */
	uint8_t typed[CONSOLE_BYTES];  /* the reader's */
	size_t typed_len;
} console;

static void console_ready(unused void *arg)
{
	event_set(&console.events, CONSOLE_READY);
}

static void console_wait(uint32_t events)
{
	struct event_result r = event_wait(&console.events, events, KTIME_NEVER);
	assert(r.err == OK); /* system threads are not cancelled */
}

/* ---- what is typed ---- */

/* The key that asks for a session is not its first line. */
static void console_drop_newline(void)
{
	bool newline = console.typed_len > 0 && (console.typed[0] == '\r' || console.typed[0] == '\n');
	console.typed_len -= newline;
	memmove(console.typed, console.typed + newline, console.typed_len);
}

/* As much as the session takes. What is typed while there is none asks for one, and begins it. */
static void console_feed(void)
{
	mutex_lock(&console.lock);
	if (console.session) {
		size_t n = shell_feed(console.session, rbuf_of(console.typed, console.typed_len));
		console.typed_len -= n;
		memmove(console.typed, console.typed + n, console.typed_len);
	}
	bool none = !console.session;
	mutex_unlock(&console.lock);
	if (none)
		console_drop_newline();
	if (none)
		event_set(&console.events, CONSOLE_KEY);
}

/* What does not fit behind what is waiting is lost, but for Ctrl-C, which goes before all. */
static void console_add(struct rbuf typed)
{
	for (size_t i = 0; i < typed.len; i++) {
		if (typed.ptr[i] == CTRL_C)
			console.typed_len = 0;
		if (console.typed_len < sizeof(console.typed))
			console.typed[console.typed_len++] = typed.ptr[i];
	}
}

static void console_read(unused void *arg)
{
	for (;;) {
		uint8_t bytes[64];
		ktime until = console.typed_len ? ktime_add(clock_now(), CONSOLE_BEHIND) : KTIME_NEVER;
		struct size_result r = console.device->ops->read(console.device, wbuf_of(bytes, sizeof(bytes)), until);
		if (r.err == OK)
			console_add(rbuf_of(bytes, r.value));
		console_feed();
	}
}

/* ---- what is shown ---- */

static void console_write(struct rbuf bytes)
{
	while (bytes.len > 0) {
		struct size_result r = console.device->ops->write(console.device, bytes, KTIME_NEVER);
		assert(r.err == OK && r.value > 0);
		bytes = rbuf_slice(bytes, r.value, bytes.len);
	}
}

static void console_write_str(struct str text)
{
	console_write(rbuf_of_str(text));
}

static struct shell_session *console_open(void)
{
	struct shell_carrier carrier = {.name = S("console"), .ready = console_ready};
	for (;;) {
		struct shell_result r = shell_open(&carrier);
		if (r.err == OK)
			return r.value;
		klog(LOG_WARN, "console: no shell: %.*s", STR_ARG(err_text(r.err)));
		sleep_ns(CONSOLE_RETRY);
	}
}

static void console_set(struct shell_session *s)
{
	mutex_lock(&console.lock);
	console.session = s;
	mutex_unlock(&console.lock);
}

/* Shows what a session has to say, until it is over. */
static void console_carry(struct shell_session *s)
{
	uint64_t at = 0;
	while (!shell_ended(s, at)) {
		uint8_t bytes[CONSOLE_BYTES];
		size_t n = shell_output(s, &at, wbuf_of(bytes, sizeof(bytes)));
		console_write(rbuf_of(bytes, n));
		if (n < sizeof(bytes) && !shell_ended(s, at))
			console_wait(CONSOLE_READY);
	}
}

static void console_show(unused void *arg)
{
	for (;;) {
		struct shell_session *s = console_open();
		console_set(s);
		console_carry(s);
		event_clear(&console.events, CONSOLE_KEY); /* a key from here on is for the next one */
		console_set(NULL);
		shell_hang_up(s);
		console_write_str(S("\nThe session is over; press Enter for a new one.\n"));
		console_wait(CONSOLE_KEY);
	}
}

/* ---- the script at boot ---- */

static struct event init_events;

static void init_ready(unused void *arg)
{
	event_set(&init_events, CONSOLE_READY);
}

/* Whole lines of the output so far; a line without end is logged when it is too long for a record, or the last. */
static void init_log(struct abuf *line, struct rbuf bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		bool end = bytes.ptr[i] == '\n';
		if (!end)
			abuf_char_add(line, (char)bytes.ptr[i]);
		if (line->len > 0 && (end || abuf_room(line) == 0)) {
			klog(LOG_INFO, "init: %.*s", (int)line->len, line->ptr);
			abuf_reset(line);
		}
	}
}

static void init_carry(unused void *arg)
{
	struct shell_carrier carrier = {.name = S("init"), .ready = init_ready};
	struct shell_result s = shell_open_script(&carrier, S(INIT_PATH));
	uint8_t bytes[KLOG_TEXT_MAX], line_bytes[KLOG_TEXT_MAX - 8];
	struct abuf line = abuf_of(line_bytes, sizeof(line_bytes));
	if (s.err != OK) {
		klog(LOG_ERR, "init: %.*s", STR_ARG(err_text(s.err)));
		return;
	}
	for (uint64_t at = 0; !shell_ended(s.value, at);) {
		size_t n = shell_output(s.value, &at, wbuf_of(bytes, sizeof(bytes)));
		init_log(&line, rbuf_of(bytes, n));
		if (n == sizeof(bytes) || shell_ended(s.value, at))
			continue;
		struct event_result r = event_wait(&init_events, CONSOLE_READY, KTIME_NEVER);
		if (r.err != OK)
			break; /* killed, and so is the script */
	}
	init_log(&line, rbuf_of_str(S("\n")));
	shell_hang_up(s.value);
}

/* ---- boot ---- */

static enum err console_thread(struct str name, void (*entry)(void *), bool system)
{
	struct thread_result t = thread_create(&(struct thread_attr){.name = name, .entry = entry,
		.priority = CONFIG_SHELL_PRIORITY, .class = SCHED_RR, .domain = shell_domain(), .system = system});
	if (t.err == OK)
		thread_detach(t.value);
	return t.err;
}

static enum err console_init(void)
{
	struct file_stat stat;
	event_init(&init_events);
	if (vfs_stat(S(INIT_PATH), &stat) == OK && stat.type == FILE_REGULAR) {
		enum err err = console_thread(S("init"), init_carry, false);
		if (err != OK)
			return err;
	}
	console.device = chardev_find(S("console"));
	if (!config_on(CONFIG_SHELL_CONSOLE) || !console.device)
		return OK;
	event_init(&console.events);
	mutex_init(&console.lock, LOCK_SHELL_CONSOLE);
	enum err err = console_thread(S("console/in"), console_read, true);
	return err == OK ? console_thread(S("console/out"), console_show, true) : err;
}
INITCALL(app_shell_console, console_init, "shell", "ramfs", "devfs");
