package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"database/sql"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// device is the id of a client, by a digit.
func device(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// authenticate is a login of SASL2 by a device that binds a session.
func authenticate(mechanism, data, id string, more ...string) string {
	return "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='" + mechanism + "'><initial-response>" + base64.StdEncoding.EncodeToString([]byte(data)) +
		"</initial-response><user-agent id='" + id + "'><software>Test</software><device>Phone</device></user-agent>" +
		strings.Join(more, "") + "<bind xmlns='urn:xmpp:bind:0'><tag>T</tag></bind></authenticate>"
}

func requestToken(mechanism string) string {
	return "<request-token xmlns='urn:xmpp:fast:0' mechanism='" + mechanism + "'/>"
}

// free are settings without limits of connections and guesses, and a line for the section login.
func free(line string) extra {
	return extra{limits: "connections = 0\nnew_connections = 0", login: "failures = 0\naccount_failures = 0\n" + line}
}

const fast = "<fast xmlns='urn:xmpp:fast:0'/>"

// password is a login with the password, which is the name, and a request for a token.
func password(user, id, mechanism string) string {
	return authenticate("PLAIN", "\x00"+user+"\x00"+user, id, requestToken(mechanism))
}

// proof is the data of a login with a token (draft-schmaus-kitten-sasl-ht-09 §3.1).
func proof(user, token string, binding []byte) string {
	m := hmac.New(sha256.New, []byte(token))
	m.Write([]byte("Initiator"))
	m.Write(binding)
	return user + "\x00" + string(m.Sum(nil))
}

// withToken is a login with a token without channel binding.
func withToken(user, token, id string, more ...string) string {
	return authenticate("HT-SHA-256-NONE", proof(user, token, nil), id, append(more, fast)...)
}

// admitted reads a success and the features, and returns the token that came with it.
func (c *peer) admitted() (token string) {
	c.T.Helper()
	text := c.Until("</success>")
	c.Until("</stream:features>")
	_, token, _ = strings.Cut(text, " token='")
	token, _, _ = strings.Cut(token, "'")
	return token
}

// try logs in on a new connection, and returns that and the token, or "" and what came instead of a success.
func (p *testServer) try(login string) (c *peer, token, failure string) {
	p.t.Helper()
	c = p.encrypted()
	c.Send(login)
	text := c.Until("urn:xmpp:sasl:2'>")
	if strings.HasPrefix(text, "<failure") {
		_, condition, _ := strings.Cut(c.Until(" "), "<")
		return c, "", strings.TrimSpace(condition)
	}
	return c, c.admitted(), ""
}

// issued returns a token of a device of romeo.
func (p *testServer) issued(id, mechanism string) string {
	p.t.Helper()
	_, token, failure := p.try(password("romeo", id, mechanism))
	if token == "" {
		p.t.Fatalf("no token: %s", failure)
	}
	return token
}

func (p *testServer) refused(login, want string) {
	p.t.Helper()
	if _, _, failure := p.try(login); failure != want {
		p.t.Errorf("failure %q, not %q", failure, want)
	}
}

// A client that has asked for a token logs in with it, in one round trip to a bound session.
func TestFast(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, free(""))
	for _, mechanism := range []string{"HT-SHA-256-EXPR", "HT-SHA-256-ENDP", "HT-SHA-256-NONE"} {
		token := p.issued(device(1), mechanism)
		c := p.encrypted()
		state := c.Conn.(*tls.Conn).ConnectionState()
		var binding []byte
		switch mechanism {
		case "HT-SHA-256-EXPR":
			binding, _ = state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
		case "HT-SHA-256-ENDP":
			sum := sha256.Sum256(state.PeerCertificates[0].Raw)
			binding = sum[:]
		}
		c.Send(authenticate(mechanism, proof("romeo", token, binding), device(1), fast) + "<presence/><message to='romeo@home.test'><body>me</body></message>")
		m := hmac.New(sha256.New, []byte(token))
		m.Write([]byte("Responder"))
		m.Write(binding)
		if got, want := c.Until("</success>"), base64.StdEncoding.EncodeToString(m.Sum(nil)); !strings.Contains(got, "<additional-data>"+want+"<") ||
			!strings.Contains(got, "romeo@home.test/T/") || strings.Contains(got, "token=") {
			t.Errorf("%s: %s", mechanism, got)
		}
		c.Until("<body>me</body>")
		if again := p.encrypted(); mechanism == "HT-SHA-256-NONE" { // the state of the archive, XEP-0386 §4.2
			again.Send(authenticate("PLAIN", "\x00romeo\x00romeo", device(1)))
			again.Until("<bound xmlns='urn:xmpp:bind:0'><metadata xmlns='urn:xmpp:mam:2'>")
			again.Until("<end id='")
		}
		// The token is bound to its mechanism (XEP-0484 §3.4), its client and its account.
		for _, other := range []string{"HT-SHA-256-EXPR", "HT-SHA-256-ENDP", "HT-SHA-256-NONE"} {
			if other != mechanism {
				p.refused(authenticate(other, proof("romeo", token, binding), device(1), fast), "not-authorized")
			}
		}
		p.refused(authenticate(mechanism, proof("romeo", token, binding), device(2), fast), "not-authorized")
		p.refused(authenticate(mechanism, proof("juliet", token, binding), device(1), fast), "not-authorized")
		p.refused(authenticate(mechanism, proof("nobody", token, binding), device(1), fast), "not-authorized")
		p.refused(authenticate(mechanism, proof("romeo", token+"x", binding), device(1), fast), "not-authorized")
		if mechanism != "HT-SHA-256-NONE" { // of no or another channel
			p.refused(authenticate(mechanism, proof("romeo", token, nil), device(1), fast), "not-authorized")
		}
	}
}

