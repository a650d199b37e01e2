package socket

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// watcher returns one that runs until the test ends.
func watcher(t *testing.T) *Watcher {
	w, err := NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(w.Run)
	t.Cleanup(func() {
		w.Close()
		running.Wait()
	})
	return w
}

// The function is called once for input that has come before or comes after, and for the end of the connection.
func TestWatch(t *testing.T) {
	t.Parallel()
	w := watcher(t)
	for name, cause := range map[string]func(peer *Conn){
		"input": func(peer *Conn) { _, _ = peer.Write([]byte("x")) },
		"end":   func(peer *Conn) { _ = peer.Close() },
	} {
		for _, before := range []bool{false, true} {
			a, b := sockets(t)
			ready := make(chan struct{}, 10)
			if before {
				cause(b)
			}
			if !w.Watch(a, func() { ready <- struct{}{} }) {
				t.Fatal("not watched")
			}
			if !before {
				cause(b)
			}
			<-ready
			cause(b)
			w.Forget(a)
			if n := len(ready); n != 0 {
				t.Errorf("%s: called %d times more", name, n)
			}
		}
	}
}

// After Forget the function is not called, and the socket can be watched again.
func TestWatchForget(t *testing.T) {
	t.Parallel()
	w := watcher(t)
	a, b := sockets(t)
	for range 100 {
		if !w.Watch(a, func() { t.Error("called after Forget") }) {
			t.Fatal("not watched")
		}
		w.Forget(a)
	}
	_, _ = b.Write([]byte("x"))
	ready := make(chan struct{})
	w.Watch(a, func() { close(ready) })
	<-ready
	w.Forget(a)
	_ = a.Close()
	if w.Watch(a, func() {}) {
		t.Error("a closed socket is watched")
	}
	w.Forget(a)
	if w.Watch("no socket", func() {}) {
		t.Error("no socket is watched")
	}
}

// Many sockets, which are closed and made anew, each get their own calls.
func TestWatchMany(t *testing.T) {
	t.Parallel()
	w := watcher(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				a, b := sockets(t)
				var calls atomic.Int32
				ready := make(chan struct{}, 1)
				if !w.Watch(a, func() { calls.Add(1); ready <- struct{}{} }) {
					t.Error("not watched")
					return
				}
				if _, err := b.Write([]byte("x")); err != nil {
					t.Error(err)
					return
				}
				<-ready
				w.Forget(a)
				_, _ = a.Close(), b.Close()
				if n := calls.Load(); n != 1 {
					t.Errorf("%d calls", n)
				}
			}
		})
	}
	wg.Wait()
}

// A closed Watcher watches nothing.
func TestWatcherClosed(t *testing.T) {
	t.Parallel()
	w := watcher(t)
	a, b := sockets(t)
	var calls atomic.Int32
	w.Watch(a, func() { calls.Add(1) })
	w.Close()
	_, _ = b.Write([]byte("x"))
	w.Forget(a)
	if w.Watch(a, func() { calls.Add(1) }) {
		t.Error("watched")
	}
	time.Sleep(time.Millisecond)
	if calls.Load() != 0 {
		t.Error("called")
	}
}
