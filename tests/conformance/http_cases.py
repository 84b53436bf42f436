"""http_cases.py - what must come of which bytes: HTTP/1.1 as RFC 9110 and 9112 have it.

    case(NAME, SAID, WANT)      NAME begins with the RFC and the section

SAID is what is sent: text (Latin-1), or a tuple of texts and of numbers, each a reply to wait for first. Behind it
goes a PROBE, a request that is right: WANT is the statuses that must come, as "200 404 keep" when the probe must be
answered behind them, as "400 close" when the server must have closed and never answered it. "400|404" are
alternatives that the RFC leaves. `eof`: nothing more is sent, the client's side of the stream ends. `heads`: which of
the replies are to HEAD. `check`: what else must hold of the last of them, by word (http_run.py). `own`: a rule or an
address of ours, that no other server can know. {etag} is the tag of FILE, {token} the access token.
"""
import collections

FILE = "/icon.svg"
Case = collections.namedtuple("Case", "name said want own check heads eof")
CASES = []

LINE_MAX, HEAD_MAX, FIELDS_MAX, BODY_MAX = 8192, 16384, 64, 65536  # HTTP_*_MAX, WEB_BODY_MAX
H = "Host: localhost\r\n"
PROBE = f"GET {FILE}?probe HTTP/1.1\r\n{H}Connection: close\r\n\r\n"


def case(name, said, want, own=False, check=None, heads=None, eof=False):
    said = said if isinstance(said, tuple) else (said,)
    if heads is None:
        heads = (0,) if str(said[0]).startswith("HEAD ") else ()
    CASES.append(Case(name, said, want, own, check, heads, eof))


def ask(*fields, line=f"GET {FILE} HTTP/1.1", host=H, body=""):
    return f"{line}\r\n{host}" + "".join(f + "\r\n" for f in fields) + "\r\n" + body


def get(path, *fields):
    return ask(*fields, line=f"GET {path} HTTP/1.1")


def post(body, *fields, line=f"POST {FILE} HTTP/1.1"):
    return ask(*fields, line=line, body=body)


def chunked(body, *fields):
    return post(body, "Transfer-Encoding: chunked", *fields)


def same(words, names):
    """The case for each of a few ways to write one thing."""
    for name in names:
        yield words % (name.replace("\0", "NUL").encode("unicode_escape").decode() or "nothing"), name


# --- RFC 9112 section 2: messages, line ends

case("9112-2.1 the simplest request", ask(), "200 keep", check="file")
case("9112-2.2 empty lines before a request are skipped", "\r\n\r\n" + ask(), "200 keep")
case("9112-2.2 empty lines between requests are skipped", ask() + "\r\n" + ask(), "200 200 keep")
case("9112-2.2 a bare LF ends the request line", f"GET {FILE} HTTP/1.1\n{H}\r\n", "400 close")
case("9112-2.2 a bare LF ends a field line", f"GET {FILE} HTTP/1.1\r\nHost: localhost\nA: b\r\n\r\n", "400 close")
case("9112-2.2 a bare LF ends the head", f"GET {FILE} HTTP/1.1\r\n{H}\n", "400 close")
case("9112-2.2 LF alone throughout", f"GET {FILE} HTTP/1.1\nHost: localhost\n\n", "400 close")
case("9112-2.2 a bare LF before a request", "\n" + ask(), "400 close")
case("9112-2.2 a bare CR in the request line", f"GET {FILE}\rHTTP/1.1\r\n{H}\r\n", "400 close")
case("9112-2.2 a bare CR ends the request line", f"GET {FILE} HTTP/1.1\r{H}\r\n", "400 close")
case("9112-2.2 a bare CR in a field value", ask("A: b\rc"), "400 close")
case("9112-2.2 a bare CR hides a field", ask("A: b\rTransfer-Encoding: chunked"), "400 close")
case("9112-2.2 a bare CR in a field name", ask("A\rB: c"), "400 close")
case("9112-2.2 CR CR LF ends a field line", ask("A: b\r"), "400 close")
case("9112-2.2 CR CR LF ends the request line", f"GET {FILE} HTTP/1.1\r\r\n{H}\r\n", "400 close")
case("9112-2.2 a space before the first field", f"GET {FILE} HTTP/1.1\r\n A: b\r\n{H}\r\n", "400 close")
case("9112-2.2 a space alone before the first field", f"GET {FILE} HTTP/1.1\r\n \r\n{H}\r\n", "400 close")
case("9112-2.2 what is no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400 close")
case("9112-2.2 NUL first", "\0" + ask(), "400 close")
case("9112-8 the client leaves within the request line", "GET /ic", "close", eof=True)
case("9112-8 the client leaves within the head", f"GET {FILE} HTTP/1.1\r\n{H}A: b", "close", eof=True)
case("9112-8 the client leaves before the empty line", f"GET {FILE} HTTP/1.1\r\n{H}", "close", eof=True)
case("9112-8 the client leaves within content", post("12345", "Content-Length: 10"), "close", eof=True)
case("9112-8 the client leaves within a chunk", chunked("a\r\n12345"), "close", eof=True)
case("9112-8 the client leaves before the last chunk", chunked("5\r\n12345\r\n"), "close", eof=True)
case("9112-8 the client leaves within a trailer", chunked("0\r\nA: b\r\n"), "close", eof=True)
case("9112-9.6 a client that has said all is answered", ask(), "200 close", eof=True)
case("9112-9.6 and so are all that it asked for", ask() * 3, "200 200 200 close", eof=True)
case("9112-9.6 nothing is asked, nothing is said", "", "close", eof=True)

# --- 2.3, 3: the request line

for words, version in same("9112-2.3 the version %s", ("HTTP/1.2", "HTTP/1.9")):
    case(words, ask(line=f"GET {FILE} {version}"), "200 keep")
for words, version in same("9112-2.3 the version %s", ("HTTP/2.0", "HTTP/3.0", "HTTP/0.9", "HTTP/9.9")):
    case(words, ask(line=f"GET {FILE} {version}"), "505|400 close")
