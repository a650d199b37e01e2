package bookmarks

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// publish changes the bookmarks of a login's owner.
func (b *Bookmarks) publish(ctx context.Context, l *logins.Login, d differences) error {
	if !b.listed(l.ID) {
		d.missing = nil // it is not known yet how many come at once
	}
	if len(d.missing)+len(d.renamed)+len(d.gone) == 0 {
		return nil
	}
	current, err := b.read(ctx, l.Owner)
	if err != nil {
		return err
	}
	for _, row := range d.gone {
		if err := b.remove(ctx, l, row, current); err != nil {
			return err
		}
	}
	enter := len(d.missing) <= b.env.Settings.Autojoin
	for _, r := range d.missing {
		if err := b.add(ctx, l, r, current, enter); err != nil {
			return err
		}
	}
	for _, r := range d.renamed {
		if err := b.rename(ctx, l.Owner, d.known[r.ID], r, current); err != nil {
			return err
		}
	}
	return nil
}

// read returns the bookmarks of an owner, by the address of the room.
func (b *Bookmarks) read(ctx context.Context, owner jid.JID) (map[jid.JID]*stanza.Element, error) {
	answer, err := b.ask(ctx, owner, stanza.TypeGet, stanza.NewElement(convert.NSPubsub, "items").With("node", convert.NSBookmarks))
	if e, ok := errors.AsType[*stanza.Error](err); ok && e.Condition == "item-not-found" { // there is no such node yet
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found := map[jid.JID]*stanza.Element{}
	for x := range answer.Child(convert.NSPubsub, "pubsub").Child(convert.NSPubsub, "items").Named(convert.NSPubsub, "item") {
		if room, err := jid.Parse(x.Attr("id")); err == nil { // XEP-0402 §3.1
			found[room] = x.Child(convert.NSBookmarks, "conference")
		}
	}
	return found, nil
}

// add makes a bookmark, unless the owner has one. Clients enter the room by themselves if enter is set.
func (b *Bookmarks) add(ctx context.Context, l *logins.Login, r tables.Room, current map[jid.JID]*stanza.Element, enter bool) error {
	address, err := b.address.Room(r.Net)
	if err != nil {
		return nil // nobody can enter it
	}
	row := tables.Bookmark{Login: l.ID, Room: r.ID, Name: convert.RoomTitle(r), State: tables.OwnBookmark}
	switch x, found := current[address]; {
	case found && !isOurs(x, row.Name):
		row.State = tables.FoundBookmark
	case !found:
		x = stanza.NewElement(convert.NSBookmarks, "conference").With("name", row.Name)
		if enter {
			x.With("autojoin", "true")
		}
		if err := b.put(ctx, l.Owner, address, x); err != nil {
			return err
		}
	}
	return b.store.PutBookmark(ctx, row)
}

// isOurs reports whether a bookmark is like those that this gateway makes: it was made by another login, or before a crash.
func isOurs(x *stanza.Element, name string) bool {
	for range x.Elements() {
		return false
	}
	return x.Attr("name") == name
}

// rename gives a bookmark the new name of its room, unless the owner has changed the name or removed the bookmark.
func (b *Bookmarks) rename(ctx context.Context, owner jid.JID, row tables.Bookmark, r tables.Room, current map[jid.JID]*stanza.Element) error {
	address, err := b.address.Room(r.Net)
	if err != nil {
		return nil
	}
	x, now := current[address], convert.RoomTitle(r)
	if x != nil && row.State == tables.OwnBookmark && x.Attr("name") == row.Name {
		if err := b.put(ctx, owner, address, x.With("name", now)); err != nil {
			return err
		}
	}
	row.Name = now
	return b.store.PutBookmark(ctx, row)
}

// remove removes the bookmark of a room that a login has left, if the gateway has made it and no other login of the owner is there.
func (b *Bookmarks) remove(ctx context.Context, l *logins.Login, row tables.Bookmark, current map[jid.JID]*stanza.Element) error {
	if row.State == tables.OwnBookmark {
		shared, err := b.handOver(ctx, l, row)
		if err != nil {
			return err
		}
		address, unaddressed := b.address.Room(row.Net)
		if _, found := current[address]; found && !shared && unaddressed == nil {
			if err := b.retract(ctx, l.Owner, address); err != nil {
				return err
			}
		}
	}
	return b.store.DropBookmark(ctx, l.ID, row.Room)
}

// handOver gives a bookmark to another login of the same owner that is in the room, if there is one.
func (b *Bookmarks) handOver(ctx context.Context, l *logins.Login, row tables.Bookmark) (bool, error) {
	for _, other := range b.logins.Of(l.Owner) {
		if other == l {
			continue
		}
		rows, err := b.store.Bookmarks(ctx, other.ID)
		if err != nil {
			return false, err
		}
		for _, theirs := range rows {
			if theirs.Room == row.Room {
				theirs.State = tables.OwnBookmark
				return true, b.store.PutBookmark(ctx, theirs)
			}
		}
	}
	return false, nil
}

// Remove removes the bookmarks of a login that is being unlinked. A server that does not answer does not keep it from that.
func (b *Bookmarks) Remove(ctx context.Context, l *logins.Login) {
	b.mu.Lock()
	delete(b.noted, l.ID)
	b.mu.Unlock()
	if !b.roster.Privileges.Of(l.Owner.Domain()).Nodes {
		return
	}
	rows, err := b.store.Bookmarks(ctx, l.ID)
	if err == nil && len(rows) > 0 {
		err = b.publish(ctx, l, differences{gone: rows})
	}
	if err != nil {
		b.env.Log.Warn("bookmarks of a login that is unlinked may be left", "login", l.ID, "err", err)
	}
}

// put publishes a bookmark (XEP-0402 §3.1). A node that somebody has configured otherwise is taken as it is.
func (b *Bookmarks) put(ctx context.Context, owner, room jid.JID, conference *stanza.Element) error {
	item := stanza.NewElement(convert.NSPubsub, "item").With("id", room.String()).Add(conference)
	publish := stanza.NewElement(convert.NSPubsub, "publish").With("node", convert.NSBookmarks).Add(item)
	_, err := b.ask(ctx, owner, stanza.TypeSet, publish, publishOptions())
	if e, ok := errors.AsType[*stanza.Error](err); ok && e.Condition == "conflict" { // XEP-0060 §7.1.5
		_, err = b.ask(ctx, owner, stanza.TypeSet, publish)
	}
	return err
}

// publishOptions are how a node of bookmarks is to be configured (XEP-0402 §3.1, XEP-0223 §4).
func publishOptions() *stanza.Element {
	f := form.New(form.Submit, convert.NSPubsub+"#publish-options", "")
	f.Text("pubsub#persist_items", "", "true").Text("pubsub#max_items", "", "max").Text("pubsub#send_last_published_item", "", "never")
	return stanza.NewElement(convert.NSPubsub, "publish-options").Add(f.Text("pubsub#access_model", "", "whitelist").Element())
}

// retract removes a bookmark (XEP-0402 §3.3).
func (b *Bookmarks) retract(ctx context.Context, owner, room jid.JID) error {
	item := stanza.NewElement(convert.NSPubsub, "item").With("id", room.String())
	_, err := b.ask(ctx, owner, stanza.TypeSet, stanza.NewElement(convert.NSPubsub, "retract").With("node", convert.NSBookmarks).With("notify", "true").Add(item))
	if e, ok := errors.AsType[*stanza.Error](err); ok && e.Condition == "item-not-found" {
		return nil
	}
	return err
}

// ask sends a request about an owner's nodes.
func (b *Bookmarks) ask(ctx context.Context, owner jid.JID, typ string, children ...*stanza.Element) (*stanza.Stanza, error) {
	return b.roster.Requests.AskAs(ctx, b.env.Domain, owner, typ, stanza.NewElement(convert.NSPubsub, "pubsub").Add(children...))
}
