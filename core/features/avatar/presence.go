package avatar

import (
	"context"

	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Committed follows the changes of an account's nodes (pubsub.Options): the sessions of an account with another avatar send their
// presence again, with its hash (XEP-0153 §3.2, XEP-0398 §4).
func (a *Avatars) Committed(ctx context.Context, c pubsub.Committed) error {
	if c.Name != nodeMetadata {
		return nil
	}
	info, err := a.info(ctx, pubsub.Reading{Service: c.Service, Reader: c.Service, Shared: true})
	if err != nil {
		return err
	}
	a.presence.Renew(ctx, c.Service, c.Route, func(before *stanza.Stanza) (kept, sent *stanza.Stanza) {
		return renewed(before, info.Attr("id"))
	})
	return nil
}

// renewed returns a presence with another hash, "" for no avatar; nil if it stays as it is. That there is no avatar is said once: a
// later avatar is added to what is kept.
func renewed(before *stanza.Stanza, hash string) (kept, sent *stanza.Stanza) {
	x := before.Child(nsUpdate, "x")
	photo := x.Child(nsUpdate, "photo")
	switch {
	case photo != nil && photo.Text() == "": // XEP-0398 §4: the client shows none
		return nil, nil
	case photo.Text() == hash:
		return nil, nil
	}
	without := before.Without(func(e *stanza.Element) bool { return e.Is(nsUpdate, "x") })
	sent = without.With(stanza.NewElement(nsUpdate, "x").Add(stanza.TextElement(nsUpdate, "photo", hash)))
	if hash == "" {
		return without, sent
	}
	return sent, sent
}
