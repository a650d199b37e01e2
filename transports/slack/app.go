package slack

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/lenientjson"
)

// socketRead is the largest message of the socket that is taken, in bytes.
const socketRead = 1 << 20

// app is the socket of one app-level token and the logins that share it.
type app struct {
	n      *Network
	token  string
	id     string
	log    *slog.Logger
	cancel context.CancelFunc
	done   chan struct{}
	acks   chan acknowledgement

	// reporting is held from a change of online or final until it is reported to all logins, so that reports arrive
	// in the order of the changes. It is held while the sinks store them; mu is not.
	reporting sync.Mutex

	mu       sync.Mutex
	sessions []*client
	online   bool
	opened   bool // was online before
	final    error
}

func newApp(n *Network, c credentials) *app {
	return &app{n: n, token: c.App, id: c.appID(), log: n.o.Log.With("app", c.appID()), done: make(chan struct{}), acks: make(chan acknowledgement, maxAcks)}
}

func (a *app) start() {
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	go func() {
		defer close(a.done)
		var acking sync.WaitGroup
		acking.Go(func() { a.acknowledge(ctx) })
		a.run(ctx)
		cancel()
		acking.Wait()
	}()
}

func (a *app) stop() {
	a.cancel()
	<-a.done
}

// add takes in a new login.
func (a *app) add(s *client) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions = append(a.sessions, s)
}

// reportSocket gives a new login the state of the socket.
func (a *app) reportSocket(s *client) {
	a.reporting.Lock()
	defer a.reporting.Unlock()
	a.mu.Lock()
	online, final := a.online, a.final
	a.mu.Unlock()
	switch {
	case final != nil:
		s.reportFinal(final)
	case online:
		s.sink.State(transports.Online, nil)
		s.sink.Resynced()
	default:
		s.sink.State(transports.Connecting, nil)
	}
}

// remove reports whether s was the last login.
func (a *app) remove(s *client) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, other := range a.sessions {
		if other == s {
			a.sessions = append(a.sessions[:i:i], a.sessions[i+1:]...)
			break
		}
	}
	return len(a.sessions) == 0
}

func (a *app) all() []*client {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]*client(nil), a.sessions...)
}

// run keeps a socket open. slack-go would wait up to five minutes between two tries, so
// each try is a client of its own and the waiting is done here.
func (a *app) run(ctx context.Context) {
	wait := a.n.o.RetryMin
	for ctx.Err() == nil {
		began := time.Now()
		err := a.socket(ctx)
		if ctx.Err() != nil {
			return
		}
		if class := transports.ClassOf(err); err != nil && (class == transports.NeedLogin || class == transports.Refused) {
			a.endForGood(err)
			return
		}
		a.offline(err)
		if time.Since(began) > time.Minute {
			wait = a.n.o.RetryMin
		}
		jittered := wait/2 + rand.N(wait/2+1)
		a.log.Debug("slack socket ended", "err", err, "wait", jittered)
		select {
		case <-ctx.Done():
			return
		case <-time.After(jittered):
		}
		wait = min(2*wait, a.n.o.RetryMax)
	}
}

// socket runs one client until it cannot connect, or loses its connection for good.
func (a *app) socket(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client := socketmode.New(a.n.sockets(a.token), socketmode.OptionReadLimit(socketRead),
		socketmode.OptionPingInterval(a.n.o.Silence), socketmode.OptionDialer(dialer(ctx)))
	ended := make(chan error, 1)
	go func() { ended <- client.RunContext(ctx) }()
	var failure error
	for {
		select {
		case err := <-ended:
			if failure == nil && err != nil {
				failure = socketError(err)
			}
			return failure
		case event := <-client.Events:
			switch event.Type {
			case socketmode.EventTypeHello: // from now on events come here; before, the socket was open without events
				a.connected()
			case socketmode.EventTypeConnecting:
				a.offline(nil)
			case socketmode.EventTypeConnectionError:
				if e, ok := event.Data.(*slackgo.ConnectionErrorEvent); ok && failure == nil {
					failure = socketError(e.ErrorObj)
				}
				cancel() // our own waiting is shorter than slack-go's
			case socketmode.EventTypeInvalidAuth:
				failure = transports.Relink("Slack does not accept the app-level token any longer", nil)
				cancel()
			case socketmode.EventTypeErrorBadMessage:
				if bad, ok := event.Data.(*socketmode.ErrorBadMessage); ok {
					switch a.envelope(ctx, client, bad.Message) {
					case "hello":
						a.connected()
					case "disconnect": // Slack is about to close the socket
						cancel()
					}
				}
			default:
				if event.Request != nil && event.Request.EnvelopeID != "" {
					a.request(ctx, client, event.Request.EnvelopeID, event.Request.Type, event.Request.Payload)
				}
			}
		}
	}
}

