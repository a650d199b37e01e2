package message

import (
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of what a message carries about itself.
const (
	NSHints    = "urn:xmpp:hints" // XEP-0334
	NSDelay    = "urn:xmpp:delay" // XEP-0203
	NSOldDelay = "jabber:x:delay" // which XEP-0203 has replaced
	NSStanzaID = "urn:xmpp:sid:0" // XEP-0359, of stanza-ids and origin-ids
)

// Hint is how a sender wants a message to be handled (XEP-0334 §4).
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

// Element is the hint as a child of a message.
func (h Hint) Element() *stanza.Element { return stanza.NewElement(NSHints, string(h)) }

// Delay is the element with the time since when a stanza waited, and where (XEP-0203 §2).
func Delay(from jid.JID, since time.Time) *stanza.Element {
	return stanza.NewElement(NSDelay, "delay").With("from", from.String()).With("stamp", Stamp(since))
}

// Stamp writes a time in milliseconds as XEP-0082 has it.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// DelayedBy reports whether a stanza has a delay of that address.
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

// WithoutDelay takes out the delays of an address, which nobody else may claim.
func WithoutDelay(st *stanza.Stanza, address jid.JID) *stanza.Stanza {
	if !st.MayHave(NSDelay, "delay") {
		return st
	}
	return st.Without(func(e *stanza.Element) bool { return delayOf(e, address) })
}

func delayOf(e *stanza.Element, address jid.JID) bool {
	return e.Is(NSDelay, "delay") && names(e.Attr("from"), address)
}

// AppendStanzaID appends the id that an entity has given a message, which is that of its archive (XEP-0359 §3.1).
func AppendStanzaID(dst []byte, by jid.JID, id string) []byte {
	dst = stanza.AppendAttr(append(dst, "<stanza-id xmlns='"+NSStanzaID+"'"...), "by", by.String())
	return append(stanza.AppendAttr(dst, "id", id), "/>"...)
}

// WithStanzaID is a copy of a message with a stanza-id behind what it has.
func WithStanzaID(st *stanza.Stanza, by jid.JID, id string) *stanza.Stanza {
	var space [256]byte
	element := AppendStanzaID(space[:0], by, id)
	c := st.Copy()
	c.Payload = st.Payload + string(element)
	return c
}

// StanzaID is the same as an element.
func StanzaID(by jid.JID, id string) *stanza.Element {
	return stanza.NewElement(NSStanzaID, "stanza-id").With("id", id).With("by", by.String())
}

// OriginID is the id that the sender has given a message (XEP-0359 §3.2).
func OriginID(id string) *stanza.Element {
	return stanza.NewElement(NSStanzaID, "origin-id").With("id", id)
}

// OriginIDOf is the origin-id of a message, or "".
func OriginIDOf(st *stanza.Stanza) string {
	if !st.MayHave(NSStanzaID, "origin-id") {
		return ""
	}
	return st.Child(NSStanzaID, "origin-id").Attr("id")
}

// WithoutStanzaID takes out the stanza-ids of an address, which nobody else may claim (XEP-0359 §6).
func WithoutStanzaID(st *stanza.Stanza, by jid.JID) *stanza.Stanza {
	if !mayName(st.Payload, by.String()) {
		return st
	}
	return st.Without(func(e *stanza.Element) bool {
		return e.Is(NSStanzaID, "stanza-id") && names(e.Attr("by"), by)
	})
}

// names reports whether text is that address, however it is written.
func names(text string, address jid.JID) bool {
	j, err := jid.Parse(text)
	return err == nil && j == address
}
