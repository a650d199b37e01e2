package server

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
)

// login tries to log in and returns the condition of the failure, or "success".
func (p *testServer) login(user, password string) string {
	p.t.Helper()
	c := p.encrypted()
	c.Send(plainAuth(user, password))
	got := c.Until("xmlns='urn:ietf:params:xml:ns:xmpp-sasl'")
	if strings.Contains(got, "<success") {
		return "success"
	}
	c.Until("<")
	return strings.TrimSuffix(c.Until("/>"), "/>")
}

// An account that is disabled or locked by the command line ends its sessions and lets nobody in, and is an account without sessions
// to others. Whoever does not know the password sees no difference.
func TestDisabledAndLocked(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	ctx := context.Background()
	a := p.commandLine()
	juliet := p.online("juliet")
	for _, c := range []struct {
		text, condition string
		set             func() (string, error)
	}{
		{"disabled", "account-disabled", func() (string, error) { return a.Disable(ctx, "romeo") }},
		{"locked for a time", "temporary-auth-failure", func() (string, error) { return a.Lock(ctx, "romeo", time.Now().Add(time.Hour)) }},
	} {
		romeo := p.online("romeo")
		if _, err := c.set(); err != nil {
			t.Fatal(err)
		}
		p.server.wakeRemovals(jid.JID{})
		if got := romeo.Until("</stream:stream>"); !strings.Contains(got, "<not-authorized ") || !strings.Contains(got, "the account has been "+c.text) {
			t.Errorf("%s: %s", c.text, got)
		}
		for password, want := range map[string]string{"romeo": c.condition, "wrong": "not-authorized"} {
			if got := p.login("romeo", password); got != want {
				t.Errorf("%s, password %s: %s", c.text, password, got)
			}
		}
		if got := p.login("nobody", "wrong"); got != "not-authorized" {
			t.Error(got)
		}
		juliet.Send("<message type='chat' to='romeo@home.test'><body>while you were " + c.text + "</body></message>")
		quietly(t, juliet, "type='error'")
		if _, err := a.Enable(ctx, "romeo"); err != nil {
			t.Fatal(err)
		}
		romeo = p.loggedIn("romeo")
		romeo.Send(bindX + "<presence/>")
		romeo.Until("while you were " + c.text)
		romeo.Send("</stream:stream>")
		romeo.rest()
	}
	if _, err := a.Lock(ctx, "romeo", time.Now().Add(-time.Hour)); err == nil {
		t.Error("locked until a time that is over")
	}
	if _, err := a.Disable(ctx, "nobody"); err == nil || !strings.Contains(err.Error(), "no account nobody@home.test") {
		t.Error(err)
	}
}

// A login that began before the account was disabled does not get a session.
func TestDisabledWhileLoggingIn(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	romeo := p.loggedIn("romeo")
	a := p.commandLine()
	if _, err := a.Disable(context.Background(), "romeo"); err != nil {
		t.Fatal(err)
	}
	rawstream.Eventually(t, "noted", func() bool {
		list, err := p.server.store.Revocations(context.Background())
		return err == nil && len(list) == 0
	})
	romeo.Send(bindX)
	if got := romeo.Until("</iq>"); !strings.Contains(got, "<not-authorized ") {
		t.Error(got)
	}
}

// A role that the command line grants is in force in a running server, and ends with the account, for whoever gets its name too.
func TestCVE_2024_25420_GrantedRole(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{server: `admins = ["nurse@home.test"]`})
	a := p.commandLine()
	ctx, romeo := context.Background(), jid.MustParse("romeo@home.test")
	role := func(want admin.Role) {
		t.Helper()
		rawstream.Eventually(t, "the role", func() bool { return p.server.rights.Role(romeo) == want })
	}
	if _, err := a.Grant(ctx, "romeo", "admin"); err != nil {
		t.Fatal(err)
	}
	role(admin.Admin)
	if info, err := a.Show(ctx, "romeo"); err != nil || info.Role != admin.Admin || info.Configured {
		t.Errorf("%+v %v", info, err)
	}
	if err := p.server.store.RemoveAccount(ctx, romeo); err != nil {
		t.Fatal(err)
	}
	p.server.wakeRemovals(romeo)
	p.gone("romeo")
	p.account("romeo")
	if got := p.server.rights.Role(romeo); got != admin.User {
		t.Errorf("whoever gets the name is %s", got)
	}
	if _, err := a.Grant(ctx, "nurse", "user"); err == nil || !strings.Contains(err.Error(), "server.admins") {
		t.Error(err)
	}
	list, err := a.List(ctx)
	if err != nil || len(list) != 3 || list[1].Role != admin.Admin || list[2].Role != admin.User {
		t.Errorf("%+v %v", list, err)
	}
}
