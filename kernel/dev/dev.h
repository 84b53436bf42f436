/*
 * dev.h - devices: how drivers are found, the interfaces that they fill, the
 * registries where the kernel finds them, threaded interrupt handlers, and the
 * type of a file server. Drivers have no headers of their own.
 */
#ifndef KERNEL_DEV_DEV_H
#define KERNEL_DEV_DEV_H

#include "arch/arch.h"
#include "kernel/dev/packet.h"
#include "kernel/irq/irq.h"
#include "kernel/sync/waitq.h"
#include "lib/buf.h"

/* ---- driver.c: matched against the device tree's `compatible`, probed in order of node address ---- */

struct driver {
	const char *name;
	const char *compatible;
	bool early; /* probed before the scheduler: interrupt controllers */
	/* ERR_NODEV: not mine (an empty slot); anything else is logged, the boot goes on. */
	enum err (*probe)(const struct machine_device *d);
};
#define DRIVER(id, ...) static const struct driver driver_##id section(".driver") = {.name = #id, __VA_ARGS__}
void drivers_probe(bool early);

/* ---- threaded.c: a hard stub masks the interrupt and wakes a thread, which calls fn and unmasks ---- */

must_check enum err irq_request_threaded(uint32_t irq, struct str name, uint8_t priority,
	void (*fn)(void *arg), void *arg);

/* ---- char.c ---- */

struct chardev {
	struct str name;
	const struct chardev_ops *ops;
};
struct chardev_ops {
	/* Blocks for at least one byte, ERR_TIMEDOUT, ERR_INTR. */
	struct size_result (*read)(struct chardev *c, struct wbuf to, ktime deadline);
	struct size_result (*write)(struct chardev *c, struct rbuf from, ktime deadline);
};
must_check enum err chardev_register(struct chardev *c);
struct chardev *chardev_find(struct str name);

/* ---- rng.c: ChaCha20, seeded by the device tree and hardware; never blocks after boot ---- */

void rng_add_entropy(struct rbuf bytes);
void rng_fill(void *out, size_t len); /* thread context or interrupts; bounded by len */
uint64_t rng_u64(void);

/* ---- rtc.c: the real-time clock, from which the wall clock (kernel/time) is set at boot ---- */

struct rtc {
	struct str name;
	int64_t (*read)(void); /* nanoseconds since 1970, UTC. Any context */
};
must_check enum err rtc_register(const struct rtc *rtc); /* from a probe; ERR_EXIST: there is one */
must_check struct i64_result rtc_now(void); /* as the device says; ERR_NODEV. Any context */

/* ---- restart.c: what is done before the machine starts again ---- */

enum restart_stage {
	RESTART_LEAVE, /* servers take leave of their clients, in order */
	RESTART_FLUSH, /* what they said last arrives */
	RESTART_CUT,   /* what is still open is told that it is not, and that goes out */
};
struct restart_row {
	enum restart_stage stage;
	/* Thread context; what waits, waits for little: the stage is bounded, not this. NULL: nothing is to begin. */
	void (*begin)(void);
	bool (*over)(void); /* asked again and again; NULL: when the stage's time is */
};
/* RESTART(web, RESTART_LEAVE, web_leave, web_has_left); a row of the linker section .restart */
#define RESTART(id, ...)                                                                           \
	static const struct restart_row restart_##id aligned_to(8) section(".restart") = {__VA_ARGS__}

/* Within little more than two seconds, in milliseconds if everybody answers. Thread context, no lock held. */
noreturn void machine_restart(void);

/* ---- netdev.c: network devices, and the one thread that receives for all of them ---- */

#define NETDEV_NAME_MAX 8
#define NETDEV_MAX      4

/*
 * Updated by one writer each (rx: receive thread; tx: under the driver's lock), tx_dropped atomically; read without a lock.
 * tx_stalls, rx_stalls: the device stood with packets to send, with packets to fill or with frames that it did not
 * announce, and was set going again.
 */