// Wrong forms change nothing: the token is valid after each of them.
func TestFastForms(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, free(""))
	token := p.issued(device(1), "HT-SHA-256-NONE")
	data := proof("romeo", token, nil)
	for name, c := range map[string]struct{ login, want string }{
		"without fast":      {authenticate("HT-SHA-256-NONE", data, device(1)), "invalid-mechanism"},
		"UNIQ":              {authenticate("HT-SHA-256-UNIQ", data, device(1), fast), "invalid-mechanism"},
		"password as token": {authenticate("PLAIN", "\x00romeo\x00romeo", device(1), fast), "invalid-mechanism"},
		"no hash":           {authenticate("HT-SHA-256-NONE", "romeo\x00", device(1), fast), "malformed-request"},
		"long hash":         {authenticate("HT-SHA-256-NONE", data+"x", device(1), fast), "malformed-request"},
		"no name":           {authenticate("HT-SHA-256-NONE", data[5:], device(1), fast), "malformed-request"},
		"count of zero":     {authenticate("HT-SHA-256-NONE", data, device(1), "<fast xmlns='urn:xmpp:fast:0' count='0'/>"), "malformed-request"},
		"negative count":    {authenticate("HT-SHA-256-NONE", data, device(1), "<fast xmlns='urn:xmpp:fast:0' count='-1'/>"), "malformed-request"},
		"huge count":        {authenticate("HT-SHA-256-NONE", data, device(1), "<fast xmlns='urn:xmpp:fast:0' count='4294967296'/>"), "malformed-request"},
		"no boolean":        {authenticate("HT-SHA-256-NONE", data, device(1), "<fast xmlns='urn:xmpp:fast:0' invalidate='maybe'/>"), "malformed-request"},
		"no client": {"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='HT-SHA-256-NONE'><initial-response>" +
			base64.StdEncoding.EncodeToString([]byte(data)) + "</initial-response>" + fast + "</authenticate>", "malformed-request"},
	} {
		t.Run(name, func(t *testing.T) {
			q := *p
			q.t = t
			q.refused(c.login, c.want)
		})
	}
	if _, again, failure := p.try(withToken("romeo", token, device(1))); failure != "" || again != "" {
		t.Errorf("token %q, failure %q", again, failure)
	}
	// A mechanism that is not offered for tokens, or a client without an id: the login succeeds without a token.
	for _, login := range []string{password("romeo", device(3), "HT-SHA-512-NONE"), password("romeo", device(3), "PLAIN"), password("romeo", "", "HT-SHA-256-NONE")} {
		if _, got, failure := p.try(login); got != "" || failure != "" {
			t.Errorf("token %q, failure %q", got, failure)
		}
	}
}

// A count must rise with every login, so that a recorded login cannot be repeated (XEP-0484 §3.4).
func TestFastReplay(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, free(""))
	token := p.issued(device(1), "HT-SHA-256-NONE")
	counted := func(n int) string {
		return authenticate("HT-SHA-256-NONE", proof("romeo", token, nil), device(1), fmt.Sprintf("<fast xmlns='urn:xmpp:fast:0' count='%d'/>", n))
	}
	for _, c := range []struct {
		count int
		want  string
	}{{1, ""}, {1, "not-authorized"}, {3, ""}, {2, "not-authorized"}, {3, "not-authorized"}, {4, ""}, {1<<31 - 1, ""}, {5, "not-authorized"}} {
		p.refused(counted(c.count), c.want)
	}
	// Of logins with the same count at the same time one succeeds.
	token = p.issued(device(2), "HT-SHA-256-NONE")
	results := make(chan string, 4)
	var peers []*peer
	for range cap(results) {
		peers = append(peers, p.encrypted())
	}
	for _, c := range peers {
		go func() {
			c.Send(authenticate("HT-SHA-256-NONE", proof("romeo", token, nil), device(2), "<fast xmlns='urn:xmpp:fast:0' count='1'/>"))
			results <- c.Until("urn:xmpp:sasl:2'>")
		}()
	}
	succeeded := 0
	for range cap(results) {
		if strings.HasPrefix(<-results, "<success") {
			succeeded++
		}
	}
	if succeeded != 1 {
		t.Errorf("%d logins with the same count", succeeded)
	}
}

