"""One end of connections between XMPP servers that sends what it is given, right or wrong.

Each line on standard input is a JSON object {"order": n, "do": "dial", "listen" or "accepted", ...arguments}; each line on standard output is
{"order": n, "ok": result} or {"order": n, "error": text}. The first two take a list of steps, which are run on the connection, or on each
connection that another server opens:

    ["send", text]             writes; {name} in it is a value of "take" or of the header
    ["drip", text, seconds]    writes one byte, waits, writes the next one
    ["repeat", n, text]        writes the text n times
    ["until", text]            reads until the text has come
    ["take", name, pattern]    keeps what the pattern's group has found in what came so far, for all connections
    ["wait", name]             waits until another connection has taken the name
    ["tls", certificate, key]  begins TLS, with files or without
    ["restart"]                begins a new stream: what comes now is a document of its own
    ["rest"]                   reads until the other end closes
    ["hold", seconds]          does nothing, and does not read
    ["close"]                  closes without ending the stream

"accepted" waits for the end of the first connection at a port of "listen", and has the same result as "dial". That one has all elements that came, as expat and OpenSSL understand them: each as its namespace in braces, its name, and
its attribute type, if there is one. The result of "listen" is the port.
"""
import json
import queue
import re
import socket
import ssl
import sys
import threading
import time
import xml.parsers.expat

TIMEOUT = 60

writing = threading.Lock()
changed = threading.Condition()
values = {}
results = {}


def report(what):
    with writing:
        print(json.dumps(what), flush=True)


class Connection:
    """One connection, on which steps are run."""

    def __init__(self, sock, accepted):
        self.sock = sock
        self.accepted = accepted
        self.sock.settimeout(TIMEOUT)
        self.own = {}
        self.names = []
        self.fault = ""
        self.ended = ""
        self.restart()

    def restart(self):
        self.text = ""
        self.parser = xml.parsers.expat.ParserCreate(namespace_separator="}")
        self.parser.StartElementHandler = self.element

    def element(self, name, attributes):
        name = "{" + name if "}" in name else name
        if name == "{http://etherx.jabber.org/streams}stream":
            self.own["id"] = attributes.get("id", "")
        kind = attributes.get("type")
        self.names.append(name + (" " + kind if kind else ""))

    def read(self):
        """Reads once. False at the end."""
        try:
            data = self.sock.recv(65536)
        except socket.timeout:
            self.ended = "timeout"
            return False
        except (ConnectionError, ssl.SSLError, OSError) as error:
            self.ended = "reset: %s" % error
            return False
        if not data:
            self.ended = "closed"
            return False
        self.text += data.decode("utf-8", "replace")
        if not self.fault:
            try:
                self.parser.Parse(data, False)
            except xml.parsers.expat.ExpatError as error:
                self.fault = "%s: %s" % (error, self.text)
        return True

    def filled(self, text):
        with changed:
            known = {**values, **self.own}
        for name, value in known.items():
            text = text.replace("{" + name + "}", value)
        return text

    def run(self, steps):
        try:
            for step in steps:
                if not getattr(self, "do_" + step[0])(*step[1:]):
                    break
        except (ConnectionError, ssl.SSLError, OSError) as error:
            self.ended = self.ended or "reset: %s" % error
            while self.ended.startswith("reset") and self.read():  # why it was reset
                pass
        self.sock.close()
        return {"names": self.names, "ended": self.ended, "fault": self.fault, "text": self.text[-2000:]}

    def do_send(self, text):
        self.sock.sendall(self.filled(text).encode())
        return True

    def do_drip(self, text, seconds):
        data = self.filled(text).encode()
        self.sock.settimeout(seconds)
        for i in range(len(data)):
            self.sock.sendall(data[i:i + 1])
            before = time.monotonic()
            if not self.read() and self.ended != "timeout":
                return False
            time.sleep(max(0, before + seconds - time.monotonic()))
        self.sock.settimeout(TIMEOUT)
        self.ended = ""
        return True

    def do_repeat(self, n, text):
        self.sock.sendall(self.filled(text).encode() * n)
        return True

    def do_until(self, text):
        text = self.filled(text)
        while text not in self.text:
            if not self.read():
                return False
        return True

    def do_take(self, name, pattern):
        found = re.search(pattern, self.text)
        if not found:
            self.fault = "%s is not in %s" % (pattern, self.text)
            return False
        with changed:
            values[name] = found.group(1)
            changed.notify_all()
        return True

    def do_wait(self, name):
        with changed:
            return changed.wait_for(lambda: name in values, TIMEOUT)

    def do_tls(self, certificate="", key=""):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if self.accepted else ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if certificate:
            context.load_cert_chain(certificate, key)
        self.sock = context.wrap_socket(self.sock, server_side=self.accepted)
        return self.do_restart()

    def do_restart(self):
        self.restart()
        return True

    def do_rest(self):
        while self.read():
            pass
        return True

    def do_hold(self, seconds):
        time.sleep(seconds)
        return True

    def do_close(self):
        self.sock.close()
        self.ended = "own end"
        return False


def dial(address, steps):
    host, port = address.rsplit(":", 1)
    return Connection(socket.create_connection((host, int(port)), TIMEOUT), False).run(steps)


def listen(steps):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)  # what one that does not read takes
    listener.bind(("127.0.0.1", 0))
    listener.listen(100)
    port = listener.getsockname()[1]
    results[port] = queue.Queue()

    def serve():
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=lambda: results[port].put(Connection(sock, True).run(steps)), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return port


def accepted(port):
    return results[port].get(timeout=TIMEOUT)


def carry_out(order):
    number, name = order.pop("order"), order.pop("do")
    try:
        report({"order": number, "ok": {"dial": dial, "listen": listen, "accepted": accepted}[name](**order)})
    except Exception as error:  # the test prints it
        report({"order": number, "error": "%s: %s" % (type(error).__name__, error)})


for line in sys.stdin:
    threading.Thread(target=carry_out, args=(json.loads(line),), daemon=True).start()
