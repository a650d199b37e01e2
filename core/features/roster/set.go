package roster

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Limits of one item; the store limits the number of items.
const (
	maxName   = 1023 // bytes
	maxGroup  = 1023 // bytes
	maxGroups = 100
)

// wanted is the item of a roster set.
type wanted struct {
	Item
	remove bool
	force  bool // set Subscription too; only for contacts of a privileged entity's own domain
}

// set handles a roster set (RFC 6121 §2.3 to §2.5).
func (r *Roster) set(ctx context.Context, q *router.IQ, privileged bool) (*stanza.Element, error) {
	w, err := parseSet(q.Payload, q.Account.JID())
	if err != nil {
		return nil, err
	}
	if r.shared.Load().share(q.Account.JID(), w.JID) {
		return nil, errShared()
	}
	if privileged && w.JID.Domain() == q.Stanza.From.Domain() {
		w.force, err = parseSubscription(q.Payload, &w)
		if err != nil {
			return nil, err
		}
	}
	if w.remove {
		return nil, r.remove(ctx, q, w.JID)
	}
	return nil, r.setItem(ctx, q, w)
}

func parseSet(query *stanza.Element, account jid.JID) (wanted, error) {
	var item *stanza.Element
	n := 0
	for e := range query.Elements() {
		item = e
		n++
	}
	if n != 1 || !item.Is(NS, "item") { // RFC 6121 §2.3.3
		return wanted{}, stanza.BadRequest("a roster set holds exactly one item")
	}
	contact, err := jid.Parse(item.Attr("jid"))
	if err != nil || contact.IsFull() {
		return wanted{}, stanza.BadRequest("the item's jid is not a bare address")
	}
	if contact == account {
		return wanted{}, stanza.NotAllowed("you cannot be your own contact") // RFC 6121 §2.3.3
	}
	w := wanted{Item: Item{JID: contact, Name: item.Attr("name")}}
	if item.Attr("subscription") == "remove" { // any other value is ignored: RFC 6121 §2.1.5
		w.remove = true
		return w, nil
	}
	if len(w.Name) > maxName {
		return wanted{}, stanza.NotAcceptable("the name is too long")
	}
	for g := range item.Named(NS, "group") {
		name := g.Text()
		switch {
		case name == "":
			return wanted{}, stanza.NotAcceptable("a group has no name")
		case len(name) > maxGroup:
			return wanted{}, stanza.NotAcceptable("the name of a group is too long")
		case slices.Contains(w.Groups, name):
			return wanted{}, stanza.BadRequest("a group is named twice")
		case len(w.Groups) == maxGroups:
			return wanted{}, stanza.NotAcceptable("too many groups")
		}
		w.Groups = append(w.Groups, name)
	}
	slices.Sort(w.Groups)
	return w, nil
}

// parseSubscription reads the subscription that a privileged entity sets for a contact of its own domain:
// it acts for both sides.
func parseSubscription(query *stanza.Element, w *wanted) (bool, error) {
	v, ok := query.Child(NS, "item").LookupAttr("", "subscription")
	switch s := Subscription(v); {
	case !ok || w.remove:
		return false, nil
	case s == None, s == To, s == From, s == Both:
		w.Subscription = s
		return true, nil
	}
	return false, stanza.BadRequest("unknown subscription")
}

// setItem adds or replaces an item; a roster item is atomic (RFC 6121 §2.4.1).
func (r *Roster) setItem(ctx context.Context, q *router.IQ, w wanted) error {
	var before, after Entry
	account := q.Account.JID()
	err := r.store.ChangeRoster(ctx, account, w.JID, func(e *Entry) error {
		before = *e
		e.Listed, e.Name, e.Groups = true, w.Name, w.Groups
		if w.force {
			e.Subscription, e.Ask = w.Subscription, e.Ask && !w.Subscription.HasTo()
			if w.Subscription.HasFrom() {
				e.Request = nil
			}
		}
		after = *e
		return nil
	}, func(c Change) {
		r.contacts.Invalidate(r.host.Local(account))
		r.push(account, c) // even without a difference: RFC 6121 §2.4.2
	})
	if err != nil {
		return condition(err)
	}
	r.updatePresence(before, after, q)
	return nil
}

// updatePresence sends presence and probes after a privileged entity has changed a subscription.
func (r *Roster) updatePresence(before, after Entry, q *router.IQ) {
	was, is := before.Subscription, after.Subscription
	switch {
	case is.HasFrom() && !was.HasFrom():
		r.granted(q.Account, after.JID, q.Route)
	case was.HasFrom() && !is.HasFrom():
		r.revoked(q.Account, after.JID, q.Route)
	}
	if is.HasTo() && !was.HasTo() && slices.ContainsFunc(q.Account.Sessions(), available) {
		q.Route(stanza.NewPresence(after.JID, q.Account.JID(), stanza.TypeProbe)) // RFC 6121 §4.3.1
	}
}

// remove removes a contact (RFC 6121 §2.5).
func (r *Roster) remove(ctx context.Context, q *router.IQ, contact jid.JID) error {
	var before Entry
	err := r.store.ChangeRoster(ctx, q.Account.JID(), contact, func(e *Entry) error {
		if !e.Listed {
			return stanza.ItemNotFound("") // RFC 6121 §2.5.3
		}
		before = *e
		*e = Entry{Item: Item{JID: contact, Subscription: None}}
		return nil
	}, r.pusher(q.Account.JID(), nil))
	if err != nil {
		return condition(err)
	}
	r.endSubscription(q.Account, before, q.Route)
	return nil
}

// endSubscription ends the subscriptions between the account and a removed contact (RFC 6121 §2.5.2).
func (r *Roster) endSubscription(a *router.Account, e Entry, route func(*stanza.Stanza)) {
	if e.Subscription.HasFrom() {
		r.revoked(a, e.JID, route) // while the contact is still subscribed: RFC 6121 §3.2.2
	}
	for _, st := range endStanzas(a.JID(), e) {
		route(st)
	}
}

// endStanzas returns the stanzas that are sent to a removed contact.
func endStanzas(account jid.JID, e Entry) []*stanza.Stanza {
	var list []*stanza.Stanza
	add := func(typ string) {
		st := stanza.NewPresence(e.JID, account, typ)
		st.ID = stanza.NewID()
		list = append(list, st)
	}
	if e.Subscription.HasTo() || e.Ask {
		add(stanza.TypeUnsubscribe)
	}
	if e.Subscription.HasFrom() || e.Request != nil {
		add(stanza.TypeUnsubscribed)
	}
	return list
}

// EndSubscriptions prepares the end of all subscriptions of an account that is being deleted. The returned
// function sends the stanzas to the contacts (XEP-0077 §3.2).
func (r *Roster) EndSubscriptions(ctx context.Context, a *router.Account) (func(route func(*stanza.Stanza)), error) {
	items, _, err := r.store.Roster(ctx, a.JID(), "")
	if err != nil {
		return nil, err
	}
	requests, err := r.store.RosterRequests(ctx, a.JID())
	if err != nil {
		return nil, err
	}
	entries := map[jid.JID]Entry{}
	for _, item := range items {
		entries[item.JID] = Entry{Item: item, Listed: true}
	}
	for _, st := range requests {
		e := entries[st.From]
		e.JID, e.Request = st.From, st
		entries[st.From] = e
	}
	return func(route func(*stanza.Stanza)) {
		for _, e := range entries {
			r.endSubscription(a, e, route)
		}
	}, nil
}
