package sasl

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

func TestPlain(t *testing.T) { // checklist 28 31
	t.Parallel()
	off := credentials(t, "pencil")
	off.Disabled = true
	locked, past := credentials(t, "pencil"), credentials(t, "pencil")
	locked.Locked, past.Locked = time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	s := server(t, users{"alice": credentials(t, "pencil"), "gone": off, "locked": locked, "past": past, "wide": credentials(t, "pa\u00a0ss\u00adw\uff4frd 😀")})
	long := strings.Repeat("x", 1024)
	for in, want := range map[string]Condition{
		"\x00alice\x00pencil":                       "",
		"\x00Alice\x00pencil":                       "",
		"alice@example.org\x00alice\x00pencil":      "",
		"Alice@EXAMPLE.org\x00alice\x00pencil":      "",
		"\x00wide\x00pa ssword 😀":                   "",
		"\x00alice\x00pencil2":                      NotAuthorized,
		"\x00alice\x00Pencil":                       NotAuthorized,
		"\x00alice\x00pencil ":                      NotAuthorized,
		"\x00bob\x00pencil":                         NotAuthorized,
		"\x00alice@example.org\x00pencil":           NotAuthorized,
		"\x00alice\x00\x01":                         NotAuthorized,
		"\x00alice\x00\u202e":                       NotAuthorized,
		"\x00gone\x00wrong":                         NotAuthorized,
		"\x00gone\x00pencil":                        AccountDisabled,
		"\x00locked\x00wrong":                       NotAuthorized,
		"\x00locked\x00pencil":                      TemporaryAuthFailure,
		"\x00past\x00pencil":                        "",
		"bob@example.org\x00alice\x00pencil":        InvalidAuthzid, // ejabberd 26.07
		"bob@example.org\x00alice\x00wrong":         InvalidAuthzid,
		"alice\x00alice\x00pencil":                  InvalidAuthzid,
		"alice@example.com\x00alice\x00pencil":      InvalidAuthzid,
		"alice@example.org/x\x00alice\x00pencil":    InvalidAuthzid,
		"@\x00alice\x00pencil":                      InvalidAuthzid,
		"alice@example.org\x00no@body\x00pencil":    InvalidAuthzid,
		"":                                          MalformedRequest,
		"alice":                                     MalformedRequest,
		"\x00alice":                                 MalformedRequest,
		"\x00alice\x00":                             MalformedRequest,
		"\x00\x00pencil":                            MalformedRequest,
		"\x00alice\x00pen\x00cil":                   MalformedRequest,
		"\x00alice\x00pencil\x00":                   MalformedRequest,
		"\x00al\xffice\x00pencil":                   MalformedRequest,
		"\x00alice\x00\xff":                         MalformedRequest,
		"\x00" + long + "\x00pencil":                MalformedRequest,
		"\x00alice\x00" + long:                      MalformedRequest,
		long + long + "x\x00alice\x00pencil":        MalformedRequest,
		"\x00alice\x00" + strings.Repeat("x", 1023): NotAuthorized,
	} {
		id, err := plainLogin(t, s, in)
		if want != "" && !is(err, want) || want == "" && (err != nil || id.JID.IsZero() || id.Mechanism != Plain) {
			t.Errorf("%.40q: %+v %v", in, id, err)
		}
	}
}

// counting counts the calls of a store.
type broken struct{ err error }

func (b broken) Lookup(context.Context, string) (Credentials, error) { return Credentials{}, b.err }
func (b broken) Shares(context.Context) ([]Share, error)             { return nil, b.err }

func TestStoreAway(t *testing.T) { // checklist 28
	t.Parallel()
	cause := errors.New("disk on fire")
	s := server(t, broken{cause})
	_, err := plainLogin(t, s, "\x00alice\x00pencil")
	if !is(err, TemporaryAuthFailure) || !errors.Is(err, cause) {
		t.Error(err)
	}
	if _, err := newClient(SHA1, "alice", "pencil").login(t, s, ScramSHA1, Conn{}); !is(err, TemporaryAuthFailure) {
		t.Error(err)
	}
}

