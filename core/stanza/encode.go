package stanza

import "strconv"

// maxRepeated bounds by how many bytes namespaces that are declared again may make an encoded tree longer than
// the XML that it was parsed from.
const maxRepeated = 4 << 10

// encoder writes trees as XML. An element of a tree has its namespace, but not the place where the XML declared it,
// perhaps once for thousands of elements. Declared again at each of them, a namespace of 150 kB would make
// 600 MB of a stanza of 170 kB. So where declarations repeat more than maxRepeated bytes, the namespaces that
// repeat get prefixes, which the outermost element declares.
type encoder struct {
	prefixes map[string]string // by namespace; nil for almost all trees
	prefixed []string          // the namespaces with prefixes
}

// encoderFor returns the encoder of a tree that is written where the default namespace is parent.
func encoderFor(e *Element, parent string) encoder {
	if e.declared(parent) <= maxRepeated {
		return encoder{}
	}
	s := namespaces{counts: map[string]int{}}
	s.count(e, parent)
	if s.repeated() <= maxRepeated {
		return encoder{}
	}
	x := encoder{prefixes: map[string]string{}}
	for _, space := range s.order {
		switch space {
		case NSClient, NSServer, NSComponent:
			continue // have no prefix in a stream (RFC 6120 §4.8.5)
		}
		if s.counts[space] > 1 {
			x.prefixes[space] = "n" + strconv.Itoa(len(x.prefixed))
			x.prefixed = append(x.prefixed, space)
		}
	}
	return x
}

// namespaces counts how often each namespace of a tree is declared without prefixes.
type namespaces struct {
	counts map[string]int
	order  []string // of the document
}

func (s *namespaces) count(e *Element, parent string) {
	space := e.spaceIn(parent)
	if space != parent {
		s.add(space)
	}
	for i := range e.Attrs {
		if a := e.Attrs[i].Space; a != "" && a != NSXML {
			s.add(a)
		}
	}
	for c := range e.Elements() {
		s.count(c, space)
	}
}

func (s *namespaces) add(space string) {
	if s.counts[space]++; s.counts[space] == 1 {
		s.order = append(s.order, space)
	}
}

// repeated returns the length of the declarations that repeat others.
func (s *namespaces) repeated() int {
	n := 0
	for space, times := range s.counts {
		n += (times - 1) * len(space)
	}
	return n
}

// declared returns the length of all declarations without prefixes.
func (e *Element) declared(parent string) int {
	n, space := 0, e.spaceIn(parent)
	if space != parent {
		n += len(space)
	}
	for i := range e.Attrs {
		if a := e.Attrs[i].Space; a != NSXML {
			n += len(a)
		}
	}
	for i := range e.Nodes {
		if c := e.Nodes[i].Element; c != nil {
			n += c.declared(space)
		}
	}
	return n
}

// spaceIn returns the namespace of e as a child of an element in the namespace parent.
func (e *Element) spaceIn(parent string) string {
	if e.Space == "" {
		return parent
	}
	return e.Space
}

// scope is where an element is written.
type scope struct {
	parent string // the namespace of its parent
	def    string // the default namespace
}

func (x *encoder) append(dst []byte, e *Element, at scope, outermost bool) []byte {
	space := e.spaceIn(at.parent)
	prefix, in := "", scope{space, at.def}
	if space != at.def {
		if prefix = x.prefixes[space]; prefix == "" {
			in.def = space
		}
	}
	dst = e.appendName(append(dst, '<'), prefix)
	if in.def != at.def {
		dst = AppendAttr(dst, "xmlns", in.def)
	}
	if outermost {
		dst = x.appendDeclarations(dst)
	}
	for i := range e.Attrs {
		dst = x.appendAttr(dst, &e.Attrs[i], i)
	}
	if len(e.Nodes) == 0 {
		return append(dst, '/', '>')
	}
	dst = append(dst, '>')
	for i := range e.Nodes {
		if c := e.Nodes[i].Element; c != nil {
			dst = x.append(dst, c, in, false)
		} else {
			dst = AppendEscaped(dst, e.Nodes[i].Text)
		}
	}
	return append(e.appendName(append(dst, '<', '/'), prefix), '>')
}

func (e *Element) appendName(dst []byte, prefix string) []byte {
	if prefix != "" {
		dst = append(append(dst, prefix...), ':')
	}
	return append(dst, e.Local...)
}

// appendDeclarations declares the prefixes.
func (x *encoder) appendDeclarations(dst []byte) []byte {
	for _, space := range x.prefixed {
		dst = AppendAttr(dst, "xmlns:"+x.prefixes[space], space)
	}
	return dst
}

// appendAttr writes attribute n of an element; the number makes its prefix, if it needs one of its own.
func (x *encoder) appendAttr(dst []byte, a *Attr, n int) []byte {
	prefix := ""
	switch a.Space {
	case "":
	case NSXML:
		prefix = "xml"
	default:
		if prefix = x.prefixes[a.Space]; prefix == "" {
			prefix = "a" + strconv.Itoa(n)
			dst = AppendAttr(dst, "xmlns:"+prefix, a.Space)
		}
	}
	dst = append(dst, ' ')
	if prefix != "" {
		dst = append(append(dst, prefix...), ':')
	}
	dst = append(append(dst, a.Local...), '=', '\'')
	dst = appendEscaped(dst, a.Value, true)
	return append(dst, '\'')
}

// EncodedLen returns the length of String, without allocating memory for it: where an element comes from a peer, it is checked before.
func (e *Element) EncodedLen() int {
	x := encoderFor(e, "")
	return x.lengthOutermost(e, "")
}

func (x *encoder) lengthOutermost(e *Element, parent string) int {
	n := x.length(e, scope{parent, parent})
	for _, space := range x.prefixed {
		n += attrLen("xmlns:"+x.prefixes[space], space)
	}
	return n
}

func attrLen(name, value string) int { return len(name) + escapedLen(value, true) + len(" =''") }

// length is the length of what append writes.
func (x *encoder) length(e *Element, at scope) int {
	space := e.spaceIn(at.parent)
	name, in := len(e.Local), scope{space, at.def}
	n := 0
	if space != at.def {
		if prefix := x.prefixes[space]; prefix != "" {
			name += len(prefix) + len(":")
		} else {
			in.def = space
			n += attrLen("xmlns", space)
		}
	}
	n += name
	for i := range e.Attrs {
		n += x.attrLen(&e.Attrs[i], i)
	}
	if len(e.Nodes) == 0 {
		return n + len("</>")
	}
	for i := range e.Nodes {
		if c := e.Nodes[i].Element; c != nil {
			n += x.length(c, in)
		} else {
			n += escapedLen(e.Nodes[i].Text, false)
		}
	}
	return n + name + len("<></>")
}

// attrLen is the length of what appendAttr writes.
func (x *encoder) attrLen(a *Attr, n int) int {
	length := attrLen(a.Local, a.Value)
	switch a.Space {
	case "":
		return length
	case NSXML:
		return length + len("xml:")
	}
	if prefix := x.prefixes[a.Space]; prefix != "" {
		return length + len(prefix) + len(":")
	}
	prefix := "a" + strconv.Itoa(n)
	return length + len(prefix) + len(":") + attrLen("xmlns:"+prefix, a.Space)
}
