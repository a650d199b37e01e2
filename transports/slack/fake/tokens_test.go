package fake_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"

	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

func TestTokenKinds(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	ctx := deadline(t)
	me, err := w.bot.AuthTestContext(ctx)
	w.ok(err)
	if me.TeamID != w.acme.ID || me.UserID != w.in.Bot.ID || me.BotID != w.in.BotID {
		t.Errorf("the bot is %+v", me)
	}
	me, err = w.asAnn.AuthTestContext(ctx)
	w.ok(err)
	if me.UserID != w.ann.ID || me.BotID != "" {
		t.Errorf("ann is %+v", me)
	}
	_, err = w.client("xoxb-made-up").AuthTestContext(ctx)
	w.wants(err, "invalid_auth")
	_, err = w.client("").AuthTestContext(ctx)
	w.wants(err, "not_authed")
	_, _, err = slack.New("", slack.OptionAPIURL(w.slack.APIURL()), slack.OptionAppLevelToken(w.in.Token), slack.OptionHTTPClient(newHTTP(t))).StartSocketModeContext(ctx)
	w.wants(err, "not_allowed_token_type")
	w.slack.SetScopes(w.annToken, "channels:read")
	_, _, err = w.asAnn.GetConversationsContext(ctx, &slack.GetConversationsParameters{Types: []string{"public_channel", "im"}})
	w.wants(err, "missing_scope")
	_, err = w.asAnn.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{ChannelID: w.general.ID})
	w.wants(err, "missing_scope")
}

func TestRevocationDuringSession(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	l := w.listen()
	l.connected(1)
	if !w.slack.Revoke(w.annToken) || w.slack.Revoke(w.annToken) {
		t.Error("a token is not revoked just once")
	}
	l.until("tokens_revoked", func() bool { return slices.Contains(l.types(), "tokens_revoked") })
	e := l.all()[0].event.InnerEvent.Data.(*slackevents.TokensRevokedEvent)
	if !slices.Equal(e.Tokens.Oauth, []string{w.ann.ID}) || len(e.Tokens.Bot) != 0 {
		t.Errorf("event: %+v", e.Tokens)
	}
	w.app.Uninstall(w.acme)
	l.until("app_uninstalled", func() bool { return slices.Contains(l.types(), "app_uninstalled") })
	_, err := w.bot.AuthTestContext(deadline(t))
	w.wants(err, "account_inactive")
	// Installed again, it has another token.
	old := w.in.Token
	if in := w.app.Install(w.acme); in.Token == old || in.Bot != w.in.Bot {
		t.Errorf("installed again: %+v", in)
	}
	_, err = w.client(w.in.Token).AuthTestContext(deadline(t))
	w.ok(err)
	w.slack.Revoke(w.app.Token)
	select {
	case err := <-l.ended:
		if err == nil || err.Error() != "invalid_auth" {
			t.Errorf("the client ends with %v", err)
		}
		l.ended <- nil
	case <-deadline(t).Done():
		t.Error("the client goes on without a token")
	}
	w.bob.Deactivate()
	bob := w.app.Link(w.bob)
	_, err = w.client(bob).AuthTestContext(deadline(t))
	w.wants(err, "account_inactive")
}

func TestOtherHTTPServer(t *testing.T) {
	t.Parallel()
	s := fake.New(fake.Options{PingEvery: time.Second})
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	t.Cleanup(s.Close)
	s2 := fake.New(fake.Options{})
	s2.Close()
	s2.Close()
	if err := s2.Start(); err == nil {
		t.Error("a closed server starts")
	}
	ws := s.AddWorkspace("Acme", "acme")
	in := s.AddApp(fake.AppSpec{Name: "X"}).Install(ws)
	c := slack.New(in.Token, slack.OptionAPIURL(h.URL+"/api/"), slack.OptionHTTPClient(newHTTP(t)))
	if _, err := c.AuthTestContext(deadline(t)); err != nil {
		t.Error(err)
	}
	s.Outage()
	if _, err := c.AuthTestContext(deadline(t)); err == nil {
		t.Error("an answer during the outage")
	}
	s.Restore()
	if _, err := c.AuthTestContext(deadline(t)); err != nil {
		t.Error(err)
	}
	s.Close()
	r, err := newHTTP(t).Get(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
	if r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a closed server answers %s", r.Status)
	}
}

func TestUnknownMethodsAndBadBodies(t *testing.T) {
	t.Parallel()
	s := fake.New(fake.Options{})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	c := newHTTP(t)
	for _, x := range []struct{ method, ct, body, want string }{
		{"chat.teleport", "application/json", "{}", "unknown_method"},
		{"auth.test", "application/json", "{", "invalid_json"},
		{"auth.test", "application/json", "[]", "json_not_object"},
		{"auth.test", "application/x-www-form-urlencoded", "%", "invalid_form_data"},
		{"auth.test", "multipart/form-data", "", "invalid_form_data"},
		{"apps.connections.open", "application/x-www-form-urlencoded", "token=xapp-1", "invalid_auth"},
	} {
		r, err := c.Post(s.APIURL()+x.method, x.ct, strings.NewReader(x.body))
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if !strings.Contains(string(b), `"error":"`+x.want+`"`) || r.StatusCode != http.StatusOK {
			t.Errorf("%s %q: %s %s, want %s", x.method, x.body, r.Status, b, x.want)
		}
	}
}
