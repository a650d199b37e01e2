package message

import (
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of the elements about a message.
const (
	NSHints    = "urn:xmpp:hints" // XEP-0334
	NSDelay    = "urn:xmpp:delay" // XEP-0203
	NSOldDelay = "jabber:x:delay" // replaced by NSDelay
	NSStanzaID = "urn:xmpp:sid:0" // XEP-0359, of stanza-ids and origin-ids
)

// Hint is a sender's request about how a message is handled (XEP-0334 §4).
type Hint string

// The hints.
const (
	NoPermanentStore Hint = "no-permanent-store"
	NoStore          Hint = "no-store"
	NoCopy           Hint = "no-copy"
	Store            Hint = "store"
)

// HasHint reports whether a message has a hint.
func HasHint(st *stanza.Stanza, h Hint) bool {
	return st.MayHave(NSHints, string(h)) && st.Child(NSHints, string(h)) != nil
}

// Element returns the hint as a child of a message.
func (h Hint) Element() *stanza.Element { return stanza.NewElement(NSHints, string(h)) }

// Delay returns the element with the time at which an entity received a stanza that it delivers later
// (XEP-0203 §2).
func Delay(from jid.JID, since time.Time) *stanza.Element {
	return stanza.NewElement(NSDelay, "delay").With("from", from.String()).With("stamp", Stamp(since))
}

// Stamp formats a time in milliseconds (XEP-0082).
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// DelayedBy reports whether a stanza has a delay from that address.
func DelayedBy(st *stanza.Stanza, address jid.JID) bool {
	if st.MayHave(NSDelay, "delay") {
		for e := range st.Tree().Elements() {
			if delayOf(e, address) {
				return true
			}
		}
	}
	return false
}

// WithoutForgedDelay removes the delays, of both kinds, in the name of a host or an account, which only the server may add:
// receivers believe them. The account's own sessions may add delays in its name.
func WithoutForgedDelay(st *stanza.Stanza, host, account jid.JID) *stanza.Stanza {
	if !MayHaveDelay(st) {
		return st
	}
	own := st.From.Bare() == account
	return st.Without(func(e *stanza.Element) bool {
		if !e.Is(NSDelay, "delay") && !e.Is(NSOldDelay, "x") {
			return false
		}
		from, err := jid.Parse(e.Attr("from"))
		return err == nil && (from.Bare() == host || from.Bare() == account && !own)
	})
}

// MayHaveDelay reports, without parsing, whether there may be a delay that WithoutForgedDelay removes.
func MayHaveDelay(st *stanza.Stanza) bool {
	return st.MayHave(NSDelay, "delay") || st.MayHave(NSOldDelay, "x")
}

func delayOf(e *stanza.Element, address jid.JID) bool {
	return e.Is(NSDelay, "delay") && isAddress(e.Attr("from"), address)
}

// AppendStanzaID appends the stanza-id element: the id of the message in the archive of by (XEP-0359
// §3.1).
func AppendStanzaID(dst []byte, by jid.JID, id string) []byte {
	dst = stanza.AppendAttr(append(dst, "<stanza-id xmlns='"+NSStanzaID+"'"...), "by", by.String())
	return append(stanza.AppendAttr(dst, "id", id), "/>"...)
}

// WithStanzaID returns a copy of a message with a stanza-id appended.
func WithStanzaID(st *stanza.Stanza, by jid.JID, id string) *stanza.Stanza {
	var space [256]byte
	element := AppendStanzaID(space[:0], by, id)
	c := st.Copy()
	c.Payload = st.Payload + string(element)
	return c
}

// StanzaID returns the stanza-id as an element.
func StanzaID(by jid.JID, id string) *stanza.Element {
	return stanza.NewElement(NSStanzaID, "stanza-id").With("id", id).With("by", by.String())
}

// OriginID returns the element with the sender's own id of a message (XEP-0359 §3.2).
func OriginID(id string) *stanza.Element {
	return stanza.NewElement(NSStanzaID, "origin-id").With("id", id)
}

// OriginIDOf returns the origin-id of a message, or "".
func OriginIDOf(st *stanza.Stanza) string {
	if !st.MayHave(NSStanzaID, "origin-id") {
		return ""
	}
	return st.Child(NSStanzaID, "origin-id").Attr("id")
}

// WithoutStanzaID removes the stanza-ids by an address, which only that entity itself may add (XEP-0359
// §6).
func WithoutStanzaID(st *stanza.Stanza, by jid.JID) *stanza.Stanza {
	if !mayHaveStanzaID(st.Payload, by.String()) {
		return st
	}
	return st.Without(func(e *stanza.Element) bool {
		return e.Is(NSStanzaID, "stanza-id") && isAddress(e.Attr("by"), by)
	})
}

// MayHaveStanzaID reports, without parsing, whether there may be a stanza-id of an account of a host.
func MayHaveStanzaID(st *stanza.Stanza, host jid.JID) bool {
	return mayHaveStanzaID(st.Payload, "@"+host.String())
}

// isAddress reports whether text is that address in any notation.
func isAddress(text string, address jid.JID) bool {
	j, err := jid.Parse(text)
	return err == nil && j == address
}
