package sasl

import (
	"bytes"
	"context"
	"encoding/base64"
	"testing"

	"mellium.im/sasl"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func element(name, mechanism, text string) *stanza.Element {
	return stanza.TextElement(NS, name, text).With("mechanism", mechanism)
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func failure(c Condition) string {
	return "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><" + string(c) + "/></failure>"
}

func TestDialogue(t *testing.T) { // checklist 27 28
	t.Parallel()
	s := server(t, users{"alice": credentials(t, "pencil")})
	right := b64("\x00alice\x00pencil")
	for name, c := range map[string]struct {
		send []*stanza.Element
		want string // the last answer
	}{
		"success":                  {[]*stanza.Element{element("auth", Plain, right)}, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"},
		"without initial response": {[]*stanza.Element{element("auth", Plain, "")}, "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"},
		"then the response":        {[]*stanza.Element{element("auth", Plain, ""), element("response", "", right)}, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"},
		"empty initial response":   {[]*stanza.Element{element("auth", Plain, "=")}, failure(MalformedRequest)},
		"wrong password":           {[]*stanza.Element{element("auth", Plain, b64("\x00alice\x00wrong"))}, failure(NotAuthorized)},
		"unknown mechanism":        {[]*stanza.Element{element("auth", "X", right)}, failure(InvalidMechanism)},
		"no mechanism":             {[]*stanza.Element{element("auth", "", right)}, failure(InvalidMechanism)},
		"abort":                    {[]*stanza.Element{element("auth", Plain, ""), element("abort", "", "")}, failure(Aborted)},
		"abort of nothing":         {[]*stanza.Element{element("abort", "", "")}, failure(Aborted)},
		"response to nothing":      {[]*stanza.Element{element("response", "", right)}, failure(MalformedRequest)},
		"response after abort":     {[]*stanza.Element{element("auth", Plain, ""), element("abort", "", ""), element("response", "", right)}, failure(MalformedRequest)},
		"unknown element":          {[]*stanza.Element{element("success", "", "")}, failure(MalformedRequest)},
		"another namespace":        {[]*stanza.Element{stanza.NewElement("urn:x", "auth").With("mechanism", Plain)}, failure(MalformedRequest)},
		"bad characters":           {[]*stanza.Element{element("auth", Plain, "A?BC")}, failure(IncorrectEncoding)},
		"bad padding":              {[]*stanza.Element{element("auth", Plain, right[:len(right)-1])}, failure(IncorrectEncoding)},
		"padding within":           {[]*stanza.Element{element("auth", Plain, "AA==AA==")}, failure(IncorrectEncoding)},
		"padding alone":            {[]*stanza.Element{element("auth", Plain, "==")}, failure(IncorrectEncoding)},
		"spare bits":               {[]*stanza.Element{element("auth", Plain, "AB==")}, failure(IncorrectEncoding)},
		"line end":                 {[]*stanza.Element{element("auth", Plain, right[:4]+"\n"+right[4:])}, failure(IncorrectEncoding)},
		"line end behind":          {[]*stanza.Element{element("auth", Plain, right+"\n")}, failure(IncorrectEncoding)},
		"space":                    {[]*stanza.Element{element("auth", Plain, " "+right)}, failure(IncorrectEncoding)},
		"other alphabet":           {[]*stanza.Element{element("auth", Plain, "__--")}, failure(IncorrectEncoding)},
		"bad response":             {[]*stanza.Element{element("auth", Plain, ""), element("response", "", "?")}, failure(IncorrectEncoding)},
	} {
		d := NewDialogue(s, Conn{TLS: true})
		var o Outcome
		for _, e := range c.send {
			o = d.Receive(t.Context(), e)
		}
		if string(o.Reply) != c.want || (o.Identity != nil) != bytes.HasPrefix(o.Reply, []byte("<success")) || (o.Failure != nil) != bytes.HasPrefix(o.Reply, []byte("<failure")) {
			t.Errorf("%s: %s %+v", name, o.Reply, o)
		}
	}
	if o := NewDialogue(s, Conn{}).Receive(t.Context(), element("auth", Plain, right)); string(o.Reply) != failure(EncryptionRequired) {
		t.Errorf("%s", o.Reply)
	}
	if o := NewDialogue(s, Conn{}).Receive(t.Context(), nil); o.Failure == nil {
		t.Error("Decode accepts an empty text")
	}
}

// A second auth aborts the first exchange: a response to the old challenge is refused.
func TestRFC6120_029_SecondAuth(t *testing.T) { // checklist 29
	t.Parallel()
	s := server(t, users{"alice": credentials(t, "pencil")})
	d := NewDialogue(s, Conn{TLS: true})
	c := newClient(SHA256, "alice", "pencil")
	challenge := func() []byte {
		o := d.Receive(t.Context(), element("auth", ScramSHA256, b64(string(c.begin()))))
		text, ok := bytes.CutPrefix(o.Reply, []byte("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"))
		text, ok2 := bytes.CutSuffix(text, []byte("</challenge>"))
		raw, err := base64.StdEncoding.DecodeString(string(text))
		if !ok || !ok2 || err != nil {
			t.Fatalf("%s", o.Reply)
		}
		return raw
	}
	old, _ := c.finish(t, challenge())
	fresh, _ := c.finish(t, challenge())
	if o := d.Receive(t.Context(), element("response", "", b64(string(old)))); o.Failure == nil || o.Failure.Condition != NotAuthorized {
		t.Fatalf("%s", o.Reply)
	}
	if o := d.Receive(t.Context(), element("response", "", b64(string(fresh)))); o.Failure == nil {
		t.Fatal("an exchange continues after its failure")
	}
	last, want := c.finish(t, challenge())
	o := d.Receive(t.Context(), element("response", "", b64(string(last))))
	if string(o.Reply) != "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"+b64(want)+"</success>" || o.Identity == nil || o.Identity.JID.String() != "alice@example.org" {
		t.Errorf("%s", o.Reply)
	}
}

func TestTooManyTries(t *testing.T) { // checklist 29
	t.Parallel()
	for configured, tries := range map[int]int{0: DefaultTries, 5: 5} {
		s, err := NewServer(Config{Host: jid.MustParse("example.org"), Accounts: users{}, Secret: secret, Tries: configured})
		if err != nil {
			t.Fatal(err)
		}
		d := NewDialogue(s, Conn{TLS: true})
		for i := 1; i <= tries; i++ {
			o := d.Receive(t.Context(), element("auth", "X", ""))
			if o.TooMany != (i >= tries) {
				t.Error(i, o.TooMany)
			}
		}
	}
}

func TestFeatures(t *testing.T) { // checklist 26
	t.Parallel()
	s, err := NewServer(Config{Host: jid.MustParse("example.org"), Accounts: users{}, Secret: secret, Mechanisms: []string{ScramSHA1, ScramSHA1Plus}})
	if err != nil {
		t.Fatal(err)
	}
	want := "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/><channel-binding type='tls-server-end-point'/></sasl-channel-binding>" +
		"<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1-PLUS</mechanism><mechanism>SCRAM-SHA-1</mechanism></mechanisms>"
	if got := stanza.Encode(s.Features(bound)...); got != want {
		t.Error(got)
	}
	none, err := NewServer(Config{Host: jid.MustParse("example.org")})
	if err != nil || len(none.Features(bound)) != 0 {
		t.Error("features without mechanisms")
	}
}

// TestForeignClient logs in with the client of mellium.im/sasl.
func TestForeignClient(t *testing.T) {
	t.Parallel()
	s := server(t, users{"alice": credentials(t, "pencil")})
	for _, m := range []sasl.Mechanism{sasl.Plain, sasl.ScramSha1, sasl.ScramSha256} {
		for password, ok := range map[string]bool{"pencil": true, "pen": false} {
			x, err := s.Begin(m.Name, Conn{TLS: true})
			if err != nil {
				t.Fatal(err)
			}
			c := sasl.NewClient(m, sasl.Credentials(func() (u, p, i []byte) { return []byte("alice"), []byte(password), nil }))
			_, out, err := c.Step(nil)
			if err != nil {
				t.Fatal(err)
			}
			var in []byte
			var done bool
			for range 3 {
				if in, done, err = x.Step(context.Background(), out); err != nil || done && in == nil {
					break
				}
				var clientErr error
				if _, out, clientErr = c.Step(in); clientErr != nil {
					t.Fatal(m.Name, clientErr)
				}
				if done {
					break
				}
			}
			if id, is := x.Identity(); is != ok || ok && id.JID.String() != "alice@example.org" {
				t.Error(m.Name, password, err)
			}
		}
	}
}
