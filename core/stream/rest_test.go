package stream

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
)

// fakeWatcher records who waits, and lets the test say when there is input.
type fakeWatcher struct {
	closed  chan struct{}
	refuses bool

	mu    sync.Mutex
	ready func() // nil while nobody waits
}

func newFakeWatcher() *fakeWatcher { return &fakeWatcher{closed: make(chan struct{})} }

func (w *fakeWatcher) Watch(_ any, ready func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuses {
		return false
	}
	w.ready = ready
	return true
}

func (w *fakeWatcher) Forget(any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ready = nil
}

func (w *fakeWatcher) Run() { <-w.closed }

func (w *fakeWatcher) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuses = true
	close(w.closed)
}

func (w *fakeWatcher) waits() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ready != nil
}

// input calls the function of Watch, as late as a real Watcher may.
func (w *fakeWatcher) input() {
	w.mu.Lock()
	ready := w.ready
	w.mu.Unlock()
	if ready != nil {
		ready()
	}
}

const everySecond = time.Second

// resting runs a connection of a group that lets connections rest, until test returns.
func resting(t *testing.T, test func(t *testing.T, w *fakeWatcher, r *recorder, peer *rawstream.Peer, ended chan error)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, w := NewGroup(), newFakeWatcher()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			g.Rest(ctx, w, everySecond)
		}()
		config := testConfig()
		config.Idle = 8 * everySecond
		r, peer := pipeConn(t, config)
		ended := make(chan error, 1)
		g.Go(r.Conn, func() bool {
			err := r.Run()
			if err == ErrRest {
				return true
			}
			ended <- err
			r.Close(err, nil)
			return false
		})
		peer.Send(head + establish)
		peer.Until("version='1.0'>")
		test(t, w, r, peer, ended)
		cancel()
		<-done
		_ = peer.Conn.Close()
		g.Shutdown(t.Context(), NewError(SystemShutdown, ""))
	})
}

// A silent connection has no goroutine, and goes on with what arrives, also in the middle of an element.
func TestRest(t *testing.T) {
	resting(t, func(t *testing.T, w *fakeWatcher, r *recorder, peer *rawstream.Peer, _ chan error) {
		for i := range 3 {
			time.Sleep(3 * everySecond)
			synctest.Wait()
			if !w.waits() {
				t.Fatalf("%d: the connection does not rest", i)
			}
			first, rest := "<message id='x'>", "<body>y</body></message>"
			if i == 1 {
				first, rest = first+rest, ""
			}
			go peer.Send(first) // blocks until it is read
			w.input()
			time.Sleep(3 * everySecond)
			synctest.Wait()
			if !w.waits() {
				t.Fatalf("%d: the connection does not rest again", i)
			}
			if rest != "" {
				go peer.Send(rest)
				w.input()
			}
			peer.Until("y</body></message>")
		}
		if synctest.Wait(); r.Queue().Pending() != 0 {
			t.Error("something is not written")
		}
	})
}

// Stop, Wake and the end of Group.Rest continue a connection that rests.
func TestRestEnds(t *testing.T) {
	for name, wake := range map[string]func(*recorder, *fakeWatcher){
		"stop": func(r *recorder, _ *fakeWatcher) { r.Stop(NewError(PolicyViolation, "")) },
		"wake": func(r *recorder, _ *fakeWatcher) { r.Wake() },
		"both": func(r *recorder, w *fakeWatcher) {
			go w.input()
			go r.Wake()
			r.Stop(NewError(PolicyViolation, ""))
		},
	} {
		t.Run(name, func(t *testing.T) {
			resting(t, func(t *testing.T, w *fakeWatcher, r *recorder, peer *rawstream.Peer, ended chan error) {
				time.Sleep(3 * everySecond)
				synctest.Wait()
				wake(r, w)
				synctest.Wait()
				if w.waits() {
					t.Error("the connection still rests")
				}
				if name == "wake" {
					return
				}
				go func() { _, _ = peer.Remains() }()
				if err := <-ended; AsError(err).Condition != PolicyViolation {
					t.Error(err)
				}
			})
		})
	}
}

// A connection that rests is pinged at its deadline, and ends if it does not answer.
func TestRestSilent(t *testing.T) {
	resting(t, func(t *testing.T, w *fakeWatcher, _ *recorder, peer *rawstream.Peer, ended chan error) {
		peer.Until("<ping xmlns='urn:xmpp:ping'/></iq>") // after config.Idle
		time.Sleep(3 * everySecond)
		synctest.Wait()
		if !w.waits() {
			t.Error("the connection does not rest while it waits for the answer")
		}
		go func() { _, _ = peer.Remains() }()
		if err := <-ended; !errors.Is(err, ErrSilent) {
			t.Error(err)
		}
	})
}

// A connection whose transport cannot be watched keeps its goroutine.
func TestNeverRests(t *testing.T) {
	resting(t, func(t *testing.T, w *fakeWatcher, r *recorder, peer *rawstream.Peer, _ chan error) {
		w.mu.Lock()
		w.refuses = true
		w.mu.Unlock()
		time.Sleep(5 * everySecond)
		peer.Send("<message id='x'><body>y</body></message>")
		peer.Until("y</body></message>")
		r.rest.mu.Lock()
		defer r.rest.mu.Unlock()
		if !r.rest.never || r.rest.watcher != nil {
			t.Errorf("never %v", r.rest.never)
		}
	})
}

// A connection that sends does not rest, nor does one that has not logged in.
func TestRestOnlySilent(t *testing.T) {
	resting(t, func(t *testing.T, w *fakeWatcher, r *recorder, peer *rawstream.Peer, _ chan error) {
		for range 20 {
			time.Sleep(everySecond / 2)
			peer.Send("<message id='x'><body>y</body></message>")
			peer.Until("y</body></message>")
			if w.waits() {
				t.Fatal("the connection rests")
			}
		}
		young, _ := pipeConn(t, testConfig())
		if young.askToRest(time.Now(), everySecond); young.rest.asked.Load() {
			t.Error("before the login")
		}
	})
}

// What is incomplete keeps its buffer, nothing else does.
func TestScannerRests(t *testing.T) {
	t.Parallel()
	for text, keeps := range map[string]bool{"": false, "<message>": true} {
		s := opened(t, iotest.TimeoutReader(io.MultiReader(strings.NewReader(head+text), strings.NewReader("x"))))
		if _, err := s.Next(); !errors.Is(err, iotest.ErrTimeout) {
			t.Fatal(err)
		}
		if s.rest(); (s.small != nil) != keeps {
			t.Errorf("%q: keeps its buffer: %v", text, s.small != nil)
		}
	}
}
