package roster

import (
	"context"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Revoke takes back what an account's roster grants to a contact whose account is being deleted: the subscriptions, a request,
// and a pre-approval (RFC 6121 §3.4), which no stanza of the contact ends. The item itself stays, without a subscription. Who
// registers the contact's name later must ask again.
func (r *Roster) Revoke(ctx context.Context, account, contact jid.JID) error {
	err := r.store.ChangeRoster(ctx, account, contact, func(e *Entry) error {
		e.Subscription, e.Ask, e.Approved, e.Request = None, false, false, nil
		return nil
	}, r.pusher(account, nil))
	if err != nil && !errors.Is(err, ErrNoAccount) {
		return fmt.Errorf("revoke the rights of %s in the roster of %s: %w", contact, account, err)
	}
	return nil
}
