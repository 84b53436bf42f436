"""peers.py - where the peers of calibrate.py answer otherwise than a case wants, and why the case is right all the same.

    (WHAT CAME, WHY, (BEGINNING OF A CASE'S NAME, ...))

WHAT CAME must be in what the judge says of the case. Each beginning must be that of a case that differs: a note that
is no longer true is a failure of the calibration.
"""

NGINX = (
    # it repairs or lets pass what RFC 9112 lets a server refuse, or says is to be refused
    ("200 'keep'", "takes LF for CR LF, which 9112-2.2 allows; we do not, for not all do", (
        "9112-2.2 a bare LF", "9112-2.2 LF alone", "9112-2.2 CR CR LF ends a field line")),
    ("'keep'", "the same in chunks, where 9112-2.2 allows it to nobody", (
        "9112-7.1 a bare LF", "9112-7.1 shorter than its size")),
    ("413 'close'", "the same: the LF in an extension ends the line", ("9112-7.1.1 no extension, ;a\\n0",)),
    ("200 'keep'", "skips spaces around the parts of a request line, which 9112-3 allows to the lenient", (
        "9112-3 two spaces", "9112-3 a space behind the version")),
    ("200 'keep'", "looks at the first digits of a version", ("9112-2.3 what is no version, HTTP/1.10",)),
    ("Malformed", "answers as HTTP/0.9, without a head", ("9112-2.3 HTTP/0.9", "9112-2.3 what is no version, nothing")),
    ("200 'keep'", "drops fields whose names are none, unseen", (
        "9112-5.1 no field line, A", "9112-5.1 no field line, \\xc4: b", "9112-5.1 no field line, \"A\"", "9112-5.1 no field line, =: b")),
    ("200 'keep'", "looks for NUL, CR and LF only; 9110-5.5 lets the other control characters be", ("9110-5.5 no field value, a\\x",)),
    ("200 'keep'", "looks for the end of a name in Host, not at the port", ("9110-7.2 no Host is localhost:",)),
    ("403 'keep'", "takes them for names, which are not ours", (
        "9110-7.2 no Host is user@", "9110-7.2 no Host is [", "9110-7.2 no Host is localhost?", "9110-7.2 no Host is localhost#",
        "9110-7.2 no Host is localhost\\\\", "9110-7.2 no Host is %")),
    ("200 'keep'", "cuts a fragment off, which no client may send", ("9112-3.2.1 a fragment",)),
    ("200 'keep'", "does not look at the scheme", ("9112-3.2.2 no absolute form, ftp:", "9110-4.2.4 of a scheme")),
    ("404 'keep'", "decodes it and finds no file", ("3986-2.1 what could be read in two ways, /a%", "3986-2.1 what could be read in two ways, /%")),
    ("200 'keep'", "does not look at them", ("9110-15.5.18 the expectation",)),
    ("405 'keep'", "does not look at what is in extensions and trailers, nor at their size", (
        "9112-7.1 no chunk size, 5 ", "9112-7.1 no chunk size, 5\\t", "9112-7.1.1 no extension, ;a", "9112-7.1.1 no extension,  a",
        "9112-7.1.1 extensions that are long", "9112-7.1.2 no trailer", "9112-7.1.2 too many", "9112-7.1.2 a request in it")),
    ("200 'close'", "skips empty lines without a limit, and so meets the probe", ("9112-2.2 empty lines without an end",)),
    ("TimeoutError", "the same: it waits for the end of the trailer", ("9112-7.1.2 a trailer without an end",)),

    # it refuses in another way
    ("501 'keep'", "stays behind a method that it does not know; we do not read on behind a method without rules", (
        "9110-9.1 the method",)),
    ("200 501 200 200 'close'", "the same", ("9112-9.3.2 nothing behind a method",)),
    ("400 'close'", "takes a method in other letters than A to Z, - and _ for none", (
        "9110-9.1 the method get", "9110-9.1 the method Get", "9110-9.1 the method !")),
    ("400 'close'", "says 400 with a text of its own, where 431 is newer than it", (
        "9110-5.4 a byte longer", "9110-5.4 a field without", "9110-5.4 a name without", "9110-5.4 a Host without")),
    ("400 'close'", "has no limit for all fields together, but 8 KiB for one", ("9110-5.4 as long as fields may be",)),
    ("200 'keep'", "has no limit for their number", ("9110-5.4 one more",)),
    ("414 'close'", "counts CR LF", ("9112-3 as long as a line may be",)),
    ("TimeoutError", "says 413 and then waits for what it refused", ("9110-15.5.14 a", "9110-10.1.1 refused for its length")),
    ("412 'close'", "closes behind 412", ("9110-13.1.1 If-Match", "9110-13.2.2 If-Match comes first")),
    ("405: no allow", "says no Allow of itself", ("9110-9.3.8 TRACE",)),

    # where RFC 9110 is with us
    ("400 'close'", "has no OPTIONS *", (
        "9110-9.3.7 OPTIONS of all", "9110-9.3.7 OPTIONS with content", "9110-7.6.2 Max-Forwards", "9112-9.3.2 answers of any kind")),
    ("'close' came", "does not know tabs around a value: 9110-5.6.3", (
        "9112-5.1 Host between", "9112-6.2 spaces around", "9112-6.1 spaces around")),
    ("200 'close'", "looks for the letters anywhere in the value", ("9110-7.6.1 Connection: closed", "9110-7.6.1 Connection: close-not")),
    ("100 200", "says 100 where no content comes", ("9110-10.1.1 without content", "9110-10.1.1 with content of no length")),
    ("came", "says 100 before it asks the server behind it, and stays behind a refusal: the probe is its content", (
        "9110-10.1.1 refused before", "9110-10.1.1 refused for its host")),
    ("TimeoutError", "compares the whole value of Expect; 9110-5.6.1 has empty elements of a list ignored", (
        "9110-10.1.1 among empty elements",)),
    ("400 'close'", "takes one If-None-Match", ("9110-13.1.2 in the second",)),
    ("416 'keep'", "takes no number beyond 63 bits", ("9110-14.1.2 bytes=0-",)),
    ("206 'keep'", "ranges are for GET: 9110-14.2", ("9110-14.2 Range is for GET",)),
    ("206 'keep'", "takes the last of two; a field that is no list comes once: 9110-5.3", ("9110-14.2 two of them",)),
    ("BadGzipFile", "looks for the word gzip: nothing that RFC 9110 demands", (
        "9110-12.5.3 Accept-Encoding: x-gzip", "9110-12.5.3 Accept-Encoding: *", "9110-12.5.3 Accept-Encoding: gzip\\t", "9110-12.5.3 in the second")),
    ("200 'keep'", "has no ranges of what is packed", ("9110-14.2 a range of what is packed",)),
)

