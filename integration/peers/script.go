package peers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"testing"
)

// script is a client in a process of its own, which takes commands and prints events, a JSON object on each line.
type script struct {
	name  string
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

type answer struct {
	Order int
	OK    json.RawMessage
	Error string
}

// startScript starts the process, which ends with the test.
func startScript(t testing.TB, name string, cmd *exec.Cmd) *script {
	t.Helper()
	s := &script{name: name, log: NewLog(t, name), answers: map[int]chan answer{}, changed: make(chan struct{})}
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
func (s *script) read(out io.Reader) {
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
func (s *script) Do(ctx context.Context, name string, args map[string]any, result any) error {
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
			return fmt.Errorf("%s %s: %s", s.name, name, a.Error)
		}
		if result == nil || bytes.Equal(a.OK, []byte("null")) {
			return nil
		}
		return json.Unmarshal(a.OK, result)
	case <-ctx.Done():
		return fmt.Errorf("%s %s: %w", s.name, name, ctx.Err())
	}
}

// Await returns the first event from position from on that fits, and the position after it.
func (s *script) Await(ctx context.Context, from int, fits func(Event) bool) (Event, int, error) {
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
func (s *script) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Event(nil), s.events...)
}
