package integration_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// TestComponentIsCutOff cuts the connection between a gateway and the server that it is a component of again and again, kills the gateway
// and restarts the server, while the network sends: every message arrives, in order. XEP-0114 has no acknowledgements; a client
// knows by its id what it gets twice.
func TestComponentIsCutOff(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(t *testing.T, setup peers.Setup) (*peers.Server, func()){
		"dragoman": func(t *testing.T, setup peers.Setup) (*peers.Server, func()) {
			d := peers.StartDragoman(t, peers.Options{Setup: setup})
			return &d.Server, d.Restart
		},
		"prosody": func(t *testing.T, setup peers.Setup) (*peers.Server, func()) {
			p := peers.StartProsody(t, setup)
			return &p.Server, p.Restart
		},
		"ejabberd": func(t *testing.T, setup peers.Setup) (*peers.Server, func()) {
			e := peers.StartEjabberd(t, setup)
			return &e.Server, e.Restart
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 6*peerTimeout)
			defer cancel()
			w := newSlackNetwork(t).asFakeNetwork()
			c := peers.Component{Domain: w.kind() + "." + testHost, Secret: "between the two"}
			server, restart := start(t, peers.Setup{Host: testHost, Accounts: testAccounts, Components: []peers.Component{c}})
			relay := peers.StartRelay(t, "127.0.0.1:0", server.ComponentAddr)
			behind := *server
			behind.ComponentAddr = relay.Addr
			gateway := peers.StartGateway(t, &behind, gatewaySection(w, fmt.Sprintf("domain = %q\nsecret = %q\n", c.Domain, c.Secret)))
			h := &deployment{server: server, gateway: gateway, domain: c.Domain}
			s := linked(ctx, t, h, w)
			local, _, _ := w.friend()
			friend := local + "@" + h.domain
			var sent []string
			arrived := func() []string { return withPrefix(s.bodies(friend, "chat"), "message ") }
			// send has the friend write a number of messages, and does something in the middle.
			send := func(n int, inBetween func()) {
				t.Helper()
				for i := range n {
					text := fmt.Sprintf("message %d", len(sent))
					w.send(true, text)
					sent = append(sent, text)
					if i == n/2 {
						inBetween()
					}
				}
				if err := s.await(ctx, func() bool { return len(arrived()) >= len(sent) }); err != nil {
					t.Error(err)
				}
			}
			for range 5 {
				send(8, relay.Cut)
			}
			send(8, gateway.Restart)
			send(8, func() {
				relay.Hold()
				s.leave()
				restart()
				if err := s.connect(ctx); err != nil {
					t.Error(err)
				}
				s.awaitStored(ctx) // ejabberd does not wait for what it has stored before it passes on what is new
				relay.Release()
			})
			sameOnce(t, "from the network", sent, arrived())
			t.Logf("%d messages came twice", s.again)
		})
	}
}

// awaitStored waits until the server has sent what it had stored for the client before it connected: what the client sends
// itself comes behind that.
func (s *reconnectingClient) awaitStored(ctx context.Context) {
	s.t.Helper()
	own := s.account.User + "@" + s.server.Host
	s.mu.Lock()
	before := s.sent
	s.sent++
	text := fmt.Sprintf("stored before %d", before)
	err := s.conn.Send("<message type='chat' to='" + own + "'><body>" + text + "</body></message>")
	s.mu.Unlock()
	if err == nil {
		err = s.await(ctx, func() bool { return len(withPrefix(s.bodies(own, "chat"), text)) > 0 })
	}
	if err != nil {
		s.t.Errorf("wait for what the server has stored: %v", err)
	}
}
