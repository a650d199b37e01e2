package integration_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/identity/identitytest"
	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// ownAccount is an account whose password the server of these tests has itself.
var ownAccount = peers.Account{User: "owen", Password: "own password"}

// startWithBackends starts a server with back ends.
func startWithBackends(t *testing.T, login, sections string) *peers.Dragoman {
	t.Helper()
	return peers.StartDragoman(t, peers.Options{
		Setup: peers.Setup{Host: testHost, Accounts: []peers.Account{ownAccount}}, Login: login, Settings: sections,
	})
}

// answerTo sends an IQ and returns its answer.
func answerTo(ctx context.Context, t *testing.T, c *client.Conn, id, iq string) *xmltree.Element {
	t.Helper()
	if err := c.Send(iq); err != nil {
		t.Fatal(err)
	}
	for {
		e, err := c.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if e.Attr("id") == id {
			return e
		}
	}
}

// refusedFor reports whether a login failed with a condition.
func refusedFor(err error, condition string) bool {
	refused, ok := errors.AsType[*client.Refused](err)
	return ok && refused.Condition == condition
}

// TestLDAPLogin logs in by a directory: with slixmpp, and beside accounts of the server.
func TestLDAPLogin(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	people := []identitytest.LDAPPerson{{UID: "lara", Password: "pen *(cil"}, {UID: "leo", Password: "leo's"}, {UID: ownAccount.User, Password: "another's"}}
	slapd := identitytest.StartSlapd(t, people...)
	s := startWithBackends(t, "", fmt.Sprintf("[[ldap]]\nurl = %q\nca = %q\nbind_dn = %q\npassword = %q\nbase = %q\nfind = true\n",
		slapd.Plain, slapd.Authority.File, identitytest.ServiceDN, identitytest.ServicePassword, identitytest.Base))

	lara := peers.StartSlixmpp(t)
	if err := lara.Login(ctx, &s.Server, peers.Account{User: "lara", Password: "pen *(cil"}); err != nil {
		t.Fatal(err)
	}
	if lara.Mechanism != "PLAIN" {
		t.Errorf("mechanism %s", lara.Mechanism)
	}
	own, err := s.Dial(ctx, ownAccount, "")
	if err != nil {
		t.Fatal(err)
	}
	defer own.Drop()
	for _, wrong := range []peers.Account{
		{User: "lara", Password: "wrong"}, {User: "lara*", Password: "pen *(cil"}, {User: "nobody", Password: "pen *(cil"},
		{User: ownAccount.User, Password: "another's"}, // the directory has the name too
	} {
		if _, err := s.Dial(ctx, wrong, ""); !refusedFor(err, "not-authorized") {
			t.Errorf("%+v: %v", wrong, err)
		}
	}

	// Somebody writes to a person of the directory who has never logged in.
	if err := own.Send("<message to='leo@" + testHost + "' type='chat' id='early'><body>welcome</body></message>"); err != nil {
		t.Fatal(err)
	}
	if e := answerTo(ctx, t, own, "late", "<message to='nobody@"+testHost+"' type='chat' id='late'><body>x</body></message>"); e.Attr("type") != "error" {
		t.Errorf("message to nobody: %s", e)
	}
	leo, err := s.Dial(ctx, peers.Account{User: "leo", Password: "leo's"}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer leo.Drop()
	if err := leo.Send("<presence/>"); err != nil {
		t.Fatal(err)
	}
	for {
		e, err := leo.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if e.Name.Local == "message" && strings.Contains(e.String(), "welcome") {
			break
		}
	}

	// The password is the directory's business.
	const change = "<iq type='set' id='change'><query xmlns='jabber:iq:register'><username>leo</username><password>new</password></query></iq>"
	for _, iq := range []string{change, "<iq type='set' id='change'><query xmlns='jabber:iq:register'><remove/></query></iq>"} {
		if e := answerTo(ctx, t, leo, "change", iq); e.Attr("type") != "error" || e.Find("error", "not-allowed") == nil {
			t.Errorf("answer %s", e)
		}
	}
	if out, err := s.Run("new\n", "account", "passwd", "leo"); err == nil || !strings.Contains(out, "login.backends") {
		t.Errorf("account passwd: %v %s", err, out)
	}

	// Another person gets the name: the account is not theirs.
	slapd.Replace(people[0], identitytest.LDAPPerson{UID: "leo", Password: "leo's"})
	if _, err := s.Dial(ctx, peers.Account{User: "leo", Password: "leo's"}, ""); !refusedFor(err, "not-authorized") {
		t.Errorf("the account of another person: %v", err)
	}
	slapd.Stop()
	if _, err := s.Dial(ctx, peers.Account{User: "leo", Password: "leo's"}, ""); !refusedFor(err, "temporary-auth-failure") {
		t.Errorf("without the directory: %v", err)
	}
	if c, err := s.Dial(ctx, ownAccount, ""); err != nil {
		t.Errorf("the directory holds up others: %v", err)
	} else {
		c.Drop()
	}
	for _, secret := range []string{"pen *(cil", "leo's", identitytest.ServicePassword, ownAccount.Password, "another's"} {
		if s.Log().Contains(secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

// TestHTTPCheckLogin logs in by a web service, and by a token of an issuer.
func TestHTTPCheckLogin(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Action, Host, Username, Password string }
		ok := json.NewDecoder(r.Body).Decode(&q) == nil && r.Header.Get("Authorization") == "Bearer between-us" && q.Host == testHost &&
			q.Username == "hanna" && q.Action == "check" && q.Password == "hanna's"
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"ok": %t, "id": "1"}`, ok)
	}))
	defer service.Close()
	const secret = "0123456789abcdef0123456789abcdef"
	s := startWithBackends(t, "", fmt.Sprintf("[[http_check]]\nurl = %q\nsecret = \"between-us\"\n[[jwt]]\nissuer = \"portal\"\naudiences = [%q]\nsecret = %q\n",
		service.URL, testHost, secret))
	hanna := peers.StartSlixmpp(t)
	if err := hanna.Login(ctx, &s.Server, peers.Account{User: "hanna", Password: "hanna's"}); err != nil {
		t.Fatal(err)
	}
	token := signedToken(secret, map[string]any{"iss": "portal", "aud": testHost, "sub": "toni", "exp": time.Now().Add(time.Hour).Unix()})
	toni := peers.StartSlixmpp(t)
	if err := toni.Login(ctx, &s.Server, peers.Account{User: "toni", Password: token}); err != nil {
		t.Fatal(err)
	}
	expired := signedToken(secret, map[string]any{"iss": "portal", "aud": testHost, "sub": "toni", "exp": time.Now().Add(-time.Hour).Unix()})
	for _, wrong := range []peers.Account{
		{User: "hanna", Password: "toni's"}, {User: "hanna", Password: token}, {User: "toni", Password: expired}, {User: "toni", Password: "hanna's"},
		{User: ownAccount.User, Password: token},
	} {
		if _, err := s.Dial(ctx, wrong, ""); !refusedFor(err, "not-authorized") {
			t.Errorf("%.30s: %v", wrong, err)
		}
	}
	if c, err := s.Dial(ctx, ownAccount, ""); err != nil {
		t.Error(err)
	} else {
		c.Drop()
	}
	service.Close()
	if _, err := s.Dial(ctx, peers.Account{User: "hanna", Password: "hanna's"}, ""); !refusedFor(err, "temporary-auth-failure") {
		t.Errorf("without the service: %v", err)
	}
	for _, secret := range []string{"hanna's", "between-us", secret, token} {
		if s.Log().Contains(secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

// signedToken returns a token that is signed with a secret (RFC 7519).
func signedToken(secret string, claims map[string]any) string {
	encode := base64.RawURLEncoding.EncodeToString
	body, _ := json.Marshal(claims) // texts and numbers
	text := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(body)
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(text))
	return text + "." + encode(m.Sum(nil))
}
