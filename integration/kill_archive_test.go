package integration_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// stanzaID is the id under which the account's archive should have a message (XEP-0359); "" where it names none.
func (s *reconnectingClient) stanzaID(m *xmltree.Element) string {
	for _, e := range m.Children {
		if e.Name.Space == "urn:xmpp:sid:0" && e.Name.Local == "stanza-id" && e.Attr("by") == s.account.User+"@"+testHost {
			return e.Attr("id")
		}
	}
	return ""
}

// lastID is the id in the archive of the newest direct message that the client has; "" before the first one.
func (s *reconnectingClient) lastID() (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.received {
		if m.Attr("type") == "chat" && s.stanzaID(m) != "" {
			id = s.stanzaID(m)
		}
	}
	return id
}

// archivedMessage is a message in an archive.
type archivedMessage struct{ id, body string }

// ownArchive reads what the client's account has archived with a contact, from behind an id on.
func (s *reconnectingClient) ownArchive(ctx context.Context, contact, after string) []archivedMessage {
	s.t.Helper()
	conn, err := s.server.Dial(ctx, s.account, "")
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Drop()
	form := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field><field var='with'><value>" + contact + "</value></field></x>"
	var list []archivedMessage
	for page := 0; ; page++ {
		id, set := fmt.Sprintf("own-%d", page), "<max>50</max>"
		if after != "" {
			set += "<after>" + after + "</after>"
		}
		if err := conn.Send("<iq type='set' id='" + id + "'><query xmlns='urn:xmpp:mam:2'>" + form + "<set xmlns='http://jabber.org/protocol/rsm'>" + set + "</set></query></iq>"); err != nil {
			s.t.Fatal(err)
		}
		for {
			e, err := conn.Next(ctx)
			if err != nil {
				s.t.Fatalf("read the archive: %v", err)
			}
			if result := e.Child("urn:xmpp:mam:2", "result"); result != nil {
				list = append(list, archivedMessage{result.Attr("id"), result.Find("forwarded", "message").ChildText("body")})
			}
			if e.Name.Local != "iq" || e.Attr("id") != id {
				continue
			}
			fin := e.Child("urn:xmpp:mam:2", "fin")
			if fin == nil {
				s.t.Fatalf("the archive, after %q: %v", after, errorOf(e))
			}
			last := fin.Find("set", "last")
			if fin.Attr("complete") == "true" || last == nil {
				return list
			}
			after = last.Text
			break
		}
	}
}

// sameArchive compares what the client's account has archived with a contact with what was written both ways, and
// looks for each direct message that the client has received under the id that it was received with.
func (s *reconnectingClient) sameArchive(ctx context.Context, t *testing.T, contact string, in, out []string) {
	t.Helper()
	var bodies []string
	byID := map[string]string{}
	for _, m := range s.ownArchive(ctx, contact, "") {
		byID[m.id] = m.body
		if !strings.HasPrefix(m.body, "[") && m.body != "" { // on a busy machine the gateway says that a message waits
			bodies = append(bodies, m.body)
		}
	}
	sameOnce(t, "direct, from the network, in the account's archive", in, withPrefix(bodies, "in "))
	sameOnce(t, "direct, own words, in the account's archive", out, withPrefix(bodies, "out "))
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.received {
		body := m.ChildText("body")
		if m.Attr("type") != "chat" || !strings.HasPrefix(body, "in ") {
			continue
		}
		if id := s.stanzaID(m); byID[id] != body {
			t.Errorf("%q was received with the id %q, under which the archive has %q", body, id, byID[id])
		}
	}
}
