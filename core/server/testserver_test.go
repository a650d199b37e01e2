package server

import (
	"context"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/accounts"
	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/store/authentication"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = rawstream.Timeout

// anyTLS trusts everybody: the certificate is not what is tested.
var anyTLS = &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(8), ServerName: "home.test"}

// settings of a test server; more sections and lines follow them.
const settings = `
[server]
hosts = ["home.test"]
data = %q
%s
[listen]
c2s = ["127.0.0.1:0"]
c2s_tls = ["127.0.0.1:0"]
s2s = ["127.0.0.1:0"]
s2s_tls = []
component = ["127.0.0.1:0"]
proxy = ["127.0.0.1:0"]
http = ["127.0.0.1:0"]
http_tls = ["127.0.0.1:0"]
[[component]]
domain = "gate.home.test"
secret = "between us"
%s
[login]
%s
[limits]
%s
[upload]
%s
`

// extra are lines for the sections of a test server's settings.
type extra struct{ server, component, login, limits, upload string }

// testServer is a whole server with the accounts romeo, juliet and nurse.
type testServer struct {
	t      testing.TB
	server *Server
	log    *errorLog
	stop   func()
}

// errorLog is a log that remembers what says "panic" or is an error.
type errorLog struct {
	mu    sync.Mutex
	lines []string
}

func (a *errorLog) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }
func (a *errorLog) WithAttrs([]slog.Attr) slog.Handler           { return a }
func (a *errorLog) WithGroup(string) slog.Handler                { return a }

func (a *errorLog) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	r.Attrs(func(attr slog.Attr) bool { fmt.Fprintf(&b, " %s", attr); return true })
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lines = append(a.lines, b.String())
	return nil
}

func (a *errorLog) all() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lines
}

func newTestServer(t testing.TB, w extra) *testServer {
	t.Helper()
	return newTestServerWith(t, w, noServices)
}

// noServices attaches none.
func noServices(*Server) error { return nil }

// newTestServerWith is newTestServer with services, which attach adds before the server runs.
func newTestServerWith(t testing.TB, w extra, attach func(*Server) error) *testServer {
	t.Helper()
	c, err := config.Parse(fmt.Appendf(nil, settings, t.TempDir(), w.server, w.component, w.login, w.limits, w.upload), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return startTestServer(t, c, attach)
}

// startTestServer runs a server with these settings until the end of the test.
func startTestServer(t testing.TB, c config.Config, attach func(*Server) error) *testServer {
	t.Helper()
	c.Login.Iterations = 1 // less than a configuration may say: hashing is not what is tested
	p := &testServer{t: t, log: &errorLog{}}
	ctx, cancel := context.WithCancel(context.Background())
	var err error
	if p.server, err = New(ctx, c, Options{Log: slog.New(p.log)}); err != nil {
		cancel()
		t.Fatal(err)
	}
	if err := attach(p.server); err != nil {
		cancel()
		t.Fatal(err)
	}
	for _, name := range []string{"romeo", "juliet", "nurse"} {
		p.account(name)
	}
	done := make(chan error, 1)
	go func() { done <- p.server.Run(ctx) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		if lines := p.log.all(); len(lines) > 0 {
			t.Errorf("logged: %q", lines)
		}
	})
	t.Cleanup(p.stop)
	return p
}

// account makes an account whose password is its name.
func (p *testServer) account(name string) {
	p.t.Helper()
	c, err := sasl.NewCredentials(name, 1)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.server.store.CreateAccount(context.Background(), jid.MustParse(name+"@"+p.server.hosts[0].domain.String()), c); err != nil {
		p.t.Fatal(err)
	}
}

// gone waits until nothing is left of an account.
func (p *testServer) gone(name string) {
	p.t.Helper()
	account := jid.MustParse(name + "@home.test")
	for limit := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		list, err := p.server.store.Removals(context.Background())
		if err != nil {
			p.t.Fatal(err)
		}
		if !slices.Contains(list, account) {
			return
		}
		if time.Now().After(limit) {
			p.t.Fatalf("%s is still being deleted", account)
		}
	}
}

