package stanza

import (
	"strings"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Namespaces of a stream's content and of parts of every stanza.
const (
	NSClient    = "jabber:client"
	NSServer    = "jabber:server"
	NSComponent = "jabber:component:accept"
	NSXML       = "http://www.w3.org/XML/1998/namespace"
	NSStanzas   = "urn:ietf:params:xml:ns:xmpp-stanzas"
)

// Kind is the kind of a stanza: Message, Presence or IQ.
type Kind uint8

// The three stanzas of RFC 6120 §8.
const (
	Message Kind = iota + 1
	Presence
	IQ
)

// String returns the element's name.
func (k Kind) String() string {
	switch k {
	case Message:
		return "message"
	case Presence:
		return "presence"
	case IQ:
		return "iq"
	}
	return "unknown"
}

// KindOf reverses Kind.String. It returns 0 if name is not the name of a stanza.
func KindOf(name string) Kind {
	switch name {
	case "message":
		return Message
	case "presence":
		return Presence
	case "iq":
		return IQ
	}
	return 0
}

// Types of the stanzas. An empty Type is a message of type normal, or available presence.
const (
	TypeChat      = "chat"
	TypeGroupchat = "groupchat"
	TypeHeadline  = "headline"
	TypeNormal    = "normal"
	TypeError     = "error"

	TypeGet    = "get"
	TypeSet    = "set"
	TypeResult = "result"

	TypeUnavailable  = "unavailable"
	TypeProbe        = "probe"
	TypeSubscribe    = "subscribe"
	TypeSubscribed   = "subscribed"
	TypeUnsubscribe  = "unsubscribe"
	TypeUnsubscribed = "unsubscribed"
)

// Stanza is one message, presence or IQ. It is not changed once it has been sent.
type Stanza struct {
	Kind     Kind
	To, From jid.JID
	ID       string
	Type     string
	Lang     string // xml:lang of the start tag

	// Extra is validated XML: the other attributes and prefix declarations of the start tag
	// as received, each with a space before it.
	Extra string
	// Payload is what is between the tags, checked XML whose default namespace
	// is that of the stream it is written to.
	Payload string
	// Entry is the id under which archives have the stanza, given once where it enters the
	// server, "" until an archive needs one. It is not part of the XML.
	Entry string

	tree atomic.Pointer[Element]
}

// NewMessage returns a message with a new id.
func NewMessage(to, from jid.JID, typ string, children ...*Element) *Stanza {
	return &Stanza{Kind: Message, To: to, From: from, ID: NewID(), Type: typ, Payload: Encode(children...)}
}

// NewPresence returns a presence without an id.
func NewPresence(to, from jid.JID, typ string, children ...*Element) *Stanza {
	return &Stanza{Kind: Presence, To: to, From: from, Type: typ, Payload: Encode(children...)}
}

// NewIQ returns a request with a new id; typ is TypeGet or TypeSet.
func NewIQ(to, from jid.JID, typ string, child *Element) *Stanza {
	return &Stanza{Kind: IQ, To: to, From: from, ID: NewID(), Type: typ, Payload: Encode(child)}
}

// Result returns the result that answers s, an IQ request.
func (s *Stanza) Result(children ...*Element) *Stanza {
	return &Stanza{Kind: IQ, To: s.From, From: s.To, ID: s.ID, Type: TypeResult, Payload: Encode(children...)}
}

// ErrorReply answers s with an error; nil if an error must not be answered
// (RFC 6120 §8.3.1: no error about an error, nor about a result).
func (s *Stanza) ErrorReply(e *Error) *Stanza {
	if s.Type == TypeError || s.Kind == IQ && s.Type == TypeResult {
		return nil
	}
	return &Stanza{Kind: s.Kind, To: s.From, From: s.To, ID: s.ID, Type: TypeError, Payload: Encode(e.Element())}
}

// IsRequest reports whether s is an IQ that requires an answer.
func (s *Stanza) IsRequest() bool {
	return s.Kind == IQ && (s.Type == TypeGet || s.Type == TypeSet)
}

// GiveEntry sets the Entry of a stanza that has none. The caller must not have sent the stanza yet.
func (s *Stanza) GiveEntry() {
	if s.Entry == "" {
		s.Entry = NewID()
	}
}

// Copy returns a copy whose header may be changed before it is sent.
func (s *Stanza) Copy() *Stanza {
	c := &Stanza{
		Kind: s.Kind, To: s.To, From: s.From, ID: s.ID, Type: s.Type, Lang: s.Lang,
		Extra: s.Extra, Payload: s.Payload, Entry: s.Entry,
	}
	return c
}

// WithTo returns a copy with another to.
func (s *Stanza) WithTo(to jid.JID) *Stanza {
	c := s.Copy()
	c.To = to
	return c
}

// WithFrom returns a copy with another from.
func (s *Stanza) WithFrom(from jid.JID) *Stanza {
	c := s.Copy()
	c.From = from
	return c
}

// With returns a copy with more children after the existing ones.
func (s *Stanza) With(children ...*Element) *Stanza {
	c := s.Copy()
	c.Payload += Encode(children...)
	return c
}

// MayHave reports, without parsing the payload, whether there may be an element of that name: a name is always
// written as it is. Its namespace may be declared further up, or have characters escaped.
func (s *Stanza) MayHave(space, local string) bool {
	if !strings.Contains(s.Payload, local) {
		return false
	}
	return strings.Contains(s.Payload, space) || strings.Contains(s.Extra, space) || strings.Contains(s.Payload, "&#") || strings.Contains(s.Extra, "&#")
}

// Without returns a copy without the children for which drop returns true, or s itself if
// there are none. The bytes of the other children do not change.
func (s *Stanza) Without(drop func(*Element) bool) *Stanza {
	root := s.Tree()
	var b strings.Builder
	last, dropped := 0, false
	for _, n := range root.Nodes {
		if n.Element == nil || !drop(n.Element) {
			continue
		}
		b.WriteString(s.Payload[last:n.Element.start])
		last, dropped = n.Element.end, true
	}
	if !dropped {
		return s
	}
	b.WriteString(s.Payload[last:])
	c := s.Copy()
	c.Payload = b.String()
	return c
}

// Tree returns the stanza as an element in namespace jabber:client. It is built
// once and shared: callers must not change it.
func (s *Stanza) Tree() *Element {
	if e := s.tree.Load(); e != nil {
		return e
	}
	e := s.parse()
	if !s.tree.CompareAndSwap(nil, e) {
		return s.tree.Load()
	}
	return e
}

// DropTree frees the tree, for a stanza that is kept for long: a tree takes up to thirty times the memory of its XML.
// Tree builds it again.
func (s *Stanza) DropTree() { s.tree.Store(nil) }

// Child returns the first child of that name; namespace "" means that of the stanza itself.
func (s *Stanza) Child(space, local string) *Element {
	if s.Payload == "" {
		return nil
	}
	if space == "" {
		space = NSClient
	}
	return s.Tree().Child(space, local)
}

// FirstChild returns the first child element, nil if there is none. An IQ has only one (RFC 6120 §8.2.3).
func (s *Stanza) FirstChild() *Element {
	for _, n := range s.Tree().Nodes {
		if n.Element != nil {
			return n.Element
		}
	}
	return nil
}

// Body returns the text of the first body, "" where there is none.
func (s *Stanza) Body() string {
	if e := s.Child("", "body"); e != nil {
		return e.Text()
	}
	return ""
}

// Err returns the error that a stanza of type error carries, nil for others.
func (s *Stanza) Err() *Error {
	if s.Type != TypeError {
		return nil
	}
	return parseError(s.Child("", "error"))
}

// AppendXML appends the stanza as XML to dst. If ns is not empty the start tag declares it as xmlns,
// which is necessary in a forwarded copy and on a framed stream.
func (s *Stanza) AppendXML(dst []byte, ns string) []byte {
	return s.AppendXMLTo(dst, ns, s.To)
}

// AppendXMLTo is AppendXML with another to: one stanza is sent to many receivers without copies of it.
func (s *Stanza) AppendXMLTo(dst []byte, ns string, to jid.JID) []byte {
	name := s.Kind.String()
	dst = append(dst, '<')
	dst = append(dst, name...)
	dst = AppendAttr(dst, "xmlns", ns)
	dst = AppendAttr(dst, "to", to.String())
	dst = AppendAttr(dst, "from", s.From.String())
	dst = AppendAttr(dst, "id", s.ID)
	dst = AppendAttr(dst, "type", s.Type)
	dst = AppendAttr(dst, "xml:lang", s.Lang)
	dst = append(dst, s.Extra...)
	if s.Payload == "" {
		return append(dst, '/', '>')
	}
	dst = append(dst, '>')
	dst = append(dst, s.Payload...)
	dst = append(dst, '<', '/')
	dst = append(dst, name...)
	return append(dst, '>')
}

// String returns the stanza's XML, for tests and wire traces.
func (s *Stanza) String() string { return string(s.AppendXML(nil, "")) }

// Element returns a forwardable copy with its own namespace (XEP-0297 §3).
func (s *Stanza) Element() *Element { return s.Tree() }

// AppendAttr appends a space and an attribute to dst, or nothing if the value is empty.
func AppendAttr(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(dst, ' ')
	dst = append(dst, name...)
	dst = append(dst, '=', '\'')
	dst = appendEscaped(dst, value, true)
	return append(dst, '\'')
}

// parse builds the tree. It cannot fail for checked bytes; for others it returns a stanza without content.
func (s *Stanza) parse() *Element {
	e, err := new(parser).stanza("<"+s.Kind.String()+" xmlns='"+NSClient+"'"+s.Extra+">", s.Payload)
	if err != nil {
		e = NewElement(NSClient, s.Kind.String())
	}
	set := func(local, value string) {
		if value != "" {
			e.Attrs = append(e.Attrs, Attr{Local: local, Value: value})
		}
	}
	set("to", s.To.String())
	set("from", s.From.String())
	set("id", s.ID)
	set("type", s.Type)
	if s.Lang != "" {
		e.Attrs = append(e.Attrs, Attr{Space: NSXML, Local: "lang", Value: s.Lang})
	}
	return e
}
