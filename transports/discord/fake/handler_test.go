package fake_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
	"github.com/dragoman-im/dragoman/transports/discord/fake/conformance"
)

// TestOtherHTTPServer has the fake server behind another listener.
func TestOtherHTTPServer(t *testing.T) {
	t.Parallel()
	s := fake.New(fake.Options{Checker: conformance.New(t)})
	web := httptest.NewServer(s)
	defer web.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	w := &testDiscord{T: t, Server: s, ctx: ctx, bot: s.AddBot(fake.App{Name: "bridge"})}
	w.guild = s.AddGuild("Acme", s.AddUser(fake.User{Name: "owner"}))
	w.bot.Install(w.guild, fake.BridgePermissions)
	c := &client{testDiscord: w}
	c.connect("ws" + web.URL[4:] + "/?v=10&encoding=json")
	c.expectOp(10)
	same(t, "base", s.URL(), web.URL)
	c.identify(fake.IntentGuilds)
	c.ready()
	c.expect("GUILD_CREATE")
	w.ok(s.Close())
	same(t, "cut", c.closed(), -1)
	r, err := http.NewRequestWithContext(ctx, "GET", web.URL+"/api/v10/gateway", nil)
	w.ok(err)
	a, err := w.send(r)
	w.ok(err)
	same(t, "after Close", a.status, http.StatusServiceUnavailable)
	w.ok(s.Close())
}

// TestManyEvents is a flood: every event comes, once and in order.
func TestManyEvents(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	c := w.online(fake.IntentGuilds | fake.IntentMessages)
	const n = 1000
	var saying sync.WaitGroup
	defer saying.Wait()
	saying.Go(func() {
		for range n {
			if _, err := w.Say(w.general, w.ann, "line"); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range n {
		c.expect("MESSAGE_CREATE") // expect checks the sequence
	}
}
