package router

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Errors of Host.Bind.
var (
	ErrConflict  = errors.New("resource is in use")
	ErrTooMany   = errors.New("account has too many sessions")
	ErrNoAccount = errors.New("no such account")
)

// Session is a bound resource as its connection serves it. Its methods are called from any goroutine.
type Session interface {
	JID() jid.JID // full
	// Deliver appends to a bounded queue and never blocks.
	Deliver(*stanza.Stanza)
	Flush()
	// Close ends the stream with a stream error (RFC 6120 §4.9.3) and does not wait;
	// an empty condition ends it without one.
	Close(condition, text string)
}

// Port is a bound session as its connection uses it. A session of another node would have one
// that sends over a link. With XEP-0198 the stanzas that a client has acknowledged will be reported here.
type Port interface {
	// Submit takes a stanza that the client has sent. Its From has been set by the session's
	// reader, whose batch b is: the full address, or the bare one for a presence that is
	// about a subscription.
	Submit(b *Batch, st *stanza.Stanza)
	// Unbind takes the session out and lets the presence handler notify the others. It does
	// nothing for a session that was replaced before.
	Unbind(ctx context.Context)
}

// Claim is how a session is bound.
type Claim struct {
	Replace bool // an old session with the same address is ended with conflict
	Max     int  // sessions per account, 0 for no limit
	// Since is Host.Removals before the login looked the account up: if no account was removed
	// since, the account is not looked up again. nil: it was not looked up.
	Since *uint64
}

// Bound is a session as the router has it, with the facts that others ask for. It is the Port
// of a session of this process.
type Bound struct {
	sink
	session Session
	patient Patient // the session, where it is one
	jid     jid.JID
	account *Account
	gone    atomic.Bool

	presence atomic.Pointer[Presence]
	flags    atomic.Uint64

	mu       sync.Mutex
	directed map[jid.JID]struct{}
}

var _ Port = (*Bound)(nil)

// Bind enters a session under its address. Errors are ErrConflict, ErrTooMany, ErrNoAccount,
// and those of looking the account up.
func (h *Host) Bind(ctx context.Context, s Session, c Claim) (Port, error) {
	b, err := h.bind(ctx, s, c)
	if err != nil {
		return nil, fmt.Errorf("bind %s: %w", s.JID(), err)
	}
	return b, nil
}

func (h *Host) bind(ctx context.Context, s Session, c Claim) (*Bound, error) {
	patient, _ := s.(Patient)
	b := &Bound{sink: sink{Queued: s}, session: s, patient: patient, jid: s.JID()}
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
			h.left(ctx, old)
			old.Close("conflict", "replaced by a new session") // RFC 6120 §7.7.2.2
		}
		return b, err
	}
}

// JID is the full address.
func (b *Bound) JID() jid.JID { return b.jid }

// Account is the account that the session is of.
func (b *Bound) Account() *Account { return b.account }

// Session is the session itself.
func (b *Bound) Session() Session { return b.session }

// Send delivers a stanza to this session alone and flushes it.
func (b *Bound) Send(st *stanza.Stanza) { b.deliver(nil, st) }

// Close ends the session.
func (b *Bound) Close(condition, text string) { b.session.Close(condition, text) }

// Unbind implements Port.
func (b *Bound) Unbind(ctx context.Context) {
	b.account.remove(b)
	b.account.host.left(ctx, b)
}

func (h *Host) left(ctx context.Context, b *Bound) {
	if b.gone.Swap(true) {
		return
	}
	if h.presence != nil {
		h.presence.Gone(ctx, b)
	}
}

// Return takes back what was delivered to a session that has ended before its client had it
// (XEP-0198 §5). A message goes to the account's other sessions or to the Undelivered
// stages; one for the bare address has been delivered to the others already, if there are
// any. The Inbound stages have seen it before and are passed over. Other kinds are
// answered as if the session had not existed. Unbind the session first.
func (h *Host) Return(st *stanza.Stanza) { h.takeBack(st, returning) }

// Keep is Return for a stanza that a session cannot take although it has not ended yet: no
// session gets it, so that two full ones do not pass it to each other.
func (h *Host) Keep(st *stanza.Stanza) { h.takeBack(st, keeping) }