WS_FRAMES = (
    ("TimeoutError", "takes lengths in more bytes than they need: 5.2 forbids them to the sender", ("5.2 16 bits for", "5.2 64 bits for")),
    ("8:03f1 came", "2^63 is too large for it in any case, and it says so", ("5.2 a length of 2^63", "5.2 a length of 2^64")),
    ("TimeoutError", "looks at a message at its end, we at each byte: 8.1 leaves it", ("8.1 ff is refused", "8.1 e228", "8.1 eda0", "8.1 f490", "8.1 c0 is")),
)

WS_SHAKES = (
    ("400 came", "says 400 where 4.2.2 and RFC 9110 have 426", ("4.2.1 no Upgrade is", "4.2.2 no version is")),
    ("400 came", "takes Upgrade for one word; 9110-7.8 has a list", ("4.2.1 Upgrade: h2c, ", "4.2.1 Upgrade: websocket, ")),
    ("101 came", "speaks the drafts, too, and reads numbers as JavaScript does", ("4.2.2 no version is '8'", "4.2.2 no version is '013'", "4.2.2 no version is '13.0'")),
    ("405 came", "says 405 to whatever is not GET", ("4.2.1 HEAD", "4.2.1 OPTIONS")),
    ("Malformed", "node refuses the method, without a length", ("4.2.1 BREW",)),
    ("101 came", "leaves HTTP to node, which lets it pass", ("4.2.1 HTTP/1.0", "4.2.1 with content", "4.2.1 no Host")),
    ("101 came", "leaves Host and Origin to its user", ("4.2.1 Host is that of another", "10.2 Origin is that of another")),
    ("400 came", "compares the target as it stands", ("4.2.1 with the absolute form", "4.2.1 a path below")),
    ("something is agreed to", "chooses the first protocol", ("1.9 protocols",)),
)