for words, version in same("9112-2.3 what is no version, %s", (
        "http/1.1", "HTTP/1", "HTTP/1.", "HTTP/.1", "HTTP/1.10", "HTTP/01.1", "HTTP/1.1x", "HTTP/x.1", "HTTP /1.1", "HTTP-1.1",
        "HTTP/1,1", "HTTPS/1.1", "HTP/1.1", "HTTP/-1.1", "HTTP/1.1\0", "")):
    case(words, ask(line=f"GET {FILE} {version}"), "400|505 close")
case("9112-2.3 HTTP/0.9", f"GET {FILE}\r\n", "400 close")
case("9113-3.4 the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400|501|505 close")
case("9112-3 two spaces before the target", f"GET  {FILE} HTTP/1.1\r\n{H}\r\n", "400 close")
case("9112-3 two spaces behind the target", f"GET {FILE}  HTTP/1.1\r\n{H}\r\n", "400 close")
case("9112-3 a space before the method", " " + ask(), "400 close")
case("9112-3 a space behind the version", f"GET {FILE} HTTP/1.1 \r\n{H}\r\n", "400 close")
case("9112-3 tabs between the parts", f"GET\t{FILE}\tHTTP/1.1\r\n{H}\r\n", "400 close")
case("9112-3 a vertical tab between the parts", f"GET\v{FILE} HTTP/1.1\r\n{H}\r\n", "400 close")
case("9112-3 a space within the target", get("/icon svg"), "400 close")
case("9112-3 a request line of words too many", f"GET {FILE} HTTP/1.1 HTTP/1.1\r\n{H}\r\n", "400 close")
case("9112-3 no target", f"GET HTTP/1.1\r\n{H}\r\n", "400 close")
case("9112-3 a method alone", f"GET\r\n{H}\r\n", "400 close")
case("9112-3 as long as a line may be", get("/" + "a" * (LINE_MAX - len("GET / HTTP/1.1"))), "404 keep")
case("9112-3 a byte longer", get("/" + "a" * (LINE_MAX + 1 - len("GET / HTTP/1.1"))), "414 close")
case("9112-3 a line without an end", "GET /" + "a" * 40000, "414 close")
case("9112-3 a query that is too long", get(f"{FILE}?" + "a" * LINE_MAX), "414 close")
case("9112-3 a method without an end", "A" * 20000, "414|400|501 close")
case("9112-2.2 empty lines without an end", "\r\n" * 10000, "414|400 close")

# --- RFC 9110 section 9: methods

for words, method in same("9110-9.1 the method %s", ("BREW", "PROPFIND", "get", "Get", "GETT", "GE", "X", "A" * 33, "!#$%&'*+-.^_`|~")):
    case(words, ask(line=f"{method} {FILE} HTTP/1.1"), "501 close")
for words, method in same("9110-9.1 what is no method, %s", ("G@T", "G\0T", "GET:", "(GET)", "G\xc4T", '"GET"', "GET,")):
    case(words, ask(line=f"{method} {FILE} HTTP/1.1"), "400 close")
for words, method in same("9110-9.1 %s is not for files", ("PUT", "PATCH", "DELETE", "POST")):
    case(words, ask(line=f"{method} {FILE} HTTP/1.1"), "405 keep")
case("9110-9.3.2 HEAD", ask(line=f"HEAD {FILE} HTTP/1.1"), "200 keep", check="head")
case("9110-9.3.2 HEAD of what is not there", ask(line="HEAD /none HTTP/1.1"), "404 keep")
case("9110-9.3.2 HEAD of a document", ask(line="HEAD /api/arp HTTP/1.1"), "200 keep")
case("9110-9.3.2 GET between HEADs", ask(line=f"HEAD {FILE} HTTP/1.1") + ask() + ask(line="HEAD / HTTP/1.1"),
     "200 200 200 keep", heads=(0, 2))
case("9110-9.3.2 HEAD that is not well-formed", ask("A : b", line=f"HEAD {FILE} HTTP/1.1"), "400 close")
case("9110-9.3.2 HEAD with content", ask("Content-Length: 4", line=f"HEAD {FILE} HTTP/1.1", body="HEAD"), "200 keep")
case("9110-9.3.6 CONNECT", ask(line="CONNECT localhost:80 HTTP/1.1"), "501|405|400 close")
case("9110-9.3.7 OPTIONS of all", ask(line="OPTIONS * HTTP/1.1"), "204|200 keep", check="allow")
case("9110-9.3.7 OPTIONS of a file", ask(line=f"OPTIONS {FILE} HTTP/1.1"), "204|200 keep", check="allow")
case("9110-9.3.7 OPTIONS of a document", ask(line="OPTIONS /api/stats HTTP/1.1"), "204|200 keep", check="allow")
case("9110-9.3.7 OPTIONS with content", ask("Content-Length: 2", line="OPTIONS * HTTP/1.1", body="{}"), "204|200 keep")
case("9110-7.6.2 Max-Forwards is not for us", ask("Max-Forwards: 0", line="OPTIONS * HTTP/1.1"), "204|200 keep")
case("9110-9.3.8 TRACE", ask(line=f"TRACE {FILE} HTTP/1.1"), "501|405 close")
case("9112-9.3.1 content of GET is no request", ask("Content-Length: 18", body="GET / HTTP/1.1\r\n\r\n"), "200 keep")
case("9112-9.3.1 content of GET in chunks", ask("Transfer-Encoding: chunked", body="5\r\nGET /\r\n0\r\n\r\n"), "200 keep")

# --- 9112-3.2: targets

case("9112-3.2.1 a query", get(f"{FILE}?a=1&b=%20&c="), "200 keep", check="file")
case("9112-3.2.1 an empty query", get(f"{FILE}?"), "200 keep", check="file")
case("9112-3.2.1 a query with every character it may have", get(f"{FILE}?/?:@-._~!$&'()*+,;=%41"), "200 keep")
for words, path in same("9112-3.2.1 no slash first, %s", ("icon.svg", "?a", "localhost/icon.svg")):
    case(words, get(path), "400 close")
