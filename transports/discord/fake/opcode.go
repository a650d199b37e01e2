package fake

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/coder/websocket"
)

// The opcodes of the gateway. (topics/opcodes-and-status-codes.mdx)
const (
	opDispatch       = 0
	opHeartbeat      = 1
	opIdentify       = 2
	opPresence       = 3
	opVoiceState     = 4
	opResume         = 6
	opReconnect      = 7
	opRequestMembers = 8
	opInvalidSession = 9
	opHello          = 10
	opHeartbeatAck   = 11
)

// control queues a payload that is no event.
func (c *conn) control(b obj) {
	b["s"], b["t"] = nil, nil
	data, err := json.Marshal(b)
	if err != nil {
		panic(err) // only maps of strings and numbers are marshalled
	}
	c.queue(outgoing{data: data})
}

// hello begins a connection, or refuses its parameters.
func (c *conn) hello(version, encoding string) {
	n, err := strconv.Atoi(version)
	if err != nil || n < 9 || n > 10 || encoding != "json" {
		c.close(4012, "Invalid API version")
		return
	}
	c.version = n
	c.control(obj{"op": opHello, "d": obj{"heartbeat_interval": c.s.opts.Heartbeat.Milliseconds()}})
	c.beat = time.AfterFunc(c.patience(), c.starve)
}

// patience is how long a connection lives without a heartbeat.
func (c *conn) patience() time.Duration { return c.s.opts.Heartbeat * 3 / 2 }

// starve closes a connection whose heart has stopped; its session can be resumed.
// (events/gateway.mdx, Heartbeat Interval)
func (c *conn) starve() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.sess != nil {
		c.sess.app.counts.Starved++
	}
	c.close(4000, "no heartbeat")
}

// receive takes one payload of the client.
func (c *conn) receive(kind websocket.MessageType, data []byte) {
	if c.closing {
		return
	}
	if kind != websocket.MessageText || len(data) > maxPayload {
		c.close(4002, "Decode error")
		return
	}
	if c.tooFast() {
		c.close(4008, "Rate limited")
		return
	}
	var p struct {
		Op *int            `json:"op"`
		D  json.RawMessage `json:"d"`
	}
	if json.Unmarshal(data, &p) != nil || p.Op == nil {
		c.close(4002, "Decode error")
		return
	}
	if c.sess == nil && *p.Op != opHeartbeat && *p.Op != opIdentify && *p.Op != opResume {
		c.close(4003, "Not authenticated")
		return
	}
	switch *p.Op {
	case opHeartbeat:
		c.heartbeat()
	case opIdentify:
		c.identify(p.D)
	case opResume:
		c.resume(p.D)
	case opPresence:
		c.presence(p.D)
	case opRequestMembers:
		// The transport reads members by REST: not answered here.
	case opVoiceState:
		// There is no voice here: nothing happens, as when the channel is unknown.
	default:
		c.close(4001, "Unknown opcode")
	}
}

// tooFast counts the client's payloads.
func (c *conn) tooFast() bool {
	now := c.s.now()
	for len(c.sends) > 0 && now.Sub(c.sends[0]) > sendsPer {
		c.sends = c.sends[1:]
	}
	c.sends = append(c.sends, now)
	return len(c.sends) > maxSends
}

func (c *conn) heartbeat() {
	c.beat.Reset(c.patience())
	if c.sess != nil {
		c.sess.app.counts.Heartbeats++
		c.s.touch()
	}
	switch lag := c.s.ackLag; {
	case lag < 0: // a connection that is dead without knowing
	case lag == 0:
		c.control(obj{"op": opHeartbeatAck})
	default:
		time.AfterFunc(lag, func() {
			c.s.mu.Lock()
			defer c.s.mu.Unlock()
			c.control(obj{"op": opHeartbeatAck})
		})
	}
}
