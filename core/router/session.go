package router

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Errors of Host.Bind.
var (
	ErrConflict  = errors.New("resource is in use")
	ErrTooMany   = errors.New("account has too many sessions")
	ErrNoAccount = errors.New("no such account")
	ErrRevoked   = errors.New("the login is no longer valid")
)

// Session is the connection of a bound resource, as the router uses it. Its methods may be called from any
// goroutine.
type Session interface {
	JID() jid.JID // full
	// Deliver appends to a bounded queue without blocking.
	Deliver(*stanza.Stanza)
	Flush()
	// Close ends the stream with a stream error (RFC 6120 §4.9.3) and does not wait;
	// an empty condition ends it without one.
	Close(condition, text string)
}

// Port is a bound session, as its connection uses it.
type Port interface {
	// Submit handles a stanza that the client has sent. The session's reader has set From: the full JID,
	// or the bare JID for presence about a subscription. b is the reader's batch.
	Submit(b *Batch, st *stanza.Stanza)
	// Unbind removes the session and calls PresenceHandler.Ended. It does nothing for a session that was
	// replaced before.
	Unbind(ctx context.Context)
	// Inline does what the features do while a session is bound by XEP-0386, before the client is told of the session. request is its
	// <bind/>. The results belong into <bound/>.
	Inline(ctx context.Context, request *stanza.Element) []*stanza.Element
	// Facts returns a copy of the session's facts, and Restore sets them to those of an earlier session: see Bound.
	Facts() Facts
	Restore(Facts)
}

// FactsWatcher is implemented by sessions that are told when their facts have changed, by any goroutine. FactsChanged must not
// block.
type FactsWatcher interface{ FactsChanged() }

// ReceiptNotifier is implemented by sessions whose clients may acknowledge stanzas (XEP-0198).
type ReceiptNotifier interface {
	// NotifyReceived calls done with true when all stanzas that were delivered are known to have reached the client, or, where it
	// does not acknowledge, are written to its socket; with false if the session ends before that.
	NotifyReceived(done func(received bool))
}

// Reach says how a session's client can be reached.
type Reach uint8

// The values of Reach.
const (
	Active   Reach = iota // it is connected
	Inactive              // it is connected, and has said that nobody uses it (XEP-0352)
	Detached              // it is not connected, and may resume the session (XEP-0198)
)

// Reach returns how the session's client can be reached at the moment.
func (b *Bound) Reach() Reach {
	if r, ok := b.session.(interface{ Reach() Reach }); ok {
		return r.Reach()
	}
	return Active
}

// BindOptions are the parameters of Host.Bind.
type BindOptions struct {
	Replace bool // close an old session with the same address with the stream error conflict
	Max     int  // sessions per account, 0 for no limit
	// Since is the value of Host.Removals before the login looked the account up. If no account was
	// removed since, it is not looked up again; if EndSessions was called for it since, the login is not valid any more. nil: the
	// account is looked up.
	Since *uint64
	// Revocation is the mark of the EndRevoked that the login has read with what it was checked against: that one does not end the
	// session. 0: there was none.
	Revocation int64
	// Client identifies the installation of the client, "" if unknown: other sessions of the same one are ended.
	Client string
}

// Bound is a bound session, as the router and the features use it, with its facts. It implements Port.
type Bound struct {
	sink
	session Session
	optional
	since   time.Time // when it was bound
	jid     jid.JID
	account *Account
	client  string // of BindOptions
	seen    int64  // BindOptions.Revocation
	ended   atomic.Bool

	presence atomic.Pointer[Presence]
	flags    atomic.Uint64

	mu       sync.Mutex
	directed map[jid.JID]struct{}
}

// optional is a session as what it may implement, else nil.
type optional struct {
	waiter  QueueWaiter
	watcher FactsWatcher
	sharer  Sharer
}

var _ Port = (*Bound)(nil)

// Bind adds a session to its account. It returns ErrConflict, ErrTooMany, ErrNoAccount, ErrRevoked, or an error of the
// account's lookup.
func (h *Host) Bind(ctx context.Context, s Session, c BindOptions) (Port, error) {
	b, err := h.bind(ctx, s, c)
	if err != nil {
		return nil, fmt.Errorf("bind %s: %w", s.JID(), err)
	}
	return b, nil
}

