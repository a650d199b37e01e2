package roster

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Subscription is the direction of a presence subscription, from the account's side.
type Subscription string

// The subscriptions of RFC 6121 §2.1.2.5.
const (
	None Subscription = "none"
	To   Subscription = "to"   // the account sees the contact
	From Subscription = "from" // the contact sees the account
	Both Subscription = "both"
)

// HasTo reports whether the account is subscribed to the contact.
func (s Subscription) HasTo() bool { return s == To || s == Both }

// HasFrom reports whether the contact is subscribed to the account.
func (s Subscription) HasFrom() bool { return s == From || s == Both }

// Item is one contact in a roster.
type Item struct {
	JID          jid.JID // bare
	Name         string
	Groups       []string // without duplicates
	Subscription Subscription
	Ask          bool // the account's request is unanswered (pending out)
	Approved     bool // a request of the contact is granted at once (RFC 6121 §3.4)
}

// Entry is everything that is stored about a contact of an account.
type Entry struct {
	Item
	Listed  bool           // the item is in the roster; otherwise only JID and Request are valid
	Request *stanza.Stanza // the contact's unanswered request (pending in), or nil
}

// Version identifies a state of a whole roster (XEP-0237).
type Version string

// Element returns the item as XML.
func (i Item) Element() *stanza.Element {
	e := stanza.NewElement(NS, "item").With("jid", i.JID.String()).With("name", i.Name)
	e.With("subscription", string(i.Subscription))
	if i.Ask {
		e.With("ask", stanza.TypeSubscribe) // RFC 6121 §2.1.2.2
	}
	if i.Approved {
		e.With("approved", "true") // RFC 6121 §2.1.2.1
	}
	for _, g := range i.Groups {
		e.Add(stanza.TextElement(NS, "group", g))
	}
	return e
}
