package room

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/room/history"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// withHistory returns a room to which m1 to m30 were sent, one per minute, the last one now.
func withHistory(t *testing.T) *fixture {
	p := newFixture(t).join("ann/1")
	for i := 1; i <= 30; i++ {
		p.clock = p.clock.Add(time.Minute)
		p.in(fmt.Sprintf("<message from='ann/1' to='' id='m%d' type='groupchat'><body>text</body></message>", i))
	}
	p.take()
	return p
}

// seen returns the messages of the history that a session gets if it enters with the request.
func (p *fixture) seen(request string) (ids []string) {
	p.Helper()
	p.in("<presence from='bob/1' to='/bob'><x xmlns='" + muc.NS + "'>" + request + "</x></presence>")
	for i, s := range p.sent {
		if s.Kind == stanza.Message && s.Child("", "body") != nil {
			ids = append(ids, s.ID)
			if p.sent[len(p.sent)-1].Child("", "subject") == nil || p.sent[i-1].Kind == stanza.Message && p.sent[i-1].ID == "" {
				p.Errorf("out of order: %s", p.take()) // XEP-0045 §7.1
			}
		}
	}
	p.sent = nil
	p.in("<presence from='bob/1' to='/bob' type='unavailable'/>").take()
	return ids
}

func TestHistoryRequests(t *testing.T) { // XEP-0045 §7.2.14
	t.Parallel()
	p := withHistory(t)
	one := 0
	p.in(enter("eve/1", "eve"))
	for _, s := range p.sent {
		if s.Child("", "body") != nil {
			one = len(s.AppendXML(nil, ""))
		}
	}
	p.in("<presence from='eve/1' to='/eve' type='unavailable'/>").take()
	stamp := func(back time.Duration) string { return p.clock.Add(-back).Format(time.RFC3339) }
	for _, c := range []struct {
		request string
		n       int
	}{
		{"", 20},
		{"<history maxstanzas='5'/>", 5},
		{"<history maxstanzas='0'/>", 0},
		{"<history maxstanzas='1000'/>", 30}, // a request may exceed the default, not the limit
		{"<history maxstanzas='99999999999999999999'/>", 30},
		{"<history maxstanzas='-1'/>", 20}, // no number
		{"<history maxstanzas='ten'/>", 20},
		{"<history maxchars='0'/>", 0},
		{fmt.Sprintf("<history maxchars='%d'/>", 3*one+one/2), 3}, // complete stanzas only
		{fmt.Sprintf("<history maxchars='%d'/>", one-5), 0},
		{"<history maxchars='65000'/>", 20},
		{"<history seconds='180'/>", 4},
		{"<history seconds='0'/>", 1},
		{"<history seconds='99999999999999'/>", 30},
		{"<history since='" + stamp(10*time.Minute) + "'/>", 11},
		{"<history since='1970-01-01T00:00:00Z'/>", 30},
		{"<history since='yesterday'/>", 30},
		{"<history since='" + stamp(10*time.Minute) + "' maxstanzas='3'/>", 3},
		{"<history since='" + stamp(10*time.Minute) + "' seconds='60'/>", 2},
	} {
		got := p.seen(c.request)
		if len(got) != c.n || c.n > 0 && got[len(got)-1] != "m30" {
			t.Errorf("%s: %v", c.request, got)
		}
	}
	p.config.History = -1
	if got := p.seen("<history maxstanzas='5'/>"); got != nil {
		t.Errorf("a room without history: %v", got)
	}
	p.config.History = 7
	if got := p.seen(""); len(got) != 7 {
		t.Errorf("a room that shows 7: %v", got)
	}
}

