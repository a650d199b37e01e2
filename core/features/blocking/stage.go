package blocking

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Stage is the first of all stages.
func (b *Blocking) Stage() router.Stage {
	return router.Stage{Name: "blocking", Outbound: b.sent, Inbound: b.received}
}

// sent refuses what goes to somebody who is blocked (XEP-0191 §3.3).
func (b *Blocking) sent(_ context.Context, p *router.Pass) error {
	if p.Stanza.To.IsZero() || !b.Blocks(p.Account, p.Stanza.To) {
		return nil
	}
	if p.Stanza.Type != stanza.TypeError && p.Stanza.Type != stanza.TypeResult { // those are never answered
		p.Deliver(p.Session, p.Stanza.ErrorReply(refusal())) // not by its address, which is blocked
	}
	return router.ErrStop
}

// refusal is what is said to who sends to somebody whom he has blocked.
func refusal() *stanza.Error {
	return &stanza.Error{
		Type: "cancel", Condition: "not-acceptable", Text: "you have blocked this address",
		App: stanza.NewElement(nsErrors, "blocked"),
	}
}

// MaySend tells what is wrong where something is to be sent in an account's name.
func (b *Blocking) MaySend(account, to jid.JID) error {
	if b.Blocks(account, to) {
		return refusal()
	}
	return nil
}

// received lets nothing of somebody who is blocked in: the account looks as if it were not
// there, and never answers presence (XEP-0191 §3.3).
func (b *Blocking) received(_ context.Context, p *router.Pass) error {
	st := p.Stanza
	if !b.Blocks(p.Account, st.From) {
		return nil
	}
	if st.Kind == stanza.Presence || st.Kind == stanza.IQ && !st.IsRequest() || st.Type == stanza.TypeError {
		return router.ErrStop
	}
	return stanza.ServiceUnavailable("")
}

// Subscriptions is who may see whom, as presence asks for it.
type Subscriptions interface {
	// Sent and Received take the stanzas about subscriptions and return what a stage does.
	Sent(ctx context.Context, p *router.Pass) error
	Received(ctx context.Context, p *router.Pass) error
	Contacts(ctx context.Context, account jid.JID) (from, to []jid.JID, err error)
	Subscription(ctx context.Context, account, other jid.JID) (from, to bool, err error)
	// Requests lists the unanswered subscription requests to the account.
	Requests(ctx context.Context, account jid.JID) ([]*stanza.Stanza, error)
}

// Subscriptions are those that are left when nobody who is blocked counts.
func (b *Blocking) Subscriptions(all Subscriptions) Subscriptions {
	return filtered{all, b}
}

type filtered struct {
	Subscriptions
	blocking *Blocking
}

func (f filtered) Contacts(ctx context.Context, account jid.JID) (from, to []jid.JID, err error) {
	from, to, err = f.Subscriptions.Contacts(ctx, account)
	return f.rest(account, from), f.rest(account, to), err
}

func (f filtered) rest(account jid.JID, contacts []jid.JID) []jid.JID {
	rest := contacts[:0]
	for _, c := range contacts {
		if !f.blocking.Blocks(account, c) {
			rest = append(rest, c)
		}
	}
	return rest
}

func (f filtered) Subscription(ctx context.Context, account, other jid.JID) (from, to bool, err error) {
	if f.blocking.Blocks(account, other) {
		return false, false, nil
	}
	return f.Subscriptions.Subscription(ctx, account, other)
}

func (f filtered) Requests(ctx context.Context, account jid.JID) ([]*stanza.Stanza, error) {
	all, err := f.Subscriptions.Requests(ctx, account)
	rest := all[:0]
	for _, st := range all {
		if !f.blocking.Blocks(account, st.From) {
			rest = append(rest, st)
		}
	}
	return rest, err
}
