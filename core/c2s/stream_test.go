package c2s

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// attr returns an attribute of the last stream header in what was read.
func attr(t *testing.T, got, name string) string {
	t.Helper()
	i := strings.LastIndex(got, "<stream:stream ")
	if i < 0 {
		t.Fatalf("no header in %q", got)
	}
	header := got[i:]
	header = header[:strings.Index(header, ">")]
	_, rest, ok := strings.Cut(header, " "+name+"='")
	if !ok {
		return ""
	}
	v, _, _ := strings.Cut(rest, "'")
	return v
}

func header(attrs string) string {
	return "<stream:stream xmlns='jabber:client' xmlns:stream='" + streamNS + "' " + attrs + ">"
}

func TestHeaderAccepted(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	for name, send := range map[string]string{
		"usual":         open("home.test"),
		"other prefix":  "<s:stream xmlns='jabber:client' xmlns:s='" + streamNS + "' to='home.test' version='1.0'>", // checklist 2
		"id ignored":    header("id='mine' to='home.test' version='1.0'"),                                           // checklist 5
		"version 1.10":  header("to='home.test' version='1.10'"),                                                    // checklist 5
		"version 01.00": header("to='home.test' version='01.00'"),                                                   // checklist 5
		"capitals":      header("to='HOME.test' version='1.0'"),                                                     // checklist 100
		"second host":   header("to='other.test' version='1.0'"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := (&testServer{t: t, addr: p.addr}).dial()
			c.Send(send)
			got := c.Until("</stream:features>")
			want := "home.test"
			if name == "second host" {
				want = "other.test"
			}
			// checklist 4
			if attr(t, got, "from") != want || attr(t, got, "version") != "1.0" || attr(t, got, "xml:lang") == "" || attr(t, got, "to") != "" {
				t.Errorf("header %q", got)
			}
			if id := attr(t, got, "id"); len(id) < 20 || id == "mine" {
				t.Errorf("id %q", id)
			}
		})
	}
}

// checklist 3: the header comes before the error, whatever the error is about.
func TestHeaderRefused(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	for name, c := range map[string]struct{ send, want string }{
		"stream namespace":  {"<stream:stream xmlns='jabber:client' xmlns:stream='urn:x' to='home.test' version='1.0'>", "invalid-namespace"},            // checklist 1
		"content namespace": {"<stream:stream xmlns='jabber:server' xmlns:stream='" + streamNS + "' to='home.test' version='1.0'>", "invalid-namespace"}, // checklist 1, 44
		"no version":        {header("to='home.test'"), "unsupported-version"},                                                                           // checklist 5
		"version 0.9":       {header("to='home.test' version='0.9'"), "unsupported-version"},                                                             // checklist 5
		"version 1,0":       {header("to='home.test' version='1,0'"), "unsupported-version"},                                                             // checklist 5
		"unknown host":      {header("to='away.test' version='1.0'"), "host-unknown"},                                                                    // checklist 6
		"no host":           {header("version='1.0'"), "host-unknown"},                                                                                   // checklist 6
		"user as host":      {header("to='a@home.test' version='1.0'"), "host-unknown"},                                                                  // checklist 6
		"malformed host":    {header("to='@@' version='1.0'"), "host-unknown"},                                                                           // checklist 6
		"doctype":           {"<!DOCTYPE stream>" + open("home.test"), "restricted-xml"},                                                                 // checklist 9
		"comment":           {"<!-- x -->" + open("home.test"), "restricted-xml"},                                                                        // checklist 9
		"instruction":       {"<?php x ?>" + open("home.test"), "restricted-xml"},                                                                        // checklist 9
		"other encoding":    {"<?xml version='1.0' encoding='ISO-8859-1'?>" + open("home.test"), "unsupported-encoding"},                                 // checklist 10
		"not XML":           {"GET / HTTP/1.1\r\nHost: home.test\r\n\r\n", ""},                                                                           // checklist 9
		"not a stream":      {"<presence xmlns='jabber:client'/>", ""},                                                                                   // checklist 8
		"too long":          {header("to='home.test' version='1.0' a='" + strings.Repeat("x", 11_000) + "'"), "policy-violation"},                        // checklist 11
		"too many":          {"<stream:stream" + strings.Repeat(" xmlns:a='b'", 900) + ">", ""},                                                          // checklist 9
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cl := (&testServer{t: t, addr: p.addr}).dial()
			cl.Send(c.send)
			got := cl.Rest()
			if attr(t, got, "id") == "" || !strings.Contains(got, "<stream:error><"+c.want) || !strings.HasSuffix(got, "</stream:error></stream:stream>") {
				t.Errorf("answered %q, want %s", got, c.want) // checklist 12
			}
			if f := strings.TrimSuffix(attr(t, got, "from"), "home.test"); f != "" {
				t.Errorf("from %q", f) // checklist 6
			}
		})
	}
}

