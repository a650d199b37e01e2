package c2s

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
)

// ledger is an account store whose accounts can be deleted. It counts the look-ups.
type ledger struct {
	asked   atomic.Int32
	deleted atomic.Bool
}

func (l *ledger) Exists(context.Context, jid.JID) (bool, error) {
	l.asked.Add(1)
	return !l.deleted.Load(), nil
}

// A connection that has logged in and not bound yet has no session that the deletion of the account could end.
func TestDeletedBetweenLoginAndBinding(t *testing.T) {
	t.Parallel()
	accounts := &ledger{}
	var host *router.Host
	p := newTestServer(t, func(c *Config) {
		host = router.NewHost(c.Hosts[0].Router.Router(), c.Hosts[0].Router.Domain(), router.HostOptions{Accounts: accounts})
		host.Use(Feature())
		c.Hosts[0].Router = host
	})
	bind := func(c *client) string {
		c.Send(bindIQ(""))
		return c.Until("</iq>")
	}

	if got := bind(p.loggedIn("romeo")); !strings.Contains(got, "<jid>romeo@home.test/") {
		t.Errorf("romeo: %q", got)
	}
	if n := accounts.asked.Load(); n != 0 {
		t.Errorf("a login without any deletion meanwhile asked %d times whether the account is there", n)
	}

	early := p.loggedIn("juliet")
	host.Remove(jid.MustParse("nurse@home.test"), "not-authorized", "deleted")
	if got := bind(early); !strings.Contains(got, "<jid>juliet@home.test/") {
		t.Errorf("juliet, while somebody else was deleted: %q", got)
	}

	early = p.loggedIn("romeo")
	accounts.deleted.Store(true)
	host.Remove(jid.MustParse("romeo@home.test"), "not-authorized", "deleted")
	if got := bind(early); !strings.Contains(got, "<not-authorized") {
		t.Errorf("romeo, deleted since his login: %q", got)
	}
}

// A login that began before the password was changed gets no session, wherever it stands; one that began after it does.
func TestPasswordChangedDuringLogin(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	bound, early := p.session("romeo", "x"), p.loggedIn("romeo")
	late, _ := p.secure("home.test")
	proof := late.scramProof("romeo", "SCRAM-SHA-256", "n,,", "")
	other := p.loggedIn("juliet")
	if n := p.host.EndSessions(jidOf("romeo@home.test"), nil, "reset", ""); n != 1 {
		t.Errorf("%d sessions were ended", n)
	}
	bound.wantError("reset")
	late.Send(proof)
	late.Until("</success>")
	late.features("home.test")
	for _, c := range []*client{early, late} {
		c.Send(bindIQ(""))
		if got := c.Until("</iq>"); !strings.Contains(got, "<not-authorized") {
			t.Errorf("bound: %q", got)
		}
	}
	if n := len(p.host.Local(jidOf("romeo@home.test")).Sessions()); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
	other.Send(bindIQ(""))
	if got := other.Until("</iq>"); !strings.Contains(got, "<jid>juliet@") {
		t.Errorf("another account: %q", got)
	}
	p.session("romeo", "y")
}
