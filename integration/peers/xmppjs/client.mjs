// A client on @xmpp/client that does what it is told.
//
// Each line on standard input is a JSON object {"order": n, "do": name, ...arguments}; each line on standard output is
// {"order": n, "ok": result}, {"order": n, "error": text} or an event {"event": "stanza" | "nonza" | "sent" | "online" | "resumed" |
// "gone", "kind": name, "raw": xml}.
import { createInterface } from "node:readline";
import { client, xml } from "@xmpp/client";
import WebSocket from "ws";

globalThis.WebSocket ??= WebSocket; // which Node.js has from 22 on

const print = (line) => process.stdout.write(JSON.stringify(line) + "\n");
let xmpp;

function connect({ service, domain, username, password, device, copies }) {
  xmpp = client({
    service,
    domain,
    resource: "js",
    username,
    password,
    userAgent: xml("user-agent", { id: device }, xml("software", {}, "xmpp.js"), xml("device", {}, "test")),
  });
  xmpp.reconnect.delay = 50;
  if (copies) {
    xmpp.bind2.use("urn:xmpp:carbons:2", () => xml("enable", { xmlns: "urn:xmpp:carbons:2" }));
  }
  xmpp.on("error", (err) => print({ event: "error", reason: String(err) }));
  xmpp.on("disconnect", () => print({ event: "gone" }));
  xmpp.on("online", (address) => print({ event: "online", raw: address.toString() }));
  xmpp.streamManagement.on("resumed", () => print({ event: "resumed", raw: xmpp.jid.toString() }));
  xmpp.on("stanza", (el) => print({ event: "stanza", kind: el.name, raw: el.toString() }));
  xmpp.on("nonza", (el) => print({ event: "nonza", kind: el.name, raw: el.toString() }));
  xmpp.on("send", (el) => print({ event: "sent", kind: el.name, raw: el.toString() }));
  return xmpp.start();
}

// element makes [name, attributes, child...] an element; children are texts and elements.
const element = ([name, attrs, ...children]) =>
  xml(name, attrs, ...children.map((child) => (Array.isArray(child) ? element(child) : child)));

const commands = {
  async login(args) {
    return { jid: (await connect(args)).toString() };
  },
  async send({ to, body, id }) {
    await xmpp.send(xml("message", { to, id, type: "chat" }, xml("body", {}, body)));
  },
  // ask sends a request and returns the answer's payload, or fails with the condition.
  async ask({ type, to, payload }) {
    const answer = await xmpp.iqCaller.request(xml("iq", { type, to }, element(payload)), 30_000);
    return { raw: answer.children.map(String).join("") };
  },
  // put uploads a text, as the slot says.
  async put({ url, headers, text }) {
    return { status: (await fetch(url, { method: "PUT", headers, body: text })).status };
  },
  async available() {
    await xmpp.send(xml("presence"));
  },
  // cut ends the connection as a network does that is gone; the client connects again by itself.
  async cut() {
    cut();
  },
  // restart logs in anew, without an earlier session to resume.
  async restart() {
    xmpp.streamManagement.id = "";
    xmpp.streamManagement.enabled = false;
    cut();
  },
};

// cut ends the connection without the end of the stream: a TCP connection, or a WebSocket.
function cut() {
  const inner = xmpp.socket.socket;
  inner.destroy ? inner.destroy() : inner.close();
}

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { order, do: name, ...args } = JSON.parse(line);
  try {
    print({ order, ok: (await commands[name](args)) ?? null });
  } catch (err) {
    print({ order, error: String(err) });
  }
}).on("close", () => process.exit(0));
