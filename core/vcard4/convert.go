package vcard4

import (
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of the two formats.
const (
	NS     = "urn:ietf:params:xml:ns:vcard-4.0"
	NSTemp = "vcard-temp"
)

// MaxProperties is how many properties of a vCard are converted; the others are lost.
const MaxProperties = 500

// property converts one property to the other format; known is false for one that has no counterpart there.
type property func(x *stanza.Element) (converted []*stanza.Element, known bool)

// FromTemp returns a vcard-temp as vCard4. It keeps the properties of old that vcard-temp has no counterpart for; old may be nil.
func FromTemp(temp, old *stanza.Element) *stanza.Element {
	card := stanza.NewElement(NS, "vcard")
	n := 0
	for x := range temp.Elements() {
		if n++; n > MaxProperties {
			break
		}
		if f := fromTemp[x.Local]; f != nil && x.Space == NSTemp {
			converted, _ := f(x)
			card.Add(converted...)
		}
	}
	if sort := temp.ChildText(NSTemp, "SORT-STRING"); sort != "" {
		if name := card.Child(NS, "n"); name != nil {
			name.Add(parameters(stanza.NewElement(NS, "sort-as").Add(text(sort))))
		}
	}
	return keep(card, old, NS, toTemp)
}

// ToTemp returns a vCard4 as vcard-temp. It keeps the properties of old that vCard4 has no counterpart for; old may be nil.
func ToTemp(card, old *stanza.Element) *stanza.Element {
	temp := stanza.NewElement(NSTemp, "vCard")
	n := 0
	for x := range card.Elements() {
		if n++; n > MaxProperties {
			break
		}
		f := toTemp[x.Local]
		if f == nil || x.Space != NS {
			continue
		}
		converted, _ := f(x)
		for _, c := range converted {
			temp.Add(renamed(temp, c)...)
		}
	}
	return keep(temp, old, NSTemp, fromTemp)
}

// renamed gives a property that vcard-temp has only once another name, or leaves it out.
func renamed(temp, x *stanza.Element) []*stanza.Element {
	if many[x.Local] || temp.Child(NSTemp, x.Local) == nil {
		return []*stanza.Element{x}
	}
	if x.Local == "DESC" && temp.Child(NSTemp, "NOTE") == nil {
		return []*stanza.Element{stanza.TextElement(NSTemp, "NOTE", x.Text())}
	}
	return nil
}

// many are the properties that a vcard-temp may have several times (XEP-0054 §2).
var many = map[string]bool{"ADR": true, "TEL": true, "EMAIL": true, "JABBERID": true, "NICKNAME": true, "URL": true, "ORG": true, "TITLE": true, "ROLE": true, "KEY": true}

// keep adds the properties of old that the other format has no counterpart for.
func keep(card, old *stanza.Element, space string, table map[string]property) *stanza.Element {
	n := 0
	for x := range old.Elements() {
		if n++; n > MaxProperties {
			break
		}
		known := false
		if f := table[x.Local]; f != nil && x.Space == space {
			_, known = f(x)
		}
		if !known {
			card.Add(x.Clone())
		}
	}
	return card
}

// Empty reports whether a vCard has no properties.
func Empty(card *stanza.Element) bool {
	for range card.Elements() {
		return false
	}
	return true
}
