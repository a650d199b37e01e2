package abuse

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Policy is what an account accepts from strangers.
type Policy string

// The policies.
const (
	Limit  Policy = "limit"  // within the limits
	Accept Policy = "accept" // all, except from those on block lists
	Refuse Policy = "refuse" // subscription requests only
)

// PolicyStore keeps the policies that accounts have chosen; "" is that of the host.
type PolicyStore interface {
	StrangerPolicy(ctx context.Context, account jid.JID) (Policy, error)
	SetStrangerPolicy(ctx context.Context, account jid.JID, p Policy) error
}

// Limits are numbers an hour; zero means no limit.
type Limits struct {
	Messages  int // of one stranger to one account that has not answered
	Senders   int // strangers that reach one account for the first time
	Receivers int // accounts that one stranger reaches for the first time
}

// Options are the parameters of New. Known, Operator and Operators may not be nil.
type Options struct {
	Policy Policy // of accounts that have not chosen one
	Local  bool   // accounts of this server that do not know each other are strangers too
	Limits Limits
	Lists  *Lists // nil: none
	// Known reports whether an address is in the account's roster or a subscription exists.
	Known func(ctx context.Context, a *router.Account, other jid.JID) (bool, error)
	// Operator reports whether an address may see reports, and Operators lists those who may.
	Operator  func(who jid.JID) bool
	Operators func() []jid.JID
	// Block makes an operator block an address, or a domain, for all accounts of the host. nil: that is not offered.
	Block func(ctx context.Context, operator, address jid.JID) error
	Log   *slog.Logger
}

// Abuse protects the accounts of one host.
type Abuse struct {
	Options
	host     *router.Host
	policies PolicyStore
	reports  ReportStore
	contacts *router.Slot[contacts]
	senders  *senders

	tooMany, tooManySenders, tooManyReceivers atomic.Uint64 // how often the limits were reached
}

// New returns the feature.
func New(h *router.Host, p PolicyStore, r ReportStore, o Options) *Abuse {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Policy == "" {
		o.Policy = Limit
	}
	a := &Abuse{Options: o, host: h, policies: p, reports: r, senders: newSenders()}
	a.contacts = &router.Slot[contacts]{Load: func(ctx context.Context, account *router.Account) (*contacts, error) {
		policy, err := p.StrangerPolicy(ctx, account.JID())
		if err != nil {
			return nil, fmt.Errorf("read what %s accepts from strangers: %w", account.JID(), err)
		}
		return newContacts(policy), nil
	}}
	return a
}

// Feature declares the feature. Its stage comes behind that of block lists of accounts.
func (a *Abuse) Feature() router.Feature {
	return router.Feature{
		Name:      "abuse",
		Stages:    []router.Stage{{Name: "strangers", Position: router.Refuse, Outbound: a.sent, Inbound: a.received, Skip: a.skips}},
		Slots:     []router.AccountSlot{a.contacts},
		HostDisco: router.Disco{Commands: []command.Command{a.policyCommand(), a.reportsCommand()}},
		Counters: []router.Counter{
			{Setting: "limits.stranger_messages", Value: &a.tooMany},
			{Setting: "limits.stranger_senders", Value: &a.tooManySenders},
			{Setting: "limits.stranger_receivers", Value: &a.tooManyReceivers},
		},
	}
}

// outside reports whether an address may be that of a stranger: neither this host nor a component or gateway of this server.
func (a *Abuse) outside(other jid.JID) bool {
	if other.IsZero() {
		return false
	}
	r := a.host.Router()
	return !r.Serves(other) || a.Local && other.Local() != "" && r.Host(other) != nil
}

// sent notes whom the account has written to: these are no strangers.
func (a *Abuse) sent(ctx context.Context, p *router.Pass) error {
	st := p.Stanza
	if st.Kind == stanza.IQ || st.Type == stanza.TypeError || !a.outside(st.To) || st.To.Bare() == p.Account.JID() {
		return nil
	}
	c, err := a.contacts.Get(ctx, p.Account)
	if err != nil {
		return err
	}
	c.note(st.To.Bare())
	return nil
}

// received refuses what strangers may not send.
func (a *Abuse) received(ctx context.Context, p *router.Pass) error {
	st := p.Stanza
	if !a.outside(st.From) || st.From.Bare() == p.Account.JID() {
		return nil
	}
	listed := a.Lists != nil && a.Lists.Has(st.From)
	if !listed && !limited(st) {
		return nil
	}
	c, err := a.contacts.Get(ctx, p.Account)
	if err != nil {
		return err
	}
	if known, err := a.known(ctx, p.Account, c, st.From.Bare()); known || err != nil {
		return err
	}
	if listed {
		a.Lists.Refused.Add(1)
		return refuse(st, "your address is on a list of addresses that send spam")
	}
	return a.limit(c, st)
}

// skips implements router.Stage.Skip.
func (a *Abuse) skips(st *stanza.Stanza) bool {
	return !a.outside(st.From) || !limited(st) && (a.Lists == nil || !a.Lists.Has(st.From))
}

// limited reports whether the limits count a stanza: messages for a person, and subscription requests.
func limited(st *stanza.Stanza) bool {
	switch st.Kind {
	case stanza.Message:
		return st.Type != stanza.TypeError && st.Type != stanza.TypeGroupchat
	case stanza.Presence:
		return st.Type == stanza.TypeSubscribe
	}
	return false
}

// known reports whether the account knows the other.
func (a *Abuse) known(ctx context.Context, account *router.Account, c *contacts, other jid.JID) (bool, error) {
	if c.has(other) {
		return true, nil
	}
	known, err := a.Known(ctx, account, other)
	if known && err == nil {
		c.note(other)
	}
	return known, err
}

// limit applies the policy of the account and the limits.
func (a *Abuse) limit(c *contacts, st *stanza.Stanza) error {
	policy := c.policy()
	if policy == "" {
		policy = a.Policy
	}
	switch {
	case policy == Accept:
		return nil
	case policy == Refuse && st.Kind == stanza.Message:
		return router.ErrStop // as for an address without an account
	}
	switch c.count(st.From.Bare(), a.Limits, a.senders) {
	case tooManyMessages:
		a.tooMany.Add(1)
		return refuse(st, "wait for an answer before you write more")
	case tooManySenders:
		a.tooManySenders.Add(1)
		return refuse(st, "many others have written there just now: try it later")
	case tooManyReceivers:
		a.tooManyReceivers.Add(1)
		return refuse(st, "you have written to many for the first time just now: try it later")
	}
	return nil
}

// refuse returns the error for what is refused. Presence is not answered, and an account that is asked seems not to exist.
func refuse(st *stanza.Stanza, text string) error {
	switch {
	case st.Kind == stanza.IQ && st.IsRequest():
		return stanza.ServiceUnavailable("")
	case st.Kind == stanza.Message && st.Type != stanza.TypeError:
		return stanza.PolicyViolation(text)
	}
	return router.ErrStop
}
