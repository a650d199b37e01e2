package peers

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// xmppJS is where the script for @xmpp/client is, and its modules, from the directory of the tests.
const xmppJS = "peers/xmppjs"

// XMPPJS is a client on @xmpp/client in a process of its own.
type XMPPJS struct {
	JID string // after Login

	*script
}

// needXMPPJS ends the test where the libraries are not installed.
func needXMPPJS(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		Missing(t, "node is not installed")
	}
	if _, err := os.Stat(filepath.Join(xmppJS, "node_modules")); err != nil {
		Missing(t, "@xmpp/client, StanzaJS and strophe.js are not installed: npm ci --prefix integration/"+xmppJS)
	}
}

// WebLogin is what WebClient does.
type WebLogin struct {
	Library string // stanza or strophe
	Address string // of WebSocket or BOSH
	Server  *Server
	Account Account
	Text    string
}

// WebClient has a client log in, write a text to itself and leave. It returns what the client has printed.
func WebClient(ctx context.Context, t testing.TB, l WebLogin) (string, error) {
	t.Helper()
	needXMPPJS(t)
	cmd := exec.CommandContext(ctx, "node", "web.mjs", l.Library, l.Address, l.Server.Host, l.Account.User, l.Account.Password, l.Text)
	cmd.Dir = xmppJS
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// StartXMPPJS starts a client that is not logged in and trusts the server's certificate.
func StartXMPPJS(t testing.TB, server *Server) *XMPPJS {
	t.Helper()
	needXMPPJS(t)
	cmd := exec.Command("node", "client.mjs")
	cmd.Dir, cmd.Env = xmppJS, append(os.Environ(), "NODE_EXTRA_CA_CERTS="+server.CertFile)
	return &XMPPJS{script: startScript(t, "xmppjs", cmd)}
}

// Login logs in by SASL2 as a client with an id, which gets copies of its account's messages.
func (x *XMPPJS) Login(ctx context.Context, server *Server, account Account, device string) error {
	return x.LoginAt(ctx, "xmpp://"+server.ClientAddr, server, account, device)
}

// LoginAt is Login at an address such as xmpp://127.0.0.1:5222 or ws://127.0.0.1:5280/ws.
func (x *XMPPJS) LoginAt(ctx context.Context, address string, server *Server, account Account, device string) error {
	var result struct{ JID string }
	err := x.Do(ctx, "login", map[string]any{
		"service": address, "domain": server.Host, "username": account.User, "password": account.Password, "device": device, "copies": true,
	}, &result)
	x.JID = result.JID
	return err
}
