package bookmarks

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func newItem(id string, payload *stanza.Element) pubsub.Item {
	return pubsub.Item{ID: id, Payload: payload.String(), At: time.Now()}
}

// take returns the change that makes the items of an account those of a storage element, and the items after it. Items that stay the
// same are not published again (XEP-0402 §3.4.2), and what only XEP-0402 knows about a room is kept.
func (b *Bookmarks) take(ctx context.Context, account jid.JID, storage *stanza.Element) (pubsub.Edit, []pubsub.Item, error) {
	edit := pubsub.Edit{Node: NS, Config: config(pubsub.Max), By: byLegacy}
	items, _, err := b.read(ctx, account)
	if err != nil {
		return edit, nil, err
	}
	known := map[string]*stanza.Element{}
	for _, i := range items {
		if e, err := stanza.ParseElement(i.Payload, ""); err == nil {
			known[i.ID] = e
		}
	}
	wanted, changed := map[string]bool{}, map[string]bool{}
	for old := range storage.Named(NSLegacy, "conference") {
		room, err := jid.Parse(old.Attr("jid"))
		if err != nil || room.Bare().Local() == "" || wanted[room.Bare().String()] {
			continue // XEP-0402 §3.1: the id is the bare JID of a room
		}
		id := room.Bare().String()
		wanted[id] = true
		if now := known[id]; now == nil || !same(old, now) {
			changed[id] = true
			edit.Items = append(edit.Items, newItem(id, modern(old, now)))
		}
	}
	var after []pubsub.Item
	for _, i := range items {
		switch {
		case !wanted[i.ID]:
			edit.Retract = append(edit.Retract, i.ID)
		case !changed[i.ID]:
			after = append(after, i)
		}
	}
	return edit, append(after, edit.Items...), nil
}

// fields are what both formats have.
type fields struct {
	name, nick, password string
	autojoin             bool
}

func fieldsOf(e *stanza.Element) fields {
	autojoin, _ := form.ParseBool(e.Attr("autojoin"))
	return fields{e.Attr("name"), e.ChildText(e.Space, "nick"), e.ChildText(e.Space, "password"), autojoin}
}

func same(a, b *stanza.Element) bool { return fieldsOf(a) == fieldsOf(b) }

// modern returns the conference of XEP-0402 for one of XEP-0048; before is the one that it replaces, or nil.
func modern(old, before *stanza.Element) *stanza.Element {
	e := fieldsOf(old).element(NS)
	if before != nil {
		for c := range before.Elements() {
			if !c.Is(NS, "nick") && !c.Is(NS, "password") {
				e.Add(c)
			}
		}
	}
	return e
}

func (f fields) element(space string) *stanza.Element {
	e := stanza.NewElement(space, "conference").With("name", f.name)
	if f.autojoin {
		e.With("autojoin", "true")
	}
	if f.nick != "" {
		e.Add(stanza.TextElement(space, "nick", f.nick))
	}
	if f.password != "" {
		e.Add(stanza.TextElement(space, "password", f.password))
	}
	return e
}

// collate returns a storage element with the items, and with what else is in rest, which may be nil.
func collate(items []pubsub.Item, rest *stanza.Element) *stanza.Element {
	storage := withoutConferences(rest)
	for _, i := range items {
		e, err := stanza.ParseElement(i.Payload, "")
		if err != nil || !e.Is(NS, "conference") {
			continue
		}
		storage.Add(fieldsOf(e).element(NSLegacy).With("jid", i.ID))
	}
	return storage
}

func withoutConferences(storage *stanza.Element) *stanza.Element {
	e := stanza.NewElement(NSLegacy, "storage")
	if storage == nil {
		return e
	}
	for c := range storage.Elements() {
		if !c.Is(NSLegacy, "conference") {
			e.Add(c)
		}
	}
	return e
}
