package stream

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// seeds are the first inputs of fuzzing and of the comparison with expat.
var seeds = []string{
	"<message to='a@b/c' id='1' type='chat' xml:lang='de'><body>hallo &lt;&amp;&#x41;&#10;</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>",
	"<iq type='get' id=\"x\"><query xmlns='jabber:iq:roster' ver=''/></iq> <presence/>\n<presence><show>xa</show></presence>",
	"<message><body><![CDATA[<a>]]]]></body><x:y xmlns:x='urn:x' x:a='1' a='2'><z xmlns=''/></x:y></message></stream:stream>",
	"<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
	"<db:result from='a' to='b'>abc</db:result><message><db:x db:y='z'/></message>",
	"<message><body xmlns='jabber:client'>x</body><b xmlns=\"jabber:server\"><c xmlns='jabber:client'/></b></message>",
	"<message xml:lang=''><fwd xmlns='urn:f'><message xmlns='jabber:client'><body/></message></fwd></message>",
	"<é:ü xmlns:é='urn:é'>Ω日\U0001F600\uFEFF</é:ü>",
	"<message a = '>' b\n=\t\"'\"\r>]]&gt; ]] > </message >",
	"<a b='1' c='2'/><a b='1'c='2'/>", "<a b='1' b='2'/>", "<p:a/>", "<a xmlns:p='u' xmlns:q='u' p:a='' q:a=''/>",
	"<a xmlns:xml='urn:x'/>", "<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:a=''/>", "<a xmlns:xmlns='u'/>", "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
	"<a xmlns:p=''/>", "<a:b:c/>", "<:a/>", "<a:/>", "<a>]]></a>", "<a>&foo;</a>", "<a>&#xD800;</a>", "<a>&#0;</a>", "<a>&#xFFFE;</a>", "<a b='<'/>",
	"<!-- x --><a/>", "<!DOCTYPE a>", "<?php ?>", "<a><!-- --></a>", "<a>\x00</a>", "<a>\xff</a>", "<a>\xed\xa0\x80</a>", "<a>\xc0\xaf</a>", "<a>\uFFFE</a>",
	"<a></b>", "</a>", "<a", "<a b", "<a b=", "<a b='", "<a/", "< a/>", "<a / >", "text", "&amp;", "<![CDATA[]]>", "<a></ a>", "<message xmlns='jabber:server'/>", "<c:message xmlns:c='jabber:client'/>",
	"<message><c:body xmlns:c='jabber:client'/></message>", "<a xmlns='urn:a b'/>", "<a xmlns='urn&#10;a'/>", "<a b='&#9;&#xA; \t\n'/>", "<a b='1\r\n2'>\r\n\r</a>",
}

const fuzzHead = `<?xml version='1.0'?><stream:stream to='example.org' version='1.0' xml:lang='en' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback'>`

func FuzzScanner(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, input string) {
		if len(input) > 1<<16 {
			return
		}
		text := fuzzHead + input
		whole, err := scan(text)
		trickled, trickledErr := events(NewScanner(iotest.OneByteReader(strings.NewReader(text)), stanza.NSClient, ForClients()))
		if !slices.Equal(whole, trickled) || !sameError(err, trickledErr) {
			t.Fatalf("%q\nwhole   %q %v\ntrickle %q %v", input, whole, err, trickled, trickledErr)
		}
		passed := accepted(text)
		checkForeign(t, passed)
		checkStrict(t, passed)
		s := NewScanner(strings.NewReader(text), stanza.NSClient, ForClients())
		for {
			it, err := s.Next()
			if err != nil {
				return
			}
			if it.Kind == Element {
				checkForwarded(t, it)
			}
		}
	})
}

// sameError compares what a peer would be sent. Which token was wrong does not depend on
// how the bytes arrived, so the texts are the same too.
func sameError(a, b error) bool {
	var x, y *Error
	if errors.As(a, &x) && errors.As(b, &y) {
		return x == y
	}
	return a == b
}

// accepted returns what a scanner returned of text, as a document.
func accepted(text string) string {
	s := NewScanner(strings.NewReader(text), stanza.NSClient, ForClients())
	var b strings.Builder
	for {
		it, err := s.Next()
		if err != nil {
			if b.Len() == 0 {
				return ""
			}
			return b.String() + "</stream:stream>"
		}
		b.Write(it.Raw)
		if it.Kind == Close {
			return b.String()
		}
	}
}

// checkForeign checks that encoding/xml accepts the document too.
func checkForeign(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("encoding/xml refuses what was accepted: %v\n%q", err, text)
		}
	}
}

