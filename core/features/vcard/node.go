package vcard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/vcard4"
)

// Node is the node of an account's vCard4, whose item has the id itemID where this package publishes it (XEP-0292 §4.1).
const (
	Node   = "urn:xmpp:vcard4"
	itemID = "current"
)

// byConverted marks what this package publishes (pubsub.Publish.By): it is not converted back.
const byConverted = "vcard: converted"

// Nodes are the nodes of accounts, as pubsub.Engine has them.
type Nodes interface {
	Read(ctx context.Context, q pubsub.Reading) (items []pubsub.Item, found bool, err error)
	Readable(ctx context.Context, q pubsub.Reading) (exists, readable bool, err error)
	Publish(ctx context.Context, p pubsub.Publish) error
}

// Join sets the nodes of the accounts.
func (v *VCard) Join(n Nodes) { v.nodes = n }

// takeOver publishes the vCard of an account whose client has stored it before there was the node, when somebody asks for the node. A card that
// is kept elsewhere is not published: whoever asks for the items gets it.
func (v *VCard) takeOver(ctx context.Context, p *router.Pass) error {
	st := p.Stanza
	if st.Kind != stanza.IQ || st.Type != stanza.TypeGet || !strings.Contains(st.Payload, Node) {
		return nil
	}
	account := p.Account.JID()
	if own := p.Session != nil && p.Session.Account() == p.Account; st.To != account && !(own && st.To.IsZero()) {
		return nil // it is about another account, or for a session
	}
	if answered, err := v.answerItems(ctx, p); err != nil {
		return err
	} else if answered {
		return router.ErrStop
	}
	return v.publishStored(ctx, account, p.Route)
}

// answerItems answers a request for the items of the node with the card of the account that is kept elsewhere, if that is to be shown.
func (v *VCard) answerItems(ctx context.Context, p *router.Pass) (bool, error) {
	items := p.Stanza.Child(pubsub.NS, "pubsub").Child(pubsub.NS, "items")
	if v.others == nil || items.Attr("node") != Node {
		return false, nil
	}
	account := p.Account.JID()
	card, prevails, err := v.others.Card(ctx, account, p.Stanza.From.Bare())
	if card == nil || err != nil {
		return false, err
	}
	if !prevails {
		exists, _, err := v.nodes.Readable(ctx, pubsub.Reading{Service: account, Node: Node, Reader: account})
		if exists || err != nil {
			return false, err
		}
		if stored, err := v.stored(ctx, account); stored != nil || err != nil {
			return false, err
		}
	}
	item := stanza.NewElement(pubsub.NS, "item").With("id", itemID).Add(vcard4.FromTemp(card, nil))
	result := p.Stanza.Result(stanza.NewElement(pubsub.NS, "pubsub").Add(stanza.NewElement(pubsub.NS, "items").With("node", Node).Add(item)))
	result.From = account
	p.Route(result)
	return true, nil
}

// skips implements router.Stage.Skip.
func skips(st *stanza.Stanza) bool { return st.Kind != stanza.IQ }

// publishStored publishes the stored vCard of an account, unless it has the node.
func (v *VCard) publishStored(ctx context.Context, account jid.JID, route func(*stanza.Stanza)) error {
	if exists, _, err := v.nodes.Readable(ctx, pubsub.Reading{Service: account, Node: Node, Reader: account}); exists || err != nil {
		return err
	}
	temp, err := v.stored(ctx, account)
	if err != nil || temp == nil {
		return err
	}
	return v.publish(ctx, account, temp, route)
}

// stored returns the vcard-temp of an account, or nil.
func (v *VCard) stored(ctx context.Context, account jid.JID) (*stanza.Element, error) {
	xml, err := v.store.VCard(ctx, account)
	if err != nil || xml == "" {
		return nil, err
	}
	card, err := stanza.ParseElement(xml, "")
	if err != nil {
		return nil, fmt.Errorf("read vCard of %s: %w", account, err)
	}
	return card, nil
}

// published returns the account's vCard4 as an entity may read it, or nil.
func (v *VCard) published(ctx context.Context, account, reader jid.JID) (*stanza.Element, error) {
	items, _, err := v.nodes.Read(ctx, pubsub.Reading{Service: account, Node: Node, Reader: reader, Count: 1})
	if err != nil || len(items) == 0 {
		return nil, err
	}
	card, err := stanza.ParseElement(items[0].Payload, "")
	if err != nil {
		return nil, fmt.Errorf("read vCard of %s: %w", account, err)
	}
	if !card.Is(vcard4.NS, "vcard") {
		return nil, nil
	}
	return card, nil
}

