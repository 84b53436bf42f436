/*
 * err.h - error codes, shared by the kernel and user programs.
 *
 * A system call returns the negative of one of these; inside the kernel they
 * travel as `enum err`, alone or in a result struct (lib/result.h). A number
 * never changes its meaning. The values are those of the C library of user
 * programs, so that errno needs no table. err_text() in lib/err.c gives each
 * one line that a person can act on; ERR_LIST is the single list of them.
 */
#ifndef ABI_ERR_H
#define ABI_ERR_H

/* X(name, number, symbol, text) */
#define ERR_LIST(X)                                                                                \
	X(OK, 0, "ok", "success")                                                                  \
	X(ERR_PERM, 1, "EPERM", "the operation is not permitted on this object")                   \
	X(ERR_NOENT, 2, "ENOENT", "no such file, thread or entry")                                 \
	X(ERR_INTR, 4, "EINTR", "the wait was cancelled")                                          \
	X(ERR_IO, 5, "EIO", "the device reported an error")                                        \
	X(ERR_NXIO, 6, "ENXIO", "no such device or address")                                       \
	X(ERR_BADF, 9, "EBADF", "the file is not open, or not open for this")                      \
	X(ERR_AGAIN, 11, "EAGAIN", "nothing available now, try again later")                       \
	X(ERR_NOMEM, 12, "ENOMEM", "out of memory, or the pool is exhausted")                      \
	X(ERR_ACCES, 13, "EACCES", "access denied")                                                \
	X(ERR_FAULT, 14, "EFAULT", "a pointer does not lie in the caller's memory")                \
	X(ERR_BUSY, 16, "EBUSY", "in use by somebody else")                                        \
	X(ERR_EXIST, 17, "EEXIST", "exists already")                                               \
	X(ERR_XDEV, 18, "EXDEV", "the two paths lie in different file servers")                    \
	X(ERR_NODEV, 19, "ENODEV", "the device does not support this")                             \
	X(ERR_NOTDIR, 20, "ENOTDIR", "a component of the path is not a directory")                 \
	X(ERR_ISDIR, 21, "EISDIR", "is a directory")                                               \
	X(ERR_INVAL, 22, "EINVAL", "an argument is invalid")                                       \
	X(ERR_NFILE, 23, "ENFILE", "the system's table of open files is full")                     \
	X(ERR_MFILE, 24, "EMFILE", "the process has too many open files")                          \
	X(ERR_FBIG, 27, "EFBIG", "the file would become too large")                                \
	X(ERR_NOSPC, 28, "ENOSPC", "no space is left")                                             \
	X(ERR_ROFS, 30, "EROFS", "the filesystem is read-only")                                    \
	X(ERR_PIPE, 32, "EPIPE", "the other end is closed")                                        \
	X(ERR_RANGE, 34, "ERANGE", "a number is out of range")                                     \
	X(ERR_DEADLK, 45, "EDEADLK", "waiting would be a deadlock")                                \
	X(ERR_PROTO, 71, "EPROTO", "the message violates the protocol")                            \
	X(ERR_NOSYS, 88, "ENOSYS", "not implemented by this system")                               \
	X(ERR_NOTEMPTY, 90, "ENOTEMPTY", "the directory is not empty")                             \
	X(ERR_NAMETOOLONG, 91, "ENAMETOOLONG", "a name or path is too long")                       \
	X(ERR_NOTSUP, 134, "ENOTSUP", "not supported here")                                        \
	X(ERR_CONNRESET, 104, "ECONNRESET", "the peer reset the connection")                       \
	X(ERR_NOBUFS, 105, "ENOBUFS", "no packet buffer is free")                                  \
	X(ERR_MSGSIZE, 122, "EMSGSIZE", "the message is too long")                                 \
	X(ERR_ADDRINUSE, 112, "EADDRINUSE", "the address or port is in use")                       \
	X(ERR_CONNABORTED, 113, "ECONNABORTED", "the connection was aborted")                      \
	X(ERR_NETUNREACH, 114, "ENETUNREACH", "no route to the network")                           \
	X(ERR_CONNREFUSED, 111, "ECONNREFUSED", "the peer refused the connection")                 \
	X(ERR_TIMEDOUT, 116, "ETIMEDOUT", "the deadline passed first")                             \
	X(ERR_HOSTUNREACH, 118, "EHOSTUNREACH", "the host does not answer")                        \
	X(ERR_ADDRNOTAVAIL, 125, "EADDRNOTAVAIL", "the address is not one of this machine's")      \
	X(ERR_NOTCONN, 128, "ENOTCONN", "the connection is not open")                              \
	X(ERR_CANCELED, 140, "ECANCELED", "the operation was cancelled")

#define ERR_ENUM(name, number, symbol, text) name = number,
enum err { ERR_LIST(ERR_ENUM) };
#undef ERR_ENUM

#endif
