package c2s

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/socket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testTimeout = rawstream.Timeout

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// users of every host; the password of each is "pw-" and the name.
type users map[string]sasl.Credentials

var everybody = sync.OnceValue(func() users {
	u := users{}
	for _, name := range []string{"romeo", "juliet", "nurse", "closed"} {
		c, err := sasl.NewCredentials("pw-"+name, 10)
		if err != nil {
			panic(err)
		}
		c.Disabled = name == "closed"
		u[name] = c
	}
	return u
})

func (u users) Lookup(_ context.Context, username string) (sasl.Credentials, error) {
	if username == "broken" {
		return sasl.Credentials{}, errors.New("store is not available")
	}
	c, ok := u[username]
	if !ok {
		return c, sasl.ErrUnknownUser
	}
	return c, nil
}

func (u users) Shares(context.Context) ([]sasl.Share, error) {
	romeo := everybody()["romeo"]
	return []sasl.Share{{Shape: romeo.Shape(), Accounts: len(u)}}, nil
}

func (u users) Exists(_ context.Context, account jid.JID) (bool, error) {
	_, ok := u[account.Local()]
	return ok, nil
}

// testServer is a Server with the hosts home.test and other.test.
type testServer struct {
	t      testing.TB
	router *router.Router
	host   *router.Host
	server *Server
	addr   string // STARTTLS
	direct string // direct TLS
	stop   func()
}

func newTestServer(t testing.TB, change func(*Config)) *testServer {
	t.Helper()
	r := router.New(quiet)
	own, err := socket.NewSelfSignedCertificate(filepath.Join(t.TempDir(), "cert.pem"), []string{"home.test", "other.test"})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Certificates: own.Certificate, Log: quiet}
	p := &testServer{t: t, router: r}
	for _, name := range []string{"home.test", "other.test"} {
		h := router.NewHost(r, jid.MustParse(name), router.HostOptions{Accounts: everybody()})
		h.Use(Feature())
		if err := r.Attach(h.Domain(), h); err != nil {
			t.Fatal(err)
		}
		auth, err := sasl.NewServer(sasl.Config{
			Host: h.Domain(), Accounts: everybody(), Secret: []byte("sixteen bytes and more"), Iterations: 10,
		})
		if err != nil {
			t.Fatal(err)
		}
		cfg.Hosts = append(cfg.Hosts, Host{Router: h, SASL: auth})
		if p.host == nil {
			p.host = h
		}
	}
	cfg.Limits = Limits{Connections: -1, Arrivals: -1, Pending: -1, LoginLimits: LoginLimits{Tries: -1, AccountTries: -1}}
	if change != nil {
		change(&cfg)
	}
	if p.server, err = NewServer(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	listen := func(serve func(context.Context, net.Listener) error) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if err := serve(ctx, l); err != nil {
				t.Errorf("serve: %v", err)
			}
		})
		return l.Addr().String()
	}
	p.addr = listen(p.server.Serve)
	if cfg.Certificates != nil {
		p.direct = listen(p.server.ServeTLS)
	}
	p.stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
		defer cancel()
		p.server.Shutdown(ctx)
	})
	t.Cleanup(p.stop)
	return p
}

func plain(c *Config) { c.Plain = true }

// client is the other end of a connection, controlled by the test.
type client struct{ *rawstream.Peer }

func (p *testServer) dial() *client {
	p.t.Helper()
	return &client{rawstream.Dial(p.t, p.addr)}
}

const streamNS = "http://etherx.jabber.org/streams"

// open returns a stream header.
func open(to string) string {
	return "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='" + streamNS + "' to='" + to + "' version='1.0'>"
}

// features opens a stream and reads what the server offers.
func (c *client) features(to string) string {
	c.T.Helper()
	c.Send(open(to))
	return c.Until("</stream:features>")
}

// startTLS does STARTTLS (RFC 6120 §5), the handshake included.
func (c *client) startTLS() {
	c.T.Helper()
	c.Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	c.Until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	c.TLS(&tls.Config{InsecureSkipVerify: true})
}

func plainAuth(authzid, user, password string) string {
	data := base64.StdEncoding.EncodeToString([]byte(authzid + "\x00" + user + "\x00" + password))
	return "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + data + "</auth>"
}

// scram logs in with SCRAM-SHA-256 (RFC 7677).
func (c *client) scram(user string) {
	c.T.Helper()
	c.Send(c.scramProof(user, "SCRAM-SHA-256", "n,,", ""))
	c.Until("</success>")
}

