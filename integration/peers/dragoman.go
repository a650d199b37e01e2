package peers

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/integration/client"
)

// binary is the dragoman that this test process has built.
var binary = sync.OnceValues(build)

// BinaryEnv names the variable that holds a dragoman that was built already.
const BinaryEnv = "DRAGOMAN_TEST_BINARY"

// build compiles cmd/dragoman, with the race detector if DRAGOMAN_TEST_RACE is set, unless BinaryEnv names one. The
// directory is removed by Cleanup.
func build() (string, error) {
	if built := os.Getenv(BinaryEnv); built != "" {
		return built, nil
	}
	dir, err := os.MkdirTemp("", "dragoman-test-")
	if err != nil {
		return "", err
	}
	buildDir = dir
	path := filepath.Join(dir, "dragoman")
	args := []string{"build", "-o", path}
	if os.Getenv("DRAGOMAN_TEST_RACE") != "" {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "github.com/dragoman-im/dragoman/cmd/dragoman")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build dragoman: %w\n%s", err, out)
	}
	return path, nil
}

var buildDir string

// Cleanup removes the built binary; TestMain calls it.
func Cleanup() {
	if buildDir != "" {
		_ = os.RemoveAll(buildDir)
	}
}

// Binary is the path of the dragoman under test, built at the first call.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Dragoman is a dragoman process with its data directory; it can be killed and started
// again.
type Dragoman struct {
	Server
	Dir   string
	Data  string // of `dragoman serve`: where the database is
	Relay *Relay // with Options.Relayed
	t     testing.TB
	log   *Log
	args  []string
	proc  *Process
}

// Options are what a Dragoman is started with beyond the usual.
type Options struct {
	Setup
	Settings string // further TOML: whole sections
	LocalWeb bool   // files are at an http address on this machine, without a domain
	LocalTLS bool   // files are at an https address of localhost
	Server   string // further lines of [server]
	Data     string // the data directory; empty: one beside the configuration
	Limits   string // further lines of [limits]; no rate is in force unless they name one
	Login    string // further lines of [login]
	Listen   string // further lines of [listen]

	Domains []string // further domains of gateways, which others can reach too
	Links   string   // further lines of [federation]
	Relayed bool     // other servers connect through Dragoman.Relay, without direct TLS
}

// StartDragoman runs `dragoman serve` with settings of its own on free ports.
func StartDragoman(t testing.TB, o Options) *Dragoman {
	t.Helper()
	d := newDragoman(t, "dragoman")
	domains := append(o.domains(), anonymousHost(o.Host))
	if o.LocalTLS {
		domains = append(domains, "localhost")
	}
	authority := o.certificate(t, d.Dir, domains...)
	d.Server = Server{
		Host:          o.Host,
		ClientAddr:    fmt.Sprintf("127.0.0.1:%d", FreePort(t)),
		ComponentAddr: fmt.Sprintf("127.0.0.1:%d", FreePort(t)),
		HTTPAddr:      fmt.Sprintf("127.0.0.1:%d", FreePort(t)),
		HTTPSAddr:     fmt.Sprintf("127.0.0.1:%d", FreePort(t)),
		TLS:           authority.Client(),
		CertFile:      authority.CertFile,
	}
	var b strings.Builder
	d.Data = cmp.Or(o.Data, filepath.Join(d.Dir, "data"))
	if o.Admin != "" {
		o.Server += fmt.Sprintf("\nadmins = [%q]", o.Admin+"@"+o.Host)
	}
	if o.Anonymous {
		o.Settings += fmt.Sprintf("\n[anonymous]\nhosts = [%q]\nallow = [%q]\n", anonymousHost(o.Host), o.Host)
	}
	o.Listen += d.federate(&o)
	fmt.Fprintf(&b, "[server]\nhosts = [%q]\ndata = %q\n%s\n\n", o.Host, d.Data, o.Server)
	b.WriteString(storeSection(t, d.Data))
	fmt.Fprintf(&b, "[listen]\nc2s = [%q]\nc2s_tls = []\ncomponent = [%q]\nhttp = [%q]\nhttp_tls = [%q]\n%s\n\n", d.ClientAddr, d.ComponentAddr, d.HTTPAddr, d.HTTPSAddr, o.Listen)
	if o.LocalWeb {
		fmt.Fprintf(&b, "[web]\nurl = %q\n\n", "http://"+d.HTTPAddr)
	}
	if o.LocalTLS {
		_, port, _ := strings.Cut(d.HTTPSAddr, ":")
		fmt.Fprintf(&b, "[web]\nurl = %q\n\n", "https://localhost:"+port)
	}
	fmt.Fprintf(&b, "[tls]\ncertificate = %q\nkey = %q\n\n", authority.CertFile, authority.KeyFile)
	fmt.Fprintf(&b, "[login]\niterations = 4096\n%s\n\n%s", o.Login, logging())
	limits := o.Limits
	if !strings.Contains(limits, "rate") {
		limits += "\nrate = \"0 B\""
	}
	fmt.Fprintf(&b, "[limits]\nnew_connections = 0\n%s\n\n%s\n", limits, o.Settings)
	for _, c := range o.Components {
		fmt.Fprintf(&b, "\n[[component]]\ndomain = %q\nsecret = %q\n", c.Domain, c.Secret)
		if c.Privileged {
			fmt.Fprintf(&b, "privileges = [\"roster\", \"message\"]\n")
		}
		b.WriteString(c.Settings)
	}
	for _, g := range o.Groups {
		fmt.Fprintf(&b, "\n[[shared_group]]\nname = %q\nmembers = [%s]\n", g.Name, quoted(g.addresses(o.Host)))
	}
	d.configure(b.String())
	for _, a := range o.Accounts {
		d.AddAccount(a)
	}
	d.args = []string{"serve", "-c", d.config()}
	d.Start()
	return d
}

