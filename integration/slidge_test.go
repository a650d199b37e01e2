package integration_test

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// TestSlidge attaches slidge, a framework for gateways in Python, with a network of one contact and one room: it registers an account,
// fills the roster, sends what was written elsewhere, adds a bookmark and uploads a file, by the privileges that it has.
func TestSlidge(t *testing.T) {
	t.Parallel()
	peers.Need(t, "slidge")
	d, domain := startSlidge(t, "slidge", "testnetwork")
	ctx, cancel := context.WithTimeout(t.Context(), 6*peerTimeout)
	defer cancel()
	conn := slidgeUser(ctx, t, &d.Server, domain)
	if err := conn.Send("<iq type='set' id='register' to='" + domain + "'><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'>" +
		"<field var='FORM_TYPE'><value>jabber:iq:register</value></field><field var='name'><value>sally</value></field></x></query></iq>"); err != nil {
		t.Fatal(err)
	}
	friend := "friend@" + domain
	until(ctx, t, conn, "slidge is in the roster", func(e *xmltree.Element) bool {
		return e.Attr("type") == "set" && strings.Contains(e.String(), domain) && strings.Contains(e.String(), "Test network")
	})
	write := func(text string) {
		if err := conn.Send("<message type='chat' id='" + text + "' to='" + friend + "'><body>" + text + "</body></message>"); err != nil {
			t.Fatal(err)
		}
	}
	write("roster")
	until(ctx, t, conn, "the contact is in the roster", func(e *xmltree.Element) bool {
		return e.Attr("type") == "set" && strings.Contains(e.String(), friend) && strings.Contains(e.String(), "A friend")
	})
	write("hello")
	until(ctx, t, conn, "an answer", func(e *xmltree.Element) bool { return e.ChildText("body") == "echo of hello" })
	write("copy")
	until(ctx, t, conn, "a copy of what was written elsewhere", func(e *xmltree.Element) bool {
		return e.Child("urn:xmpp:carbons:2", "sent") != nil && strings.Contains(e.String(), "written elsewhere")
	})
	write("bookmark")
	err := peers.Poll(ctx, func() error {
		answer, err := ask(ctx, conn, testAccounts[0].User+"@"+testHost, "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:bookmarks:1'/></pubsub>")
		if err == nil && !strings.Contains(answer.String(), "room@"+domain) {
			err = errorOf(answer)
		}
		return err
	})
	if err != nil {
		t.Errorf("the room is not among the bookmarks: %v", err)
	}
	write("file")
	e := until(ctx, t, conn, "a file", func(e *xmltree.Element) bool { return e.Child("jabber:x:oob", "x") != nil })
	if got := fetch(ctx, t, e.Child("jabber:x:oob", "x").ChildText("url")); got != "content of a file" {
		t.Errorf("the file has %q", got)
	}
}

// startSlidge starts a server with slidge and one of its modules as a component, which has the privileges that slidge uses.
func startSlidge(t *testing.T, name, module string) (d *peers.Dragoman, domain string) {
	t.Helper()
	c := peers.Component{
		Domain: name + "." + testHost, Secret: "between the two", Privileged: true,
		Settings: `requests = ["both http://jabber.org/protocol/pubsub", "both http://jabber.org/protocol/pubsub#owner", "get urn:xmpp:http:upload:0"]` + "\n",
	}
	d = peers.StartDragoman(t, peers.Options{
		Setup: peers.Setup{Host: testHost, Accounts: testAccounts, Components: []peers.Component{c}}, LocalWeb: true, Settings: "[upload]\nenabled = true\n",
	})
	dir, err := filepath.Abs("testdata/slidge")
	if err != nil {
		t.Fatal(err)
	}
	peers.StartSlidge(t, &d.Server, c, dir, module)
	return d, c.Domain
}

// slidgeUser logs in a client, and waits until slidge answers it.
func slidgeUser(ctx context.Context, t *testing.T, s *peers.Server, domain string) *client.Conn {
	t.Helper()
	conn, err := s.Dial(ctx, testAccounts[0], "client")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Drop)
	awaitAnswer(ctx, t, conn, domain)
	if err := conn.Send("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq><iq type='set' id='carbons'><enable xmlns='urn:xmpp:carbons:2'/></iq><presence/>"); err != nil {
		t.Fatal(err)
	}
	return conn
}

// until reads stanzas until there is one that fits, and returns that.
func until(ctx context.Context, t *testing.T, conn *client.Conn, what string, fits func(*xmltree.Element) bool) *xmltree.Element {
	t.Helper()
	for {
		e, err := conn.Next(ctx)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if fits(e) {
			return e
		}
	}
}

// fetch returns what is at a URL.
func fetch(ctx context.Context, t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
