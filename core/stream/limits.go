package stream

// Limits bound one first-level element, or the stream header. A field that is zero
// is taken from BeforeLogin, so that nothing is ever without limit.
type Limits struct {
	Bytes    int // of the whole element, tags included
	Elements int // in it, itself included
	Depth    int // of nesting, itself included
	Attrs    int // in one start tag, declarations included
}

// Sizes that no setting changes.
const (
	maxPrefixes = 64  // declarations in scope at once: looking one up is a walk through them
	maxLang     = 64  // bytes of a first-level xml:lang; CVE-2022-32149 was a language tag
	maxRef      = 12  // bytes of &#x0010FFFF; and of &quot; with room to spare
	maxDecl     = 128 // bytes of the XML declaration

	smallBuffer = 1 << 10  // what an idle scanner keeps
	readBuffer  = 16 << 10 // what it borrows while data flows
)

// BeforeLogin is what a peer gets that has not proved who it is.
func BeforeLogin() Limits { return Limits{Bytes: 10_000, Elements: 32, Depth: 8, Attrs: 32} } // RFC 6120 §13.12

// ForClients is what a client gets after login.
func ForClients() Limits { return Limits{Bytes: 256 << 10, Elements: 4000, Depth: 64, Attrs: 64} }

// ForServers is what another server or a component gets after it has proved who it is.
func ForServers() Limits { return Limits{Bytes: 512 << 10, Elements: 8000, Depth: 64, Attrs: 128} }

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
