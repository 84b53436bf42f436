"""ws_cases.py - what must come of which frames: WebSocket as RFC 6455 has it, said to an echo.

    case(NAME, SAID, WANT...)       behind the handshake
    shake(NAME, STATUS, HEAD)       the handshake itself

NAME begins with the section. SAID is bytes, or a tuple of bytes and of frames to wait for first. WANT is the frames
that must come, whole messages each in one frame, until the server has closed: text(), binary(), pong(), and closed()
last. Where the server is not to have closed, SAID ends with BYE, which is answered by closed(1000).
"""
import collections
import struct

Case = collections.namedtuple("Case", "name said want")
Shake = collections.namedtuple("Shake", "name status head")
CASES, SHAKES = [], []
MESSAGE_MAX = 65536  # WEB_ECHO_MAX

CONT, TEXT, BIN, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN = 0x80
KEY = b"\x37\xfa\x21\x3d"


def head(first, length, masked=True):
    bit = 0x80 if masked else 0
    if length < 126:
        return bytes([first, bit | length])
    return bytes([first, bit | 126]) + struct.pack(">H", length) if length < 65536 else bytes([first, bit | 127]) + struct.pack(">Q", length)


def masked(data, key):
    if not any(key):
        return data
    stream = int.from_bytes((key * (len(data) // 4 + 1))[:len(data)], "big")
    return (int.from_bytes(data, "big") ^ stream).to_bytes(len(data), "big")


def frame(first, data=b"", key=KEY):
    return head(first, len(data)) + key + masked(data, key)


def goodbye(code=1000, reason=b""):
    return frame(FIN | CLOSE, struct.pack(">H", code) + reason)


def text(data):
    return (TEXT, data)


def binary(data):
    return (BIN, data)


def pong(data=b""):
    return (PONG, data)


def closed(code=None):
    return (CLOSE, b"" if code is None else struct.pack(">H", code))


BYE, GONE = goodbye(), closed(1000)


def case(name, said, *want):
    CASES.append(Case(name, said if isinstance(said, tuple) else (said,), list(want)))


def good(name, said, *want):
    case(name, (*said, BYE) if isinstance(said, tuple) else said + BYE, *want, GONE)


def noise(n, seed=1):
    """n bytes without a period that a frame has."""
    return b"".join(struct.pack(">I", (i * 2654435761 + seed) & 0xffffffff) for i in range(n // 4 + 1))[:n]


def letters(n):
    return (b"The quick brown fox, and so on. " * (n // 32 + 1))[:n]


# --- 5.2: lengths, opcodes, masks

SIZES = (0, 1, 2, 3, 4, 5, 124, 125, 126, 127, 128, 129, 255, 256, 257, 1023, 1024, 4095, 4096, 4097, 16383, 16384, 32768, 65534, 65535, 65536)
for n in SIZES:
    good(f"5.6 text of {n} bytes", frame(FIN | TEXT, letters(n)), text(letters(n)))
    good(f"5.6 binary of {n} bytes", frame(FIN | BIN, noise(n)), binary(noise(n)))
good("5.6 all bytes there are", frame(FIN | BIN, bytes(range(256))), binary(bytes(range(256))))
good("5.6 many messages at once", frame(FIN | TEXT, b"a") * 100, *[text(b"a")] * 100)
good("5.6 messages of both kinds in their order", b"".join(frame(FIN | (TEXT, BIN)[i % 2], b"%d" % i) for i in range(20)),
     *((TEXT, BIN)[i % 2:i % 2 + 1] + (b"%d" % i,) for i in range(20)))
good("5.6 one after another", (frame(FIN | TEXT, b"a"), text(b"a"), frame(FIN | BIN, b"b"), binary(b"b")), text(b"a"), binary(b"b"))
for key in (bytes(4), b"\xff\xff\xff\xff", b"\0\0\0\x01", b"\x80\0\0\0", b"aaaa"):
    good(f"5.3 the mask {key.hex()}", frame(FIN | TEXT, b"Hello", key), text(b"Hello"))
good("5.3 each frame has its own mask", frame(TEXT, b"Hel", b"1234") + frame(FIN | CONT, b"lo", b"5678"), text(b"Hello"))
good("5.3 a mask that makes what it masks look like frames", frame(FIN | BIN, bytes(100), b"\x88\x80\x88\x80"), binary(bytes(100)))
good("5.7 the example of the standard", bytes.fromhex("818537fa213d7f9f4d5158"), text(b"Hello"))
good("5.7 its ping", bytes.fromhex("898537fa213d7f9f4d5158"), pong(b"Hello"))
for op, name in ((TEXT, "text"), (BIN, "binary"), (CONT, "a continuation"), (PING, "a ping"), (PONG, "a pong"), (CLOSE, "a close")):
    case(f"5.1 {name} without a mask", head(FIN | op, 2, masked=False) + b"\x03\xe8", closed(1002))
case("5.1 an empty text without a mask", head(FIN | TEXT, 0, masked=False), closed(1002))
case("5.1 the second is without a mask", frame(FIN | TEXT, b"a") + head(FIN | TEXT, 1, masked=False) + b"a", text(b"a"), closed(1002))
for bits in range(0x10, 0x80, 0x10):
    for op, name in ((TEXT, "text"), (BIN, "binary"), (PING, "a ping"), (CLOSE, "a close")):
        case(f"5.2 reserved bits {bits:#x} of {name}", frame(FIN | bits | op, b"\x03\xe8"), closed(1002))
    case(f"5.2 reserved bits {bits:#x} of a continuation", frame(TEXT, b"a") + frame(FIN | bits | CONT, b"b"), closed(1002))
case("5.2 a reserved bit behind what is right", frame(FIN | TEXT, b"a") + frame(FIN | 0x40 | TEXT, b"b") + frame(FIN | PING), text(b"a"), closed(1002))
for op in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
    case(f"5.2 the opcode {op}", frame(FIN | op, b"x"), closed(1002))
    case(f"5.2 the opcode {op}, empty", frame(FIN | op), closed(1002))
    case(f"5.2 the opcode {op} within a message", frame(TEXT, b"a") + frame(FIN | op, b"x") + frame(FIN | CONT, b"b"), closed(1002))
for n in (0, 1, 125):
    case(f"5.2 16 bits for {n}", bytes([FIN | BIN, 0xfe]) + struct.pack(">H", n) + KEY + masked(bytes(n), KEY), closed(1002))
for n in (0, 1, 126, 65535):
    case(f"5.2 64 bits for {n}", bytes([FIN | BIN, 0xff]) + struct.pack(">Q", n) + KEY + masked(bytes(n), KEY), closed(1002))
for n, name in ((1 << 63, "2^63"), ((1 << 64) - 1, "2^64 - 1"), ((1 << 63) + 5, "2^63 + 5")):
    case(f"5.2 a length of {name}", b"\x82\xff" + struct.pack(">Q", n) + KEY, closed(1002))
for n, name in (((1 << 63) - 1, "2^63 - 1"), (1 << 32, "2^32"), ((1 << 32) + 5, "2^32 + 5"), (MESSAGE_MAX + 1, "a byte too many")):
    case(f"7.4.1 a length of {name}", b"\x82\xff" + struct.pack(">Q", n) + KEY, closed(1009))
case("7.4.1 a byte too many, and they come", frame(FIN | BIN, bytes(MESSAGE_MAX + 1)), closed(1009))
case("7.4.1 a byte too many in fragments", frame(BIN, bytes(MESSAGE_MAX)) + frame(FIN | CONT, b"a"), closed(1009))
case("7.4.1 a byte too many in many fragments", frame(TEXT) + frame(CONT, letters(4096)) * 16 + frame(CONT, b"a"), closed(1009))
good("7.4.1 as much as may be in fragments", frame(BIN, noise(32768)) + frame(FIN | CONT, noise(32768)), binary(noise(32768) * 2))

# --- 5.4: fragments

good("5.4 two fragments", frame(TEXT, b"a") + frame(FIN | CONT, b"b"), text(b"ab"))
good("5.4 three", frame(BIN, b"a") + frame(CONT, b"b") + frame(FIN | CONT, b"c"), binary(b"abc"))
good("5.4 empty ones", frame(TEXT) + frame(CONT) * 9 + frame(FIN | CONT), text(b""))
good("5.4 the first empty", frame(TEXT) + frame(FIN | CONT, b"a"), text(b"a"))
good("5.4 the last empty", frame(BIN, b"a") + frame(FIN | CONT), binary(b"a"))
good("5.4 the middle one empty", frame(BIN, b"a") + frame(CONT) + frame(FIN | CONT, b"b"), binary(b"ab"))
good("5.4 a fragment a byte", frame(BIN) + b"".join(frame(CONT, bytes([i])) for i in range(256)) + frame(FIN | CONT), binary(bytes(range(256))))
for n in (1, 125, 126, 4096, 21845):
    good(f"5.4 three fragments of {n} bytes", frame(TEXT, letters(n)) + frame(CONT, letters(n)) + frame(FIN | CONT, letters(n)), text(letters(n) * 3))
good("5.4 one after another", (frame(TEXT, b"a"), frame(CONT, b"b"), frame(FIN | CONT, b"c"), text(b"abc")), text(b"abc"))
good("5.4 two messages in fragments", (frame(TEXT, b"a") + frame(FIN | CONT, b"b")) * 2, *[text(b"ab")] * 2)
good("5.4 a ping between", frame(TEXT, b"a") + frame(FIN | PING, b"x") + frame(FIN | CONT, b"b"), pong(b"x"), text(b"ab"))
good("5.4 a pong between", frame(TEXT, b"a") + frame(FIN | PONG, b"x") + frame(FIN | CONT, b"b"), text(b"ab"))
good("5.4 a ping between, which is answered at once", (frame(TEXT, b"a") + frame(FIN | PING, b"x"), pong(b"x"), frame(FIN | CONT, b"b")), pong(b"x"), text(b"ab"))
good("5.4 a pong between all", frame(TEXT, b"a") + (frame(FIN | PONG) + frame(CONT, b"b")) * 20 + frame(FIN | CONT), text(b"a" + b"b" * 20))
case("5.4 a close between", frame(TEXT, b"a") + goodbye(1001), closed(1001))
for op, name in ((FIN | CONT, "a continuation"), (CONT, "an open continuation")):
    case(f"5.4 {name} of nothing", frame(op, b"a"), closed(1002))
    case(f"5.4 {name} behind the end", frame(TEXT, b"a") + frame(FIN | CONT, b"b") + frame(op, b"c"), text(b"ab"), closed(1002))
    case(f"5.4 {name} behind a whole message", frame(FIN | BIN, b"a") + frame(op, b"c"), binary(b"a"), closed(1002))
    case(f"5.4 {name} behind a ping", frame(FIN | PING) + frame(op, b"c"), pong(), closed(1002))
for op, name in ((TEXT, "text"), (BIN, "binary")):
    for fin in (0, FIN):
        case(f"5.4 {name} within a text, {'whole' if fin else 'open'}", frame(TEXT, b"a") + frame(fin | op, b"b"), closed(1002))
        case(f"5.4 {name} within a binary, {'whole' if fin else 'open'}", frame(BIN, b"a") + frame(CONT, b"b") + frame(fin | op, b"c"), closed(1002))

# --- 5.5: control frames

for n in (0, 1, 2, 4, 124, 125):
    good(f"5.5.2 a ping of {n} bytes", frame(FIN | PING, noise(n)), pong(noise(n)))
    good(f"5.5.3 a pong of {n} bytes", frame(FIN | PONG, noise(n)))
for op, name in ((PING, "a ping"), (PONG, "a pong"), (CLOSE, "a close")):
    for n in (126, 127, 65535, 65536):
        case(f"5.5 {name} of {n} bytes", head(FIN | op, n) + KEY, closed(1002))
    case(f"5.5 {name} in fragments", frame(op, b"\x03\xe8"), closed(1002))
    case(f"5.5 {name}, empty, in fragments", frame(op) + frame(FIN | CONT), closed(1002))
    case(f"5.5 {name} in fragments within a message", frame(TEXT, b"a") + frame(op, b"\x03\xe8"), closed(1002))
good("5.5.2 one ping after another", (*(x for i in range(10) for x in (frame(FIN | PING, b"%d" % i), pong(b"%d" % i))),), *(pong(b"%d" % i) for i in range(10)))
good("5.5.2 a ping between messages", frame(FIN | TEXT, b"a") + frame(FIN | PING, b"x") + frame(FIN | TEXT, b"b"), text(b"a"), pong(b"x"), text(b"b"))
good("5.5.2 a ping that is no text", frame(FIN | PING, b"\xff\xfe\0"), pong(b"\xff\xfe\0"))
good("5.5.3 pongs that nobody asked for", frame(FIN | PONG, b"x") * 20 + frame(FIN | TEXT, b"a"), text(b"a"))
case("5.5.1 a ping behind a close", BYE + frame(FIN | PING, b"x"), GONE)
case("5.5.1 a message behind a close", BYE + frame(FIN | TEXT, b"x"), GONE)
case("5.5.1 a close behind a close", goodbye(1001) + goodbye(1003), closed(1001))
case("5.5.1 nonsense behind a close", BYE + b"\xff" * 5000, GONE)
case("5.5.1 a ping behind nonsense", frame(FIN | 0x70 | 15) + frame(FIN | PING, b"x"), closed(1002))
case("5.5.1 a message, a close", frame(FIN | TEXT, b"a") + BYE, text(b"a"), GONE)

# --- 7: closing

case("7.1.5 a close without a code", frame(FIN | CLOSE), closed())
case("7.1.5 a close of one byte", frame(FIN | CLOSE, b"\x03"), closed(1002))
case("7.1.6 a reason", goodbye(1000, b"enough"), GONE)
case("7.1.6 a reason in UTF-8", goodbye(1000, "tschüß €𝄞".encode()), GONE)
case("7.1.6 a reason as long as it may be", goodbye(1000, b"x" * 123), GONE)
case("7.1.6 a reason that is too long", goodbye(1000, b"x" * 124), closed(1002))
for reason in (b"\xff", b"a\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"):
    case(f"8.1 the reason {reason.hex()}", goodbye(1000, reason), closed(1007))
for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999):
    case(f"7.4 the code {code}", goodbye(code), closed(code))
for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 32768, 65535):
    case(f"7.4 no code is {code}", goodbye(code), closed(1002))

# --- 8.1: UTF-8 (RFC 3629)

VALID = ("κόσμε", "€", "ﬀ", "𝄞", "\u0000", "\u007f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\ufffe", "\uffff", "\U00010000", "\U0010ffff", "\ufeffa",
         "Grüße, 世界, 🌍")
INVALID = (b"\x80", b"\xbf", b"\xc0", b"\xff", b"\xfe", b"\xc0\x80", b"\xc1\xbf", b"\xc2A", b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\xa0\x80\xed\xb0\x80",
           b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xe2\x82A", b"\xe2A\xac",
           b"\xf0\x9d\x84A", b"\x80\x80\x80", "κόσμε".encode() + b"\xed\xa0\x80edited", b"a" * 1000 + b"\xff")
for said in VALID:
    data = said.encode()
    good(f"8.1 text {data.hex()}", frame(FIN | TEXT, data), text(data))
    if len(data) > 1:
        good(f"8.1 text {data.hex()}, a byte a fragment", frame(TEXT) + b"".join(frame(CONT, data[i:i + 1]) for i in range(len(data))) + frame(FIN | CONT), text(data))
        case(f"8.1 text {data.hex()}, cut short", frame(FIN | TEXT, data[:-1]), closed(1007)) if data[-1] & 0x80 else None
for data in INVALID:
    name = data.hex() if len(data) < 40 else f"of {len(data)} bytes"
    case(f"8.1 no text {name}", frame(FIN | TEXT, data), closed(1007))
    case(f"8.1 no text {name}, in the second of two fragments", frame(TEXT, b"ab") + frame(FIN | CONT, data), closed(1007))
    good(f"8.1 binary may be {name}", frame(FIN | BIN, data), binary(data))
for data in (b"\xff", b"\xe2\x28", b"\xed\xa0", b"\xf4\x90", b"\xc0"):
    case(f"8.1 {data.hex()} is refused before the frame's end", head(FIN | TEXT, 1000) + bytes(4) + b"abc" + data, closed(1007))
    case(f"8.1 {data.hex()} is refused before the message's end", frame(TEXT, b"abc" + data), closed(1007))
case("8.1 a character broken by a fragment", frame(TEXT, b"\xe2\x82") + frame(FIN | CONT, b"x"), closed(1007))
case("8.1 a character broken off by the end", frame(TEXT, b"\xe2\x82") + frame(FIN | CONT), closed(1007))
good("8.1 a ping within a character", frame(TEXT, b"\xe2\x82") + frame(FIN | PING, b"\xff") + frame(FIN | CONT, b"\xac"), pong(b"\xff"), text(b"\xe2\x82\xac"))
good("8.1 a character at the border of 64 KiB", frame(FIN | TEXT, "€".encode() * 21845), text("€".encode() * 21845))

# --- 4.2: the handshake

PATH = "/api/ws/test"
NONCE = "dGhlIHNhbXBsZSBub25jZQ=="
FIELDS = {"Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": NONCE, "Sec-WebSocket-Version": "13"}


def hello(*more, line=f"GET {PATH} HTTP/1.1", body="", **changed):
    fields = {**FIELDS, **{name.replace("_", "-"): value for name, value in changed.items()}}
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([line, *lines, *more]) + "\r\n\r\n" + body


def shake(name, status, said):
    SHAKES.append(Shake(name, status, said))


shake("4.2.1 the example of the standard", "101", hello())
for value in ("WebSocket", "WEBSOCKET", "h2c, websocket", "websocket, h2c", " websocket "):
    shake(f"4.2.1 Upgrade: {value}", "101", hello(Upgrade=value))
for value in ("upgrade", "UPGRADE", "keep-alive, Upgrade", "Upgrade, keep-alive", "keep-alive,upgrade,x", " Upgrade "):
    shake(f"4.2.1 Connection: {value}", "101", hello(Connection=value))
shake("4.2.1 Connection in two fields", "101", hello("Connection: keep-alive"))
for value in (None, "", "websockets", "h2c", "web socket", "websocket/13"):
    shake(f"4.2.1 no Upgrade is {value!r}", "426", hello(Upgrade=value))
for value in (None, "", "close", "keep-alive", "Upgraded", "websocket"):
    shake(f"4.2.1 no Connection is {value!r}", "426", hello(Connection=value))
for value in (None, "", "0", "7", "8", "12", "14", "013", "13.0", "13, 8", "255", "x"):
    shake(f"4.2.2 no version is {value!r}", "426", hello(Sec_WebSocket_Version=value))
shake("4.2.1 two versions", "400", hello("Sec-WebSocket-Version: 13"))
for value in (None, "", NONCE[:-1], NONCE[:-4], NONCE + "A", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=A", "dGhlIHNhbXBsZSBub25jZS4=", "dGhlIHNhbXBsZSBub24=", "*" * 22 + "==",
              "dGhlIHNhbXBs ZSBub25jZQ=="):
    shake(f"4.2.1 no key is {value!r}", "400", hello(Sec_WebSocket_Key=value))
shake("4.2.1 two keys", "400", hello(f"Sec-WebSocket-Key: {NONCE}"))
shake("4.2.1 field names in lower case", "101", hello().replace("Upgrade: ", "upgrade: ").replace("Sec-WebSocket-", "sec-websocket-"))
shake("4.2.1 field names in capitals", "101", hello().replace("Upgrade: ", "UPGRADE: ").replace("Sec-WebSocket-", "SEC-WEBSOCKET-"))
shake("4.2.1 HTTP/1.0", "426", hello(line=f"GET {PATH} HTTP/1.0"))
for method, status in (("POST", "405"), ("PUT", "405"), ("HEAD", "400"), ("BREW", "501")):
    shake(f"4.2.1 {method}", status, hello(line=f"{method} {PATH} HTTP/1.1"))
shake("4.2.1 OPTIONS", "204", hello(line=f"OPTIONS {PATH} HTTP/1.1"))
shake("4.2.1 with content", "400", hello("Content-Length: 5", body="12345"))
shake("4.2.1 with content in chunks", "400", hello("Transfer-Encoding: chunked", body="0\r\n\r\n"))
shake("4.2.1 with a query", "101", hello(line=f"GET {PATH}?a=b HTTP/1.1"))
shake("4.2.1 with the absolute form", "101", hello(line=f"GET http://localhost{PATH} HTTP/1.1"))
shake("4.2.1 no Host", "400", hello(Host=None))
shake("4.2.1 Host is that of another", "403", hello(Host="evil.example"))
shake("10.2 Origin is ours", "101", hello(Origin="http://localhost"))
for value in ("http://evil.example", "https://localhost", "null", "http://localhost:81", "http://localhost.evil.example", ""):
    shake(f"10.2 Origin is that of another, {value!r}", "403", hello(Origin=value))
shake("9.1 extensions are not agreed to", "101", hello("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"))
shake("1.9 protocols are not agreed to", "101", hello("Sec-WebSocket-Protocol: chat, superchat"))
shake("4.2.1 a path below", "404", hello(line=f"GET {PATH}/ HTTP/1.1"))
