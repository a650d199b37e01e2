package stream

import "github.com/dragoman-im/dragoman/core/stanza"

// Kind is the kind of an Item.
type Kind uint8

// The items of a stream.
const (
	Open    Kind = iota + 1 // the stream header
	Close                   // the end of the stream
	Element                 // a complete first-level element
)

// NSStream is the namespace of stream headers, features and errors.
const NSStream = "http://etherx.jabber.org/streams"

// NSFraming is the namespace of open and close on a framed stream.
const NSFraming = "urn:ietf:params:xml:ns:xmpp-framing"

// Item is what Scanner.Next found. All of it but Header is a view of the scanner's
// buffer and valid until the following call.
type Item struct {
	Kind   Kind
	Header *Header // of Open
	Raw    []byte  // the whole item as received
	Inner  []byte  // of an Element: what is between its tags

	s                  *Scanner
	space              []byte
	localFrom, localTo int
	attrs              []attr
}

// Space returns the element's namespace.
func (it *Item) Space() []byte { return it.space }

// Local returns the element's name without its prefix.
func (it *Item) Local() []byte { return it.Raw[it.localFrom:it.localTo] }

// Is reports whether the element has that expanded name; its prefix does not matter
// (ejabberd#814).
func (it *Item) Is(space, local string) bool {
	return it.Kind == Element && string(it.space) == space && string(it.Local()) == local
}

// StanzaKind returns which stanza the element is: 0 for any other element, such as
// one in another namespace.
func (it *Item) StanzaKind() stanza.Kind {
	if it.Kind != Element || string(it.space) != it.s.content {
		return 0
	}
	switch string(it.Local()) {
	case "message":
		return stanza.Message
	case "presence":
		return stanza.Presence
	case "iq":
		return stanza.IQ
	}
	return 0
}

// Attr returns the value of an attribute of the start tag without a namespace, "" if it
// is absent.
func (it *Item) Attr(local string) string { return string(it.AttrBytes(local)) }

// AttrBytes is Attr without a copy: the result is valid as long as the item.
func (it *Item) AttrBytes(local string) []byte {
	if a := it.find("", local); a != nil {
		return it.s.work.value(it.Raw, a)
	}
	return nil
}

// AttrNS returns the value of an attribute of the start tag in a namespace, "" if it is absent.
func (it *Item) AttrNS(space, local string) string {
	if a := it.find(space, local); a != nil {
		return string(it.s.work.value(it.Raw, a))
	}
	return ""
}

// Prefixes returns the prefixes that the start tag declares.
func (it *Item) Prefixes() []Prefix {
	var list []Prefix
	for k := range it.attrs {
		if a := &it.attrs[k]; a.declares && a.colon != 0 {
			list = append(list, Prefix{string(a.local(it.Raw)), string(it.s.work.value(it.Raw, a))})
		}
	}
	return list
}

func (it *Item) find(space, local string) *attr {
	for k := range it.attrs {
		a := &it.attrs[k]
		if !a.declares && string(a.space) == space && string(a.local(it.Raw)) == local {
			return a
		}
	}
	return nil
}

// Lang is xml:lang of the start tag.
func (it *Item) Lang() string {
	if a := it.find(stanza.NSXML, "lang"); a != nil {
		return string(it.s.work.value(it.Raw, a))
	}
	return ""
}

// checkLang limits xml:lang, which receivers parse.
func (it *Item) checkLang() error {
	if a := it.find(stanza.NSXML, "lang"); a != nil && a.valEnd-a.val > maxLang {
		return errLang
	}
	return nil
}
