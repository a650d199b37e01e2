package roster

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// changing marks a version that no client will find to be the current one: while a change of the groups is announced, no push
// tells how much of it has arrived before.
const changing = "~"

// SetGroups replaces the shared groups: members that are logged in get roster pushes and the presence that they may see from
// now on. It is called by one goroutine at a time. An account without a session is not loaded for it.
func (r *Roster) SetGroups(ctx context.Context, list []Group) error {
	old, next := r.shared.Load(), newGroups(list)
	r.announcing.Store(true) // before the new groups are read: see version
	defer r.announcing.Store(false)
	r.shared.Store(next)
	var failed []error
	r.host.Each(func(a *router.Account) bool {
		if len(a.Sessions()) == 0 {
			return true
		}
		if contacts := old.affected(next, a.JID()); len(contacts) > 0 {
			failed = append(failed, r.announce(ctx, a, groupChange{old, next, contacts}))
		}
		return true
	})
	return errors.Join(failed...)
}

// groupChange is a change of the groups, and the contacts in them that one account may see otherwise now.
type groupChange struct {
	old, next *groups
	contacts  []jid.JID
}

// announce sends a change to the sessions of one account, and its presence to the contacts.
func (r *Roster) announce(ctx context.Context, a *router.Account, c groupChange) error {
	account := a.JID()
	items, version, err := r.store.Roster(ctx, account, "")
	if errors.Is(err, ErrNoAccount) {
		return nil // it is being deleted
	}
	if err != nil {
		return err
	}
	for _, contact := range c.contacts {
		was, is := c.old.common(account, contact), c.next.common(account, contact)
		if slices.Equal(was, is) {
			continue
		}
		e := Entry{Item: Item{JID: contact, Subscription: None}}
		if i, stored := find(items, contact); stored {
			e = Entry{Item: items[i], Listed: true}
		}
		r.push(account, Change{Before: e, After: e, Version: version})
		if e.Subscription.HasFrom() || len(was) > 0 && len(is) > 0 {
			continue // the contact has seen the account's presence before and still may
		}
		if err := r.announcePresence(ctx, a, contact, len(is) > 0); err != nil {
			return err
		}
	}
	return nil
}

// find returns the position of a contact in items that are sorted by address.
func find(items []Item, contact jid.JID) (int, bool) {
	return slices.BinarySearchFunc(items, contact, func(i Item, j jid.JID) int { return compare(i.JID, j) })
}

// announcePresence sends the account's presence to a contact that may see it from now on, or takes it back.
func (r *Roster) announcePresence(ctx context.Context, a *router.Account, contact jid.JID, granted bool) error {
	if !r.online(contact) {
		return nil
	}
	if r.hidden != nil {
		if blocked, err := r.hidden(ctx, a, contact); blocked || err != nil {
			return err
		}
	}
	if granted {
		r.granted(a, contact, r.host.Router().Route)
	} else {
		r.revoked(a, contact, r.host.Router().Route)
	}
	return nil
}

// Hide sets the function that reports whether an account has blocked an address: a change of the groups sends no presence there.
// Call it before the host is attached.
func (r *Roster) Hide(blocks func(ctx context.Context, a *router.Account, other jid.JID) (bool, error)) {
	r.hidden = blocks
}

// online reports whether a contact in a shared group has a session. With several nodes, the one that owns the contact would know.
func (r *Roster) online(contact jid.JID) bool { return len(r.host.Local(contact).Sessions()) > 0 }

// version returns the version of an account's whole roster, of which stored is that of the stored items.
func (r *Roster) version(account jid.JID, stored Version) Version {
	state := r.shared.Load().state(account)
	if r.announcing.Load() { // read last: the state is that of groups that were announced, or it is marked
		return stored + changing
	}
	if state == "" {
		return stored
	}
	return stored + "." + Version(state)
}

// storedVersion returns the version of the stored items if the client's version has the groups as they are, else "".
func (r *Roster) storedVersion(account jid.JID, client string) Version {
	stored, _, _ := strings.Cut(client, ".")
	if Version(client) == r.version(account, Version(stored)) {
		return Version(stored)
	}
	return ""
}

// visible returns an entry as the account sees it, and whether it is in the roster at all.
func (r *Roster) visible(account jid.JID, e Entry) (Item, bool) {
	names := r.shared.Load().common(account, e.JID)
	if len(names) == 0 {
		return e.Item, e.Listed
	}
	return withGroups(e.Item, names), true
}

// withGroups returns an item with the groups that the account and the contact share.
func withGroups(item Item, names []string) Item {
	item.Subscription, item.Ask = Both, false
	if len(item.Groups) > 0 {
		names = slices.Concat(item.Groups, names)
		slices.Sort(names)
		names = slices.Compact(names)
	}
	item.Groups = names
	return item
}

// merge adds the members of shared groups to the stored items of an account; both are sorted by address.
func (r *Roster) merge(account jid.JID, items []Item) []Item {
	shared := r.shared.Load()
	contacts := shared.contacts(account)
	if len(contacts) == 0 {
		return items
	}
	all := make([]Item, 0, len(items)+len(contacts))
	for _, item := range items {
		if names := shared.common(account, item.JID); len(names) > 0 {
			item = withGroups(item, names)
		}
		all = append(all, item)
	}
	for _, contact := range contacts {
		if _, stored := find(items, contact); !stored {
			all = append(all, withGroups(Item{JID: contact}, shared.common(account, contact)))
		}
	}
	slices.SortFunc(all, func(a, b Item) int { return compare(a.JID, b.JID) })
	return all
}

// mergeContacts adds the members of shared groups that have a session to addresses that are sorted: nobody else sends or gets presence.
func (r *Roster) mergeContacts(account jid.JID, stored []jid.JID) []jid.JID {
	var more []jid.JID
	for _, contact := range r.shared.Load().contacts(account) {
		if !has(stored, contact) && r.online(contact) {
			more = append(more, contact)
		}
	}
	if len(more) == 0 {
		return stored
	}
	return slices.Concat(stored, more)
}

// sentToMember handles a subscription stanza to a member of a shared group: there is nothing to ask for, to grant, or to take back.
func sentToMember(typ string) error {
	if typ == stanza.TypeSubscribe || typ == stanza.TypeSubscribed {
		return router.ErrStop
	}
	return errShared()
}

func errShared() error {
	return stanza.NotAllowed("this contact is in a group that the operator of the server keeps")
}