case("9112-3.2.1 a fragment", get(f"{FILE}#a"), "400 close")
case("9112-3.2.2 the absolute form", get(f"http://localhost{FILE}"), "200 keep", check="file")
case("9112-3.2.2 with a port", get(f"http://localhost:8080{FILE}"), "200 keep")
case("9112-3.2.2 in capitals", get(f"HTTP://LOCALHOST{FILE}"), "200 keep")
case("9112-3.2.2 without a path", get("http://localhost"), "200 keep")
case("9112-3.2.2 without a path, with a query", get("http://localhost?a"), "200 keep")
case("9112-3.2.2 stands above Host", ask(line=f"GET http://localhost{FILE} HTTP/1.1", host="Host: evil.example\r\n"), "200 keep")
case("9112-3.2.2 is that of another", get(f"http://evil.example{FILE}"), "403 keep")
case("9112-3.2.2 needs Host all the same", ask(line=f"GET http://localhost{FILE} HTTP/1.1", host=""), "400 close")
for words, target in same("9112-3.2.2 no absolute form, %s", (
        "http:///icon.svg", "http://", "http:/icon.svg", "http://user@localhost/", "http://localhost:x/", "http://[::1/", "ftp://localhost/",
        "://localhost/", "http://local\0host/")):
    case(words, get(target), "400 close")
case("9110-4.2.4 of a scheme that is not spoken", get("https://localhost/"), "400|421 close")
case("9112-3.2.3 the authority form", get("localhost:80"), "400 close")
for words, method in same("9112-3.2.4 the asterisk is not for %s", ("GET", "HEAD", "POST")):
    case(words, ask(line=f"{method} * HTTP/1.1"), "400 close")
case("9112-3.2.4 two asterisks", ask(line="OPTIONS ** HTTP/1.1"), "400 close")

# --- RFC 3986: paths

for words, path in same("3986-6.2.2 %s is the file", (
        "/%69con.svg", "/icon%2esvg", "/icon%2Esvg", "/./icon.svg", "/a/../icon.svg", "/a/./../icon.svg", "/%2e/icon.svg", "/a/%2e%2e/icon.svg",
        "/a/.%2E/icon.svg", "//icon.svg", "/a/b/../../icon.svg")):
    case(words, get(path), "200 keep", check="file")
for words, path in same("3986-5.2.4 above the root, %s", (
        "/..", "/../etc/passwd", "/a/../../etc/passwd", "/%2e%2e/etc/passwd", "/.%2e/%2e./etc/passwd", "/../../../../../../etc/passwd")):
    case(words, get(path), "400|404 *")
for words, path in same("3986-2.1 no escape, %s", ("/%", "/%4", "/%4g", "/%g4", "/%%41", "/a%-1", "/%\xff", "/%u0041")):
    case(words, get(path), "400 close")
for words, path in same("3986-2.1 what could be read in two ways, %s", (
        "/a%00b", "/icon.svg%00", "/icon.svg%00.html", "/a%2fb", "/..%2ficon.svg", "/a%0d%0aSet-Cookie:%20a=b", "/%7f", "/%0a")):
    case(words, get(path), "400 close")
for words, path in same("3986-2.1 decoded once, %s", ("/%2569con.svg", "/%252e%252e/etc/passwd", "/%255c")):
    case(words, get(path), "404 keep")
for words, path in same("3629-3 no UTF-8, %s", (
        "/%ff", "/%c0%ae%c0%ae/etc/passwd", "/%c0%af", "/%e0%80%af", "/%c0%80", "/%f8%80%80%80%af", "/%ed%a0%80", "/%80")):
    case(words, get(path), "404|400 *")
for words, path in same("3986-3.3 as it stands, %s", ("/\xc3\xa4", "/a\\b", "/..\\icon.svg", '/"', "/<a>", "/^", "/`", "/{a}", "/a|b", "/\x7f", "/\x01")):
    case(words, get(path), "400|404 *")
case("3986-3.3 every character that a path may have", get("/-._~!$&'()*+,;=:@"), "404 keep")
case("3986-3.3 a folder is not a file", get(f"{FILE}/"), "404 keep")
case("3986-3.3 nothing there", get("/none"), "404 keep")
case("3986-3.3 UTF-8, encoded", get("/%c3%a4"), "404 keep")
case("3986-3.3 a deep path", get("/a" * 2000), "404 keep")
case("3986-3.3 a deep path and back", get("/a" * 1000 + "/.." * 1000 + FILE), "200 keep")

# --- 9112-3.2, 9110-7.2: Host

case("9112-3.2 no Host", ask(host=""), "400 close")
case("9112-3.2 no Host in HTTP/1.0", ask(host="", line=f"GET {FILE} HTTP/1.0"), "200 close")
case("9112-3.2 two of them", ask(H[:-2]), "400 close")
case("9112-3.2 two that differ", ask("Host: evil.example"), "400 close")
case("9112-3.2 two in HTTP/1.0", ask(H[:-2], line=f"GET {FILE} HTTP/1.0"), "400 close")
for words, host in same("9110-7.2 Host is %s", ("localhost:80", "localhost:8080", "localhost:", "LOCALHOST", "127.0.0.1", "[::1]", "[::1]:80", "mazu.local")):
    case(words, ask(host=f"Host: {host}\r\n"), "200 keep")
case("9112-5.1 Host without a space", ask(host="Host:localhost\r\n"), "200 keep")
case("9112-5.1 Host between spaces and tabs", ask(host="Host: \t localhost \t \r\n"), "200 keep")
case("9112-5.1 Host in capitals", ask(host="HOST: localhost\r\n"), "200 keep")
for words, host in same("9110-7.2 no Host is %s", (
        "", "local host", "localhost, localhost", "http://localhost", "localhost/", "user@localhost", "localhost:80:80", "localhost:x", "localhost:-1",
        "localhost:80x", "[::1", "[]", "::1", "local\0host", "localhost?", "localhost#a", "local\thost", "localhost\\", ":80", "%")):
    case(words, ask(host=f"Host: {host}\r\n"), "400 close")