// publish publishes a vcard-temp as vCard4. A new node is open, as vcard-temp is, and tells of changes without the vCard
// (XEP-0292 §4.2.2).
func (v *VCard) publish(ctx context.Context, account jid.JID, temp *stanza.Element, route func(*stanza.Stanza)) error {
	old, err := v.published(ctx, account, account)
	if err != nil {
		return err
	}
	card := vcard4.FromTemp(temp, old)
	xml := card.String()
	if old == nil && vcard4.Empty(card) || old != nil && old.String() == xml {
		return nil
	}
	if len(xml) > 2*v.max { // the tags of vCard4 are longer
		v.tooLarge.Add(1)
		return stanza.NotAcceptable("the vCard is too large")
	}
	c := pubsub.AccountDefaults()
	c.Access, c.Payloads = pubsub.Open, false
	return v.nodes.Publish(ctx, pubsub.Publish{
		Service: account, Node: Node, Config: c, By: byConverted, Route: route, Item: pubsub.Item{ID: itemID, Payload: xml, At: time.Now()},
	})
}

// Committed follows the changes of an account's nodes (pubsub.Options): what the account publishes is its vcard-temp too.
func (v *VCard) Committed(ctx context.Context, c pubsub.Committed) error {
	if c.Name != Node || c.By == byConverted {
		return nil
	}
	if err := v.convert(ctx, c); err != nil {
		return fmt.Errorf("convert vCard of %s: %w", c.Service, err)
	}
	return nil
}

func (v *VCard) convert(ctx context.Context, c pubsub.Committed) error {
	card, err := v.published(ctx, c.Service, c.Service)
	if err != nil {
		return err
	}
	if card == nil {
		if c.Item != nil && c.Item.Payload != "" {
			return nil // it is no vCard
		}
		card = stanza.NewElement(vcard4.NS, "vcard")
	}
	old, err := v.stored(ctx, c.Service)
	if err != nil {
		return err
	}
	temp := vcard4.ToTemp(card, old)
	if photo := temp.Child(NS, "PHOTO"); photo != nil && v.photos != nil && c.Node != nil && c.Node.Config.Access == pubsub.Open { // XEP-0398 §6
		taken, err := v.photos.SetPhotoWithin(ctx, c.Service, photo, c.Route)
		if err != nil {
			return err
		}
		if taken {
			temp = withoutPhoto(temp)
		}
	}
	xml := ""
	if !vcard4.Empty(temp) {
		xml = temp.String()
	}
	if len(xml) > v.max { // pictures that are no avatar
		for _, large := range []string{"SOUND", "LOGO", "PHOTO"} {
			temp = without(temp, large)
		}
		xml = temp.String()
	}
	if len(xml) > v.max {
		v.tooLarge.Add(1)
		return errTooLarge
	}
	return v.store.SetVCard(ctx, c.Service, xml)
}

var errTooLarge = errors.New("the published vCard is too large: the one for old clients stays as it was")

// get4 answers a request for a vCard4 without a node, which earlier versions of XEP-0292 had and automated entities still have (§6).
func (v *VCard) get4(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	if q.Stanza.Type != stanza.TypeGet || !q.Payload.Is(vcard4.NS, "vcard") {
		return nil, stanza.ServiceUnavailable("") // also for accounts that do not exist
	}
	if err := v.publishStored(ctx, q.Account.JID(), q.Route); err != nil {
		return nil, err
	}
	card, err := v.published(ctx, q.Account.JID(), q.Stanza.From)
	if err != nil {
		return nil, err
	}
	hidden, err := v.hides(ctx, q)
	if err != nil {
		return nil, err
	}
	other, err := v.other(ctx, q, card != nil || hidden)
	if err != nil {
		return nil, err
	}
	if other != nil {
		return vcard4.FromTemp(other, nil), nil
	}
	if card == nil && q.Own() {
		return stanza.NewElement(vcard4.NS, "vcard"), nil
	}
	if card == nil {
		return nil, stanza.ServiceUnavailable("")
	}
	return card, nil
}

// host4 answers with the vCard of the server (XEP-0292 §6).
func (v *VCard) host4(_ context.Context, q *router.IQ) (*stanza.Element, error) {
	if q.Stanza.Type != stanza.TypeGet || !q.Payload.Is(vcard4.NS, "vcard") {
		return nil, stanza.ServiceUnavailable("")
	}
	property := func(name, kind, value string) *stanza.Element {
		return stanza.NewElement(vcard4.NS, name).Add(stanza.TextElement(vcard4.NS, kind, value))
	}
	domain := q.Host.Domain().String()
	return stanza.NewElement(vcard4.NS, "vcard").Add(
		property("fn", "text", domain), property("impp", "uri", "xmpp:"+domain), property("kind", "text", "application")), nil
}