func (h *Host) bind(ctx context.Context, s Session, c BindOptions) (*Bound, error) {
	var o optional
	o.waiter, _ = s.(QueueWaiter)
	o.watcher, _ = s.(FactsWatcher)
	o.sharer, _ = s.(Sharer)
	b := &Bound{sink: sink{Queued: s}, session: s, optional: o, since: time.Now(), jid: s.JID(), client: c.Client, seen: c.Revocation}
	for {
		a, err := h.acquire(ctx, b.jid, c.Since)
		if err != nil {
			return nil, err
		}
		if a == nil {
			return nil, ErrNoAccount
		}
		old, err := a.add(b, c)
		if errors.Is(err, errClosed) {
			continue
		}
		if old != nil {
			h.sessionEnded(ctx, old)
			old.Close("conflict", replacedText) // RFC 6120 §7.7.2.2
		}
		if err == nil && h.revoked(b, c.Since) { // checked when EndSessions can see the session
			b.Unbind(ctx)
			return nil, ErrRevoked
		}
		if err == nil && c.Client != "" {
			b.replaceOthers(ctx)
		}
		return b, err
	}
}

const replacedText = "replaced by a new session"

// replaceOthers ends the other sessions of the same client: their connections are probably dead (XEP-0386 §4.2).
func (b *Bound) replaceOthers(ctx context.Context) {
	for _, o := range b.account.Sessions() {
		if o != b && o.client == b.client {
			o.Unbind(ctx)
			o.Close("conflict", replacedText)
		}
	}
}

// Client returns what identifies the installation of the client, "" if that is unknown.
func (b *Bound) Client() string { return b.client }

// JID returns the full JID.
func (b *Bound) JID() jid.JID { return b.jid }

// Account returns the session's account.
func (b *Bound) Account() *Account { return b.account }

// Session returns the connection.
func (b *Bound) Session() Session { return b.session }

// Send delivers a stanza to this session without applying rules or stages, and flushes.
func (b *Bound) Send(st *stanza.Stanza) { b.deliver(nil, st) }

// Close closes the connection; see Session.Close.
func (b *Bound) Close(condition, text string) { b.session.Close(condition, text) }

// Unbind implements Port.
func (b *Bound) Unbind(ctx context.Context) {
	b.account.remove(b)
	b.account.host.sessionEnded(ctx, b)
}

// Detached runs the stages for a session that has lost its connection and may be resumed: see Stage.Detached.
func (h *Host) Detached(ctx context.Context, session Port, unacked []*stanza.Stanza) {
	b, ok := session.(*Bound)
	for i := range h.stages {
		if f := h.stages[i].Detached; ok && f != nil {
			f(ctx, b, unacked)
		}
	}
}

// sessionEnded calls PresenceHandler.Ended once for each session.
func (h *Host) sessionEnded(ctx context.Context, b *Bound) {
	if b.ended.Swap(true) {
		return
	}
	if h.presence != nil {
		h.presence.Ended(ctx, b)
	}
}

// Return takes back a stanza that was delivered to a session which ended before its client got it
// (XEP-0198 §5). A message is delivered by the rules again, to other sessions or to the Undelivered
// stages, but not through the Inbound stages a second time. A message to the bare JID is dropped if there
// are other sessions: they have it already. Requests are answered as if the session had not existed. Call
// Unbind first.
func (h *Host) Return(st *stanza.Stanza) { h.redeliver(st, returning) }

// ReturnDelayed is Return for a stanza that was delivered some time ago: sessions that were bound after that do not have it
// yet.
func (h *Host) ReturnDelayed(st *stanza.Stanza, delivered time.Time) {
	if st.Kind == stanza.Message && st.To.IsBare() {
		a := h.directory.find(st.To)
		given := false
		for _, b := range a.Sessions() {
			if p := b.Presence(); p != nil && p.Priority >= 0 && b.since.After(delivered) && st.From != a.jid {
				b.Send(st)
				given = true
			}
		}
		if given {
			return
		}
	}
	h.Return(st)
}

// Keep is Return for a stanza that a session cannot take although it has not ended: it is given to no
// other session, so that two sessions with full queues do not pass it back and forth.
func (h *Host) Keep(st *stanza.Stanza) { h.redeliver(st, keeping) }
