package bridge_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

// panicking is a network whose sessions panic where they read the past of a room, or where they open.
type panicking struct {
	transports.Network
	room *atomic.Value // transports.RoomID
	open *atomic.Int32 // how often opening panics
}

func (n panicking) Open(ctx context.Context, a transports.Login, sink transports.Sink) (transports.Client, error) {
	if n.open.Add(-1) >= 0 {
		panic("what is this answer")
	}
	s, err := n.Network.Open(ctx, a, sink)
	if err != nil {
		return nil, err
	}
	return panickingClient{s.(full), n}, nil
}

func (n panicking) ClientType() transports.Client { return panickingClient{} }

type panickingClient struct {
	full
	net panicking
}

func (s panickingClient) History(ctx context.Context, request transports.HistoryRequest) (transports.HistoryPage, error) {
	if s.net.room.Load() == request.Room {
		panic("what is this message")
	}
	return s.full.History(ctx, request)
}

// One message that a session cannot bear to read stops neither its room nor the others.
func TestPanicInTheHistory(t *testing.T) {
	withGateway(t, func(h *harness) {
		net := panicking{h.net, &atomic.Value{}, &atomic.Int32{}}
		net.room.Store(transports.RoomID("den"))
		h.net = net
		h.start()
		h.link(phone, "ann")
		h.join(phone, "den")
		h.join(phone, "plaza")
		h.discard()
		time.Sleep(time.Minute)
		h.world.Say("plaza", "cleo", "here")
		h.expect(phone, "plaza/Cleo: here")
		h.world.Say("den", "cleo", "and there")
		h.expect(phone, "den/Cleo: and there")
		h.restart()
		h.join(phone, "den")
		h.discard()
		h.world.Say("den", "cleo", "again")
		h.expect(phone, "den/Cleo: again")
	})
}

// Nor does an answer that a session cannot bear end an account.
func TestPanicWhereASessionOpens(t *testing.T) {
	withGateway(t, func(h *harness) {
		net := panicking{h.net, &atomic.Value{}, &atomic.Int32{}}
		net.room.Store(transports.RoomID(""))
		h.net = net
		h.start()
		h.link(phone, "ann")
		h.stop()
		net.open.Store(2)
		h.start()
		time.Sleep(time.Hour)
		h.world.SayDirect("cleo", "ann", "are you there?")
		if got := h.messages(phone); fmt.Sprint(got) != "[cleo: are you there?]" {
			t.Errorf("%q", got)
		}
	})
}

// slow is a network whose logins wait before they say whose account it is.
type slow struct {
	transports.Network
	go_ chan struct{}
}

func (n slow) StartLogin(ctx context.Context, request transports.LoginRequest) (transports.LoginProcess, error) {
	l, err := n.Network.StartLogin(ctx, request)
	return slowLogin{l, n.go_}, err
}

type slowLogin struct {
	transports.LoginProcess
	go_ chan struct{}
}

func (l slowLogin) Next(ctx context.Context, answers map[string]string) (transports.Step, error) {
	if answers != nil {
		<-l.go_
	}
	return l.LoginProcess.Next(ctx, answers)
}

// An account that is deleted while one of its logins is under way leaves nothing to whoever
// gets the address next: neither the login's outcome nor the conversation.
func TestRemovedWhileLinking(t *testing.T) {
	withGateway(t, func(h *harness) {
		net := slow{h.net, make(chan struct{})}
		h.net = net
		h.start()
		x := stanza.NewElement(nsRegister, "query").Add(
			stanza.TextElement(nsRegister, "username", "ann"), stanza.TextElement(nsRegister, "password", "x"))
		h.send(stanza.NewIQ(domain, phone, stanza.TypeSet, x))
		h.check(h.g.RemoveUser(h.Context(), ann))
		close(net.go_)
		synctest.Wait()
		time.Sleep(time.Minute)
		h.discard()
		h.world.SayDirect("cleo", "ann", "for the one before")
		h.expect(phone)
		if got := h.leftOf("ann@example.org"); len(got) > 0 {
			t.Errorf("left: %q", got)
		}
		if got := h.write("status"); len(got) != 1 || !strings.Contains(got[0], "You can write") {
			t.Errorf("%q", got)
		}
		// A conversation.
		h.write("link")
		h.write("ann")
		h.check(h.g.RemoveUser(h.Context(), ann))
		h.discard()
		if got := h.write("x"); len(got) != 1 || !strings.Contains(got[0], "You can write") {
			t.Errorf("another's conversation goes on: %q", got)
		}
		// A command.
		first := h.command("link", "", nil)
		h.check(h.g.RemoveUser(h.Context(), ann))
		next := stanza.NewElement("http://jabber.org/protocol/commands", "command").With("node", "link").With("sessionid", first.Attr("sessionid"))
		if a := h.ask(phone, domain, stanza.TypeSet, next); a.Type != stanza.TypeError {
			t.Errorf("another's command goes on: %s", a)
		}
	})
}

// An account that was unlinked while it was being renewed stays unlinked.
func TestUnlinkedWhileRelinking(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.write("relink")
		h.write("ann")
		if a := h.ask(phone, domain, stanza.TypeSet, stanza.NewElement(nsRegister, "query").Add(stanza.NewElement(nsRegister, "remove"))); a.Type != stanza.TypeResult {
			t.Fatal(a)
		}
		h.discard()
		if got := h.write("x"); len(got) != 1 || !strings.Contains(got[0], "unlinked") {
			t.Errorf("%q", got)
		}
		if got := h.leftOf("ann@example.org"); len(got) > 0 {
			t.Errorf("left: %q", got)
		}
	})
}

// Strangers cost no memory, and their servers have no say.
func TestUsersWithoutLoginAreNotRemembered(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		for i := range 300 {
			h.endpoint.deliver(stanza.NewPresence(domain, jidOf(fmt.Sprintf("u%d@example.edu/x", i)), ""))
			grant := privileges("roster", "both", "message", "outgoing")
			grant.From = jidOf(fmt.Sprintf("s%d.example.edu", i))
			h.endpoint.deliver(grant)
		}
		synctest.Wait()
		if people, servers := h.g.Remembered(); people != 0 || servers != 0 {
			t.Errorf("%d people and %d servers are remembered", people, servers)
		}
		h.send(stanza.NewPresence(domain, phone, ""))
		h.send(privileges("roster", "both"))
		if people, servers := h.g.Remembered(); people != 1 || servers != 1 {
			t.Errorf("%d people and %d servers are remembered", people, servers)
		}
	})
}
