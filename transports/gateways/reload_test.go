package gateways

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// A gateway that is disabled while a user is online leaves nobody available; enabled again it finds the user, who sees
// the gateway without doing anything.
func TestReloadWithUserOnline(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	parse := func(echo string) config.Config {
		t.Helper()
		c, err := config.Parse(fmt.Appendf(nil, "[server]\nhosts = [\"home.test\"]\ndata = %q\n[listen]\nc2s = [\"127.0.0.1:0\"]\nc2s_tls = []\ncomponent = []\nhttp = []\nhttp_tls = []\n[echo]\n%s\n", dir, echo),
			"", nil, Sections(networks())...)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	applied, reloads := make(chan config.Config), make(chan config.Config)
	first := parse("enabled = true")
	i, err := newInside(t.Context(), first, Options{Networks: networks(), Reloads: reloads, Reloaded: func(c config.Config) { applied <- c }})
	if err != nil {
		t.Fatal(err)
	}
	romeo := &session{}
	if err := i.server.Store().CreateAccount(t.Context(), romeo.JID().Bare(), sasl.Credentials{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	r := &reloader{host: i, maker: i.maker, running: first, apply: i.server.Reload}
	go func() { done <- r.runHost(ctx, i.server.Run) }()
	bound, err := i.server.Router().Host(jid.MustParse("home.test")).Bind(ctx, romeo, router.BindOptions{})
	if err != nil {
		t.Fatal(err)
	}
	send := func(st *stanza.Stanza) {
		b := router.NewBatch(ctx)
		st.From = romeo.JID()
		bound.Submit(b, st)
		b.Flush()
	}
	until := func(what string, shows func(*session) bool) {
		t.Helper()
		for limit := time.Now().Add(30 * time.Second); !shows(romeo); time.Sleep(time.Millisecond) {
			if time.Now().After(limit) {
				t.Fatalf("no %s, got %v", what, romeo.got)
			}
		}
	}
	gateway := jid.MustParse("echo.home.test")
	send(&stanza.Stanza{Kind: stanza.Presence})
	for _, step := range []struct{ write, answer string }{{"link", "<body>Name"}, {"guest", "<body>Password"}, {"any", "is linked"}} {
		send(&stanza.Stanza{Kind: stanza.Message, ID: step.write, To: gateway, Type: stanza.TypeChat, Payload: "<body>" + step.write + "</body>"})
		until(step.answer, func(s *session) bool { return s.has(step.answer) })
	}
	from := func(typ string) func(*session) bool {
		return func(s *session) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, st := range s.got {
				if st.Kind == stanza.Presence && st.Type == typ && st.From.Bare() == gateway {
					return true
				}
			}
			return false
		}
	}
	until("presence of the gateway", from(""))

	romeo.clear()
	reloads <- parse("enabled = false")
	<-applied
	until("end of the gateway's presence", from(stanza.TypeUnavailable))
	send(&stanza.Stanza{Kind: stanza.Message, ID: "2", To: gateway, Type: stanza.TypeChat, Payload: "<body>help</body>"})
	until("error", func(s *session) bool { return s.has("remote-server-not-found") })
	send(&stanza.Stanza{Kind: stanza.IQ, ID: "3", Type: stanza.TypeGet, To: jid.MustParse("home.test"), Payload: "<query xmlns='http://jabber.org/protocol/disco#items'/>"})
	until("list of services", func(s *session) bool { return s.has("disco#items") })
	if romeo.has("jid='echo.home.test'") {
		t.Error("the gateway is listed")
	}

	romeo.clear()
	reloads <- parse("enabled = true")
	<-applied
	until("presence of the gateway", from(""))
	send(&stanza.Stanza{Kind: stanza.Message, ID: "4", To: gateway, Type: stanza.TypeChat, Payload: "<body>help</body>"})
	until("answer", func(s *session) bool { return s.has("gateway to Echo") })

	bound.Unbind(ctx)
	cancel()
	if err := <-done; err != nil && !strings.Contains(err.Error(), "canceled") {
		t.Error(err)
	}
}
