package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// blockedService is a service that does not end when it should.
type blockedService struct{ started, released chan struct{} }

func (s *blockedService) Run(context.Context) error {
	close(s.started)
	<-s.released
	return nil
}

func (s *blockedService) Started() <-chan struct{}                  { return s.started }
func (s *blockedService) RemoveUser(context.Context, jid.JID) error { return nil }
func (s *blockedService) Counts() []Count                           { return nil }

// Run returns at its deadline whatever has not ended: a service, a write, and readers of clients and components whose handlers
// block.
func TestShutdownDeadline(t *testing.T) {
	t.Parallel()
	const shutdown = time.Second
	for name, block := range map[string]func(p *testServer, end func(*stanza.Stanza)){
		"service": func(*testServer, func(*stanza.Stanza)) {},
		"write": func(p *testServer, end func(*stanza.Stanza)) {
			p.server.store.Partition("romeo@home.test").WriteAsync(func(*sql.Tx) error { end(nil); return nil }, nil)
		},
		"client's reader": func(p *testServer, _ func(*stanza.Stanza)) {
			c := p.online("romeo")
			c.Send("<message to='blocked.home.test'/>")
		},
		"client whose write waits": func(p *testServer, end func(*stanza.Stanza)) {
			c := p.online("romeo")
			p.server.store.Partition("romeo@home.test").WriteAsync(func(*sql.Tx) error { end(nil); return nil }, nil)
			c.Send("<iq type='set' id='card'><vCard xmlns='vcard-temp'/></iq>")
		},
		"component's reader": func(p *testServer, _ func(*stanza.Stanza)) {
			c := p.attached()
			c.Send("<message from='gate.home.test' to='blocked.home.test'/>")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := config.Parse(fmt.Appendf(nil, settings, t.TempDir(), fmt.Sprintf("shutdown = %q", shutdown), "", "", "", ""), "", nil)
			if err != nil {
				t.Fatal(err)
			}
			c.Login.Iterations = 1
			p := &testServer{t: t, log: &errorLog{}}
			if p.server, err = New(t.Context(), c, Options{Log: slog.New(p.log)}); err != nil {
				t.Fatal(err)
			}
			blocked, released := make(chan struct{}, 100), make(chan struct{})
			end := func(*stanza.Stanza) {
				blocked <- struct{}{}
				<-released
			}
			endpoint, err := p.server.Router().Endpoint(jid.MustParse("blocked.home.test"))
			if err != nil {
				t.Fatal(err)
			}
			endpoint.Handle(end)
			service := &blockedService{make(chan struct{}), make(chan struct{})}
			if name != "service" {
				close(service.released)
			}
			if err := p.server.Attach(Attachment{Service: service, Endpoint: endpoint}); err != nil {
				t.Fatal(err)
			}
			p.account("romeo")
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- p.server.Run(ctx) }()
			<-service.started
			block(p, end)
			if name != "service" {
				<-blocked
			}
			begun := time.Now()
			cancel()
			select {
			case <-done:
			case <-time.After(patience):
				t.Error("Run does not return")
			}
			if took := time.Since(begun); took > shutdown+patience/2 {
				t.Errorf("Run returned after %v", took)
			}
			close(released)
			if name == "service" {
				close(service.released)
			}
			if err := p.server.Close(); err != nil { // waits for what has been abandoned
				t.Error(err)
			}
		})
	}
}

type closer func() error

func (c closer) Close() error { return c() }

func TestCloseWithin(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	if err := CloseWithin(t.Context(), closer(func() error { return broken })); err != broken {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	release := make(chan struct{})
	defer close(release)
	if err := CloseWithin(ended, closer(func() error { <-release; return nil })); err != errSlowStop {
		t.Error(err)
	}
}
