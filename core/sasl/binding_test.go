package sasl

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
)

func auth(mechanism, first string) *stanza.Element {
	return stanza.TextElement(NS, "auth", base64.StdEncoding.EncodeToString([]byte(first))).With("mechanism", mechanism)
}

// RFC 5802 §6: 'y' fails where -PLUS was offered, since an attacker may have removed it from the list …
func TestEjabberd2603_DowngradeIsNoticed(t *testing.T) {
	t.Parallel()
	conn := Conn{TLS: true, Bindings: []Binding{{Type: BindExporter, Data: []byte("x")}}}
	d := NewDialogue(server(t, users{"ann": credentials(t, "pw")}), conn)
	if out := d.Receive(t.Context(), auth(ScramSHA256, "y,,n=ann,r=abcdefgh")); out.Failure == nil {
		t.Errorf("%s", out.Reply)
	}
	// … and a wrong password with -PLUS does not show that the client has seen the list.
	if out := d.Receive(t.Context(), auth(Plain, "\x00ann\x00wrong")); out.Failure == nil {
		t.Errorf("%s", out.Reply)
	}
	if out := d.Receive(t.Context(), auth(ScramSHA256, "y,,n=ann,r=abcdefgh")); out.Failure == nil {
		t.Errorf("%s", out.Reply)
	}
}

// RFC 5802 §6: an attempt with -PLUS before does not excuse a 'y'. An attacker in the middle makes it himself, with a type
// that is not offered, and then passes on what the client sends, whose list lacks -PLUS.
func TestAttemptWithPlusDoesNotExcuseDowngrade(t *testing.T) {
	t.Parallel()
	for name, before := range map[string][]*stanza.Element{
		"unknown type":      {auth(ScramSHA256Plus, "p=tls-unique,,n=ann,r=abcdefgh")},
		"every mechanism":   {auth(ScramSHA512Plus, "p=tls-unique,,n=ann,r=abcdefgh"), auth(ScramSHA1Plus, "p=tls-unique,,n=ann,r=abcdefgh")},
		"aborted":           {auth(ScramSHA256Plus, "p=tls-exporter,,n=ann,r=abcdefgh"), stanza.NewElement(NS, "abort")},
		"given up":          {auth(ScramSHA256Plus, "p=tls-exporter,,n=ann,r=abcdefgh")},
		"y with -PLUS":      {auth(ScramSHA256Plus, "y,,n=ann,r=abcdefgh")},
		"p without -PLUS":   {auth(ScramSHA256, "p=tls-exporter,,n=ann,r=abcdefgh")},
		"n, then given up":  {auth(ScramSHA256, "n,,n=ann,r=abcdefgh")},
		"without a message": {auth(ScramSHA256Plus, "")},
	} {
		conn := Conn{TLS: true, Bindings: []Binding{{Type: BindExporter, Data: []byte("x")}}}
		d := NewDialogue(server(t, users{"ann": credentials(t, "pw")}), conn)
		for _, e := range before {
			d.Receive(t.Context(), e)
		}
		out := d.Receive(t.Context(), auth(ScramSHA256, "y,,n=ann,r=abcdefgh"))
		if out.Failure == nil || !errors.Is(out.Failure, ErrDowngrade) || out.Failure.Condition != NotAuthorized {
			t.Errorf("%s: %s", name, out.Reply)
		}
	}
}

// slixmpp before 1.9 tries each SCRAM mechanism, with tls-unique or with 'y', before PLAIN: no password is guessed in
// those, and it may still log in. Their number is limited.
func TestUnknownBindingTypeIsNotCounted(t *testing.T) {
	t.Parallel()
	conn := Conn{TLS: true, Bindings: []Binding{{Type: BindExporter, Data: []byte("x")}}}
	s := server(t, users{"ann": credentials(t, "pw")})
	d := NewDialogue(s, conn)
	for _, m := range s.Mechanisms(conn) {
		first := "y,,n=ann,r=abcdefgh"
		if strings.HasSuffix(m, plus) {
			first = "p=tls-unique,,n=ann,r=abcdefgh"
		}
		if m == Plain {
			first = "\x00ann\x00pw"
		}
		out := d.Receive(t.Context(), auth(m, first))
		if (out.Failure == nil) != (m == Plain) || out.TooMany || m != Plain && !strings.Contains(string(out.Reply), "not-authorized") {
			t.Fatalf("%s: %s", m, out.Reply)
		}
	}
	for range maxUnbound + DefaultTries {
		if d.Receive(t.Context(), auth(ScramSHA1Plus, "p=tls-unique,,n=ann,r=abcdefgh")).TooMany {
			return
		}
	}
	t.Error("the number of attempts with unknown binding types is not limited")
}
