//go:build unix

package outbound

import (
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/socketpair"
)

// cpu returns the processor time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkQueueEcho measures a message in each direction: two writes and two reads.
func BenchmarkQueueEcho(b *testing.B) {
	for _, kind := range []string{"plain", "tls", "goroutine"} {
		b.Run(kind, func(b *testing.B) {
			near, far := socketpair.New(b)
			if kind == "tls" {
				socketpair.Secure(b, near, far)
			}
			var conn net.Conn = near
			if kind == "goroutine" {
				conn = struct{ net.Conn }{near}
			}
			q := NewQueue(conn, Limits{}, nil)
			done := make(chan struct{})
			go func() {
				defer close(done)
				buf := make([]byte, 300)
				for {
					if _, err := io.ReadFull(near, buf); err != nil {
						return
					}
					q.AppendBytes(buf)
					q.Flush()
				}
			}()
			msg := make([]byte, 300)
			start := cpu()
			for b.Loop() {
				if _, err := far.Write(msg); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(far, msg); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpu()-start)/float64(b.N), "cpu-ns/op")
			_ = far.Close()
			_ = near.Close()
			<-done
			q.Wait()
		})
	}
}
