package sasl

import (
	"context"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
)

// ejabberd 26.07: no mechanism lets a user who has authenticated be another one.
func TestEjabberd2607_OtherAuthzid(t *testing.T) {
	t.Parallel()
	s := server(t, users{"alice": credentials(t, "pencil"), "bob": credentials(t, "pencil")})
	for _, other := range []string{"bob@example.org", "bob", "alice@example.com", "alice@example.org/x", "bob@example.org/alice@example.org", "ali\u00adce@example.org"} {
		if id, err := plainLogin(t, s, other+"\x00alice\x00pencil"); err == nil {
			t.Errorf("PLAIN as %q: %+v", other, id)
		}
		for name, h := range scrams {
			c := newClient(h, "alice", "pencil")
			c.header = "n,a=" + other + ","
			if id, err := c.login(t, s, name, Conn{TLS: true}); err == nil {
				t.Errorf("%s as %q: %+v", name, other, id)
			}
		}
		conn := Conn{TLS: true, External: func(context.Context, string) (jid.JID, error) { return jid.MustParse("alice@example.org"), nil }}
		x, err := s.Begin(External, conn)
		if err != nil {
			t.Fatal(err)
		}
		if _, done, err := x.Step(t.Context(), []byte(other)); err == nil || done {
			t.Errorf("EXTERNAL as %q", other)
		}
	}
	for name, h := range scrams { // her own password is right
		c := newClient(h, "alice", "pencil")
		c.header = "n,a=alice@example.org,"
		if id, err := c.login(t, s, name, Conn{TLS: true}); err != nil || id.JID.String() != "alice@example.org" {
			t.Errorf("%s: %+v %v", name, id, err)
		}
	}
}
