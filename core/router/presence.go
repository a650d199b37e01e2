package router

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// PresenceHandler implements subscriptions and presence broadcasts. Sent, Received and ProbedNobody return
// errors as a stage does; after nil of Sent or Received the stanza is routed or delivered to its address.
type PresenceHandler interface {
	// Sent is called for every presence that a local session sends. For a broadcast (no To) the session's
	// Presence is the new one already, and p.Previous the one before.
	Sent(ctx context.Context, p *Pass) error
	// Received is called for every presence for p.Account.
	Received(ctx context.Context, p *Pass) error
	// ProbedNobody is called for presence probes to addresses that have no account.
	ProbedNobody(ctx context.Context, p *Pass) error
	// Ended is called once for each session that has ended. If the session had not become unavailable
	// itself, its last presence is still set.
	Ended(ctx context.Context, s *Bound)
	// Shares reports whether other is subscribed to the account's presence.
	Shares(ctx context.Context, account *Account, other jid.JID) bool
}

// sendPresence handles presence that a local session sends.
func (h *Host) sendPresence(p *Pass) {
	st := p.Stanza
	if !presenceType(st.Type) {
		h.router.Bounce(p.batch, st, stanza.BadRequest("unknown presence type"))
		return
	}
	if st.To.IsZero() && !h.setPresence(p) {
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

// setPresence sets the session's state to that of a broadcast. It returns false if the stanza is not a
// valid broadcast; the sender then has its answer.
func (h *Host) setPresence(p *Pass) bool {
	st := p.Stanza
	switch st.Type {
	case "":
		priority, ok := Priority(st)
		if !ok {
			h.router.Bounce(p.batch, st, stanza.BadRequest("priority is not in -128..127"))
			return false
		}
		if hasDuplicate(st, "show") || hasDuplicate(st, "priority") { // RFC 6121 §4.7.2.1, §4.7.2.3
			h.router.Bounce(p.batch, st, stanza.BadRequest("more than one show or priority"))
			return false
		}
		// The session keeps it as long as it is available, so without the tree.
		p.Previous = p.Session.SetPresence(&Presence{Stanza: st.Copy(), Priority: priority, Since: time.Now()})
		if p.Session.ended.Load() { // replaced since Submit: PresenceHandler.Ended may have run before this presence was set
			p.Session.SetPresence(nil)
			return false
		}
		return true
	case stanza.TypeUnavailable:
		p.Previous = p.Session.SetPresence(nil)
		return true
	case stanza.TypeError:
		return false
	}
	h.router.Bounce(p.batch, st, stanza.BadRequest("presence of this type needs a receiver"))
	return false
}

// Priority returns the priority of an available presence, 0 if it has none, and false if it is not an
// integer between -128 and 127 (RFC 6121 §4.7.2.3).
func Priority(st *stanza.Stanza) (int8, bool) {
	e := st.Child("", "priority")
	if e == nil {
		return 0, true
	}
	n, err := strconv.ParseInt(strings.TrimSpace(e.Text()), 10, 8)
	return int8(n), err == nil
}

// hasDuplicate reports whether a presence has more than one child with that name. Receivers would disagree
// about which one counts.
func hasDuplicate(st *stanza.Stanza, name string) bool {
	if strings.Count(st.Payload, "<"+name) < 2 { // the common case, without parsing
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

// presenceTo handles presence to an account.
func (h *Host) presenceTo(b *Batch, a *Account, st *stanza.Stanza) {
	if !presenceType(st.Type) {
		h.router.Counters.Dropped.Add(1)
		return
	}
	p := h.newPass(b, a, st)
	defer p.free()
	p.Session = b.sender(st)
	if h.run(p, inbound) {
		h.receivePresence(p)
	}
}

// receivePresence handles presence that the stages have let through.
func (h *Host) receivePresence(p *Pass) {
	if h.presence != nil {
		if err := h.presence.Received(p.batch.context(), p); err != nil {
			h.end(p, err, "presence received")
			return
		}
	}
	p.DeliverPresence()
}

// presenceToNobody drops presence as an account without a subscription would (RFC 6121 §8.5.1, §3.1.3). A
// probe is answered as by an account that the sender is not subscribed to (§4.3.2).
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

// DeliverPresence delivers a presence to the session of a full JID (RFC 6121 §8.5.3), or to all available
// sessions (§8.5.2.1.2).
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