struct netdev_stats {
	uint64_t rx_packets, rx_bytes, rx_dropped, rx_errors, rx_stalls;
	uint64_t tx_packets, tx_bytes, tx_dropped, tx_errors, tx_stalls;
};
struct netdev {
	struct str name; /* "eth0" */
	uint8_t mac[6];
	uint16_t mtu;      /* bytes behind the link header */
	uint32_t features; /* NETDEV_* */
	const struct netdev_ops *ops;
	struct netdev_stats stats;
	uint32_t ready; /* atomic: netdev.c's, work is waiting for the receive thread */
	bool down;      /* atomic: netdev_set_down() */
};
#define NETDEV_TX_CSUM  1 /* completes PACKET_CSUM_PARTIAL */
#define NETDEV_RX_CSUM  2 /* may set PACKET_CSUM_GOOD */
#define NETDEV_LOOPBACK 4 /* no link header, no ARP */

struct netdev_ops {
	/* OK: the packet is the driver's. ERR_AGAIN: queue full, the packet stays the caller's. Thread context. */
	enum err (*transmit)(struct netdev *d, struct packet *p);
	/*
	 * Receive thread: hands up to `budget` packets to netdev_receive; how many. When it
	 * returns fewer it has re-armed its interrupt and found nothing after that.
	 */
	unsigned (*poll)(struct netdev *d, unsigned budget);
};
/* The struct stays for ever. ERR_NOSPC, ERR_EXIST. */
must_check enum err netdev_register(struct netdev *d);
struct netdev *netdev_at(size_t i); /* NULL at the end; devices never go away. Any context */
struct netdev *netdev_find(struct str name); /* NULL: none. Any context */
/* A device that is down takes part in nothing: what comes or is to go is dropped and counted. Any context. */
void netdev_set_down(struct netdev *d, bool down);
bool netdev_is_down(const struct netdev *d);
void netdev_receive_ready(struct netdev *d); /* any context: wakes the receive thread, which polls d */
/* From poll: passes a received packet of one fragment up; takes it. */
void netdev_receive(struct netdev *d, struct packet *p);
/* Takes p in every case: ERR_NOBUFS when the device's queue is full, ERR_NETUNREACH when it is down (counted in tx_dropped). Thread context. */
enum err netdev_transmit(struct netdev *d, struct packet *p);
/* The stack registers its entry once. */
void netdev_set_stack(void (*input)(struct netdev *d, struct packet *p));

/* ---- fileserver: the type with which kernel/fs, devfs, netfs, procfs serve files ---- */

enum file_type { FILE_REGULAR, FILE_DIR, FILE_DEVICE };
struct file_stat {
	enum file_type type;
	uint32_t mode; /* permission bits */
	bool secret;   /* never served over the network; read by those only who say OPEN_SECRET */
	bool effects;  /* opening or reading it does something, or does not come to an end */
	bool answers;  /* its writes are answered: what is read back from the same open file is about the last one */
	uint64_t size_bytes, mtime_ns;
	uint64_t digest; /* names this content for good; 0: none */
};

/*
 * CREATE, TRUNC, APPEND and ANSWER go with WRITE. A server whose files are no stored bytes (devices, ctl
 * files) takes TRUNC and APPEND and does nothing about them.
 */
#define OPEN_READ   1
#define OPEN_WRITE  2
#define OPEN_CREATE 4  /* makes a regular file where nothing is */
#define OPEN_TRUNC  8  /* it is empty then */
#define OPEN_APPEND 16 /* each write goes to the end, whatever its offset */
#define OPEN_SECRET 32 /* this is who a secret file is for: without it reading one is ERR_ACCES */
#define OPEN_ANSWER 64 /* for reading too, where the file answers its writes; of another one it is taken away */

