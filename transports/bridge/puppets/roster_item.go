package puppets

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
)

// rosterItem is one item of a roster; its subscription may be "remove".
type rosterItem struct {
	contact                   jid.JID
	name, group, subscription string
}

// setRoster changes an item of a user's roster by XEP-0356 §4.2.
func (r *Roster) setRoster(ctx context.Context, owner jid.JID, i rosterItem) error {
	x := stanza.NewElement(convert.NSRoster, "item").With("jid", i.contact.String()).With("name", i.name).With("subscription", i.subscription)
	if i.group != "" {
		x.Add(stanza.TextElement(convert.NSRoster, "group", i.group))
	}
	_, err := r.Requests.Ask(ctx, stanza.NewIQ(owner, r.env.Domain, stanza.TypeSet, stanza.NewElement(convert.NSRoster, "query").Add(x)))
	return err
}

// ShowPhoto shows a contact with another picture than before.
func (r *Roster) ShowPhoto(ctx context.Context, l *logins.Login, before, now transports.UserInfo) {
	if photoSource(before) == photoSource(now) || !r.presence.Available(l.Owner) {
		return
	}
	if ok, err := r.store.HasContact(ctx, l.ID, now.ID); ok && err == nil {
		r.presence.Show(l, now.ID, l.Owner)
	}
}

// Refuse refuses a subscription to a contact that does not exist on the network, and takes it out of the roster, where the request
// has put it.
func (r *Roster) Refuse(ctx context.Context, subscribe *stanza.Stanza) {
	user, contact := subscribe.From.Bare(), subscribe.To.Bare()
	r.env.Send(stanza.NewPresence(user, contact, stanza.TypeUnsubscribed))
	if !r.Privileges.Of(user.Domain()).Roster {
		return
	}
	if err := r.setRoster(ctx, user, rosterItem{contact: contact, subscription: "remove"}); err != nil {
		r.env.Log.Debug("a refused contact stays in a roster", "user", user.String(), "contact", contact.String(), "err", err)
	}
}
