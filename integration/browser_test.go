package integration_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// person is somebody in front of a browser.
type person struct {
	t   *testing.T
	ctx context.Context
	b   *peers.Browser
}

func (p person) do(name string, args map[string]any) {
	p.t.Helper()
	if err := p.b.Do(p.ctx, name, args, nil); err != nil {
		var page struct{ Text string }
		_ = p.b.Do(context.WithoutCancel(p.ctx), "text", nil, &page)
		p.t.Fatalf("%v; the page is\n%s", err, page.Text)
	}
}

func (p person) sees(text string)   { p.t.Helper(); p.do("sees", map[string]any{"text": text}) }
func (p person) gone(text string)   { p.t.Helper(); p.do("gone", map[string]any{"text": text}) }
func (p person) write(text string)  { p.t.Helper(); p.do("write", map[string]any{"text": text}) }
func (p person) choose(text string) { p.t.Helper(); p.do("choose", map[string]any{"text": text}) }

// noErrors fails where a script ended, the server's HTTP answers refuse something, or the page breaks its own rules. Stanzas of type error that the
// client prints are none: it asks for what accounts do not have.
func (p person) noErrors() {
	p.t.Helper()
	for _, e := range p.b.Events() {
		if e.Event == "error" || e.Event == "refused" || e.Kind == "error" && strings.Contains(e.Raw, "Content Security Policy") {
			p.t.Errorf("the page reports: %s %s %s", e.Event, e.Kind, e.Raw)
		}
	}
}

// message returns a message as it is shown: its author, its time and its words.
func (p person) message(text string) string {
	p.t.Helper()
	var shown struct{ Text string }
	if err := p.b.Do(p.ctx, "message", map[string]any{"text": text}, &shown); err != nil {
		p.t.Fatal(err)
	}
	return shown.Text
}

// TestBrowser uses a channel of each network with the web client in Chromium: it is entered under the person's name there without a question,
// shows what was written before, and carries messages, edits, deletions and a file.
func TestBrowser(t *testing.T) {
	t.Parallel()
	forEachNetwork(t, func(t *testing.T, w fakeNetwork) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*peerTimeout)
		defer cancel()
		w.send(false, "Before you came")
		d := peers.StartDragoman(t, peers.Options{
			Setup: peers.Setup{Host: testHost, Accounts: testAccounts}, Settings: gatewaySection(w, ""), LocalWeb: true,
		})
		h := &deployment{server: &d.Server, gateway: d, domain: w.kind() + "." + testHost}
		sally := h.login(ctx, t, testAccounts[0])
		waitGateway(ctx, t, sally, h.domain, nil)
		h.link(ctx, t, sally, w)
		awaitBookmark(ctx, t, sally, h.findRoom(ctx, t, sally, w), true)

		p := person{t, ctx, peers.StartBrowser(ctx, t, "http://"+h.server.HTTPAddr+"/", peers.Desktop)}
		p.do("login", map[string]any{"username": testAccounts[0].User, "password": testAccounts[0].Password})
		_, friend, _ := w.friend()
		_, channel := w.channel()
		p.choose(channel)
		if shown := p.message("Before you came"); !strings.Contains(shown, friend) {
			t.Errorf("the message of %s is shown as %q", friend, shown)
		}

		p.write("Hello from a browser")
		awaitLines(ctx, t, w, false, func(lines []string) bool { return mentions(lines, "Hello from a browser") })
		n := w.send(false, "Hello in the browser")
		p.sees("Hello in the browser")
		w.edit(n, "Hello to your browser")
		p.sees("Hello to your browser")
		w.remove(n)
		p.gone("Hello to your browser")

		file := filepath.Join(t.TempDir(), "list.txt")
		if err := os.WriteFile(file, []byte("milk, flour, eggs"), 0o600); err != nil {
			t.Fatal(err)
		}
		p.do("upload", map[string]any{"path": file})
		p.sees("list.txt")
		awaitFiles(ctx, t, w, func(lines []string) bool {
			return len(lines) == 1 && strings.HasSuffix(lines[0], "| list.txt=milk, flour, eggs")
		})
		p.noErrors()
	})
}

// A guest on a telephone gets a page that fits, and a session, without an account.
func TestBrowserGuest(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	d := peers.StartDragoman(t, peers.Options{Setup: peers.Setup{Host: testHost, Accounts: testAccounts, Anonymous: true}, LocalWeb: true})
	p := person{t, ctx, peers.StartBrowser(ctx, t, "http://"+d.HTTPAddr+"/guest", peers.Phone)}
	p.sees("@anon." + testHost)
	var page struct{ Width, Shown int }
	if err := p.b.Do(ctx, "fits", nil, &page); err != nil || page.Width > page.Shown {
		t.Errorf("the page is %d wide on a screen of %d, %v", page.Width, page.Shown, err)
	}
	p.noErrors()
}
