package stream

import (
	"errors"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// ErrNotStanza is the error of Item.Stanza for any other element.
var ErrNotStanza = errors.New("stream: not a stanza")

// field is the field of a Stanza that an attribute belongs to.
type field uint8

const (
	other field = iota
	dropped
	to
	from
	id
	typ
	lang
	fields
)

func (it *Item) fieldOf(a *attr) field {
	switch {
	case a.declares:
		if a.colon == 0 {
			return dropped
		}
		return other
	case a.colon != 0:
		// xml:lang='' removes the language, which is not the same as having none.
		if string(a.space) == stanza.NSXML && string(a.local(it.Raw)) == "lang" && a.val < a.valEnd {
			return lang
		}
		return other
	}
	switch string(it.Raw[a.name:a.nameEnd]) {
	case "to":
		return to
	case "from":
		return from
	case "id":
		return id
	case "type":
		return typ
	}
	return other
}

// Stanza returns the element as a stanza that does not depend on the stream and may be written to any
// other: it declares the prefixes of the stream header that it uses, its default namespace declaration
// is removed, and it has the xml:lang of the stream if it had none (RFC 6120 §4.7.4).
// The caller may still set From.
//
// For a malformed address it returns a *stanza.Error (jid-malformed) beside the
// stanza without that address, so that it can be answered.
func (it *Item) Stanza() (*stanza.Stanza, error) {
	kind := it.StanzaKind()
	if kind == 0 {
		return nil, ErrNotStanza
	}
	// One string holds all text, and the fields are substrings: one allocation.
	w := it.s.work
	start := len(w.arena)
	var at [fields]span
	for k := range it.attrs {
		if f := it.fieldOf(&it.attrs[k]); f > dropped {
			at[f].from = len(w.arena) - start
			w.arena = appendValue(w.arena, it.Raw[it.attrs[k].val:it.attrs[k].valEnd])
			at[f].to = len(w.arena) - start
		}
	}
	extra := len(w.arena) - start
	w.arena = it.appendExtra(w.arena)
	payload := len(w.arena) - start
	w.arena = it.appendPayload(w.arena)
	text := string(w.arena[start:])
	w.arena = w.arena[:start]

	piece := func(f field) string { return text[at[f].from:at[f].to] }
	st := &stanza.Stanza{
		Kind: kind, ID: piece(id), Type: piece(typ), Lang: piece(lang),
		Extra: text[extra:payload], Payload: text[payload:],
	}
	if st.Lang == "" {
		st.Lang = it.streamLang()
	}
	var err error
	if st.To, err = address(piece(to), len(text)); err != nil {
		return st, stanza.JIDMalformed("to is no address")
	}
	if st.From, err = address(piece(from), len(text)); err != nil {
		return st, stanza.JIDMalformed("from is no address")
	}
	return st, nil
}

// maxShared is the largest text of a stanza whose addresses are substrings of it.
const maxShared = 2 << 10

// address parses the value of an attribute, which is a substring of a text of that size. It copies s if the text is
// larger than maxShared: other packages keep addresses for long, which must not keep a large stanza in memory.
func address(s string, size int) (jid.JID, error) {
	if s == "" {
		return jid.JID{}, nil
	}
	if size > maxShared {
		s = strings.Clone(s)
	}
	return jid.Parse(s)
}

// AppendXML writes the stanza unchanged but for its sender, in a new start tag: what a relay needs that reads
// nothing but the header.
func (it *Item) AppendXML(dst []byte, sender string) []byte {
	dst = append(dst, '<')
	dst = append(dst, it.Local()...)
	hasLang := false
	for k := range it.attrs {
		a := &it.attrs[k]
		switch it.fieldOf(a) {
		case dropped, from:
			continue
		case lang:
			hasLang = true
		}
		dst = appendRaw(dst, it.Raw, a)
	}
	dst = stanza.AppendAttr(dst, "from", sender)
	if !hasLang {
		dst = stanza.AppendAttr(dst, "xml:lang", it.streamLang())
	}
	dst = it.appendUsed(dst)
	if len(it.Inner) == 0 {
		return append(dst, '/', '>')
	}
	dst = it.appendPayload(append(dst, '>'))
	dst = append(dst, '<', '/')
	dst = append(dst, it.Local()...)
	return append(dst, '>')
}

// Tree returns the element as a tree that does not refer to the scanner's buffer.
func (it *Item) Tree() (*stanza.Element, error) {
	if it.Kind == Open || it.s.position.used == 0 {
		return stanza.ParseElement(string(it.Raw), string(it.s.def))
	}
	// What the stream header declares has to be declared again.
	end := it.localTo
	b := append([]byte(nil), it.Raw[:end]...)
	b = it.appendUsed(b)
	b = append(b, it.Raw[end:]...)
	return stanza.ParseElement(string(b), string(it.s.def))
}

// streamLang returns the xml:lang of the stream if the item has none, "" if it has one.
func (it *Item) streamLang() string {
	if it.s.head == nil || it.find(stanza.NSXML, "lang") != nil {
		return ""
	}
	return it.s.head.Lang
}

// appendExtra appends the attributes for which a Stanza has no field, and the
// prefix declarations that it needs.
func (it *Item) appendExtra(dst []byte) []byte {
	for k := range it.attrs {
		if it.fieldOf(&it.attrs[k]) == other {
			dst = appendRaw(dst, it.Raw, &it.attrs[k])
		}
	}
	return it.appendUsed(dst)
}

// appendUsed declares the prefixes of the stream header that the item uses (RFC 6120 §4.8.5).
func (it *Item) appendUsed(dst []byte) []byte {
	for k, b := range it.s.base {
		if it.s.position.used&(1<<k) == 0 {
			continue
		}
		dst = append(dst, " xmlns:"...)
		dst = append(dst, b.prefix...)
		dst = append(dst, '=', '\'')
		dst = stanza.AppendEscaped(dst, string(b.uri))
		dst = append(dst, '\'')
	}
	return dst
}

// appendPayload writes the content without declarations that repeat the content namespace.
func (it *Item) appendPayload(dst []byte) []byte {
	raw, last, end := it.Raw, it.s.position.body, it.s.position.bodyEnd
	for _, d := range it.s.work.drops {
		dst = append(dst, raw[last:d.from]...)
		last = d.to
	}
	return append(dst, raw[last:end]...)
}

func appendRaw(dst, raw []byte, a *attr) []byte {
	dst = append(dst, ' ')
	return append(dst, raw[a.name:a.valEnd+1]...)
}
