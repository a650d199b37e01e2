package slack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

// reported collects what people and operators may see: the log, errors, states, values that are printed.
type reported struct {
	log *shared
	b   strings.Builder
}

func (d *reported) see(values ...any) {
	for _, v := range values {
		fmt.Fprintf(&d.b, "%v\n%+v\n", v, v)
		if err, ok := v.(error); ok {
			var e *transports.Error
			if errors.As(err, &e) {
				fmt.Fprintln(&d.b, e.Text)
			}
		}
	}
}

func (d *reported) check(t *testing.T, secrets map[string]string) {
	t.Helper()
	all := d.log.String() + d.b.String()
	if len(all) < 500 {
		t.Errorf("hardly anything was told: %s", all)
	}
	for what, secret := range secrets {
		if secret == "" {
			t.Errorf("no %s", what)
		}
		for _, form := range []string{secret, url.QueryEscape(secret), secret[len(secret)-12:]} {
			if i := strings.Index(all, form); i >= 0 {
				t.Errorf("the %s is told: …%s", what, all[max(0, i-200):min(len(all), i+20)])
				break
			}
		}
	}
}

// No token is in a log at its most talkative, in an error or in a message to a person, whatever fails.
func TestTokensAreNotRevealed(t *testing.T) {
	d := &reported{log: &shared{}}
	w := newWorld(t, func(o *Options) {
		o.Log, o.Timeout = slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug})), 500*time.Millisecond
	})
	login := w.link(w.userTok)
	var cred credentials
	if c, err := parseCredentials(login.Secret); err != nil {
		t.Fatal(err)
	} else {
		cred = c
	}
	d.see(cred, &cred, login, &login, fmt.Sprintf("%#v %#v", cred, login))
	for _, answers := range []map[string]string{
		{"app": w.install.Token, "bot": w.app.Token}, {"app": w.app.Token + "0", "bot": w.install.Token}, {"app": w.app.Token, "bot": w.install.Token + "0"},
	} {
		login, err := w.net.StartLogin(t.Context(), transports.LoginRequest{Flow: "tokens"})
		d.see(err)
		_, err = login.Next(t.Context(), answers)
		d.see(err)
	}
	s, k := w.open(login)
	out := outgoing("x", "c1")
	out.Room = w.room()
	for _, f := range []fake.Fault{
		fake.RateLimited(time.Second), fake.ServerError(503), fake.Garbage(), fake.LostReply(), fake.FailsAfter(500), fake.Hang(), fake.Refused("is_archived"), fake.Refused("missing_scope"),
	} {
		for _, method := range []string{"chat.postMessage", "apps.connections.open", "users.info"} {
			if method == "chat.postMessage" || f != fake.Refused("is_archived") && f != fake.Refused("missing_scope") {
				w.server.Break(method, 1, f)
			}
		}
		_, err := s.Send(t.Context(), out)
		d.see(err)
		ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
		_, err = s.Profile(ctx, userID(w.acme.ID, w.ben.ID))
		cancel()
		d.see(err)
		w.server.DropSockets()
	}
	w.server.Outage()
	_, err := s.Send(t.Context(), out)
	d.see(err)
	_, err = s.Direct(t.Context(), userID(w.acme.ID, w.ben.ID))
	d.see(err)
	w.server.Restore()
	w.server.Revoke(w.userTok)
	_, err = s.Send(t.Context(), out)
	d.see(err)
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
	_, err = w.net.Open(t.Context(), login, k)
	d.see(err)
	k.Lock()
	for _, cause := range k.Causes {
		d.see(cause)
	}
	for _, e := range k.Events {
		d.see(e)
	}
	k.Unlock()
	d.check(t, map[string]string{"app-level token": w.app.Token, "bot token": w.install.Token, "user token": w.userTok})
}

// Tokens go to the API and nowhere else: an answer cannot send them away.
func TestTokensAreNotRedirected(t *testing.T) {
	t.Parallel()
	caught := make(chan string, 10)
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		caught <- r.Header.Get("Authorization") + r.Form.Encode()
	}))
	defer thief.Close()
	for _, status := range []int{301, 302, 307, 308} {
		api := httptest.NewServer(http.RedirectHandler(thief.URL, status))
		n := New(Options{APIURL: api.URL})
		login, err := n.StartLogin(t.Context(), transports.LoginRequest{Flow: "tokens"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := login.Next(t.Context(), map[string]string{"app": "xapp-1", "bot": "xoxb-1"}); err == nil {
			t.Errorf("%d: no error", status)
		}
		n.http.CloseIdleConnections()
		api.Close()
	}
	select {
	case got := <-caught:
		t.Errorf("followed with %q", got)
	default:
	}
}
