package router

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Accounts knows which accounts exist.
type Accounts interface {
	Exists(ctx context.Context, account jid.JID) (bool, error)
}

// HostOptions is what a host is made of.
type HostOptions struct {
	Accounts Accounts // nil: every account exists
	Log      *slog.Logger
	// OnFacts is called after each change of a session's facts, by any goroutine; it must not
	// block. May be nil.
	OnFacts func(*Bound)
}

// Host is a served domain with its accounts and features. It is a Destination.
type Host struct {
	domain    jid.JID
	router    *Router
	directory *directory
	accounts  Accounts
	log       *slog.Logger
	onFacts   func(*Bound)
	removals  atomic.Uint64

	// What features declare; not changed once stanzas are routed.
	features []Feature
	stages   []Stage
	handlers [targets]map[string]IQHandler
	presence PresenceHandler
	flags    []*Flag
	slots    int
}

// NewHost makes a host for a domain. Use gives it features; then r.Attach(domain, host) lets it
// receive.
func NewHost(r *Router, domain jid.JID, o HostOptions) *Host {
	h := &Host{domain: domain, router: r, directory: newDirectory(), accounts: o.Accounts, log: o.Log, onFacts: o.OnFacts}
	for i := range h.handlers {
		h.handlers[i] = map[string]IQHandler{}
	}
	if h.log == nil {
		h.log = r.log
	}
	return h
}

// Domain is the host's address.
func (h *Host) Domain() jid.JID { return h.domain }

// Router is the router that the host sends through.
func (h *Host) Router() *Router { return h.router }

// Each goes through the accounts that this process deals with until f returns false.
func (h *Host) Each(f func(*Account) bool) { h.directory.each(f) }

// Sweep drops the accounts that have had no session and no stanza since it was called last;
// it is to be called about twice a minute.
func (h *Host) Sweep() { h.directory.sweep() }

// Remove ends the sessions of an account that is being deleted, after the database has it so.
// From now on no session is bound. The account that it returns has what is known in memory; it
// is in the directory no more.
func (h *Host) Remove(account jid.JID, condition, text string) *Account {
	h.removals.Add(1) // before the account is looked for: see acquire
	a := h.directory.find(account)
	if a == nil {
		return newAccount(h, account.Bare())
	}
	h.directory.leave(a)
	for _, b := range a.markRemoved() {
		b.Close(condition, text)
	}
	return a
}

// Removals counts calls of Remove; see Claim.Since.
func (h *Host) Removals() uint64 { return h.removals.Load() }

// Deliver applies the delivery rules to a stanza for this domain and flushes.
func (h *Host) Deliver(st *stanza.Stanza) { h.deliver(nil, st) }

// deliver resolves the account before any rule is applied.
func (h *Host) deliver(b *Batch, st *stanza.Stanza) {
	if st.To.Local() == "" {
		h.deliverToHost(b, st)
		return
	}
	if a := h.directory.find(st.To); a != nil && accountState(a.state.Load()) == open {
		h.deliverTo(b, a, st)
		return
	}
	h.resolve(b, st, arriving)
}

// deliverToHost is for stanzas to the domain itself, with a resource or without.
func (h *Host) deliverToHost(b *Batch, st *stanza.Stanza) {
	switch st.Kind {
	case stanza.Message:
		h.messageToHost(b, st)
	case stanza.IQ:
		h.iqToHost(b, st)
	case stanza.Presence:
		h.router.Counters.Dropped.Add(1) // RFC 6121 §8.3: the host has no use for it
	}
}

func (h *Host) deliverTo(b *Batch, a *Account, st *stanza.Stanza) {
	switch st.Kind {
	case stanza.Message:
		h.message(b, a, st)
	case stanza.IQ:
		h.iqToAccount(b, a, st)
	case stanza.Presence:
		h.presenceTo(b, a, st)
	}
}

// deliverToNobody is for the addresses of no account. Senders must not be able to distinguish
// them from accounts without a session (RFC 6121 §8.5.1).
func (h *Host) deliverToNobody(b *Batch, st *stanza.Stanza) {
	switch st.Kind {
	case stanza.Message:
		h.messageToNobody(b, st)
	case stanza.IQ:
		h.iqToNobody(b, st)
	case stanza.Presence:
		h.presenceToNobody(b, st)
	}
}

// handle does what is to be done with a stanza once its account is looked up.
func (h *Host) handle(b *Batch, a *Account, st *stanza.Stanza, m mode) {
	switch exists := a.exists(); {
	case m == arriving && exists:
		h.deliverTo(b, a, st)
	case m == arriving:
		h.deliverToNobody(b, st)
	case exists:
		h.restore(b, a, st, m)
	default:
		h.router.Counters.Dropped.Add(1) // the account was deleted meanwhile
	}
}

// takeBack handles a stanza that a session did not take.
func (h *Host) takeBack(st *stanza.Stanza, m mode) {
	if a := h.directory.find(st.To); a != nil && accountState(a.state.Load()) == open {
		h.restore(nil, a, st, m)
		return
	}
	h.resolve(nil, st, m)
}
