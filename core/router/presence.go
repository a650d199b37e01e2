package router

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// PresenceHandler knows who is subscribed to whom. Its first three methods return what a
// stage returns; after nil of the first two the stanza goes where it is addressed to.
type PresenceHandler interface {
	// Sent sees every presence of a local session. Without To it is a broadcast: the
	// session's Presence is the new one already, p.Before the one before it.
	Sent(ctx context.Context, p *Pass) error
	// Received sees every presence for p.Account.
	Received(ctx context.Context, p *Pass) error
	// ProbedNobody sees presence probes for addresses of no account.
	ProbedNobody(ctx context.Context, p *Pass) error
	// Gone is called once for a session that has ended, with its last presence still set
	// where it had not become unavailable by itself.
	Gone(ctx context.Context, s *Bound)
	// Shares reports whether other may know that the account is online, by subscription.
	Shares(ctx context.Context, account *Account, other jid.JID) bool
}

// presenceFrom is for presence that a local session sends.
func (h *Host) presenceFrom(p *Pass) {
	st := p.Stanza
	if !presenceType(st.Type) {
		h.router.Bounce(p.batch, st, stanza.BadRequest("unknown presence type"))
		return
	}
	if st.To.IsZero() && !h.announce(p) {
		return
	}
	if h.presence == nil {
		if !st.To.IsZero() && st.Type != stanza.TypeProbe {
			p.Route(st)
		}
		return
	}
	if err := h.presence.Sent(p.batch.context(), p); err != nil {
		h.end(p, err, "presence sent")
		return
	}
	if !p.Stanza.To.IsZero() {
		p.Route(p.Stanza)
	}
}

// announce takes over the state that a broadcast declares; false where it cannot be one.
func (h *Host) announce(p *Pass) bool {
	st := p.Stanza
	switch st.Type {
	case "":
		priority, ok := Priority(st)
		if !ok {
			h.router.Bounce(p.batch, st, stanza.BadRequest("priority is not in -128..127"))
			return false
		}
		if twice(st, "show") || twice(st, "priority") { // RFC 6121 §4.7.2.1, §4.7.2.3
			h.router.Bounce(p.batch, st, stanza.BadRequest("more than one show or priority"))
			return false
		}
		p.Before = p.Session.SetPresence(&Presence{Stanza: st, Priority: priority, Since: time.Now()})
		return true
	case stanza.TypeUnavailable:
		p.Before = p.Session.SetPresence(nil)
		return true
	case stanza.TypeError:
		return false
	}
	h.router.Bounce(p.batch, st, stanza.BadRequest("presence of this type needs a receiver"))
	return false
}

// Priority is the priority of an available presence, 0 where it names none; false
// where it is not an integer between -128 and 127 (RFC 6121 §4.7.2.3).
func Priority(st *stanza.Stanza) (int8, bool) {
	e := st.Child("", "priority")
	if e == nil {
		return 0, true
	}
	n, err := strconv.ParseInt(strings.TrimSpace(e.Text()), 10, 8)
	return int8(n), err == nil
}

// twice reports whether a presence has more than one such child, of which each receiver would
// believe another.
func twice(st *stanza.Stanza, name string) bool {
	if strings.Count(st.Payload, "<"+name) < 2 { // nearly always
		return false
	}
	n := 0
	for e := range st.Tree().Elements() {
		if e.Local == name && (e.Space == stanza.NSClient || e.Space == "") {
			n++
		}
	}
	return n > 1
}

// presenceTo is for presence to an account.
func (h *Host) presenceTo(b *Batch, a *Account, st *stanza.Stanza) {
	if !presenceType(st.Type) {
		h.router.Counters.Dropped.Add(1)
		return
	}
	p := h.newPass(b, a, st)
	defer p.free()
	p.Session = b.sender(st)
	if !h.run(p, inbound) {
		return
	}
	if h.presence != nil {
		if err := h.presence.Received(b.context(), p); err != nil {
			h.end(p, err, "presence received")
			return
		}
	}
	p.DeliverPresence()
}

// presenceToNobody drops presence as if no one had asked for it (RFC 6121 §8.5.1, §3.1.3). A probe
// is answered as by an account that shares nothing (§4.3.2).
func (h *Host) presenceToNobody(b *Batch, st *stanza.Stanza) {
	if st.Type != stanza.TypeProbe || h.presence == nil {
		h.router.Counters.Dropped.Add(1)
		return
	}
	p := h.newPass(b, nil, st)
	defer p.free()
	p.Session = b.sender(st)
	if err := h.presence.ProbedNobody(b.context(), p); err != nil {
		h.end(p, err, "presence received")
	}
}

// DeliverPresence gives a presence to the sessions that are to see it: that of a full
// address (RFC 6121 §8.5.3), or all available ones (§8.5.2.1.2).
func (p *Pass) DeliverPresence() {
	if p.Stanza.To.IsFull() {
		if b := p.Account.Session(p.Stanza.To); b != nil {
			b.deliver(p.batch, p.Stanza)
		}
		return
	}
	if p.Stanza.Type == stanza.TypeProbe {
		return
	}
	for _, b := range p.Account.Sessions() {
		if b.Presence() != nil {
			b.deliver(p.batch, p.Stanza)
		}
	}
}

func presenceType(typ string) bool {
	switch typ {
	case "", stanza.TypeUnavailable, stanza.TypeSubscribe, stanza.TypeSubscribed,
		stanza.TypeUnsubscribe, stanza.TypeUnsubscribed, stanza.TypeProbe, stanza.TypeError:
		return true
	}
	return false
}
