package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/fake"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
)

// reported collects what people and operators may see: the log, errors, states, values that are printed.
type reported struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (d *reported) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.b.Write(p)
}

func (d *reported) see(values ...any) {
	for _, v := range values {
		fmt.Fprintf(d, "%v\n%+v\n", v, v)
		var e *transports.Error
		if err, ok := v.(error); ok && errors.As(err, &e) {
			fmt.Fprintln(d, e.Text)
		}
	}
}

func (d *reported) check(t *testing.T, secrets map[string]string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	all := d.b.String()
	if len(all) < 500 {
		t.Errorf("hardly anything was told: %s", all)
	}
	for what, secret := range secrets {
		if len(secret) < 20 {
			t.Errorf("%s is %q", what, secret)
			continue
		}
		for _, form := range []string{secret, url.PathEscape(secret), secret[len(secret)-12:]} {
			if i := strings.Index(all, form); i >= 0 {
				t.Errorf("the %s is told: %s…", what, all[max(0, i-200):min(len(all), i+20)])
				break
			}
		}
	}
}

// No token, nor a webhook's, which is part of its address, is in a log at its most talkative, in an
// error or in a message to a person, whatever fails.
func TestTokensAreNotRevealed(t *testing.T) {
	d := &reported{}
	w := newWorld(t)
	var err error
	w.net, err = New(Options{
		APIURL: w.APIURL(), Timeout: 2 * time.Second, RetryMin: 10 * time.Millisecond, RetryMax: 50 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(d, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	w.must(err)
	login := w.link()
	var cred credentials
	w.must(json.Unmarshal(login.Secret, &cred))
	d.see(cred, &cred, login, &login, fmt.Sprintf("%#v %#v", cred, login))
	for _, token := range []string{w.bot.Token() + "x", w.bot.Token() + "\n" + w.bot.Token(), w.bot.Token() + "%", w.bot.Token() + "\x7f"} {
		login, err := w.net.StartLogin(t.Context(), transports.LoginRequest{Flow: "bot"})
		w.must(err)
		_, err = login.Next(t.Context(), map[string]string{"token": token})
		d.see(err)
	}
	s, k := w.open(login)
	out := say(w.general, "x", "c1")
	hooked := out
	hooked.Author = &transports.Author{Name: "Juliet"}
	first, err := s.Send(t.Context(), hooked)
	w.must(err)
	hook := s.hooks.channel[string(w.general)]
	d.see(hook, *hook, s.hooks.channel)
	try := func() {
		_, err := s.Send(t.Context(), hooked)
		d.see(err)
		_, err = s.Send(t.Context(), out)
		d.see(err)
		d.see(edit(s, transports.MessageRef{Room: transports.RoomID(w.general), ID: first.ID}, out), s.Delete(t.Context(), transports.MessageRef{Room: transports.RoomID(w.general), ID: "1"}))
	}
	for _, action := range []fake.Action{
		fake.RateLimit(50 * time.Millisecond), fake.GlobalRateLimit(50 * time.Millisecond), fake.Broken(502), fake.LoseReply(), fake.Hang(),
		fake.Answer(403, rest.CodeMissingPerms, "Missing Permissions"), fake.Answer(400, 50035, "Invalid Form Body"),
	} {
		for _, route := range []string{postMessage, postWebhook, "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}", "GET /gateway/bot"} {
			w.Inject(route, 1, action)
		}
		try()
		w.bot.Drop()
	}
	w.DeleteWebhooks(w.general)
	w.Inject("POST /channels/{channel_id}/webhooks", 1, fake.Broken(500))
	try()
	w.Outage(fake.Dropped)
	try()
	w.must(w.Recover(t.Context(), true))
	old := login
	old.Secret = []byte(`{"token":"` + cred.Token)
	_, err = w.net.Open(t.Context(), old, k)
	d.see(err)
	w.bot.ResetToken()
	try()
	w.must(s.Close(context.Background()))
	_, err = w.net.Open(t.Context(), login, k)
	d.see(err)
	k.Lock()
	for _, cause := range k.Causes {
		d.see(cause)
	}
	for _, e := range k.Events {
		d.see(e)
	}
	d.see(string(k.Saved)) // the state is kept in the open
	k.Unlock()
	d.check(t, map[string]string{"bot's token": cred.Token, "webhook's token": hook.Token})
}
