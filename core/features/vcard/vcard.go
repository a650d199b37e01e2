package vcard

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of XEP-0054.
const NS = "vcard-temp"

// Store keeps the vCards as XML.
type Store interface {
	// VCard returns "" if the account has no vCard.
	VCard(ctx context.Context, account jid.JID) (string, error)
	SetVCard(ctx context.Context, account jid.JID, xml string) error
}

// VCard serves the cards of a host's accounts.
type VCard struct {
	store    Store
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

// Feature declares the feature.
func (v *VCard) Feature() router.Feature {
	return router.Feature{
		Name:      "vcard",
		AccountIQ: map[string]router.IQHandler{NS: v.iq},
		HostDisco: router.Disco{Info: disco.Info{Features: []string{NS}}},
		Counters:  []router.Counter{{Setting: "limits.vcard_bytes", Value: &v.tooLarge}},
		Specs: []spec.Spec{
			{Number: "0054", Title: "vcard-temp", Version: "1.3.0", State: spec.Complete, Note: "Server and gateways."},
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
	xml, err := v.store.VCard(ctx, q.Account.JID())
	switch {
	case err != nil:
		return nil, fmt.Errorf("read vCard of %s: %w", q.Account.JID(), err)
	case xml != "":
		return stanza.ParseElement(xml, "")
	case q.Own():
		return stanza.NewElement(NS, "vCard"), nil // XEP-0054 §3.1
	}
	return nil, stanza.ServiceUnavailable("")
}

func (v *VCard) set(ctx context.Context, q *router.IQ) error {
	if q.Payload.EncodedLen() > v.max {
		v.tooLarge.Add(1)
		return stanza.NotAcceptable("the vCard is too large")
	}
	if err := v.store.SetVCard(ctx, q.Account.JID(), q.Payload.String()); err != nil {
		return fmt.Errorf("write vCard of %s: %w", q.Account.JID(), err)
	}
	return nil
}
