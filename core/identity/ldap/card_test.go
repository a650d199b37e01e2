package ldap

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/identity"
	"github.com/dragoman-im/dragoman/core/identity/identitytest"
	"github.com/dragoman-im/dragoman/core/sasl"
)

var standardFields = []string{
	"FN=displayName", "FN=cn", "N.GIVEN=givenName", "N.FAMILY=sn", "EMAIL=mail", "TEL.WORK=telephoneNumber", "ORG.ORGNAME=o", "ADR.LOCALITY=l", "PHOTO=jpegPhoto",
}

func withCards(s *identitytest.Slapd) config.LDAP {
	c := settings(s)
	c.Cards = config.Cards{VCard: config.VCardOwn, VCardFields: standardFields, VCardCache: config.Duration(time.Hour), VCardBytes: 64 << 10}
	return c
}

var jpeg = "\xff\xd8\xff\xe0\x00\x10JFIF\x00picture"

// TestCard makes vCards of a directory's entries (XEP-0054).
func TestCard(t *testing.T) {
	t.Parallel()
	s := identitytest.StartSlapd(t,
		identitytest.LDAPPerson{UID: "ann", More: [][2]string{
			{"displayName", "Ann Example"}, {"givenName", "Ann"}, {"mail", "ann@example.org"}, {"mail", "a.example@example.org"},
			{"telephoneNumber", "+49 30 1"}, {"l", "Köln & Bonn <>"}, {"jpegPhoto", jpeg},
		}},
		identitytest.LDAPPerson{UID: "bare"},
		identitytest.LDAPPerson{UID: "large", More: [][2]string{{"mail", "x@example.org"}, {"jpegPhoto", "\xff\xd8\xff" + strings.Repeat("x", 100<<10)}}},
		identitytest.LDAPPerson{UID: "huge", More: [][2]string{{"mail", "x@example.org"}, {"jpegPhoto", "\xff\xd8\xff" + strings.Repeat("x", 2*maxAnswer)}}},
		identitytest.LDAPPerson{UID: "script", More: [][2]string{{"jpegPhoto", "<script>alert(1)</script>"}}})
	d := open(t, withCards(s))
	for name, want := range map[string]string{
		"ann": "<FN>Ann Example</FN><N><GIVEN>Ann</GIVEN><FAMILY>Example</FAMILY></N><EMAIL><INTERNET/><USERID>ann@example.org</USERID></EMAIL>" +
			"<EMAIL><INTERNET/><USERID>a.example@example.org</USERID></EMAIL><TEL><WORK/><NUMBER>+49 30 1</NUMBER></TEL><ADR><WORK/><LOCALITY>Köln &amp; Bonn &lt;&gt;</LOCALITY></ADR>" +
			"<PHOTO><TYPE>image/jpeg</TYPE><BINVAL>" + base64.StdEncoding.EncodeToString([]byte(jpeg)) + "</BINVAL></PHOTO>",
		"bare":   "<FN>person 1</FN><N><FAMILY>Example</FAMILY></N>",
		"large":  "<FN>person 2</FN><N><FAMILY>Example</FAMILY></N><EMAIL><INTERNET/><USERID>x@example.org</USERID></EMAIL>",
		"huge":   "<FN>person 3</FN><N><FAMILY>Example</FAMILY></N><EMAIL><INTERNET/><USERID>x@example.org</USERID></EMAIL>",
		"script": "<FN>person 4</FN><N><FAMILY>Example</FAMILY></N>",
	} {
		c, err := d.Card(t.Context(), name)
		if err != nil || c.Element == nil || len(c.Subject) != 36 || c.Prevails {
			t.Fatalf("%s: %+v %v", name, c, err)
		}
		got := strings.ReplaceAll(c.Element.String(), " xmlns='vcard-temp'", "")
		if got != "<vCard>"+want+"</vCard>" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if _, err := d.Card(t.Context(), "nobody"); !errors.Is(err, sasl.ErrRefused) {
		t.Error(err)
	}
	s.Stop()
	if c, err := d.Card(t.Context(), "ann"); err != nil || c.Element == nil {
		t.Error("a vCard is not kept:", err)
	}
	later := time.Now().Add(time.Hour)
	d.cards.now = func() time.Time { return later }
	if _, err := d.Card(t.Context(), "ann"); err == nil || errors.Is(err, sasl.ErrRefused) {
		t.Error("a directory that is away:", err)
	}
	s.Start()
	if _, err := d.Card(t.Context(), "ann"); err == nil {
		t.Error("it is asked again at once")
	}
	d.cards.now = func() time.Time { return later.Add(failedCard) }
	if _, err := d.Card(t.Context(), "ann"); err != nil {
		t.Error(err)
	}
}

// TestCardValues leaves out what cannot be sent, and what is too much.
func TestCardValues(t *testing.T) {
	t.Parallel()
	fields := parseFields(standardFields)
	entry := ldap.NewEntry("cn=x", map[string][]string{
		"cn": {"\x00", "\xff", strings.Repeat("x", maxText+1), "  ", " Ann\t"}, "MAIL": {"1", "2", "3", "4", "5", "6"}, "o": {"one", "two"},
	})
	got := strings.ReplaceAll(vCard(fields, entry, 1<<20).String(), " xmlns='vcard-temp'", "")
	want := "<vCard><FN>Ann</FN>"
	for i := range maxValues {
		want += fmt.Sprintf("<EMAIL><INTERNET/><USERID>%d</USERID></EMAIL>", i+1)
	}
	if want += "<ORG><ORGNAME>one</ORGNAME></ORG></vCard>"; got != want {
		t.Error(got)
	}
	if small := vCard(fields, entry, 60); small.EncodedLen() > 60 || len(small.Nodes) != 1 {
		t.Error(small)
	}
}

// TestCardsBounded keeps a limited number and size of vCards.
func TestCardsBounded(t *testing.T) {
	t.Parallel()
	var c cards
	now := time.Unix(1e9, 0)
	photo := ldap.NewEntry("cn=x", map[string][]string{"jpegPhoto": {string(append([]byte("\xff\xd8\xff"), bytes.Repeat([]byte{1}, 40<<10)...))}})
	element := vCard(parseFields(standardFields), photo, 1<<20)
	for i := range maxCards + 1000 {
		card := identity.Card{}
		if i%2 == 0 {
			card.Element = element
		}
		name := fmt.Sprint(i)
		c.add(name, cachedCard{card: card, until: now.Add(time.Minute)}, now)
		if _, _, ok := c.find(name, now); !ok || c.bytes > maxCardBytes || len(c.list) > maxCards {
			t.Fatalf("%d: %t, %d vCards of %d bytes", i, ok, len(c.list), c.bytes)
		}
	}
	for name := range c.list {
		c.remove(name)
	}
	if c.bytes != 0 {
		t.Errorf("%d bytes are left", c.bytes)
	}
}
