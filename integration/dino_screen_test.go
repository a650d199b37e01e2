package integration_test

import (
	"context"
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
	d.presses("push button", "Send a file")
	repeats(d.ctx, d.T, "choose a file", func(ctx context.Context) error {
		window := d.Window("Select file")
		err := window.Keys(ctx, file, "ctrl+l", "ctrl+a")
		if err == nil {
			err = window.Keys(ctx, "", "Return")
		}
		return err
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
