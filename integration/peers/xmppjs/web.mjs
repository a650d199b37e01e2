// A client on StanzaJS or strophe.js that logs in, writes a message to itself, and leaves: node web.mjs LIBRARY URL DOMAIN USER PASSWORD TEXT
//
// It ends with status 0 when the message has come back and the stream has ended; what it sees is written to standard output.
import WebSocket from "ws";

globalThis.WebSocket ??= WebSocket; // which Node.js has from 22 on
const [library, url, domain, user, password, text] = process.argv.slice(2);
const overHTTP = url.startsWith("http");
const name = library + (overHTTP ? "-bosh" : "-websocket");

function received(body, leave) {
  if (body === text) {
    console.log("received");
    leave();
  }
}

async function strophe() {
  if (overHTTP) {
    globalThis.XMLHttpRequest = Requests;
  }
  const { Strophe, $msg, $pres } = await import("strophe.js");
  const connection = new Strophe.Connection(url, {});
  connection.connect(`${user}@${domain}/${name}`, password, (status, condition) => {
    console.log("status", status, condition ?? "");
    if (status === Strophe.Status.CONNECTED) {
      connection.addHandler((message) => {
        received(message.getElementsByTagName("body")[0]?.textContent, () => connection.disconnect("bye"));
        return true;
      }, null, "message");
      connection.send($pres());
      connection.send($msg({ to: `${user}@${domain}/${name}`, type: "chat" }).c("body").t(text));
    } else if (status === Strophe.Status.DISCONNECTED) {
      process.exit(0);
    }
  });
}

async function stanza() {
  const { createClient } = await import("stanza");
  const client = createClient({
    jid: `${user}@${domain}`, password, resource: name, transports: overHTTP ? { bosh: url, websocket: false } : { websocket: url, bosh: false },
  });
  client.on("session:started", () => {
    client.sendPresence();
    client.sendMessage({ to: client.jid, type: "chat", body: text });
  });
  client.on("message", (message) => received(message.body, () => client.disconnect()));
  client.on("stream:error", (error) => console.log("error", JSON.stringify(error)));
  // After disconnect over BOSH this library tells nothing but what it has read.
  client.on("raw:*", (direction, data) => overHTTP && direction.endsWith("incoming") && data.includes("type='terminate'") && process.exit(0));
  client.on("disconnected", () => process.exit(0));
  client.connect();
}

// Requests is what strophe.js needs of XMLHttpRequest, which Node.js does not have.
class Requests {
  readyState = 0;
  status = 0;
  #headers = {};
  #stop = new AbortController();

  open(method, address) {
    Object.assign(this, { method, address, readyState: 1 });
    this.onreadystatechange?.();
  }

  setRequestHeader(name, value) {
    this.#headers[name] = value;
  }

  getAllResponseHeaders() {
    return "";
  }

  abort() {
    this.#stop.abort();
  }

  async send(body) {
    try {
      const answer = await fetch(this.address, { method: this.method, headers: this.#headers, body, signal: this.#stop.signal });
      this.status = answer.status;
      this.responseText = await answer.text();
      this.responseXML = new DOMParser().parseFromString(this.responseText, "text/xml");
    } catch {
      this.status = 0;
    }
    this.readyState = 4;
    this.onreadystatechange?.();
  }
}

await { strophe, stanza }[library]();
