package featuretest

import (
	"fmt"
	"strings"
	"testing"
)

// notations are ways to write a message to alice with an element of a namespace that mean the same
// (XML Namespaces §2, §6).
func notations(space, element string) map[string]string {
	plain := message("chat", romeo, aliceBare, body("x")+"<"+element+" xmlns='"+space+"'/>")
	prefixed := message("chat", romeo, aliceBare, body("x")+"<q:"+element+"/>")
	return map[string]string{
		"as usual":             plain,
		"a character escaped":  strings.Replace(plain, space, strings.Replace(space, "u", "&#117;", 1), 1),
		"another one":          strings.Replace(plain, space, strings.Replace(space, ":", "&#x3a;", 1), 1),
		"declared further up":  strings.Replace(prefixed, "<message ", "<message xmlns:q='"+space+"' ", 1),
		"there, and escaped":   strings.Replace(prefixed, "<message ", "<message xmlns:q='&#x75;"+space[1:]+"' ", 1),
		"declared where it is": strings.Replace(prefixed, "/></message>", " xmlns:q='"+space+"'/></message>", 1),
	}
}

// What is looked for in a message is found however it is written.
func TestHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	const sid, hints, delay = "urn:xmpp:sid:0", "urn:xmpp:hints", "urn:xmpp:delay"
	each := func(name, space, element string, check func(t *testing.T, m string)) {
		for notation, m := range notations(space, element) {
			t.Run(fmt.Sprint(name, " ", notation), func(t *testing.T) {
				t.Parallel()
				check(t, m)
			})
		}
	}
	for _, by := range []string{"alice@example.org", "ALICE@Example.Org", "&#97;lice@example.org"} {
		each("forged id by "+by, sid, "stanza-id by='"+by+"' id='forged'", func(t *testing.T, m string) {
			s := start(t, "alice")
			alice := s.online(alicePC)
			s.remote.sends(m)
			if got := alice.take(); len(got) != 1 || strings.Contains(show(got), "forged") {
				t.Error(show(got))
			}
		})
	}
	for _, from := range []string{"example.org", "EXAMPLE.org", "example.org."} {
		each("forged delay from "+from, delay, "delay from='"+from+"' stamp='2001-01-01T00:00:00Z'", func(t *testing.T, m string) {
			s := start(t, "alice")
			s.remote.sends(m)
			alice := s.login(alicePC)
			alice.sends(`<presence/>`)
			s.remote.sends(m)
			if got := alice.take(); len(got) != 3 || strings.Contains(show(got), "='2001-") {
				t.Error(show(got))
			}
		})
	}
	for space, element := range map[string]string{"urn:xmpp:carbons:2": "private", hints: "no-copy"} {
		each("carbon, "+element, space, element, func(t *testing.T, m string) {
			s := start(t, "alice")
			s.login(alicePC).sends(`<presence/>`)
			phone := s.login(phoneJID).carbons()
			s.remote.sends(strings.Replace(m, "to='"+aliceBare+"'", "to='"+alicePC+"'", 1))
			if got := phone.take(); len(got) != 0 {
				t.Error(show(got))
			}
		})
	}
	for _, element := range []string{"no-store", "no-permanent-store"} {
		each("archive, "+element, hints, element, func(t *testing.T, m string) {
			s := start(t, "alice")
			alice := s.online(alicePC)
			s.remote.sends(m)
			if lines, _, _ := alice.history(""); len(lines) != 0 {
				t.Error(lines)
			}
		})
	}
}