// A token is replaced some time after it was issued. The old one is valid until the new one is used (XEP-0484 §3.5).
func TestFastRotation(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, free("token_refresh = \"1ns\""))
	first := p.issued(device(1), "HT-SHA-256-NONE")
	_, lost, _ := p.try(withToken("romeo", first, device(1)))
	_, second, _ := p.try(withToken("romeo", first, device(1))) // the answer to the login before was lost
	if lost == "" || second == "" || lost == second || second == first {
		t.Fatalf("tokens %q, %q, %q", first, lost, second)
	}
	p.refused(withToken("romeo", lost, device(1)), "not-authorized") // not used when another one was issued
	_, third, failure := p.try(withToken("romeo", second, device(1)))
	if failure != "" || third == "" {
		t.Errorf("failure %q, token %q", failure, third)
	}
	p.refused(withToken("romeo", first, device(1)), "not-authorized")
	// The client logs out; a token is not replaced then, unless the client asks for one (§3.6).
	_, none, failure := p.try(authenticate("HT-SHA-256-NONE", proof("romeo", third, nil), device(1), "<fast xmlns='urn:xmpp:fast:0' invalidate='true'/>"))
	if failure != "" || none != "" {
		t.Errorf("failure %q, token %q", failure, none)
	}
	p.refused(withToken("romeo", third, device(1)), "not-authorized")
}

// An expired token is told from a wrong one only to the client that has it.
func TestFastExpiry(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, free("token_life = \"1ns\""))
	token := p.issued(device(1), "HT-SHA-256-NONE")
	p.refused(withToken("romeo", token, device(1)), "credentials-expired")
	p.refused(withToken("romeo", token+"x", device(1)), "not-authorized")
}

// CVE class: tokens that survive a change of the password, the disabling or the removal of their account.
func TestTokensEndWithTheirAccount(t *testing.T) {
	t.Parallel()
	ctx, romeo := context.Background(), jid.MustParse("romeo@home.test")
	for name, end := range map[string]func(p *testServer) error{
		"password": func(p *testServer) error {
			c, err := sasl.NewCredentials("romeo", 1)
			if err == nil {
				err = p.server.store.SetCredentials(ctx, romeo, c)
			}
			return err
		},
		"disabled": func(p *testServer) error {
			if err := p.server.store.SetDisabled(ctx, romeo, true); err != nil {
				return err
			}
			p.refused(authenticate("PLAIN", "\x00romeo\x00romeo", device(1)), "account-disabled")
			return p.server.store.SetDisabled(ctx, romeo, false)
		},
		"removed": func(p *testServer) error {
			err := p.server.store.RemoveAccount(ctx, romeo)
			if err == nil {
				p.restore("romeo")
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newTestServer(t, free(""))
			token := p.issued(device(1), "HT-SHA-256-NONE")
			if err := end(p); err != nil {
				t.Fatal(err)
			}
			p.refused(withToken("romeo", token, device(1)), "not-authorized")
		})
	}
}

const camList = "<iq type='get' id='list'><list xmlns='urn:xmpp:cam:0'/></iq>"

// forgetPassword makes all clients look as if they did not know the password.
func forgetPassword(tx *sql.Tx) error {
	_, err := tx.Exec("UPDATE clients SET access = ''")
	return err
}

// listed returns the elements of the listed clients.
func listed(t *testing.T, list string, n int) []string {
	t.Helper()
	parts := strings.Split(list, "<client ")[1:]
	if len(parts) != n {
		t.Fatalf("%d clients in %s", len(parts), list)
	}
	return parts
}

// idIn returns the id of a listed client.
func idIn(element string) string {
	_, id, _ := strings.Cut(element, " id='")
	id, _, _ = strings.Cut(id, "'")
	return id
}

