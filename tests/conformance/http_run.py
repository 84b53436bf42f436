"""http_run.py - says the cases of http_cases.py to a server and judges what comes.

    run = http_run.Run(address, content_of_FILE, token)
    run.failed()                 # {name: what was wrong}
    run.failed(piece=1)          # the same, the short ones byte by byte

For Mazu every reply must also keep what its clients rely on (Run.rules); with `peer`, the name of a server that
the cases are calibrated against, only what RFC 9110 demands of any.
"""
import datetime
import gzip
import json

import http_cases
import wire

SHORT = 600  # bytes of a case that is said byte by byte


class Run:
    def __init__(self, address, content, token="", peer=None, limit=wire.LIMIT_S):
        self.address, self.content, self.token, self.peer, self.limit = address, content, token, peer, limit
        self.etag, self.etag_gzip = (self.ask(fields)["etag"] for fields in ((), ("Accept-Encoding: gzip",)))

    def ask(self, fields):
        with self.talk() as talk:
            talk.say(http_cases.ask("Connection: close", *fields).encode())
            return talk.reply()

    def talk(self):
        return wire.Talk(self.address, self.limit, may_reset=bool(self.peer))

    def failed(self, piece=0):
        cases = [c for c in http_cases.CASES if not (self.peer and c.own)]
        if piece:
            cases = [c for c in cases if sum(len(s) for s in c.said if isinstance(s, str)) <= SHORT]
        return wire.in_parallel(cases, lambda case: self.judge(case, piece),
                                wire.AT_ONCE_IN_PIECES if piece else wire.AT_ONCE)

    def judge(self, case, piece=0):
        """What was wrong, or nothing."""
        with self.talk() as talk:
            replies = self.converse(talk, case, piece)
        *wanted, end = case.want.split()
        kept = len(replies) == len(wanted) + 1 and replies[-1].status == 200
        got = [r.status for r in (replies[:-1] if kept else replies)]
        if not self.agrees(got, kept, wanted, end):
            return f"{case.want!r} was wanted, {' '.join(map(str, got))} {'keep' if kept else 'close'!r} came"
        return self.all_rules(case, replies, kept)

    @staticmethod
    def agrees(got, kept, wanted, end):
        if end != "*" and kept != (end == "keep"):
            return False
        optional = wanted[:1] == ["100"] and any("|" in w for w in wanted)  # "100 200|200": without the interim one, too
        if optional and got[:1] != [100]:
            wanted = wanted[1:]
        return len(got) == len(wanted) and all(str(status) in want.split("|") for status, want in zip(got, wanted))

    def converse(self, talk, case, piece):
        replies, finals = [], 0

        def hear():
            nonlocal finals
            reply = talk.reply(is_head=finals in case.heads)
            if reply:
                replies.append(reply)
                finals += reply.status >= 200
            return reply
        for step in case.said:
            if isinstance(step, str):
                talk.say(step.replace("{etag}", self.etag).replace("{token}", self.token).encode("latin-1"), piece)
            else:
                while (reply := hear()) and reply.status != step:
                    pass
                if not reply:
                    return replies
        if case.eof:
            talk.hang_up()
        else:
            talk.say(http_cases.PROBE.encode(), piece)
        while hear():
            pass
        return replies

    # --- what holds of each reply

    def all_rules(self, case, replies, kept):
        said = replies[:-1] if kept else replies
        for reply in replies:
            if why := self.rules(reply, case.heads):
                return f"{reply.status}: {why}"
        if not self.peer:
            if not kept and said and not said[-1].closes and not case.eof:
                return f"{said[-1].status}: the last reply does not say that the server closes"
            if kept and any(r.closes for r in said):
                return "a reply says that the server closes, and it does not"
        if kept and replies[-1].body != self.content:
            return "the probe got something else"
        return self.check(case.check, said[-1]) if case.check else ""

    def rules(self, reply, heads):
        need = {401: "www-authenticate", 405: "allow", 416: "content-range", 426: "upgrade"}.get(reply.status)
        if need and not reply[need]:
            return f"no {need}"
        if 200 <= reply.status < 500 and not self.is_dated(reply):
            return f"the date {reply['date']}"
        names = [name for name, _ in reply.fields]
        twice = {name for name in names if names.count(name) > 1}
        if twice - {"connection", "set-cookie", "vary"}:
            return f"{twice} twice"
        if self.peer or reply.status < 200:
            return ""
        if reply.status >= 400:
            if reply["content-type"] != "application/problem+json":
                return f"an error of the type {reply['content-type']}"
            if reply.body or not heads:
                problem = json.loads(reply.body)
                if problem["status"] != reply.status or not problem["title"] or not problem["detail"]:
                    return f"the problem {problem}"
        if reply["x-content-type-options"] != "nosniff" or not reply["content-security-policy"]:
            return "no security fields"
        return ""

    @staticmethod
    def is_dated(reply):
        """RFC 9110 section 6.6.1: by a server with a clock, which is this machine's; strptime leaves the day of the week alone."""
        try:
            said = datetime.datetime.strptime(reply["date"] or "", "%a, %d %b %Y %H:%M:%S GMT")
        except ValueError:
            return False
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        return said.strftime("%a, %d %b %Y %H:%M:%S GMT") == reply["date"] and \
            abs(now - said) < datetime.timedelta(hours=1)

    # --- what a case asks for by word

    def check(self, words, reply):
        return "" if getattr(self, f"is_{words}")(reply) else f"not {words}: {reply.fields} {reply.body[:60]!r}"

    def is_file(self, reply):
        return reply.body == self.content and reply["etag"] == self.etag and reply["accept-ranges"] == "bytes" and self.is_svg(reply)

    @staticmethod
    def is_svg(reply):
        return reply["content-type"] == "image/svg+xml"

    def is_head(self, reply):
        return reply["content-length"] == str(len(self.content)) and reply["etag"] == self.etag and self.is_svg(reply)

    def is_plain(self, reply):
        return self.is_file(reply) and reply["content-encoding"] is None and self.varies(reply)

    def is_gzip(self, reply):
        return gzip.decompress(reply.body) == self.content and self.is_gzip_fields(reply)

    def is_head_gzip(self, reply):
        return int(reply["content-length"]) < len(self.content) and self.is_gzip_fields(reply)

    def is_gzip_fields(self, reply):
        return reply["content-encoding"] == "gzip" and self.varies(reply) and self.is_svg(reply) and \
            reply["etag"] == self.etag_gzip

    @staticmethod
    def varies(reply):
        return "accept-encoding" in (reply["vary"] or "").lower()

    def is_unchanged(self, reply):
        return reply["etag"] == self.etag and (self.peer or reply["cache-control"] and self.varies(reply))

    def is_range(self, reply):
        return self.part(reply, self.content)

    def is_range_gzip(self, reply):
        return self.part(reply, self.ask(("Accept-Encoding: gzip",)).body) and reply["content-encoding"] == "gzip"

    @staticmethod
    def part(reply, whole):
        unit, _, rest = reply["content-range"].partition(" ")
        span, _, size = rest.partition("/")
        first, last = map(int, span.split("-"))
        return unit == "bytes" and int(size) == len(whole) and reply.body == whole[first:last + 1] != b""

    def is_no_range(self, reply):
        return reply["content-range"] == f"bytes */{len(self.content)}"

    @staticmethod
    def is_allow(reply):
        return {"GET", "HEAD", "OPTIONS"} <= {m.strip() for m in reply["allow"].split(",")}

    @staticmethod
    def is_allow_post(reply):
        return "POST" in {m.strip() for m in reply["allow"].split(",")}

    @staticmethod
    def is_says_keep_alive(reply):
        return reply["connection"].lower() == "keep-alive"

    @staticmethod
    def is_says_upgrade(reply):
        return reply["upgrade"] == "websocket" and reply["sec-websocket-version"] == "13"

    @staticmethod
    def is_html(reply):
        return reply["content-type"] == "text/html; charset=utf-8" and reply.body.startswith(b"<!")

    @staticmethod
    def is_json(reply):
        return reply["content-type"] == "application/json" and json.loads(reply.body)
