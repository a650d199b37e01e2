package stanza

import (
	"iter"
	"slices"
	"strings"
)

// Element is one XML element with its namespace resolved.
type Element struct {
	Space, Local string
	Attrs        []Attr
	Nodes        []Node

	start, end int // position of a direct child in its stanza's payload
}

// Attr is one attribute; Space is empty if the name has no prefix.
type Attr struct{ Space, Local, Value string }

// Node is an element, or text where Element is nil.
type Node struct {
	Element *Element
	Text    string
}

// NewElement returns an empty element; with namespace "" it takes the namespace of its parent.
func NewElement(space, local string) *Element { return &Element{Space: space, Local: local} }

// TextElement returns an element that contains text.
func TextElement(space, local, text string) *Element {
	return NewElement(space, local).AddText(text)
}

// With sets an attribute and returns e; an empty value removes the attribute.
func (e *Element) With(local, value string) *Element {
	for i := range e.Attrs {
		if e.Attrs[i].Space == "" && e.Attrs[i].Local == local {
			if value == "" {
				e.Attrs = append(e.Attrs[:i], e.Attrs[i+1:]...)
			} else {
				e.Attrs[i].Value = value
			}
			return e
		}
	}
	if value != "" {
		e.Attrs = append(e.Attrs, Attr{Local: local, Value: value})
	}
	return e
}

// Add appends children, skipping nil ones, and returns e.
func (e *Element) Add(children ...*Element) *Element {
	for _, c := range children {
		if c != nil {
			e.Nodes = append(e.Nodes, Node{Element: c})
		}
	}
	return e
}

// AddText appends text and returns e.
func (e *Element) AddText(text string) *Element {
	if text != "" {
		e.Nodes = append(e.Nodes, Node{Text: text})
	}
	return e
}

// Is reports whether e has that expanded name; false if e is nil.
func (e *Element) Is(space, local string) bool {
	return e != nil && e.Local == local && e.Space == space
}

// Attr returns the value of an attribute without namespace; "" where it is absent.
func (e *Element) Attr(local string) string {
	v, _ := e.LookupAttr("", local)
	return v
}

// LookupAttr returns the value of an attribute by its expanded name.
func (e *Element) LookupAttr(space, local string) (string, bool) {
	if e == nil {
		return "", false
	}
	for i := range e.Attrs {
		if e.Attrs[i].Local == local && e.Attrs[i].Space == space {
			return e.Attrs[i].Value, true
		}
	}
	return "", false
}

// Child returns the first child element of that name; nil where there is none or e is nil.
// An empty namespace means that of e.
func (e *Element) Child(space, local string) *Element {
	if e == nil {
		return nil
	}
	if space == "" {
		space = e.Space
	}
	for i := range e.Nodes {
		if c := e.Nodes[i].Element; c != nil && c.Local == local && (c.Space == space || c.Space == "" && space == e.Space) {
			return c
		}
	}
	return nil
}

// ChildText returns the text of the first child of that name.
func (e *Element) ChildText(space, local string) string { return e.Child(space, local).Text() }

// Elements iterates over the child elements.
func (e *Element) Elements() iter.Seq[*Element] {
	return func(yield func(*Element) bool) {
		if e == nil {
			return
		}
		for i := range e.Nodes {
			if c := e.Nodes[i].Element; c != nil && !yield(c) {
				return
			}
		}
	}
}

// Named iterates over the child elements of that name; an empty namespace means e's own.
func (e *Element) Named(space, local string) iter.Seq[*Element] {
	return func(yield func(*Element) bool) {
		for c := range e.Elements() {
			same := c.Space == space || space == "" && (c.Space == e.Space || c.Space == "")
			if same && c.Local == local && !yield(c) {
				return
			}
		}
	}
}

// Text returns the text directly inside e; "" for nil.
func (e *Element) Text() string {
	if e == nil {
		return ""
	}
	if len(e.Nodes) == 1 {
		return e.Nodes[0].Text
	}
	var b strings.Builder
	for i := range e.Nodes {
		b.WriteString(e.Nodes[i].Text)
	}
	return b.String()
}

// Lang is xml:lang of e itself.
func (e *Element) Lang() string {
	v, _ := e.LookupAttr(NSXML, "lang")
	return v
}

// Encode returns elements as the payload of a stanza. Its default namespace is jabber:client.
func Encode(children ...*Element) string {
	var dst []byte
	for _, c := range children {
		if c != nil {
			dst = c.Append(dst, NSClient)
		}
	}
	return string(dst)
}

// String returns e as XML, with a declaration of its namespace.
func (e *Element) String() string { return string(e.Append(nil, "")) }

// Append appends e as XML to dst, where the default namespace is parent. Elements have no prefixes, unless that
// would repeat long namespaces.
func (e *Element) Append(dst []byte, parent string) []byte {
	x := encoderFor(e, parent)
	if x.prefixed != nil {
		dst = slices.Grow(dst, x.lengthOutermost(e, parent)) // in one step: it is long
	}
	return x.append(dst, e, scope{parent, parent}, true)
}

// Clone returns a deep copy that may be changed.
func (e *Element) Clone() *Element {
	if e == nil {
		return nil
	}
	c := &Element{Space: e.Space, Local: e.Local, Attrs: append([]Attr(nil), e.Attrs...)}
	for _, n := range e.Nodes {
		c.Nodes = append(c.Nodes, Node{Element: n.Element.Clone(), Text: n.Text})
	}
	return c
}
