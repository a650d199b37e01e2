package extdisco

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// recorder is a session, or a remote domain, that keeps the last stanza.
type recorder struct {
	jid jid.JID
	got *stanza.Stanza
}

func (r *recorder) JID() jid.JID              { return r.jid }
func (r *recorder) Deliver(st *stanza.Stanza) { r.got = st }
func (r *recorder) Flush()                    {}
func (r *recorder) Close(string, string)      {}

var services = []config.Service{
	{Type: "stun", Host: "stun.example.org", Transport: "udp"},
	{Type: "turn", Host: "turn.example.org", Port: 3478, Transport: "udp", Secret: "between us", Expires: config.Duration(24 * time.Hour)},
	{Type: "turn", Host: "turn.example.org", Port: 5349, Transport: "tcp", Secret: "between us", Expires: config.Duration(24 * time.Hour)},
	{Type: "ftp", Host: "192.0.2.1", Name: "Files & more", Username: "guest", Password: "secret"},
}

// ask sends a request to the host and returns the answer's payload, or the condition of the error.
func ask(t *testing.T, list []config.Service, from, typ, payload string) string {
	t.Helper()
	r := router.New(slog.New(slog.NewTextHandler(io.Discard, nil)))
	h := router.NewHost(r, jid.MustParse("example.org"), router.HostOptions{})
	s := New(list)
	s.now = func() time.Time { return time.Unix(1_700_000_000, 0) }
	h.Use(s.Feature())
	if err := r.Attach(h.Domain(), h); err != nil {
		t.Fatal(err)
	}
	asker := &recorder{jid: jid.MustParse(from)}
	st := &stanza.Stanza{Kind: stanza.IQ, ID: "1", Type: typ, To: h.Domain(), From: asker.jid, Payload: payload}
	if asker.jid.Domain() == h.Domain().Domain() {
		port, err := h.Bind(t.Context(), asker, router.BindOptions{})
		if err != nil {
			t.Fatal(err)
		}
		b := router.NewBatch(context.Background())
		port.Submit(b, st)
		b.Flush()
	} else {
		r.SetRemote(asker)
		r.Route(st)
	}
	if e := asker.got.Err(); e != nil {
		return e.Condition
	}
	return asker.got.Payload
}

const (
	stun = `<service type='stun' host='stun.example.org' transport='udp' port='3478'/>`
	ftp  = `<service type='ftp' host='192.0.2.1' name='Files &amp; more' restricted='true' username='guest' password='secret'/>`
)

// turn is what ann gets of a TURN server. The password was computed with
// printf 1700086400:ann | openssl dgst -sha1 -hmac 'between us' -binary | base64.
func turn(port, transport string) string {
	return `<service type='turn' host='turn.example.org' transport='` + transport + `' port='` + port + `' restricted='true' ` +
		`username='1700086400:ann' password='eMIkUcujUQH2PGIHfP77gLPwmAk=' expires='2023-11-15T22:13:20Z'/>`
}

func TestServices(t *testing.T) {
	t.Parallel()
	const ann, romeo = "ann@example.org/x", "romeo@remote.example/x"
	wrap := func(name, typ, inner string) string {
		return `<` + name + ` xmlns='` + NS + `'` + typ + `>` + inner + `</` + name + `>`
	}
	query := func(name, rest string) string { return `<` + name + ` xmlns='` + NS + `'` + rest + `</` + name + `>` }
	for _, c := range []struct{ name, from, typ, payload, want string }{
		{"all", ann, "get", query("services", ">"), wrap("services", "", stun+turn("3478", "udp")+turn("5349", "tcp")+ftp)}, // XEP-0215 §3.1
		{"of a type", ann, "get", query("services", " type='stun'>"), wrap("services", " type='stun'", stun)},               // §3.2
		{"of no type", ann, "get", query("services", " type='sip'>"), `<services xmlns='` + NS + `' type='sip'/>`},
		{"credentials", ann, "get", query("credentials", "><service host='192.0.2.1' type='ftp'/>"), wrap("credentials", "", ftp)}, // §3.3
		{"credentials of a port", ann, "get", query("credentials", "><service host='turn.example.org' type='turn' port='5349'/>"), wrap("credentials", "", turn("5349", "tcp"))},
		{"credentials of all ports", ann, "get", query("credentials", "><service host='turn.example.org' type='turn'/>"), wrap("credentials", "", turn("3478", "udp")+turn("5349", "tcp"))},
		{"credentials where none are wanted", ann, "get", query("credentials", "><service host='stun.example.org' type='stun'/>"), "item-not-found"},
		{"credentials of something unknown", ann, "get", query("credentials", "><service host='example.net' type='turn'/>"), "item-not-found"},
		{"credentials without a type", ann, "get", query("credentials", "><service host='turn.example.org'/>"), "bad-request"},
		{"credentials of nothing", ann, "get", query("credentials", ">"), "bad-request"},
		{"a set", ann, "set", query("services", ">"), "bad-request"},
		{"something else", ann, "get", query("service", ">"), "bad-request"},
		{"a stranger", romeo, "get", query("services", ">"), "forbidden"}, // §2
	} {
		if got := ask(t, services, c.from, c.typ, c.payload); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.name, got, c.want)
		}
	}
	if got := ask(t, nil, ann, "get", query("services", ">")); got != "service-unavailable" {
		t.Errorf("without services: %s", got)
	}
}
