package c2s

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/stream"
)

// rest lets silent connections rest until the test ends.
func (p *testServer) rest(every time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := p.server.Rest(ctx, every); err != nil {
			p.t.Error(err)
		}
	})
	p.t.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

// Sessions that rest and go on all the time lose nothing of what they send and get, with TLS and without.
func TestRestingSessions(t *testing.T) {
	t.Parallel()
	const every = 2 * time.Millisecond
	p := newTestServer(t, plain)
	p.rest(every)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			c := p.dial()
			c.features("home.test")
			if i%2 == 0 {
				c.startTLS()
				c.features("home.test")
			}
			c.scram("romeo")
			c.features("home.test")
			c.Send(bindIQ("") + "<presence/>")
			c.Until("</iq>")
			for range 30 {
				time.Sleep(time.Duration(rand.IntN(5)) * every) //nolint:gosec
				c.ping()
			}
			time.Sleep(5 * every)
			if i < 4 {
				c.Send("</stream:stream>")
				if !strings.Contains(c.Rest(), "</stream:stream>") {
					t.Error("the stream was not closed")
				}
			}
		})
	}
	wg.Wait()
	rest := p.session("juliet", "balcony")
	time.Sleep(5 * every)
	p.server.conns.Shutdown(t.Context(), stream.NewError(stream.SystemShutdown, ""))
	rest.wantError("system-shutdown")
}
