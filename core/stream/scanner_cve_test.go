package stream

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// CVE-2020-29509, -29510 and -29511: names and declarations that another parser would print with another
// meaning are refused; forwarded elements keep their meaning.
func TestCVE_2020_29509_RoundTrip(t *testing.T) {
	t.Parallel()
	for _, input := range []string{
		"<::a/>", "<a::b/>", "<:a/>", "<a:/>", "<message ::a='x'/>", "<message :a='x'/>", "<message a:='x'/>", "<a:b:c xmlns:a='u'/>", "<message xmlns:a:b='u'/>",
		"<message xmlns:='u'/>", "<message xmlns:xmlns='u'/>", "<xmlns:message/>", "<message xmlns='a' xmlns='b'/>", "<message xmlns:p='a' xmlns:p='b'/>",
		"<message xmlns:p='u' xmlns:q='u' p:a='1' q:a='2'/>", "<message xmlns:xml='u'/>", "<message xmlns:p=''/>", "<message xmlns:p='http://www.w3.org/2000/xmlns/'/>",
	} {
		if c := refusal(t, input); c != NotWellFormed && c != BadNamespacePrefix {
			t.Errorf("%s: %q", input, c)
		}
	}
	for _, input := range []string{
		"<message><x xmlns:_xmlns='u' _xmlns:a='1' a='2'/></message>", "<message><_:x xmlns:_='u'/></message>", "<message><x xmlns:a='u' xmlns='v' a:b='1'><y xmlns=''/></x></message>",
		"<message><x xmlns='a&amp;b'/></message>", "<message><x a='&#9;&#10;&#13;&lt;&amp;&quot;&apos;>'>&#13;&gt;]]&gt;</x></message>",
		"<message xmlns:c='jabber:clienT'><c:body/></message>", "<message><body><![CDATA[<x/>&amp;]]>&lt;x/&gt;</body></message>",
	} {
		s := NewScanner(strings.NewReader(fuzzHead+input), stanza.NSClient, ForClients())
		it, err := s.second()
		if err != nil {
			t.Errorf("%s: %v", input, err)
			continue
		}
		checkForwarded(t, it)
	}
}

// CVE-2022-25235: a broken sequence of two or three bytes, at any position, is refused before anything that
// follows it is read.
func TestCVE_2022_25235_BrokenUTF8(t *testing.T) {
	t.Parallel()
	positions := []string{
		"<message?/>", "<message ?='x'/>", "<message x='?'/>", "<message>?</message>", "<message><?x/></message>", "<message><x?></x?></message>",
		"<message><![CDATA[?]]></message>", "<message xmlns='?'/>", "<message xmlns:?='u'/>", "<message>&?;</message>", "<message></message?>",
	}
	for _, position := range positions {
		for _, bad := range []string{
			"\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc0\xbe", "\xe0\x80\xbe", "\xf0\x80\x80\xbe", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xff", "\x80", "\xfe", "\xf8\x88\x80\x80\x80",
		} {
			input := strings.ReplaceAll(position, "?", bad) + "<message to='victim@example.org'/>"
			got, err := scan(head + input)
			if c := condition(err); c != UnsupportedEncoding && c != NotWellFormed && c != RestrictedXML {
				t.Errorf("%q: %v", input, err)
			}
			if len(got) != 1 { // the header
				t.Errorf("%q: %d items passed", input, len(got))
			}
		}
		for _, bad := range []string{"\x00", "\x01", "\x08", "\x0b", "\x1f", "\uFFFE", "\uFFFF"} {
			if got, err := scan(head + strings.ReplaceAll(position, "?", bad)); len(got) != 1 || condition(err) != NotWellFormed && condition(err) != RestrictedXML {
				t.Errorf("%q in %s: %v", bad, position, err)
			}
		}
	}
}
