package slack

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"
	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/transports"
)

// Pace of the questions that we ask by ourselves: Slack's tier 3 allows 50 a minute and method.
const (
	paceEvery = 1300 * time.Millisecond
	paceBurst = 20
	maxTries  = 4
)

// maxPeople and maxRooms bound what one account keeps in memory.
const (
	maxPeople = 100000
	maxRooms  = 50000
)

// session is one account.
type session struct {
	n       *Network
	app     *app
	account transports.Login
	cred    credentials
	sink    transports.Sink
	api     *slackgo.Client // as the person, else as the bot
	log     *slog.Logger
	pace    *rate.Limiter

	ctx    context.Context // ends with the session
	cancel context.CancelFunc
	wg     sync.WaitGroup
	once   sync.Once

	mu      sync.Mutex
	people  map[string]transports.UserInfo // by Slack's id
	rooms   map[string]transports.RoomInfo // by Slack's id
	foreign map[string]time.Time           // channels that this account does not see, until when that holds
	watched map[string]transports.Show
	lacking []string      // scopes that the token did not have when it was checked
	watch   chan struct{} // there are new ones in watched
	gone    bool          // State told something final
}

func newSession(n *Network, account transports.Login, c credentials, sink transports.Sink) *session {
	ctx, cancel := context.WithCancel(context.Background())
	s := &session{
		n: n, account: account, cred: c, sink: sink, api: n.client(c.Bot), ctx: ctx, cancel: cancel,
		log: n.o.Log.With("account", string(account.ID), "team", c.Team), pace: rate.NewLimiter(rate.Every(n.o.Pace), paceBurst),
		people: map[string]transports.UserInfo{}, rooms: map[string]transports.RoomInfo{}, foreign: map[string]time.Time{},
		watched: map[string]transports.Show{}, watch: make(chan struct{}, 1),
	}
	if c.User != "" {
		s.api = n.client(c.User)
	}
	return s
}

// check finds out whether Slack still takes the tokens.
func (s *session) check(ctx context.Context) error {
	who, err := s.api.AuthTestContext(ctx)
	if err != nil {
		return classify(err)
	}
	vital, other := lacks(who.Header, s.cred.kind())
	missing := append(vital, other...)
	s.mu.Lock()
	s.lacking = missing
	s.mu.Unlock()
	if len(missing) > 0 {
		s.noteScopes(strings.Join(missing, ","))
	}
	return nil
}

func (s *session) start() {
	if s.n.o.Presence > 0 {
		s.wg.Go(s.pollPresence)
	}
}

func (s *session) stop() {
	s.cancel()
	s.wg.Wait()
}

// Close ends the session. Slack keeps no state of it.
func (s *session) Close(context.Context) error {
	s.once.Do(func() {
		s.stop()
		s.n.leave(s)
	})
	return nil
}

// dead tells once that the account has to be linked again.
func (s *session) dead(err error) {
	s.mu.Lock()
	gone := s.gone
	s.gone = true
	s.mu.Unlock()
	if gone {
		return
	}
	state := transports.Failed
	if transports.ClassOf(err) == transports.NeedLogin {
		state = transports.NeedsLogin
	}
	s.sink.State(state, err)
}

// fault classifies what the Web API answered, and notices a token that has died.
func (s *session) fault(err error) error {
	err = classify(s.withoutScope(err))
	if err != nil && transports.ClassOf(err) == transports.NeedLogin {
		s.dead(err)
	}
	return err
}

// asking calls the Web API for something that nobody waits for, at our own pace and again
// after Slack asked to wait. An answer that makes no sense is asked for a few times.
func (s *session) asking(ctx context.Context, call func() error) error {
	for try := 1; ; try++ {
		if err := s.pace.Wait(ctx); err != nil {
			return classify(err)
		}
		err := s.fault(call())
		var e *transports.Error
		if !errors.As(err, &e) || e.Class != transports.Retry || e.After <= 0 || !e.Unsent && try == maxTries {
			return err
		}
		timer := time.NewTimer(e.After)
		select {
		case <-ctx.Done():
			timer.Stop()
			return classify(ctx.Err())
		case <-timer.C:
		}
	}
}

// overrunTime is for how long Slack leaves events out before it tells so again (docs: Events API, Rate limiting).
const overrunTime = time.Minute

// overrun is told when there were more events than Slack sends: what it left out is read from the history, at
// once and when the minute is over.
func (s *session) overrun() {
	s.log.Warn("more events in the workspace than Slack sends to an app: some were left out, the history is read")
	s.sink.Resynced()
	time.AfterFunc(overrunTime, func() {
		if s.ctx.Err() == nil {
			s.sink.Resynced()
		}
	})
}
