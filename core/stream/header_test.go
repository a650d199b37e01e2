package stream

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-im/dragoman/core/stanza"
)

func header(text, content string) (*Header, error) {
	s := NewScanner(strings.NewReader(text), content, BeforeLogin())
	_, err := s.Next()
	return s.Header(), err
}

func TestRFC6120_001_Namespaces(t *testing.T) { // checklist 1
	t.Parallel()
	const streams = "http://etherx.jabber.org/streams"
	for _, c := range []struct {
		header, content string
		want            Condition
	}{
		{"<stream:stream xmlns='jabber:client' xmlns:stream='" + streams + "'>", stanza.NSClient, ""},
		{"<stream:stream xmlns='jabber:server' xmlns:stream='" + streams + "'>", stanza.NSServer, ""},
		{"<stream:stream xmlns='jabber:component:accept' xmlns:stream='" + streams + "'>", stanza.NSComponent, ""},
		{"<stream xmlns='" + streams + "'>", stanza.NSClient, ""}, // RFC 6120 §4.8.2: the stream namespace as the default
		{"<stream:stream xmlns='jabber:client' xmlns:stream='http://wrong.namespace.example.org/'>", stanza.NSClient, InvalidNamespace},
		{"<stream:stream xmlns='jabber:server' xmlns:stream='" + streams + "'>", stanza.NSClient, InvalidNamespace},
		{"<stream:stream xmlns='jabber:client' xmlns:stream='" + streams + "'>", stanza.NSServer, InvalidNamespace},
		{"<stream:stream xmlns='urn:x' xmlns:stream='" + streams + "'>", stanza.NSClient, InvalidNamespace},
		{"<stream:stream xmlns='" + streams + "' xmlns:stream='" + streams + "'>", stanza.NSClient, InvalidNamespace},
		{"<stream:stream xmlns:stream='" + streams + "'>", stanza.NSClient, InvalidNamespace},
		{"<stream xmlns='jabber:client'>", stanza.NSClient, InvalidNamespace},
		{"<stream>", stanza.NSClient, InvalidNamespace},
		{"<stream:streams xmlns='jabber:client' xmlns:stream='" + streams + "'>", stanza.NSClient, BadFormat},
		{"<stream:stream xmlns='jabber:client' xmlns:stream='" + streams + "'/>", stanza.NSClient, BadFormat},
		{"<stream:stream xmlns='jabber:client'>", stanza.NSClient, NotWellFormed},
		{"</stream:stream>", stanza.NSClient, NotWellFormed},
	} {
		at := 2 + strings.IndexAny(c.header[2:], " >/")
		h, err := header(c.header[:at]+" to='example.org' from='a@b'"+c.header[at:], c.content)
		if condition(err) != c.want {
			t.Errorf("%s: %v", c.header, err)
		}
		// The attributes of the header are available after an error, because the answer needs them.
		if c.want == InvalidNamespace && (h == nil || h.To != "example.org" || h.From != "a@b") {
			t.Errorf("%s: %+v", c.header, h)
		}
	}
}

func TestRFC6120_002_Prefixes(t *testing.T) { // checklist 2
	t.Parallel()
	text := "<s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams' xmlns:stream='urn:decoy'><s:error/><stream:error/><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" +
		"<ns0:starttls xmlns:ns0='urn:ietf:params:xml:ns:xmpp-tls'/></s:stream>"
	s := NewScanner(strings.NewReader(text), stanza.NSClient, BeforeLogin())
	wants := []func(*Item) bool{
		func(it *Item) bool { return it.Kind == Open },
		func(it *Item) bool { return it.Is(NSStream, "error") },
		func(it *Item) bool { return !it.Is(NSStream, "error") && it.Is("urn:decoy", "error") },
		func(it *Item) bool { return it.Is(NSTLS, "starttls") },
		func(it *Item) bool { return it.Is(NSTLS, "starttls") }, // ejabberd#814
		func(it *Item) bool { return it.Kind == Close },
	}
	for i, want := range wants {
		it, err := s.Next()
		if err != nil || !want(it) {
			t.Fatalf("item %d: %v", i, err)
		}
	}
}

