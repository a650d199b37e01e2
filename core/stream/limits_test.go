package stream

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/dragoman-im/dragoman/core/stanza"
)

func limited(input string, l Limits) (int, error) {
	s := NewScanner(strings.NewReader(head+input), stanza.NSClient, l)
	got, err := events(s)
	s = NewScanner(iotest.OneByteReader(strings.NewReader(head+input)), stanza.NSClient, l)
	trickled, trickledErr := events(s)
	if len(trickled) != len(got) || !sameError(err, trickledErr) {
		return 0, fmt.Errorf("in one read: %v; byte by byte: %v", err, trickledErr)
	}
	return len(got) - 1, err
}

func TestRFC6120_011_Limits(t *testing.T) { // checklist 11
	t.Parallel()
	l := Limits{Bytes: 10_000, Elements: 10, Depth: 4, Attrs: 5}
	fill := func(n int) string { return "<a>" + strings.Repeat("x", n-len("<a></a>")) + "</a>" }
	for _, c := range []struct {
		name, input string
		items       int
		want        *Error
	}{
		{"as many bytes as may be", fill(10_000), 1, nil},
		{"one byte more", fill(10_001), 0, errTooBig},
		{"each on its own", fill(9000) + fill(9000) + fill(9000), 3, nil},
		{"attribute", "<a b='" + strings.Repeat("x", 20_000) + "'/>", 0, errTooBig},
		{"name", "<" + strings.Repeat("x", 20_000) + "/>", 0, errTooBig},
		{"CDATA", "<a><![CDATA[" + strings.Repeat("]", 20_000) + "]]></a>", 0, errTooBig},
		{"white space in a tag", "<a" + strings.Repeat(" ", 20_000) + "/>", 0, errTooBig},
		{"white space in an end tag", "<a></a" + strings.Repeat(" ", 20_000) + ">", 0, errTooBig},
		{"elements", "<a>" + strings.Repeat("<b/>", 9) + "</a>", 1, nil},
		{"one element more", "<a>" + strings.Repeat("<b/>", 10) + "</a>", 0, errElements},
		{"depth", strings.Repeat("<a>", 4) + strings.Repeat("</a>", 4), 1, nil},
		{"one deeper", strings.Repeat("<a>", 5) + strings.Repeat("</a>", 5), 0, errDepth},
		{"attributes", "<a a='' b='' c='' d='' e=''/>", 1, nil},
		{"one attribute more", "<a a='' b='' c='' d='' e='' f=''/>", 0, errAttrs},
		{"attributes of all elements", "<a>" + strings.Repeat("<b a='' b='' c='' d='' e=''/>", 8) + "</a>", 1, nil},
		{"too many of all elements", "<a x=''>" + strings.Repeat("<b a='' b='' c='' d='' e=''/>", 8) + "</a>", 0, errAttrs},
		{"declarations count", "<a xmlns:a='u' xmlns:b='u' xmlns:c='u' d='' e='' f=''/>", 0, errAttrs},
		{"wrong before too big", "<a b='" + strings.Repeat("x", 5000) + "<'" + strings.Repeat("x", 20_000), 0, errLess},
	} {
		n, err := limited(c.input, l)
		if n != c.items || c.want != nil && err != c.want || c.want == nil && err != io.EOF {
			t.Errorf("%s: %d items, %v", c.name, n, err)
		}
	}
	if got := string(errTooBig.Append(nil)); got != "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><stanza-too-big xmlns='urn:xmpp:errors'/></stream:error>" {
		t.Error(got)
	}
	if BeforeLogin().Bytes < 10_000 {
		t.Error("RFC 6120 §13.12 wants 10,000 bytes at least")
	}
	if _, err := scan(strings.Repeat(" ", 300_000) + head + strings.Repeat(" ", 300_000) + "<a/>"); condition(err) == PolicyViolation {
		t.Error("white space between elements is counted")
	}
	if _, err := scan("<stream:stream a='" + strings.Repeat("x", 300_000)); err != errTooBig {
		t.Errorf("header: %v", err)
	}
}

// A stanza gets the declarations of the header that it uses: they must not make large stanzas of small ones.
func TestNamespacesOfTheHeader(t *testing.T) {
	t.Parallel()
	with := func(n int) string {
		return strings.Replace(head, "<stream:stream", "<stream:stream xmlns:p='u:"+strings.Repeat("U", n)+"'", 1)
	}
	if got, err := scan(with(900) + "<p:a/>"); len(got) != 2 || err != io.EOF {
		t.Errorf("%v %v", got, err)
	}
	if _, err := scan(with(maxHeader) + "<p:a/>"); err != errPrefixes {
		t.Error(err)
	}
}

