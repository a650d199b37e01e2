package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// ready is the session where calls may be made now, nil otherwise.
func (a *account) ready() transports.Client {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.readyLocked()
}

func (a *account) readyLocked() transports.Client {
	if a.state == transports.Online || a.state == transports.Limited {
		return a.session
	}
	return nil
}

func (a *account) online() bool { return a.ready() != nil }

// standing is the state for people: also what has to be done.
func (a *account) standing() (transports.State, tables.Status, string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	text := a.row.Cause
	var e *transports.Error
	if text == "" && errors.As(a.cause, &e) {
		text = e.Text
	}
	return a.state, a.row.Status, text
}

// setState notes how the session fares; coming online wakes what waited for it.
func (a *account) setState(ctx context.Context, state transports.State, cause error) {
	a.mu.Lock()
	before := a.state
	a.state, a.cause = state, cause
	if before == transports.Online && state != transports.Online && state != transports.Limited {
		a.since = a.g.now()
	}
	ready := a.readyLocked() != nil
	a.mu.Unlock()
	if before == state {
		return
	}
	a.g.log.Debug("account state", "account", a.id, "state", state.String(), "cause", cause)
	a.g.spawn(func(ctx context.Context) { a.g.showState(a) })
	if ready {
		a.runCatchUp()
	}
	if state == transports.Online && ready {
		a.g.spawn(a.resume)
		a.syncOnce()
	}
}

// resume looks at all rooms where something waits for this account.
func (a *account) resume(ctx context.Context) {
	waiting, err := a.g.store.Backlog(ctx)
	if err != nil {
		a.g.log.Error("looking for what waits", "account", a.id, "error", err)
		return
	}
	for _, w := range waiting {
		for _, id := range w.Logins {
			if id == a.id {
				a.g.post(w.Room, true, func(_ context.Context, w *worker) { w.notNow = time.Time{}; w.lookOut() })
			}
		}
	}
}

// needLogin keeps that the owner has to link again, and tells them once.
func (a *account) needLogin(ctx context.Context, cause error) {
	a.halt(ctx, tables.StatusNeedsLogin, cause)
}

// loseLogin is needLogin found out by a call: the session is closed too.
func (a *account) loseLogin(ctx context.Context, cause error) {
	a.needLogin(ctx, cause)
	a.stop()
}

// fail keeps that the account will not come back by itself.
func (a *account) fail(ctx context.Context, cause error) {
	a.g.log.Error("account failed", "account", a.id, "error", cause)
	a.halt(ctx, tables.StatusFailed, cause)
}

func (a *account) halt(ctx context.Context, status tables.Status, cause error) {
	text := errorText(cause, "the network does not accept the account any longer")
	a.mu.Lock()
	if a.row.Status != tables.StatusLinked {
		a.mu.Unlock()
		return
	}
	a.row.Status, a.row.Cause, a.cause = status, text, cause
	name := a.row.Name
	a.mu.Unlock()
	a.setState(ctx, transports.NeedsLogin, cause)
	if err := a.g.store.PutStatus(ctx, a.id, status, text); err != nil {
		a.g.log.Error("keeping an account's status", "account", a.id, "error", err)
	}
	a.g.tell(a.owner, fmt.Sprintf("Your %s account %s has to be linked again: %s. Answer \"relink %s\" here. What you write meanwhile waits.",
		a.g.info.Name, name, text, a.g.numberOf(a)))
}

// errorText is what an error says to people; the text of those without a class stays inside.
func errorText(err error, otherwise string) string {
	var e *transports.Error
	if errors.As(err, &e) && e.Text != "" {
		return e.Text
	}
	return otherwise
}
