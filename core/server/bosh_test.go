package server

import (
	"context"
	"fmt"
	"io"
	nethttp "net/http"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/internal/boshpeer"
	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
)

const boshBody = "<body xmlns='http://jabber.org/protocol/httpbind' rid='77' ver='1.6' wait='10' hold='1' to='home.test'/>"

func (p *testServer) boshAddress() string {
	return "http://" + p.server.ports.http[0].Addr().String() + "/http-bind"
}

// post makes one request; header are pairs.
func (p *testServer) post(ctx context.Context, body string, header ...string) (status int, answer string, err error) {
	r, err := nethttp.NewRequestWithContext(ctx, nethttp.MethodPost, p.boshAddress(), strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	got, err := nethttp.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer got.Body.Close()
	b, err := io.ReadAll(got.Body)
	return got.StatusCode, string(b), err
}

// dialBOSH connects over HTTP.
func (p *testServer) dialBOSH() *rawstream.Peer {
	p.t.Helper()
	c := boshpeer.New(func(ctx context.Context, body string) (string, error) {
		_, answer, err := p.post(ctx, body)
		return answer, err
	})
	p.t.Cleanup(func() { _ = c.Close() })
	return rawstream.New(p.t, c)
}

// boshSession begins a session with boshBody and returns its identifier.
func (p *testServer) boshSession(ctx context.Context) string {
	p.t.Helper()
	_, first, err := p.post(ctx, boshBody)
	_, sid, _ := strings.Cut(first, " sid='")
	sid, _, _ = strings.Cut(sid, "'")
	if err != nil || sid == "" {
		p.t.Fatal(first, err)
	}
	return sid
}

// loginBOSH logs in and binds a session.
func (p *testServer) loginBOSH(name, resource string) *rawstream.Peer {
	p.t.Helper()
	c := p.dialBOSH()
	loginFramed(c.Send, c.Until, name, resource)
	return c
}

// XEP-0124, XEP-0206: a session over HTTP, messages in order both ways, the end from both sides.
func TestBOSH(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	a, b := p.loginBOSH("romeo", "bosh"), p.loginBOSH("juliet", "bosh")
	go func() {
		for i := range 40 {
			a.Send(fmt.Sprintf("<message xmlns='jabber:client' to='juliet@home.test/bosh' id='m%d'><body>%d</body></message>", i, i))
		}
	}()
	for i := range 40 {
		if got := b.Until("</message>"); !strings.Contains(got, fmt.Sprintf("<body>%d</body>", i)) {
			t.Fatalf("message %d is %s", i, got)
		}
	}
	a.Send(framingClose)
	if _, err := a.Remains(); err != nil {
		t.Error(err)
	}
	p.server.hosts[0].Remove(jid.MustParse("juliet@home.test"), "", "")
	if _, err := b.Remains(); err != nil {
		t.Error(err)
	}
	rawstream.Eventually(t, "no session is left", func() bool { return p.server.clients.Counters.Sessions.Load() == 0 })
}

// What cannot be a session is refused with the condition that XEP-0124 §17 names.
func TestBOSHRefusals(t *testing.T) { // checklist 115
	t.Parallel()
	p := newTestServer(t, extra{})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for name, c := range map[string]struct{ body, want string }{
		"no XML":                      {"hello", "'bad-request'"},
		"CVE-2022-0217 document type": {"<!DOCTYPE a [<!ENTITY b 'c'>]>" + boshBody, "'bad-request'"},
		"no rid":                      {strings.Replace(boshBody, " rid='77'", "", 1), "'bad-request'"},
		"no domain":                   {strings.Replace(boshBody, " to='home.test'", "", 1), "'improper-addressing'"},
		"unknown domain":              {strings.Replace(boshBody, "home.test", "other.test", 1), "<host-unknown "},
		"unknown session":             {strings.Replace(boshBody, " rid", " sid='x' rid", 1), "'item-not-found'"},
		"too long":                    {strings.Replace(boshBody, "/>", ">"+strings.Repeat("<a xmlns='b'/>", 5000)+"</body>", 1), "'policy-violation'"},
	} {
		if status, got, err := p.post(ctx, c.body); status != 200 || !strings.Contains(got, " type='terminate'") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %d %s %v", name, status, got, err)
		}
	}
	// Without TLS, the address of the listener with TLS is the answer.
	if _, got, err := p.post(ctx, boshBody, "X-Forwarded-Proto", "http"); !strings.Contains(got, "'see-other-uri'") || !strings.Contains(got, "<uri>https://home.test") || !strings.Contains(got, "/http-bind</uri>") {
		t.Errorf("without TLS: %s %v", got, err)
	}
	sid := p.boshSession(ctx)
	// XEP-0124 §19.1: who has read the identifier cannot use or end the session over a connection that is not secure.
	next := "<body xmlns='http://jabber.org/protocol/httpbind' rid='78' sid='" + sid + "' type='terminate'/>"
	if status, got, err := p.post(ctx, next, "X-Forwarded-Proto", "http"); err == nil {
		t.Errorf("%d %s", status, got)
	}
	if _, got, err := p.post(ctx, next); !strings.Contains(got, " type='terminate'>") || strings.Contains(got, "condition") {
		t.Errorf("ended with %s %v", got, err)
	}
	nethttp.DefaultClient.CloseIdleConnections()
}