func TestHistoryMessages(t *testing.T) { // XEP-0045 §7.2.13
	t.Parallel()
	p := withHistory(t)
	p.in("<presence from='ann/1' to='/ann' type='unavailable'/>").take()
	p.in("<presence from='bob/1' to='/bob'><x xmlns='" + muc.NS + "'><history maxstanzas='1'/></x></presence>")
	m := p.sent[1]
	if m.Child(muc.NSOccupantID, "occupant-id").Attr("id") != p.occupantID(person("ann")) || m.Child(message.NSStanzaID, "stanza-id").Attr("by") != testRoom.String() { // XEP-0421 §4
		t.Errorf("%s", m)
	}
	p.want("<presence to='bob/1' from='/bob'…",
		"<message to='bob/1' from='/ann' id='m30' type='groupchat'><body>text</body><delay xmlns='urn:xmpp:delay' from='room' stamp='2026-03-01T12:30:00.000Z'/></message>",
		"<message to='bob/1' from='room' type='groupchat'><subject/></message>")
}

func TestRing(t *testing.T) {
	t.Parallel()
	p := newFixture(t, func(o *Options) { o.Limits = rules.Limits{History: 5, HistoryBytes: 2000} }).join("ann/1")
	for i := range 10 {
		p.Broadcast(Post{From: p.occupants.Sessions()[0].Occupant.ID, StanzaID: fmt.Sprint("s", i), Payload: "<body>x</body>"})
	}
	if p.ring.Len() != 5 {
		t.Errorf("%d messages", p.ring.Len())
	}
	p.Broadcast(Post{StanzaID: "big", Payload: "<body>" + strings.Repeat("x", 1500) + "</body>"})
	p.check()
	if p.ring.Len() != 1 {
		t.Errorf("%d messages, %d bytes", p.ring.Len(), p.ring.Bytes())
	}
	p.Broadcast(Post{Payload: "<body>" + strings.Repeat("x", 5000) + "</body>"})
	p.check()
	if p.ring.Len() != 0 || p.ring.Bytes() != 0 {
		t.Errorf("%d messages, %d bytes", p.ring.Len(), p.ring.Bytes())
	}
	p.take()
	p.AddHistory(Post{From: "u1", Nick: "Zoe", StanzaID: "old", Payload: "<body>before</body>", Stamp: p.clock.Add(-time.Hour)})
	p.Broadcast(Post{From: "u1", Nick: "Zoe", StanzaID: "late", Payload: "<body>late</body>", Stamp: p.clock.Add(-time.Minute)})
	p.want("<message to='ann/1' from='/Zoe' type='groupchat'><body>late</body><delay xmlns='urn:xmpp:delay' from='room' stamp='2026-03-01T11:59:00.000Z'/></message>")
	p.in(enter("bob/1", "bob")).wantHas("<body>before</body><delay xmlns='urn:xmpp:delay' from='room' stamp='2026-03-01T11:00:00.000Z'/></message>")
	if !p.RemoveHistory("old") || p.RemoveHistory("old") {
		t.Error("RemoveHistory of a stored message, then again")
	}
}

func TestRetractionRemovesFromHistory(t *testing.T) { // XEP-0424 §5.1
	t.Parallel()
	for _, form := range [][2]string{
		{"", "<retract xmlns='urn:xmpp:message-retract:1' id='s1'/>"},
		{"", "<retract xmlns='urn:xmpp:message-retract&#58;1' id='s1'/>"},
		{" xmlns:r='urn:xmpp:message-retract:1'", "<r:retract id='s1'/>"},
	} {
		p := newFixture(t).join("ann/1", "bob/1")
		retract := func(who string) *fixture {
			return p.in("<message from='" + who + "' to='' type='groupchat'" + form[0] + ">" + form[1] + "<body>gone</body></message>")
		}
		p.Broadcast(Post{From: p.occupants.Sessions()[0].Occupant.ID, StanzaID: "s1", Payload: "<body>secret</body>"})
		if retract("bob/1"); !strings.Contains(p.ring.Entries()[0].Stanza.Payload, "secret") {
			t.Error("another occupant retracted the message")
		}
		if retract("ann/1"); p.ring.Len() != 1 || strings.Contains(p.ring.Entries()[0].Stanza.Payload, "secret") {
			t.Errorf("%s: %d messages", form[1], p.ring.Len())
		}
	}
}

