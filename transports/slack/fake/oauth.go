package fake

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// grant is a code that a person's consent gave.
type grant struct {
	app       *App
	user      *User
	scope     []string
	userScope []string
	redirect  string
	challenge string // of PKCE, S256
	until     time.Time
}

const codeLife = 10 * time.Minute

// Consent is a person's yes to the app on Slack's page: the code that oauth.v2.access takes.
// The scopes are as in the authorize link; redirect is the redirect_uri, or empty.
func (a *App) Consent(u *User, scope, userScope, redirect string) (code string) {
	s := a.server
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.grant(&grant{app: a, user: u, scope: commas(scope), userScope: commas(userScope), redirect: redirect})
}

func (s *Server) grant(g *grant) string {
	g.until = s.opt.Now().Add(codeLife)
	code := strings.SplitN(g.app.ClientID, ".", 2)[0] + "." + secret(16)
	s.codes[code] = g
	return code
}

func commas(v string) []string {
	return strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' })
}

// oauthAccess is oauth.v2.access, with a code or a refresh token.
func (c *call) oauthAccess() (map[string]any, error) {
	a, err := c.client()
	if err != nil {
		return nil, err
	}
	switch c.str("grant_type") {
	case "", "authorization_code":
	case "refresh_token":
		return c.oauthRefresh(a)
	default:
		return nil, refuse("invalid_grant_type")
	}
	code := c.str("code")
	g := c.server.codes[code]
	delete(c.server.codes, code) // good once
	if g == nil || g.app != a || c.server.opt.Now().After(g.until) {
		return nil, refuse("invalid_code")
	}
	if r := c.str("redirect_uri"); r != g.redirect && (r != "" || g.redirect != "") {
		return nil, refuse("bad_redirect_uri")
	}
	if g.challenge != "" {
		sum := sha256.Sum256([]byte(c.str("code_verifier")))
		if base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge {
			return nil, refuse("invalid_code_verifier")
		}
	}
	out := c.oauthHead(a, g.user.team)
	if len(g.scope) > 0 {
		bot := a.install(g.user.team, g.scope).bot
		out["bot_user_id"] = bot.user.ID
		put(out, bot, c.server.opt.Now(), "bot")
	}
	person := map[string]any{"id": g.user.ID}
	if len(g.userScope) > 0 {
		put(person, a.link(g.user, g.userScope), c.server.opt.Now(), "user")
	}
	out["authed_user"] = person
	return out, nil
}

func (c *call) oauthRefresh(a *App) (map[string]any, error) {
	want := c.str("refresh_token")
	for _, t := range c.server.tokens {
		if t.app != a || t.refresh == "" || t.refresh != want {
			continue
		}
		if t.dead != "" {
			break
		}
		fresh := c.server.mintToken(&token{kind: t.kind, app: a, install: t.install, user: t.user, scopes: t.scopes})
		t.refresh = "" // good once; the old token lives until it expires
		out := c.oauthHead(a, t.install.team)
		if t.kind == botToken {
			t.install.bot, t.install.Token = fresh, fresh.value
			out["bot_user_id"] = t.user.ID
			put(out, fresh, c.server.opt.Now(), "bot")
		} else {
			t.install.people[t.user.ID] = fresh
			put(out, fresh, c.server.opt.Now(), "user")
		}
		return out, nil
	}
	return nil, refuse("invalid_refresh_token")
}

func (c *call) oauthHead(a *App, w *Workspace) map[string]any {
	return map[string]any{
		"app_id": a.ID, "team": map[string]any{"id": w.ID, "name": w.name}, "enterprise": nil, "is_enterprise_install": false,
	}
}

func put(out map[string]any, t *token, now time.Time, kind string) {
	out["access_token"], out["token_type"], out["scope"] = t.value, kind, strings.Join(t.scopes, ",")
	if t.refresh != "" {
		out["refresh_token"] = t.refresh
		out["expires_in"] = int(t.expires.Sub(now).Round(time.Second).Seconds())
	}
}