// scramProof does an exchange of a mechanism with SHA-256 up to the last message of the client, which it returns. binding is the
// data of the channel binding.
func (c *client) scramProof(user, mechanism, header, binding string) string {
	c.T.Helper()
	final := c.proof(user, header, binding, func(first string) string { return auth(mechanism, b64(first)) })
	return "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + final + "</response>"
}

// scramProof2 is scramProof for SASL2, with further elements in the request.
func (c *client) scramProof2(user, mechanism, header, binding string, inline ...string) string {
	c.T.Helper()
	final := c.proof(user, header, binding, func(first string) string { return authenticate(mechanism, first, inline...) })
	return "<response xmlns='urn:xmpp:sasl:2'>" + final + "</response>"
}

// proof returns the data of the client's last message.
func (c *client) proof(user, header, binding string, begin func(first string) string) string {
	c.T.Helper()
	first := "n=" + user + ",r=clientnonce"
	c.Send(begin(header + first))
	data := c.Until("</challenge>")
	data = strings.TrimSuffix(data[strings.LastIndex(data, "'>")+2:], "</challenge>")
	challenge, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		c.T.Fatal(err)
	}
	var nonce, salt string
	var rounds int
	for _, part := range strings.Split(string(challenge), ",") {
		switch part[:2] {
		case "r=":
			nonce = part[2:]
		case "s=":
			b, _ := base64.StdEncoding.DecodeString(part[2:])
			salt = string(b)
		case "i=":
			rounds, _ = strconv.Atoi(part[2:])
		}
	}
	sum := func(key []byte, text string) []byte {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(text))
		return m.Sum(nil)
	}
	salted, err := pbkdf2.Key(sha256.New, "pw-"+user, []byte(salt), rounds, 32)
	if err != nil {
		c.T.Fatal(err)
	}
	final := "c=" + base64.StdEncoding.EncodeToString([]byte(header+binding)) + ",r=" + nonce
	proof := sum(salted, "Client Key")
	stored := sha256.Sum256(proof)
	subtle.XORBytes(proof, proof, sum(stored[:], first+","+string(challenge)+","+final))
	final += ",p=" + base64.StdEncoding.EncodeToString(proof)
	return b64(final)
}

const success = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"

// secure returns a client after TLS that has read its second features.
func (p *testServer) secure(to string) (*client, string) {
	p.t.Helper()
	c := p.dial()
	c.features(to)
	c.startTLS()
	return c, c.features(to)
}

// loggedIn returns a client that may bind.
func (p *testServer) loggedIn(user string) *client {
	p.t.Helper()
	c, _ := p.secure("home.test")
	c.Send(plainAuth("", user, "pw-"+user))
	c.Until(success)
	c.features("home.test")
	return c
}

func bindIQ(resource string) string {
	inner := ""
	if resource != "" {
		inner = "<resource>" + resource + "</resource>"
	}
	return "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>" + inner + "</bind></iq>"
}

// session returns a client with a bound session, not available yet.
func (p *testServer) session(user, resource string) *client {
	p.t.Helper()
	c := p.loggedIn(user)
	c.Send(bindIQ(resource))
	if got := c.Until("</iq>"); !strings.Contains(got, "<jid>"+user+"@home.test/"+resource+"</jid>") {
		p.t.Fatalf("bind answered %q", got)
	}
	return c
}

// online returns a session with an available presence.
func (p *testServer) online(user, resource string) *client {
	p.t.Helper()
	c := p.session(user, resource)
	c.Send("<presence/>")
	c.ping()
	return c
}

// ping returns when the server has handled all that was sent before.
func (c *client) ping() {
	c.T.Helper()
	c.Send("<iq type='get' id='sync'><nobody xmlns='urn:handles:this'/></iq>")
	c.Until("id='sync'")
	c.Until("</iq>")
}

func (c *client) wantError(condition string) {
	c.T.Helper()
	got := c.Rest()
	// checklist 17
	if !strings.Contains(got, "<stream:error><"+condition+" xmlns='urn:ietf:params:xml:ns:xmpp-streams'") || !strings.HasSuffix(got, "</stream:stream>") {
		c.T.Errorf("got %q, want stream error %s", got, condition)
	}
}

func chatMessage(to, body string) string {
	return "<message to='" + to + "' type='chat'><body>" + body + "</body></message>"
}

// handle lets a host answer requests to its accounts.
func handle(h *router.Host, space string, f router.IQHandler) {
	h.Use(router.Feature{Name: space, AccountIQ: map[string]router.IQHandler{space: f}})
}
