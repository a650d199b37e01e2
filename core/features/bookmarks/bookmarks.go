package bookmarks

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of bookmarks; both are also names of nodes.
const (
	NS       = "urn:xmpp:bookmarks:1"
	NSLegacy = "storage:bookmarks"
)

// legacyItem is the id of the only item of the node storage:bookmarks (XEP-0048 §3.1, XEP-0223).
const legacyItem = "current"

// Who publishes for this package (pubsub.Publish.By).
const (
	byLegacy   = "bookmarks: taken over"
	byCollated = "bookmarks: collated"
)

// Nodes are the nodes of accounts, as pubsub.Engine has them.
type Nodes interface {
	Read(ctx context.Context, q pubsub.Reading) (items []pubsub.Item, found bool, err error)
	Edit(ctx context.Context, e pubsub.Edits) error
	EditWithin(ctx context.Context, e pubsub.Edits) error
}

// Store keeps private XML (XEP-0049).
type Store interface {
	Private(ctx context.Context, account jid.JID, space, name string) (string, error)
}

// Bookmarks converts the bookmarks of one host's accounts.
type Bookmarks struct {
	store Store
	nodes Nodes // set by Join
	log   *slog.Logger
}

// New returns the feature. Call Join before it is used.
func New(s Store, log *slog.Logger) *Bookmarks {
	if log == nil {
		log = slog.Default()
	}
	return &Bookmarks{store: s, log: log}
}

// Join sets the nodes of the accounts.
func (b *Bookmarks) Join(n Nodes) { b.nodes = n }

// Feature declares the feature.
func (b *Bookmarks) Feature() router.Feature {
	return router.Feature{
		Name:         "bookmarks",
		Stages:       []router.Stage{{Name: "bookmarks", Position: router.Clean, Outbound: b.sent}},
		AccountDisco: router.Disco{Info: disco.Info{Features: []string{NS + "#compat", NS + "#compat-pep"}}}, // XEP-0402 §4
		Specs: []spec.Spec{
			{Number: "0402", Title: "PEP Native Bookmarks", Version: "1.2.0", State: spec.Complete, Note: "Server; with conversion of bookmarks in private XML and in one item."},
			{Number: "0048", Title: "Bookmarks", Version: "1.2", State: spec.Complete, Note: "Server; converted from and to XEP-0402."},
		},
	}
}

// config is the configuration of a new node of bookmarks (XEP-0402 §3.1, XEP-0223 §4).
func config(maxItems int) pubsub.Config {
	c := pubsub.AccountDefaults()
	c.Access, c.MaxItems, c.SendLast = pubsub.Whitelist, maxItems, "never"
	return c
}

// sent takes over bookmarks in private XML that are older than the node before a client reads the node for the first time.
func (b *Bookmarks) sent(ctx context.Context, p *router.Pass) error {
	st := p.Stanza
	if st.Kind != stanza.IQ || st.Type != stanza.TypeGet || !strings.Contains(st.Payload, NS) || !st.To.IsZero() && st.To != p.Account.JID() {
		return nil
	}
	account := p.Account.JID()
	if _, found, err := b.read(ctx, account); found || err != nil {
		return err
	}
	xml, err := b.store.Private(ctx, account, NSLegacy, "storage")
	if err != nil || xml == "" {
		return err
	}
	storage, err := stanza.ParseElement(xml, "")
	if err != nil {
		return fmt.Errorf("read bookmarks of %s: %w", account, err)
	}
	return b.takeAndCollate(ctx, account, storage, p.Route)
}

// takeAndCollate takes over a storage element for others than Committed. Both nodes are changed in one transaction: a node with a
// part of the bookmarks would look as if all had been taken over.
func (b *Bookmarks) takeAndCollate(ctx context.Context, account jid.JID, storage *stanza.Element, route func(*stanza.Stanza)) error {
	edit, items, err := b.take(ctx, account, storage)
	if err != nil {
		return err
	}
	collated, err := b.collated(ctx, account, items)
	if err != nil {
		return err
	}
	return b.nodes.Edit(ctx, pubsub.Edits{Service: account, Route: route, Nodes: []pubsub.Edit{edit, collated}})
}

// read returns the items of an account's bookmarks, and whether their node exists.
func (b *Bookmarks) read(ctx context.Context, account jid.JID) ([]pubsub.Item, bool, error) {
	items, found, err := b.nodes.Read(ctx, pubsub.Reading{Service: account, Node: NS, Reader: account})
	if err != nil {
		err = fmt.Errorf("read bookmarks of %s: %w", account, err)
	}
	return items, found, err
}

// Private returns the bookmarks as private XML: rest is what is stored of it beside them. It implements private.Source.
func (b *Bookmarks) Private(ctx context.Context, account jid.JID, rest *stanza.Element) (*stanza.Element, error) {
	items, found, err := b.read(ctx, account)
	if err != nil || !found {
		return rest, err
	}
	return collate(items, rest), nil
}

// SetPrivate takes bookmarks over from private XML, and returns what is to be stored of it.
func (b *Bookmarks) SetPrivate(ctx context.Context, account jid.JID, storage *stanza.Element, route func(*stanza.Stanza)) (*stanza.Element, error) {
	return withoutConferences(storage), b.takeAndCollate(ctx, account, storage, route)
}

// Committed follows the changes of an account's nodes: see pubsub.Options.
func (b *Bookmarks) Committed(ctx context.Context, c pubsub.Committed) {
	var edit pubsub.Edit
	var err error
	switch {
	case c.Name == NSLegacy && c.By == "" && c.Item != nil:
		var storage *stanza.Element
		if storage, err = stanza.ParseElement(c.Item.Payload, ""); err == nil {
			edit, _, err = b.take(ctx, c.Service, storage)
		}
	case c.Name == NS && c.By != byLegacy && c.Node != nil:
		var items []pubsub.Item
		if items, _, err = b.read(ctx, c.Service); err == nil {
			edit, err = b.collated(ctx, c.Service, items)
		}
	}
	if err == nil && edit.Node != "" {
		err = b.nodes.EditWithin(ctx, pubsub.Edits{Service: c.Service, Route: c.Route, Nodes: []pubsub.Edit{edit}})
	}
	if err != nil {
		b.log.Error("bookmarks not converted", "account", c.Service, "err", err)
	}
}

// collated returns the change of the node storage:bookmarks for the items of an account; none if it has them (XEP-0402 §3.4.1).
func (b *Bookmarks) collated(ctx context.Context, account jid.JID, items []pubsub.Item) (pubsub.Edit, error) {
	edit := pubsub.Edit{Node: NSLegacy, Config: config(1), By: byCollated}
	old, _, err := b.nodes.Read(ctx, pubsub.Reading{Service: account, Node: NSLegacy, Reader: account, Count: 1})
	if err != nil {
		return edit, err
	}
	var rest *stanza.Element
	if len(old) > 0 {
		if rest, err = stanza.ParseElement(old[0].Payload, ""); err != nil {
			return edit, err
		}
	}
	if item := newItem(legacyItem, collate(items, rest)); len(old) == 0 || old[0].Payload != item.Payload {
		edit.Items = []pubsub.Item{item}
	}
	return edit, nil
}
