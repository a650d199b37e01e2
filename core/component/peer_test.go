package component

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mellium.im/xmlstream"
	"mellium.im/xmpp"
	"mellium.im/xmpp/component"
	melliumjid "mellium.im/xmpp/jid"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// need skips a test whose peer is not installed, unless all peers are required.
func need(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		if os.Getenv("DRAGOMAN_REQUIRE_PEERS") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return path
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// prosody is a Prosody with components gate.test and other.test (secret "s3cret").
type prosody struct {
	t    *testing.T
	bin  string
	dir  string
	addr string
	cmd  *exec.Cmd
}

func newProsody(t *testing.T) *prosody {
	t.Helper()
	p := &prosody{t: t, bin: need(t, "prosody"), dir: t.TempDir()}
	port := freePort(t)
	p.addr = fmt.Sprintf("127.0.0.1:%d", port)
	config := fmt.Sprintf(`run_as_root = true
pidfile = %q
data_path = %q
log = { { levels = { min = "info" }; to = "file"; filename = %q } }
modules_enabled = { "disco"; "ping" }
modules_disabled = { "s2s"; "c2s" }
component_ports = { %d }
component_interfaces = { "127.0.0.1" }
c2s_ports = {}
c2s_direct_tls_ports = {}
s2s_ports = {}
http_ports = {}
https_ports = {}
VirtualHost "home.test"
Component "gate.test"
	component_secret = "s3cret"
Component "other.test"
	component_secret = "s3cret"
`, filepath.Join(p.dir, "pid"), filepath.Join(p.dir, "data"), filepath.Join(p.dir, "log"), port)
	if err := os.WriteFile(filepath.Join(p.dir, "prosody.cfg.lua"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	return p
}

func (p *prosody) start() {
	p.t.Helper()
	p.cmd = exec.Command(p.bin, "-F", "--config", filepath.Join(p.dir, "prosody.cfg.lua"))
	p.cmd.Dir = p.dir
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *prosody) stop() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	_ = p.cmd.Wait()
	p.cmd = nil
}

// A link attaches to Prosody, attaches again after a restart, and loses nothing that was
// sent meanwhile.
func TestPeerProsody(t *testing.T) {
	t.Parallel()
	p := newProsody(t)
	l, got, states := runLink(t, p.addr, nil)
	other, fromGate, otherStates := runLink(t, p.addr, func(o *Options) { o.Domain = jid.MustParse("other.test") })
	p.start()
	for range 2 {
		waitState(t, states, up)
		waitState(t, otherStates, up)
		l.Send(message("x@other.test/r", "bot@gate.test", "there <&> 'and'"))
		if st := fromGate.next(t); st.Body() != "there <&> 'and'" || st.From.String() != "bot@gate.test" {
			t.Errorf("other.test got %s", st)
		}
		other.Send(message("bot@gate.test", "x@other.test/r", "back"))
		if st := got.next(t); st.Body() != "back" {
			t.Errorf("gate.test got %s", st)
		}
		info := stanza.NewIQ(jid.MustParse("home.test"), jid.MustParse("bot@gate.test/r"), "get",
			stanza.NewElement("http://jabber.org/protocol/disco#info", "query"))
		l.Send(info)
		if st := got.next(t); st.ID != info.ID || st.Type != "result" {
			t.Errorf("gate.test got %s", st)
		}
		p.stop()
		waitState(t, states, func(err error) bool { return err != nil })
		waitState(t, otherStates, func(err error) bool { return err != nil })
		l.Send(message("x@home.test", "bot@gate.test", "sent while it was not running"))
		p.start()
		if st := got.next(t); st.Type != "error" || st.Err().Condition != "service-unavailable" {
			t.Errorf("gate.test got %s", st) // there is no such account
		}
	}
}

func TestPeerProsodyRefuses(t *testing.T) {
	t.Parallel()
	p := newProsody(t)
	p.start()
	_, _, states := runLink(t, p.addr, func(o *Options) { o.Secret = "wrong" })
	waitState(t, states, func(err error) bool { return errors.Is(err, ErrRefused) })
}

// A silent link to Prosody receives its own ping and stays connected.
func TestPeerProsodySelfPing(t *testing.T) {
	t.Parallel()
	p := newProsody(t)
	p.start()
	_, _, states := runLink(t, p.addr, func(o *Options) { o.Idle = 100 * time.Millisecond })
	waitState(t, states, up)
	select {
	case err := <-states:
		t.Errorf("state became %v", err)
	case <-time.After(time.Second):
	}
}

// mellium's component attaches to our server.
func TestPeerMellium(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	conn, err := net.Dial("tcp", o.addr)
	if err != nil {
		t.Fatal(err)
	}
	session, err := component.NewSession(ctx, melliumjid.MustParse("gate.test"), []byte("s3cret"), conn)
	if err != nil {
		t.Fatal(err)
	}
	bodies := make(chan string, 1)
	served := make(chan error, 1)
	go func() {
		served <- session.Serve(xmpp.HandlerFunc(func(t xmlstream.TokenReadEncoder, start *xml.StartElement) error {
			var m struct {
				Body string `xml:"body"`
			}
			if err := xml.NewTokenDecoder(xmlstream.MultiReader(xmlstream.Token(*start), t)).Decode(&m); err != nil {
				return err
			}
			bodies <- m.Body
			return nil
		}))
	}()
	text := `<message xmlns="jabber:component:accept" to="romeo@home.test" from="bot@gate.test" type="chat"><body xmlns="jabber:component:accept">hi</body></message>`
	if err := session.Send(ctx, xml.NewDecoder(strings.NewReader(text))); err != nil {
		t.Fatal(err)
	}
	if st := o.home.next(t); st.Body() != "hi" {
		t.Errorf("routed %s", st)
	}
	o.router.Route(message("bot@gate.test", "romeo@home.test/a", "back"))
	select {
	case body := <-bodies:
		if body != "back" {
			t.Errorf("mellium got %q", body)
		}
	case <-ctx.Done():
		t.Fatal("mellium got nothing")
	}
	if err := session.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
	_ = conn.Close()
}
