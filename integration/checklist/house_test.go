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

// The domains of the houses.
const (
	homeHost   = "play.example"
	secondHost = "second.example"
	ideaHost   = "bücher.example" // an internationalised one
)

const (
	patience  = 15 * time.Second // for anything that must happen
	accounts  = 400              // made before the shared house starts
	domains   = 120              // of components
	password  = "pw"
	spareName = "u"
)

// house is a dragoman process.
type house struct {
	peers.Server
	direct  string // address for direct TLS
	process *peers.Process
	log     *peers.Log
}

var (
	shared       = sync.OnceValue(openShared)
	nextAccount  atomic.Int64
	nextDomain   atomic.Int64
	sharedTB     = &lasting{}
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

// lasting is the test that the shared house belongs to: all of them.
type lasting struct {
	testing.TB
	mu       sync.Mutex
	cleanups []func()
	failed   atomic.Bool
}

func (l *lasting) Helper()                  {}
func (l *lasting) Name() string             { return "checklist" }
func (l *lasting) Failed() bool             { return l.failed.Load() }
func (l *lasting) Context() context.Context { return wholeProcess }
func (l *lasting) Fatal(args ...any)        { panic(fmt.Sprint(args...)) }
func (l *lasting) Fatalf(f string, args ...any) {
	panic(fmt.Sprintf(f, args...))
}
func (l *lasting) Logf(f string, args ...any) { fmt.Fprintf(os.Stderr, f+"\n", args...) }

func (l *lasting) Cleanup(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cleanups = append(l.cleanups, f)
}

func (l *lasting) TempDir() string {
	dir, err := os.MkdirTemp("", "checklist-")
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (l *lasting) end() {
	for i := len(l.cleanups) - 1; i >= 0; i-- {
		l.cleanups[i]()
	}
}

// openShared starts the house of all tests that need no settings of their own.
func openShared() *house {
	var more strings.Builder
	for i := range domains {
		fmt.Fprintf(&more, "\n[[component]]\ndomain = %q\nsecret = \"between us\"\n", domainName(i))
	}
	var list strings.Builder
	for i := range accounts {
		fmt.Fprintf(&list, "%s%d@%s %s\n", spareName, i, homeHost, password)
	}
	fmt.Fprintf(&list, "%s@%s %s\n%s@%s %s\n", "σίγμα", homeHost, password, "fußball", homeHost, password)
	fmt.Fprintf(&list, "%s@%s %s\n", "sam", secondHost, password)
	h := openHouse(sharedTB, houseSettings{more: more.String(), server: "register = true\ngone = [\"old.example\", \"b\u00fccher.old.example\"]", accounts: list.String()})
	return h
}

func domainName(i int) string { return fmt.Sprintf("gw%d.%s", i, homeHost) }

// houseSettings are what a house is started with beyond the usual.
type houseSettings struct {
	server, login, limits, tls, more string // lines of sections; more: whole sections
	accounts                         string // lines for account import
	plain                            bool   // no TLS needed
}

// openHouse starts a dragoman.
func openHouse(t testing.TB, s houseSettings) *house {
	t.Helper()
	dir := t.TempDir()
	authority := peers.NewAuthority(t, dir, homeHost, secondHost, "xn--bcher-kva.example")
	h := &house{
		Server: peers.Server{
			Host:          homeHost,
			ClientAddr:    fmt.Sprintf("127.0.0.1:%d", peers.FreePort(t)),
			ComponentAddr: fmt.Sprintf("127.0.0.1:%d", peers.FreePort(t)),
			TLS:           authority.Client(), CertFile: authority.CertFile,
		},
		direct: fmt.Sprintf("127.0.0.1:%d", peers.FreePort(t)),
		log:    peers.NewLog(t, "dragoman"),
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[server]\nhosts = [%q, %q, %q]\ndata = \"data\"\n%s\n\n", homeHost, secondHost, ideaHost, s.server)
	fmt.Fprintf(&b, "[listen]\nc2s = [%q]\nc2s_tls = [%q]\ncomponent = [%q]\n\n", h.ClientAddr, h.direct, h.ComponentAddr)
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
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, peers.Binary(t), "account", "import", "-c", file)
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

// atHome is the house of all tests; a test that fails shows the end of its log.
func atHome(t *testing.T) *house {
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

// newcomer is an account that no other test uses.
func newcomer(t *testing.T) string {
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
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := peers.Poll(ctx, try); err != nil {
		t.Fatal(err)
	}
}

var errNotYet = errors.New("not yet")
