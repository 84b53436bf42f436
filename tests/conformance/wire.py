"""wire.py - one connection a case: bytes go out, what comes back is taken apart strictly.

    talk = wire.Talk(("127.0.0.1", 80))
    talk.say(b"...")                    # in one piece, or in pieces of n bytes
    talk.reply(is_head=False)           # the next HTTP reply; None at the end of the stream
    talk.frame()                        # the next WebSocket frame; None at the end of the stream
    talk.end()                          # what came behind all that, until the server has closed

    failed = wire.in_parallel(cases, judge)     # {name: what was wrong}

A reply that is not well-formed raises Malformed. A reset counts as the end only where `may_reset` says so:
a server that resets destroys what it said.
"""
import concurrent.futures
import re
import select
import socket

LIMIT_S = 120  # ends what hangs, and is never waited for
AT_ONCE = 12  # fewer than the server has WebSockets
AT_ONCE_IN_PIECES = 3  # whose processor is this machine's: the server's deadlines are for each as a whole


class Malformed(Exception):
    pass


class Reply:
    def __init__(self, status, fields):
        self.status, self.fields, self.body = status, fields, b""

    def __getitem__(self, name):
        """The value of a field, by its name in lower case, of one that is repeated as a list; None."""
        return ", ".join(value for key, value in self.fields if key == name) or None

    @property
    def closes(self):
        return "close" in (self["connection"] or "").lower().split(", ")

    def __repr__(self):
        return f"{self.status}"


STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5]\d\d) [\t !-~]*")
FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([!-~](?:[\t -~]*[!-~])?)?[ \t]*")


class Talk:
    def __init__(self, address, limit=LIMIT_S, may_reset=False, receive_buffer=None):
        self.s = socket.socket()
        if receive_buffer:
            self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.s.settimeout(limit)
        self.s.connect(address)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data, self.ended, self.may_reset = b"", False, may_reset

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.close()

    def say(self, data, piece=0):
        """All of it; less when the server has closed meanwhile, which it may."""
        piece = piece or len(data)
        for at in range(0, len(data), piece or 1):
            while not self.ended and select.select([self.s], [], [], 0)[0]:
                self.more()
            try:
                self.s.sendall(data[at:at + piece])
            except (BrokenPipeError, ConnectionResetError):
                return

    def hang_up(self):
        try:
            self.s.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server was first

    def more(self):
        """False at the end of the stream."""
        try:
            part = b"" if self.ended else self.s.recv(65536)
        except ConnectionResetError:
            if not self.may_reset:
                raise Malformed(f"the connection was reset behind {self.data[:80]!r}") from None
            part = b""
        self.ended = not part
        self.data += part
        return not self.ended

    def need(self, n):
        while len(self.data) < n:
            if not self.more():
                raise Malformed(f"the stream ends within {self.data[:80]!r}")

    def take(self, n):
        self.need(n)
        taken, self.data = self.data[:n], self.data[n:]
        return taken

    def line(self):
        while b"\r\n" not in self.data:
            self.need(len(self.data) + 1)
        line, _, self.data = self.data.partition(b"\r\n")
        return line

    def end(self):
        while self.more():
            pass
        return self.data

    # --- HTTP: RFC 9112 sections 4 to 7

    def reply(self, is_head=False):
        if not self.data and not self.more():
            return None
        line = self.line()
        match = STATUS_LINE.fullmatch(line)
        if not match:
            raise Malformed(f"status line {line!r}")
        reply = Reply(int(match[1]), [])
        while line := self.line():
            match = FIELD_LINE.fullmatch(line)
            if not match:
                raise Malformed(f"field line {line!r}")
            reply.fields.append((match[1].decode().lower(), (match[2] or b"").decode()))
        reply.body = self.content(reply, is_head)
        return reply

    def content(self, reply, is_head):
        """Section 6.3, without the form that only the end of the stream ends."""
        framing = [(name, value) for name, value in reply.fields if name in ("content-length", "transfer-encoding")]
        if reply.status < 200 or reply.status == 204:
            if framing:
                raise Malformed(f"{reply.status} with {framing}")
            return b""
        if len(framing) > 1 or not framing and not is_head and reply.status != 304:
            raise Malformed(f"{reply.status} with {framing or 'no length'}")
        if is_head or reply.status == 304:
            return b""
        name, value = framing[0]
        if name == "content-length":
            if not re.fullmatch(r"\d+", value):
                raise Malformed(f"length {value!r}")
            return self.take(int(value))
        if value != "chunked":
            raise Malformed(f"coding {value!r}")
        return self.chunks()

    def chunks(self):
        content = b""
        while True:
            line = self.line()
            if not re.fullmatch(rb"[0-9A-Fa-f]+", line):
                raise Malformed(f"chunk size {line!r}")
            if int(line, 16) == 0:
                if self.line():
                    raise Malformed("a trailer")
                return content
            content += self.take(int(line, 16))
            if self.take(2) != b"\r\n":
                raise Malformed("a chunk goes on behind its size")

    # --- WebSocket: RFC 6455 section 5.2, of a server that knows no extension

    def frame(self):
        """(opcode, content, whether it is the last of its message)"""
        if not self.data and not self.more():
            return None
        first, length = self.take(2)
        if first & 0x70 or length & 0x80:
            raise Malformed(f"frame head {first:#x} {length:#x}")
        if length >= 126:
            least = 126 if length == 126 else 65536
            length = int.from_bytes(self.take(2 if length == 126 else 8), "big")
            if length < least:
                raise Malformed(f"the length {length} in more bytes than it needs")
        if first & 8 and (length > 125 or not first & 0x80):
            raise Malformed(f"control frame {first:#x} of {length} bytes")
        return first & 15, self.take(length), bool(first & 0x80)


def in_parallel(cases, judge, at_once=AT_ONCE):
    """judge(case) for each, several at once; {case.name: why} of those that raised or returned something."""
    def one(case):
        try:
            return judge(case)
        except (Malformed, OSError) as error:
            return f"{type(error).__name__}: {error}"
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        verdicts = list(pool.map(one, cases))
    return {case.name: verdict for case, verdict in zip(cases, verdicts) if verdict}
