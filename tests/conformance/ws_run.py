"""ws_run.py - says the cases of ws_cases.py to a server and judges what comes.

    run = ws_run.Run(address)
    run.failed()                 # {name: what was wrong}: handshake first, then the frames
    run.failed(together=True)    # the frames in one piece with the handshake
    run.failed(piece=1)          # the short ones byte by byte
    run.failed_shakes()

`peer`: the name of a server that the cases are calibrated against, which need not keep what ours does.
"""
import base64
import hashlib

import http_cases
import wire
import ws_cases

SHORT = 400  # bytes of a case that is said byte by byte
ACCEPT = base64.b64encode(hashlib.sha1(f"{ws_cases.NONCE}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()


def spoken(case):
    return [s for s in case.said if isinstance(s, bytes)]


def shown(frame):
    return f"{frame[0]}:{frame[1][:20].hex()}{'..' if len(frame[1]) > 20 else ''}"


class Run:
    def __init__(self, address, peer=None, limit=wire.LIMIT_S):
        self.address, self.peer, self.limit = address, peer, limit

    def talk(self):
        return wire.Talk(self.address, self.limit, may_reset=bool(self.peer))

    def failed(self, piece=0, together=False):
        cases = [c for c in ws_cases.CASES if not piece or sum(map(len, spoken(c))) <= SHORT]
        if together:
            cases = [c for c in cases if len(spoken(c)) == len(c.said)]
        return wire.in_parallel(cases, lambda case: self.judge(case, piece, together),
                                wire.AT_ONCE_IN_PIECES if piece else wire.AT_ONCE)

    def failed_shakes(self):
        return wire.in_parallel(ws_cases.SHAKES, self.judge_shake)

    def judge(self, case, piece=0, together=False):
        with self.talk() as talk:
            hello = ws_cases.hello().encode()
            said = list(case.said)
            if together:
                hello, said = hello + b"".join(said), []
            talk.say(hello)
            if why := self.accepted(talk.reply()):
                return why
            got = self.converse(talk, said, piece)
        return "" if got == case.want else f"{' '.join(map(shown, case.want[-3:]))} was wanted, {' '.join(map(shown, got[-3:]))} came, {len(got)} in all"

    def hear(self, talk):
        """The next whole message or control frame: (opcode, content)."""
        frame = talk.frame()
        if not frame:
            return None
        op, content, whole = frame
        if not whole or op == ws_cases.CONT:
            raise wire.Malformed("a message in fragments")
        return op, content

    def converse(self, talk, said, piece):
        got = []
        for step in said:
            if isinstance(step, bytes):
                talk.say(step, piece)
                continue
            while frame := self.hear(talk):
                got.append(frame)
                if frame == step:
                    break
            else:
                return got
        while frame := self.hear(talk):
            got.append(frame)
            if frame[0] == ws_cases.CLOSE and self.peer:  # which may wait for us, and says the reason again
                got[-1] = (frame[0], frame[1][:2])
                return got
        if not got or got[-1][0] != ws_cases.CLOSE:
            raise wire.Malformed(f"the end without a close behind {' '.join(map(shown, got))}")
        return got

    def accepted(self, reply):
        if not reply or reply.status != 101:
            return f"the handshake got {reply}"
        if reply["sec-websocket-accept"] != ACCEPT or reply["upgrade"].lower() != "websocket" or reply["connection"].lower() != "upgrade":
            return f"101 with {reply.fields}"
        return "something is agreed to" if reply["sec-websocket-extensions"] or reply["sec-websocket-protocol"] else ""

    def judge_shake(self, shake):
        with self.talk() as talk:
            talk.say(shake.head.encode())
            reply = talk.reply(is_head=shake.head.startswith("HEAD "))
            if not reply:
                return "no reply"
            if str(reply.status) != shake.status:
                return f"{shake.status} was wanted, {reply.status} came"
            if reply.status == 426 and not self.peer and (reply["upgrade"] != "websocket" or reply["sec-websocket-version"] != "13"):
                return f"426 with {reply.fields}"
            if reply.status != 101:
                return "" if self.peer else self.goes_on(talk, reply)
            talk.say(ws_cases.BYE)
            got = self.accepted(reply) or self.hear(talk)
            return "" if got == ws_cases.GONE else f"{got} came"

    @staticmethod
    def goes_on(talk, reply):
        """Behind a refusal the connection is one of HTTP, unless the server has said that it closes."""
        talk.say(http_cases.PROBE.encode())
        probe = talk.reply()
        if reply.closes == bool(probe) or probe and probe.status != 200 or talk.end():
            return f"behind {reply.status} with Connection: {reply['connection']} came {probe}"
        return ""