// envelope handles a message that slack-go could not parse: it has to be acknowledged all the
// same, or Slack sends it again three times. It returns its type.
func (a *app) envelope(ctx context.Context, client *socketmode.Client, message json.RawMessage) string {
	var e struct {
		EnvelopeID string          `json:"envelope_id"`
		Type       string          `json:"type"`
		Payload    json.RawMessage `json:"payload"`
	}
	if _, err := lenientjson.Unmarshal(message, &e); err != nil || e.EnvelopeID == "" {
		a.log.Warn("slack sent a message that cannot be read", "type", e.Type, "bytes", len(message), "err", err)
		return e.Type
	}
	a.request(ctx, client, e.EnvelopeID, e.Type, e.Payload)
	return e.Type
}

// request delivers an envelope's event to all whom it concerns, and acknowledges it once it is durable
// for all of them. Where one of them could not take it, there is no acknowledgement, and Slack sends it again.
func (a *app) request(ctx context.Context, client *socketmode.Client, id, typ string, payload json.RawMessage) {
	d := &delivery{done: func(taken bool) {
		if !taken {
			return
		}
		select {
		case a.acks <- acknowledgement{client, id}:
		default: // so many are pending that this one would be too late: Slack sends the event again, and it is known then
		}
	}}
	d.begin()
	if typ == "events_api" {
		a.dispatch(ctx, d, payload)
	}
	d.end(nil)
}

func (a *app) dispatch(ctx context.Context, d *delivery, payload json.RawMessage) {
	defer func() {
		if r := recover(); r != nil { // one event is lost to us, not the process
			a.log.Error("slack event", "panic", r, "stack", string(debug.Stack()))
		}
	}()
	var w eventsPayload
	left, err := lenientjson.Unmarshal(payload, &w)
	if err != nil {
		a.log.Warn("slack sent an event that cannot be read", "err", err)
		return
	}
	if len(left) > 0 {
		a.log.Warn("an event of slack has values of other types, which are left out", "event", w.Event.Type, "ts", w.Event.EventTS, "values", left)
	}
	for _, s := range a.all() {
		if w.TeamID != "" && w.TeamID != s.cred.Team && !w.concerns(s.cred.Team) {
			continue
		}
		if err := s.receive(ctx, d, &w); err != nil {
			a.log.Error("slack event not taken", "login", s.login.ID, "event", w.Event.Type, "err", err)
			s.sink.Resynced(roomID(s.cred.Team, w.Event.where())) // before any later event of that channel
			d.failed.Store(true)
		}
		if len(left) > 0 {
			s.keepRaw(ctx, d, &w.Event, transports.Unreadable{Raw: withoutToken(payload), Values: left})
		}
	}
}

// connected reports to the logins that the socket is open. After the first time it reports a gap too: Slack repeats
// only events that were not acknowledged.
func (a *app) connected() {
	a.reporting.Lock()
	defer a.reporting.Unlock()
	a.mu.Lock()
	again := a.opened
	a.online, a.opened = true, true
	a.mu.Unlock()
	for _, s := range a.all() {
		s.sink.State(transports.Online, nil)
		if again {
			s.sink.Resynced()
		}
	}
}

func (a *app) offline(cause error) {
	a.reporting.Lock()
	defer a.reporting.Unlock()
	a.mu.Lock()
	was := a.online
	a.online = false
	a.mu.Unlock()
	if was || cause != nil {
		for _, s := range a.all() {
			s.sink.State(transports.Connecting, cause)
		}
	}
}

// endForGood ends the app for good: the logins have to be linked again.
func (a *app) endForGood(err error) {
	a.n.mu.Lock()
	if a.n.apps[a.token] == a {
		delete(a.n.apps, a.token)
	}
	a.n.mu.Unlock()
	a.reporting.Lock()
	defer a.reporting.Unlock()
	a.mu.Lock()
	a.online, a.final = false, err
	a.mu.Unlock()
	for _, s := range a.all() {
		s.reportFinal(err)
	}
}
