package stream

import "cmp"

// Limits bound one first-level element, or the stream header. A field that is zero
// is taken from BeforeLogin, so that there always is a limit.
type Limits struct {
	Bytes    int // of the whole element, tags included
	Elements int // in it, itself included
	Depth    int // of nesting, itself included
	Attrs    int // in one start tag, declarations included
}

// Sizes that no setting changes.
const (
	maxPrefixes = 64   // declarations in scope at once: a look-up compares with each
	maxLang     = 64   // bytes of a first-level xml:lang; CVE-2022-32149 was a language tag
	maxHeader   = 1024 // bytes of the namespaces that a header declares with prefixes: stanzas that use them get the declarations
	maxRef      = 12   // bytes of &#x0010FFFF; and of &quot; and a little more
	maxDecl     = 128  // bytes of the XML declaration

	attrsPerElement = 4 // the attributes of an item are at most so many times the limit of elements: a tree takes 50 bytes for each

	smallBuffer = 512      // buffer of an idle scanner
	readBuffer  = 16 << 10 // pooled buffer of a scanner that receives data
)

// BeforeLogin is for peers that have not authenticated.
func BeforeLogin() Limits { return Limits{Bytes: 10_000, Elements: 32, Depth: 8, Attrs: 32} } // RFC 6120 §13.12

// ForClients is for clients that have.
func ForClients() Limits { return Limits{Bytes: 256 << 10, Elements: 4000, Depth: 64, Attrs: 64} }

// ForServers is for other servers and components that have.
func ForServers() Limits { return Limits{Bytes: 512 << 10, Elements: 8000, Depth: 64, Attrs: 128} }

// Or returns l with the fields of d in place of those that are zero.
func (l Limits) Or(d Limits) Limits {
	return Limits{
		Bytes: cmp.Or(l.Bytes, d.Bytes), Elements: cmp.Or(l.Elements, d.Elements), Depth: cmp.Or(l.Depth, d.Depth), Attrs: cmp.Or(l.Attrs, d.Attrs),
	}
}

func (l Limits) filled() Limits {
	d := BeforeLogin()
	if l.Bytes <= 0 {
		l.Bytes = d.Bytes
	}
	if l.Elements <= 0 {
		l.Elements = d.Elements
	}
	if l.Depth <= 0 {
		l.Depth = d.Depth
	}
	if l.Attrs <= 0 {
		l.Attrs = d.Attrs
	}
	return l
}
