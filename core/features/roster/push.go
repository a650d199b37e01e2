package roster

import (
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// pusher returns the function that the store calls after a commit: it sends the roster push to every
// interested session (RFC 6121 §2.1.6). explain returns the inbound subscription stanza that caused the
// change, which is sent first (§3.1.6), or nil.
func (r *Roster) pusher(account jid.JID, explain func() *stanza.Stanza) func(Change) {
	return func(c Change) {
		r.contacts.Invalidate(r.host.Local(account))
		if explain != nil {
			if st := explain(); st != nil {
				r.toInterested(account, func(jid.JID) *stanza.Stanza { return st })
			}
		}
		if pushed(c) {
			r.push(account, c)
		}
	}
}

// push sends the changed item.
func (r *Roster) push(account jid.JID, c Change) {
	version := r.version(account, c.Version) // before the groups are read: they are not older
	seen, listed := r.visible(account, c.After)
	item := seen.Element()
	if !listed {
		item = stanza.NewElement(NS, "item").With("jid", c.Before.JID.String()).With("subscription", "remove")
	}
	payload := stanza.Encode(stanza.NewElement(NS, "query").With("ver", string(version)).Add(item))
	push := func(to jid.JID) *stanza.Stanza {
		return &stanza.Stanza{
			Kind: stanza.IQ, To: to, From: account, ID: stanza.NewID(), Type: stanza.TypeSet, Payload: payload,
		}
	}
	r.toInterested(account, push)
	if r.Privileges != nil {
		for _, domain := range r.Privileges.Pushes() {
			r.host.Router().Route(push(domain))
		}
	}
}

// pushed reports whether a change is visible in the roster. A subscription request alone is not, nor is a
// contact that was never listed (RFC 6121 §3.1.3).
func pushed(c Change) bool {
	if !c.Before.Listed && !c.After.Listed {
		return false
	}
	a, b := c.Before.Item, c.After.Item
	return c.Before.Listed != c.After.Listed || a.Name != b.Name || a.Subscription != b.Subscription ||
		a.Ask != b.Ask || a.Approved != b.Approved || !slices.Equal(a.Groups, b.Groups)
}

func (r *Roster) toInterested(account jid.JID, st func(full jid.JID) *stanza.Stanza) {
	for _, s := range r.host.Local(account).Sessions() {
		if s.Has(r.interested) {
			s.Send(st(s.JID()))
		}
	}
}
