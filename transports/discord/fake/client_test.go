package fake_test

import (
	"encoding/json"
	"testing"

	"github.com/coder/websocket"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

// client is a gateway client that sends only what the test says.
type client struct {
	*testDiscord
	ws       *websocket.Conn
	interval float64
	session  string
	resumeAt string
	seq      int
}

// payload is what comes from the gateway.
type payload struct {
	Op int            `json:"op"`
	T  string         `json:"t"`
	S  int            `json:"s"`
	D  any            `json:"d"`
	M  map[string]any `json:"-"` // D, where it is an object
}

const everything = fake.Intents(1<<17 - 1)

// dial connects and takes HELLO.
func (w *testDiscord) dial(url string) *client {
	w.Helper()
	c := &client{testDiscord: w}
	c.connect(url + "/?v=10&encoding=json")
	hello := c.next()
	if hello.Op != 10 {
		w.Fatalf("instead of HELLO: %+v", hello)
	}
	c.interval = hello.M["heartbeat_interval"].(float64)
	return c
}

func (c *client) connect(url string) {
	c.Helper()
	ws, res, err := websocket.Dial(c.ctx, url, nil)
	c.ok(err)
	if res.Body != nil {
		res.Body.Close()
	}
	ws.SetReadLimit(1 << 22)
	c.ws = ws
	c.Cleanup(func() { ws.CloseNow() })
}

func (w *testDiscord) gateway() string { return "ws" + w.URL()[len("http"):] }

// online identifies and takes READY and the guild.
func (w *testDiscord) online(intents fake.Intents) *client {
	w.Helper()
	c := w.dial(w.gateway())
	c.identify(intents)
	c.ready()
	c.expect("GUILD_CREATE")
	return c
}

func (c *client) identify(intents fake.Intents) {
	c.send(2, m{"token": c.bot.Token(), "intents": int(intents), "properties": m{"os": "linux", "browser": "test", "device": "test"}})
}

func (c *client) ready() payload {
	c.Helper()
	p := c.expect("READY")
	c.session = p.M["session_id"].(string)
	c.resumeAt = p.M["resume_gateway_url"].(string)
	return p
}

// resume goes on with the session of another connection.
func (c *client) resume(old *client, seq int) {
	c.session, c.resumeAt = old.session, old.resumeAt
	c.send(6, m{"token": c.bot.Token(), "session_id": old.session, "seq": seq})
}

func (c *client) send(op int, d any) {
	c.Helper()
	data, err := json.Marshal(m{"op": op, "d": d})
	c.ok(err)
	c.ok(c.ws.Write(c.ctx, websocket.MessageText, data))
}

func (c *client) next() payload {
	c.Helper()
	p, err := c.try()
	c.ok(err)
	return p
}

func (c *client) try() (payload, error) {
	var p payload
	_, data, err := c.ws.Read(c.ctx)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return p, err
	}
	p.M, _ = p.D.(map[string]any)
	if p.S > 0 {
		if p.S != c.seq+1 {
			c.Errorf("sequence %d after %d", p.S, c.seq)
		}
		c.seq = p.S
	}
	return p, nil
}

// expect takes the next payload, which has to be that event.
func (c *client) expect(kind string) payload {
	c.Helper()
	p := c.next()
	if p.T != kind {
		c.Fatalf("instead of %s: %+v", kind, p)
	}
	return p
}

// expectOp takes the next payload, which has to have that opcode.
func (c *client) expectOp(op int) payload {
	c.Helper()
	p := c.next()
	if p.Op != op {
		c.Fatalf("instead of opcode %d: %+v", op, p)
	}
	return p
}

// closed takes payloads until the connection ends, and returns the code; -1 for none.
func (c *client) closed() int {
	c.Helper()
	for {
		if _, err := c.try(); err != nil {
			if c.ctx.Err() != nil {
				c.Fatal("the connection was not closed")
			}
			return int(websocket.CloseStatus(err))
		}
	}
}

// silent checks that nothing was sent before a heartbeat's answer.
func (c *client) silent() {
	c.Helper()
	c.send(1, c.seq)
	if p := c.next(); p.Op != 11 {
		c.Errorf("something came: %+v", p)
	}
}

func same[V comparable](t testing.TB, what string, got, want V) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
