package sasl

import (
	"context"
	"crypto/pbkdf2"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// keyring is Accounts and Keys of one account, alice.
type keyring struct {
	users
	proved []Proved
}

func (k *keyring) AddKey(_ context.Context, username string, h Hash, key Key, p Proved) error {
	c := k.users[username]
	if string(c.Keys[p.Hash].StoredKey) != string(p.StoredKey) || c.Keys[h].Set() {
		return ErrTokenGone
	}
	c.Keys[h] = key
	k.users[username] = c
	k.proved = append(k.proved, p)
	return nil
}

// lacking returns a server whose account alice has the keys of some hashes only.
func lacking(t *testing.T, has ...Hash) (*Server, *keyring) {
	t.Helper()
	all, c := credentials(t, "pencil"), Credentials{}
	for _, h := range has {
		c.Keys[h] = all.Keys[h]
	}
	k := &keyring{users: users{"alice": c}}
	s, err := NewServer(Config{Host: jid.MustParse("example.org"), Accounts: k, Keys: k, Secret: secret, Iterations: 10})
	if err != nil {
		t.Fatal(err)
	}
	return s, k
}

// dialogue is a Dialogue whose elements are texts.
type dialogue struct {
	t *testing.T
	*Dialogue
}

func (d dialogue) send(xml string) Outcome {
	d.t.Helper()
	e, err := stanza.ParseElement(xml, "")
	if err != nil {
		d.t.Fatal(err)
	}
	return d.Receive(d.t.Context(), e)
}

// encoded returns an element of SASL2 with base64.
func encoded(name, attrs string, data []byte) string {
	return "<" + name + " xmlns='" + NS2 + "' " + attrs + ">" + base64.StdEncoding.EncodeToString(data) + "</" + name + ">"
}

// salts are the salts and rounds that a name shows for each hash.
func salts(t *testing.T, s *Server, name string) string {
	t.Helper()
	_, keys := seen(t, s, name)
	text := ""
	for _, k := range keys {
		text += fmt.Sprintf("%x %d;", k.Salt, k.Iterations)
	}
	return text
}

// login2 logs alice in with a mechanism and asks for upgrades.
func (d dialogue) login2(mechanism string, upgrades ...string) Outcome {
	d.t.Helper()
	c := newClient(scrams[mechanism], "alice", "pencil")
	request := "<authenticate xmlns='" + NS2 + "' mechanism='" + mechanism + "'><initial-response>" +
		base64.StdEncoding.EncodeToString(c.begin()) + "</initial-response>"
	for _, u := range upgrades {
		request += "<upgrade xmlns='" + nsUpgrade + "'>" + u + "</upgrade>"
	}
	out := d.send(request + "</authenticate>")
	_, text, _ := strings.Cut(string(out.Reply), ">")
	text, _, _ = strings.Cut(text, "<")
	challenge, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		d.t.Fatal(err)
	}
	final, _ := c.finish(d.t, challenge)
	return d.send(encoded("response", "", final))
}

// The values of the exchange in RFC 7677 §3: the client's answer is the SaltedPassword.
func TestSaltedPassword(t *testing.T) {
	t.Parallel()
	decode := func(text string) []byte {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	salt := decode("W22ZaJ0SNY7soEsUEjb6gQ==")
	salted := decode("xKSVEDI6tPlSysH6mUQZOeeOp01r6B3fcJbodRPcYV0=")
	k := keyOf(SHA256, salted, salt, 4096)
	if got := base64.StdEncoding.EncodeToString(k.StoredKey); got != "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=" {
		t.Errorf("stored key %s", got)
	}
	if !k.check(SHA256, "pencil") || k.check(SHA256, "pen") {
		t.Error("the key is not that of the password")
	}
}

// An account gets the keys that it lacks from its client, which has no other effect on what strangers see.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	s, k := lacking(t, SHA1)
	before := salts(t, s, "alice")
	d := dialogue{t, NewDialogue(s, bound)}
	out := d.login2(ScramSHA1, "UPGR-SCRAM-SHA-256", "UPGR-SCRAM-SHA-512", "UPGR-SCRAM-SHA-1", "UPGR-BLOOP")
	for _, h := range []Hash{SHA512, SHA256} {
		name := "UPGR-SCRAM-" + h.String()
		if want := "<tasks><task>" + name + "</task></tasks></continue>"; !strings.HasSuffix(string(out.Reply), want) || out.Identity != nil {
			t.Fatalf("%s, not %s", out.Reply, want)
		}
		if data := strings.Contains(string(out.Reply), "<additional-data>dj"); data != (h == SHA512) {
			t.Errorf("data of the mechanism: %s", out.Reply)
		}
		e, err := stanza.ParseElement(string(d.send("<next xmlns='"+NS2+"' task='"+name+"'/>").Reply), "")
		if err != nil {
			t.Fatal(err)
		}
		given := e.Child(nsScramUpgrade, "salt")
		var rounds int
		_, _ = fmt.Sscan(given.Attr("iterations"), &rounds)
		salt, err := base64.StdEncoding.DecodeString(given.Text())
		if err != nil || rounds != 10 || len(salt) != saltSize {
			t.Fatal(e, err)
		}
		salted, _ := pbkdf2.Key(h.new(), "pencil", salt, rounds, h.size())
		out = d.send("<task-data xmlns='" + NS2 + "'><hash xmlns='" + nsScramUpgrade + "'>" + base64.StdEncoding.EncodeToString(salted) + "</hash></task-data>")
	}
	if out.Identity == nil || out.Identity.JID.String() != "alice@example.org" || out.Request == nil || out.Data != nil || d.Busy() {
		t.Fatalf("%+v", out)
	}
	for mechanism, h := range scrams {
		if _, err := newClient(h, "alice", "pencil").login(t, s, mechanism, bound); err != nil {
			t.Errorf("%s: %v", mechanism, err)
		}
	}
	if after := salts(t, s, "alice"); after != before {
		t.Errorf("seen %s, before %s", after, before)
	}
	// The account lacks nothing now: the login succeeds at once.
	if out := (dialogue{t, NewDialogue(s, bound)}).login2(ScramSHA1, "UPGR-SCRAM-SHA-512"); out.Identity == nil {
		t.Errorf("%+v", out)
	}
	if len(k.proved) != 2 {
		t.Errorf("%d keys", len(k.proved))
	}
}

