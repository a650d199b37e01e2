package sasl

import (
	"encoding/base64"
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
	if out := d.Receive(t.Context(), auth(ScramSHA256, "y,,n=ann,r=abcdefgh")); out.Failure == nil || !out.TooMany {
		t.Errorf("%s", out.Reply)
	}
}

// A client that knows tls-unique alone tries every -PLUS first: those are not
// attempts to guess a password, and what follows is not a downgrade.
func TestUnknownBindingTypeIsNotCounted(t *testing.T) {
	t.Parallel()
	conn := Conn{TLS: true, Bindings: []Binding{{Type: BindExporter, Data: []byte("x")}}}
	d := NewDialogue(server(t, users{"ann": credentials(t, "pw")}), conn)
	for _, m := range []string{ScramSHA512Plus, ScramSHA256Plus, ScramSHA1Plus} {
		out := d.Receive(t.Context(), auth(m, "p=tls-unique,,n=ann,r=abcdefgh"))
		if out.Failure == nil || out.TooMany || !strings.Contains(string(out.Reply), "not-authorized") {
			t.Fatalf("%s: %s", m, out.Reply)
		}
	}
	if out := d.Receive(t.Context(), auth(ScramSHA256, "y,,n=ann,r=abcdefgh")); out.Failure != nil || !strings.Contains(string(out.Reply), "challenge") {
		t.Errorf("%s", out.Reply)
	}
	for range maxUnbound + DefaultTries {
		if d.Receive(t.Context(), auth(ScramSHA1Plus, "p=tls-unique,,n=ann,r=abcdefgh")).TooMany {
			return
		}
	}
	t.Error("the number of attempts with unknown binding types is not limited")
}
