package integration_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
)

// TestAccounts makes, changes and deletes accounts from the command line while the server
// runs.
func TestAccounts(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	d := peers.StartDragoman(t, peers.Options{Setup: peers.Setup{Host: testHost}})
	run := func(input string, args ...string) string {
		t.Helper()
		out, err := d.Run(input, args...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	logsIn := func(password string) bool {
		t.Helper()
		conn, err := d.Dial(ctx, peers.Account{User: "ann", Password: password}, "")
		var refused *client.Refused
		switch {
		case err == nil:
			conn.Drop()
			return true
		case errors.As(err, &refused) && refused.Condition == "not-authorized":
			return false
		}
		t.Fatal(err)
		return false
	}
	if logsIn("first") {
		t.Error("an account that does not exist logs in")
	}
	run("first\n", "account", "add", "ann@"+testHost)
	if !logsIn("first") || logsIn("second") {
		t.Error("the new account does not log in with its password alone")
	}
	if _, err := d.Run("other\n", "account", "add", "ann@"+testHost); err == nil {
		t.Error("an account was made twice")
	}
	if _, err := d.Run("x\n", "account", "add", "ann@elsewhere.example"); err == nil {
		t.Error("an account was made on a domain that is not served")
	}
	if _, err := d.Run("x\n", "account", "add", "not a name@"+testHost); err == nil {
		t.Error("an account was made with a name that is none")
	}
	run("second\n", "account", "passwd", "ann") // the first host is the default
	if logsIn("first") || !logsIn("second") {
		t.Error("the password was not changed")
	}
	if out := run("", "account", "ls"); !strings.Contains(out, "ann@"+testHost) {
		t.Errorf("the list of accounts is %q", out)
	}
	run("", "account", "grant", "ann", "operator")
	run("", "account", "lock", "ann", "--for", "1h")
	if out := run("", "account", "show", "ann"); !strings.Contains(out, "locked until ") || !strings.Contains(out, "role:      operator\n") {
		t.Errorf("the locked operator is %q", out)
	}
	run("", "account", "disable", "ann")
	if out := run("", "account", "list"); !strings.Contains(out, "operator  disabled since ") {
		t.Errorf("the list of accounts is %q", out)
	}
	for _, wrong := range [][]string{{"lock", "ann"}, {"lock", "ann", "--until", "soon"}, {"lock", "ann", "--until", "2001-01-01"}, {"grant", "ann", "owner"}, {"disable", "bob"}} {
		if out, err := d.Run("", append([]string{"account"}, wrong...)...); err == nil {
			t.Errorf("%v: %q", wrong, out)
		}
	}
	run("", "account", "enable", "ann")
	run("", "account", "revoke", "ann")
	if out := run("", "account", "show", "ann"); !strings.Contains(out, "may log in") || !strings.Contains(out, "role:      user\n") || !logsIn("second") {
		t.Errorf("the enabled account is %q", out)
	}
	if out := run("", "invite", "--user", "Bob", "--for", "1h"); !strings.Contains(out, "xmpp:bob@"+testHost+"?register;preauth=") {
		t.Errorf("the invitation is %q", out)
	}
	for _, wrong := range [][]string{{"--user", "ann"}, {"--user", "bob"}, {"--uses", "0"}, {"--host", "elsewhere.example"}, {"--for", "-1h"}} {
		if out, err := d.Run("", append([]string{"invite"}, wrong...)...); err == nil {
			t.Errorf("invite %v: %q", wrong, out)
		}
	}
	run("", "account", "rm", "--yes", "ann@"+testHost)
	if logsIn("second") {
		t.Error("a deleted account logs in")
	}
	if out := run("", "account", "ls"); strings.Contains(out, "ann@") {
		t.Errorf("the list of accounts is %q", out)
	}
	if _, err := d.Run("", "account", "rm", "--yes", "ann@"+testHost); err == nil {
		t.Error("an account was deleted twice")
	}
}

// TestShutdownByCommand stops the server by a signal: clients get a stream error, the exit status is 0, and the
// data is there at the next start.
func TestShutdownByCommand(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	ann := peers.Account{User: "ann", Password: "secret"}
	d := peers.StartDragoman(t, peers.Options{Setup: peers.Setup{Host: testHost, Accounts: []peers.Account{ann}}})
	conn, err := d.Dial(ctx, ann, "")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := request(ctx, conn, "set", "", "<query xmlns='jabber:iq:roster'><item jid='bob@"+testHost+"'/></query>")
	if err != nil || answer.Attr("type") != "result" {
		t.Fatalf("add a contact: %v, %v", answer, err)
	}
	d.Stop()
	for err == nil {
		_, err = conn.Next(ctx)
	}
	var writeFault *client.StreamError
	if !errors.As(err, &writeFault) || writeFault.Condition != "system-shutdown" {
		t.Errorf("the client saw %v, want system-shutdown", err)
	}
	conn.Drop()
	d.Start()
	if conn, err = d.Dial(ctx, ann, ""); err != nil {
		t.Fatal(err)
	}
	defer conn.Drop()
	answer, err = ask(ctx, conn, "", "<query xmlns='jabber:iq:roster'/>")
	if err != nil || answer.Find("query", "item") == nil {
		t.Errorf("the contact after the restart: %v, %v", answer, err)
	}
}

// TestConfigCommands checks the generated texts, and that all wrong settings are reported at once, with their
// names.
func TestConfigCommands(t *testing.T) {
	t.Parallel()
	d := peers.Unstarted(t, "")
	for args, want := range map[string]string{"example": config.Example(), "doc": config.Reference()} {
		if out, err := d.Run("", "config", args, "server"); err != nil || out != want {
			t.Errorf("config %s server: %v; %d bytes, want %d", args, err, len(out), len(want))
		}
		out, err := d.Run("", "config", args)
		if err != nil || !strings.HasPrefix(out, want) || !strings.Contains(out[len(want):], "[slack]") {
			t.Errorf("config %s: %v; it has no section of a network behind those of the server", args, err)
		}
	}
	file := filepath.Join(d.Dir, "made.toml")
	if _, err := d.Run("", "config", "example", "server", "-o", file); err != nil {
		t.Error(err)
	} else if text, err := os.ReadFile(file); err != nil || string(text) != config.Example() {
		t.Errorf("config example -o wrote %d bytes: %v", len(text), err)
	}
	if out, err := d.Run("", "config", "check"); err != nil {
		t.Errorf("an empty configuration is not good: %v %s", err, out)
	}
	wrong := peers.Unstarted(t, "[server]\nhosts = []\n\n[limit]\nx = 1\n\n[log]\nlevel = \"loud\"\n")
	out, err := wrong.Run("", "config", "check")
	if err == nil {
		t.Error("a wrong configuration is good")
	}
	for _, name := range []string{"limit", "server.hosts", "log.level"} {
		if !strings.Contains(out, name) {
			t.Errorf("%s is not named among what is wrong: %q", name, out)
		}
	}
	if _, err := wrong.Run("", "serve"); err == nil {
		t.Error("serve started with a wrong configuration")
	}
	if out, err := d.Run("", "version"); err != nil || !strings.HasPrefix(out, "dragoman ") || !strings.Contains(out, "commit ") {
		t.Errorf("version: %v %q", err, out)
	}
}