func TestLimitsChange(t *testing.T) {
	t.Parallel()
	big := "<a>" + strings.Repeat("x", 20_000) + "</a>"
	s := NewScanner(strings.NewReader(head+"<b/>"+big+big), stanza.NSClient, BeforeLogin())
	for range 2 {
		if _, err := s.Next(); err != nil {
			t.Fatal(err)
		}
	}
	s.SetLimits(ForClients())
	if it, err := s.Next(); err != nil || len(it.Raw) != len(big) {
		t.Fatal(err)
	}
	s.SetLimits(BeforeLogin())
	if _, err := s.Next(); err != errTooBig {
		t.Fatal(err)
	}
}

func TestCVE_2022_0217_EntitiesAreNotExpanded(t *testing.T) { // checklist 9
	t.Parallel()
	laughs := "<!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol2 '&lol;&lol;&lol;'>]>" + head + "<message>&lol2;</message>"
	if got, err := scan(laughs); condition(err) != RestrictedXML || len(got) != 0 {
		t.Errorf("%v %v", got, err)
	}
	framed := NewFramed(stanza.NSClient, BeforeLogin())
	if _, err := framed.Frame([]byte("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>")); condition(err) != RestrictedXML {
		t.Error(err)
	}
}

func TestCVE_2026_43507_ElementsBeforeLogin(t *testing.T) { // checklist 11
	t.Parallel()
	s := NewScanner(strings.NewReader(head+"<a>"+strings.Repeat("<a/>", 2499)+"</a>"), stanza.NSClient, BeforeLogin())
	if _, err := s.second(); err != errElements {
		t.Fatal(err)
	}
	var attrs strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&attrs, " a%d=''", i)
	}
	if _, err := scan(head + "<a" + attrs.String() + "/>"); err != errAttrs {
		t.Error(err)
	}
}

func TestCVE_2022_28131_Depth(t *testing.T) {
	t.Parallel()
	if _, err := scan(head + strings.Repeat("<a>", 1_000_000)); err != errDepth {
		t.Error(err)
	}
}

func TestCVE_2022_22784_Smuggling(t *testing.T) {
	t.Parallel()
	// An overlong '>' and an invalid sequence before a real one must not shift where a tag ends.
	for _, input := range []string{
		"<message><body>x\xc0\xbe</body></message>", "<message a='\xe0\x80\xbe'><body/></message>", "<message><body>\xe2\x3c/body></message>", "<message\xc3></message>", "<a>\xf0\x80\x80\xbc</a>",
	} {
		if c := refusal(t, input); c != UnsupportedEncoding {
			t.Errorf("%q: %q", input, c)
		}
	}
}

func TestCVE_2022_25236_SeparatorInNamespace(t *testing.T) {
	t.Parallel()
	for _, input := range []string{
		"<a xmlns='jabber:client|x'/>", "<a xmlns='jabber:client&#10;message'/>", "<a xmlns='jabber:client\nmessage'/>", "<a xmlns:p='urn:x y'/>", "<a xmlns='jabber:client&#x20;'/>",
		"<a xmlns='u}x'/>", "<a xmlns='u{x'/>", "<a xmlns='u^x'/>", "<a xmlns='u&lt;x'/>",
	} {
		if c := refusal(t, input); c != NotWellFormed {
			t.Errorf("%q: %q", input, c)
		}
	}
	// No confusion of (namespace, name) either where it is allowed.
	it, err := NewScanner(strings.NewReader(head+"<message xmlns='jabber:clientÿ'/>"), stanza.NSClient, BeforeLogin()).second()
	if err != nil || it.StanzaKind() != 0 || it.Is(stanza.NSClient, "message") {
		t.Error(err)
	}
}

func TestCVE_2022_32149_LanguageTag(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a-", 32<<10)
	if _, err := scan(head + "<message xml:lang='" + long + "'/>"); err != errLang {
		t.Error(err)
	}
	if _, err := scan(strings.Replace(head, "to=", "xml:lang='"+long+"' to=", 1)); err != errLang {
		t.Error(err)
	}
	if _, err := scan(head + "<message xml:lang='zh-Hant-TW'/>"); err != io.EOF {
		t.Error(err)
	}
}

