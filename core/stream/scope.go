package stream

import (
	"bytes"
	"sync"
)

// binding is a prefix in scope; the empty prefix is the default namespace.
type binding struct{ prefix, uri []byte }

// attr is one attribute of a start tag, as offsets from the beginning of the item.
type attr struct {
	space         []byte // the namespace of a prefixed name
	before        int32  // where the white space before it begins
	name, nameEnd int32
	colon         int32 // 0 where the name has no prefix
	val, valEnd   int32
	special       bool // the value contains references, or white space to normalise
	declares      bool // xmlns or xmlns:p
}

// open is an element whose end tag has not arrived yet.
type open struct {
	name, nameEnd int
	colon         int    // 0 where the name has no prefix
	binds, arena  int    // length of work.binds and work.arena before its start tag
	def           []byte // the default namespace within it
	// content: the element and all around it up to the stanza are in the
	// stanza's own namespace, so that it changes with the stream it is written to.
	content bool
}

// span is a range of bytes of the item.
type span struct{ from, to int }

// work is what a scanner needs while an element arrives. It is borrowed, so
// that idle sessions do not each hold one. Bindings point into arena, which is only
// ever appended to within an item: growing it leaves old pointers valid.
type work struct {
	stack []open
	binds []binding
	top   []attr // of the first-level element
	attrs []attr // of the element that is being read
	drops []span // declarations in the payload that only repeat the content namespace
	arena []byte
}

var workPool = sync.Pool{New: func() any {
	return &work{
		stack: make([]open, 0, 16), binds: make([]binding, 0, 16), top: make([]attr, 0, 16),
		attrs: make([]attr, 0, 16), drops: make([]span, 0, 4), arena: make([]byte, 0, 1024),
	}
}}

func (w *work) reset() {
	w.stack, w.binds, w.drops, w.arena = w.stack[:0], w.binds[:0], w.drops[:0], w.arena[:0]
	w.top, w.attrs = w.top[:0], w.attrs[:0]
}

// keep copies b to memory that stays valid until the item is dropped.
func (w *work) keep(b []byte) []byte {
	from := len(w.arena)
	w.arena = append(w.arena, b...)
	return w.arena[from:len(w.arena):len(w.arena)]
}

// value returns the value of an attribute with references resolved; the same bytes if possible.
func (w *work) value(b []byte, a *attr) []byte {
	raw := b[a.val:a.valEnd]
	if !a.special {
		return raw
	}
	from := len(w.arena)
	w.arena = appendValue(w.arena, raw)
	return w.arena[from:len(w.arena):len(w.arena)]
}

var (
	nsXML   = []byte("http://www.w3.org/XML/1998/namespace")
	nsXMLNS = []byte("http://www.w3.org/2000/xmlns/")
)

// declare adds a declaration, xmlns or xmlns:p, to the scope. Namespaces in XML 1.0 §3, §5.
func (s *Scanner) declare(b []byte, a *attr) error {
	w := s.work
	var prefix []byte
	if a.colon != 0 {
		prefix = b[a.colon+1 : a.nameEnd]
	}
	uri := w.value(b, a)
	isXML := bytes.Equal(uri, nsXML)
	switch {
	case string(prefix) == "xml":
		if !isXML {
			return errDeclare
		}
		return nil
	case string(prefix) == "xmlns", isXML, bytes.Equal(uri, nsXMLNS), len(uri) == 0 && len(prefix) > 0:
		return errDeclare
	}
	if !isURI(uri) {
		return errURI
	}
	if len(w.binds) >= maxPrefixes {
		return errPrefixes
	}
	w.binds = append(w.binds, binding{prefix: w.keep(prefix), uri: w.keep(uri)})
	return nil
}

// lookup returns the namespace of a prefix.
func (s *Scanner) lookup(prefix []byte) ([]byte, error) {
	binds := s.work.binds
	for k := len(binds) - 1; k >= 0; k-- {
		if string(binds[k].prefix) == string(prefix) {
			return binds[k].uri, nil
		}
	}
	if string(prefix) == "xml" {
		return nsXML, nil
	}
	for k := range s.base {
		if string(s.base[k].prefix) == string(prefix) {
			s.position.used |= 1 << k
			return s.base[k].uri, nil
		}
	}
	return nil, errPrefix
}

// resolve adds the tag's declarations to the scope, sets the namespaces of its prefixed
// attributes, and refuses duplicates by expanded name. Namespaces in XML 1.0 §6.3.
func (s *Scanner) resolve(b []byte, attrs []attr) error {
	prefixed := false
	for k := range attrs {
		a := &attrs[k]
		switch {
		case a.declares:
			if err := s.declare(b, a); err != nil {
				return err
			}
			if a.colon != 0 {
				a.space = nsXMLNS
			}
		case a.colon != 0:
			prefixed = true
		}
	}
	if prefixed {
		for k := range attrs {
			if a := &attrs[k]; a.colon != 0 && !a.declares {
				var err error
				if a.space, err = s.lookup(b[a.name:a.colon]); err != nil {
					return err
				}
			}
		}
	}
	if len(attrs) > 1 {
		return duplicates(b, attrs)
	}
	return nil
}

func duplicates(b []byte, attrs []attr) error {
	var seen uint64 // one bit per hash of a local name: a comparison is necessary only if the bit is set
	for k := range attrs {
		a := &attrs[k]
		local := a.local(b)
		n := uint(len(local))
		bit := uint64(1) << ((n*7 + uint(local[0]) + uint(local[n-1])*3) & 63)
		if seen&bit != 0 {
			for j := range k {
				if bytes.Equal(local, attrs[j].local(b)) && bytes.Equal(a.space, attrs[j].space) {
					return errDuplicate
				}
			}
		}
		seen |= bit
	}
	return nil
}

func (a *attr) local(b []byte) []byte {
	if a.colon != 0 {
		return b[a.colon+1 : a.nameEnd]
	}
	return b[a.name:a.nameEnd]
}

// isURI refuses characters that a URI cannot have: receivers join namespace and name with
// such a character (CVE-2022-25236). Beyond ASCII all are allowed, as in an IRI.
func isURI(b []byte) bool {
	for _, c := range b {
		if class[c]&notURI != 0 {
			return false
		}
	}
	return true
}

// isContent reports whether a namespace is that of the stanzas of any kind of stream.
func isContent(ns []byte) bool {
	switch string(ns) {
	case "jabber:client", "jabber:server", "jabber:component:accept":
		return true
	}
	return false
}
