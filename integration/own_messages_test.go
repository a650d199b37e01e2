package integration_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// TestOwnMessages writes to the friend with Slack's own client: each of the account's sessions gets a copy of the message as
// sent, once, and the archive has it with the contact, once, also after the server was killed and Slack sends its events
// again.
func TestOwnMessages(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 4*peerTimeout)
	defer cancel()
	slack := newSlackNetwork(t)
	w := slack.asFakeNetwork()
	h := embedded(t, w)
	s := h.login(ctx, t, testAccounts[1])
	waitGateway(ctx, t, s, h.domain, nil)
	h.link(ctx, t, s, w)
	friend, _ := h.contacts(ctx, t, s, w)

	one, two := copying(ctx, t, h), copying(ctx, t, h)
	slack.ann.Say(slack.conversation(true), "first, from there")
	w.send(true, "answer")
	checkCopies(ctx, t, one, friend, "first, from there")
	checkCopies(ctx, t, two, friend, "first, from there")
	checkArchive(ctx, t, h, friend, "first, from there")

	slack.ann.Say(slack.conversation(true), "second, from there")
	h.gateway.Kill()
	h.gateway.Start()
	w.redeliver()
	third := copying(ctx, t, h)
	w.send(true, "end")
	for {
		if _, body := next(ctx, t, third); body == "end" {
			break
		}
	}
	checkArchive(ctx, t, h, friend, "first, from there", "second, from there")
}

// copying is a session of the linked account that gets copies.
func copying(ctx context.Context, t *testing.T, h *deployment) *client.Conn {
	t.Helper()
	c, err := h.server.Dial(ctx, testAccounts[1], "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Drop)
	if err := c.Send("<iq type='set' id='copies'><enable xmlns='urn:xmpp:carbons:2'/></iq><presence/>"); err != nil {
		t.Fatal(err)
	}
	for {
		e, err := c.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if e.Name.Local == "iq" && e.Attr("id") == "copies" {
			return c
		}
	}
}

// next returns the next message with a body that is sent or copied to a session.
func next(ctx context.Context, t *testing.T, c *client.Conn) (sent *xmltree.Element, body string) {
	t.Helper()
	for {
		e, err := c.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if sent = e.Find("sent", "forwarded", "message"); sent != nil {
			return sent, sent.ChildText("body")
		}
		if body := e.ChildText("body"); e.Name.Local == "message" && body != "" {
			return nil, body
		}
	}
}

// checkCopies reads up to the friend's answer and wants one copy of a message before it.
func checkCopies(ctx context.Context, t *testing.T, c *client.Conn, friend, text string) {
	t.Helper()
	copies := 0
	for {
		sent, body := next(ctx, t, c)
		switch {
		case body == "answer":
			if copies != 1 {
				t.Errorf("%s has %d copies, want 1", c.JID(), copies)
			}
			return
		case sent == nil && strings.Contains(body, text):
			t.Errorf("%s has got the message itself", c.JID())
		case body == text:
			if copies++; sent.Attr("to") != friend || !strings.HasPrefix(c.JID(), sent.Attr("from")) {
				t.Errorf("copied from %s to %s", sent.Attr("from"), sent.Attr("to"))
			}
		}
	}
}

// checkArchive wants each text once in what the account has archived with the friend.
func checkArchive(ctx context.Context, t *testing.T, h *deployment, friend string, texts ...string) {
	t.Helper()
	c, err := h.server.Dial(ctx, testAccounts[1], "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Drop()
	err = c.Send("<iq type='set' id='archive'><query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'>" +
		"<field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field><field var='with'><value>" + friend + "</value></field></x></query></iq>")
	if err != nil {
		t.Fatal(err)
	}
	bodies, _ := archivePage(ctx, t, c, "archive")
	sameOnce(t, "the archive with the friend", texts, ownTexts(bodies))
}

func ownTexts(bodies []string) []string {
	return slices.DeleteFunc(bodies, func(b string) bool { return !strings.HasSuffix(b, ", from there") })
}
