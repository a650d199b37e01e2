package peers

import (
	"context"
	_ "embed"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

//go:embed slixmpp_client.py
var slixmppScript []byte

// python is the interpreter that has slixmpp from the distribution's package.
const python = "/usr/bin/python3"

// Event is something that a slixmpp client was sent.
type Event struct {
	Event  string // stanza, roster, data or gone
	Kind   string // message or presence
	Seen   Seen   // what slixmpp understood
	Raw    string // the stanza
	Reason string
}

// Seen is what slixmpp understood of a stanza.
type Seen struct {
	From      string
	Type      string
	ID        string
	Body      string
	Replaces  string
	Retracts  string
	ReactsTo  string `json:"reacts_to"`
	Reactions []string
	RepliesTo string `json:"replies_to"`
	Delayed   bool
	Show      string
	Status    string
}

// Slixmpp is a slixmpp client in a process of its own.
type Slixmpp struct {
	JID       string // after Login
	Mechanism string // SASL, after Login
	Roster    map[string]Contact

	*script
}

// Contact is an item of a contact list.
type Contact struct {
	Name         string
	Groups       []string
	Subscription string
}

// StartSlixmpp starts a client that is not logged in.
func StartSlixmpp(t testing.TB) *Slixmpp {
	t.Helper()
	if err := exec.CommandContext(t.Context(), python, "-c", "import slixmpp").Run(); err != nil {
		Missing(t, "slixmpp is not installed for "+python)
	}
	script := filepath.Join(t.TempDir(), "client.py")
	if err := os.WriteFile(script, slixmppScript, 0o600); err != nil {
		t.Fatal(err)
	}
	return &Slixmpp{script: startScript(t, "slixmpp", exec.Command(python, "-u", script))}
}

// Login logs in over STARTTLS with SCRAM, gets the contact list and becomes available.
func (s *Slixmpp) Login(ctx context.Context, server *Server, account Account) error {
	host, port, err := net.SplitHostPort(server.ClientAddr)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	var result struct {
		JID       string
		Mechanism string
		Roster    map[string]Contact
	}
	err = s.Do(ctx, "login", map[string]any{
		"jid": account.User + "@" + server.Host, "password": account.Password,
		"host": host, "port": number, "ca_certs": server.CertFile,
	}, &result)
	s.JID, s.Mechanism, s.Roster = result.JID, result.Mechanism, result.Roster
	return err
}

// Attach attaches a component to a server, and returns the privileges that it is told (XEP-0356).
func (s *Slixmpp) Attach(ctx context.Context, server *Server, c Component) (privileges map[string]string, err error) {
	host, port, err := net.SplitHostPort(server.ComponentAddr)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	var result struct{ Privileges map[string]string }
	err = s.Do(ctx, "attach", map[string]any{"jid": c.Domain, "secret": c.Secret, "host": host, "port": number, "domain": server.Host}, &result)
	s.JID = c.Domain
	return result.Privileges, err
}
