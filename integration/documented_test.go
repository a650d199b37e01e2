package integration_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// TestDocumentedComponents runs a gateway under other servers with the configurations that transports/README.md has to copy.
func TestDocumentedComponents(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(t *testing.T, setup peers.Setup) *deployment{
		"prosody": func(t *testing.T, setup peers.Setup) *deployment {
			p := peers.StartDocumentedProsody(t, documented(t, "prosody.cfg.lua"), setup)
			return &deployment{server: &p.Server, fillsRosters: true, keepsBookmarks: true}
		},
		"ejabberd": func(t *testing.T, setup peers.Setup) *deployment {
			e := peers.StartDocumentedEjabberd(t, documented(t, "ejabberd.yml"), setup)
			return &deployment{server: &e.Server, fillsRosters: e.FillsRosters()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 4*peerTimeout)
			defer cancel()
			w := newSlackNetwork(t).asFakeNetwork()
			c := peers.Component{Domain: "slack.example.org", Secret: "change me"}
			h := build(t, peers.Setup{Accounts: testAccounts, Components: []peers.Component{c}})
			h.domain = c.Domain
			config := peers.Adapt(t, documented(t, "dragoman.toml"), "/var/lib/dragoman", "data", "127.0.0.1:5347", h.server.ComponentAddr)
			h.gateway = peers.StartConfiguredGateway(t, h.server, config+fmt.Sprintf("api_url = %q\n", w.apiURL())+presenceSetting(w)+fastRetries)
			testGateway(ctx, t, h, w)
		})
	}
}

// documented returns the configuration of a name in transports/README.md.
func documented(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile("../transports/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, config, found := strings.Cut(string(text), " file="+file+"\n")
	config, _, closed := strings.Cut(config, "\n```")
	if !found || !closed {
		t.Fatalf("transports/README.md has no %s", file)
	}
	return config + "\n"
}
