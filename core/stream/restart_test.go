package stream

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
)

func next(t *testing.T, s *Scanner) *Item {
	t.Helper()
	it, err := s.Next()
	if err != nil {
		t.Fatal(err)
	}
	return it
}

// Clients may send the next header after <auth/> without waiting (XEP-0305).
func TestRFC6120_030_RestartKeepsWhatIsPipelined(t *testing.T) { // checklist 30
	t.Parallel()
	second := strings.Replace(head, "version='1.0' xmlns", "version='1.0' xml:lang='fr' xmlns", 1)
	s := NewScanner(strings.NewReader(head+"<auth xmlns='urn:sasl'>x</auth>\n"+second+"<iq/>"), stanza.NSClient, BeforeLogin())
	next(t, s)
	if it := next(t, s); !it.Is("urn:sasl", "auth") {
		t.Fatal(string(it.Raw))
	}
	if want := len("\n" + second + "<iq/>"); s.Buffered() != want {
		t.Errorf("%d of %d bytes buffered", s.Buffered(), want)
	}
	s.Restart()
	if s.Header() != nil {
		t.Error("Header still returns the old header")
	}
	if it := next(t, s); it.Kind != Open || it.Header.Lang != "fr" {
		t.Fatal(it.Kind)
	}
	if it := next(t, s); it.StanzaKind() != stanza.IQ {
		t.Fatal(string(it.Raw))
	}
}

// CVE-2011-0411 and similar: what arrived unencrypted before TLS must not be read as if it had
// arrived through TLS.
func TestCVE_2011_0411_ResetDropsWhatIsBuffered(t *testing.T) { // checklist 21 22
	t.Parallel()
	clear := "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + head + "<auth xmlns='urn:sasl'>evil</auth>"
	s := NewScanner(strings.NewReader(head+clear), stanza.NSClient, BeforeLogin())
	next(t, s)
	if it := next(t, s); !it.Is(NSTLS, "starttls") {
		t.Fatal(string(it.Raw))
	}
	if s.Buffered() == 0 {
		t.Error("nothing is buffered")
	}
	s.Reset(strings.NewReader(strings.Replace(head, "xmlns=", "from='a@b' xmlns=", 1) + "<good xmlns='urn:x'/>"))
	if it := next(t, s); it.Kind != Open || it.Header.From != "a@b" {
		t.Fatal(it.Kind)
	}
	if it := next(t, s); !it.Is("urn:x", "good") {
		t.Fatal(string(it.Raw))
	}
}

func TestRestartForgetsPrefixes(t *testing.T) {
	t.Parallel()
	s := NewScanner(strings.NewReader(fuzzHead+"<db:a/>"+head+"<db:a/>"), stanza.NSClient, BeforeLogin())
	next(t, s)
	next(t, s)
	s.Restart()
	next(t, s)
	if _, err := s.Next(); err != errPrefix {
		t.Error(err)
	}
}

func TestRFC6120_014_Whitespace(t *testing.T) { // checklist 14
	t.Parallel()
	s := NewScanner(strings.NewReader(head+" \t\r\n<iq/> \n"), stanza.NSClient, BeforeLogin())
	next(t, s)
	if it := next(t, s); string(it.Raw) != "<iq/>" {
		t.Errorf("%q is not the element without the white space around it", it.Raw)
	}
	if _, err := s.Next(); err != io.EOF {
		t.Error(err)
	}
}

// deadline is a reader that fails once between two halves of a stanza, as a connection with a read deadline does.
type deadline struct{ parts []string }

func (d *deadline) Read(p []byte) (int, error) {
	if len(d.parts) == 0 {
		return 0, io.EOF
	}
	part := d.parts[0]
	d.parts = d.parts[1:]
	if part == "" {
		return 0, os.ErrDeadlineExceeded
	}
	return copy(p, part), nil
}

func TestReadErrorsMayPass(t *testing.T) {
	t.Parallel()
	s := NewScanner(&deadline{[]string{head + "<iq", "", " id='1'", "", "/>", ""}}, stanza.NSClient, BeforeLogin())
	next(t, s)
	for range 2 {
		if _, err := s.Next(); err != os.ErrDeadlineExceeded {
			t.Fatal(err)
		}
	}
	if it := next(t, s); it.Attr("id") != "1" {
		t.Error(string(it.Raw))
	}
}

func TestRFC7395_Frames(t *testing.T) {
	t.Parallel()
	s := NewFramed(stanza.NSClient, BeforeLogin())
	for frame, want := range map[string]Condition{
		"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='x' version='1.0'/>": "",
		"<message xmlns='jabber:client'><body>x</body></message>":                  "",
		"<?xml version='1.0'?><iq xmlns='jabber:client'/>":                         "",
		"<iq xmlns='jabber:client'/> ":                                             "",
		"":                                                                         NotWellFormed,
		" <iq xmlns='jabber:client'/>":                                             NotWellFormed, // §3.3.3
		" ":                                                                        NotWellFormed, // §3.8: no white space keepalives
		"<iq xmlns='jabber:client'/><iq xmlns='jabber:client'/>": NotWellFormed,
		"<iq xmlns='jabber:client'>":                             NotWellFormed,
		"<iq xmlns='jabber:client'":                              NotWellFormed,
		"<stream:features/>":                                     NotWellFormed,
		"<open xmlns='jabber:client'/>":                          InvalidNamespace, // §3.3.2
		"<x xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>":       BadFormat,
		"<message xmlns='jabber:server'/>":                       InvalidNamespace,
		"<a>" + strings.Repeat("x", 10_000) + "</a>":             PolicyViolation,
		"text": NotWellFormed,
	} {
		s := NewFramed(stanza.NSClient, BeforeLogin())
		if _, err := s.Frame([]byte(frame)); condition(err) != want {
			t.Errorf("%.60q: %v", frame, err)
		}
	}
	it, err := s.Frame([]byte("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='x' xml:lang='de' version='1.0'/>"))
	if err != nil || it.Kind != Open || it.Header.To != "x" || it.Header.Content != stanza.NSClient {
		t.Fatal(err)
	}
	it, err = s.Frame([]byte("<message xmlns='jabber:client' id='1'><body>x</body></message>"))
	if err != nil {
		t.Fatal(err)
	}
	st, err := it.Stanza()
	if err != nil || st.String() != "<message id='1' xml:lang='de'><body>x</body></message>" {
		t.Error(st, err)
	}
	if it, err = s.Frame([]byte("<message/>")); err != nil || it.StanzaKind() != 0 {
		t.Error("a stanza without a namespace", err)
	}
	s.Idle()
	if it, err = s.Frame([]byte("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")); err != nil || it.Kind != Close {
		t.Error(err)
	}
}
