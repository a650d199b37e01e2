package integration_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
)

// moved are the accounts that go from one server to another.
var moved = []peers.Account{{User: "ann", Password: "pencil"}, {User: "bob", Password: "brush"}}

// asker sends requests and waits for their answers.
type asker struct {
	t    *testing.T
	conn *client.Conn
}

func dialFor(ctx context.Context, t *testing.T, s *peers.Server, a peers.Account) asker {
	t.Helper()
	conn, err := client.Dial(ctx, client.Login{
		Addr: s.ClientAddr, Domain: s.Host, User: a.User, Password: a.Password, Resource: "desk", TLS: s.TLS,
		Mechanism: "SCRAM-SHA-1", // ejabberd 23.01 fails with channel binding
	})
	if err != nil {
		t.Fatal(err)
	}
	return asker{t, conn}
}

// ask sends stanzas, the last of which is a request with an id, and returns everything up to its answer.
func (a asker) ask(ctx context.Context, id, xml string) string {
	a.t.Helper()
	if err := a.conn.Send(xml); err != nil {
		a.t.Fatal(err)
	}
	var all strings.Builder
	for {
		e, err := a.conn.Next(ctx)
		if err != nil {
			a.t.Fatalf("after %s: %v", xml, err)
		}
		all.WriteString(e.String())
		if e.Name.Local == "iq" && e.Attr("id") == id {
			return all.String()
		}
	}
}

// fillAccounts gives the accounts what is moved.
func fillAccounts(ctx context.Context, t *testing.T, s *peers.Server) {
	t.Helper()
	ann := dialFor(ctx, t, s, moved[0])
	for _, xml := range []string{
		`<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='romeo@elsewhere.example' name='Romeo &amp; co'><group>Friends</group></item></query></iq>`,
		`<iq type='set' id='1'><vCard xmlns='vcard-temp'><FN>Ann &lt;A&gt;</FN></vCard></iq>`,
		`<iq type='set' id='1'><query xmlns='jabber:iq:private'><prefs xmlns='test:prefs'><theme>dark</theme></prefs></query></iq>`,
		`<iq type='set' id='1'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='http://jabber.org/protocol/nick'><item id='current'><nick xmlns='http://jabber.org/protocol/nick'>Annie</nick></item></publish>` +
			`<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#publish-options</value></field><field var='pubsub#access_model'><value>open</value></field></x></publish-options></pubsub></iq>`,
		`<iq type='set' id='1'><block xmlns='urn:xmpp:blocking'><item jid='spam@elsewhere.example'/></block></iq>`,
		`<message to='bob@` + testHost + `' type='chat' id='m1'><body>How are you?</body></message>` +
			`<presence to='bob@` + testHost + `' type='subscribe'/><iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>`,
	} {
		if got := ann.ask(ctx, "1", xml); strings.Contains(got, `type="error"`) {
			t.Fatalf("%s: %s", xml, got)
		}
	}
	if err := ann.conn.Close(); err != nil {
		t.Fatal(err)
	}
}

