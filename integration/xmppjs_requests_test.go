package integration_test

import (
	"context"
	"crypto/sha1" // XEP-0084 §4.1 asks for it
	"encoding/hex"
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
)

// element is a name, attributes and children for @xmpp/client.
func element(name string, attrs map[string]string, children ...any) []any {
	return append([]any{name, attrs}, children...)
}

type attributes = map[string]string

// jsClient is a client on @xmpp/client and what a test asks it for.
type jsClient struct {
	*testing.T
	*peers.XMPPJS
	ctx context.Context
}

// ask wants a request to be answered with a payload that has all of these texts.
func (c jsClient) ask(kind, to string, payload []any, parts ...string) string {
	c.Helper()
	args := map[string]any{"type": kind, "payload": payload}
	if to != "" {
		args["to"] = to
	}
	var answer struct{ Raw string }
	if err := c.Do(c.ctx, "ask", args, &answer); err != nil {
		c.Fatalf("%v: %v", payload, err)
	}
	for _, part := range parts {
		if !strings.Contains(answer.Raw, part) {
			c.Errorf("%v: %s, want %s", payload, answer.Raw, part)
		}
	}
	return answer.Raw
}

// pubsub is a request for the account's own nodes.
func pubsub(payload ...any) []any {
	return element("pubsub", attributes{"xmlns": "http://jabber.org/protocol/pubsub"}, payload...)
}

// TestXMPPJSAsks has @xmpp/client page through an archive and search it, publish an avatar, keep bookmarks, upload a file, block an
// address and enable pushes.
func TestXMPPJSAsks(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	setup := jsSetup
	setup.Components = []peers.Component{{Domain: "push." + testHost, Secret: "between us"}}
	d := peers.StartDragoman(t, peers.Options{Setup: setup, LocalWeb: true})
	service, err := client.Attach(ctx, d.ComponentAddr, "push."+testHost, "between us")
	if err != nil {
		t.Fatal(err)
	}
	defer service.Drop()
	jane := jsClient{t, peers.StartXMPPJS(t, &d.Server), ctx}
	if err := jane.Login(ctx, &d.Server, setup.Accounts[0], "8c3f7f02-5b1e-4d53-9f0a-4b8c6f4d2a12"); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"apples", "pears", "more apples"} {
		if err := jane.Do(ctx, "send", map[string]any{"to": "john@" + testHost, "body": text, "id": text}, nil); err != nil {
			t.Fatal(err)
		}
	}

	// A page, and what follows it (XEP-0313, XEP-0059); words (XEP-0431).
	page := func(query []any) []any {
		return element("query", attributes{"xmlns": "urn:xmpp:mam:2"}, query)
	}
	set := func(children ...any) []any {
		return element("set", attributes{"xmlns": "http://jabber.org/protocol/rsm"}, append(children, element("max", nil, "2"))...)
	}
	first := jane.ask("set", "", page(set()), "<first", "<last>")
	_, last, _ := strings.Cut(first, "<last>")
	last, _, _ = strings.Cut(last, "</last>")
	jane.ask("set", "", page(set(element("after", nil, last))), `complete="true"`)
	field := func(name, value string) []any {
		return element("field", attributes{"var": name}, element("value", nil, value))
	}
	before := len(jane.Events())
	jane.ask("set", "", page(element("x", attributes{"xmlns": "jabber:x:data", "type": "submit"},
		field("FORM_TYPE", "urn:xmpp:mam:2"), field("{urn:xmpp:fulltext:0}fulltext", "apples"))), `complete="true"`)
	found := 0
	for _, e := range jane.Events()[before:] {
		if strings.Contains(e.Raw, "<result ") && strings.Contains(e.Raw, "apples</body>") {
			found++
		}
	}
	if found != 2 {
		t.Errorf("%d messages with the word", found)
	}

	// An avatar (XEP-0084) with its vCard (XEP-0398), and a bookmark (XEP-0402).
	sum := sha1.Sum([]byte("\x89PNG\r\n\x1a\n"))
	id := hex.EncodeToString(sum[:])
	publish := func(node, id string, payload []any) []any {
		return pubsub(element("publish", attributes{"node": node}, element("item", attributes{"id": id}, payload)))
	}
	jane.ask("set", "", publish("urn:xmpp:avatar:data", id, element("data", attributes{"xmlns": "urn:xmpp:avatar:data"}, "iVBORw0KGgo=")))
	jane.ask("set", "", publish("urn:xmpp:avatar:metadata", id, element("metadata", attributes{"xmlns": "urn:xmpp:avatar:metadata"},
		element("info", attributes{"bytes": "8", "id": id, "type": "image/png"}))))
	jane.ask("get", "", element("vCard", attributes{"xmlns": "vcard-temp"}), "iVBORw0KGgo=")
	jane.ask("set", "", publish("urn:xmpp:bookmarks:1", "hall@rooms.example.org", element("conference", attributes{"xmlns": "urn:xmpp:bookmarks:1", "name": "Hall"})))
	jane.ask("get", "", pubsub(element("items", attributes{"node": "urn:xmpp:bookmarks:1"})), "hall@rooms.example.org", `name="Hall"`)

	jane.uploads("upload."+testHost, "the contents")

	// Blocking (XEP-0191) and pushes (XEP-0357).
	jane.ask("set", "", element("block", attributes{"xmlns": "urn:xmpp:blocking"}, element("item", attributes{"jid": "john@" + testHost})))
	jane.ask("get", "", element("blocklist", attributes{"xmlns": "urn:xmpp:blocking"}), "john@"+testHost)
	jane.ask("set", "", element("enable", attributes{"xmlns": "urn:xmpp:push:0", "jid": "push." + testHost, "node": "device"}))
}

// uploads uploads a text (XEP-0363) and downloads it.
func (c jsClient) uploads(to, text string) {
	c.Helper()
	raw := c.ask("get", to, element("request", attributes{"xmlns": "urn:xmpp:http:upload:0", "filename": "a.txt", "size": "12", "content-type": "text/plain"}))
	var slot struct {
		Put struct {
			URL     string `xml:"url,attr"`
			Headers []struct {
				Name  string `xml:"name,attr"`
				Value string `xml:",chardata"`
			} `xml:"header"`
		} `xml:"put"`
		Get struct {
			URL string `xml:"url,attr"`
		} `xml:"get"`
	}
	if err := xml.Unmarshal([]byte(raw), &slot); err != nil {
		c.Fatal(err)
	}
	headers := map[string]string{"Content-Type": "text/plain"}
	for _, h := range slot.Put.Headers {
		headers[h.Name] = h.Value
	}
	var put struct{ Status int }
	if err := c.Do(c.ctx, "put", map[string]any{"url": slot.Put.URL, "headers": headers, "text": text}, &put); err != nil || put.Status != http.StatusCreated {
		c.Fatalf("status %d, %v", put.Status, err)
	}
	answer, err := http.Get(slot.Get.URL)
	if err != nil {
		c.Fatal(err)
	}
	got, err := io.ReadAll(answer.Body)
	if err != nil || string(got) != text || answer.Body.Close() != nil {
		c.Errorf("downloaded %q, %v", got, err)
	}
}
