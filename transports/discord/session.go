package discord

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"
	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/transports"
)

// Pace of the questions that we ask by ourselves; Discord allows 50 a second in all.
const (
	paceEvery = 50 * time.Millisecond
	paceBurst = 20
)

// session is one bot.
type session struct {
	n       *Network
	account transports.Account
	cred    credentials
	sink    transports.Sink
	rest    *discordgo.Session
	state   *state
	hooks   *hooks
	log     *slog.Logger
	pace    *rate.Limiter

	cancel context.CancelFunc
	done   chan struct{}
	once   sync.Once

	mu   sync.Mutex
	conn *connection
}

func newSession(n *Network, account transports.Account, c credentials, sink transports.Sink) *session {
	var point resume
	_ = json.Unmarshal(account.State, &point) // without it a new session is begun
	s := &session{
		n: n, account: account, cred: c, sink: sink, rest: n.rest(c.Token), state: newState(point), done: make(chan struct{}),
		log: n.o.Log.With("account", string(account.ID)), pace: rate.NewLimiter(rate.Every(paceEvery), paceBurst),
	}
	s.hooks = newHooks(s)
	return s
}

func (s *session) start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go func() {
		defer close(s.done)
		s.run(ctx)
	}()
}

// Close ends the connection and leaves Discord's session open, to be resumed.
func (s *session) Close(context.Context) error {
	s.once.Do(func() {
		s.cancel()
		<-s.done
	})
	return nil
}

func (s *session) setConnection(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = c
}

func (s *session) connection() *connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn
}

// fault classifies an error; a token that has died ends the session.
func (s *session) fault(err error) error {
	err = classify(err)
	if transports.ClassOf(err) == transports.NeedLogin && err != nil {
		s.sink.State(transports.NeedsLogin, err)
	}
	return err
}

// asking calls the API for something that nobody waits for, at our own pace and again
// after Discord asked to wait.
func (s *session) asking(ctx context.Context, call func(discordgo.RequestOption) error) error {
	for {
		if err := s.pace.Wait(ctx); err != nil {
			return classify(err)
		}
		err := s.fault(call(discordgo.WithContext(ctx)))
		e, ok := err.(*transports.Error)
		if !ok || e.Class != transports.Retry || e.After <= 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return classify(ctx.Err())
		case <-time.After(e.After):
		}
	}
}

// SetPresence shows the bot as its person is.
func (s *session) SetPresence(ctx context.Context, p transports.PresenceInfo) error {
	c := s.connection()
	if c == nil {
		return nil // told again when it matters
	}
	status := map[transports.Show]string{
		transports.Available: "online", transports.Away: "idle", transports.Busy: "dnd", transports.Offline: "invisible",
	}[p.Show]
	if status == "" {
		status = "online"
	}
	err := c.send(ctx, opPresence, map[string]any{"since": nil, "activities": []any{}, "status": status, "afk": status == "idle"})
	if err != nil {
		return transports.Later(0, err)
	}
	return nil
}

// Watch has nothing to do: Discord tells everybody's presence.
func (s *session) Watch(context.Context, []transports.UserID) error { return nil }

// Typing shows that the bot writes.
func (s *session) Typing(ctx context.Context, room transports.RoomID, on bool) error {
	id, err := checkRoom(room)
	if err != nil || !on {
		return err
	}
	return s.fault(s.rest.ChannelTyping(id, discordgo.WithContext(ctx)))
}
