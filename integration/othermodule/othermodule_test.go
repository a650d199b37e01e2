package othermodule

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
)

const (
	host    = "home.test"
	gateway = "hello.home.test"
	secret  = "between us"
	limit   = 2 * time.Minute // for the whole test; the first build is the most of it
)

func TestMain(m *testing.M) {
	code := m.Run()
	peers.Cleanup()
	os.Exit(code)
}

// TestNetworkOfAnotherModule builds testdata/hello against this module, runs it as a component of
// our server, links a login by chat and passes a message both ways.
func TestNetworkOfAnotherModule(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	binary := buildModule(ctx, t)
	account := peers.Account{User: "ann", Password: "ann's own"}
	server := peers.StartDragoman(t, peers.Options{Setup: peers.Setup{
		Host: host, Accounts: []peers.Account{account}, Components: []peers.Component{{Domain: gateway, Secret: secret}},
	}})
	runComponent(t, binary, server.ComponentAddr)
	conn, err := client.Dial(ctx, client.Login{Addr: server.ClientAddr, Domain: host, User: account.User, Password: account.Password, TLS: server.TLS})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Drop()
	c := &chat{t: t, ctx: ctx, conn: conn}
	c.send("<presence/>")
	for !c.exchange(gateway, "help", "gateway to Hello", time.Second) { // until the component is attached
		if ctx.Err() != nil {
			t.Fatal("the component does not answer")
		}
	}
	c.say(gateway, "link", "Name")
	c.say(gateway, "NOT A NAME", "Name") // the field's pattern
	c.say(gateway, "ann", "is linked")
	c.say(`\4dirror@`+gateway, "mirror, mirror", "Good day, ann: mirror, mirror")
	c.say(`\4dirror@`+gateway, "again", "Good day, ann: again")
}

// buildModule builds a copy of testdata/hello without any network: with our go.sum and what our own build has cached.
func buildModule(ctx context.Context, t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/hello")); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	mod = []byte(strings.Replace(string(mod), "../../../..", root, 1))
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"go.mod": mod, "go.sum": sum} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-mod=mod", "-o", "gateway", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the other module: %v\n%s", err, out)
	}
	return filepath.Join(dir, "gateway")
}

// runComponent runs the built program until the test ends.
func runComponent(t *testing.T, binary, server string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "gateway.toml")
	text := fmt.Sprintf("[server]\nhosts = [%q]\ndata = \"data\"\n[foreign]\naddress = %q\n[hello]\nenabled = true\nsecret = %q\ngreeting = \"Good day\"\n", host, server, secret)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "component", "-c", file)
	cmd.Dir = dir
	process := peers.Spawn(t, peers.NewLog(t, "gateway"), cmd)
	t.Cleanup(func() {
		if state, err := process.Stop(); err != nil || !state.Success() {
			t.Errorf("the component ended with %v: %v", state, err)
		}
	})
}

// chat is a conversation by a client's connection.
type chat struct {
	t    *testing.T
	ctx  context.Context
	conn *client.Conn
	last int
}

func (c *chat) send(text string) {
	c.t.Helper()
	if err := c.conn.Send(text); err != nil {
		c.t.Fatal(err)
	}
}

// say writes a message and waits for an answer with a text in it.
func (c *chat) say(to, text, answer string) {
	c.t.Helper()
	if !c.exchange(to, text, answer, limit) {
		c.t.Fatalf("no answer %q to %q", answer, text)
	}
}

// exchange is say that reports whether the answer came in time.
func (c *chat) exchange(to, text, answer string, wait time.Duration) bool {
	c.t.Helper()
	c.last++
	if err := c.conn.Send(fmt.Sprintf("<message type='chat' id='m%d' to='%s'><body>%s</body></message>", c.last, to, text)); err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(c.ctx, wait)
	defer cancel()
	for {
		e, err := c.conn.Next(ctx)
		if err != nil {
			return false
		}
		if e.Name.Local == "message" && e.Attr("type") != "error" && strings.Contains(e.String(), answer) {
			return true
		}
	}
}
