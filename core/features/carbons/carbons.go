package carbons

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of this feature.
const NS = message.NSCarbons

// Carbons copies messages to the other sessions of an account.
type Carbons struct {
	enabled *router.Flag // the session gets copies
}

// New returns the feature.
func New() *Carbons { return &Carbons{&router.Flag{Name: message.FlagCarbons}} }

// Feature declares the feature.
func (c *Carbons) Feature() router.Feature {
	return router.Feature{
		Name:        "carbons",
		Stages:      []router.Stage{{Name: "carbons", Position: router.Copy, Outbound: c.sent, Inbound: c.received, Skip: skips}},
		AccountIQ:   map[string]router.IQHandler{NS: router.OwnSession(c.iq)},
		HostDisco:   router.Disco{Info: disco.Info{Features: []string{NS}}},
		Flags:       []*router.Flag{c.enabled},
		BeforeLogin: &router.BeforeLogin{Inline: router.Inline{Namespace: NS, Request: c.inline}},
		Specs:       []spec.Spec{{Number: "0280", Title: "Message Carbons", Version: "1.0.1", State: spec.Complete, Note: "Server."}},
	}
}

// skips implements router.Stage.Skip.
func skips(st *stanza.Stanza) bool {
	return st.Kind != stanza.Message || !message.Copyable(st, message.Received)
}

// iq enables or disables copies for the session (XEP-0280 §4, §5).
func (c *Carbons) iq(_ context.Context, q *router.IQ) (*stanza.Element, error) {
	switch {
	case q.Stanza.Type != stanza.TypeSet:
		return nil, stanza.BadRequest("")
	case q.Payload.Local == "enable":
		q.Session.Set(c.enabled, true)
	case q.Payload.Local == "disable":
		q.Session.Set(c.enabled, false)
	default:
		return nil, stanza.BadRequest("")
	}
	return nil, nil
}

// inline enables copies for a session that is being bound (XEP-0386 §4.2). There is no answer.
func (c *Carbons) inline(_ context.Context, b *router.Bound, e *stanza.Element) *stanza.Element {
	if e.Local == "enable" {
		b.Set(c.enabled, true)
	}
	return nil
}

// sent copies outgoing messages (XEP-0280 §8). A message to the own account is copied by received.
func (c *Carbons) sent(_ context.Context, p *router.Pass) error {
	if p.Stanza.Kind == stanza.Message && p.Stanza.To.Bare() != p.Account.JID() {
		c.copy(p, message.Sent, func(s *router.Bound) bool { return s != p.Session })
	}
	return nil
}

// received copies incoming messages (XEP-0280 §7).
func (c *Carbons) received(_ context.Context, p *router.Pass) error {
	if p.Stanza.Kind == stanza.Message {
		c.copy(p, message.Received, func(s *router.Bound) bool {
			return !slices.Contains(p.Targets, s) && s != p.Session
		})
	}
	return nil
}

// copy delivers a copy to each session that has enabled copies and for which wanted is true.
func (c *Carbons) copy(p *router.Pass, d message.Direction, wanted func(*router.Bound) bool) {
	payload := ""
	for _, s := range p.Account.Sessions() {
		if !s.Has(c.enabled) || !wanted(s) {
			continue
		}
		if payload == "" {
			if !message.Copyable(p.Stanza, d) {
				return
			}
			payload = message.CarbonPayload(p.Stanza, d)
		}
		p.Deliver(s, message.CarbonOf(s.JID(), p.Stanza.Type, payload))
	}
}
