package stream

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// refusal returns the scanner's error for input after a header, at once and byte by byte.
func refusal(t *testing.T, input string) Condition {
	t.Helper()
	_, err := scan(head + input)
	_, trickled := events(NewScanner(iotest.OneByteReader(strings.NewReader(head+input)), stanza.NSClient, ForClients()))
	if !sameError(err, trickled) {
		t.Errorf("%q: in one read: %v; byte by byte: %v", input, err, trickled)
	}
	return condition(err)
}

func TestRFC6120_009_RestrictedXML(t *testing.T) { // checklist 9
	t.Parallel()
	for _, input := range []string{
		"<!-- c --><a/>", "<a><!-- c --></a>", "<!DOCTYPE a>", "<a><!DOCTYPE a></a>", "<!ENTITY x 'y'>",
		"<?php x?>", "<a><?php x?></a>", "<?xml version='1.0'?>", "<a>&foo;</a>", "<a b='&foo;'/>", "<a>&nbsp;</a>", "<a>&LT;</a>", "<a>&anEntityWithALongName;</a>",
	} {
		if c := refusal(t, input); c != RestrictedXML {
			t.Errorf("%s: %q", input, c)
		}
	}
	for _, start := range []string{"<!DOCTYPE x []>" + head, "<!-- x -->" + head, "<?php?>" + head, "<?xml-model?>" + head} {
		if _, err := scan(start); condition(err) != RestrictedXML {
			t.Errorf("%s: %v", start, err)
		}
	}
}

func TestRFC6120_009_NotWellFormed(t *testing.T) { // checklist 9
	t.Parallel()
	for _, input := range []string{
		"<a></b>", "<abc></a>", "<a></a b>", "<a></ a>", "</a>", "</stream:strea>", "</stream:streams>", "< a/>", "<a / >", "<a/ >", "<1/>", "<-a/>", "<.a/>", "<a$/>", "<a\x01/>",
		"<a b='1'c='2'/>", "<a b/>", "<a b>", "<a b=1/>", "<a b='<'/>", "<a b='&'/>", "<a 'b'/>", "<a =''/>", "<a b='' b=''/>", "<a b='' c='' b=\"\"/>",
		"<a xmlns:p='u' xmlns:q='u' p:x='' q:x=''/>", "<a xmlns:p='u'><b xmlns:q='&#x75;' p:x='' q:x=''/></a>", "<a xmlns='u' xmlns='u'/>", "<a xmlns:p='u' xmlns:p='v'/>",
		"<p:a/>", "<a p:b=''/>", "<a><b xmlns:p='u'/><p:c/></a>", "<a xmlns:p='u'/><p:a/>", "<a:b:c/>", "<:a/>", "<a:/>", "<a b:=''/>", "<a :b=''/>", "<stream:1/>",
		"<xmlns:a/>", "<a xmlns:xmlns='u'/>", "<a xmlns:xml='u'/>", "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
		"<a xmlns='http://www.w3.org/2000/xmlns/'/>", "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>", "<a xmlns:p=''/>", "<a xmlns:p='http://www.w3.org/&#x58;ML/1998/namespac&#101;'/>",
		"<a>]]></a>", "<a>x]]]></a>", "<a>&</a>", "<a>& </a>", "<a>&;</a>", "<a>&#;</a>", "<a>&#x;</a>", "<a>&#X41;</a>", "<a>&#xG;</a>", "<a>&#12a;</a>", "<a>&#0;</a>", "<a>&#x1F;</a>",
		"<a>&#xD800;</a>", "<a>&#xDFFF;</a>", "<a>&#xFFFE;</a>", "<a>&#xFFFF;</a>", "<a>&#x110000;</a>", "<a>&#99999999999999;</a>", "<a>&# 65;</a>",
		"<a>\x00</a>", "<a>\x0b</a>", "<a>\uFFFE</a>", "<a>\uFFFF</a>", "<a b='\x1f'/>", "<a b='\uFFFF'/>", "<a><![CDATA[\x02]]></a>", "<\u2070/>", "<\u00d7/>", "<\U00010000/>",
	} {
		if c := refusal(t, input); c != NotWellFormed {
			t.Errorf("%q: %q", input, c)
		}
	}
}

func TestAccepted(t *testing.T) {
	t.Parallel()
	for _, input := range []string{
		"<a b='\"' c=\"'\"/>", "<a b='>'/>", "<a\n\tb = '1'\r\n/>", "<a>]] > ]]&gt; ] ]></a>", "<a>&#9;&#xA;&#x0D;&#x10FFFF;&#xe000;</a>", "<a>\x7f\u0085</a>",
		"<a xmlns:p='u' b='' p:b=''/>", "<a xmlns:p='u' xmlns:q='v' p:b='' q:b=''/>", "<a><![CDATA[<&]]]]>]]&gt;</a>", "<a><![CDATA[]]></a>",
		"<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>", "<a xmlns=''><b/></a>", "<_a.-1/>", "<a xmlns='urn:x:é'/>", "<a xmlns:p='u'><p:b xmlns:p='v' p:c=''/><p:d/></a >",
	} {
		if got, err := scan(head + input); err != io.EOF || len(got) < 2 || got[1].raw != input {
			t.Errorf("%q: %q %v", input, got, err)
		}
	}
}

