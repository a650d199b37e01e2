package puppets

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

func TestParsePrivilege(t *testing.T) {
	t.Parallel()
	grant := func(from, space string) *stanza.Stanza {
		x := stanza.NewElement(space, "privilege").Add(
			stanza.NewElement(space, "perm").With("access", "roster").With("type", "both"),
			stanza.NewElement(space, "perm").With("access", "message").With("type", "none"))
		return stanza.NewMessage(jid.MustParse("net.example.org"), jid.MustParse(from), "", x)
	}
	if p, ok := parsePrivilege(grant("example.org", convert.NSPrivilege)); !ok || !p.Roster || p.Messages || p.Space != convert.NSPrivilege {
		t.Errorf("%+v %t", p, ok)
	}
	if _, ok := parsePrivilege(grant("mallory@example.org", convert.NSPrivilege)); ok {
		t.Error("a user grants the rights of a server")
	}
	var known Privileges
	known.set("example.org", Privilege{Roster: true, Space: convert.NSPrivilege})
	if _, kept := known.set("example.org", Privilege{Space: convert.NSPrivilege1}); kept || !known.Of("example.org").Roster {
		t.Error("the old namespace has replaced the new one")
	}
}

// Prosody's mod_privilege of Debian 12 writes each namespace inside the one before it; to read and change nodes both are needed, and
// the namespace of version 0.3 has no such privilege.
func TestParseRequestPrivilege(t *testing.T) {
	t.Parallel()
	const nodes = "<namespace ns='http://jabber.org/protocol/pubsub' type='both'/>"
	for x, want := range map[string]Privilege{
		"<perm access='iq'>" + nodes + "</perm>":                                                                          {Nodes: true},
		"<perm access='iq'><namespace ns='urn:x' type='get'>" + nodes + "</namespace></perm>":                             {Nodes: true},
		"<perm access='iq'><namespace ns='http://jabber.org/protocol/pubsub' type='set'/></perm>":                         {},
		"<perm access='iq'>" + strings.Repeat("<namespace>", 50) + nodes + strings.Repeat("</namespace>", 50) + "</perm>": {},
		"<perm access='presence' type='managed_entity'/>":                                                                 {Presence: true},
		"<perm access='presence' type='roster'/><perm access='iq'/>":                                                      {Presence: true},
		"<perm access='presence' type='none'/>":                                                                           {},
	} {
		for space, nodes := range map[string]bool{convert.NSPrivilege: want.Nodes, convert.NSPrivilege1: false} {
			st := &stanza.Stanza{
				Kind: stanza.Message, To: jid.MustParse("net.example.org"), From: jid.MustParse("example.org"), Payload: "<privilege xmlns='" + space + "'>" + x + "</privilege>",
			}
			if p, ok := parsePrivilege(st); !ok || p != (Privilege{Presence: want.Presence, Nodes: nodes, Space: space}) {
				t.Errorf("%s: %+v, %t", st.Payload, p, ok)
			}
		}
	}
}

// A request ends with its answer, with the error of its answer, or when it was not answered.
func TestRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gateway, ann := jid.MustParse("net.example.org"), jid.MustParse("ann@example.org")
		answer := func(iq *stanza.Stanza) *stanza.Stanza { return nil }
		var r *Requests
		r = NewRequests(func(iq *stanza.Stanza) {
			if a := answer(iq); a != nil {
				r.Answer(a)
			}
		})
		ask := func() error {
			_, err := r.Ask(context.Background(), stanza.NewIQ(ann, gateway, stanza.TypeGet, stanza.NewElement("urn:xmpp:ping", "ping")))
			return err
		}
		if err := ask(); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		answer = func(iq *stanza.Stanza) *stanza.Stanza { return iq.Result() }
		if err := ask(); err != nil {
			t.Error(err)
		}
		answer = func(iq *stanza.Stanza) *stanza.Stanza { return iq.ErrorReply(stanza.ItemNotFound("")) }
		var refused *stanza.Error
		if err := ask(); !errors.As(err, &refused) {
			t.Error(err)
		}
		if len(r.open) != 0 {
			t.Errorf("%d requests are left", len(r.open))
		}
	})
}
