package discord

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
	"github.com/dragoman-im/dragoman/transports/discord/state"
	"github.com/dragoman-im/dragoman/transports/lenientjson"
)

// Pace of calls that nobody waits for; Discord allows 50 a second in all.
const (
	paceEvery = 50 * time.Millisecond
	paceBurst = 20
)

// client is an open connection of a login, which is a bot.
type client struct {
	n        *Network
	cred     credentials
	sink     transports.Sink
	api      *rest.API
	state    *state.State
	progress *progress
	hooks    *hooks
	log      *slog.Logger
	pace     *rate.Limiter
	warned   sync.Once // of messages that come without their content
	raw      lenientjson.Once

	cancel context.CancelFunc
	done   chan struct{}

	status
}

// status is what changes while a client is open.
type status struct {
	mu   sync.Mutex
	conn *connection
	over bool // a final state was reported
	// noWebhook has the channels whose webhook could not be used, and until when it is not tried again.
	noWebhook map[string]time.Time
}

func newClient(n *Network, login transports.Login, c credentials, sink transports.Sink) *client {
	var point resume
	_ = json.Unmarshal(login.State, &point) // without it a new session is begun
	s := &client{
		n: n, cred: c, sink: sink, api: n.api(c.Token), state: state.New(n.origin()), progress: &progress{point: point}, done: make(chan struct{}), status: status{noWebhook: map[string]time.Time{}},
		log: n.o.Log.With("login", string(login.ID)), pace: rate.NewLimiter(rate.Every(paceEvery), paceBurst),
	}
	s.hooks = newHooks(s)
	return s
}

func (s *client) start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.report(transports.Connecting, nil) // before Open returns: history is read once Discord has sent READY
	go func() {
		defer close(s.done)
		s.run(ctx)
	}()
}

// Close ends the connection and leaves Discord's session open, to be resumed.
func (s *client) Close(ctx context.Context) error {
	s.cancel()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *client) setConnection(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = c
}

func (s *client) connection() *connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn
}

// abort ends the connection that there is; it does not wait.
func (s *client) abort(cause error) {
	if c := s.connection(); c != nil {
		c.cancel(cause)
	}
}

// report reports a state, until it has reported a final one.
func (s *client) report(state transports.State, cause error) {
	s.mu.Lock()
	over := s.over
	s.over = over || state == transports.NeedsLogin || state == transports.Failed
	s.mu.Unlock()
	if !over {
		s.sink.State(state, cause)
	}
}

// fault classifies an error; a token that is no longer valid ends the client.
func (s *client) fault(err error) error {
	err = rest.Classify(err)
	if err != nil && transports.ClassOf(err) == transports.NeedLogin {
		s.report(transports.NeedsLogin, err)
	}
	return err
}

// asking makes a call that no user waits for: rate-limited, and repeated after Discord asked to wait.
func (s *client) paced(ctx context.Context, r rest.Request, out any) error {
	for {
		if err := s.pace.Wait(ctx); err != nil {
			return transports.Later(0, err) // also where it would take longer than ctx allows, which is no error of ctx
		}
		err := s.fault(s.api.Call(ctx, r, out))
		var e *transports.Error
		if !errors.As(err, &e) || e.Class != transports.Retry || !e.Unsent || e.After <= 0 {
			return err
		}
		timer := time.NewTimer(e.After)
		select {
		case <-ctx.Done():
			timer.Stop()
			return rest.Classify(ctx.Err())
		case <-timer.C:
		}
	}
}

// SetPresence shows the bot as its person is.
func (s *client) SetPresence(ctx context.Context, p transports.PresenceInfo) error {
	c := s.connection()
	if c == nil {
		return nil // set again when there is a connection
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

// Watch has nothing to do: Discord sends everybody's presence.
func (s *client) Watch(context.Context, []transports.UserID) error { return nil }

// Typing shows that the bot writes.
func (s *client) Typing(ctx context.Context, room transports.RoomID, typing transports.Typing) error {
	id, err := checkRoom(room)
	if err != nil || !typing.On {
		return err
	}
	r := rest.Get("/channels/{}/typing", id)
	r.Method = http.MethodPost
	return s.fault(s.api.Call(ctx, r, nil))
}