// The owner of an account sees its clients and revokes their access: sessions of revoked clients end, and so do their tokens.
func TestClients(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, free(""))
	ctx, romeo := context.Background(), jid.MustParse("romeo@home.test")
	token := p.issued(device(1), "HT-SHA-256-NONE")
	phone, _, _ := p.try(withToken("romeo", token, device(1)))
	desk := p.online("romeo")
	desk.Send(camList)
	list := listed(t, desk.Until("</iq>"), 1)
	for _, want := range []string{
		"connected='true'", "type='session'", "<auth><password/><fast/></auth>", "<permission status='unrestricted'/>",
		"<user-agent><software>Test</software><device>Phone</device></user-agent>", "<first-seen>2",
	} {
		if !strings.Contains(list[0], want) {
			t.Errorf("%s is not in %s", want, list[0])
		}
	}
	if strings.Contains(list[0], device(1)) || strings.Contains(list[0], token) {
		t.Errorf("secrets in %s", list[0])
	}
	revoke := func(id string) string {
		desk.Send("<iq type='set' id='revoke'><revoke xmlns='urn:xmpp:cam:0' id='" + id + "'/></iq>")
		if desk.Until("id='revoke'"); strings.Contains(desk.Until(">"), "result") {
			return ""
		}
		return desk.Until("</iq>")
	}
	if got := revoke(idIn(list[0])); !strings.Contains(got, "<service-unavailable ") || !strings.Contains(got, "<password-reset-required xmlns='urn:xmpp:cam:0'/>") {
		t.Errorf("revoked a client that knows the password: %s", got)
	}
	if got := revoke("nobody"); !strings.Contains(got, "<item-not-found ") {
		t.Errorf("got %s", got)
	}
	phone.ping()
	// A client that does not know the password.
	if err := p.server.store.Write(ctx, forgetPassword); err != nil {
		t.Fatal(err)
	}
	if got := revoke(idIn(list[0])); got != "" {
		t.Errorf("got %s", got)
	}
	if got := phone.rest(); !strings.Contains(got, "<stream:error><not-authorized ") {
		t.Errorf("the session got %q", got)
	}
	p.refused(withToken("romeo", token, device(1)), "not-authorized")
	desk.Send(camList)
	desk.Until("<clients xmlns='urn:xmpp:cam:0'/>")
	// After a change of the password no client has access any more.
	tablet, _, _ := p.try(password("romeo", device(2), "HT-SHA-256-NONE"))
	_ = tablet.Close()
	rawstream.Eventually(t, "the client is listed", func() bool {
		desk.Send(camList)
		return strings.Contains(desk.Until("id='list'")+desk.Until("</iq>"), "connected='false'")
	})
	c, err := sasl.NewCredentials("romeo", 1)
	if err == nil {
		err = p.server.store.SetCredentials(ctx, romeo, c)
	}
	if err != nil {
		t.Fatal(err)
	}
	desk.Send(camList)
	desk.Until("<clients xmlns='urn:xmpp:cam:0'/>")
}

// Nobody else can ask, and wrong forms change nothing.
func TestClientsOfOthers(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	p.issued(device(1), "HT-SHA-256-NONE")
	juliet := p.online("juliet")
	for request, want := range map[string]string{
		"type='get' to='romeo@home.test'><list xmlns='urn:xmpp:cam:0'/>":   "<service-unavailable ",
		"type='set' to='romeo@home.test'><revoke xmlns='urn:xmpp:cam:0'/>": "<service-unavailable ",
		"type='set'><list xmlns='urn:xmpp:cam:0'/>":                        "<bad-request ",
		"type='get'><revoke xmlns='urn:xmpp:cam:0' id='x'/>":               "<bad-request ",
		"type='set'><revoke xmlns='urn:xmpp:cam:0'/>":                      "<item-not-found ",
		"type='set'><other xmlns='urn:xmpp:cam:0'/>":                       "<bad-request ",
	} {
		juliet.Send("<iq id='q' " + request + "</iq>")
		if got := juliet.Until("</iq>"); !strings.Contains(got, want) {
			t.Errorf("%s: %s", request, got)
		}
	}
}

// Without clients_kept only clients with tokens are recorded, without names; and they are deleted when their token has expired.
func TestClientsKept(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{login: "clients_kept = \"0s\"", limits: "clients = 3"})
	_, _, failure := p.try(authenticate("PLAIN", "\x00romeo\x00romeo", device(9)))
	if failure != "" {
		t.Fatal(failure)
	}
	for n := range 5 { // two too many
		p.issued(device(n), "HT-SHA-256-NONE")
	}
	desk := p.online("romeo")
	desk.Send(camList)
	for _, c := range listed(t, desk.Until("</iq>"), 3) {
		if !strings.HasSuffix(c, "<user-agent/></client>") && !strings.Contains(c, "<user-agent/></client></clients>") {
			t.Errorf("client %s", c)
		}
	}
	if n := p.count("limits.clients"); n != 2 {
		t.Errorf("%d counted", n)
	}
}
