package stream

import (
	"errors"
	"strings"
	"testing"
	"unsafe"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func convert(t *testing.T, header, input string) *stanza.Stanza {
	t.Helper()
	it, err := NewScanner(strings.NewReader(header+input), stanza.NSClient, ForClients()).second()
	if err != nil {
		t.Fatalf("%s: %v", input, err)
	}
	st, err := it.Stanza()
	if err != nil {
		t.Fatalf("%s: %v", input, err)
	}
	return st
}

func TestStanza(t *testing.T) { // checklist 42 43 44
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"as it came", "<message to='b@x' id='1' type='chat'><body>a&#x20;b</body></message>", "<message to='b@x' id='1' type='chat' xml:lang='en'><body>a&#x20;b</body></message>"},
		{"language kept", "<message xml:lang='de'/>", "<message xml:lang='de'/>"},
		{"no language kept", "<message xml:lang=''/>", "<message xml:lang=''/>"},
		{"own namespace", "<message xmlns='jabber:client'><body/></message>", "<message xml:lang='en'><body/></message>"},
		{"repeated namespace", "<iq  xmlns='jabber:client' ><error xmlns = \"jabber:client\" type='x'><a xmlns='urn:a'><b xmlns='jabber:client'/></a></error></iq>", "<iq xml:lang='en'><error type='x'><a xmlns='urn:a'><b xmlns='jabber:client'/></a></error></iq>"},
		{"another content namespace", "<message><body xmlns='jabber:server'>x</body></message>", "<message xml:lang='en'><body>x</body></message>"},
		{"prefix of the header", "<message><db:x db:y='1'/></message>", "<message xml:lang='en' xmlns:db='jabber:server:dialback'><db:x db:y='1'/></message>"},
		{"prefix of the header in the start tag", "<message db:y='1'/>", "<message xml:lang='en' db:y='1' xmlns:db='jabber:server:dialback'/>"},
		{"prefix of the header declared again", "<message xmlns:db='urn:db'><db:x/></message>", "<message xml:lang='en' xmlns:db='urn:db'><db:x/></message>"},
		{"further attributes", "<message x='&lt;' y = \"'\" xmlns:p='urn:p' p:to='eve@x'/>", "<message xml:lang='en' x='&lt;' y = \"'\" xmlns:p='urn:p' p:to='eve@x'/>"},
		{"references in the header", "<message id='&#97;&quot;' to='&#98;@x'/>", "<message to='b@x' id='a&quot;' xml:lang='en'/>"},
		{"empty header", "<message to='' id='' type=''/>", "<message xml:lang='en'/>"},
		{"white space", "<presence> </presence >", "<presence xml:lang='en'> </presence>"},
	} {
		st := convert(t, fuzzHead, c.in)
		if got := st.String(); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

// An attribute with a prefix is not one of a stanza's header: a comparison of local names only
// would take it for one.
func TestAttributesByExpandedName(t *testing.T) {
	t.Parallel()
	it, err := NewScanner(strings.NewReader(head+"<message z:to='eve@x' xmlns:z='urn:z' id='1' z:id='2'/>"), stanza.NSClient, BeforeLogin()).second()
	if err != nil || it.find("", "to") != nil || it.Attr("id") != "1" {
		t.Fatal(err)
	}
	st, err := it.Stanza()
	if err != nil || !st.To.IsZero() || st.ID != "1" {
		t.Error(st, err)
	}
}

func TestStanzaAddresses(t *testing.T) {
	t.Parallel()
	st := convert(t, head, "<message to='Bob@Example.ORG/x' from='a@b'/>")
	if st.To.String() != "bob@example.org/x" || st.From.String() != "a@b" {
		t.Error(st)
	}
	for _, input := range []string{"<message to='@x' id='1'/>", "<message to='a b@x/' id='1'/>", "<message from='a@@b' id='1'/>"} {
		it, err := NewScanner(strings.NewReader(head+input), stanza.NSClient, BeforeLogin()).second()
		if err != nil {
			t.Fatal(err)
		}
		st, err := it.Stanza()
		if e, ok := errors.AsType[*stanza.Error](err); !ok || e.Condition != "jid-malformed" || st == nil || st.ID != "1" {
			t.Errorf("%s: %v %v", input, st, err)
		}
	}
	it, err := NewScanner(strings.NewReader(head+"<a xmlns='urn:a'/>"), stanza.NSClient, BeforeLogin()).second()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := it.Stanza(); !errors.Is(err, ErrNotStanza) {
		t.Error(err)
	}
}

// A stream may declare the content namespace on each stanza instead of in its header.
func TestPrefixFreeStream(t *testing.T) { // checklist 2
	t.Parallel()
	const free = "<stream xmlns='http://etherx.jabber.org/streams' to='x'>"
	st := convert(t, free, "<message xmlns='jabber:client'><body>x</body></message>")
	if st.String() != "<message><body>x</body></message>" || st.Body() != "x" {
		t.Error(st)
	}
	s := NewScanner(strings.NewReader(free+"<message/><error/></stream>"), stanza.NSClient, BeforeLogin())
	it, err := s.second()
	if err != nil || it.StanzaKind() != 0 {
		t.Error("a stanza in the stream namespace", err)
	}
	if it, err = s.Next(); err != nil || !it.Is(NSStream, "error") {
		t.Error(err)
	}
	if it, err = s.Next(); err != nil || it.Kind != Close {
		t.Error(err)
	}
}

func TestTree(t *testing.T) {
	t.Parallel()
	it, err := NewScanner(strings.NewReader(fuzzHead+"<db:result from='a' db:x='1'><y/></db:result>"), stanza.NSClient, BeforeLogin()).second()
	if err != nil {
		t.Fatal(err)
	}
	tree, err := it.Tree()
	if err != nil || !tree.Is("jabber:server:dialback", "result") || tree.Attr("from") != "a" || tree.Child(stanza.NSClient, "y") == nil {
		t.Fatal(tree, err)
	}
	if v, ok := tree.LookupAttr("jabber:server:dialback", "x"); !ok || v != "1" {
		t.Error(tree)
	}
}

func TestAppendXML(t *testing.T) { // checklist 36
	t.Parallel()
	it, err := NewScanner(strings.NewReader(fuzzHead+"<message xmlns='jabber:client' from='eve@x' to='b@x' z='1'><body xmlns='jabber:client'>x</body></message>"), stanza.NSClient, BeforeLogin()).second()
	if err != nil {
		t.Fatal(err)
	}
	want := "<message to='b@x' z='1' from='o&apos;n@x' xml:lang='en'><body>x</body></message>"
	if got := string(it.AppendXML(nil, "o'n@x")); got != want {
		t.Error(got)
	}
}

// An address does not keep a large stanza in memory.
func TestAddressesOfLargeStanzas(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 100_000} {
		body := "<body>" + strings.Repeat("x", size) + "</body>"
		st := convert(t, fuzzHead, "<message to='romeo@home.test/x' from='juliet@home.test' id='i'>"+body+"</message>")
		from := uintptr(unsafe.Pointer(unsafe.StringData(st.Payload)))
		for _, j := range []jid.JID{st.To, st.From} {
			at := uintptr(unsafe.Pointer(unsafe.StringData(j.String())))
			if near := from-at < 1000; near != (size == 0) { // the header is before the payload
				t.Errorf("%s shares memory with a payload of %d bytes: %t", j, len(st.Payload), near)
			}
		}
	}
}