func TestMelliumXMPP182_ForeignStanza(t *testing.T) { // checklist 44
	t.Parallel()
	for input, want := range map[string]Condition{
		"<message xmlns='jabber:server' from='victim@example.org' to='a@b'/>": InvalidNamespace,
		"<message xmlns='jabber:component:accept'/>":                          InvalidNamespace,
		"<foo xmlns='jabber:server'/>":                                        InvalidNamespace,
		"<s:message xmlns:s='jabber:server'/>":                                BadNamespacePrefix,
		"<c:message xmlns:c='jabber:client'/>":                                BadNamespacePrefix,
		"<message xmlns:c='jabber:client'><c:body/></message>":                BadNamespacePrefix,
		"<message xmlns='urn:x'/>":                                            "",
		"<message xmlns=''/>":                                                 "",
	} {
		if c := refusal(t, input); c != want {
			t.Errorf("%s: %q", input, c)
		}
		if want != "" {
			continue
		}
		if it, err := NewScanner(strings.NewReader(head+input), stanza.NSClient, Limits{}).second(); err != nil || it.StanzaKind() != 0 {
			t.Errorf("%s is accepted as a stanza: %v", input, err)
		}
	}
}

// Declaring many prefixes must not make looking them up slow.
func TestPrefixesInScope(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&b, "<a xmlns:p%d='u' xmlns:q%d='u'>", i, i)
	}
	if _, err := scan(head + b.String()); err != errPrefixes {
		t.Error(err)
	}
}

// TestTrickleIsLinear gives the scanner single bytes of a tag, a text and a name of the largest size:
// with a rescan per byte this would take minutes.
func TestTrickleIsLinear(t *testing.T) {
	t.Parallel()
	n := 200_000
	for _, input := range []string{
		"<a b='" + strings.Repeat("x", n) + "'/>", "<a>" + strings.Repeat("x", n) + "</a>", "<a><![CDATA[" + strings.Repeat("x", n) + "]]></a>",
		"<" + strings.Repeat("x", n/2) + "></" + strings.Repeat("x", n/2) + ">", "<a></a" + strings.Repeat(" ", n) + ">", "<a" + strings.Repeat(" ", n) + "/>",
	} {
		s := NewScanner(io.MultiReader(strings.NewReader(head), iotest.OneByteReader(strings.NewReader(input))), stanza.NSClient, ForClients())
		it, err := s.second()
		if err != nil || len(it.Raw) != len(input) {
			t.Fatal(err)
		}
	}
}

// blocked is a reader that returns its data and then blocks until it is closed.
type blocked struct {
	data string
	done chan struct{}
}

func (b *blocked) Read(p []byte) (int, error) {
	if b.data == "" {
		<-b.done
		return 0, io.EOF
	}
	n := copy(p, b.data)
	b.data = b.data[n:]
	return n, nil
}

// TestCVE_2021_32918_IdleMemory measures the memory of scanners that have read large stanzas and
// wait for input.
func TestCVE_2021_32918_IdleMemory(t *testing.T) {
	const sessions = 100
	big := "<a>" + strings.Repeat("<b xmlns='urn:b'/>", 2000) + strings.Repeat("x", 100_000) + "</a>"
	text := head + big + big + stanza300
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&before)
	done := make(chan struct{})
	ended := make(chan error)
	all := make([]*Scanner, sessions)
	for i := range all {
		s := NewScanner(&blocked{text, done}, stanza.NSClient, ForClients())
		all[i] = s
		for range 4 {
			if _, err := s.Next(); err != nil {
				t.Fatal(err)
			}
		}
		go func() {
			_, err := s.Next()
			ended <- err
		}()
	}
	var per uint64
	for try := 0; ; try++ {
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&after)
		per = (after.HeapAlloc - min(after.HeapAlloc, before.HeapAlloc)) / sessions
		if per <= 3<<10 || try > 100 {
			break
		}
		runtime.Gosched()
	}
	close(done)
	for range all {
		if err := <-ended; err != io.EOF {
			t.Error(err)
		}
	}
	t.Logf("%d bytes of heap per idle scanner", per)
	if per > 3<<10 {
		t.Errorf("%d bytes of heap per idle scanner", per)
	}
	runtime.KeepAlive(all)
}

func TestNoAllocations(t *testing.T) {
	s := opened(t, &endless{head: head, body: stanza300 + "\n<p:iq xmlns:p='urn:p' p:a='&amp;'><b/></p:iq>"})
	out := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(1000, func() {
		it, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		out = it.AppendXML(out[:0], "alice@example.org/desk")
	}); n != 0 {
		t.Errorf("%v allocations per stanza", n)
	}
	s = opened(t, &chunked{head, stanza300})
	if n := testing.AllocsPerRun(1000, func() {
		it, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := it.Stanza(); err != nil {
			t.Fatal(err)
		}
	}); n > 2 && !raceDetector { // with it sync.Pool drops items at random
		t.Errorf("%v allocations per owned stanza", n)
	}
}