// holds checks what the accounts have on the server that they came to.
func holds(ctx context.Context, t *testing.T, s *peers.Server, want map[string]bool) {
	t.Helper()
	ann, bob := dialFor(ctx, t, s, moved[0]), dialFor(ctx, t, s, moved[1])
	defer ann.conn.Drop()
	defer bob.conn.Drop()
	for what, got := range map[string]bool{
		"roster":  contains(ann.ask(ctx, "2", `<iq type='get' id='2'><query xmlns='jabber:iq:roster'/></iq>`), `name="Romeo &amp; co"`, "<group>Friends</group>", `ask="subscribe"`),
		"vcard":   contains(ann.ask(ctx, "2", `<iq type='get' id='2'><vCard xmlns='vcard-temp'/></iq>`), "<FN>Ann &lt;A&gt;</FN>"),
		"private": contains(ann.ask(ctx, "2", `<iq type='get' id='2'><query xmlns='jabber:iq:private'><prefs xmlns='test:prefs'/></query></iq>`), "<theme>dark</theme>"),
		"blocked": contains(ann.ask(ctx, "2", `<iq type='get' id='2'><blocklist xmlns='urn:xmpp:blocking'/></iq>`), `jid="spam@elsewhere.example"`),
		"node": contains(ann.ask(ctx, "2", `<iq type='get' id='2'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='http://jabber.org/protocol/nick'/></pubsub></iq>`), ">Annie</nick>") &&
			contains(bob.ask(ctx, "2", `<iq type='get' id='2' to='ann@`+testHost+`'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='http://jabber.org/protocol/nick'/></pubsub></iq>`), ">Annie</nick>"),
		"archive": contains(ann.ask(ctx, "2", `<iq type='set' id='2'><query xmlns='urn:xmpp:mam:2'/></iq>`), "How are you?"),
	} {
		if got != want[what] {
			t.Errorf("%s: %v, want %v", what, got, want[what])
		}
	}
	got := bob.ask(ctx, "2", `<presence/><iq type='get' id='2'><ping xmlns='urn:xmpp:ping'/></iq>`)
	if waiting := strings.Contains(got, "How are you?"); waiting != want["waiting"] {
		t.Errorf("a waiting message: %v, want %v: %s", waiting, want["waiting"], got)
	}
	if !contains(got, `type="subscribe"`) {
		t.Errorf("no subscription request: %s", got)
	}
}

func contains(text string, parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}

// importInto imports an export into a new server, twice, and starts it.
func importInto(t *testing.T, source string) *peers.Dragoman {
	t.Helper()
	d := peers.StartDragoman(t, peers.Options{Setup: peers.Setup{Host: testHost}})
	if out, err := d.Run("", "account", "import", source); err == nil {
		t.Errorf("imported while the server runs: %s", out)
	}
	if err := peers.Poll(limited(t), func() error { // its port is open before its database
		if !d.Log().Contains("msg=serving") {
			return errors.New("the server does not serve yet")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	d.Stop()
	for _, merge := range []string{"--merge=false", "--merge"} {
		out, err := d.Run("", "account", "import", source, merge)
		if err != nil && !strings.Contains(err.Error(), "not everything was imported") {
			t.Fatalf("%v: %s", err, out)
		}
	}
	d.Start()
	return d
}

// limited is a context for one test with other servers.
func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 4*peerTimeout)
	t.Cleanup(cancel)
	return ctx
}

// Accounts come from ejabberd and Prosody by their own exports, with their passwords, and from Dragoman to Dragoman.
func TestImport(t *testing.T) {
	t.Parallel()
	setup := peers.Setup{Host: testHost, Accounts: moved, Nodes: true, Components: []peers.Component{{Domain: "gw." + testHost, Secret: "secret"}}}
	t.Run("ejabberd", func(t *testing.T) {
		t.Parallel()
		ctx := limited(t)
		e := peers.StartEjabberd(t, setup)
		fillAccounts(ctx, t, &e.Server)
		d := importInto(t, e.Export()) // it has no nodes
		holds(ctx, t, &d.Server, map[string]bool{"roster": true, "vcard": true, "private": true, "blocked": true, "waiting": true})
	})
	t.Run("Prosody", func(t *testing.T) {
		t.Parallel()
		ctx := limited(t)
		p := peers.StartProsody(t, setup)
		fillAccounts(ctx, t, &p.Server)
		d := importInto(t, p.Export())
		// Its migrator has no store for blocked addresses and waiting messages.
		holds(ctx, t, &d.Server, map[string]bool{"roster": true, "vcard": true, "private": true, "archive": true, "node": true})
	})
	for _, format := range []string{"xml", "json"} {
		t.Run("Dragoman "+format, func(t *testing.T) {
			t.Parallel()
			ctx := limited(t)
			from := peers.StartDragoman(t, peers.Options{Setup: setup})
			fillAccounts(ctx, t, &from.Server)
			file := filepath.Join(t.TempDir(), "accounts")
			if _, err := from.Run("", "account", "export", "--all", "--format", format, "-o", file); err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v: others may read the keys", info.Mode(), err)
			}
			d := importInto(t, file)
			holds(ctx, t, &d.Server, map[string]bool{"roster": true, "vcard": true, "private": true, "blocked": true, "archive": true, "waiting": true, "node": true})
		})
	}
}
