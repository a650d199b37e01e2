package server

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// fakeService counts what it is called for.
type fakeService struct {
	started chan struct{}
	ended   atomic.Bool
	removed atomic.Pointer[jid.JID]
}

func (f *fakeService) Run(ctx context.Context) error {
	close(f.started)
	<-ctx.Done()
	f.ended.Store(true)
	return nil
}

func (f *fakeService) Started() <-chan struct{} { return f.started }

func (f *fakeService) RemoveUser(_ context.Context, account jid.JID) error {
	f.removed.Store(&account)
	return nil
}

func (f *fakeService) Counts() []Count { return []Count{{"gateway.stanzas", 3}} }

// A service is listed, gets its privileges and its stanzas, and is asked to forget deleted accounts.
func TestService(t *testing.T) {
	t.Parallel()
	f, second := &fakeService{started: make(chan struct{})}, &fakeService{started: make(chan struct{})}
	got := make(chan *stanza.Stanza, 20)
	p := newTestServerWith(t, extra{}, func(s *Server) error {
		for domain, service := range map[string]*fakeService{"service.home.test": f, "second.home.test": second} {
			end, err := s.Router().Endpoint(jid.MustParse(domain))
			if err != nil {
				return err
			}
			end.Handle(func(st *stanza.Stanza) { got <- st })
			a := Attachment{Service: service, Endpoint: end, Name: "A service"}
			if service == f {
				a.Privileges = GatewayPrivileges()
			}
			if err := s.Attach(a); err != nil {
				return err
			}
		}
		return nil
	})
	if st := <-got; !strings.Contains(st.String(), "<perm access='roster' type='both' push='false'/><perm access='message' type='outgoing'/>") {
		t.Errorf("got %s", st)
	}
	if st := <-got; st.Child("urn:xmpp:privilege:1", "privilege") == nil { // for components that know the older version
		t.Errorf("got %s", st)
	}
	c := p.online("romeo")
	c.Send("<iq type='get' id='1' to='home.test'><query xmlns='http://jabber.org/protocol/disco#items'/></iq><message to='service.home.test' id='m'/>")
	if items := c.Until("</iq>"); !strings.Contains(items, "service.home.test") || !strings.Contains(items, "second.home.test") {
		t.Errorf("listed: %s", items)
	}
	if st := <-got; st.Kind != stanza.Presence || st.From.String() != "romeo@home.test/x" { // a gateway is notified of who is online
		t.Errorf("got %s", st)
	}
	if st := <-got; st.ID != "m" {
		t.Errorf("got %s", st)
	}
	if n := p.count("gateway.stanzas"); n != 6 {
		t.Errorf("both together counted %d", n)
	}
	c.Send("<iq type='set' id='2'><query xmlns='jabber:iq:register'><remove/></query></iq>")
	c.rest()
	p.gone("romeo")
	for _, s := range []*fakeService{f, second} {
		if account := s.removed.Load(); account == nil || account.String() != "romeo@home.test" {
			t.Errorf("removed %v", account)
		}
	}
	p.stop()
	rawstream.Eventually(t, "ended", func() bool { return f.ended.Load() && second.ended.Load() })
}

// slowService ends when it is released, not when it is told to.
type slowService struct {
	fakeService
	release chan struct{}
}

func (s *slowService) Run(ctx context.Context) error {
	close(s.started)
	<-ctx.Done()
	<-s.release
	return nil
}

// A service that does not end in time keeps its place: no other one is attached beside it, and removing it again waits further.
func TestRemoveSlowService(t *testing.T) {
	t.Parallel()
	domain := jid.MustParse("slow.home.test")
	slow := &slowService{fakeService{started: make(chan struct{})}, make(chan struct{})}
	var server *Server
	attach := func(s Service) error {
		end, err := server.Router().Endpoint(domain)
		if err != nil {
			return err
		}
		if err := server.Attach(Attachment{Service: s, Endpoint: end, Name: "slow"}); err != nil {
			end.Close()
			return err
		}
		return nil
	}
	newTestServerWith(t, extra{}, func(s *Server) error {
		server = s
		return attach(slow)
	})
	<-slow.started
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if err := server.Remove(late, domain); err == nil {
		t.Fatal("a service that runs counts as removed")
	}
	next := &fakeService{started: make(chan struct{})}
	if err := attach(next); err == nil {
		t.Fatal("a second service was attached beside it")
	}
	close(slow.release)
	if err := server.Remove(t.Context(), domain); err != nil {
		t.Fatal(err)
	}
	if err := attach(next); err != nil {
		t.Fatal(err)
	}
	<-next.started
	if err := server.Remove(t.Context(), jid.MustParse("none.home.test")); err == nil {
		t.Error("a service that does not exist was removed")
	}
}
