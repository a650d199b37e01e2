package integration_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// federationTimeout is for one exchange between servers, which may have to connect first.
const federationTimeout = time.Minute

// federated is a server of several that communicate with each other, with a user who is logged in.
type federated struct {
	*peers.Server
	name string
	user *remoteUser
}

func (s *federated) rooms() string { return "conference." + s.Host }

// remoteUser is a client that talks with users of other servers.
type remoteUser struct {
	*testing.T
	conn *client.Conn
	jid  string // bare
	ids  *atomic.Int32
}

// login logs in a user.
func (s *federated) login(ctx context.Context, t *testing.T, a peers.Account) *remoteUser {
	t.Helper()
	l := client.Login{Addr: s.ClientAddr, Domain: s.Host, User: a.User, Password: a.Password, Resource: "desk", TLS: s.TLS}
	if s.name == "ejabberd" {
		l.Mechanism = "SCRAM-SHA-1" // ejabberd 23.01 does not know the channel binding of TLS 1.3
	}
	conn, err := client.Dial(ctx, l)
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	t.Cleanup(conn.Drop)
	return &remoteUser{t, conn, a.User + "@" + s.Host, new(atomic.Int32)}
}

func (u *remoteUser) full() string { return u.jid + "/desk" }

// on is the same client in a part of the test.
func (u *remoteUser) on(t *testing.T) *remoteUser { return &remoteUser{t, u.conn, u.jid, u.ids} }

func (u *remoteUser) send(format string, args ...any) {
	u.Helper()
	if err := u.conn.Send(fmt.Sprintf(format, args...)); err != nil {
		u.Fatal(err)
	}
}

// await takes stanzas until one fits.
func (u *remoteUser) await(what string, fits func(*xmltree.Element) bool) *xmltree.Element {
	u.Helper()
	ctx, cancel := context.WithTimeout(u.Context(), federationTimeout)
	defer cancel()
	var others []string
	for {
		e, err := u.conn.Next(ctx)
		if err != nil {
			u.Fatalf("%s waits for %s: %v; came: %s", u.jid, what, err, strings.Join(others, "\n"))
		}
		if fits(e) {
			return e
		}
		others = append(others, e.String())
	}
}

// stanza awaits a stanza by its name, type and sender; a sender without a resource stands for all of its resources.
func (u *remoteUser) stanza(name, kind, from string) *xmltree.Element {
	u.Helper()
	return u.await(fmt.Sprintf("%s %s from %s", name, kind, from), func(e *xmltree.Element) bool {
		sender := e.Attr("from")
		return e.Name.Local == name && e.Attr("type") == kind && (sender == from || strings.HasPrefix(sender, from+"/"))
	})
}

// request sends a request and returns its result.
func (u *remoteUser) request(kind, to, payload string) *xmltree.Element {
	u.Helper()
	id := fmt.Sprintf("r%d", u.ids.Add(1))
	u.send("<iq type='%s' id='%s' to='%s'>%s</iq>", kind, id, to, payload)
	e := u.await("the answer of "+to, func(e *xmltree.Element) bool { return e.Name.Local == "iq" && e.Attr("id") == id })
	if e.Attr("type") != "result" {
		u.Fatalf("%s asks %s: %s", u.jid, to, e)
	}
	return e
}