for words, host in same("9110-7.2 Host is that of another, %s", ("evil.example", "localhost.evil.example", "192.0.2.1", "localhost1", "[::2]", "127.0.0.1.evil.example")):
    case(words, ask(host=f"Host: {host}\r\n"), "403 keep")
for words, origin in same("6454-7 Origin is that of another, %s", ("http://evil.example", "https://localhost", "null", "http://localhost:81", "http://localhost.evil.example", "localhost", "")):
    case(words, ask(f"Origin: {origin}"), "403 keep", own=True)
case("6454-7 Origin is ours", ask("Origin: http://localhost"), "200 keep")
case("6454-7 Origin is ours, in capitals", ask("Origin: http://LOCALHOST"), "200 keep")
case("6454-7 two of them", ask("Origin: http://localhost", "Origin: http://localhost"), "400 close", own=True)

# --- 9112-5: fields

for words, field in same("9112-5.1 no field line, %s", (
        "A : b", "A\t: b", " : b", ": b", "A", "A B: c", "A\0: b", "A(: b", "\xc4: b", "A\x7f: b", '"A": b', "A/B: c", "=: b", "A;: b")):
    case(words, ask(field), "400 close")
for words, value in same("9110-5.5 no field value, %s", ("a\0b", "\0", "a\x01b", "a\x7fb", "a\x0bb", "a\x1bb", "a\x08")):
    case(words, ask(f"A: {value}"), "400 close")
case("9112-5.1 Host with a space before the colon", ask(host="Host : localhost\r\n"), "400 close")
case("9112-5.1 Content-Length with a space before the colon", post("12345", "Content-Length : 5"), "400 close")
case("9112-5.1 Transfer-Encoding with a space before the colon", post("0\r\n\r\n", "Transfer-Encoding : chunked"), "400 close")
case("9112-5.2 a folded field", ask("A: b\r\n c"), "400 close")
case("9112-5.2 one that is folded by a tab", ask("A: b\r\n\tc"), "400 close")
case("9112-5.2 a fold alone", ask("A: b\r\n "), "400 close")
case("9112-5.2 a folded Host", ask(host="Host:\r\n localhost\r\n"), "400 close")
case("9112-5.2 a folded coding", post("0\r\n\r\n", "Transfer-Encoding:\r\n chunked"), "400 close")
case("9110-5.5 a value of all that may be", ask("A: !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t \x80\xff"), "200 keep")
case("9110-5.5 an empty value", ask("A:"), "200 keep")
case("9110-5.1 a name of all that may be", ask("!#$%&'*+-.^_`|~0Az: b"), "200 keep")
case("9110-5.3 a field that is repeated", ask("A: b", "A: c", "a: d"), "200 keep")
case("9110-5.4 as many fields as may be", ask(*["A: b"] * (FIELDS_MAX - 1)), "200 keep")
case("9110-5.4 one more", ask(*["A: b"] * FIELDS_MAX), "431 close")
case("9110-5.4 as long as fields may be", ask("A: " + "b" * (HEAD_MAX - len(H) - 7)), "200 keep")
case("9110-5.4 a byte longer", ask("A: " + "b" * (HEAD_MAX - len(H) - 6)), "431 close")
case("9110-5.4 a field without an end", ask("A: " + "b" * 60000), "431 close")
case("9110-5.4 a name without an end", ask("A" * 60000), "431 close")
case("9110-5.4 a Host without an end", ask(host="Host: " + "a" * 60000), "431 close")

# --- 9112-6: where content ends, and smuggling

X = "GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n"  # what must not be taken for a request
case("9112-6.2 content of a length", post("12345", "Content-Length: 5"), "405 keep")
case("9112-6.2 content that looks like a request", post(X, f"Content-Length: {len(X)}"), "405 keep")
case("9112-6.2 no content", post("", "Content-Length: 0"), "405 keep")
case("9112-6.2 neither length nor coding", post(""), "405|411 keep")
case("9112-6.2 leading zeros", post("12345", "Content-Length: 0005"), "405 keep")
case("9112-6.2 spaces around the length", post("12345", "Content-Length: \t 5 \t"), "405 keep")
case("9112-6.2 as much as may be", post("a" * BODY_MAX, f"Content-Length: {BODY_MAX}"), "405 keep")
case("9110-15.5.14 a byte more", post("", f"Content-Length: {BODY_MAX + 1}"), "413 close")
case("9110-15.5.14 and it comes", post("a" * (BODY_MAX + 1), f"Content-Length: {BODY_MAX + 1}"), "413 close")
for words, length in same("9110-15.5.14 a length of %s", ("9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
                                                          "18446744073709551621", "99999999999999999999999999999999", "4294967296", "4294967301")):
    case(words, post("12345", f"Content-Length: {length}"), "413|400 close")
for words, length in same("9112-6.3 no length, %s", ("", "+5", "-5", "-0", "0x5", "5x", "5 5", "5,5", "5, 5", "5, 6", "5;", "5.0", "1e1", "five", "5\0", "\xb2", "'5'",
                                                     "5 ,", ",5", "\v5")):
    case(words, post("12345", f"Content-Length: {length}"), "400 close")