/* An open file: the server fills `state` in its open and uses it; the rest is kernel/fs's. */
struct file {
	const struct fs_ops *ops;
	void *fs;    /* the server's instance */
	void *state; /* the server's, for this open */
	unsigned flags;
	enum file_type type;
	uint32_t mounts; /* directory: the mounts that stand in it, a bit each */
	size_t dir_end;  /* directory: the server's entries end here; SIZE_MAX: not known yet */
};
struct fs_ops {
	/* `path` is relative to the mount, no leading slash, normalized. */
	enum err (*stat)(void *fs, struct str path, struct file_stat *out);
	enum err (*open)(void *fs, struct str path, unsigned flags, struct file *f);
	struct size_result (*read)(struct file *f, uint64_t offset, struct wbuf to);
	struct size_result (*write)(struct file *f, uint64_t offset, struct rbuf from);
	/* The i-th entry; ERR_NOENT at the end. */
	enum err (*readdir)(struct file *f, size_t i, struct abuf *name, struct file_stat *out);
	void (*close)(struct file *f);
	/*
	 * Optional. The whole content where it lies, with a reference to its memory: the
	 * bytes do not change while it is held. *digest names exactly them, as in file_stat.
	 */
	enum err (*content)(struct file *f, struct packet_mem **mem, struct rbuf *bytes, uint64_t *digest);
	/*
	 * Optional, all of them or none: a tree that can be changed. Its open() takes OPEN_CREATE, and sets
	 * f->type; that of others never sees it. No path is "", the root of the server.
	 */
	enum err (*remove)(void *fs, struct str path);
	enum err (*mkdir)(void *fs, struct str path);
	enum err (*rename)(void *fs, struct str from, struct str to);
	enum err (*truncate)(struct file *f, uint64_t size);
};

/*
 * Mounts a server: for those who stand below or beside kernel/fs, which registers
 * its vfs_mount here. From an initcall that needs "vfs". ERR_EXIST, ERR_NOSPC.
 */
typedef enum err fileserver_mount_fn(struct str path, const struct fs_ops *ops, void *fs, struct str type);
void fileserver_set_mount(fileserver_mount_fn *mount);
must_check enum err fileserver_mount(struct str path, const struct fs_ops *ops, void *fs, struct str type);

/* ---- synth.c: files that are generated at each open, or act at each read and write ---- */

/*
 * A synthetic tree is a table sorted by path; "tcp/stats" makes the directory
 * "tcp". render() is called at open, perhaps again with more room, and what it
 * appends is what all reads of this open see; more than CONFIG_SYNTH_PAGES pages
 * are ERR_FBIG. Without render, read and write act directly (a device). With ctl,
 * lines are written to it, and what is read back is what the last one was answered;
 * before that, what render says, of CTL_ANSWER_MAX at most. Such a file is a device
 * for those who serve files: nothing over the network opens it.
 */
struct synth_file {
	struct str path;
	void (*render)(struct abuf *out);
	struct size_result (*read)(uint64_t offset, struct wbuf to);
	struct size_result (*write)(struct rbuf from);
	enum err (*ctl)(struct str line, struct abuf *answer);
	bool effects; /* as in file_stat */
};
struct synth_fs {
	const struct synth_file *files;
	size_t count;
};
extern const struct fs_ops synth_ops; /* fs: a struct synth_fs */

/* ---- ctl files, also of other servers ---- */

#define CTL_ANSWER_MAX 2048

/*
 * Does what a line says, given without its end. In `answer` it says why it was refused, or what one should know;
 * nothing there stands for "done", or "refused: " and the error's own text.
 */
typedef enum err ctl_line_fn(void *arg, struct str line, struct abuf *answer);
/*
 * A write to a ctl file: its lines, up to the first that is refused, whose error it then is. In `answer`, emptied
 * first: what the last of them was answered, with a line end. A write without a line is one empty line.
 */
must_check struct size_result ctl_write(ctl_line_fn *fn, void *arg, struct rbuf from, struct abuf *answer);

#endif
