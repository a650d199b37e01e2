package fake_test

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"

	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

func TestTokensAndWhatTheyAreGoodFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
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
	w.ok(err2(w.asAnn.SendAuthRevokeContext(ctx, "")))
	_, err = w.asAnn.AuthTestContext(ctx)
	w.wants(err, "token_revoked")
}

func err2[T any](_ T, err error) error { return err }

func TestARevocationInMidSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
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

func TestConsentThroughOAuth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := deadline(t)
	api := slack.OAuthOptionAPIURL(w.slack.APIURL())
	code := w.app.Consent(w.bob, "chat:write,channels:read", "im:history", "https://example.org/back")
	client := newHTTP(t)
	_, err := slack.GetOAuthV2ResponseContext(ctx, client, w.app.ClientID, "guessed", code, "https://example.org/back", api)
	w.wants(err, "bad_client_secret")
	_, err = slack.GetOAuthV2ResponseContext(ctx, client, "1.2", w.app.ClientSecret, code, "https://example.org/back", api)
	w.wants(err, "invalid_client_id")
	r, err := slack.GetOAuthV2ResponseContext(ctx, client, w.app.ClientID, w.app.ClientSecret, code, "https://example.org/back", api)
	w.ok(err)
	if r.AccessToken != w.in.Token || r.Scope != "chat:write,channels:read" || r.BotUserID != w.in.Bot.ID || r.Team.ID != w.acme.ID ||
		r.AuthedUser.ID != w.bob.ID || r.AuthedUser.Scope != "im:history" || r.AuthedUser.TokenType != "user" {
		t.Errorf("granted: %+v", r)
	}
	me, err := w.client(r.AuthedUser.AccessToken).AuthTestContext(ctx)
	w.ok(err)
	if me.UserID != w.bob.ID {
		t.Errorf("the token is of %s", me.UserID)
	}
	_, err = slack.GetOAuthV2ResponseContext(ctx, client, w.app.ClientID, w.app.ClientSecret, code, "https://example.org/back", api)
	w.wants(err, "invalid_code")
	code = w.app.Consent(w.bob, "", "im:history", "https://example.org/back")
	_, err = slack.GetOAuthV2ResponseContext(ctx, client, w.app.ClientID, w.app.ClientSecret, code, "https://example.org/elsewhere", api)
	w.wants(err, "bad_redirect_uri")
}

func TestConsentInTheBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := deadline(t)
	sum := sha256.Sum256([]byte("verifier"))
	q := url.Values{"client_id": {w.app.ClientID}, "user_scope": {"chat:write"}, "state": {"a&b"}, "redirect_uri": {"https://example.org/back?x=1"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}}
	link := w.slack.URL() + "/oauth/v2/authorize?" + q.Encode()
	if page := fetch(t, link); !strings.Contains(page, "Allow, as Ann (Acme)") || strings.Contains(page, "Slackbot") {
		t.Errorf("page: %s", page)
	}
	browser := newHTTP(t)
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	back := func(as string) url.Values {
		r, err := browser.PostForm(link, url.Values{"as": {as}})
		w.ok(err)
		_ = r.Body.Close()
		to, err := r.Location()
		w.ok(err)
		if to.Host != "example.org" || to.Query().Get("x") != "1" || to.Query().Get("state") != "a&b" {
			t.Errorf("sent back to %s", to)
		}
		return to.Query()
	}
	if q := back(""); q.Get("error") != "access_denied" || q.Has("code") {
		t.Errorf("refused: %v", q)
	}
	code := back(w.ann.ID).Get("code")
	api := slack.OAuthOptionAPIURL(w.slack.APIURL())
	_, err := slack.GetOAuthV2ResponseContext(ctx, browser, w.app.ClientID, w.app.ClientSecret, code, "https://example.org/back?x=1", api, slack.OAuthOptionCodeVerifier("wrong"))
	w.wants(err, "invalid_code_verifier")
	code = back(w.ann.ID).Get("code")
	r, err := slack.GetOAuthV2ResponseContext(ctx, browser, w.app.ClientID, w.app.ClientSecret, code, "https://example.org/back?x=1", api, slack.OAuthOptionCodeVerifier("verifier"))
	w.ok(err)
	if r.AuthedUser.AccessToken != w.annToken || r.AccessToken != "" {
		t.Errorf("granted: %+v", r)
	}
	for _, bad := range []string{"client_id=1.2", "client_id=" + w.app.ClientID + "&redirect_uri=javascript:x&scope=a",
		"client_id=" + w.app.ClientID + "&redirect_uri=https://example.org"} {
		if page := fetch(t, w.slack.URL()+"/oauth/v2/authorize?"+bad); strings.Contains(page, "Allow") {
			t.Errorf("%s is offered", bad)
		}
	}
}

func TestTokensThatRotate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := deadline(t)
	app := w.slack.AddApp(fake.AppSpec{Name: "Spinner", Rotate: true, RedirectURLs: []string{"https://example.org/"}})
	api := slack.OAuthOptionAPIURL(w.slack.APIURL())
	client := newHTTP(t)
	r, err := slack.GetOAuthV2ResponseContext(ctx, client, app.ClientID, app.ClientSecret, app.Consent(w.ann, "chat:write", "chat:write", ""), "", api)
	w.ok(err)
	if !strings.HasPrefix(r.AccessToken, "xoxe.xoxb-1-") || r.ExpiresIn != 43200 || r.RefreshToken == "" || r.AuthedUser.RefreshToken == "" {
		t.Errorf("granted: %+v", r)
	}
	w.slack.Expire(r.AccessToken)
	_, err = w.client(r.AccessToken).AuthTestContext(ctx)
	w.wants(err, "token_expired")
	fresh, err := slack.RefreshOAuthV2TokenContext(ctx, client, app.ClientID, app.ClientSecret, r.RefreshToken, api)
	w.ok(err)
	me, err := w.client(fresh.AccessToken).AuthTestContext(ctx)
	w.ok(err)
	if me.BotID == "" {
		t.Errorf("refreshed: %+v", me)
	}
	_, err = slack.RefreshOAuthV2TokenContext(ctx, client, app.ClientID, app.ClientSecret, r.RefreshToken, api)
	w.wants(err, "invalid_refresh_token")
	_, err = slack.RefreshOAuthV2TokenContext(ctx, client, app.ClientID, app.ClientSecret, r.AuthedUser.RefreshToken, api)
	w.ok(err)
	if page := fetch(t, w.slack.URL()+"/oauth/v2/authorize?scope=a&client_id="+app.ClientID+"&redirect_uri=https://evil.example/"); strings.Contains(page, "Allow") {
		t.Error("a foreign redirect_uri is taken")
	}
}

func TestServedBySomebodyElse(t *testing.T) {
	t.Parallel()
	s := fake.New(fake.Options{PingEvery: time.Second})
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	t.Cleanup(s.Close)
	s2 := fake.New(fake.Options{BaseURL: h.URL + "/"})
	if s2.URL() != h.URL {
		t.Errorf("address is %s", s2.URL())
	}
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
