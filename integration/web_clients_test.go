package integration_test

import (
	"context"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// TestWebClients has clients on StanzaJS and strophe.js log in over WebSocket and over BOSH, write to themselves and leave.
func TestWebClients(t *testing.T) {
	t.Parallel()
	d := peers.StartDragoman(t, peers.Options{Setup: foreignSetup, LocalWeb: true})
	for _, library := range []string{"stanza", "strophe"} {
		for name, address := range map[string]string{"websocket": "ws://" + d.HTTPAddr + "/ws", "bosh": "http://" + d.HTTPAddr + "/http-bind"} {
			t.Run(library+" "+name, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
				defer cancel()
				out, err := peers.WebClient(ctx, t, peers.WebLogin{
					Library: library, Address: address, Server: &d.Server, Account: foreignSetup.Accounts[0], Text: "by " + name + " & <" + library + ">",
				})
				if err != nil || !strings.Contains(out, "received") {
					t.Errorf("%v: %s", err, out)
				}
			})
		}
	}
}