// checkForwarded checks that an element has the same meaning after its conversions, read by a
// foreign parser: parse(serialize(parse(x))) == parse(x).
func checkForwarded(t *testing.T, it *Item) {
	t.Helper()
	raw := string(it.Raw)
	want := canonical(t, fuzzHead+raw)
	var again string
	if kind := it.StanzaKind(); kind != 0 {
		st, err := it.Stanza()
		if err != nil {
			return // a malformed address
		}
		if it.find("", "to") == nil || it.Attr("to") == st.To.String() {
			again = string(st.AppendXML(nil, stanza.NSClient))
			compare(t, raw, withLang(want, it), canonical(t, again))
			plain := string(st.AppendXML(nil, ""))
			compare(t, raw, withLang(want, it), canonical(t, strings.Replace(fuzzHead, "xmlns:db='jabber:server:dialback'", "", 1)+plain))
		}
		if st.Tree().Local != kind.String() {
			t.Fatalf("%q: no tree", raw)
		}
	}
	stamped := it.AppendXML(nil, "me@example.org")
	if it.StanzaKind() != 0 {
		again = string(stamped)
		compare(t, raw, withLang(withoutFrom(want), it), withoutFrom(canonical(t, strings.Replace(fuzzHead, "xmlns:db='jabber:server:dialback'", "", 1)+again)))
	}
	tree, err := it.Tree()
	if err != nil {
		t.Fatalf("%q: tree: %v", raw, err)
	}
	if !strings.Contains(want, "{}") {
		compare(t, raw, want, canonical(t, tree.String()))
	}
}

func compare(t *testing.T, raw, want, got string) {
	t.Helper()
	if want != got {
		t.Fatalf("%q\nmeaning before conversion %q\nmeaning after conversion  %q", raw, want, got)
	}
}

const langAttr = "@{" + stanza.NSXML + "}lang="

// withLang adds the language of the stream to the canonical form of a stanza.
func withLang(c string, it *Item) string {
	if it.find(stanza.NSXML, "lang") != nil {
		return c
	}
	lines := strings.SplitAfterN(c, "\n", 2)
	return sortAttrs(strings.TrimSuffix(lines[0], "\n")+"\x00"+langAttr+`"en"`) + "\n" + lines[1]
}

func withoutFrom(c string) string {
	lines := strings.SplitAfterN(c, "\n", 2)
	parts := strings.Split(strings.TrimSuffix(lines[0], "\n"), "\x00")
	parts = slices.DeleteFunc(parts, func(p string) bool { return strings.HasPrefix(p, "@{}from=") })
	return strings.Join(parts, "\x00") + "\n" + lines[1]
}

func sortAttrs(line string) string {
	parts := strings.Split(line, "\x00")
	slices.Sort(parts[1:])
	return strings.Join(parts, "\x00")
}

// canonical returns the meaning of the first element (after a stream header, if there is
// one), read by encoding/xml. The three content namespaces count as one; empty
// header attributes of a stanza count as absent.
func canonical(t *testing.T, text string) string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	var b, chars bytes.Buffer
	depth := 0
	flush := func() {
		if chars.Len() > 0 {
			fmt.Fprintf(&b, "%q\n", chars.String())
			chars.Reset()
		}
	}
	for {
		tok, err := d.Token()
		if err != nil {
			t.Fatalf("foreign parser: %v\n%q", err, text)
		}
		switch x := tok.(type) {
		case xml.StartElement:
			if x.Name.Space == NSStream && x.Name.Local == "stream" && depth == 0 && strings.HasPrefix(text, "<?xml") {
				text = ""
				continue
			}
			flush()
			depth++
			line := "<{" + content(x.Name.Space) + "}" + x.Name.Local
			for _, a := range x.Attr {
				if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
					continue
				}
				if depth == 1 && a.Value == "" && a.Name.Space == "" && slices.Contains([]string{"to", "from", "id", "type"}, a.Name.Local) {
					continue
				}
				line += fmt.Sprintf("\x00@{%s}%s=%q", a.Name.Space, a.Name.Local, oneLine.Replace(a.Value))
			}
			b.WriteString(sortAttrs(line) + "\n")
		case xml.EndElement:
			flush()
			depth--
			b.WriteString("/\n")
			if depth == 0 {
				return b.String()
			}
		case xml.CharData:
			if depth > 0 {
				chars.Write(x)
			}
		}
	}
}

// oneLine applies XML 1.0 §3.3.3, which encoding/xml does not.
var oneLine = strings.NewReplacer("\n", " ", "\t", " ", "\r", " ")

func content(space string) string {
	if isContent([]byte(space)) {
		return stanza.NSClient
	}
	return space
}