// Names without an account show the same before and after the accounts have got keys, as those accounts do.
func TestDecoysAfterUpgrades(t *testing.T) {
	t.Parallel()
	s, k := lacking(t, SHA1)
	for i := range 20 {
		k.users[fmt.Sprint("user", i)] = k.users["alice"]
	}
	before := map[string]string{}
	for i := range 50 {
		name := fmt.Sprint("nobody", i)
		before[name] = salts(t, s, name)
	}
	for name := range k.users {
		c := k.users[name]
		for _, h := range []Hash{SHA256, SHA512} {
			lacked := s.lackedKey(name, h, c.Shape())
			key, err := deriveKey(h, "pencil", lacked.Salt, lacked.Iterations)
			if err != nil {
				t.Fatal(err)
			}
			c.Keys[h] = key
		}
		k.users[name] = c
	}
	for name, was := range before {
		if now := salts(t, s, name); now != was {
			t.Errorf("%s shows %s, before %s", name, now, was)
		}
	}
}

// A login with PLAIN gives the account what it lacks.
func TestPlainAddsKeys(t *testing.T) {
	t.Parallel()
	s, k := lacking(t, SHA1)
	before := salts(t, s, "alice")
	d := dialogue{t, NewDialogue(s, bound)}
	if out := d.send("<auth xmlns='" + NS + "' mechanism='PLAIN'>" + base64.StdEncoding.EncodeToString([]byte("\x00alice\x00wrong")) + "</auth>"); out.Failure == nil {
		t.Fatal("logged in")
	}
	if len(k.proved) != 0 {
		t.Fatal("a wrong password gives keys")
	}
	if out := d.send("<auth xmlns='" + NS + "' mechanism='PLAIN'>" + base64.StdEncoding.EncodeToString([]byte("\x00alice\x00pencil")) + "</auth>"); out.Identity == nil {
		t.Fatal("not logged in")
	}
	for mechanism, h := range scrams {
		if _, err := newClient(h, "alice", "pencil").login(t, s, mechanism, bound); err != nil {
			t.Errorf("%s: %v", mechanism, err)
		}
	}
	if after := salts(t, s, "alice"); after != before {
		t.Errorf("seen %s, before %s", after, before)
	}
}

// What does not fit a task ends the login, which has not succeeded, and changes nothing.
func TestUpgradeForms(t *testing.T) {
	t.Parallel()
	next := "<next xmlns='" + NS2 + "' task='UPGR-SCRAM-SHA-512'/>"
	hash := func(b []byte) string {
		return "<task-data xmlns='" + NS2 + "'><hash xmlns='" + nsScramUpgrade + "'>" + base64.StdEncoding.EncodeToString(b) + "</hash></task-data>"
	}
	for name, c := range map[string]struct {
		send []string
		want Condition
	}{
		"another task":    {[]string{"<next xmlns='" + NS2 + "' task='UPGR-SCRAM-SHA-256'/>"}, MalformedRequest},
		"twice":           {[]string{next, next}, MalformedRequest},
		"before":          {[]string{hash(make([]byte, 64))}, MalformedRequest},
		"short":           {[]string{next, hash(make([]byte, 32))}, MalformedRequest},
		"empty":           {[]string{next, hash(nil)}, MalformedRequest},
		"nothing":         {[]string{next, "<task-data xmlns='" + NS2 + "'/>"}, MalformedRequest},
		"abort":           {[]string{"<abort xmlns='" + NS2 + "'/>"}, Aborted},
		"abort later":     {[]string{next, "<abort xmlns='" + NS2 + "'/>"}, Aborted},
		"response":        {[]string{encoded("response", "", nil)}, ""},
		"another login":   {[]string{encoded("authenticate", "mechanism='PLAIN'", nil)}, ""},
		"a login of SASL": {[]string{"<auth xmlns='" + NS + "' mechanism='PLAIN'/>"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, k := lacking(t, SHA256)
			d := dialogue{t, NewDialogue(s, bound)}
			out := d.login2(ScramSHA256, "UPGR-SCRAM-SHA-512")
			for _, xml := range c.send {
				out = d.send(xml)
			}
			if out.Identity != nil || len(k.proved) != 0 {
				t.Errorf("%+v, %d keys", out, len(k.proved))
			}
			if c.want == "" && !out.Violation || c.want != "" && (out.Failure == nil || out.Failure.Condition != c.want || d.Busy()) {
				t.Errorf("%+v", out)
			}
		})
	}
}

// What is announced is the same whoever asks.
func TestUpgradesAreAnnounced(t *testing.T) {
	t.Parallel()
	s, _ := lacking(t, SHA1)
	const want = "<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-512</upgrade><upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade></authentication>"
	if got := s.Feature2(bound).String(); !strings.HasSuffix(got, want) {
		t.Errorf("announced %s", got)
	}
}
