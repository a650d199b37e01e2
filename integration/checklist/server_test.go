package checklist

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// The domains of the servers.
const (
	servedHost = "test.example"
	secondHost = "second.example"
	ideaHost   = "bücher.example" // an internationalised one
)

const (
	timeout   = 15 * time.Second // for anything that must happen
	accounts  = 400              // made before the shared server starts
	domains   = 120              // of components
	password  = "pw"
	spareName = "u"
)

// testServer is a dragoman process.
type testServer struct {
	peers.Server
	direct  string // address for direct TLS
	process *peers.Process
	log     *peers.Log
}

var (
	shared       = sync.OnceValue(startShared)
	nextAccount  atomic.Int64
	nextDomain   atomic.Int64
	sharedTB     = &processTB{}
	wholeProcess = context.Background()
)

func TestMain(m *testing.M) {
	code := m.Run()
	sharedTB.end()
	peers.Cleanup()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// processTB is the test that the shared server belongs to: all of them.
type processTB struct {
	testing.TB
	mu       sync.Mutex
	cleanups []func()
	failed   atomic.Bool
}

func (l *processTB) Helper()                  {}
func (l *processTB) Name() string             { return "checklist" }
func (l *processTB) Failed() bool             { return l.failed.Load() }
func (l *processTB) Context() context.Context { return wholeProcess }
func (l *processTB) Fatal(args ...any)        { panic(fmt.Sprint(args...)) }
func (l *processTB) Fatalf(f string, args ...any) {
	panic(fmt.Sprintf(f, args...))
}
func (l *processTB) Logf(f string, args ...any) { fmt.Fprintf(os.Stderr, f+"\n", args...) }

func (l *processTB) Cleanup(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cleanups = append(l.cleanups, f)
}

func (l *processTB) TempDir() string {
	dir, err := os.MkdirTemp("", "checklist-")
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (l *processTB) end() {
	for i := len(l.cleanups) - 1; i >= 0; i-- {
		l.cleanups[i]()
	}
}

// startShared starts the server of all tests that need no settings of their own.
func startShared() *testServer {
	var more strings.Builder
	for i := range domains {
		fmt.Fprintf(&more, "\n[[component]]\ndomain = %q\nsecret = \"between us\"\n", domainName(i))
	}
	var list strings.Builder
	for i := range accounts {
		fmt.Fprintf(&list, "%s%d@%s %s\n", spareName, i, servedHost, password)
	}
	fmt.Fprintf(&list, "%s@%s %s\n%s@%s %s\n", "σίγμα", servedHost, password, "fußball", servedHost, password)
	fmt.Fprintf(&list, "%s@%s %s\n", "sam", secondHost, password)
	h := startServer(sharedTB, serverSettings{more: more.String(), server: "register = true\ngone = [\"old.example\", \"b\u00fccher.old.example\"]", accounts: list.String()})
	return h
}

func domainName(i int) string { return fmt.Sprintf("gw%d.%s", i, servedHost) }

// serverSettings are what a server is started with beyond the defaults.
type serverSettings struct {
	server, login, limits, tls, more string // lines of sections; more: whole sections
	accounts                         string // lines for account import
	plain                            bool   // no TLS needed
}

// startServer starts a dragoman.
func startServer(t testing.TB, s serverSettings) *testServer {
	t.Helper()
	dir := t.TempDir()
	authority := peers.NewAuthority(t, dir, servedHost, secondHost, "xn--bcher-kva.example")
	h := &testServer{
		Server: peers.Server{
			Host:          servedHost,
			ClientAddr:    fmt.Sprintf("127.0.0.1:%d", peers.FreePort(t)),
			ComponentAddr: fmt.Sprintf("127.0.0.1:%d", peers.FreePort(t)),
			TLS:           authority.Client(), CertFile: authority.CertFile,
		},
		direct: fmt.Sprintf("127.0.0.1:%d", peers.FreePort(t)),
		log:    peers.NewLog(t, "dragoman"),
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[server]\nhosts = [%q, %q, %q]\ndata = \"data\"\n%s\n\n", servedHost, secondHost, ideaHost, s.server)
	fmt.Fprintf(&b, "[listen]\nc2s = [%q]\nc2s_tls = [%q]\ncomponent = [%q]\nhttp = []\nhttp_tls = []\n\n", h.ClientAddr, h.direct, h.ComponentAddr)
	b.WriteString("[federation]\nenabled = \"no\"\n\n")
	fmt.Fprintf(&b, "[tls]\ncertificate = %q\nkey = %q\nrequired = %t\n%s\n\n", authority.CertFile, authority.KeyFile, !s.plain, s.tls)
	fmt.Fprintf(&b, "[login]\niterations = 4096\n%s\n\n[log]\nlevel = \"debug\"\n\n", s.login)
	limits := s.limits
	if !strings.Contains(limits, "connections") {
		limits += "\nnew_connections = 0\nconnections = 0"
	}
	if !strings.Contains(limits, "rate") {
		limits += "\nrate = \"0 B\""
	}
	fmt.Fprintf(&b, "[limits]\n%s\n\n%s\n", limits, s.more)
	file := filepath.Join(dir, "dragoman.toml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if s.accounts != "" {
		binary := peers.Binary(t) // it may have to be built, which is not part of the minute
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, binary, "account", "import", "-c", file)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(s.accounts)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("import accounts: %v\n%s", err, out)
		}
	}
	cmd := exec.Command(peers.Binary(t), "serve", "-c", file)
	cmd.Dir = dir
	h.process = peers.Spawn(t, h.log, cmd)
	h.process.WaitListening(t, h.ClientAddr)
	h.process.WaitListening(t, h.ComponentAddr)
	return h
}

// sharedServer is the server of most tests; a test that fails shows the end of its log.
func sharedServer(t *testing.T) *testServer {
	t.Helper()
	t.Parallel()
	h := shared()
	t.Cleanup(func() {
		if state := h.process.State(); state != nil {
			t.Errorf("the server has ended: %v\n%s", state, h.log.Tail())
		}
	})
	return h
}

// newAccount is an account that no other test uses.
func newAccount(t *testing.T) string {
	t.Helper()
	n := nextAccount.Add(1) - 1
	if n >= accounts {
		t.Fatal("more accounts are needed")
	}
	return fmt.Sprintf("%s%d", spareName, n)
}

// domain is a component's domain that no other test uses.
func domain(t *testing.T) string {
	t.Helper()
	n := nextDomain.Add(1) - 1
	if n >= domains {
		t.Fatal("more domains are needed")
	}
	return domainName(int(n))
}

// poll tries until it succeeds.
func poll(t *testing.T, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	if err := peers.Poll(ctx, try); err != nil {
		t.Fatal(err)
	}
}

var errNotYet = errors.New("not yet")
