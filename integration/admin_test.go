package integration_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
)

const adminNode = "http://jabber.org/protocol/admin#"

// TestSlixmppAdministers goes through the families of commands of XEP-0133 with slixmpp: accounts, states, questions, lists,
// announcements, administrators, restart.
func TestSlixmppAdministers(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	setup := peers.Setup{Host: testHost, Accounts: testAccounts, Admin: testAccounts[0].User}
	d := peers.StartDragoman(t, peers.Options{Setup: setup})
	boss, user := peers.StartSlixmpp(t), peers.StartSlixmpp(t)
	for i, s := range []*peers.Slixmpp{boss, user} {
		if err := s.Login(ctx, &d.Server, testAccounts[i]); err != nil {
			t.Fatal(err)
		}
	}
	for s, want := range map[*peers.Slixmpp]bool{boss: true, user: false} {
		var found struct{ Items []struct{ Node, Name string } }
		if err := s.Do(ctx, "items", map[string]any{"to": testHost, "node": "http://jabber.org/protocol/commands"}, &found); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, item := range found.Items {
			if strings.HasPrefix(item.Node, adminNode) {
				n++
			}
		}
		if n == 32 != want || n == 0 == want {
			t.Errorf("%s sees %d commands", s.JID, n)
		}
	}
	run := func(node string, values map[string]any) stage {
		t.Helper()
		st := command(ctx, t, boss, testHost, adminNode+node)
		if values == nil {
			return st
		}
		if st.Status != "executing" || !slices.Contains(st.Actions, "complete") {
			t.Fatalf("first stage of %s: %+v", node, st)
		}
		if st = st.next(ctx, t, "complete", values); st.Status != "completed" {
			t.Errorf("last stage of %s: %+v", node, st)
		}
		return st
	}
	newcomer := peers.Account{User: "newcomer", Password: "fresh"}
	address := newcomer.User + "@" + testHost
	logsIn := func(want string) {
		t.Helper()
		conn, err := d.Dial(ctx, newcomer, "")
		var refused *client.Refused
		switch {
		case err == nil && want == "":
			conn.Drop()
		case err == nil || !errors.As(err, &refused) || refused.Condition != want:
			t.Errorf("login: %v, not %q", err, want)
		}
	}
	run("add-user", map[string]any{"accountjid": address, "password": "fresh", "password-verify": "fresh"})
	logsIn("")
	run("disable-user", map[string]any{"accountjids": []string{address}})
	logsIn("account-disabled")
	if st := run("get-disabled-users-list", map[string]any{"max_items": "25"}); !strings.Contains(fmt.Sprint(st.Form), address) {
		t.Errorf("the list of disabled users: %+v", st.Form)
	}
	run("reenable-user", map[string]any{"accountjids": []string{address}})
	logsIn("")
	if st := run("user-stats", map[string]any{"accountjid": user.JID[:strings.Index(user.JID, "/")]}); !strings.Contains(fmt.Sprint(st.Form), "onlineresources") {
		t.Errorf("statistics: %+v", st.Form)
	}
	run("edit-blacklist", map[string]any{"blacklistjids": []string{"bad.example"}})
	run("announce", map[string]any{"announcement": "Hear, hear"})
	await(ctx, t, user, messageWithBody("Hear, hear", testHost))
	run("set-motd", map[string]any{"motd": "A day"})
	await(ctx, t, user, messageWithBody("A day", testHost))
	run("delete-user", map[string]any{"accountjids": []string{address}})
	logsIn("not-authorized")
	if err := user.Do(ctx, "command", map[string]any{"to": testHost, "node": adminNode + "restart"}, nil); err == nil || !strings.Contains(err.Error(), "forbidden") {
		t.Errorf("a user restarts the server: %v", err)
	}
	run("restart", map[string]any{"delay": "0"})
	if err := peers.Poll(ctx, func() error {
		if _, n := d.Log().Last("msg=serving"); n != 2 {
			return fmt.Errorf("started %d times", n)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	conn, err := d.Dial(ctx, testAccounts[1], "")
	if err != nil {
		t.Fatal(err)
	}
	conn.Drop()
}