func TestRFC6120_005_Version(t *testing.T) { // checklist 5
	t.Parallel()
	for in, want := range map[string]struct {
		answer string
		ok     bool
	}{
		"1.0": {"1.0", true}, "1.1": {"1.0", true}, "1.10": {"1.0", true}, "01.00": {"1.0", true}, "2.0": {"1.0", true},
		"": {"", false}, "0.9": {"0.9", false}, "0.99": {"0.99", false}, "1": {"1.0", false}, "x": {"1.0", false}, "1.": {"1.0", false}, "-1.0": {"1.0", false}, "1.0.0": {"1.0", false}, "99999999999.0": {"1.0", false},
	} {
		h := &Header{Version: in}
		if got, ok := h.Answer(); got != want.answer || ok != want.ok {
			t.Errorf("%q: %q %v", in, got, ok)
		}
	}
}

func TestHeaderRoundTrip(t *testing.T) { // checklist 4
	t.Parallel()
	h := &Header{
		Content: stanza.NSServer, To: "a.example", From: "b'&<>.example", ID: "x\"1", Lang: "de-CH", Version: "1.0",
		Prefixes: []Prefix{{"db", "jabber:server:dialback"}},
	}
	got, err := header(string(h.Append(nil)), stanza.NSServer)
	if err != nil || !cmp.Equal(h, got) {
		t.Error(err, cmp.Diff(h, got))
	}
	s := NewFramed(stanza.NSServer, BeforeLogin())
	it, err := s.Frame(h.AppendFramed(nil))
	h.Prefixes = nil
	if err != nil || it.Kind != Open || !cmp.Equal(h, it.Header) {
		t.Error(err, cmp.Diff(h, s.Header()))
	}
	want := "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	if got := string((&Header{Content: stanza.NSClient}).Append(nil)); got != want {
		t.Error(got)
	}
}

func TestRFC6120_017_Errors(t *testing.T) { // checklist 17
	t.Parallel()
	if len(conditions) != 25 {
		t.Errorf("%d conditions", len(conditions))
	}
	for c := range conditions {
		e := &Error{Condition: c, Text: "a <b>", App: stanza.NewElement("urn:app", "x")}
		if c == SeeOtherHost {
			e.Host = "[::1]:5222"
		}
		it, err := NewScanner(strings.NewReader(head+string(e.Append(nil))), stanza.NSClient, BeforeLogin()).second()
		if err != nil || !it.Is(NSStream, "error") {
			t.Fatal(c, err)
		}
		tree, err := it.Tree()
		if err != nil {
			t.Fatal(err)
		}
		got := ParseError(tree)
		if got.Condition != c || got.Text != e.Text || got.Host != e.Host || !got.App.Is("urn:app", "x") {
			t.Errorf("%+v", got)
		}
		framed, err := NewFramed(stanza.NSClient, BeforeLogin()).Frame(e.AppendFramed(nil))
		if err != nil || !framed.Is(NSStream, "error") {
			t.Error(c, err)
		}
	}
	if got := string((&Error{Condition: "of-our-own"}).Append(nil)); got != "<stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>" {
		t.Error(got)
	}
	want := "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>no</text></stream:error>"
	if got := string(NewError(HostUnknown, "no").Append(nil)); got != want {
		t.Error(got)
	}
	if e := AsError(errors.New("disk on fire")); e.Condition != InternalServerError || e.Text != "" {
		t.Errorf("%+v", e)
	}
	if AsError(io.ErrUnexpectedEOF) != nil || AsError(nil) != nil || AsError(errTooBig) != errTooBig || !errors.Is(errTooBig, NewError(PolicyViolation, "")) {
		t.Error("errors")
	}
}

func TestFeatures(t *testing.T) { // checklist 7
	t.Parallel()
	want := "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls><bind xmlns='urn:bind'/></stream:features>"
	if got := string(AppendFeatures(nil, StartTLSFeature(true), nil, stanza.NewElement("urn:bind", "bind"))); got != want {
		t.Error(got)
	}
	if got := string(AppendFeatures(nil)); got != "<stream:features/>" {
		t.Error(got)
	}
	text := AppendClose(AppendTLSFailure(AppendProceed(AppendFeatures((&Header{Content: stanza.NSClient}).Append(nil), StartTLSFeature(false)))))
	got, err := scan(string(text))
	if err != io.EOF || len(got) != 5 || got[1].local != "features" || got[2].local != "proceed" || got[3].local != "failure" {
		t.Error(got, err)
	}
	s := NewFramed(stanza.NSClient, BeforeLogin())
	if it, err := s.Frame(AppendFeaturesFramed(nil, StartTLSFeature(false))); err != nil || !it.Is(NSStream, "features") {
		t.Error(err)
	}
	if it, err := s.Frame(AppendCloseFramed(nil, "wss://x/?a&b")); err != nil || it.Kind != Close || it.Attr("see-other-uri") != "wss://x/?a&b" {
		t.Error(err)
	}
}