func TestMechanisms(t *testing.T) { // checklist 26
	t.Parallel()
	judge := func(context.Context, string) (jid.JID, error) { return jid.JID{}, errors.New("no") }
	s := server(t, users{})
	for _, c := range []struct {
		conn     Conn
		want     string
		bindings string
	}{
		{Conn{}, "SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1", ""},
		{Conn{Bindings: bound.Bindings, External: judge}, "SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1", ""},
		{Conn{TLS: true}, "SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 PLAIN", ""},
		{bound, "SCRAM-SHA-512-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 PLAIN", "tls-exporter tls-server-end-point"},
		{Conn{TLS: true, External: judge}, "EXTERNAL SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 PLAIN", ""},
	} {
		if got := strings.Join(s.Mechanisms(c.conn), " "); got != c.want {
			t.Error(got)
		}
		if got := strings.Join(s.BindingTypes(c.conn), " "); got != c.bindings {
			t.Error(got)
		}
	}
	few, err := NewServer(Config{Host: jid.MustParse("example.org"), Accounts: users{}, Secret: secret, Mechanisms: []string{ScramSHA256, Plain}})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(few.Mechanisms(bound), " "); got != "SCRAM-SHA-256 PLAIN" || few.BindingTypes(bound) != nil {
		t.Error(got)
	}
	peers, err := NewServer(Config{Host: jid.MustParse("example.org")})
	if err != nil || len(peers.Mechanisms(bound)) != 0 {
		t.Error("mechanisms for users without accounts", err)
	}
	for _, cfg := range []Config{
		{Host: jid.MustParse("a@example.org")}, {}, {Host: jid.MustParse("example.org"), Accounts: users{}}, {Host: jid.MustParse("example.org"), Accounts: users{}, Secret: []byte("short")},
		{Host: jid.MustParse("example.org"), Mechanisms: []string{"CRAM-MD5"}},
	} {
		if _, err := NewServer(cfg); err == nil {
			t.Errorf("%+v", cfg)
		}
	}
}

// CVE-2017-10807 and OF-3273: what is not offered must not work.
func TestCVE_2017_10807_NotOffered(t *testing.T) { // checklist 28
	t.Parallel()
	s, err := NewServer(Config{Host: jid.MustParse("example.org"), Accounts: users{}, Secret: secret, Mechanisms: []string{ScramSHA256, ScramSHA256Plus, Plain}})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []string{"", "plain", "CRAM-MD5", "DIGEST-MD5", "ANONYMOUS", "GSSAPI", "SCRAM-MD5", "SCRAM-SHA-3", "X-OAUTH2", "OAUTHBEARER", External, ScramSHA1, ScramSHA1Plus, ScramSHA512, ScramSHA512Plus, ScramSHA256Plus, "PLAIN ", "SCRAM-SHA-256-PLUS-PLUS"} {
		if _, err := s.Begin(m, Conn{TLS: true}); !is(err, InvalidMechanism) {
			t.Errorf("%s: %v", m, err)
		}
	}
	for _, m := range []string{Plain, ScramSHA256Plus} {
		if _, err := s.Begin(m, Conn{Bindings: bound.Bindings}); !is(err, EncryptionRequired) {
			t.Errorf("%s: %v", m, err)
		}
	}
}

func TestExternal(t *testing.T) { // checklist 31
	t.Parallel()
	peer := jid.MustParse("peer.example")
	s, err := NewServer(Config{Host: jid.MustParse("example.org")})
	if err != nil {
		t.Fatal(err)
	}
	var asked string
	conn := Conn{TLS: true, External: func(_ context.Context, authzid string) (jid.JID, error) {
		if asked = authzid; authzid == "evil.example" {
			return jid.JID{}, errors.New("not in the certificate")
		}
		return peer, nil
	}}
	for in, want := range map[string]Condition{
		"": "", "peer.example": "", "PEER.example": "", "evil.example": NotAuthorized, "other.example": InvalidAuthzid, "@": InvalidAuthzid, "peer.example/x": InvalidAuthzid,
		strings.Repeat("x", 4000): MalformedRequest,
	} {
		x, err := s.Begin(External, conn)
		if err != nil {
			t.Fatal(err)
		}
		_, done, err := x.Step(t.Context(), []byte(in))
		id, ok := x.Identity()
		if want != "" && !is(err, want) || (want == "") != (done && ok && id.JID == peer) {
			t.Errorf("%.20q: %+v %v", in, id, err)
		}
		if want == "" && in != "" && asked != "peer.example" {
			t.Errorf("judged %q", asked)
		}
	}
	conn.External = func(context.Context, string) (jid.JID, error) { return jid.JID{}, nil }
	x, _ := s.Begin(External, conn)
	if _, _, err := x.Step(t.Context(), []byte{}); !is(err, NotAuthorized) {
		t.Error(err)
	}
}