// A client without "ver" knows status codes only (XEP-0124 §17.1), and may ask for another media type, of which no page can be made.
func TestBOSHHTTP(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	for method, status := range map[string]int{nethttp.MethodGet: 405, nethttp.MethodOptions: 204, nethttp.MethodPost: 200} {
		r, err := nethttp.NewRequestWithContext(t.Context(), method, p.boshAddress(), strings.NewReader(strings.Replace(boshBody, "ver=", "content='text/html' ver=", 1)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", "https://chat.example")
		got, err := nethttp.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = got.Body.Close()
		h := got.Header
		if got.StatusCode != status || h.Get("Access-Control-Allow-Origin") != "https://chat.example" {
			t.Errorf("%s: %d %v", method, got.StatusCode, h)
		}
		if method == nethttp.MethodPost && (h.Get("Content-Type") != "text/html" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") || h.Get("Content-Length") == "") {
			t.Errorf("answered with %v", h)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, first, err := p.post(ctx, strings.Replace(boshBody, " ver='1.6'", "", 1))
	_, sid, _ := strings.Cut(first, " sid='")
	sid, _, _ = strings.Cut(sid, "'")
	if err != nil || strings.Contains(first, " ver=") {
		t.Fatal(first, err)
	}
	if status, got, err := p.post(ctx, "<body xmlns='http://jabber.org/protocol/httpbind' rid='99' sid='"+sid+"'/>"); status != 404 {
		t.Errorf("%d %s %v", status, got, err)
	}
	nethttp.DefaultClient.CloseIdleConnections()
}

// CVE-2018-10847: a restart with another domain does not move the session there.
func TestBOSHRestartElsewhere(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	c := p.loginBOSH("romeo", "bosh")
	c.Send(strings.Replace(framingOpen, "home.test", "other.test", 1))
	if got, _ := c.Remains(); !strings.Contains(got, "<stream:error") {
		t.Errorf("ended with %q", got)
	}
}

// Sessions end with the server, and the requests that wait are answered.
func TestBOSHShutdown(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	sid := p.boshSession(ctx)
	answers := [2]chan string{make(chan string, 1), make(chan string, 1)}
	for i := range answers {
		go func() {
			_, got, err := p.post(ctx, fmt.Sprintf("<body xmlns='http://jabber.org/protocol/httpbind' rid='%d' sid='%s'/>", 78+i, sid))
			answers[i] <- fmt.Sprint(got, err)
		}()
	}
	<-answers[0] // because the second one waits
	p.stop()
	if got := <-answers[1]; !strings.Contains(got, "<system-shutdown ") {
		t.Errorf("ended with %q", got)
	}
}

// Sessions count among the connections of their address.
func TestBOSHLimits(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{limits: "connections = 3\nnew_connections = 0"})
	p.loginBOSH("romeo", "bosh")
	for _, name := range []string{"juliet", "nurse"} {
		p.online(name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	rawstream.Eventually(t, "one more is refused", func() bool {
		_, got, err := p.post(ctx, boshBody)
		return err == nil && strings.Contains(got, "'policy-violation'")
	})
	nethttp.DefaultClient.CloseIdleConnections()
}
