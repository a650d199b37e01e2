package integration_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

var (
	ann   = peers.Account{User: "ann", Password: "one"}
	bob   = peers.Account{User: "bob", Password: "two"}
	carol = peers.Account{User: "carol", Password: "three"}
)

// faultyServer is a server whose writes fail, and what it has acknowledged.
type faultyServer struct {
	t *testing.T
	d *peers.Dragoman

	mu      sync.Mutex
	roster  []string // ann's contacts whose sets had a result
	private []string // and her private elements
	mail    []string // bob's messages to carol that did not come back

}

// TestWriteFaults makes the server's writes fail for a while: clients get errors of type wait, everything that was
// acknowledged is there afterwards and after a restart, nothing that was refused is, and no restart is needed.
func TestWriteFaults(t *testing.T) {
	t.Parallel()
	for _, f := range writeFaults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			f.skipUnlessFile(t)
			ctx, cancel := context.WithTimeout(t.Context(), 5*peerTimeout)
			defer cancel()
			data := ""
			if f.data != nil {
				data = f.data(t)
			}
			d := peers.StartDragoman(t, peers.Options{
				Setup: peers.Setup{Host: testHost, Accounts: []peers.Account{ann, bob, carol}}, Data: data,
				Limits: "offline_messages = 10000\noffline_bytes = \"16 MiB\"",
			})
			s := &faultyServer{t: t, d: d}
			s.work(ctx, "before", 3, 0)
			end := f.start(ctx, t, d)
			defer end()
			attempts, want := 400, 3
			if f.slow {
				attempts, want = 1, 1
			}
			s.work(ctx, "during", attempts, want)
			s.checkChat(ctx)
			if !d.Log().Contains("level=ERROR") || !d.Log().Contains(f.advice) {
				t.Errorf("the log does not tell the operator what to do")
			}
			end()
			s.recover(ctx)
			s.work(ctx, "after", 3, 0)
			s.check(ctx)
			s.awaitDeletion(ctx)
			d.Restart()
			s.check(ctx)
			d.Stop()
			intact(t, d)
		})
	}
}

// work changes ann's roster and private data and sends carol, who is away, messages from
// bob, until so many of each were refused, or so many times. Zero: none may be refused.
func (s *faultyServer) work(ctx context.Context, when string, times, refused int) {
	s.t.Helper()
	var wg sync.WaitGroup
	for kind, one := range []func(context.Context, *client.Conn, string) (bool, error){s.contact, s.messageRef, s.write} {
		wg.Go(func() {
			who := ann
			if kind == 2 {
				who = bob
			}
			conn, err := s.d.Dial(ctx, who, "")
			if err != nil {
				s.t.Errorf("%s: %v", when, err)
				return
			}
			defer conn.Drop()
			n := 0
			for i := range times {
				ok, err := one(ctx, conn, fmt.Sprintf("%s-%d", when, i))
				if err != nil {
					s.t.Errorf("%s, kind %d: %v", when, kind, err)
					return
				}
				if !ok {
					n++
				}
				if n > 0 && n == refused {
					break
				}
			}
			if n < refused || n > 0 && refused == 0 {
				s.t.Errorf("%s, kind %d: %d of %d were refused, want %d", when, kind, n, times, refused)
			}
		})
	}
	wg.Wait()
}

// accepted reports whether a change had a result; an error must be of type wait.
func accepted(answer *xmltree.Element) (bool, error) {
	if answer.Attr("type") == "result" {
		return true, nil
	}
	return false, patient(answer)
}

// patient checks that an error stanza is of type wait (RFC 6120 §8.3.3.18).
func patient(answer *xmltree.Element) error {
	writeFault := answer.Child(spaceOfClients, "error")
	if writeFault == nil || writeFault.Attr("type") != "wait" || writeFault.Child(spaceOfStanzas, "resource-constraint") == nil ||
		!strings.Contains(writeFault.ChildText("text"), "later") {
		return errorOf(answer)
	}
	return nil
}

const (
	spaceOfClients = "jabber:client"
	spaceOfStanzas = "urn:ietf:params:xml:ns:xmpp-stanzas"
	filling        = 2000 // bytes, so that a page is needed
)

func (s *faultyServer) contact(ctx context.Context, conn *client.Conn, name string) (bool, error) {
	answer, err := request(ctx, conn, "set", "", "<query xmlns='jabber:iq:roster'><item jid='"+name+"@elsewhere.example' name='"+strings.Repeat("x", 1000)+"'/></query>")
	if err != nil {
		return false, err
	}
	ok, err := accepted(answer)
	if ok {
		s.recordAccepted(&s.roster, name)
	}
	return ok, err
}

func (s *faultyServer) messageRef(ctx context.Context, conn *client.Conn, name string) (bool, error) {
	answer, err := request(ctx, conn, "set", "", "<query xmlns='jabber:iq:private'><note xmlns='urn:test:"+name+"'>"+strings.Repeat("x", filling)+"</note></query>")
	if err != nil {
		return false, err
	}
	ok, err := accepted(answer)
	if ok {
		s.recordAccepted(&s.private, name)
	}
	return ok, err
}

