package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
)

const startTimeout = 60 * time.Second

// kind is a server program that can be measured.
type kind struct {
	name, title string
	// configure writes the configuration to s.dir, and says what to run.
	configure func(b *bench, s *server) error
	// populate makes accounts while the server does not run; nil lets them be registered.
	populate func(ctx context.Context, b *bench, s *server, user string, n int) error
	// mechanisms are those that it has with the passwords stored as they are, beside PLAIN and SCRAM-SHA-1.
	mechanisms []string
	webSocket  bool // clients may connect by WebSocket, at webAddr
	indexes    bool // archived messages are indexed by words, after the load
	imports    bool // fill imports what 'xmppbench messages' writes
	// fill gives the server, which does not run, an account with an archive.
	fill func(ctx context.Context, b *bench, s *server) error
	// room are arguments of 'xmppbench room' for a gateway's room, or the server's own where it has no gateway, and native those for
	// a room of the server.
	room, native []string
}

// byDefault are the servers that are measured if -servers does not name others.
var byDefault = []*kind{dragoman, prosody, ejabberd}

var kinds = append(byDefault, postgres, before)

func names(kinds []*kind) []string {
	var list []string
	for _, k := range kinds {
		list = append(list, k.name)
	}
	return list
}

// server is one that was configured, and mostly runs.
type server struct {
	*kind
	dir     string
	port    int
	links   int // port for other servers
	web     int // port for HTTP
	cert    *peers.Authority
	version string
	command func() *exec.Cmd
	binary  string // of a dragoman
	// database is the process of the database server, whose processes count too; 0: none.
	database int
	filled   bool // fill has been called
	log      *peers.Log
	process  *peers.Process
}

func (b *bench) newServer(k *kind) (*server, error) {
	s := &server{kind: k, dir: filepath.Join(b.dir, k.name+".d"), log: &peers.Log{}}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return nil, err
	}
	var err error
	if s.cert, err = peers.MakeAuthority(s.dir, domain, "conference."+domain); err != nil {
		return nil, err
	}
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	if s.web, err = freePort(); err != nil {
		return nil, err
	}
	if s.links, err = freePort(); err != nil {
		return nil, err
	}
	return s, k.configure(b, s)
}

// freePort is one of loopback that nothing listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (s *server) addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// webAddr is where clients connect by HTTP.
func (s *server) webAddr() string { return fmt.Sprintf("127.0.0.1:%d", s.web) }

// linkAddr is where other servers connect.
func (s *server) linkAddr() string { return fmt.Sprintf("127.0.0.1:%d", s.links) }

// target is the server as xmppbench wants it.
func (s *server) target() string {
	pids := number(s.process.PID())
	if s.database != 0 {
		pids += "+" + number(s.database)
	}
	return fmt.Sprintf("%s=%s,%s,%s", s.name, s.addr(), domain, pids)
}

func (s *server) write(name, text string) (string, error) {
	path := filepath.Join(s.dir, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// start starts the process and returns once it takes connections.
func (s *server) start(ctx context.Context) error {
	var err error
	if s.process, err = peers.Launch(s.log, s.command()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := s.poll(ctx, s.opensStream); err != nil {
		return fmt.Errorf("%s does not answer: %w\n%s", s.title, err, s.log.Tail())
	}
	return nil
}

// poll tries until that works or the process has ended.
func (s *server) poll(ctx context.Context, try func(context.Context) error) error {
	return peers.Poll(ctx, func() error {
		if state := s.process.State(); state != nil {
			return fmt.Errorf("it has ended: %v", state)
		}
		return try(ctx)
	})
}

// opensStream opens a stream: some servers listen before they know their hosts.
func (s *server) opensStream(ctx context.Context) error {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", s.addr())
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(conn, "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='%s'>", domain); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}

func (s *server) stop() {
	if s.process == nil {
		return
	}
	if _, err := s.process.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	s.process = nil
}

// restart gives the server fresh memory.
func (s *server) restart(ctx context.Context) error {
	s.stop()
	return s.start(ctx)
}

// populate makes accounts; the server runs neither before nor afterwards.
func (s *server) populate(ctx context.Context, b *bench, user string, n int) error {
	if s.kind.populate != nil {
		return s.kind.populate(ctx, b, s, user, n)
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	defer s.stop()
	_, err := b.load(ctx, s, "register", "--user", user, "--users", number(n))
	return err
}

// firstLogin starts the server and tells how long it takes until somebody has logged in.
func (s *server) firstLogin(ctx context.Context) (figures, error) {
	s.stop()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var err error
	begun := time.Now()
	if s.process, err = peers.Launch(s.log, s.command()); err != nil {
		return nil, err
	}
	err = s.poll(ctx, func(ctx context.Context) error {
		c, err := client.Dial(ctx, client.Login{
			Addr: s.addr(), Domain: domain, User: "bench0", Password: password, TLS: s.cert.Client(), Mechanism: "SCRAM-SHA-1",
		})
		if err == nil {
			_ = c.Close()
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("first login: %w", err)
	}
	return figures{"start": float64(time.Since(begun).Microseconds()) / 1000}, nil
}
