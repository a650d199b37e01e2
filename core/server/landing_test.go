package server

import (
	"context"
	"io"
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/accounts"
	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/jid"
)

const site = "https://chat.home.test/x"

// opens requests a landing page.
func (p *testServer) opens(page, agent string) (*nethttp.Response, string) {
	p.t.Helper()
	path, ok := strings.CutPrefix(page, site)
	if !ok {
		p.t.Fatalf("%q is no landing page", page)
	}
	r, err := nethttp.NewRequestWithContext(context.Background(), nethttp.MethodGet, "http://"+p.server.ports.http[0].Addr().String()+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("User-Agent", agent)
	r.Close = true
	answer, err := (&nethttp.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer, string(body)
}

// XEP-0379 §3.3: the page of an invitation shows it as a link, until it is used up or its time is over, and then says what it says of
// one that does not exist.
func TestLandingPage(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{upload: "[web]\nurl = '" + site + "/'"})
	ctx := context.Background()
	a := p.commandLine()
	made, err := a.Invite(ctx, accounts.InviteOptions{User: "Bob", Uses: 1})
	if err != nil {
		t.Fatal(err)
	}
	answer, page := p.opens(made.Page, "Mozilla/5.0 (Windows NT 10.0)")
	token := made.Page[strings.LastIndex(made.Page, "/")+1:]
	for _, want := range []string{
		`href="xmpp:bob@home.test?register;preauth=` + token + `"`, "<strong>bob@home.test</strong>", "used once, until", made.Expires.UTC().Format("2 January 2006"),
	} {
		if answer.StatusCode != nethttp.StatusOK || !strings.Contains(page, want) {
			t.Errorf("%s: without %s:\n%s", answer.Status, want, page)
		}
	}
	if strings.Index(page, "<h3>Windows</h3>") > strings.Index(page, "<h3>Android</h3>") {
		t.Error("the browser's platform is not the first")
	}
	for header, want := range map[string]string{
		"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex", "Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8",
		"Content-Security-Policy": "default-src 'none'; style-src 'sha256-", "X-Content-Type-Options": "nosniff",
	} {
		if got := answer.Header.Get(header); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", header, got)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "style=") || strings.Contains(page, "ZgotmplZ") {
		t.Error(page)
	}
	h := p.server.hosts[0]
	_, unknown := p.opens(site+"/invite/account/"+strings.Repeat("A", 26), "")
	gone := func(what, page string) {
		t.Helper()
		if answer, got := p.opens(page, ""); answer.StatusCode != nethttp.StatusNotFound || got != unknown || !strings.Contains(got, "not valid") {
			t.Errorf("%s: %s\n%s", what, answer.Status, got)
		}
	}
	gone("another kind", site+"/invite/contact/"+token)
	gone("too long", made.Page+strings.Repeat("A", 5000))
	if _, err := h.invites.Register(ctx, token, jid.MustParse("bob@home.test"), "password"); err != nil {
		t.Fatal(err)
	}
	gone("used up", made.Page)
	made, err = a.Invite(ctx, accounts.InviteOptions{Uses: 1, For: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(made.Expires))
	gone("expired", made.Page)

	token, _, err = h.invites.Invite(ctx, h.admin.Actor(jid.MustParse("romeo@home.test")), admin.Invitation{Subscribes: true})
	if err != nil {
		t.Fatal(err)
	}
	if answer, page := p.opens(site+"/invite/contact/"+token, ""); answer.StatusCode != nethttp.StatusOK ||
		!strings.Contains(page, `href="xmpp:romeo@home.test?roster;preauth=`+token+`"`) || !strings.Contains(page, "romeo@home.test invites you") {
		t.Errorf("%s\n%s", answer.Status, page)
	}
	gone("not good for an account", site+"/invite/account/"+token)
}

// Without an address that begins with https: there are no landing pages.
func TestNoLandingPage(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "http://localhost:5280"} {
		p := newTestServer(t, extra{upload: "[web]\nurl = '" + url + "'"})
		a := p.commandLine()
		if made, err := a.Invite(context.Background(), accounts.InviteOptions{Uses: 1}); err != nil || made.Page != "" || made.URI == "" {
			t.Errorf("%q: %+v %v", url, made, err)
		}
		if answer, _ := p.opens(site+"/invite/account/x", ""); answer.Header.Get("Content-Security-Policy") != "" {
			t.Errorf("%q: a page is served", url)
		}
	}
}