// federate adds the settings of links with other servers to o.Settings, and returns those of section [listen].
func (d *Dragoman) federate(o *Options) string {
	f := o.Federation
	if f == nil {
		if !strings.Contains(o.Settings, "[federation]") {
			o.Settings += "\n[federation]\nenabled = \"no\"\n"
		}
		return ""
	}
	d.ServerAddr = fmt.Sprintf("127.0.0.1:%d", FreePort(d.t))
	direct := fmt.Sprintf("127.0.0.1:%d", FreePort(d.t))
	o.Settings += fmt.Sprintf("\n[federation]\nenabled = \"yes\"\nroots = %q\nrequire_certificate = %t\nresolvers = [%q]\nnetworks = [\"127.0.0.0/8\"]\ndocuments = false\n%s\n",
		f.CAFile, !o.Dialback, f.DNS.Addr, o.Links)
	reached := d.ServerAddr
	if o.Relayed {
		d.Relay = StartRelay(d.t, "127.0.0.1:0", d.ServerAddr)
		reached = d.Relay.Addr
	} else {
		f.AnnounceTLS(d.t, direct, o.domains()...)
	}
	f.Announce(d.t, reached, o.domains()...)
	return fmt.Sprintf("\ns2s = [%q]\ns2s_tls = [%q]", d.ServerAddr, direct)
}

// domains are those that other servers can reach.
func (o *Options) domains() []string {
	return append([]string{o.Host, "conference." + o.Host}, o.Domains...)
}

// StartGateway runs `dragoman component` with these settings, attached to a server that
// runs already.
func StartGateway(t testing.TB, server *Server, settings string) *Dragoman {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "[server]\nhosts = [%q]\ndata = \"data\"\n\n%s", server.Host, logging())
	fmt.Fprintf(&b, "[foreign]\naddress = %q\n\n%s\n", server.ComponentAddr, settings)
	return StartConfiguredGateway(t, server, b.String())
}

// StartConfiguredGateway runs "dragoman component" with a configuration whose data directory is "data", and which names the server.
func StartConfiguredGateway(t testing.TB, server *Server, config string) *Dragoman {
	t.Helper()
	d := newDragoman(t, "dragoman-component")
	d.Server = *server
	d.configure(config + "\n" + storeSection(t, filepath.Join(d.Dir, "data")))
	d.args = []string{"component", "-c", d.config()}
	d.run()
	return d
}

// storeSection is section [store] of a server with this data directory: empty, but for tests on PostgreSQL.
func storeSection(t testing.TB, data string) string {
	t.Helper()
	if !storetest.OnPostgres() {
		return ""
	}
	return fmt.Sprintf("[store]\nurl = %q\n\n", storetest.InDir(t, data))
}

