package blocking

import (
	"cmp"
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// sent refuses stanzas to a blocked address (XEP-0191 §3.3).
func (b *Blocking) sent(ctx context.Context, p *router.Pass) error {
	blocked, err := b.Blocks(ctx, p.Account, p.Stanza.To)
	if err != nil || !blocked {
		return err
	}
	if p.Session == nil { // somebody else sends in the account's name, and gets the error
		return refusal()
	}
	if p.Stanza.Type != stanza.TypeError && p.Stanza.Type != stanza.TypeResult { // RFC 6120 §8.3.1: these are never answered
		p.Deliver(p.Session, p.Stanza.ErrorReply(refusal())) // directly: a stanza from the blocked address would not pass this stage
	}
	return router.ErrStop
}

// refusal returns the error for a sender who has blocked the receiver (XEP-0191 §3.3).
func refusal() *stanza.Error {
	return &stanza.Error{
		Type: "cancel", Condition: "not-acceptable", Text: "you have blocked this address",
		App: stanza.NewElement(nsErrors, "blocked"),
	}
}

// received refuses stanzas from a blocked address. The answer is that of an account that does not exist;
// presence is not answered (XEP-0191 §3.3).
func (b *Blocking) received(ctx context.Context, p *router.Pass) error {
	st := p.Stanza
	blocked, err := b.Blocks(ctx, p.Account, st.From)
	if err != nil {
		return err
	}
	if !blocked {
		return nil
	}
	if st.Kind == stanza.Presence || st.Kind == stanza.IQ && !st.IsRequest() || st.Type == stanza.TypeError {
		return router.ErrStop
	}
	return stanza.ServiceUnavailable("")
}

// invited drops an invitation of a blocked address that a room passes on (XEP-0045 §7.8.2): it would reach the account all the
// same. The room gets no error, as it has done nothing that was refused.
func (b *Blocking) invited(ctx context.Context, p *router.Pass) error {
	if invitesNobody(p.Stanza) {
		return nil
	}
	for x := range p.Stanza.Tree().Named(message.NSMUCUser, "x") {
		for invite := range x.Named(message.NSMUCUser, "invite") {
			inviter, err := jid.Parse(invite.Attr("from"))
			if err != nil {
				continue
			}
			if blocked, err := b.Blocks(ctx, p.Account, inviter); blocked || err != nil {
				return cmp.Or(err, router.ErrStop)
			}
		}
	}
	return nil
}

// Subscriptions wraps all and leaves out blocked contacts.
func (b *Blocking) Subscriptions(all router.Subscriptions) router.Subscriptions {
	return filtered{all, b}
}

type filtered struct {
	router.Subscriptions
	blocking *Blocking
}

func (f filtered) Contacts(ctx context.Context, a *router.Account) (from, to []jid.JID, err error) {
	from, to, err = f.Subscriptions.Contacts(ctx, a)
	if err != nil || len(from) == 0 && len(to) == 0 {
		return from, to, err
	}
	l, err := f.blocking.lists.Get(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	return l.notMatching(from), l.notMatching(to), nil
}

func (f filtered) Subscription(ctx context.Context, a *router.Account, other jid.JID) (from, to bool, err error) {
	if blocked, err := f.blocking.Blocks(ctx, a, other); blocked || err != nil {
		return false, false, err
	}
	return f.Subscriptions.Subscription(ctx, a, other)
}

func (f filtered) Requests(ctx context.Context, a *router.Account) ([]*stanza.Stanza, error) {
	all, err := f.Subscriptions.Requests(ctx, a)
	if err != nil || len(all) == 0 {
		return all, err
	}
	l, err := f.blocking.lists.Get(ctx, a)
	return slices.DeleteFunc(all, func(st *stanza.Stanza) bool { return l != nil && l.has(st.From) }), err
}

// invitesNobody implements router.Stage.Skip.
func invitesNobody(st *stanza.Stanza) bool {
	return st.Kind != stanza.Message || st.Type == stanza.TypeError || !st.MayHave(message.NSMUCUser, "invite")
}
