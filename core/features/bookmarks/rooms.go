package bookmarks

import (
	"context"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Rooms returns the rooms that an account has bookmarked.
func (b *Bookmarks) Rooms(ctx context.Context, account jid.JID) ([]router.BookmarkedRoom, error) {
	items, _, err := b.read(ctx, account)
	if err != nil {
		return nil, err
	}
	var rooms []router.BookmarkedRoom
	for _, i := range items {
		room, err := jid.Parse(i.ID)
		if err != nil {
			continue
		}
		e, err := stanza.ParseElement(i.Payload, "")
		if err != nil || !e.Is(NS, "conference") {
			continue
		}
		r := router.BookmarkedRoom{JID: room, Nick: e.ChildText(NS, "nick")}
		r.Autojoin, _ = form.ParseBool(e.Attr("autojoin"))
		if x := e.Child(NS, "extensions"); x != nil {
			r.Notify = notification(x)
		}
		rooms = append(rooms, r)
	}
	return rooms, nil
}

// nsNotify is the namespace of XEP-0492.
const nsNotify = "urn:xmpp:notification-settings:1"

// notification returns the setting of a room that holds for all clients (XEP-0492 §3), or "".
func notification(extensions *stanza.Element) string {
	for _, name := range []string{"never", "always", "on-mention"} {
		for e := range extensions.Child(nsNotify, "notify").Named(nsNotify, name) {
			if e.Attr("identity-category") == "" && e.Attr("identity-type") == "" {
				return name
			}
		}
	}
	return ""
}