case("9112-6.3 two lengths", post("12345", "Content-Length: 5", "Content-Length: 5"), "400 close")
case("9112-6.3 two lengths that differ", post("12345", "Content-Length: 5", "Content-Length: 6"), "400 close")
case("9112-6.3 two lengths, the first 0", post(X, "Content-Length: 0", f"Content-Length: {len(X)}"), "400 close")
case("9112-6.3 two lengths, one in capitals", post("12345", "CONTENT-LENGTH: 5", "content-length: 0"), "400 close")
case("9112-6.1 length and coding", post("0\r\n\r\n", "Content-Length: 5", "Transfer-Encoding: chunked"), "400 close")
case("9112-6.1 coding and length", post("0\r\n\r\n", "Transfer-Encoding: chunked", "Content-Length: 5"), "400 close")
case("9112-6.1 CL.TE: a request behind the last chunk", post("0\r\n\r\n" + X, f"Content-Length: {5 + len(X)}", "Transfer-Encoding: chunked"), "400 close")
case("9112-6.1 TE.CL: a request within a chunk", post(f"{len(X):x}\r\n{X}\r\n0\r\n\r\n", "Content-Length: 4", "Transfer-Encoding: chunked"), "400 close")
case("9112-6.1 length and coding of GET", ask("Content-Length: 5", "Transfer-Encoding: chunked", body="0\r\n\r\n"), "400 close")
case("9112-6.1 a length of 0 and coding", post("0\r\n\r\n", "Content-Length: 0", "Transfer-Encoding: chunked"), "400 close")
case("9112-6.1 length, and a coding that is not known", post("12345", "Content-Length: 5", "Transfer-Encoding: x"), "400|501 close")
case("9112-6.1 the coding in capitals", post("0\r\n\r\n", "TRANSFER-ENCODING: CHUNKED"), "405 keep")
case("9112-6.1 spaces around the coding", post("0\r\n\r\n", "Transfer-Encoding: \t chunked \t"), "405 keep")
for words, coding in same("9112-6.1 the coding %s", ("identity", "gzip", "gzip, chunked", "deflate", "xchunked", "chunkedx", "x, chunked", "cow")):
    case(words, post("0\r\n\r\n", f"Transfer-Encoding: {coding}"), "501|400 close")
for words, coding in same("9112-6.1 no coding, %s", (
        "", "chunked, chunked", "chunked, identity", "chunked, gzip", ", chunked", "chunked,", "chunked, ,", ",", "chunked chunked", "chunked;q=1", '"chunked"', "chunked\0", "\vchunked", "chunked\v", "\0",
        "chunk ed", ";chunked", "'chunked'")):
    case(words, post("0\r\n\r\n", f"Transfer-Encoding: {coding}"), "400|501 close")
case("9112-6.1 the coding twice", post("0\r\n\r\n", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), "400 close")
case("9112-6.1 the coding and nothing", post("0\r\n\r\n", "Transfer-Encoding: chunked", "Transfer-Encoding:"), "400|501 close")
case("9112-6.1 the coding and another", post("0\r\n\r\n", "Transfer-Encoding: chunked", "Transfer-Encoding: x"), "400|501 close")
case("9112-6.1 another and the coding", post("0\r\n\r\n", "Transfer-Encoding: identity", "Transfer-Encoding: chunked"), "400|501 close")
case("9112-6.1 the coding in HTTP/1.0", post("0\r\n\r\n", "Transfer-Encoding: chunked", line=f"POST {FILE} HTTP/1.0"), "400|501 close")
case("9112-6.1 a name that is not quite that", post("", "Transfer_Encoding: chunked"), "405 keep")
case("9112-6.1 a name with more behind it", post("", "Transfer-Encoding-X: chunked"), "405 keep")
case("9110-10.1.4 TE is not Transfer-Encoding", ask("TE: trailers, chunked"), "200 keep")

# --- 9112-7.1: chunks

LAST = "0\r\n\r\n"
case("9112-7.1 no chunk but the last", chunked(LAST), "405 keep")
case("9112-7.1 one", chunked("5\r\n12345\r\n" + LAST), "405 keep")
case("9112-7.1 many", chunked("1\r\na\r\n" * 1000 + LAST), "405 keep")
case("9112-7.1 hexadecimal of either case", chunked("a\r\n0123456789\r\nA\r\n0123456789\r\n" + LAST), "405 keep")
case("9112-7.1 leading zeros", chunked("0000000000005\r\n12345\r\n" + LAST), "405 keep")
case("9112-7.1 a last chunk of many zeros", chunked("0000000000000000\r\n\r\n"), "405 keep")
case("9112-7.1 more zeros than a number has digits", chunked("0" * 400 + "5\r\n12345\r\n" + LAST), "405|400 *")
case("9112-7.1 content that looks like chunks", chunked("5\r\n0\r\n\r\n\r\n" + LAST), "405 keep")
case("9112-7.1 content that looks like a request", chunked(f"{len(X):x}\r\n{X}\r\n" + LAST), "405 keep")
case("9112-7.1 as much as may be", chunked(f"{BODY_MAX:x}\r\n" + "a" * BODY_MAX + "\r\n" + LAST), "405 keep")
case("9110-15.5.14 a byte more in a chunk", chunked(f"{BODY_MAX:x}\r\n" + "a" * BODY_MAX + "\r\n1\r\na\r\n" + LAST), "413 close")
for words, size in same("9110-15.5.14 a chunk of %s", ("10001", "ffffffff", "100000005", "7fffffffffffffff", "8000000000000000", "ffffffffffffffff")):
    case(words, chunked(f"{size}\r\n12345\r\n" + LAST), "413|400 close")
for words, size in same("9112-7.1 no chunk size, %s", (
        "", "g", "0x5", "+5", "-5", "5g", " 5", "5 5", "5\0", "\t5", "5.", "10000000000000005", "fffffffffffffffff", "\xb2", "5,", "5 ", "5\t", "0x0", "\v5", "5\v")):
    case(words, chunked(f"{size}\r\n12345\r\n" + LAST), "400 close")
