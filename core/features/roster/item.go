package roster

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Subscription is who sees whose presence, from the account's side.
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
	Ask          bool // the account has asked and waits for an answer (pending out)
	Approved     bool // the contact may subscribe without being asked about (RFC 6121 §3.4)
}

// Entry is all that an account keeps about a contact.
type Entry struct {
	Item
	Listed  bool           // the item is in the roster; otherwise only JID and Request mean anything
	Request *stanza.Stanza // the contact's unanswered request (pending in), or nil
}

// Version names a state of a whole roster (XEP-0237).
type Version string

// element is the item as XML.
func (i Item) element() *stanza.Element {
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