// checklist 4
func TestAnswerNamesTheClient(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	c := p.dial()
	c.Send(header("to='home.test' from='romeo@home.test' version='1.0'"))
	if got := c.Until("</stream:features>"); attr(t, got, "to") != "romeo@home.test" {
		t.Errorf("header %q", got)
	}
}

func TestBadStreams(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	for name, c := range map[string]struct{ send, want string }{
		"entity":            {"<a xmlns='urn:x'>&lol;</a>", "restricted-xml"},                          // checklist 9
		"comment":           {"<!-- x -->", "restricted-xml"},                                          // checklist 9
		"instruction":       {"<?x y?>", "restricted-xml"},                                             // checklist 9
		"doctype":           {"<!DOCTYPE x [<!ENTITY a 'b'>]>", "restricted-xml"},                      // checklist 9
		"end tag":           {"<a xmlns='urn:x'></b>", "not-well-formed"},                              // checklist 9
		"undeclared prefix": {"<x:a/>", "not-well-formed"},                                             // checklist 9
		"twice":             {"<a xmlns='urn:x' b='1' b='2'/>", "not-well-formed"},                     // checklist 9
		"bad UTF-8":         {"<a xmlns='urn:x'>\xff</a>", "unsupported-encoding"},                     // checklist 10
		"overlong":          {"<a xmlns='urn:x'>\xc0\xaf</a>", "unsupported-encoding"},                 // checklist 10
		"surrogate":         {"<a xmlns='urn:x'>\xed\xa0\x80</a>", "unsupported-encoding"},             // checklist 10
		"control":           {"<a xmlns='urn:x'>\x01</a>", "not-well-formed"},                          // checklist 9
		"NUL":               {"\x00", "not-well-formed"},                                               // checklist 9
		"text":              {"hello", "bad-format"},                                                   // checklist 9
		"too big":           {"<a xmlns='urn:x'>" + strings.Repeat("x", 20_000), "policy-violation"},   // checklist 11
		"too many":          {"<a xmlns='urn:x'>" + strings.Repeat("<a/>", 2_400), "policy-violation"}, // checklist 11
		"too deep":          {strings.Repeat("<a xmlns='urn:x'>", 500), "policy-violation"},            // checklist 11
		"attributes":        {"<a xmlns='urn:x'" + attributes(500) + "/>", "policy-violation"},         // checklist 11
		"deeper":            {strings.Repeat("<a>", 1_000_000), "policy-violation"},                    // checklist 11
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := &testServer{t: t, addr: p.addr}
			cl, _ := q.secure("home.test")
			cl.Send(c.send)
			cl.wantError(c.want)
		})
	}
}

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" a" + strings.Repeat("b", i%7) + string(rune('a'+i%26)) + strings.Repeat("c", i/26) + "='1'")
	}
	return b.String()
}

// checklist 11
func TestLimitsAfterLogin(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Rate = -1 })
	juliet := p.online("juliet", "a")
	romeo := p.session("romeo", "x")
	big := strings.Repeat("y", 250_000)
	romeo.Send(chatMessage("juliet@home.test", big))
	if got := juliet.Until("</message>"); !strings.Contains(got, big) {
		t.Error("a stanza within the limit did not arrive")
	}
	romeo.Send(chatMessage("juliet@home.test", strings.Repeat("y", 300_000)))
	if got := romeo.Rest(); !strings.Contains(got, "<policy-violation ") || !strings.Contains(got, "<stanza-too-big xmlns='urn:xmpp:errors'/>") {
		t.Errorf("got %q", got)
	}
	rawstream.Eventually(t, "counted", func() bool { return p.server.Counters.Policy.Load() == 1 })
	juliet.ping()
	for name, inner := range map[string]string{
		"elements": strings.Repeat("<a/>", 4_100), "depth": strings.Repeat("<a>", 70), "attributes": "<a" + attributes(140) + "/>",
	} {
		t.Run(name, func(t *testing.T) {
			c := p.session("romeo", name)
			c.Send("<message to='juliet@home.test'>" + inner)
			c.wantError("policy-violation")
		})
	}
}

