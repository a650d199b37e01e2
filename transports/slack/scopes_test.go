package slack

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/recorder"
	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

// without are the scopes of a full user token but some.
func without(scopes ...string) []string {
	return slices.DeleteFunc(fake.DefaultUserScopes(), func(s string) bool { return slices.Contains(scopes, s) })
}

func (w *world) loginError(answers map[string]string) *transports.Error {
	w.t.Helper()
	login, err := w.net.StartLogin(w.t.Context(), transports.LoginRequest{Flow: "tokens"})
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = login.Next(w.t.Context(), answers)
	var e *transports.Error
	if !errors.As(err, &e) {
		w.t.Fatalf("no error that is for people: %v", err)
	}
	return e
}

// A token without what nothing works without is not linked; all that it lacks is named at once.
func TestVitalScopesAreAskedForWhenLinking(t *testing.T) {
	w := newWorld(t)
	w.server.SetScopes(w.userTok, without("chat:write", "im:history")...)
	e := w.loginError(map[string]string{"app": w.app.Token, "bot": w.install.Token, "user": w.userTok})
	if e.Class != transports.Refused || e.Field != "user" || !strings.Contains(e.Text, "chat:write, im:history") || !strings.Contains(e.Text, "OAuth & Permissions → User Token Scopes") {
		t.Errorf("%+v", e)
	}
	w.server.SetScopes(w.install.Token, "chat:write")
	e = w.loginError(map[string]string{"app": w.app.Token, "bot": w.install.Token})
	if e.Field != "bot" || !strings.Contains(e.Text, "Bot Token Scopes") || strings.Contains(e.Text, "users:write") {
		t.Errorf("%+v", e)
	}
	w.server.SetScopes(w.app.Token, "authorizations:read")
	w.server.SetScopes(w.userTok, fake.DefaultUserScopes()...)
	e = w.loginError(map[string]string{"app": w.app.Token, "bot": w.install.Token, "user": w.userTok})
	if e.Field != "app" || !strings.Contains(e.Text, "connections:write") {
		t.Errorf("%+v", e)
	}
}

// The scopes that a token lacks are reported once, and everything else works.
func TestOtherScopesAreMissedAlone(t *testing.T) {
	w := newWorld(t)
	login := w.link(w.userTok)
	w.server.SetScopes(w.userTok, without("groups:read", "reactions:write")...)
	s, k := w.open(login)
	k.Await(t, "a notice", func() bool {
		return len(k.Notices) == 1 && strings.Contains(k.Notices[0], "groups:read, reactions:write")
	})
	var rooms []transports.RoomInfo
	page := func(more []transports.RoomInfo) error { rooms = append(rooms, more...); return nil }
	if err := s.Rooms(t.Context(), page); err != nil || len(rooms) == 0 {
		t.Errorf("%v, %v: the other kinds of rooms are listed all the same", rooms, err)
	}
	w.server.SetScopes(w.userTok, without("chat:write")...)
	out := outgoing("x", "c1")
	out.Room = w.room()
	for range 2 {
		var e *transports.Error
		if _, err := s.Send(t.Context(), out); !errors.As(err, &e) || e.Class != transports.Refused || e.Condition != "forbidden" || !strings.Contains(e.Text, "chat:write") ||
			!strings.Contains(e.Text, "reinstall") {
			t.Errorf("%+v", err)
		}
	}
	w.ben.Say(w.general, "still there?")
	k.Event(t, "message still there?")
	w.server.SetScopes(w.userTok, fake.DefaultUserScopes()...)
	if _, err := s.Send(t.Context(), out); err != nil {
		t.Errorf("with the scope: %v", err)
	}
	secret := w.acme.AddChannel(fake.Room{Name: "secret", Private: true, Members: []*fake.User{w.ann, w.ben}})
	rooms = nil
	if err := s.Rooms(t.Context(), page); err != nil || !slices.ContainsFunc(rooms, func(r transports.RoomInfo) bool { return r.ID == roomID(w.acme.ID, secret.ID) }) {
		t.Errorf("with the scope: %v, %v", rooms, err)
	}
	k.Lock()
	defer k.Unlock()
	if k.Finals > 0 {
		t.Error("the account was given up")
	}
}

// A socket that Slack does not give says where Socket Mode is switched on.
func TestSocketModeIsOff(t *testing.T) {
	for _, code := range []string{"forbidden_team", "not_allowed_token_type", "missing_scope"} {
		t.Run(code, func(t *testing.T) {
			w := newWorld(t)
			login := w.link(w.userTok)
			defer w.server.Break("apps.connections.open", 0, fake.Refused(code))()
			e := w.loginError(map[string]string{"app": w.app.Token, "bot": w.install.Token})
			if e.Class != transports.Refused || e.Field != "app" || !strings.Contains(e.Text, "connections:write") || code != "missing_scope" && !strings.Contains(e.Text, "Enable Socket Mode") {
				t.Errorf("%+v", e)
			}
			k := recorder.New()
			s, err := w.net.Open(t.Context(), login, k)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close(t.Context()) }()
			k.Await(t, "needs login", func() bool {
				return k.Reached == transports.NeedsLogin && strings.Contains(k.Cause.Error(), "connections:write")
			})
		})
	}
}

// Each token in the field of another.
func TestTokensInTheWrongField(t *testing.T) {
	w := newWorld(t)
	good := map[string]string{"app": w.app.Token, "bot": w.install.Token, "user": w.userTok}
	names := map[string]string{"app": "an app-level token", "bot": "a bot token", "user": "a user token"}
	for field := range good {
		for from, token := range good {
			if from == field {
				continue
			}
			answers := map[string]string{}
			for k, v := range good {
				answers[k] = v
			}
			answers[field] = token
			e := w.loginError(answers)
			if e.Field != field || !strings.Contains(e.Text, "this is "+names[from]) || strings.Contains(e.Text, token) {
				t.Errorf("%s in %s: %+v", from, field, e)
			}
		}
	}
	for token, words := range map[string]string{"xoxe.xoxb-1-abc": "rotation", "xoxc-1": "web client", "secret": "begins with xoxb-", "xoxb-1 2": "line break"} {
		if e := w.loginError(map[string]string{"app": w.app.Token, "bot": token}); e.Field != "bot" || !strings.Contains(e.Text, words) {
			t.Errorf("%s: %+v", token, e)
		}
	}
}

// The manifest that people are asked to use has all scopes that the gateway needs.
func TestManifestHasTheScopes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, scopes, _ := strings.Cut(string(text), "    bot:\n")
	scopes, _, _ = strings.Cut(scopes, "settings:")
	bot, user, _ := strings.Cut(scopes, "    user:\n")
	for _, n := range needs {
		if n.only != userKind && !strings.Contains(bot, "- "+n.scope+"\n") || n.only != botKind && !strings.Contains(user, "- "+n.scope+"\n") {
			t.Errorf("%s is not in the manifest", n.scope)
		}
	}
}
