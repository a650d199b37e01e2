package slack

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/lenientjson"
	"github.com/dragoman-im/dragoman/transports/slack/webapi"
)

// Pace of calls that nobody waits for: Slack's tier 3 allows 50 a minute and method.
const (
	paceEvery = 1300 * time.Millisecond
	paceBurst = 20
	maxTries  = 4
)

// maxPeople and maxRooms bound what one login keeps in memory.
const (
	maxPeople = 100000
	maxRooms  = 50000
)

// client is an open connection of a login.
type client struct {
	n     *Network
	app   *app
	login transports.Login
	cred  credentials
	sink  transports.Sink
	api   *webapi.API // as the person, else as the bot
	log   *slog.Logger
	pace  *rate.Limiter

	ctx    context.Context // ends with the client
	cancel context.CancelFunc
	wg     sync.WaitGroup
	once   sync.Once

	watch chan struct{} // there are new ones in watched
	cache
}

// cache is what a client remembers.
type cache struct {
	mu      sync.Mutex
	people  map[string]transports.UserInfo // by Slack's id
	ranks   map[string]transports.Badge    // of those that are more or less than members, by Slack's id
	rooms   map[string]transports.RoomInfo // by Slack's id
	foreign map[string]time.Time           // channels that this login does not see, until when that holds
	watched map[string]transports.Show
	named
	index   index
	missing []string // scopes that the token did not have when it was checked
	final   bool     // a final state was reported
	raw     lenientjson.Once
}

// named has what messages mention besides people and rooms.
type named struct {
	groups  map[string]group // by Slack's id
	grouped time.Time        // when they were listed
	vain    map[string]bool  // ids whose names cannot be found out
}

func newClient(n *Network, login transports.Login, c credentials, sink transports.Sink) *client {
	ctx, cancel := context.WithCancel(context.Background())
	s := &client{
		n: n, login: login, cred: c, sink: sink, api: n.api(c.Bot), ctx: ctx, cancel: cancel,
		log: n.o.Log.With("login", string(login.ID), "team", c.Team), pace: rate.NewLimiter(rate.Every(n.o.Pace), paceBurst),
		watch: make(chan struct{}, 1),
		cache: cache{
			people: map[string]transports.UserInfo{}, ranks: map[string]transports.Badge{}, rooms: map[string]transports.RoomInfo{}, foreign: map[string]time.Time{},
			watched: map[string]transports.Show{}, named: named{groups: map[string]group{}, vain: map[string]bool{}},
		},
	}
	if c.User != "" {
		s.api = n.api(c.User)
	}
	return s
}

// check asks Slack whether it still accepts the tokens.
func (s *client) check(ctx context.Context) error {
	header, err := s.api.Call(ctx, "auth.test", nil, nil)
	if err != nil {
		return classify(err)
	}
	vital, other := missingScopes(header, s.cred.kind())
	lost := append(vital, other...)
	s.mu.Lock()
	s.missing = lost
	s.mu.Unlock()
	if len(lost) > 0 {
		s.noteScopes(strings.Join(lost, ","))
	}
	return nil
}

func (s *client) start() {
	if s.n.o.Presence > 0 {
		s.wg.Go(s.pollPresence)
	}
}

func (s *client) stop() {
	s.cancel()
	s.wg.Wait()
}

// Close ends the client. Slack keeps no state of it.
func (s *client) Close(context.Context) error {
	s.once.Do(func() {
		s.stop()
		s.n.leave(s)
	})
	return nil
}

// reportFinal reports once that the login has to be linked again.
func (s *client) reportFinal(err error) {
	s.mu.Lock()
	final := s.final
	s.final = true
	s.mu.Unlock()
	if final {
		return
	}
	state := transports.Failed
	if transports.ClassOf(err) == transports.NeedLogin {
		state = transports.NeedsLogin
	}
	s.sink.State(state, err)
}

// fault classifies what the Web API answered, and notices a token that is no longer valid.
func (s *client) fault(err error) error {
	err = classify(s.withoutScope(err))
	if err != nil && transports.ClassOf(err) == transports.NeedLogin {
		s.reportFinal(err)
	}
	return err
}

// call makes a call that a user waits for.
func (s *client) call(ctx context.Context, method string, args url.Values, out any) error {
	_, err := s.api.Call(ctx, method, args, out)
	return s.fault(err)
}

// paced makes a call that no user waits for: rate-limited, and repeated after Slack asked to wait. A call whose answer
// cannot be decoded is repeated a few times.
func (s *client) paced(ctx context.Context, method string, args url.Values, out any) error {
	for try := 1; ; try++ {
		if err := s.pace.Wait(ctx); err != nil {
			return transports.Later(0, err) // also where it would take longer than ctx allows, which is no error of ctx
		}
		err := s.call(ctx, method, args, out)
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

// overrunTime is for how long Slack leaves events out before it reports so again (docs: Events API, Rate limiting).
const overrunTime = time.Minute

// overrun is called when there were more events than Slack sends: what it left out is read from the history, at
// once and when the minute is over.
func (s *client) overrun() {
	s.log.Warn("more events in the workspace than Slack sends to an app: some were left out, the history is read")
	s.sink.Resynced()
	time.AfterFunc(overrunTime, func() {
		if s.ctx.Err() == nil {
			s.sink.Resynced()
		}
	})
}
