package integration_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// TestComponentIsCutOff cuts the connection between a gateway and the server that it is a component of again and again, while the
// network sends: every message arrives, in order. XEP-0114 has no acknowledgements; a client knows by its id what it gets twice.
func TestComponentIsCutOff(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(t *testing.T, setup peers.Setup) *peers.Server{
		"dragoman": func(t *testing.T, setup peers.Setup) *peers.Server {
			return &peers.StartDragoman(t, peers.Options{Setup: setup}).Server
		},
		"prosody": func(t *testing.T, setup peers.Setup) *peers.Server { return &peers.StartProsody(t, setup).Server },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 4*peerTimeout)
			defer cancel()
			w := newSlackNetwork(t).asFakeNetwork()
			c := peers.Component{Domain: w.kind() + "." + testHost, Secret: "between the two"}
			server := start(t, peers.Setup{Host: testHost, Accounts: testAccounts, Components: []peers.Component{c}})
			relay := peers.StartRelay(t, "127.0.0.1:0", server.ComponentAddr)
			behind := *server
			behind.ComponentAddr = relay.Addr
			gateway := peers.StartGateway(t, &behind, gatewaySection(w, fmt.Sprintf("domain = %q\nsecret = %q\n", c.Domain, c.Secret)))
			h := &deployment{server: server, gateway: gateway, domain: c.Domain}
			s := linked(ctx, t, h, w)
			local, _, _ := w.friend()
			friend := local + "@" + h.domain
			var sent []string
			for i := range 40 {
				text := fmt.Sprintf("message %d", i)
				w.send(true, text)
				sent = append(sent, text)
				if i%8 == 5 {
					relay.Cut()
				}
			}
			err := s.await(ctx, func() bool { return len(withPrefix(s.bodies(friend, "chat"), "message ")) >= len(sent) })
			if err != nil {
				t.Error(err)
			}
			sameOnce(t, "from the network", sent, withPrefix(s.bodies(friend, "chat"), "message "))
			t.Logf("%d messages came twice", s.again)
		})
	}
}
