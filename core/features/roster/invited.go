package roster

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Accept accepts the request of somebody who was invited (XEP-0379 §3.5): as if the account had approved it beforehand (RFC 6121
// §3.4). It asks the contact for a subscription too. The contact has no name: whoever invites chooses one.
func (r *Roster) Accept(ctx context.Context, account, contact jid.JID, route func(*stanza.Stanza)) error {
	ask := false
	err := r.store.ChangeRoster(ctx, account, contact, func(e *Entry) error {
		ask = false
		if !e.Subscription.HasFrom() {
			e.Approved, e.Listed = true, true
		}
		if !e.Subscription.HasTo() {
			ask = e.sent(stanza.TypeSubscribe)
		}
		return nil
	}, r.pusher(account, nil))
	if err != nil {
		return condition(err)
	}
	if ask {
		st := stanza.NewPresence(contact, account, stanza.TypeSubscribe)
		st.ID = stanza.NewID()
		route(st)
	}
	return nil
}

// Befriend makes two accounts of the host contacts of each other, with subscriptions both ways (XEP-0401 §5.5).
func (r *Roster) Befriend(ctx context.Context, one, other jid.JID) error {
	for _, pair := range [][2]jid.JID{{one, other}, {other, one}} {
		err := r.store.ChangeRoster(ctx, pair[0], pair[1], func(e *Entry) error {
			e.Listed, e.Subscription, e.Ask, e.Approved, e.Request = true, Both, false, false, nil
			return nil
		}, r.pusher(pair[0], nil))
		if err != nil {
			return fmt.Errorf("add %s to the roster of %s: %w", pair[1], pair[0], err)
		}
	}
	return nil
}