case("9112-7.1 a bare LF behind the size", chunked("5\n12345\r\n" + LAST), "400 close")
case("9112-7.1 a bare CR behind the size", chunked("5\r12345\r\n" + LAST), "400 close")
case("9112-7.1 a bare LF behind the content", chunked("5\r\n12345\n" + LAST), "400 close")
case("9112-7.1 a bare CR behind the content", chunked("5\r\n12345\r" + LAST), "400 close")
case("9112-7.1 nothing behind the content", chunked("5\r\n12345" + LAST), "400 close")
case("9112-7.1 two bytes that are no line end behind the content", chunked("5\r\n12345XX0\r\n\r\n"), "400 close")
case("9112-7.1 longer than its size", chunked("4\r\n12345\r\n" + LAST), "400 close")
case("9112-7.1 shorter than its size", chunked("6\r\n12345\r\n" + LAST), "400 close")
case("9112-7.1 an empty line before the size", chunked("\r\n5\r\n12345\r\n" + LAST), "400 close")
case("9112-7.1 a bare LF behind the last chunk", chunked("0\n\r\n"), "400 close")
case("9112-7.1 a bare LF at the end", chunked("0\r\n\n"), "400 close")
case("9112-7.1 what comes at once behind the last chunk is the next request", chunked(LAST + ask()), "405 200 keep")
for words, extension in same("9112-7.1.1 the extension %s", (";a", ";a=b", ';a="b"', ";a=b;c=d", " ; a = b", ";a=", ";", ";a=b\t", ';a=";"', ";" + "a" * 500)):
    case(words, chunked(f"5{extension}\r\n12345\r\n" + LAST), "405 keep")
for words, extension in same("9112-7.1.1 no extension, %s", (";a\0", ";a\rb", ";a\n", " a", "z", ";a\x7f", ";a\n0\r\n\r\n")):
    case(words, chunked(f"5{extension}\r\n12345\r\n" + LAST), "400 close")
case("9112-7.1.1 an extension of the last chunk", chunked("0;a=b\r\n\r\n"), "405 keep")
case("9112-7.1.1 an extension without an end", chunked("5;" + "a" * 40000), "431|400 close")
case("9112-7.1.1 extensions that are long together", chunked(("1;" + "a" * 100 + "\r\nb\r\n") * 400 + LAST), "431|400 close")
for words, trailer in same("9112-7.1.2 the trailer %s", ("A: b", "A: b\r\nC: d", "Content-Length: 5", "Transfer-Encoding: chunked", "Host: evil.example", "Connection: close")):
    case(words, chunked(f"0\r\n{trailer}\r\n\r\n"), "405 keep")
for words, trailer in same("9112-7.1.2 no trailer, %s", ("A", "A : b", " A: b", "A: b\r\n c", ": b", "A: b\0", "A: b\nC: d", "A\0: b", "A: b\rC: d")):
    case(words, chunked(f"0\r\n{trailer}\r\n\r\n"), "400 close")
case("9112-7.1.2 a trailer without an end", chunked("0\r\nA: " + "b" * 40000), "431 close")
case("9112-7.1.2 too many fields in it", chunked("0\r\n" + "A: b\r\n" * 70 + "\r\n"), "431 close")
case("9112-7.1.2 a request in it", chunked(f"0\r\n{X}"), "400 close")

# --- 9112-9: the connection

case("9112-9.3 stays, and is used again", ask() * 5, "200 200 200 200 200 keep")
case("9112-9.3.2 50 requests at once", ask() * 50, "200 " * 50 + "keep")
case("9112-9.3.2 answers of any kind in their order", get("/none") + ask() + post("", "Content-Length: 0") + ask(line=f"HEAD {FILE} HTTP/1.1") +
     ask(line="OPTIONS * HTTP/1.1") + get("/api/arp"), "404 200 405 200 204|200 200 keep", heads=(3,))
case("9112-9.3.2 nothing behind what is not well-formed", ask() + "GET\r\n\r\n" + ask(), "200 400 close")
case("9112-9.3.2 nothing behind a method that is not known", ask() + ask(line="BREW / HTTP/1.1") + ask(), "200 501 close")
case("9112-9.3.2 one after another", (ask(), 200, ask(), 200, get("/none"), 404, ask(), 200), "200 200 404 200 keep")
for words, option in same("9112-9.6 Connection: %s", ("close", "Close", "CLOSE", "keep-alive, close", "close, keep-alive", "x,close", " , close", "close,", "close\t, x")):
    case(words, ask(f"Connection: {option}"), "200 close")
case("9112-9.6 close, in the second of two fields", ask("Connection: x", "Connection: close"), "200 close")
case("9112-9.6 close, for what is not there", get("/none", "Connection: close"), "404 close")
case("9112-9.6 close, for a method that is not allowed", post("12345", "Content-Length: 5", "Connection: close"), "405 close")
case("9112-9.6 close, in the second request", ask() + ask("Connection: close") + ask(), "200 200 close")
for words, option in same("9110-7.6.1 Connection: %s", ("keep-alive", "x", "closed", "Keep-Alive", "TE", "close-not", "host, content-length", "")):
    case(words, ask(f"Connection: {option}"), "200 keep")
