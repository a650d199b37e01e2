package bridge

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// account is a linked account while the gateway runs. One goroutine opens its session and
// opens it again when it has ended.
type account struct {
	g     *Gateway
	id    transports.LoginID
	owner jid.JID // bare
	user  transports.UserID
	calls *rate.Limiter // of history

	sealing sync.Mutex // held while the secret is replaced, across the write

	mu      sync.Mutex
	row     tables.Login
	session transports.Client
	synced  bool // its directory is being read, or was
	state   transports.State
	cause   error
	told    bool               // the session has told its state since it was opened
	cancel  context.CancelFunc // ends run; nil where it does not run
	ended   chan struct{}      // closed when run has ended
	since   time.Time          // when the account last stopped being online
	gap     catchUp
	noticed map[string]string // what its person was told by a session since it was linked, by key
	unkept  bool              // the last session ended because its events could not be kept
}

// start begins to keep the session open, unless the account waits for its owner.
func (a *account) start() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cancel != nil {
		return
	}
	switch a.row.Status {
	case tables.StatusUnlinking:
		a.g.spawn(func(ctx context.Context) { a.g.finishUnlink(ctx, a) })
		return
	case tables.StatusNeedsLogin, tables.StatusFailed:
		a.state = transports.NeedsLogin
		a.g.spawn(func(context.Context) { a.holdNothing() })
		return
	}
	a.gap.off = false
	ctx, cancel := context.WithCancel(a.g.ctx)
	ended := make(chan struct{})
	if a.g.spawn(func(context.Context) { defer close(ended); a.run(ctx) }) {
		a.cancel, a.ended = cancel, ended
	} else {
		cancel()
	}
}

// stop ends the session and waits until it has ended.
func (a *account) stop() {
	a.mu.Lock()
	cancel, ended := a.cancel, a.ended
	a.cancel, a.ended = nil, nil
	a.mu.Unlock()
	if cancel != nil {
		cancel()
		<-ended
	}
}

// run opens the session again and again until there is nothing to hope for.
func (a *account) run(ctx context.Context) {
	defer a.holdNothing()
	for try := 0; ctx.Err() == nil; try++ {
		for !a.writable(ctx) {
			if !sleep(ctx, backoffMin) {
				return
			}
		}
		begun := time.Now()
		again, after := a.open(ctx)
		if !again {
			return
		}
		if after == 0 || time.Since(begun) > backoffMax {
			try = 0
		}
		sleep(ctx, max(after, backoff(try)))
	}
}

// writable tells whether there is any sense in a session: where the last one ended because
// nothing could be kept, the network is left in peace until something can.
func (a *account) writable(ctx context.Context) bool {
	a.mu.Lock()
	unkept, row := a.unkept, a.row
	a.mu.Unlock()
	if !unkept {
		return true
	}
	if stanza.Temporary(a.g.store.PutStatus(ctx, a.id, row.Status, row.Cause)) {
		return false
	}
	a.mu.Lock()
	a.unkept = false
	a.mu.Unlock()
	return true
}

// sleep waits; false where ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// backoff is how long to wait after so many failures in a row.
func backoff(try int) time.Duration {
	d := backoffMax
	if try < 16 {
		d = min(backoffMin<<try, backoffMax)
	}
	return d/2 + rand.N(d/2+1)
}

// open keeps one session until it ends, and tells whether to open another, and after what time.
func (a *account) open(ctx context.Context) (again bool, after time.Duration) {
	secret, err := a.g.keys.Open(a.id, a.secret())
	if err != nil {
		a.fail(ctx, &transports.Error{Class: transports.Bug, Text: "the account's credentials cannot be read; please link again", Err: err})
		return false, 0
	}
	a.mu.Lock()
	row := a.row
	a.state, a.cause, a.told = transports.Connecting, nil, false
	a.mu.Unlock()
	s := &sink{a: a, over: make(chan error, 1), posted: make(chan struct{}, maxPosted)}
	if err := a.beginCatchUp(ctx); err != nil {
		return a.openFailed(ctx, transports.Later(time.Second, err))
	}
	session, err := a.connect(ctx, transports.Login{ID: a.id, User: row.User, Name: row.Name, Owner: a.g.ownerID(a.owner), Secret: secret, State: row.State}, s)
	clear(secret)
	if err == nil {
		if err = transports.CheckClient(a.g.info, session); err != nil {
			a.close(session)
		}
	}
	if err != nil {
		return a.openFailed(ctx, err)
	}
	a.opened(ctx, session)
	select {
	case err = <-s.over:
	case <-ctx.Done():
	}
	s.closed.Store(true)
	a.mu.Lock()
	a.session = nil
	a.mu.Unlock()
	a.close(session)
	if ctx.Err() != nil {
		return false, 0
	}
	return a.openFailed(ctx, err)
}

// connect opens a session. Where the network's code panics it is tried again, but not soon.
func (a *account) connect(ctx context.Context, with transports.Login, s *sink) (session transports.Client, err error) {
	defer func() {
		if v := recover(); v != nil {
			a.g.Counters.Panics.Add(1)
			a.g.log.Error("panic", "where", "opening a session", "account", a.id, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			session, err = nil, transports.Later(backoffMax, errors.New("panic where a session opens"))
		}
	}()
	return a.g.network.Open(ctx, with, s)
}

// openFailed sorts out why there is no session (any longer).
func (a *account) openFailed(ctx context.Context, err error) (again bool, after time.Duration) {
	a.setState(ctx, transports.Connecting, err)
	if ctx.Err() != nil {
		return false, 0
	}
	var e *transports.Error
	errors.As(err, &e)
	switch transports.ClassOf(err) {
	case transports.NeedLogin:
		a.needLogin(ctx, err)
		return false, 0
	case transports.Retry:
		a.g.log.Info("session not open", "account", a.id, "error", err)
		if e != nil {
			after = e.After
		}
		a.letGo(true)
		return true, max(after, time.Millisecond)
	}
	a.fail(ctx, err)
	return false, 0
}

// opened publishes the session and does what is due whenever an account comes online.
func (a *account) opened(ctx context.Context, session transports.Client) {
	a.mu.Lock()
	a.session, a.synced = session, false
	online := !a.told
	a.mu.Unlock()
	if online {
		a.setState(ctx, transports.Online, nil)
	} else if a.online() {
		a.g.spawn(a.resume)
	}
	a.runCatchUp()
	a.syncOnce()
}

// syncOnce reads the directory of a session when it is online for the first time: some
// networks accept an account before its connection is there.
func (a *account) syncOnce() {
	a.mu.Lock()
	online := a.session != nil && (a.state == transports.Online || a.state == transports.Limited)
	due := online && !a.synced
	a.synced = a.synced || due
	a.mu.Unlock()
	if due {
		a.g.spawn(func(ctx context.Context) { a.g.sync(ctx, a) })
	}
}

func (a *account) close(session transports.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	defer a.g.recovered("closing a session")
	if err := session.Close(ctx); err != nil {
		a.g.log.Warn("closing a session", "account", a.id, "error", err)
	}
}

func (a *account) secret() tables.Sealed {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.row.Secret
}

// stays tells whether the account is neither unlinked nor about to be.
func (a *account) stays() bool {
	_, status := a.statusOf()
	return status != tables.StatusUnlinking && a.g.account(a.id) == a
}

// linked is since when the account is there.
func (a *account) linked() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.row.Created
}

func (a *account) name() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.row.Name
}
