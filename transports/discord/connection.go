package discord

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/lenientjson"
)

// Opcodes of the gateway (docs: Opcodes and Status Codes).
const (
	opDispatch       = 0
	opHeartbeat      = 1
	opIdentify       = 2
	opPresence       = 3
	opResume         = 6
	opReconnect      = 7
	opInvalidSession = 9
	opHello          = 10
	opHeartbeatAck   = 11
)

// usualInterval is the time between heartbeats, in milliseconds, where hello has none that can be.
const usualInterval = 41250

type frame struct {
	Op   int             `json:"op"`
	Data json.RawMessage `json:"d"`
	Seq  *int64          `json:"s"`
	Type string          `json:"t"`
}

// connection is one WebSocket.
type connection struct {
	s        *client
	ws       *websocket.Conn
	pace     *rate.Limiter // 120 sends in 60 s
	cancel   context.CancelCauseFunc
	interval time.Duration
	unacked  atomic.Bool
}

func (c *connection) send(ctx context.Context, op int, data any) error {
	if op != opHeartbeat {
		if err := c.pace.Wait(ctx); err != nil {
			return err
		}
	}
	raw, err := json.Marshal(map[string]any{"op": op, "d": data})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	return c.ws.Write(ctx, websocket.MessageText, raw)
}

// next reads a frame; ok is false for one that is none.
func (c *connection) next(ctx context.Context) (f frame, ok bool, err error) {
	_, data, err := c.ws.Read(ctx)
	if err != nil {
		return f, false, err
	}
	if _, err := lenientjson.Unmarshal(data, &f); err != nil {
		c.s.log.Warn("discord sent a frame that cannot be read", "bytes", len(data))
		return f, false, nil
	}
	return f, true, nil
}

// hello waits for op 10, then resumes or identifies.
func (c *connection) hello(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	f, ok, err := c.next(ctx)
	if err != nil {
		return err
	}
	var hello struct {
		Interval int64 `json:"heartbeat_interval"` // milliseconds
	}
	if !ok || f.Op != opHello {
		return errors.New("the gateway did not say hello")
	}
	if _, err := lenientjson.Unmarshal(f.Data, &hello); err != nil || hello.Interval < 10 || hello.Interval > 10*60*1000 {
		hello.Interval = usualInterval
	}
	c.interval = time.Duration(hello.Interval) * time.Millisecond
	if r := c.s.progress.resume(); r.Session != "" {
		return c.send(ctx, opResume, map[string]any{"token": c.s.cred.Token, "session_id": r.Session, "seq": r.Seq})
	}
	return c.send(ctx, opIdentify, map[string]any{
		"token": c.s.cred.Token, "intents": int(intents), "large_threshold": 250,
		"properties": map[string]string{"os": "linux", "browser": "dragoman", "device": "dragoman"},
	})
}

// beat sends heartbeats, the first after a random part of the interval, and ends the
// connection when one is not answered by the next (docs: Sending Heartbeats).
func (c *connection) beat(ctx context.Context) {
	timer := time.NewTimer(rand.N(c.interval))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if c.unacked.Swap(true) {
			c.cancel(errors.New("a heartbeat was not answered")) // a broken connection receives no close code
			return
		}
		if c.send(ctx, opHeartbeat, c.s.progress.seq()) != nil {
			return // the reader sees the end
		}
		timer.Reset(c.interval)
	}
}

// read takes frames in order until the connection ends.
func (c *connection) read(ctx context.Context) error {
	for {
		f, ok, err := c.next(ctx)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		switch f.Op {
		case opDispatch:
			if err := c.s.dispatch(ctx, f); err != nil {
				return err
			}
		case opHeartbeat:
			if err := c.send(ctx, opHeartbeat, c.s.progress.seq()); err != nil {
				return err
			}
		case opHeartbeatAck:
			c.unacked.Store(false)
		case opReconnect:
			return errors.New("discord asks to reconnect")
		case opInvalidSession:
			var may bool
			_ = json.Unmarshal(f.Data, &may) // anything else is false
			if !may {
				c.s.progress.forget()
			}
			// docs: wait one to five seconds before a new session
			return transports.Later(time.Second+rand.N(4*time.Second), errors.New("the session is not valid"))
		}
	}
}
