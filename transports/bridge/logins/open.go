package logins

import (
	"context"
	"errors"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

const closeTimeout = 20 * time.Second // for a client to end its goroutines

// start begins to keep the client open, unless the login waits for its owner.
func (l *Login) start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel != nil {
		return
	}
	group := l.logins.env.Group
	switch l.row.Status {
	case tables.StatusUnlinking:
		group.Go(func(ctx context.Context) {
			if err := l.logins.finishUnlink(ctx, l); err != nil {
				l.logins.env.Log.Error("unlinking", "login", l.ID, "error", err)
			}
		})
		return
	case tables.StatusNeedsLogin, tables.StatusFailed:
		l.conn.state = transports.NeedsLogin
		group.Go(func(context.Context) { l.logins.receiver.Stopped(l) })
		return
	}
	ctx, cancel := context.WithCancel(group.Context())
	ended := make(chan struct{})
	if group.Go(func(context.Context) { defer close(ended); l.keepOpen(ctx) }) {
		l.cancel, l.ended = cancel, ended
	} else {
		cancel()
	}
}

// stop closes the client and waits until it has ended.
func (l *Login) stop() {
	l.mu.Lock()
	cancel, ended := l.cancel, l.ended
	l.cancel, l.ended = nil, nil
	l.mu.Unlock()
	if cancel != nil {
		cancel()
		<-ended
	}
}

// keepOpen opens the client, and opens it again after it has ended, until an error is final or ctx ends.
func (l *Login) keepOpen(ctx context.Context) {
	defer l.logins.receiver.Stopped(l)
	for failures := 0; ctx.Err() == nil; failures++ {
		for !l.storable(ctx) {
			if !sleep(ctx, gateway.RetryMin) {
				return
			}
		}
		begun := time.Now()
		again, after := l.open(ctx)
		if !again {
			return
		}
		if after == 0 || time.Since(begun) > gateway.RetryMax {
			failures = 0
		}
		sleep(ctx, pause(failures, after))
	}
}

// storable reports whether events of a client can be stored: where the last one ended because they could not,
// no other one is opened until they can.
func (l *Login) storable(ctx context.Context) bool {
	l.mu.Lock()
	unstored, row := l.conn.unstored, l.row
	l.mu.Unlock()
	if !unstored {
		return true
	}
	if stanza.Temporary(l.logins.store.PutStatus(ctx, l.ID, row.Status, row.Cause)) {
		return false
	}
	l.mu.Lock()
	l.conn.unstored = false
	l.mu.Unlock()
	return true
}

// open keeps one client until it ends, and reports whether to open another, and after what time.
func (l *Login) open(ctx context.Context) (again bool, after time.Duration) {
	secret, err := l.logins.keys.Open(l.ID, l.secret())
	if err != nil {
		l.fail(ctx, &transports.Error{Class: transports.Bug, Text: "the account's credentials cannot be read; please link again", Err: err})
		return false, 0
	}
	l.mu.Lock()
	row := l.row
	l.conn.state, l.conn.cause, l.conn.reported = transports.Connecting, nil, false
	l.mu.Unlock()
	over := make(chan error, 1)
	sink, closed, err := l.logins.receiver.Open(ctx, l, func(err error) {
		select {
		case over <- err:
		default:
		}
	})
	if err != nil {
		return l.openFailed(ctx, transports.Later(time.Second, err))
	}
	client, err := l.connect(ctx, transports.Login{
		ID: l.ID, User: row.User, Name: row.Name, Owner: l.logins.ownerID(l.Owner), Secret: secret, State: row.State,
	}, sink)
	clear(secret)
	if err == nil {
		if err = transports.CheckClient(l.logins.env.Info, client); err != nil {
			l.close(client)
		}
	}
	if err != nil {
		return l.openFailed(ctx, err)
	}
	l.opened(client)
	select {
	case err = <-over:
	case <-ctx.Done():
	}
	closed()
	l.mu.Lock()
	l.conn.client = nil
	l.mu.Unlock()
	l.close(client)
	if ctx.Err() != nil {
		return false, 0
	}
	return l.openFailed(ctx, err)
}

// connect opens a client. Where the network's code panics it is tried again, but not soon.
func (l *Login) connect(ctx context.Context, with transports.Login, sink transports.Sink) (client transports.Client, err error) {
	defer func() {
		if v := recover(); v != nil {
			l.logins.env.Panicked("opening a client", v)
			client, err = nil, transports.Later(gateway.RetryMax, errors.New("panic where a client is opened"))
		}
	}()
	return l.logins.network.Open(ctx, with, sink)
}

// openFailed decides by the class of an error what happens after a client could not be opened or has ended.
func (l *Login) openFailed(ctx context.Context, err error) (again bool, after time.Duration) {
	l.SetState(transports.Connecting, err)
	if ctx.Err() != nil {
		return false, 0
	}
	switch transports.ClassOf(err) {
	case transports.NeedLogin:
		l.halt(ctx, tables.StatusNeedsLogin, err)
		return false, 0
	case transports.Retry, transports.Unknown:
		l.logins.env.Log.Info("client not open", "login", l.ID, "error", err)
		var e *transports.Error
		if errors.As(err, &e) {
			after = e.After
		}
		l.logins.receiver.Lost(l)
		return true, max(after, time.Millisecond)
	}
	l.fail(ctx, err)
	return false, 0
}

// opened makes the client available to calls. A client that has not reported its state counts as online.
func (l *Login) opened(client transports.Client) {
	l.mu.Lock()
	l.conn.client, l.conn.synced = client, false
	reported := l.conn.reported
	l.mu.Unlock()
	if !reported {
		l.SetState(transports.Online, nil)
	}
	l.logins.receiver.Opened(l)
}

func (l *Login) close(client transports.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	defer l.logins.env.Recover("closing a client")
	if err := client.Close(ctx); err != nil {
		l.logins.env.Log.Warn("closing a client", "login", l.ID, "error", err)
	}
}