// logging is verbose.
func logging() string {
	return "[log]\nlevel = \"debug\"\n\n"
}

func newDragoman(t testing.TB, title string) *Dragoman {
	t.Helper()
	Binary(t)
	return &Dragoman{Dir: t.TempDir(), t: t, log: NewLog(t, title)}
}

func (d *Dragoman) config() string { return filepath.Join(d.Dir, "dragoman.toml") }

func (d *Dragoman) configure(text string) {
	d.t.Helper()
	if err := os.WriteFile(d.config(), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// Start starts the process and returns once clients can connect.
func (d *Dragoman) Start() {
	d.t.Helper()
	d.run()
	d.proc.WaitListening(d.t, d.ClientAddr)
}

func (d *Dragoman) run() {
	d.t.Helper()
	cmd := exec.Command(Binary(d.t), d.args...)
	cmd.Dir = d.Dir
	d.proc = Spawn(d.t, d.log, cmd)
}

// PID is the process, for what the system knows of it.
func (d *Dragoman) PID() int { return d.proc.cmd.Process.Pid }

// Signal sends the process a signal.
func (d *Dragoman) Signal(s os.Signal) {
	d.t.Helper()
	if err := d.proc.cmd.Process.Signal(s); err != nil {
		d.t.Error(err)
	}
}

// State says how the process ended; nil while it runs.
func (d *Dragoman) State() *os.ProcessState { return d.proc.State() }

// Kill ends the process with SIGKILL.
func (d *Dragoman) Kill() { d.proc.Kill() }

// Stop ends the process with SIGTERM and fails the test if that is not clean.
func (d *Dragoman) Stop() {
	d.t.Helper()
	state, err := d.proc.Stop()
	if err != nil {
		d.t.Error(err)
	} else if !state.Success() {
		d.t.Errorf("dragoman ended with %v after SIGTERM\n%s", state, d.log.Tail())
	}
}

// Restart kills the process and starts it again on the same data.
func (d *Dragoman) Restart() {
	d.t.Helper()
	d.Kill()
	if len(d.args) > 0 && d.args[0] == "component" {
		d.run()
		return
	}
	d.Start()
}

// Log is what the process writes.
func (d *Dragoman) Log() *Log { return d.log }

// Process is the one that runs now.
func (d *Dragoman) Process() *Process { return d.proc }

// Done is closed when the process has ended.
func (d *Dragoman) Done() <-chan struct{} { return d.proc.Done() }

// AddAccount makes an account with the command line.
func (d *Dragoman) AddAccount(a Account) {
	d.t.Helper()
	if a.Only != "" {
		d.importAccount(a)
		return
	}
	if _, err := d.Run(a.Password+"\n", "account", "add", a.User+"@"+d.Host); err != nil {
		d.t.Fatal(err)
	}
}

// importAccount makes an account as from another server that has kept keys for one mechanism only.
func (d *Dragoman) importAccount(a Account) {
	d.t.Helper()
	keys, err := client.Credentials(a.Only, a.Password)
	if err != nil {
		d.t.Fatal(err)
	}
	text := fmt.Sprintf("<server-data xmlns='urn:xmpp:pie:0'><host jid='%s'><user name='%s'>%s</user></host></server-data>", d.Host, a.User, keys)
	if _, err := d.Run(text, "account", "import"); err != nil {
		d.t.Fatal(err)
	}
}

// Run runs another command of the binary on the same configuration, with input on its
// standard input, and returns what it printed.
func (d *Dragoman) Run(input string, args ...string) (string, error) {
	binary := Binary(d.t) // it may have to be built, which is not part of the minute
	ctx, cancel := context.WithTimeout(d.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append(args, "-c", d.config())...)
	cmd.Dir = d.Dir
	cmd.Stdin = strings.NewReader(input)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("dragoman %s: %w\n%s", strings.Join(args, " "), err, out.String())
	}
	return out.String(), nil
}

// Unstarted is a binary with a configuration, for commands that do not serve.
func Unstarted(t testing.TB, settings string) *Dragoman {
	t.Helper()
	d := newDragoman(t, "dragoman")
	d.configure(settings)
	return d
}
