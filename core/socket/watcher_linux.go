package socket

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// Watcher waits for input on any number of connections that nobody reads, in one goroutine: a goroutine for each would need a stack for
// each. It is an instance of epoll, for which Go's own one waits.
type Watcher struct {
	epoll *os.File
	fd    int
	wait  syscall.RawConn

	mu      sync.Mutex
	closed  bool
	count   int32 // of calls of Watch: the number of a socket may be that of an earlier one
	watched map[int32]watched
}

// watched is a socket, by its number.
type watched struct {
	count int32
	ready func()
}

// NewWatcher returns a watcher. The caller calls Run, and Close to end it.
func NewWatcher() (*Watcher, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("watch sockets: %w", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("watch sockets: %w", err)
	}
	w := &Watcher{epoll: os.NewFile(uintptr(fd), "epoll"), fd: fd, watched: map[int32]watched{}}
	if err = w.epoll.SetReadDeadline(time.Time{}); err == nil { // fails unless Go can wait for it
		w.wait, err = w.epoll.SyscallConn()
	}
	if err != nil {
		_ = w.epoll.Close()
		return nil, fmt.Errorf("watch sockets: %w", err)
	}
	return w, nil
}

// Watch calls ready once, in the goroutine of Run, when a Conn has input or has ended, unless Forget is called before. It returns false
// if t cannot be watched. ready must not block.
func (w *Watcher) Watch(t any, ready func()) bool {
	c, ok := t.(*Conn)
	if !ok || c.raw.fd == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.count++
	done := false
	_ = c.raw.fd.Control(func(fd uintptr) { // it fails on a closed socket
		e := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT, Fd: int32(fd), Pad: w.count}
		if syscall.EpollCtl(w.fd, syscall.EPOLL_CTL_ADD, int(fd), &e) == nil {
			w.watched[e.Fd] = watched{w.count, ready}
			c.watched = watchedSocket{e.Fd, w.count}
			done = true
		}
	})
	return done
}

// Forget ends what Watch has begun.
func (w *Watcher) Forget(t any) {
	c, ok := t.(*Conn)
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if at := c.watched; w.watched[at.fd].count == at.count {
		delete(w.watched, at.fd)
	}
	if w.closed {
		return
	}
	_ = c.raw.fd.Control(func(fd uintptr) { // a closed socket is forgotten already
		_ = syscall.EpollCtl(w.fd, syscall.EPOLL_CTL_DEL, int(fd), nil)
	})
}

// Run calls the functions of Watch until Close is called.
func (w *Watcher) Run() {
	events := make([]syscall.EpollEvent, 128)
	for {
		n := 0
		err := w.wait.Read(func(fd uintptr) bool {
			var err error
			n, err = syscall.EpollWait(int(fd), events, 0)
			return n > 0 || err != nil && err != syscall.EINTR
		})
		if err != nil { // it is closed
			return
		}
		for _, e := range events[:max(n, 0)] {
			w.mu.Lock()
			s := w.watched[e.Fd]
			w.mu.Unlock()
			if s.ready != nil && s.count == e.Pad {
				s.ready()
			}
		}
	}
}

// Close ends Run. Nothing is watched any more.
func (w *Watcher) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	clear(w.watched)
	_ = w.epoll.Close()
}
