package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/bwmarrin/discordgo"
	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/transports"
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

// Limits of the gateway.
const (
	maxPayload   = 16 << 20 // a GUILD_CREATE of a large guild, in bytes
	sendEvery    = 600 * time.Millisecond
	sendBurst    = 60
	helloTimeout = 20 * time.Second
	resumable    = websocket.StatusCode(4000) // 1000 and 1001 would end the session at Discord's side
)

const intents = discordgo.IntentsGuilds | discordgo.IntentsGuildMembers | discordgo.IntentsGuildPresences | discordgo.IntentsGuildMessages |
	discordgo.IntentsGuildMessageReactions | discordgo.IntentsGuildMessageTyping | discordgo.IntentsDirectMessages |
	discordgo.IntentsDirectMessageReactions | discordgo.IntentsDirectMessageTyping | discordgo.IntentMessageContent

// resume is what is kept to go on where a connection stopped.
type resume struct {
	Session string `json:"session"`
	Seq     int64  `json:"seq"`
	URL     string `json:"url"`
}

type frame struct {
	Op   int             `json:"op"`
	Data json.RawMessage `json:"d"`
	Seq  *int64          `json:"s"`
	Type string          `json:"t"`
}

// run keeps a connection until ctx ends or Discord refuses for good.
func (s *session) run(ctx context.Context) {
	wait := s.n.o.RetryMin
	for ctx.Err() == nil {
		s.sink.State(transports.Connecting, nil)
		began := time.Now()
		err := s.connect(ctx)
		if ctx.Err() != nil {
			return
		}
		switch class := transports.ClassOf(err); class {
		case transports.NeedLogin:
			s.sink.State(transports.NeedsLogin, err)
			return
		case transports.Refused:
			s.sink.State(transports.Failed, err)
			return
		}
		s.sink.State(transports.Connecting, err)
		if time.Since(began) > time.Minute {
			wait = s.n.o.RetryMin
		}
		pause := wait/2 + rand.N(wait/2+1)
		var e *transports.Error
		if errors.As(err, &e) {
			pause = max(pause, e.After)
		}
		s.log.Debug("discord gateway ended", "err", err, "wait", pause)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		wait = min(2*wait, s.n.o.RetryMax)
	}
}

// connect runs one connection to its end.
func (s *session) connect(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	address, err := s.address(ctx)
	if err != nil {
		return err
	}
	dialCtx, dialed := context.WithTimeout(ctx, helloTimeout)
	ws, _, err := websocket.Dial(dialCtx, address, nil)
	dialed()
	if err != nil {
		s.state.setURL("") // the resume address may be what fails
		return transports.Later(0, err)
	}
	ws.SetReadLimit(maxPayload)
	defer func() { _ = ws.CloseNow() }() // closed with a code where that matters
	c := &connection{s: s, ws: ws, pace: rate.NewLimiter(rate.Every(sendEvery), sendBurst)}
	if err := c.hello(ctx); err != nil {
		return s.closed(err)
	}
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		c.beat(ctx)
	}()
	s.setConnection(c)
	err = c.read(ctx)
	s.setConnection(nil)
	cancel()
	_ = ws.Close(resumable, "") // it may be gone already
	<-beating
	return s.closed(err)
}

// address is where to connect: the session's own address to resume, else what Discord says.
func (s *session) address(ctx context.Context) (string, error) {
	base := s.state.resume().URL
	if base == "" {
		g, err := s.rest.GatewayBot(discordgo.WithContext(ctx))
		if err != nil {
			return "", classify(err)
		}
		if l := g.SessionStartLimit; l.Total > 0 && l.Remaining == 0 {
			return "", transports.Later(time.Duration(l.ResetAfter)*time.Millisecond, errors.New("no more session starts today"))
		}
		base = g.URL
	}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "wss" && (u.Scheme != "ws" || !loopback(u.Hostname())) {
		s.state.setURL("")
		return "", transports.Later(0, fmt.Errorf("gateway address %q", base))
	}
	q := u.Query()
	q.Set("v", "10")
	q.Set("encoding", "json")
	u.RawQuery = q.Encode()
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String(), nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// closed reads the reason of an end (docs: Gateway Close Event Codes).
func (s *session) closed(err error) error {
	switch status := websocket.CloseStatus(err); status {
	case 4004:
		s.state.forget()
		return transports.Relink("Discord does not accept the token any longer: link again with a new one", err)
	case 4013, 4014:
		s.state.forget()
		return transports.Relink(intentHelp("a privileged intent"), err)
	case 4010, 4011, 4012:
		return transports.Refuse("undefined-condition", "Discord refuses this connection", err)
	case 4007, 4009, 4003, 1000, 1001: // the session is over: a new one is begun
		s.state.forget()
	}
	var e *transports.Error
	if errors.As(err, &e) {
		return err
	}
	return transports.Later(0, err)
}

// connection is one WebSocket.
type connection struct {
	s        *session
	ws       *websocket.Conn
	pace     *rate.Limiter // 120 sends in 60 s
	interval time.Duration
	unacked  atomic.Bool
	resumed  bool
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

func (c *connection) next(ctx context.Context) (frame, error) {
	var f frame
	_, data, err := c.ws.Read(ctx)
	if err != nil {
		return f, err
	}
	err = json.Unmarshal(data, &f)
	return f, err
}

// hello waits for op 10, then resumes or identifies.
func (c *connection) hello(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	f, err := c.next(ctx)
	if err != nil {
		return err
	}
	var hello struct {
		Interval int64 `json:"heartbeat_interval"` // milliseconds
	}
	if f.Op != opHello || json.Unmarshal(f.Data, &hello) != nil || hello.Interval < 10 || hello.Interval > 10*60*1000 {
		return errors.New("the gateway did not say hello")
	}
	c.interval = time.Duration(hello.Interval) * time.Millisecond
	if r := c.s.state.resume(); r.Session != "" {
		c.resumed = true
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
			_ = c.ws.Close(resumable, "no heartbeat") // the reader sees the end
			return
		}
		if c.send(ctx, opHeartbeat, c.s.state.seq()) != nil {
			return // the reader sees the end
		}
		timer.Reset(c.interval)
	}
}

// read takes frames in order until the connection ends.
func (c *connection) read(ctx context.Context) error {
	for {
		f, err := c.next(ctx)
		if err != nil {
			return err
		}
		switch f.Op {
		case opDispatch:
			if err := c.s.dispatch(ctx, f); err != nil {
				return err
			}
		case opHeartbeat:
			if err := c.send(ctx, opHeartbeat, c.s.state.seq()); err != nil {
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
				c.s.state.forget()
			}
			// docs: wait one to five seconds before a new session
			return transports.Later(time.Second+rand.N(4*time.Second), errors.New("the session is not valid"))
		}
	}
}