func TestRFC6120_010_Encoding(t *testing.T) { // checklist 10
	t.Parallel()
	for _, input := range []string{"<a>\xff</a>", "<a>\xc0\xaf</a>", "<a>\xe2\x28\xa1</a>", "<a b='\xed\xa0\x80'/>", "<a>\xf4\x90\x80\x80</a>", "<a>\x80</a>", "<\xff/>", "<a><![CDATA[\xc3\x28]]></a>"} {
		if c := refusal(t, input); c != UnsupportedEncoding {
			t.Errorf("%q: %q", input, c)
		}
	}
	body := head[len("<?xml version='1.0'?>"):]
	for decl, want := range map[string]Condition{
		"<?xml version='1.0' encoding='UTF-8'?>":                 "",
		"<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n":          "",
		"<?xml version='1.0' encoding='utf-8' standalone='no'?>": "",
		"<?xml\nversion = '1.0' standalone='yes'?>":              "",
		"": "",
		"<?xml version='1.0' encoding='ISO-8859-1'?>":             UnsupportedEncoding,
		"<?xml version='1.0' encoding='UTF-16'?>":                 UnsupportedEncoding,
		"<?xml version='1.1'?>":                                   NotWellFormed,
		"<?xml encoding='UTF-8'?>":                                NotWellFormed,
		"<?xml version='1.0' standalone='maybe'?>":                NotWellFormed,
		"<?xml version='1.0' standalone='yes' encoding='UTF-8'?>": NotWellFormed,
		"<?xml version='1.0'encoding='UTF-8'?>":                   NotWellFormed,
		"<?xml version='1.0' " + strings.Repeat(" ", 200) + "?>":  NotWellFormed,
		"\uFEFF":                 NotWellFormed, // RFC 6120 §11.6: a character, not a byte order mark
		" <?xml version='1.0'?>": RestrictedXML,
		"<?xml version='1.0'?><?xml version='1.0'?>": RestrictedXML,
		"\xff\xfe<\x00?\x00":                         UnsupportedEncoding,
		"\xfe\xff\x00<":                              UnsupportedEncoding,
		"\x00\x00\x00<":                              UnsupportedEncoding,
		"x":                                          NotWellFormed,
		"GET / HTTP/1.1\r\n":                         NotWellFormed,
		"\x16\x03\x01\x02\x00\x01":                   NotWellFormed,
	} {
		for _, r := range []io.Reader{strings.NewReader(decl + body), iotest.OneByteReader(strings.NewReader(decl + body))} {
			_, err := events(NewScanner(r, stanza.NSClient, ForClients()))
			if condition(err) != want {
				t.Errorf("%q: %v", decl, err)
			}
		}
	}
}

func TestRefusesTextBetweenStanzas(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]Condition{
		"x": BadFormat, "&amp;": BadFormat, "<![CDATA[x]]>": BadFormat, "é": BadFormat, "<a/>x": BadFormat,
		"\x00": NotWellFormed, "\xff": UnsupportedEncoding, "\uFFFF": NotWellFormed,
	} {
		if c := refusal(t, input); c != want {
			t.Errorf("%q: %q", input, c)
		}
	}
}

func TestEnds(t *testing.T) { // checklist 19
	t.Parallel()
	for input, want := range map[string]error{
		"": io.EOF, " ": io.EOF, "<a/>": io.EOF, "<a/></stream:stream>": io.EOF, "</stream:stream> <a/>": io.EOF,
		"<": io.ErrUnexpectedEOF, "<a": io.ErrUnexpectedEOF, "<a b='": io.ErrUnexpectedEOF, "<a><b/>": io.ErrUnexpectedEOF, "<a>x&am": io.ErrUnexpectedEOF,
		"<a></a": io.ErrUnexpectedEOF, "</stream:st": io.ErrUnexpectedEOF, "<a>\xc3": io.ErrUnexpectedEOF, "<a><![CDATA[x]]": io.ErrUnexpectedEOF,
	} {
		got, err := scan(head + input)
		if !errors.Is(err, want) {
			t.Errorf("%q: %v", input, err)
		}
		for _, e := range got[1:] {
			if e.kind == "element" && e.raw != "<a/>" {
				t.Errorf("%q: partial %q", input, e.raw)
			}
		}
		if AsError(err) != nil {
			t.Errorf("%q: a stream error for a peer that has disconnected", input)
		}
	}
}

// An error in the middle of the stream is returned after the items before it, and again afterwards.
func TestErrorsStay(t *testing.T) {
	t.Parallel()
	s := NewScanner(strings.NewReader(head+"<a/><b></c><d/>"), stanza.NSClient, ForClients())
	for range 2 {
		if _, err := s.Next(); err != nil {
			t.Fatal(err)
		}
	}
	_, first := s.Next()
	_, second := s.Next()
	if condition(first) != NotWellFormed || second != first || s.Buffered() != 0 {
		t.Errorf("%v, %v, %d", first, second, s.Buffered())
	}
}