case("9112-9.3 HTTP/1.0 closes", ask(line=f"GET {FILE} HTTP/1.0"), "200 close")
case("9112-9.3 HTTP/1.0 with keep-alive stays", ask("Connection: keep-alive", line=f"GET {FILE} HTTP/1.0"), "200 keep", check="says_keep_alive")
case("9112-9.3 HTTP/1.0 with keep-alive in capitals", ask("Connection: KEEP-ALIVE", line=f"GET {FILE} HTTP/1.0"), "200 keep")
case("9112-9.3 HTTP/1.0 with both", ask("Connection: keep-alive, close", line=f"GET {FILE} HTTP/1.0"), "200 close")
case("9112-9.3 HTTP/1.0 with another option", ask("Connection: x", line=f"GET {FILE} HTTP/1.0"), "200 close")
case("9112-C.2.2 Keep-Alive without Connection", ask("Keep-Alive: timeout=5", line=f"GET {FILE} HTTP/1.0"), "200 close")
case("9112-6.2 HTTP/1.0 with content", post("12345", "Content-Length: 5", "Connection: keep-alive", line=f"POST {FILE} HTTP/1.0"), "405 keep")
case("9110-7.8 an upgrade that is not known", ask("Connection: Upgrade", "Upgrade: foo/2"), "200 keep")
case("9110-7.8 h2c, as curl asks for it", ask("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"), "200 keep")
case("9110-7.8 WebSocket where there is none", ask("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                                                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), "200 keep")
case("9110-15.5.22 an address for WebSocket only", get("/api/ws"), "426 keep", own=True, check="says_upgrade")

# --- RFC 9110 section 10.1.1: Expect

GO = ("Content-Length: 5", "Expect: 100-continue")
case("9110-10.1.1 is told to go on, and does", (ask(*GO), 100, "12345"), "100 200 keep")
case("9110-10.1.1 does not wait", ask(*GO, body="12345"), "100 200|200 keep")
case("9110-10.1.1 in capitals", (ask("Content-Length: 5", "Expect: 100-CONTINUE"), 100, "12345"), "100 200 keep")
case("9110-10.1.1 in chunks", (ask("Transfer-Encoding: chunked", "Expect: 100-continue"), 100, "5\r\n12345\r\n" + LAST), "100 200 keep")
case("9110-10.1.1 without content", ask("Expect: 100-continue"), "200 keep")
case("9110-10.1.1 with content of no length", ask("Expect: 100-continue", "Content-Length: 0"), "200 keep")
case("9110-10.1.1 in HTTP/1.0 is ignored", ask(*GO, line=f"GET {FILE} HTTP/1.0", body="12345"), "200 close")
case("9110-10.1.1 refused before the content", post("", *GO), "405 close")
case("9110-10.1.1 refused for its length", post("", f"Content-Length: {BODY_MAX + 1}", "Expect: 100-continue"), "413 close")
case("9110-10.1.1 refused for its host", ask(*GO, host="Host: evil.example\r\n"), "403 close")
for words, expectation in same("9110-15.5.18 the expectation %s", ("foo", "200-ok", "100-continue, foo", "foo=bar")):
    case(words, ask(f"Expect: {expectation}"), "417 close")
case("9110-10.1.1 expects nothing", ask("Expect:", "Content-Length: 5", body="12345"), "200 keep")
case("9110-10.1.1 among empty elements of the list", (ask("Content-Length: 5", "Expect: , 100-continue ,"), 100, "12345"), "100 200 keep")
case("9110-10.1.1 behind another request", (ask() + ask(*GO), 100, "12345"), "200 100 200 keep")

# --- RFC 9110 section 13: conditions

for words, tags in same("9110-13.1.2 If-None-Match: %s", (
        "{etag}", "*", "W/{etag}", '"a", {etag}', '{etag}, "a"', '"a",{etag},"b"', ' , {etag}', ' "a" ,\t{etag} ')):
    case(words, ask(f"If-None-Match: {tags}"), "304 keep", check="unchanged")
for words, tags in same("9110-13.1.2 If-None-Match: %s", ('"a"', 'W/"a"', '""', '"*"', '', '"a", "b"', '"{etag}"')):
    case(words, ask(f"If-None-Match: {tags}"), "200 keep", check="file")
case("9110-13.1.2 If-None-Match of HEAD", ask("If-None-Match: {etag}", line=f"HEAD {FILE} HTTP/1.1"), "304 keep")
case("9110-13.1.2 in the second of two fields", ask('If-None-Match: "a"', "If-None-Match: {etag}"), "304 keep")
case("9110-13.2.1 not for what is not there", get("/none", "If-None-Match: *"), "404 keep")
case("9110-13.2.1 not for a method that is not allowed", post("", "Content-Length: 0", "If-None-Match: {etag}"), "405 keep")
for words, tags in same("9110-13.1.1 If-Match: %s", ("{etag}", "*", '"a", {etag}')):
    case(words, ask(f"If-Match: {tags}"), "200 keep", check="file")
for words, tags in same("9110-13.1.1 If-Match: %s", ('"a"', "W/{etag}", '""', '"a", "b"')):
    case(words, ask(f"If-Match: {tags}"), "412 keep")
case("9110-13.1.1 If-Match of HEAD", ask('If-Match: "a"', line=f"HEAD {FILE} HTTP/1.1"), "412 keep")
case("9110-13.1.1 If-Match of what is not there", get("/none", "If-Match: *"), "404 keep")
case("9110-13.1.1 If-Match of a document, which has no tag", get("/api/arp", 'If-Match: "a"'), "412 keep")
case("9110-13.1.1 If-Match: * of a document", get("/api/arp", "If-Match: *"), "200 keep", check="json")
case("9110-13.1.2 If-None-Match of a document", get("/api/arp", 'If-None-Match: "a"'), "200 keep", check="json")
case("9110-13.1.2 If-None-Match: * of a document", get("/api/arp", "If-None-Match: *"), "304 keep")
case("9110-13.2.2 If-Match comes first", ask('If-Match: "a"', "If-None-Match: {etag}"), "412 keep")
case("9110-13.2.2 both hold", ask("If-Match: {etag}", "If-None-Match: {etag}"), "304 keep")
case("9110-13.2.2 If-None-Match comes before Range", ask("If-None-Match: {etag}", "Range: bytes=0-1"), "304 keep")
case("9110-13.1.3 no date is one", ask("If-Modified-Since: yesterday"), "200 keep")
case("9110-13.1.3 If-None-Match stands above it", ask('If-None-Match: "a"', "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"), "200 keep")

# --- section 14: ranges

for words, asked in same("9110-14.1.2 bytes=%s", ("0-0", "0-9", "5-9", "-1", "-10", "10-", "0-", "0-999999", "-999999", "0-18446744073709551616", "00-09", "0-99999999999999999999999")):
    case(words, ask(f"Range: bytes={asked}"), "206 keep", check="range")
for words, asked in same("9110-15.5.17 bytes=%s", ("999999-", "999999-1000000", "-0", "18446744073709551616-", "9223372036854775808-")):
    case(words, ask(f"Range: bytes={asked}"), "416 keep", check="no_range")
for words, asked in same("9110-14.2 what is no range is ignored, %s", (
        "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=1", "bytes", "items=0-1", "bytes=0-1-2", "bytes=--1", "bytes=0x0-1", "=0-1", "bytes:0-1", "bytes=+0-1")):
    case(words, ask(f"Range: {asked}"), "200|416 keep")
case("9110-14.1 the unit in capitals", ask("Range: BYTES=0-9"), "206 keep", check="range")
case("9110-14.2 several ranges", ask("Range: bytes=0-1,4-5"), "200 keep", check="file")
case("9110-14.2 a thousand ranges", ask("Range: bytes=" + ",".join(f"{i}-{i}" for i in range(1000))), "200 keep", check="file")
case("9110-14.2 Range is for GET", ask("Range: bytes=0-9", line=f"HEAD {FILE} HTTP/1.1"), "200 keep")
case("9110-14.2 Range of what is not there", get("/none", "Range: bytes=0-9"), "404 keep")
case("9110-14.2 Range of a document", get("/api/arp", "Range: bytes=0-9"), "200 keep")
case("9110-14.2 two of them", ask("Range: bytes=0-9", "Range: bytes=5-9"), "400 close")
case("9110-13.1.5 If-Range holds", ask("Range: bytes=0-9", "If-Range: {etag}"), "206 keep", check="range")
for words, tag in same("9110-13.1.5 If-Range: %s", ('"a"', "W/{etag}", "Fri, 01 Jan 2100 00:00:00 GMT", "", "*")):
    case(words, ask("Range: bytes=0-9", f"If-Range: {tag}"), "200 keep", check="file")
case("9110-13.1.5 If-Range without Range", ask('If-Range: "a"'), "200 keep", check="file")

# --- sections 8.4, 12.5.3: gzip

for words, takes in same("9110-12.5.3 Accept-Encoding: %s", (
        "gzip", "GZIP", "x-gzip", "gzip, deflate, br", "deflate, gzip", "gzip;q=0.5", "*", "gzip;q=1.0, identity;q=0", "gzip; q=0.001", "br;q=1, gzip;q=0.1", "*;q=0.5", "gzip\t;\tq=1")):
    case(words, ask(f"Accept-Encoding: {takes}"), "200 keep", check="gzip")
for words, takes in same("9110-12.5.3 Accept-Encoding: %s", (
        "", "identity", "deflate", "gzip;q=0", "gzip;q=0.000", "*;q=0", "gzip;q=0, *", "gzipx", "br", "x-gzipp", "gzip;Q=0")):
    case(words, ask(f"Accept-Encoding: {takes}"), "200 keep", check="plain")
case("9110-12.5.3 none", ask(), "200 keep", check="plain")
case("9110-12.5.3 in the second of two fields", ask("Accept-Encoding: br", "Accept-Encoding: gzip"), "200 keep", check="gzip")
case("9110-12.5.3 HEAD", ask("Accept-Encoding: gzip", line=f"HEAD {FILE} HTTP/1.1"), "200 keep", check="head_gzip")
case("9110-14.2 a range of what is packed", ask("Accept-Encoding: gzip", "Range: bytes=0-1"), "206 keep", check="range_gzip")
case("9110-8.8.3 the tag of what is not packed is another", ask("Accept-Encoding: gzip", "If-None-Match: {etag}"), "200 keep", check="gzip")

# --- other fields that a browser sends, and what we say

case("9110-12.5.1 Accept", ask("Accept: text/html"), "200 keep")
case("9110-12.5.4 Accept-Language", ask("Accept-Language: de-CH, de;q=0.9"), "200 keep")
case("9110-8.3 the type of a page", get("/"), "200 keep", check="html")
case("9110-8.3 the type of a document", get("/api/arp"), "200 keep", check="json")
case("9110-7.6.3 Via, Forwarded and the like", ask("Via: 1.1 a", "Forwarded: for=1.2.3.4;host=evil.example", "X-Forwarded-Host: evil.example"), "200 keep")
case("9110-4.2.3 X-Original-URL does not lead elsewhere", ask("X-Original-URL: /none", "X-Rewrite-URL: /none"), "200 keep", check="file")
case("9110-9.3.1 X-HTTP-Method-Override does not either", post("", "Content-Length: 0", "X-HTTP-Method-Override: GET"), "405 keep")
case("9110-15.5.5 a problem is a document", get("/api/none"), "404 keep")

# --- the addresses that take something

IN = "/api/shell/in?session=none"
LET_IN = "Authorization: Bearer {token}"


def type_in(body, *fields):
    return post(body, LET_IN, *fields, line=f"POST {IN} HTTP/1.1")


case("9110-11.6.1 who is not let in", post("", "Content-Length: 0", line=f"POST {IN} HTTP/1.1"), "401 keep", own=True)
case("9110-11.6.1 and waits to be asked for more", post("", *GO, line=f"POST {IN} HTTP/1.1"), "401 close", own=True)
case("9110-15.5.12 neither length nor coding", type_in(""), "411 keep", own=True)
case("9110-15.5.16 a type that is not taken", type_in("{}", "Content-Length: 2", "Content-Type: application/json"), "415 keep", own=True)
case("9110-15.5.16 a coding that is not taken", type_in("abc", "Content-Length: 3", "Content-Encoding: gzip"), "415 keep", own=True)
case("9110-15.5.14 more than the address takes", type_in("a" * 40000, "Content-Length: 40000"), "413 keep", own=True)
case("9110-15.5.14 more than that in chunks", type_in("9c40\r\n" + "a" * 40000 + "\r\n" + LAST, "Transfer-Encoding: chunked"), "413 keep", own=True)
case("9110-15.5.14 and waits to be asked for more", type_in("", "Content-Length: 40000", "Expect: 100-continue"), "413 close", own=True)
case("9110-15.5.6 a method that the address does not take", ask("Content-Length: 0", LET_IN, line=f"PUT {IN} HTTP/1.1"), "405 keep", own=True, check="allow_post")
case("9110-9.3.7 OPTIONS of it", ask(LET_IN, line=f"OPTIONS {IN} HTTP/1.1"), "204 keep", own=True, check="allow_post")
case("9110-9.3.3 to a session that there is not", type_in("x", "Content-Length: 1"), "404|400 keep", own=True)
case("9110-10.1.1 the same, when it is asked for more", (type_in("", *GO), 100, "12345"), "100 404|400 keep", own=True)
