package integration_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// TestSlixmppIsComponent attaches slixmpp as a component: it changes a roster and sends a message in an account's name with its own
// plugin for XEP-0356, which speaks version 0.3, and answers requests that are delegated to it (XEP-0355), which it has no plugin for.
func TestSlixmppIsComponent(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 4*peerTimeout)
	defer cancel()
	c := peers.Component{Domain: "assistant." + testHost, Secret: "between the two", Privileged: true, Settings: "delegated = [\"urn:example:notes\"]\n"}
	plain := peers.Component{Domain: "plain." + testHost, Secret: "between the two"}
	d := peers.StartDragoman(t, peers.Options{Setup: peers.Setup{Host: testHost, Accounts: testAccounts, Components: []peers.Component{c, plain}}})
	component := peers.StartSlixmpp(t)
	privileges, err := component.Attach(ctx, &d.Server, c)
	if err != nil {
		t.Fatal(err)
	}
	if privileges["roster"] != "both" || privileges["message"] != "outgoing" {
		t.Errorf("the component is told %v", privileges)
	}
	address := func(a peers.Account) string { return a.User + "@" + testHost }
	do := func(s *peers.Slixmpp, name string, args map[string]any, result any) {
		t.Helper()
		if err := s.Do(ctx, name, args, result); err != nil {
			t.Fatal(err)
		}
	}

	contact := "helper@" + c.Domain
	do(component, "set_roster_of", map[string]any{"jid": address(testAccounts[0]), "items": map[string]any{
		contact: map[string]any{"name": "Helper", "subscription": "both", "groups": []string{"Assistants"}},
	}}, nil)
	// slixmpp ends the subscription itself when it is asked for the contact's presence, of which it knows nothing.
	roster := map[string]peers.Contact{}
	do(component, "roster_of", map[string]any{"jid": address(testAccounts[0])}, &roster)
	sally, simon := slixmppClient(ctx, t, &d.Server, testAccounts[0]), slixmppClient(ctx, t, &d.Server, testAccounts[1])
	for who, list := range map[string]map[string]peers.Contact{"the component": roster, "the client": sally.Roster} {
		if got := list[contact]; got.Name != "Helper" || got.Subscription != "both" || !slices.Equal(got.Groups, []string{"Assistants"}) {
			t.Errorf("%s sees the contact as %+v", who, got)
		}
	}
	do(component, "message_of", map[string]any{"jid": address(testAccounts[0]), "to": simon.JID, "body": "Written by an assistant"}, nil)
	await(ctx, t, simon, messageFrom("Written by an assistant", address(testAccounts[0])))

	await(ctx, t, component, func(e peers.Event) bool {
		return e.Kind == "message" && e.Seen.From == testHost && strings.Contains(e.Raw, `namespace="urn:example:notes"`)
	})
	for i, s := range []*peers.Slixmpp{sally, simon} {
		note := "note of " + testAccounts[i].User
		var kept struct{ Text string }
		do(s, "note", map[string]any{"type": "set", "text": note}, &kept)
		do(s, "note", map[string]any{"type": "get"}, &kept)
		if kept.Text != note {
			t.Errorf("%s has the note %q", s.JID, kept.Text)
		}
	}

	// It may not send as another component.
	do(component, "raw", map[string]any{"text": "<iq type='get' id='other' from='" + plain.Domain + "' to='" + address(testAccounts[0]) + "'><query xmlns='jabber:iq:roster'/></iq>"}, nil)
	if _, _, err := component.Await(ctx, 0, func(e peers.Event) bool { return e.Event == "gone" }); err != nil {
		t.Errorf("a stanza from another domain: %v", err)
	}
}

// slixmppClient logs in a slixmpp client.
func slixmppClient(ctx context.Context, t *testing.T, server *peers.Server, a peers.Account) *peers.Slixmpp {
	t.Helper()
	s := peers.StartSlixmpp(t)
	if err := s.Login(ctx, server, a); err != nil {
		t.Fatal(err)
	}
	return s
}
