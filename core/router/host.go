package router

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Accounts tells which accounts there are.
type Accounts interface {
	Exists(ctx context.Context, account jid.JID) (bool, error)
}

// HostOptions is what a host is made of. Only Accounts is required.
type HostOptions struct {
	Accounts  Accounts
	Directory Directory // nil: one in this process
	Stages    []Stage
	Presence  PresenceHandler // nil: presence is delivered, nothing is broadcast
	Log       *slog.Logger    // nil: the router's
}

// Host is a served domain with its accounts. It is a Destination.
type Host struct {
	domain    jid.JID
	router    *Router
	directory Directory
	accounts  Accounts
	stages    []Stage
	presence  PresenceHandler
	log       *slog.Logger
	ended     atomic.Uint64

	mu       sync.RWMutex
	iq       map[string]IQHandler
	messages []MessageHandler
	pending  map[question]*asked
}

// MessageHandler gets messages to the domain itself; nil means that it was not meant,
// other returns are those of a stage.
type MessageHandler func(ctx context.Context, p *Pass) error

// NewHost makes a host for a domain; r.Attach(domain, host) lets it receive.
func NewHost(r *Router, domain jid.JID, o HostOptions) *Host {
	h := &Host{
		domain: domain, router: r, directory: o.Directory, accounts: o.Accounts,
		stages: o.Stages, presence: o.Presence, log: o.Log,
		iq: map[string]IQHandler{}, pending: map[question]*asked{},
	}
	if h.directory == nil {
		h.directory = NewDirectory()
	}
	if h.log == nil {
		h.log = r.log
	}
	return h
}

// SetStages and SetPresence are for features that need the host first; they must be
// called before the host is attached.
func (h *Host) SetStages(stages ...Stage) { h.stages = stages }

// SetPresence sets the presence handler; see SetStages.
func (h *Host) SetPresence(p PresenceHandler) { h.presence = p }

// HandleMessage adds a handler for messages to the domain itself.
func (h *Host) HandleMessage(m MessageHandler) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.messages = append(h.messages[:len(h.messages):len(h.messages)], m)
}

// Domain is the host's address.
func (h *Host) Domain() jid.JID { return h.domain }

// Router is the router that the host sends through.
func (h *Host) Router() *Router { return h.router }

// Sessions lists the sessions of an account; the slice is shared: read it only.
func (h *Host) Sessions(account jid.JID) []*Bound { return h.directory.Sessions(account) }

// Session is the session of a full address, or nil.
func (h *Host) Session(full jid.JID) *Bound {
	return find(h.directory.Sessions(full), full)
}

// Each goes through all sessions until f returns false.
func (h *Host) Each(f func(*Bound) bool) { h.directory.Each(f) }

// Exists tells whether there is such an account.
func (h *Host) Exists(ctx context.Context, account jid.JID) (bool, error) {
	if h.accounts == nil {
		return len(h.directory.Sessions(account)) > 0, nil
	}
	return h.accounts.Exists(ctx, account.Bare())
}

// End ends the sessions of an account that is no longer one.
func (h *Host) End(account jid.JID, condition, text string) {
	h.ended.Add(1) // before the sessions are listed: see Ended
	for _, b := range h.Sessions(account) {
		b.Close(condition, text)
	}
}

// Ended counts calls of End. Where it is the same after a session was bound as it was
// before its account was looked up, End will see that session.
func (h *Host) Ended() uint64 { return h.ended.Load() }

// Claim is how a session is bound.
type Claim struct {
	Replace bool // an old session with the same address is ended with conflict
	Max     int  // sessions per account, 0 for no limit
}

// Bind enters a session under its address. Errors are ErrConflict and ErrTooMany.
func (h *Host) Bind(ctx context.Context, s Session, c Claim) (*Bound, error) {
	b := NewBound(s)
	old, err := h.directory.Add(b, c.Max, c.Replace)
	if err != nil {
		return nil, fmt.Errorf("bind %s: %w", b.jid, err)
	}
	if old != nil {
		h.left(ctx, old)
		old.Close("conflict", "replaced by a new session") // RFC 6120 §7.7.2.2
	}
	return b, nil
}

// Unbind takes a session out and lets the presence handler tell the others. It does
// nothing for a session that was replaced before.
func (h *Host) Unbind(ctx context.Context, b *Bound) {
	h.directory.Remove(b)
	h.left(ctx, b)
}

func (h *Host) left(ctx context.Context, b *Bound) {
	if b.gone.Swap(true) {
		return
	}
	if h.presence != nil {
		h.presence.Gone(ctx, h, b)
	}
}

// Deliver applies the delivery rules to a stanza for this domain and flushes.
func (h *Host) Deliver(st *stanza.Stanza) { h.deliver(nil, st) }

func (h *Host) deliver(b *Batch, st *stanza.Stanza) {
	switch st.Kind {
	case stanza.Message:
		h.message(b, st)
	case stanza.IQ:
		h.inquire(b, st)
	case stanza.Presence:
		h.presenceTo(b, st)
	}
}
