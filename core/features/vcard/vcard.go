package vcard

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/vcard4"
)

// NS is the namespace of XEP-0054.
const NS = "vcard-temp"

// Store keeps the vCards as XML.
type Store interface {
	// VCard returns "" if the account has no vCard.
	VCard(ctx context.Context, account jid.JID) (string, error)
	SetVCard(ctx context.Context, account jid.JID, xml string) error
}

// Photos has the photos of the accounts that keep them outside of their vCards.
type Photos interface {
	// Photo returns the PHOTO element for a reader, or nil.
	Photo(ctx context.Context, account, reader jid.JID) (*stanza.Element, error)
	// SetPhoto takes a photo over and reports whether the vCard need not keep it.
	SetPhoto(ctx context.Context, account jid.JID, photo *stanza.Element, route func(*stanza.Stanza)) (bool, error)
	// SetPhotoWithin is SetPhoto for Committed.
	SetPhotoWithin(ctx context.Context, account jid.JID, photo *stanza.Element, route func(*stanza.Stanza)) (bool, error)
}

// Others has cards of accounts that are kept elsewhere, such as in a directory of people.
type Others interface {
	// Card returns the card of an account as a reader may see it, or nil, and whether it takes the place of what the account has stored. It is
	// not changed.
	Card(ctx context.Context, account, reader jid.JID) (card *stanza.Element, prevails bool, err error)
}

// VCard serves the cards of a host's accounts.
type VCard struct {
	store    Store
	photos   Photos // nil: each card has its own
	nodes    Nodes  // set by Join
	others   Others // nil: all cards are in the store
	max      int
	tooLarge atomic.Uint64 // cards that were refused
}

// New returns the feature.
func New(s Store, max int) *VCard {
	if max <= 0 {
		max = 64 << 10
	}
	return &VCard{store: s, max: max}
}

// With sets where photos are kept. Call it before the feature is used.
func (v *VCard) With(p Photos) *VCard {
	v.photos = p
	return v
}

// Beside sets where cards are read that are not in the store. Call it before the feature is used.
func (v *VCard) Beside(o Others) *VCard {
	v.others = o
	return v
}

// Feature declares the feature.
func (v *VCard) Feature() router.Feature {
	return router.Feature{
		Name:      "vcard",
		Stages:    []router.Stage{{Name: "vcard", Position: router.Clean, Outbound: v.takeOver, Inbound: v.takeOver, Skip: skips}},
		AccountIQ: map[string]router.IQHandler{NS: v.iq, vcard4.NS: v.get4},
		HostIQ:    map[string]router.IQHandler{vcard4.NS: v.host4},
		HostDisco: router.Disco{Info: disco.Info{Features: []string{NS, vcard4.NS}}},
		// XEP-0292 §7; XEP-0054 §5
		AccountDisco: router.Disco{Info: disco.Info{Features: []string{NS, vcard4.NS}}},
		Counters:     []router.Counter{{Setting: "limits.vcard_bytes", Value: &v.tooLarge}},
		Specs: []spec.Spec{
			{Number: "0054", Title: "vcard-temp", Version: "1.3.0", State: spec.Complete, Note: "Server and gateways."},
			{Number: "0292", Title: "vCard4 Over XMPP", Version: "0.12.0", State: spec.Complete, Note: "Server: the node of an account, converted from and to vcard-temp."},
		},
	}
}

func (v *VCard) iq(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	if !q.Payload.Is(NS, "vCard") {
		return nil, stanza.ServiceUnavailable("")
	}
	if q.Stanza.Type == stanza.TypeGet {
		return v.get(ctx, q)
	}
	if !q.Own() {
		return nil, stanza.ServiceUnavailable("") // also for accounts that do not exist
	}
	return nil, v.set(ctx, q)
}

// get answers other senders about an account without a card as about one that does not
// exist (XEP-0054 §3.3).
func (v *VCard) get(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	stored, hidden, err := v.shown(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("read vCard of %s: %w", q.Account.JID(), err)
	}
	other, err := v.other(ctx, q, stored != nil || hidden)
	if err != nil {
		return nil, err
	}
	var photo *stanza.Element
	if other != nil {
		if stored = other; stored.Child(NS, "PHOTO") != nil {
			return stored, nil
		}
	}
	if v.photos != nil {
		if photo, err = v.photos.Photo(ctx, q.Account.JID(), q.Stanza.From); err != nil {
			return nil, err
		}
	}
	card := stanza.NewElement(NS, "vCard") // XEP-0054 §3.1
	switch {
	case stored != nil:
		card = stored
	case photo == nil && !q.Own():
		return nil, stanza.ServiceUnavailable("")
	}
	if photo != nil {
		card = withoutPhoto(card).Add(photo)
	}
	return card, nil
}

// other returns the card that is shown instead of the one that the account has stored, if it has, or nil.
func (v *VCard) other(ctx context.Context, q *router.IQ, has bool) (*stanza.Element, error) {
	if v.others == nil {
		return nil, nil
	}
	reader := q.Stanza.From.Bare()
	if q.Own() {
		reader = q.Account.JID()
	}
	card, prevails, err := v.others.Card(ctx, q.Account.JID(), reader)
	if err != nil || card == nil || has && !prevails {
		return nil, err
	}
	return card, nil
}

// shown returns the stored card, if the sender may read the node with the same data: an account that shows it to some only means
// that for old clients too.
func (v *VCard) shown(ctx context.Context, q *router.IQ) (card *stanza.Element, hidden bool, err error) {
	if hidden, err = v.hides(ctx, q); hidden || err != nil {
		return nil, hidden, err
	}
	card, err = v.stored(ctx, q.Account.JID())
	return card, false, err
}

// hides reports whether the account has a node for its card that the sender may not read.
func (v *VCard) hides(ctx context.Context, q *router.IQ) (bool, error) {
	if v.nodes == nil || q.Own() {
		return false, nil
	}
	exists, readable, err := v.nodes.Readable(ctx, pubsub.Reading{Service: q.Account.JID(), Node: Node, Reader: q.Stanza.From})
	return exists && !readable, err
}

// withoutPhoto returns a copy of a card.
func withoutPhoto(card *stanza.Element) *stanza.Element { return without(card, "PHOTO") }

// without returns a copy of a card without one property.
func without(card *stanza.Element, property string) *stanza.Element {
	c := &stanza.Element{Space: card.Space, Local: card.Local, Attrs: card.Attrs}
	for _, n := range card.Nodes {
		if n.Element == nil || !n.Element.Is(NS, property) {
			c.Nodes = append(c.Nodes, n)
		}
	}
	return c
}

func (v *VCard) set(ctx context.Context, q *router.IQ) error {
	if q.Payload.EncodedLen() > v.max {
		v.tooLarge.Add(1)
		return stanza.NotAcceptable("the vCard is too large")
	}
	card := q.Payload
	if photo := card.Child(NS, "PHOTO"); photo != nil && v.photos != nil {
		taken, err := v.photos.SetPhoto(ctx, q.Account.JID(), photo, q.Route)
		if err != nil {
			return err
		}
		if taken {
			card = withoutPhoto(card)
		}
	}
	if v.nodes != nil {
		if err := v.publish(ctx, q.Account.JID(), card, q.Route); err != nil {
			return err
		}
	}
	if err := v.store.SetVCard(ctx, q.Account.JID(), card.String()); err != nil {
		return fmt.Errorf("write vCard of %s: %w", q.Account.JID(), err)
	}
	return nil
}
