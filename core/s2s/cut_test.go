package s2s

import (
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// relay passes connections on to a server, and can cut them.
type relay struct {
	l     net.Listener
	to    string
	mu    sync.Mutex
	conns []net.Conn
	ended bool
}

func newRelay(t testing.TB, to string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{l: l, to: to}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			r.mu.Lock()
			if r.ended {
				_, _ = near.Close(), far.Close()
			}
			r.conns = append(r.conns, near, far)
			r.mu.Unlock()
			pass := func(from, to net.Conn) {
				_, _ = io.Copy(to, from)
				_, _ = from.Close(), to.Close()
			}
			running.Go(func() { pass(near, far) })
			running.Go(func() { pass(far, near) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		r.mu.Lock()
		r.ended = true
		r.mu.Unlock()
		r.cut()
		running.Wait()
	})
	return r
}

// cut closes all connections without an end of the streams.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		_ = c.Close()
	}
	r.conns = nil
}

// A link that is cut in mid-traffic loses nothing and keeps the order; where the stream can be resumed nothing comes twice (XEP-0198).
func TestCut(t *testing.T) {
	t.Parallel()
	for name, resume := range map[string]bool{"resumed": true, "not resumed": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			change := func(o *Config) {
				o.Limits.WaitLimits = WaitLimits{Stanzas: 10_000, Bytes: 16 << 20}
				if !resume {
					o.Limits.Resume = -1
				}
			}
			a, b := newNode(t, n, "a.test", change), newNode(t, n, "b.test", change)
			r := newRelay(t, b.addr)
			n.set("b.test", host{addr: r.l.Addr().String()})
			const count = 2000
			window := make(chan struct{}, 100) // so that there is traffic at each cut
			var sending sync.WaitGroup
			sending.Go(func() {
				for i := range count {
					window <- struct{}{}
					a.send("juliet@b.test", "romeo@a.test/x", fmt.Sprint(i))
				}
			})
			seen := map[string]bool{}
			for next := 0; next < count; {
				st := b.arrived.next(t)
				id := st.ID
				switch {
				case st.Type == stanza.TypeError:
					t.Fatalf("got %s", st)
				case id == fmt.Sprint(next):
					<-window
					if next++; next%250 == 0 && next < count {
						r.cut()
					}
				case resume || !seen[id]:
					t.Fatalf("got %s, want %d", id, next)
				}
				seen[id] = true
			}
			sending.Wait()
			a.quiet()
			a.wantKept() // all are acknowledged
			if got := n.count("b.test"); got < 3 {
				t.Errorf("%d connections", got)
			}
		})
	}
}
