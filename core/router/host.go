package router

import (
	"context"
	"log/slog"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Accounts reports whether an account exists.
type Accounts interface {
	Exists(ctx context.Context, account jid.JID) (bool, error)
}

// HostOptions are the parameters of NewHost.
type HostOptions struct {
	Accounts Accounts // nil: every account exists
	Log      *slog.Logger
	// OnFacts is called after each change of a session's facts, by any goroutine; it must not
	// block. May be nil.
	OnFacts func(*Bound)
	Strict  Strict
}

// Strict says where senders of this server, which are its accounts, components and gateways, get no more than
// strangers.
type Strict struct {
	Unknown  bool // messages to addresses without an account are dropped without an error
	Requests bool // requests to a session are refused where the sender may not see its presence
}

// Host is a served domain with its accounts and features. It is a Destination.
type Host struct {
	domain      jid.JID
	router      *Router
	directory   *directory
	accounts    Accounts
	log         *slog.Logger
	onFacts     func(*Bound)
	strict      Strict
	revocations revocations

	// Set by Use; read-only once stanzas are routed.
	features []Feature
	stages   []Stage
	requests requestState
	presence PresenceHandler
	session  sessionState
	slots    int
}

// requestState is who answers requests, and the requests of the host that wait for an answer.
type requestState struct {
	handlers  [targets]map[string]IQHandler
	delegate  Delegate
	questions questions
}

// sessionState is what the host knows about sessions besides their facts: the flags that features have declared.
type sessionState struct {
	flags    []*Flag
	restored []func(*Bound)
	failed   []func(a *Account, from jid.JID)
}

// NewHost returns a host for a domain. Add features with Use, then attach it with r.Attach(domain, host).
func NewHost(r *Router, domain jid.JID, o HostOptions) *Host {
	h := &Host{domain: domain, router: r, directory: newDirectory(), accounts: o.Accounts, log: o.Log, onFacts: o.OnFacts, strict: o.Strict}
	for i := range h.requests.handlers {
		h.requests.handlers[i] = map[string]IQHandler{}
	}
	if h.log == nil {
		h.log = r.log
	}
	return h
}

// OnRestore adds a function that is called after the facts of a session were restored (Bound.Restore). Call it before the host is
// attached.
func (h *Host) OnRestore(f func(*Bound)) { h.session.restored = append(h.session.restored, f) }

// OnFailed adds a function that is called when an address answers a message that an account itself has sent, such as a notification, with
// an error. Call it before the host is attached.
func (h *Host) OnFailed(f func(a *Account, from jid.JID)) {
	h.session.failed = append(h.session.failed, f)
}

// Domain returns the host's domain.
func (h *Host) Domain() jid.JID { return h.domain }

// Router returns the router that the host sends through.
func (h *Host) Router() *Router { return h.router }

// Each calls f for every loaded account until f returns false.
func (h *Host) Each(f func(*Account) bool) { h.directory.each(f) }

// Sweep drops the accounts that had neither a session nor a stanza since the previous call. The owner of
// the host calls it about twice a minute.
func (h *Host) Sweep() { h.directory.sweep() }

// Remove closes the sessions of an account that is marked as deleted in the database, and prevents new
// ones. The returned account gives access to the cached data; it is no longer in the directory.
func (h *Host) Remove(account jid.JID, condition, text string) *Account {
	h.revocations.count.Add(1) // before the account is looked for: see acquire
	a := h.directory.find(account)
	if a == nil {
		return newAccount(h, account.Bare())
	}
	h.directory.remove(a)
	for _, b := range a.markRemoved() {
		b.Close(condition, text)
	}
	return a
}

// Removals returns the number of calls of Remove and EndSessions; see BindOptions.Since.
func (h *Host) Removals() uint64 { return h.revocations.count.Load() }

// Deliver implements Destination: it applies the delivery rules to a stanza for this domain and flushes.
func (h *Host) Deliver(st *stanza.Stanza) { h.deliver(nil, st) }

// deliver looks the account up before any rule is applied.
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

// deliverToHost handles stanzas to the domain itself, with or without a resource.
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

// deliverToNobody handles stanzas to addresses that have no account. Senders elsewhere must not be able to
// distinguish these from accounts without a session (RFC 6121 §8.5.1).
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

// handle processes a stanza after the lookup of its account.
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

// redeliver handles a stanza that a session could not take.
func (h *Host) redeliver(st *stanza.Stanza, m mode) {
	if a := h.directory.find(st.To); a != nil && accountState(a.state.Load()) == open {
		h.restore(nil, a, st, m)
		return
	}
	h.resolve(nil, st, m)
}