// checklist 13
func TestCloseByClient(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	juliet := p.online("juliet", "a")
	romeo := p.session("romeo", "x")
	romeo.Send(chatMessage("juliet@home.test", "last words") + "</stream:stream>")
	if got := romeo.Rest(); got != "</stream:stream>" {
		t.Errorf("got %q", got)
	}
	juliet.Until("last words")
	rawstream.Eventually(t, "unbound", func() bool { return len(p.host.Local(jidOf("romeo@home.test")).Sessions()) == 0 })
	c := p.dial()
	c.features("home.test")
	c.Send("</stream:stream>")
	if got := c.Rest(); got != "</stream:stream>" {
		t.Errorf("got %q", got)
	}
}

// checklist 13: what the client sent before it received our end of the stream is handled.
func TestCloseByServer(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	juliet := p.online("juliet", "a")
	romeo := p.session("romeo", "x")
	p.host.Local(jidOf("romeo@home.test/x")).Session(jidOf("romeo@home.test/x")).Close("", "")
	romeo.Until("</stream:stream>")
	romeo.Send(chatMessage("juliet@home.test", "last words") + "</stream:stream>")
	juliet.Until("last words")
	if got := romeo.Rest(); got != "" {
		t.Errorf("got %q after the end", got)
	}
}

// checklist 16, 120
func TestShutdown(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	clients := []*client{p.online("juliet", "a"), p.loggedIn("romeo"), p.dial()}
	clients[2].features("home.test")
	go p.stop()
	for _, c := range clients {
		c.wantError("system-shutdown")
	}
	p.stop()
	if n := p.server.Counters.Connections.Load() + p.server.Counters.Sessions.Load(); n != 0 {
		t.Errorf("%d are left", n)
	}
}

// checklist 14, 15
func TestSilence(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Idle = 300 * time.Millisecond })
	c := p.session("romeo", "x")
	if got := c.Until("</iq>"); !strings.Contains(got, "urn:xmpp:ping") || !strings.Contains(got, "to='romeo@home.test/x'") {
		t.Errorf("got %q", got)
	}
	c.Send(" ") // white space counts as an answer
	c.Until("</iq>")
	c.wantError("connection-timeout")
	if p.server.Counters.Silent.Load() != 1 {
		t.Error("not counted")
	}
}

func TestTimeBeforeLogin(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.TLSWait, c.Limits.LoginWait = 400*time.Millisecond, 800*time.Millisecond })
	mute, begun := p.dial(), p.dial()
	begun.features("home.test")
	secure, _ := p.secure("home.test")
	for _, c := range []*client{mute, begun} {
		c.wantError("connection-timeout")
	}
	secure.wantError("connection-timeout")
	// A client that keeps sending does not get more time.
	p = newTestServer(t, func(c *Config) { c.Limits.TLSWait = 300 * time.Millisecond })
	c := p.dial()
	c.features("home.test")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, err := c.Write([]byte(" ")); err != nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	c.Until("<connection-timeout ")
	_ = c.Close()
	<-done
}

// checklist 19
func TestPartialStanzaIsIgnored(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	juliet := p.online("juliet", "a")
	romeo := p.session("romeo", "x")
	romeo.Send(chatMessage("juliet@home.test", "whole") + "<message to='juliet@home.test'><body>half</body>")
	juliet.Until("whole")
	_ = romeo.Close()
	rawstream.Eventually(t, "unbound", func() bool { return len(p.host.Local(jidOf("romeo@home.test")).Sessions()) == 0 })
	juliet.Send("<iq type='get' id='x'><nobody xmlns='urn:x'/></iq>")
	if got := juliet.Until("id='x'"); strings.Contains(got, "half") {
		t.Errorf("got %q", got)
	}
}

// Shutdown returns by its deadline also if a handler is stuck, and if a client reads nothing.
func TestShutdownDeadline(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Queue = 64 << 20; c.Limits.Rate = -1 })
	stuck, release := make(chan struct{}), make(chan struct{})
	handle(p.host, "urn:stuck", func(context.Context, *router.IQ) (*stanza.Element, error) {
		close(stuck)
		<-release
		return nil, nil
	})
	p.online("juliet", "a") // reads nothing any more
	romeo := p.session("romeo", "x")
	for range 100 {
		romeo.Send(chatMessage("juliet@home.test/a", strings.Repeat("x", 100_000)))
	}
	romeo.ping()
	romeo.Send("<iq type='get' id='1'><query xmlns='urn:stuck'/></iq>")
	<-stuck
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	p.server.Shutdown(ctx)
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("took %v", d)
	}
	close(release)
}
