package discord

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"runtime/debug"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/content"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
)

// Limits of the gateway.
const (
	maxPayload   = 16 << 20 // a GUILD_CREATE of a large guild, in bytes
	sendEvery    = 600 * time.Millisecond
	sendBurst    = 60
	helloTimeout = 20 * time.Second
	steady       = time.Minute                // a connection that lasted so long was a good one
	resumable    = websocket.StatusCode(4000) // 1000 and 1001 would end the session at Discord's side
)

// intents are the kinds of events that the bot asks for (docs: Gateway Intents): guilds, their members, emoji and presences,
// messages, reactions and typing in guilds and in direct conversations, and the contents of messages.
const intents = discordgo.IntentGuilds | discordgo.IntentGuildMembers | discordgo.IntentGuildEmojis | discordgo.IntentGuildPresences |
	discordgo.IntentGuildMessages | discordgo.IntentGuildMessageReactions | discordgo.IntentGuildMessageTyping |
	discordgo.IntentDirectMessages | discordgo.IntentDirectMessageReactions | discordgo.IntentDirectMessageTyping | discordgo.IntentMessageContent

// run keeps a connection until ctx ends or Discord refuses for good.
func (s *client) run(ctx context.Context) {
	wait := s.n.o.RetryMin
	for ctx.Err() == nil {
		s.report(transports.Connecting, nil)
		began := time.Now()
		err := s.guardedConnect(ctx)
		s.progress.rewind()
		if ctx.Err() != nil {
			return
		}
		switch transports.ClassOf(err) {
		case transports.NeedLogin:
			s.report(transports.NeedsLogin, err)
			return
		case transports.Refused:
			s.report(transports.Failed, err)
			return
		}
		s.report(transports.Connecting, err)
		if time.Since(began) > steady {
			wait = s.n.o.RetryMin
		}
		pause := wait/2 + rand.N(wait/2+1)
		var e *transports.Error
		if errors.As(err, &e) {
			pause = max(pause, e.After)
		}
		s.log.Debug("discord gateway ended", "err", err, "wait", pause)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		wait = min(2*wait, s.n.o.RetryMax)
	}
}

// guardedConnect turns a bug of ours into a connection that ended.
func (s *client) guardedConnect(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("discord gateway", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = transports.Later(time.Minute, errors.New("panic"))
		}
	}()
	return s.connect(ctx)
}

// connect runs one connection to its end.
func (s *client) connect(ctx context.Context) error {
	address, err := s.address(ctx)
	if err != nil {
		return err
	}
	dialCtx, dialed := context.WithTimeout(ctx, helloTimeout)
	ws, _, err := websocket.Dial(dialCtx, address, nil)
	dialed()
	if err != nil {
		s.progress.setURL("") // the resume address may be what fails
		return transports.Later(0, fmt.Errorf("dial the gateway: %w", rest.Bare(err)))
	}
	ws.SetReadLimit(maxPayload)
	defer func() { _ = ws.CloseNow() }() // closed with a code where that matters
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c := &connection{s: s, ws: ws, pace: rate.NewLimiter(rate.Every(sendEvery), sendBurst), cancel: cancel}
	if err := c.hello(ctx); err != nil {
		return s.closed(ctx, err)
	}
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		c.beat(ctx)
	}()
	s.setConnection(c)
	err = c.read(ctx)
	s.setConnection(nil)
	if ctx.Err() == nil {
		_ = ws.Close(resumable, "") // it may be gone already
	}
	err = s.closed(ctx, err)
	cancel(nil)
	<-beating
	return err
}

// address is where to connect: the session's own address to resume, else the one that Discord gives.
func (s *client) address(ctx context.Context) (string, error) {
	base := s.progress.resume().URL
	if base == "" {
		var g struct {
			URL   string `json:"url"`
			Limit struct {
				Total      int   `json:"total"`
				Remaining  int   `json:"remaining"`
				ResetAfter int64 `json:"reset_after"` // milliseconds
			} `json:"session_start_limit"`
		}
		if err := s.api.Call(ctx, rest.Get("/gateway/bot"), &g); err != nil {
			return "", rest.Classify(err)
		}
		if l := g.Limit; l.Total > 0 && l.Remaining == 0 {
			return "", transports.Later(time.Duration(l.ResetAfter)*time.Millisecond, errors.New("no more session starts today"))
		}
		base = g.URL
	}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "wss" && (u.Scheme != "ws" || !loopback(u.Hostname())) {
		s.progress.setURL("")
		return "", transports.Later(0, fmt.Errorf("the gateway's address %q is none", content.Shorten(base, 100)))
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
func (s *client) closed(ctx context.Context, err error) error {
	switch status := websocket.CloseStatus(err); status {
	case 4004:
		s.progress.forget()
		return transports.Relink(rest.NeedToken, err)
	case 4013, 4014:
		s.progress.forget()
		return transports.Relink(intentHelp(s.intentsOff(ctx)), err)
	case 4010, 4011, 4012:
		return transports.Refuse("undefined-condition", "Discord refuses this connection", err)
	case 4007, 4009, 4003, 1000, 1001: // the session is over: a new one is begun
		s.progress.forget()
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause // what we ended it for
	}
	var e *transports.Error
	if errors.As(err, &e) && e.Class == transports.Retry {
		return e
	}
	return transports.Later(0, err)
}
