package peers

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

//go:embed slixmpp_client.py
var slixmppScript []byte

// python is the interpreter that has slixmpp from the distribution's package.
const python = "/usr/bin/python3"

// Event is something that a slixmpp client was sent.
type Event struct {
	Event  string // stanza, roster or gone
	Kind   string // message or presence
	Seen   Seen   // what slixmpp understood
	Raw    string // the stanza
	Reason string
}

// Seen is what slixmpp understood of a stanza.
type Seen struct {
	From      string
	Type      string
	ID        string
	Body      string
	Replaces  string
	Retracts  string
	ReactsTo  string `json:"reacts_to"`
	Reactions []string
	RepliesTo string `json:"replies_to"`
	Delayed   bool
	Show      string
	Status    string
}

// Slixmpp is a slixmpp client in a process of its own.
type Slixmpp struct {
	JID       string // after Login
	Mechanism string // SASL, after Login
	Roster    map[string]Contact

	t     testing.TB
	proc  *Process
	stdin io.WriteCloser
	log   *Log

	mu      sync.Mutex
	orders  int
	answers map[int]chan answer
	events  []Event
	changed chan struct{} // closed and replaced when an event comes
	ended   bool
}

// Contact is an item of a contact list.
type Contact struct {
	Name         string
	Groups       []string
	Subscription string
}

type answer struct {
	Order int
	OK    json.RawMessage
	Error string
}

// StartSlixmpp starts a client that is not logged in.
func StartSlixmpp(t testing.TB) *Slixmpp {
	t.Helper()
	if err := exec.CommandContext(t.Context(), python, "-c", "import slixmpp").Run(); err != nil {
		Missing(t, "slixmpp is not installed for "+python)
	}
	script := filepath.Join(t.TempDir(), "client.py")
	if err := os.WriteFile(script, slixmppScript, 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Slixmpp{t: t, log: NewLog(t, "slixmpp"), answers: map[int]chan answer{}, changed: make(chan struct{})}
	cmd := exec.Command(python, "-u", script)
	var err error
	if s.stdin, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, in := io.Pipe()
	cmd.Stdout = in
	s.proc = Spawn(t, s.log, cmd)
	read := make(chan struct{})
	go func() {
		defer close(read)
		s.read(out)
	}()
	go func() {
		<-s.proc.Done()
		_ = in.Close()
	}()
	t.Cleanup(func() {
		s.proc.Kill()
		<-read
	})
	return s
}

// read takes answers and events from the client until it ends.
func (s *Slixmpp) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var line struct {
			answer
			Event
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			_, _ = fmt.Fprintf(s.log, "not understood: %s: %v\n", lines.Bytes(), err)
			continue
		}
		s.mu.Lock()
		if line.Event.Event != "" {
			s.events = append(s.events, line.Event)
			close(s.changed)
			s.changed = make(chan struct{})
		} else if waiting := s.answers[line.Order]; waiting != nil {
			delete(s.answers, line.Order)
			waiting <- line.answer
		}
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for id, waiting := range s.answers {
		waiting <- answer{Order: id, Error: "the client has ended"}
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// Do carries out a command and decodes its result into result, if that is not nil.
func (s *Slixmpp) Do(ctx context.Context, name string, args map[string]any, result any) error {
	waiting := make(chan answer, 1)
	s.mu.Lock()
	s.orders++
	order := map[string]any{"order": s.orders, "do": name}
	for key, value := range args {
		order[key] = value
	}
	s.answers[s.orders] = waiting
	if s.ended {
		s.mu.Unlock()
		return errors.New("the client has ended")
	}
	s.mu.Unlock()
	line, err := json.Marshal(order)
	if err != nil {
		return err
	}
	if _, err := s.stdin.Write(append(line, '\n')); err != nil {
		return err
	}
	select {
	case a := <-waiting:
		if a.Error != "" {
			return fmt.Errorf("slixmpp %s: %s", name, a.Error)
		}
		if result == nil || bytes.Equal(a.OK, []byte("null")) {
			return nil
		}
		return json.Unmarshal(a.OK, result)
	case <-ctx.Done():
		return fmt.Errorf("slixmpp %s: %w", name, ctx.Err())
	}
}

// Login logs in over STARTTLS with SCRAM, gets the contact list and becomes available.
func (s *Slixmpp) Login(ctx context.Context, server *Server, account Account) error {
	host, port, err := net.SplitHostPort(server.ClientAddr)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	var result struct {
		JID       string
		Mechanism string
		Roster    map[string]Contact
	}
	err = s.Do(ctx, "login", map[string]any{
		"jid": account.User + "@" + server.Host, "password": account.Password,
		"host": host, "port": number, "ca_certs": server.CertFile,
	}, &result)
	s.JID, s.Mechanism, s.Roster = result.JID, result.Mechanism, result.Roster
	return err
}

// Await returns the first event from position from on that fits, and the position after it.
func (s *Slixmpp) Await(ctx context.Context, from int, fits func(Event) bool) (Event, int, error) {
	for {
		s.mu.Lock()
		for ; from < len(s.events); from++ {
			if fits(s.events[from]) {
				e := s.events[from]
				s.mu.Unlock()
				return e, from + 1, nil
			}
		}
		changed, ended := s.changed, s.ended
		s.mu.Unlock()
		if ended {
			return Event{}, from, errors.New("the client has ended")
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Event{}, from, ctx.Err()
		}
	}
}

// Events are all events so far.
func (s *Slixmpp) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Event(nil), s.events...)
}
