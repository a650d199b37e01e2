package integration_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
)

// presses presses a widget, once it is shown.
func (d *dino) presses(role, text string) {
	d.Helper()
	if err := d.Press(d.ctx, role, text); err != nil {
		d.Fatal(err)
	}
}

// displays waits until all of these texts are on the screen.
func (d *dino) displays(texts ...string) {
	d.Helper()
	if err := d.Shown(d.ctx, texts...); err != nil {
		d.Fatal(err)
	}
}

// uploads has Dino upload a file and send its address, from which Bob downloads it (XEP-0363).
func (d *dino) uploads() {
	d.Helper()
	file := filepath.Join(d.Data, "text.txt")
	if err := os.WriteFile(file, []byte("the contents"), 0o600); err != nil {
		d.Fatal(err)
	}
	repeats(d.ctx, d.T, "choose a file", func(ctx context.Context) error {
		// GTK 4.8 may crash when it is asked for widgets while a dialog for files comes or goes.
		if d.Ended() {
			d.Start(d.T)
			d.gets("<presence", "alice@localhost/dino.test")
			if err := d.Open(ctx, "xmpp:bob@localhost?message"); err != nil {
				return err
			}
		}
		return errors.Join(d.Press(ctx, "push button", "Send a file"), d.choose(ctx, file))
	}, func(ctx context.Context) error { return d.Press(ctx, "push button", "Send") })
	sent := d.gets("/text.txt</body>")
	https := http.Client{Transport: &http.Transport{TLSClientConfig: d.server.TLS.Clone(), DisableKeepAlives: true}}
	answer, err := https.Get(sent.ChildText("body"))
	if err != nil {
		d.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK || answer.ContentLength != int64(len("the contents")) {
		d.Errorf("%s, %d bytes, %v", answer.Status, answer.ContentLength, err)
	}
	d.displays("text.txt")
}

// choose enters the name of a file in the dialog for files, and waits until that has gone.
func (d *dino) choose(ctx context.Context, file string) error {
	window := d.Window("Select file")
	if err := window.Keys(ctx, file, "ctrl+l", "ctrl+a"); err != nil {
		return err
	}
	if err := window.Keys(ctx, "", "Return"); err != nil {
		return err
	}
	return window.Gone(ctx)
}

// blocks has Dino block Bob and accept him again (XEP-0191).
func (d *dino) blocks() {
	d.Helper()
	d.presses("push button", "Conversation details")
	d.presses("check box", "Block")
	d.gets("<presence", "alice@localhost/dino.test", "unavailable")
	d.send(d.bob, "<message type='chat' id='refused' to='alice@localhost'><body>not for Alice</body></message>")
	d.gets("refused", "<error")
	d.presses("check box", "Block")
	d.gets("<presence", "alice@localhost/dino.test")
	if err := d.CloseWindow(d.ctx, "Contact Details"); err != nil {
		d.Fatal(err)
	}
}

// moderates has Dino create a room, speak in it, give it a subject, throw Bob out, and let members in only (XEP-0045).
func (d *dino) moderates() {
	d.Helper()
	const room = "cave@conference.localhost"
	if err := d.Open(d.ctx, "xmpp:"+room+"?join"); err != nil {
		d.Fatal(err)
	}
	d.presses("push button", "Join")
	d.shows(room+"/alice", "muc#user}:code='201'") // the room is new, and locked
	d.displays(room)
	enter := func() {
		d.send(d.bob, "<presence to='"+room+"/Bob'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
	}
	repeats(d.ctx, d.T, "the first words", func(ctx context.Context) error {
		if err := d.Keys(ctx, "Hello, cave", "Escape", "ctrl+a"); err != nil {
			return err
		}
		return d.Keys(ctx, "", "Return")
	}, func(ctx context.Context) error { return d.Await(ctx, room+"/alice", "Hello, cave") })
	repeats(d.ctx, d.T, "Bob enters", func(context.Context) error { enter(); return nil }, func(ctx context.Context) error {
		_, err := nextWith(ctx, d.bob, "<presence", room+"/Bob", `"110"`) // refused until the first words have come
		return err
	})
	d.send(d.bob, "<message type='groupchat' to='"+room+"'><body>Something wicked</body></message>")
	d.displays("Something wicked")
	d.typed("/topic Macbeth", []string{"Escape", "ctrl+a"}, "<subject>Macbeth</subject>")
	d.displays("Macbeth")
	d.typed("/kick Bob", []string{"Escape", "ctrl+a"}, "<presence", room+"/Bob", `"307"`)

	d.presses("push button", "Channel details")
	d.presses("check box", "Members only")
	if err := d.CloseWindow(d.ctx, "Conference Details"); err != nil {
		d.Fatal(err)
	}
	d.shows("muc#user}:code='104'")
	enter()
	d.gets("<presence", room+"/Bob", "registration-required")
}
