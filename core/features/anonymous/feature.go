package anonymous

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const nsRoster = "jabber:iq:roster"

// Anonymous is the feature of a host whose accounts are anonymous.
type Anonymous struct {
	accounts *Accounts
	allowed  map[string]bool // domains to and from which the accounts communicate
}

// New returns the feature. allow are further domains with which the accounts communicate besides their own.
func New(a *Accounts, allow []string) *Anonymous {
	f := &Anonymous{accounts: a, allowed: map[string]bool{a.domain: true}}
	for _, domain := range allow {
		f.allowed[domain] = true
	}
	return f
}

// Specs are the extensions that the package implements; its feature is only on hosts of its own.
func Specs() []spec.Spec {
	return []spec.Spec{{
		Number: "0175", Title: "Best Practices for Use of SASL ANONYMOUS", Version: "1.2", State: spec.Complete,
		Note: "Off by default: on domains of their own. Nothing is stored, and sessions cannot be resumed.",
	}}
}

// Feature declares the feature.
func (a *Anonymous) Feature() router.Feature {
	return router.Feature{
		Name:      "anonymous",
		Stages:    []router.Stage{{Name: "anonymous", Position: router.Refuse, Outbound: a.outbound, Inbound: a.inbound}},
		AccountIQ: map[string]router.IQHandler{nsRoster: router.Own(roster)},
		Counters:  []router.Counter{{Setting: "limits.anonymous_sessions", Value: &a.accounts.full}},
	}
}

// outbound refuses what is for other servers and domains than those that are allowed (XEP-0175 §2).
func (a *Anonymous) outbound(_ context.Context, p *router.Pass) error {
	if to := p.Stanza.To; !to.IsZero() && !a.allowed[to.Domain()] {
		return stanza.NotAllowed("not without an account")
	}
	return nil
}

// inbound refuses what comes from there, but for errors: outbound answers in the name of the receiver.
func (a *Anonymous) inbound(_ context.Context, p *router.Pass) error {
	from := p.Stanza.From // zero: an answer to a request to the own account
	if !from.IsZero() && !a.allowed[from.Domain()] && p.Stanza.Type != stanza.TypeError {
		return stanza.ServiceUnavailable("")
	}
	return nil
}

// roster answers with an empty roster, which cannot be changed.
func roster(_ context.Context, q *router.IQ) (*stanza.Element, error) {
	if q.Stanza.Type == stanza.TypeGet {
		return stanza.NewElement(nsRoster, "query"), nil
	}
	return nil, stanza.NotAllowed("not without an account")
}

// Subscriptions are those of accounts that have none.
type Subscriptions struct{}

// Sent implements router.Subscriptions.
func (Subscriptions) Sent(context.Context, *router.Pass) error {
	return stanza.NotAllowed("not without an account")
}

// Received implements router.Subscriptions. A request is answered, so that its sender does not wait; the rest is dropped.
func (Subscriptions) Received(_ context.Context, p *router.Pass) error {
	if p.Stanza.Type == stanza.TypeSubscribe {
		p.Route(stanza.NewPresence(p.Stanza.From.Bare(), p.Account.JID(), stanza.TypeUnsubscribed))
	}
	return router.ErrStop
}

// Contacts implements router.Subscriptions.
func (Subscriptions) Contacts(context.Context, *router.Account) (from, to []jid.JID, err error) {
	return nil, nil, nil
}

// Subscription implements router.Subscriptions.
func (Subscriptions) Subscription(context.Context, *router.Account, jid.JID) (from, to bool, err error) {
	return false, false, nil
}

// Requests implements router.Subscriptions.
func (Subscriptions) Requests(context.Context, *router.Account) ([]*stanza.Stanza, error) {
	return nil, nil
}

// LastSeen keeps nothing of when accounts were available.
type LastSeen struct{}

// SetLastSeen does nothing.
func (LastSeen) SetLastSeen(jid.JID, time.Time, string) {}

// LastSeen returns the zero time.
func (LastSeen) LastSeen(context.Context, jid.JID) (at time.Time, status string, err error) {
	return time.Time{}, "", nil
}