// What corrects a retracted message is the message in another version, as is what corrects the correction.
func TestRetractionRemovesCorrections(t *testing.T) {
	t.Parallel()
	p := newFixture(t).join("ann/1", "bob/1")
	ann, bob := p.occupants.Sessions()[0].Occupant.ID, p.occupants.Sessions()[1].Occupant.ID
	post := func(from, id, text, corrects string) {
		payload := "<body>" + text + "</body>"
		if corrects != "" {
			payload += "<replace xmlns='urn:xmpp:message-correct:0' id='" + corrects + "'/>"
		}
		p.Broadcast(Post{From: from, ID: id, StanzaID: "s" + id, Payload: payload})
	}
	post(ann, "1", "secret", "")
	post(bob, "2", "stays", "")
	post(ann, "3", "secret!", "1")
	post(ann, "4", "secret!!", "3")
	post(bob, "5", "stays too", "1") // not the author: it corrects nothing
	post(ann, "6", "stays as well", "2")
	p.in("<message from='ann/1' to='' type='groupchat'><retract xmlns='urn:xmpp:message-retract:1' id='s1'/></message>")
	size := 0
	var got []string
	for _, e := range p.ring.Entries() {
		size += e.Size()
		got = append(got, e.Stanza.Body())
	}
	if want := "stays|stays too|stays as well"; strings.Join(got, "|") != want || size != p.ring.Bytes() {
		t.Errorf("%q, %d bytes counted as %d", got, size, p.ring.Bytes())
	}
}

type storedHistory struct {
	q   history.Query
	err error
}

func (h *storedHistory) History(_ context.Context, q history.Query) ([]history.Entry, error) {
	h.q = q
	var list []history.Entry
	for i := range 200 { // more than was asked for
		st := &stanza.Stanza{Kind: stanza.Message, From: testRoom, ID: fmt.Sprint("h", i), Type: stanza.TypeGroupchat, Payload: "<body>x</body>"}
		list = append(list, history.Entry{Stanza: st, At: time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC)})
	}
	return list, h.err
}

type largeHistory struct{}

func (largeHistory) History(_ context.Context, q history.Query) (list []history.Entry, err error) {
	for i := range q.Max {
		st := &stanza.Stanza{Kind: stanza.Message, From: testRoom, ID: fmt.Sprint("h", i), Type: stanza.TypeGroupchat, Payload: "<body>" + strings.Repeat("x", 100<<10) + "</body>"}
		list = append(list, history.Entry{Stanza: st, At: time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC)})
	}
	return list, nil
}

// The history that is sent at once fits into the queue of a client.
func TestHistoryBytes(t *testing.T) {
	t.Parallel()
	p := newFixture(t, func(o *Options) { o.History = largeHistory{} })
	for _, request := range []string{"", "<history maxchars='2000000000'/>", "<history since='2025-01-01T00:00:00Z'/>"} {
		if got := p.seen(request); len(got) != 5 {
			t.Errorf("%s: %v", request, got)
		}
	}
}

func TestStoredHistory(t *testing.T) {
	t.Parallel()
	h := &storedHistory{}
	p := newFixture(t, func(o *Options) { o.History = h })
	if got := p.seen("<history maxstanzas='3'/>"); len(got) != 3 || got[2] != "h199" || h.q.Max != 3 || h.q.Room != testRoom.String() {
		t.Errorf("%v %+v", got, h.q)
	}
	if got := p.seen("<history since='2026-01-01T00:03:15Z'/>"); len(got) != 5 {
		t.Errorf("%v", got)
	}
	h.err = errors.New("disk")
	if got := p.seen(""); got != nil {
		t.Errorf("%v", got)
	}
	p.join("ann/1") // a session enters though the history cannot be read
	if p.Broadcast(Post{Payload: "<body>x</body>"}) == "" || p.RemoveHistory("x") {
		t.Error("a room with Options.History also fills a ring")
	}
}