// client is the app whose id and secret the call has.
func (c *call) client() (*App, error) {
	id := c.str("client_id")
	for _, a := range c.server.apps {
		if a.ClientID == id {
			if c.str("client_secret") != a.ClientSecret {
				return nil, refuse("bad_client_secret")
			}
			return a, nil
		}
	}
	return nil, refuse("invalid_client_id")
}

// The page where a person says yes. Slack knows them by their cookie; here they choose who
// they are.
var consentPage = template.Must(template.New("consent").Parse(`<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>{{.App}} wants in</title>
<h1>{{.App}} is requesting permission to access a workspace</h1>
<p>This is a stand-in for Slack. Who are you?</p>
<form method="post">{{range .Users}}
<p><button name="as" value="{{.ID}}">Allow, as {{.Name}} ({{.Team}})</button></p>{{end}}
<p><button name="as" value="">Cancel</button></p>
</form></html>
`))

// serveAuthorize is the authorize link: a page to choose a person on, then the way back.
// A GET with as=<user id> says yes at once.
func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if r.ParseForm() != nil {
		http.Error(w, "bad form", http.StatusBadRequest)
		return
	}
	q := r.URL.Query()
	s.mu.Lock()
	app, page := s.consentFor(q)
	to := ""
	if page.Problem == "" && r.Form.Has("as") {
		to = s.wayBack(app, q, r.Form.Get("as"))
	}
	s.mu.Unlock()
	switch {
	case page.Problem != "":
		http.Error(w, page.Problem, http.StatusOK) // Slack's page has status 200 too
	case to != "":
		http.Redirect(w, r, to, http.StatusFound)
	default:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = consentPage.Execute(w, page)
	}
}

// consent is what the page shows.
type consent struct {
	Problem string
	App     string
	Users   []candidate
}

type candidate struct{ ID, Name, Team string }

// consentFor reads an authorize link. mu is held.
func (s *Server) consentFor(q url.Values) (*App, consent) {
	var app *App
	for _, a := range s.apps {
		if a.ClientID == q.Get("client_id") {
			app = a
		}
	}
	back := q.Get("redirect_uri")
	target, err := url.Parse(back)
	switch {
	case app == nil:
		return nil, consent{Problem: "Invalid client_id parameter"}
	case err != nil || target.Scheme != "https" && target.Scheme != "http" || !app.mayRedirect(back):
		return nil, consent{Problem: "redirect_uri did not match any configured URIs"}
	case q.Get("scope") == "" && q.Get("user_scope") == "":
		return nil, consent{Problem: "Invalid permissions requested"}
	}
	page := consent{App: app.spec.Name}
	for _, ws := range s.workspaces {
		for _, u := range ws.users {
			if u.bot == nil && u.ID != slackbot && !u.deleted {
				page.Users = append(page.Users, candidate{u.ID, u.shownName(), ws.name})
			}
		}
	}
	return app, page
}

// wayBack is the redirect_uri with a code, or with the refusal. mu is held.
func (s *Server) wayBack(app *App, q url.Values, as string) string {
	target, _ := url.Parse(q.Get("redirect_uri"))
	answer := target.Query()
	answer.Set("state", q.Get("state"))
	if u := s.userByID(as); u != nil {
		answer.Set("code", s.grant(&grant{app: app, user: u, scope: commas(q.Get("scope")),
			userScope: commas(q.Get("user_scope")), redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge")}))
	} else {
		answer.Set("error", "access_denied")
	}
	target.RawQuery = answer.Encode()
	return target.String()
}

func (a *App) mayRedirect(to string) bool {
	return a.spec.RedirectURLs == nil || slices.ContainsFunc(a.spec.RedirectURLs, func(p string) bool {
		return to == p || strings.HasPrefix(to, strings.TrimSuffix(p, "/")+"/")
	})
}

// userByID is the person with an id, in whichever workspace.
func (s *Server) userByID(id string) *User {
	for _, w := range s.workspaces {
		if u := w.user(id); u != nil && u.bot == nil && id != slackbot {
			return u
		}
	}
	return nil
}
