package server

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/identity/identitytest"
	"github.com/dragoman-im/dragoman/core/jid"
)

func bearer(authzid, token string) string {
	return auth("OAUTHBEARER", "n,"+authzid+",\x01auth="+token+"\x01\x01")
}

// challenge returns the data of the challenge in a text.
func challenge(t *testing.T, text string) []byte {
	t.Helper()
	_, data, _ := strings.Cut(text, "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>")
	data, _, _ = strings.Cut(data, "<")
	out, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A client asks the server where the provider is, has the person log in there, and comes back with the token (XEP-0493 §3.2).
func TestSingleSignOn(t *testing.T) {
	t.Parallel()
	const success, failure = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "</failure>"
	provider := identitytest.StartProvider(t, identitytest.User{ID: "1", Name: "ann", Password: "pencil"},
		identitytest.User{ID: "2", Name: "romeo", Password: "pen"}, identitytest.User{ID: "3", Name: "admin", Password: "chalk"})
	provider.Down.Store(true) // when the server starts
	section := fmt.Sprintf("[[oidc]]\nissuer = %q\naudiences = [%q]\nca = %q\n", provider.Issuer, identitytest.ClientID, provider.Authority.File)
	p := newTestServer(t, extra{component: section})
	defer p.stop()
	provider.Down.Store(false)

	c := p.unencrypted()
	c.Send(bearer("", ""))
	if got := c.Until(failure); !strings.Contains(got, "<encryption-required/>") {
		t.Errorf("without TLS: %s", got)
	}
	c = p.encrypted()
	c.Send(bearer("", ""))
	var found struct {
		Status        string
		Configuration string `json:"openid-configuration"`
	}
	if err := json.Unmarshal(challenge(t, c.Until("</challenge>")), &found); err != nil || found.Status != "invalid_token" {
		t.Fatal(found, err)
	}
	c.Send("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>AQ==</response>")
	c.Until("<not-authorized/></failure>")
	login := func(name, password string) string {
		t.Helper()
		tokens, err := provider.Login(t.Context(), found.Configuration, name, password)
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + tokens.Access
	}
	ann := login("ann", "pencil")
	for _, step := range []struct{ send, want string }{ // on the stream on which it asked
		{bearer("a=romeo@home.test", ann), "<invalid-authzid/></failure>"},
		{bearer("a=ann@home.test", ann), success},
	} {
		c.Send(step.send)
		c.Until(step.want)
	}
	bound := func(c *peer) string {
		c.Send(head("jabber:client", "home.test") + bindX)
		return c.Until("</jid></bind></iq>")
	}
	if got := bound(c); !strings.Contains(got, "<jid>ann@home.test/x</jid>") {
		t.Errorf("bound %s", got)
	}
	c.Send("<iq type='set' id='pw'><query xmlns='jabber:iq:register'><username>ann</username><password>new</password></query></iq>")
	if got := c.Until("</error></iq>"); !strings.Contains(got, "<not-allowed ") { // XEP-0077 §3.3
		t.Errorf("password change: %s", got)
	}

	// Romeo of the provider is not romeo of the server, and its admin not admin.
	for _, u := range [][2]string{{"romeo", "pen"}, {"admin", "chalk"}} {
		c := p.encrypted()
		c.Send(bearer("", login(u[0], u[1])))
		c.Until(success)
		if got := bound(c); !strings.Contains(got, "<jid>"+u[0]+"-") {
			t.Errorf("bound %s", got)
		}
		c = p.encrypted()
		c.Send(bearer("a="+u[0]+"@home.test", login(u[0], u[1])))
		c.Until("<invalid-authzid/></failure>")
	}
	p.loggedIn("romeo") // with the password of the server

	c = p.encrypted()
	c.Send(bearer("", "Bearer "+strings.TrimPrefix(ann, "Bearer ")[10:]))
	c.Until("</challenge>")
	c.Send("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>AQ==</response>")
	c.Until("<not-authorized/></failure>")
	c.Send(plainAuth("ann", "new")) // the account has no password
	c.Until("<not-authorized/></failure>")

	// Down again: what is known suffices.
	provider.Down.Store(true)
	c = p.encrypted()
	c.Send(bearer("a=ann@home.test", ann))
	c.Until(success)
}

// A session ends with its token if that is configured.
func TestSessionEndsWithToken(t *testing.T) {
	t.Parallel()
	provider := identitytest.StartProvider(t)
	p := newTestServer(t, extra{component: fmt.Sprintf("[[oidc]]\nissuer = %q\naudiences = [%q]\nca = %q\nend_sessions = true\n",
		provider.Issuer, identitytest.ClientID, provider.Authority.File)})
	defer p.stop()
	// A token that has expired is accepted for a minute, as clocks differ; the session ends at once.
	token := provider.Sign(nil, map[string]any{
		"iss": provider.Issuer, "sub": "1", "aud": identitytest.ClientID, "exp": time.Now().Add(-5 * time.Second).Unix(), "preferred_username": "ann",
	})
	c := p.encrypted()
	c.Send(bearer("", "Bearer "+token))
	if got := c.rest(); !strings.Contains(got, "<success ") || !strings.Contains(got, "<reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>") {
		t.Errorf("the stream ends with %s", got)
	}
	if ok, err := p.server.Store().Exists(t.Context(), jid.MustParse("ann@home.test")); !ok || err != nil {
		t.Error(ok, err)
	}
}

// TestRevokedToken ends a session whose opaque token the provider has revoked, and one that is refused stays refused.
func TestRevokedToken(t *testing.T) {
	t.Parallel()
	provider := identitytest.StartProvider(t, identitytest.User{ID: "1", Name: "ann", Password: "pencil"})
	provider.Opaque.Store(true)
	p := newTestServer(t, extra{component: fmt.Sprintf("[[oidc]]\nissuer = %q\naudiences = [%q]\nca = %q\nclient_id = %q\nclient_secret = %q\nintrospection_cache = \"1s\"\nrecheck = \"1s\"\n",
		provider.Issuer, identitytest.ClientID, provider.Authority.File, identitytest.ServerID, identitytest.ServerSecret)})
	defer p.stop()
	tokens, err := provider.Login(t.Context(), provider.Issuer+"/.well-known/openid-configuration", "ann", "pencil")
	if err != nil {
		t.Fatal(err)
	}
	c := p.encrypted()
	c.Send(bearer("a=ann@home.test", "Bearer "+tokens.Access))
	c.Until("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
	c.Send(head("jabber:client", "home.test") + bindX)
	c.Until("</jid></bind></iq>")
	asked := provider.Questions.Load()
	for provider.Questions.Load() < asked+2 { // while it is valid the session stays
		time.Sleep(50 * time.Millisecond)
	}
	c.Send("<iq type='get' id='still'><ping xmlns='urn:xmpp:ping'/></iq>")
	c.Until("id='still'")
	if err := provider.Revoke(t.Context(), tokens.Access); err != nil {
		t.Fatal(err)
	}
	if got := c.rest(); !strings.Contains(got, "<reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>") {
		t.Errorf("the stream ends with %s", got)
	}
	c = p.encrypted()
	c.Send(bearer("", "Bearer "+tokens.Access))
	if got := string(challenge(t, c.Until("</challenge>"))); !strings.Contains(got, "invalid_token") || strings.Contains(got, "revoked") {
		t.Error(got)
	}
}
