package server

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// amplified is a message that a namespace of n bytes, used in 3,900 elements, makes large when each of them declares it.
func amplified(n int, to, id string) string {
	return "<message to='" + to + "' type='chat' id='" + id + "' xmlns:p='u:" + many(n, "U") + "'><body>x</body><y xmlns='y:y'>" + many(3900, "<p:e/>") + "</y></message>"
}

// Namespaces that a stanza declares once are not repeated for each of its elements, wherever the stanza is stored, copied or
// forwarded: otherwise 173 kB become 585 MB. Not parallel: it counts allocations of the process.
func TestNamespacesDoNotTakeMemory(t *testing.T) {
	p := newTestServer(t, extra{limits: "rate = \"10 MB\"\nburst = \"10 MB\""})
	const messages = 6
	var before, after runtime.MemStats
	step := func(what string, sent int, do func()) {
		t.Helper()
		runtime.ReadMemStats(&before)
		do()
		runtime.ReadMemStats(&after)
		// All that was allocated, by this test too. What was held at any time is a small part of it.
		got := int(after.TotalAlloc - before.TotalAlloc)
		t.Logf("%s: %d bytes allocated for %d", what, got, sent)
		if got > 40*sent+(8<<20) {
			t.Error("too many")
		}
	}
	large := len(amplified(150_000, "romeo@home.test", "id"))

	c := p.online("romeo")
	c.Send("<iq type='set' id='carbons'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
	step("to oneself", messages*large, func() {
		for i := range messages {
			c.Send(amplified(150_000, "romeo@home.test", fmt.Sprint("m", i)))
			c.Until(fmt.Sprintf("id='m%d'", i))
			c.Until("</message>")
		}
		c.ping()
	})
	step("archive", messages*large, func() {
		results, after := 0, ""
		for page := 1; ; page++ {
			c.Send("<iq type='set' id='q" + fmt.Sprint(page) + "'><query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>100</max>" + after + "</set></query></iq>")
			got := c.Until("</fin></iq>")
			results += strings.Count(got, "</result>")
			if strings.Contains(got, "complete='true'") {
				break
			}
			_, last, _ := strings.Cut(got, "<last>")
			last, _, _ = strings.Cut(last, "</last>")
			if after = "<after>" + last + "</after>"; last == "" || page > messages {
				t.Fatalf("page %d has no end: %.300s", page, got)
			}
		}
		if results != messages {
			t.Errorf("%d of %d messages are in the archive", results, messages)
		}
	})
	step("private XML", large, func() {
		c.Send("<iq type='set' id='priv' xmlns:p='u:" + many(150_000, "U") + "'><query xmlns='jabber:iq:private'>" + many(3900, "<p:e/>") + "</query></iq>")
		if got := c.Until("</iq>"); !strings.Contains(got, "resource-constraint") {
			t.Errorf("%.300s", got)
		}
		c.Send("<iq type='set' id='priv2'><query xmlns='jabber:iq:private'><y xmlns='y:y' xmlns:p='u:" + many(150_000, "U") + "'>" + many(3900, "<p:e/>") + "</y></query></iq>")
		c.Until("id='priv2'")
		c.Send("<iq type='get' id='priv3'><query xmlns='jabber:iq:private'><y xmlns='y:y'/></query></iq>")
		if got := c.Until("</query></iq>"); strings.Count(got, "UUU") == 0 || len(got) > large+30_000 {
			t.Errorf("%d bytes came back", len(got))
		}
	})
	step("vCard", large, func() {
		c.Send("<iq type='set' id='card' xmlns:p='u:" + many(150_000, "U") + "'><vCard xmlns='vcard-temp'>" + many(3900, "<p:e/>") + "</vCard></iq>")
		if got := c.Until("</iq>"); !strings.Contains(got, "not-acceptable") {
			t.Errorf("%.300s", got)
		}
	})
	step("presence", large, func() {
		c.Send("<presence xmlns:p='u:" + many(150_000, "U") + "'><y xmlns='y:y'>" + many(3900, "<p:e/>") + "</y></presence>")
		c.Until("</presence>")
	})
	step("offline", 60_000*messages, func() {
		for i := range messages {
			c.Send(amplified(15_000, "juliet@home.test", fmt.Sprint("o", i)))
		}
		c.ping()
		j := p.loggedIn("juliet")
		j.Send(bindX + "<presence/><iq type='get' id='end' to='home.test'><ping xmlns='urn:xmpp:ping'/></iq>")
		got := j.Until("id='end'")
		if n := strings.Count(got, "<body>"); n != messages {
			t.Errorf("%d of %d offline messages came", n, messages)
		}
	})
}
