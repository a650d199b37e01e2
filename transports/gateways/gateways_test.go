package gateways

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/echo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func networks() []transports.Registration { return []transports.Registration{echo.Register()} }

// session keeps what is delivered to it.
type session struct {
	mu  sync.Mutex
	got []*stanza.Stanza
}

func (s *session) JID() jid.JID { return jid.MustParse("romeo@home.test/x") }

func (s *session) Deliver(st *stanza.Stanza) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, st)
}

func (s *session) Flush()               {}
func (s *session) Close(string, string) {}

// clear forgets what was delivered.
func (s *session) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = nil
}

func (s *session) has(what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.got {
		if strings.Contains(st.String(), what) {
			return true
		}
	}
	return false
}

// The gateway of an enabled network answers on a server of ours, within the limit of [gateway], and
// what exceeds that is counted.
func TestServer(t *testing.T) {
	t.Parallel()
	c, err := config.Parse(fmt.Appendf(nil, "[server]\nhosts = [\"home.test\"]\ndata = %q\n[listen]\nc2s = [\"127.0.0.1:0\"]\nc2s_tls = []\ncomponent = []\nhttp = []\nhttp_tls = []\n"+
		"[gateway]\nstanzas = 1\n[echo]\nenabled = true\n", t.TempDir()), "", nil, Sections(networks())...)
	if err != nil {
		t.Fatal(err)
	}
	if got := config.Default().Gateway.Stanzas; got != 50 {
		t.Errorf("gateway.stanzas is %d, not 50", got)
	}
	s, err := Server(t.Context(), c, Options{Networks: networks()})
	if err != nil {
		t.Fatal(err)
	}
	romeo := &session{}
	if err := s.Store().CreateAccount(t.Context(), romeo.JID().Bare(), sasl.Credentials{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	host := s.Router().Host(jid.MustParse("home.test"))
	bound, err := host.Bind(ctx, romeo, router.BindOptions{})
	if err != nil {
		t.Fatal(err)
	}
	batch := router.NewBatch(ctx)
	for i := range 21 {
		bound.Submit(batch, &stanza.Stanza{
			Kind: stanza.Message, ID: strconv.Itoa(i), From: romeo.JID(), To: jid.MustParse("echo.home.test"), Payload: "<body>help</body>",
		})
	}
	for limit := time.Now().Add(20 * time.Second); !romeo.has("resource-constraint") || !romeo.has("gateway to Echo"); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("got %v", romeo.got)
		}
	}
	counted := uint64(0)
	for _, c := range s.Counts() {
		if c.Limit == "gateway.stanzas" {
			counted = c.Times
		}
	}
	if counted == 0 {
		t.Error("a refused stanza is not counted")
	}
	bound.Unbind(ctx)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Under a foreign server there has to be a gateway, and its secret.
func TestComponentSettings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "no gateway is enabled", "[echo]\nenabled = true\n": "echo.secret"} {
		c, err := config.Parse(fmt.Appendf(nil, "[server]\nhosts = [\"home.test\"]\ndata = %q\n%s", t.TempDir(), text), "", nil, Sections(networks())...)
		if err != nil {
			t.Fatal(err)
		}
		if err := Component(t.Context(), c, Options{Networks: networks()}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
