package integration_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
)

// TestLoadKilled kills the server again and again while clients change their data as fast as it lets them. What was
// acknowledged before a kill is there after it, and the database is consistent.
func TestLoadKilled(t *testing.T) {
	t.Parallel()
	rounds := killRounds(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout+time.Duration(rounds)*5*time.Second)
	defer cancel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d rounds", seed, rounds)
	random := rand.New(rand.NewPCG(seed, 1))
	kept := 0
	var s *faultyServer
	for round := range rounds {
		if round%databaseRounds == 0 {
			s.end(ctx)
			s = killable(t)
		}
		d := s.d
		var people sync.WaitGroup
		for kind, one := range []func(context.Context, *client.Conn, string) (bool, error){s.contact, s.messageRef, s.write, s.contact, s.write} {
			who := ann
			if kind == 2 || kind == 4 {
				who = bob
			}
			conn, err := d.Dial(ctx, who, "")
			if err != nil {
				t.Fatal(err)
			}
			people.Go(func() {
				defer conn.Drop()
				for i := 0; ; i++ {
					ok, err := one(ctx, conn, fmt.Sprintf("r%d-k%d-%d", round, kind, i))
					if err != nil {
						return // the server was killed
					}
					if !ok {
						t.Errorf("a change was refused")
						return
					}
				}
			})
		}
		pause(ctx, time.Duration(random.Int64N(int64(300*time.Millisecond))))
		d.Kill()
		people.Wait()
		d.Start()
		kept += s.audit(ctx)
	}
	s.end(ctx)
	t.Logf("%d changes were answered in %d rounds", kept, rounds)
	if kept == 0 {
		t.Error("nothing was answered, and so nothing is shown")
	}
}

// databaseRounds is how often one database is killed: what an audit reads grows with it.
const databaseRounds = 20

// killable is a server with high limits of stored messages.
func killable(t *testing.T) *faultyServer {
	t.Helper()
	return &faultyServer{t: t, d: peers.StartDragoman(t, peers.Options{
		Setup:  peers.Setup{Host: testHost, Accounts: []peers.Account{ann, bob, carol}},
		Limits: "offline_messages = 100000\noffline_bytes = \"256 MiB\"\nroster_items = 1000000",
	})}
}

// end stops the server and checks that its database is consistent.
func (s *faultyServer) end(ctx context.Context) {
	if s == nil {
		return
	}
	s.t.Helper()
	s.d.Stop()
	intact(s.t, s.d)
}

// audit checks that everything that was acknowledged is there; what was not acknowledged may be.
func (s *faultyServer) audit(ctx context.Context) (kept int) {
	s.t.Helper()
	conn, err := s.d.Dial(ctx, ann, "")
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Drop()
	answer, err := ask(ctx, conn, "", "<query xmlns='jabber:iq:roster'/>")
	if err != nil {
		s.t.Fatal(err)
	}
	contacts := map[string]bool{}
	for _, item := range answer.Children[0].Children {
		name, _, _ := strings.Cut(item.Attr("jid"), "@")
		contacts[name] = true
	}
	for _, name := range s.roster {
		if !contacts[name] {
			s.t.Errorf("the contact %s is lost", name)
		}
	}
	for _, name := range s.private {
		answer, err := ask(ctx, conn, "", "<query xmlns='jabber:iq:private'><note xmlns='urn:test:"+name+"'/></query>")
		if err != nil {
			s.t.Fatal(err)
		}
		if messageRef := answer.Find("query", "note"); messageRef == nil || len(messageRef.Text) != filling {
			s.t.Errorf("the private element %s is lost", name)
		}
	}
	recordAccepted := map[string]bool{}
	for _, name := range s.mail {
		recordAccepted[name] = true
	}
	// Two clients write to carol: the messages of each are in order.
	kept = len(s.roster) + len(s.private) + len(s.mail)
	for conversation, got := range map[string][]string{"kept for carol": s.mailbox(ctx), "in bob's archive": s.archive(ctx, bob)} {
		got = slices.DeleteFunc(got, func(name string) bool { return !recordAccepted[name] })
		for _, kind := range []string{"-k2-", "-k4-"} {
			other := func(name string) bool { return !strings.Contains(name, kind) }
			sameOnce(s.t, conversation, slices.DeleteFunc(slices.Clone(s.mail), other), slices.DeleteFunc(slices.Clone(got), other))
		}
	}
	s.roster, s.private, s.mail = nil, nil, nil
	return kept
}

// archive reads the whole archive of an account (XEP-0313).
func (s *faultyServer) archive(ctx context.Context, who peers.Account) (bodies []string) {
	s.t.Helper()
	conn, err := s.d.Dial(ctx, who, "")
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Drop()
	after := ""
	for page := 0; ; page++ {
		id := fmt.Sprintf("page-%d", page)
		err := conn.Send("<iq type='set' id='" + id + "'><query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>100</max>" + after + "</set></query></iq>")
		if err != nil {
			s.t.Fatal(err)
		}
		texts, fin := archivePage(ctx, s.t, conn, id)
		bodies = append(bodies, texts...)
		last := fin.Find("set", "last")
		if fin.Attr("complete") == "true" || last == nil {
			return bodies
		}
		after = "<after>" + last.Text + "</after>"
	}
}
