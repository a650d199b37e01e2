package integration_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/integration/peers"
)

// TestOldData starts the server with the data directory of an earlier release: people log in with their
// passwords, have what they had, and their linked accounts go on.
func TestOldData(t *testing.T) {
	t.Parallel()
	if storetest.OnPostgres() {
		t.Skip("the data is in a SQLite file; TestCopyStore of transports/gateways moves it")
	}
	ctx, cancel := context.WithTimeout(t.Context(), peerTimeout)
	defer cancel()
	d := peers.StartDragoman(t, peers.Options{
		Setup: peers.Setup{Host: "old.example"}, Data: storetest.OldData(t), Settings: "[echo]\nenabled = true\nguests = 3\n",
	})
	ann, err := d.Dial(ctx, peers.Account{User: "ann", Password: "old ann"}, "new")
	if err != nil {
		t.Fatal(err)
	}
	defer ann.Drop()
	for query, want := range map[string]string{
		"<query xmlns='jabber:iq:roster'/>":                                             `name="Bob B."`,
		"<vCard xmlns='vcard-temp'/>":                                                   "Ann Old",
		"<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query>": "lobby@echo.old.example",
		"<blocklist xmlns='urn:xmpp:blocking'/>":                                        "spam@old.example",
	} {
		if answer, err := ask(ctx, ann, "", query); err != nil || !strings.Contains(answer.String(), want) {
			t.Errorf("%s: %v %v, want %s", query, answer, err, want)
		}
	}
	carol, err := d.Dial(ctx, peers.Account{User: "carol", Password: "old carol"}, "new")
	if err != nil {
		t.Fatal(err)
	}
	defer carol.Drop()
	if err := carol.Send("<presence/>"); err != nil {
		t.Fatal(err)
	}
	var bodies []string
	asked := false
	for len(bodies) < 2 || !asked {
		e, err := carol.Next(ctx)
		if err != nil {
			t.Fatalf("got %v, a request: %v; %v", bodies, asked, err)
		}
		asked = asked || e.Name.Local == "presence" && e.Attr("type") == "subscribe" && e.Attr("from") == "ann@old.example"
		if body := e.Find("body"); e.Name.Local == "message" && body != nil {
			bodies = append(bodies, body.Text)
		}
	}
	if !slices.Equal(bodies, []string{"for later, one", "for later, two"}) {
		t.Errorf("carol got %v", bodies)
	}
	// The login at the gateway is there: its room can be entered, with its history, and written to.
	if err := ann.Send("<presence/><presence to='lobby@echo.old.example/ann'><x xmlns='http://jabber.org/protocol/muc'/></presence>" +
		"<message type='groupchat' to='lobby@echo.old.example' id='new'><body>back again</body></message>"); err != nil {
		t.Fatal(err)
	}
	history, reflected := false, false
	for !history || !reflected {
		e, err := ann.Next(ctx)
		if err != nil {
			t.Fatalf("history of the room: %v, the new message: %v; %v", history, reflected, err)
		}
		text := e.String()
		history = history || e.Attr("type") == "groupchat" && strings.Contains(text, "hello room")
		reflected = reflected || e.Attr("type") == "groupchat" && e.Attr("id") == "new" && strings.Contains(text, "back again")
	}
}
