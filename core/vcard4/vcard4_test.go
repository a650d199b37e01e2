package vcard4

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
)

func parse(t testing.TB, xml string) *stanza.Element {
	t.Helper()
	x, err := stanza.ParseElement(xml, "")
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// Each property of vcard-temp, what it is in vCard4, and that it comes back (XEP-0292, mapping).
func TestProperties(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ temp, modern string }{
		{"<FN>Al</FN>", "<fn><text>Al</text></fn>"},
		{"<N><FAMILY>L</FAMILY><GIVEN>A</GIVEN></N>", "<n><surname>L</surname><given>A</given><additional/><prefix/><suffix/></n>"},
		{"<NICKNAME>a</NICKNAME><NICKNAME>b</NICKNAME>", "<nickname><text>a</text></nickname><nickname><text>b</text></nickname>"},
		{"<BDAY>1966-08-06</BDAY>", "<bday><date>1966-08-06</date></bday>"},
		{"<BDAY>in May</BDAY>", "<bday><text>in May</text></bday>"},
		{"<ADR><WORK/><PREF/><STREET>S</STREET><PCODE>80202</PCODE><CTRY>USA</CTRY></ADR>", "<adr><parameters><type><text>work</text></type><pref><integer>1</integer></pref></parameters><pobox/><ext/><street>S</street><locality/><region/><code>80202</code><country>USA</country></adr>"},
		{"<TEL><HOME/><CELL/><NUMBER>+1-303-308-3282</NUMBER></TEL>", "<tel><parameters><type><text>home</text><text>cell</text></type></parameters><uri>tel:+1-303-308-3282</uri></tel>"},
		{"<TEL><NUMBER>ask me</NUMBER></TEL>", "<tel><text>ask me</text></tel>"},
		{"<EMAIL><HOME/><INTERNET/><USERID>a@b.example</USERID></EMAIL>", "<email><parameters><type><text>home</text></type></parameters><text>a@b.example</text></email>"},
		{"<JABBERID>a#b@b.example/x y</JABBERID>", "<impp><uri>xmpp:a%23b@b.example/x%20y</uri></impp>"},
		{"<TZ>-07:00</TZ>", "<tz><text>-07:00</text></tz>"},
		{"<GEO><LAT>39.59</LAT><LON>-105.01</LON></GEO>", "<geo><uri>geo:39.59,-105.01</uri></geo>"},
		{"<TITLE>T</TITLE>", "<title><text>T</text></title>"},
		{"<ROLE>R</ROLE>", "<role><text>R</text></role>"},
		{"<ORG><ORGNAME>X</ORGNAME><ORGUNIT>U</ORGUNIT></ORG>", "<org><text>X</text><text>U</text></org>"},
		{"<CATEGORIES><KEYWORD>k</KEYWORD></CATEGORIES>", "<categories><text>k</text></categories>"},
		{"<DESC>d</DESC><NOTE>n</NOTE>", "<note><text>d</text></note><note><text>n</text></note>"},
		{"<PRODID>p</PRODID>", "<prodid><text>p</text></prodid>"},
		{"<REV>20261130T120000Z</REV>", "<rev><timestamp>20261130T120000Z</timestamp></rev>"},
		{"<UID>u</UID>", "<uid><text>u</text></uid>"},
		{"<URL>https://x.example/</URL>", "<url><uri>https://x.example/</uri></url>"},
		{"<PHOTO><TYPE>image/png</TYPE><BINVAL>AAAA</BINVAL></PHOTO>", "<photo><uri>data:image/png;base64,AAAA</uri></photo>"},
		{"<LOGO><EXTVAL>https://x.example/l.png</EXTVAL></LOGO>", "<logo><uri>https://x.example/l.png</uri></logo>"},
		{"<SOUND><TYPE>audio/ogg</TYPE><BINVAL>AAAA</BINVAL></SOUND>", "<sound><uri>data:audio/ogg;base64,AAAA</uri></sound>"},
		{"<KEY><CRED>c</CRED></KEY>", "<key><text>c</text></key>"},
		{"<N><FAMILY>L</FAMILY></N><SORT-STRING>s</SORT-STRING>", "<n><surname>L</surname><given/><additional/><prefix/><suffix/><parameters><sort-as><text>s</text></sort-as></parameters></n>"},
	} {
		temp, modern := parse(t, "<vCard xmlns='vcard-temp'>"+c.temp+"</vCard>"), parse(t, "<vcard xmlns='"+NS+"'>"+c.modern+"</vcard>")
		got := FromTemp(temp, nil)
		if got.String() != modern.String() {
			t.Errorf("%s: %s, want %s", c.temp, got, modern)
		}
		if back := ToTemp(got, nil); back.String() != temp.String() {
			t.Errorf("%s comes back as %s", c.temp, back)
		}
	}
}

// What a format has no counterpart for stays in the card that was there before, and nothing else does.
func TestKept(t *testing.T) {
	t.Parallel()
	oldTemp := parse(t, "<vCard xmlns='vcard-temp'><FN>Old</FN><MAILER>m</MAILER><X-A xmlns='x:a'>1</X-A><TITLE/></vCard>")
	card := parse(t, "<vcard xmlns='"+NS+"'><fn><text>New</text></fn><gender><sex>F</sex></gender><impp><uri>sip:a@b.example</uri></impp></vcard>")
	want := "<vCard xmlns='vcard-temp'><FN>New</FN><MAILER>m</MAILER><X-A xmlns='x:a'>1</X-A></vCard>"
	temp := ToTemp(card, oldTemp)
	if temp.String() != parse(t, want).String() {
		t.Errorf("%s", temp)
	}
	if got := FromTemp(parse(t, want), card); got.String() != card.String() {
		t.Errorf("%s, want %s", got, card)
	}
	if !Empty(ToTemp(stanza.NewElement(NS, "vcard"), nil)) || !Empty(FromTemp(stanza.NewElement(NSTemp, "vCard"), nil)) {
		t.Error("an empty card is not empty")
	}
}

// A card with very many properties is cut.
func TestManyProperties(t *testing.T) {
	t.Parallel()
	temp := parse(t, "<vCard xmlns='vcard-temp'>"+strings.Repeat("<URL>u</URL>", 10*MaxProperties)+"</vCard>")
	if n := strings.Count(FromTemp(temp, temp).String(), "<url>"); n != MaxProperties {
		t.Errorf("%d properties", n)
	}
}

// Any card converts to one that converts to itself: clients that write in turn do not change it.
func FuzzStable(f *testing.F) {
	f.Add("<vcard xmlns='" + NS + "'><tel><uri>tel:1;ext=2</uri></tel><geo><uri>geo:1,2,3</uri></geo><note><text>a</text></note><note/><note><text>b</text></note></vcard>")
	f.Add("<vcard xmlns='" + NS + "'><impp><uri>xmpp:a%2Fb@x?y#z</uri></impp><photo><uri>data:;base64,</uri></photo><org><text/><text>u</text></org></vcard>")
	f.Add("<vCard xmlns='vcard-temp'><EMAIL>a</EMAIL><N/><ADR><HOME/></ADR></vCard>")
	f.Fuzz(func(t *testing.T, xml string) {
		x, err := stanza.ParseElement(xml, "")
		if err != nil || len(xml) > 4<<10 {
			return
		}
		temp := ToTemp(x, nil)
		if x.Space == NSTemp {
			temp = ToTemp(FromTemp(x, nil), nil)
		}
		if again := ToTemp(FromTemp(temp, nil), nil); again.String() != temp.String() {
			t.Errorf("%s becomes %s", temp, again)
		}
	})
}