// write sends a message to carol. What comes back comes before the answer to a question
// about the archive, which is given when all that came before is decided.
func (s *faultyServer) write(ctx context.Context, conn *client.Conn, name string) (bool, error) {
	to := carol.User + "@" + testHost
	err := conn.Send("<message type='chat' to='" + to + "' id='" + name + "'><body>" + name + "</body><x xmlns='urn:test'>" + strings.Repeat("x", filling) + "</x></message>" +
		"<iq type='set' id='settle-" + name + "'><query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>0</max></set></query></iq>")
	for ok := true; err == nil; {
		var e *xmltree.Element
		if e, err = conn.Next(ctx); err != nil {
			break
		}
		switch {
		case e.Name.Local == "message" && e.Attr("type") == "error":
			if err = patient(e); e.Attr("id") != name || e.Attr("from") != to {
				err = errorOf(e)
			}
			ok = false
		case e.Name.Local == "iq" && e.Attr("id") == "settle-"+name:
			if e.Attr("type") == "error" {
				err = patient(e)
			}
			if storetest.OnPostgres() && err == nil {
				if err = s.settle(ctx); err == nil {
					err = conn.Send("<iq type='get' id='after-" + name + "'><ping xmlns='urn:xmpp:ping'/></iq>")
				}
				continue
			}
			if ok {
				s.recordAccepted(&s.mail, name)
			}
			return ok, err
		case e.Name.Local == "iq" && e.Attr("id") == "after-"+name:
			if ok {
				s.recordAccepted(&s.mail, name)
			}
			return ok, nil
		}
	}
	return false, err
}

// settle returns when what carol was sent before is on the disk or was refused. Writes are in order for each
// account; on SQLite for all of them together, so that the sender's own answer says so already.
func (s *faultyServer) settle(ctx context.Context) error {
	conn, err := s.d.Dial(ctx, carol, "")
	if err != nil {
		return err
	}
	defer conn.Drop()
	_, err = request(ctx, conn, "set", "", "<query xmlns='jabber:iq:private'><x xmlns='urn:test:settle'/></query>")
	return err
}

func (s *faultyServer) recordAccepted(list *[]string, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*list = append(*list, name)
}

// checkChat checks that clients that are online can still write to each other.
func (s *faultyServer) checkChat(ctx context.Context) {
	s.t.Helper()
	a, err := s.d.Dial(ctx, ann, "")
	if err != nil {
		s.t.Fatal(err)
	}
	defer a.Drop()
	b, err := s.d.Dial(ctx, bob, "")
	if err != nil {
		s.t.Fatal(err)
	}
	defer b.Drop()
	if err := a.Send("<message to='" + b.JID() + "' type='chat'><body>still here</body></message>"); err != nil {
		s.t.Fatal(err)
	}
	for {
		e, err := b.Next(ctx)
		if err != nil {
			s.t.Errorf("those who are online cannot talk: %v", err)
			return
		}
		if e.ChildText("body") == "still here" {
			return
		}
	}
}

// recover waits until writes succeed again.
func (s *faultyServer) recover(ctx context.Context) {
	s.t.Helper()
	conn, err := s.d.Dial(ctx, ann, "")
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Drop()
	err = peers.Poll(ctx, func() error {
		if ok, err := s.contact(ctx, conn, "recovered"); err != nil || !ok {
			return fmt.Errorf("writes still fail: %v", err)
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := peers.Poll(ctx, func() error {
		if !s.d.Log().Contains("can be written again") {
			return fmt.Errorf("the log does not tell that the trouble is over")
		}
		return nil
	}); err != nil {
		s.t.Error(err)
	}
}

// check compares the data with what was acknowledged.
func (s *faultyServer) check(ctx context.Context) {
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
	var contacts []string
	for _, item := range answer.Children[0].Children {
		name, _, _ := strings.Cut(item.Attr("jid"), "@")
		contacts = append(contacts, name)
	}
	sameSet(s.t, "contacts", s.roster, contacts)
	for _, name := range s.private {
		answer, err := ask(ctx, conn, "", "<query xmlns='jabber:iq:private'><note xmlns='urn:test:"+name+"'/></query>")
		if err != nil {
			s.t.Fatal(err)
		}
		if messageRef := answer.Find("query", "note"); messageRef == nil || len(messageRef.Text) != filling {
			s.t.Errorf("the private element %s is lost", name)
		}
	}
	s.collect(ctx)
}

// collect logs carol in: she gets her offline messages, once, in order.
func (s *faultyServer) collect(ctx context.Context) {
	s.t.Helper()
	sameOnce(s.t, "messages kept for carol", s.mail, s.mailbox(ctx))
	s.mail = nil // she has them
}

// awaitDeletion waits until the messages that carol has received are deleted: a kill before that may bring them again.
func (s *faultyServer) awaitDeletion(ctx context.Context) {
	s.t.Helper()
	if err := peers.Poll(ctx, func() error {
		if n := rowsOf(ctx, s.t, s.d, carol.User+"@"+testHost)["offline"]; n > 0 {
			return fmt.Errorf("%d messages that carol has are still stored", n)
		}
		return nil
	}); err != nil {
		s.t.Error(err)
	}
}

// mailbox is carol's offline messages.
func (s *faultyServer) mailbox(ctx context.Context) (got []string) {
	s.t.Helper()
	conn, err := s.d.Dial(ctx, carol, "")
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Drop()
	if err := conn.Send("<presence/><iq type='get' id='end' to='" + testHost + "'><ping xmlns='urn:xmpp:ping'/></iq>"); err != nil {
		s.t.Fatal(err)
	}
	for {
		e, err := conn.Next(ctx)
		if err != nil {
			s.t.Fatal(err)
		}
		if e.Name.Local == "message" {
			got = append(got, e.ChildText("body"))
		}
		if e.Attr("id") == "end" {
			return got
		}
	}
}

func sameSet(t *testing.T, what string, want, got []string) {
	t.Helper()
	want, got = slices.Compact(slices.Sorted(slices.Values(want))), slices.Sorted(slices.Values(got))
	if !slices.Equal(want, got) {
		t.Errorf("%s: promised %q, there are %q", what, want, got)
	}
}