// restore makes an account anew that somebody has deleted, and takes a new password back.
func (p *testServer) restore(name string) {
	p.t.Helper()
	ctx, account := context.Background(), jid.MustParse(name+"@home.test")
	if ok, err := p.server.store.Exists(ctx, account); err != nil {
		p.t.Fatal(err)
	} else if !ok {
		p.gone(name)
		p.account(name)
		return
	}
	now, err := authentication.New(p.server.store, account.Host(), authentication.Options{}).Lookup(ctx, name)
	if err != nil {
		p.t.Fatal(err)
	}
	if now.Check(name) {
		return
	}
	c, err := sasl.NewCredentials(name, 1)
	if err == nil {
		err = p.server.store.SetCredentials(ctx, account, c)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// count is how often a limit has been reached.
func (p *testServer) count(limit string) uint64 {
	p.t.Helper()
	for _, c := range p.server.Counts() {
		if c.Limit == limit {
			return c.Times
		}
	}
	p.t.Fatalf("nothing counts %s", limit)
	return 0
}

// peer is the other end of a connection, by hand.
type peer struct{ *rawstream.Peer }

func (p *testServer) dial(l net.Listener) *peer {
	p.t.Helper()
	return &peer{rawstream.Dial(p.t, l.Addr().String())}
}

// rest reads to the end of the connection: what came before an error is what matters.
func (c *peer) rest() string {
	c.T.Helper()
	got, _ := c.Remains()
	return got
}

// head is a stream header.
func head(content, to string) string {
	return "<?xml version='1.0'?><stream:stream xmlns='" + content + "' xmlns:stream='http://etherx.jabber.org/streams' to='" + to + "' version='1.0'>"
}

func auth(mechanism, data string) string {
	return "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='" + mechanism + "'>" + base64.StdEncoding.EncodeToString([]byte(data)) + "</auth>"
}

func plainAuth(user, password string) string { return auth("PLAIN", "\x00"+user+"\x00"+password) }

const bindX = "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>x</resource></bind></iq>"

// unencrypted is a client that has read the features before TLS.
func (p *testServer) unencrypted() *peer {
	p.t.Helper()
	c := p.dial(p.server.ports.c2s[0])
	c.Send(head("jabber:client", "home.test"))
	c.Until("</stream:features>")
	return c
}

// encrypted is a client that has read the features after TLS.
func (p *testServer) encrypted() *peer {
	p.t.Helper()
	c := p.unencrypted()
	c.Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	c.Until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	c.TLS(anyTLS)
	c.Send(head("jabber:client", "home.test"))
	c.Until("</stream:features>")
	return c
}

// loggedIn is a client that may bind a session.
func (p *testServer) loggedIn(user string) *peer {
	p.t.Helper()
	c := p.encrypted()
	c.Send(plainAuth(user, user))
	c.Until("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
	c.Send(head("jabber:client", "home.test"))
	c.Until("</stream:features>")
	return c
}

// online is an available session with the resource x.
func (p *testServer) online(user string) *peer {
	p.t.Helper()
	c := p.loggedIn(user)
	c.Send(bindX)
	c.Until("/x</jid></bind></iq>")
	c.Send("<presence/>")
	c.ping()
	return c
}

// ping goes to the server and back, and returns what came before its answer.
func (c *peer) ping() string {
	c.T.Helper()
	c.Send("<iq type='get' id='sync' to='home.test'><ping xmlns='urn:xmpp:ping'/></iq>")
	return c.Until("id='sync'") + c.Until(">")
}

// asked is a component that has read the header, and so knows the stream's id.
func (p *testServer) asked() (c *peer, id string) {
	p.t.Helper()
	c = p.dial(p.server.ports.component[0])
	return c, c.askedAs("gate.home.test")
}

// askedAs sends the header of a component, and returns the stream's id.
func (c *peer) askedAs(domain string) (id string) {
	c.T.Helper()
	c.Send(head("jabber:component:accept", domain))
	_, id, _ = strings.Cut(c.Until(">")+c.Until(">"), " id='")
	id, _, _ = strings.Cut(id, "'")
	return id
}

// attached is a component after its handshake.
func (p *testServer) attached() *peer {
	p.t.Helper()
	return p.attachedAs("gate.home.test")
}

// attachedAs is a component of a domain after its handshake.
func (p *testServer) attachedAs(domain string) *peer {
	p.t.Helper()
	c := p.dial(p.server.ports.component[0])
	c.handshake(c.askedAs(domain))
	return c
}

// handshake proves that a component knows the secret.
func (c *peer) handshake(id string) {
	c.T.Helper()
	sum := sha1.Sum([]byte(id + "between us"))
	c.Send("<handshake>" + hex.EncodeToString(sum[:]) + "</handshake>")
	c.Until("<handshake/>")
}

// commandLine opens the server's database as the commands do.
func (p *testServer) commandLine() *accounts.Accounts {
	p.t.Helper()
	a, err := accounts.Open(p.t.Context(), p.server.config)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		if err := a.Close(); err != nil {
			p.t.Error(err)
		}
	})
	return a
}
